"""The views of the Layers page."""
