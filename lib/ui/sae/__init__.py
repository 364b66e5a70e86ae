"""The views of SAE Features, and what the pages about features cache."""
