"""The glossary: every number and word on screen with its meaning, formula, range, baseline and source.

`TERMS` holds all; `term` takes one by its slug, `find` searches, `of_page` are the terms of one page, and `meant_by`
is the term that the label of a number on screen stands for.
"""

from lib.glossary.lookup import PAGES, TERMS, find, meant_by, of_page, term
from lib.glossary.term import Term

__all__ = ["PAGES", "TERMS", "Term", "find", "meant_by", "of_page", "term"]
