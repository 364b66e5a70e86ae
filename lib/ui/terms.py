"""Where the words of a page stand: links into the glossary."""

import streamlit as st

from lib.glossary import Term, meant_by

ADDRESS = "glossary"
"""The glossary's page, by the last part of its address."""
_PAGE = "_page"


def remember_page(page: str) -> None:
    """Take down which page is drawn, by the last part of its address."""
    st.session_state[_PAGE] = page


def page_drawn() -> str | None:
    """The page that is drawn, if it was taken down."""
    found: str | None = st.session_state.get(_PAGE)
    return found


def link(term: Term, text: str | None = None) -> str:
    """A link to a term, in Markdown; it opens beside what is on screen."""
    return f"[{text or term.name}]({ADDRESS}?term={term.slug})"


def explained(label: str, meaning: str) -> str:
    """What a number means, and the way to its formula, range and source where the glossary has them."""
    term = meant_by(label, page_drawn())
    return meaning if term is None else f"{meaning}\n\n{link(term, 'In the glossary')}"
