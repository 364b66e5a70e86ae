"""Snippets: code that reproduces a view's numbers with this library alone, and the command that does the same."""

from lib.snippets.making import PAGES, snippet
from lib.snippets.snippet import Case, Snippet

__all__ = ["PAGES", "Case", "Snippet", "snippet"]
