"""How numbers and refusals read on every page."""

import re
from collections.abc import Iterable
from string import punctuation

import streamlit as st

from lib.numerals import THIN, count, counted, share

__all__ = ["THIN", "count", "counted", "plain", "refuse", "share", "tell"]

_WORD_JOINER = "\u2060"
_TO_PART = re.compile(
    r"(?<=www)(?=\.)|(?<=:)(?=//)|(?<=@)|(?:(?<=\s[-<>~])|(?<=^[-<>~]))(?=[-=>]>?(?:\s|$))", re.IGNORECASE
)


def refuse(sentence: object, *, advice: str = "") -> None:
    """Show why something cannot be done, and what to do; the user's text in it is shown as it is, never as Markdown."""
    st.error(f"{plain(sentence)} {advice}".strip(), icon=":material/block:")


def tell(notices: Iterable[str]) -> None:
    """Show what a reader should know of a result: what was changed, left out, or sampled."""
    for notice in notices:
        st.caption(f":material/info: {plain(notice)}")


def plain(text: object) -> str:
    """`text` with Markdown's signs escaped, so that names from a file or an address cannot draw, link or colour.

    Escaping does not keep an address (`www.`, `://`, `@`) from becoming a link, nor `->` an arrow: an invisible word
    joiner parts those.
    """
    return "".join(f"\\{sign}" if sign in punctuation else sign for sign in _TO_PART.sub(_WORD_JOINER, str(text)))
