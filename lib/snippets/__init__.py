"""Snippets: the lines of Python that make a page's number again with the library alone."""
