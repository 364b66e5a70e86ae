"""Reports of what is on the screen."""
