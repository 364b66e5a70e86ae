"""The Overview page: a module for each part of it."""
