"""The views of the Retrieval page."""
