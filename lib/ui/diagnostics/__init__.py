"""The views of Diagnostics."""
