"""What a downloaded file is called: the page, the picture or table, and what it was made of."""

import re
import unicodedata

import streamlit as st

_KEPT = "_made_of"
_MOST = 40  # characters of one part
_OTHER = re.compile(r"[^A-Za-z0-9.]+")


def remember(page: str, *made_of: str | None) -> None:
    """Take down the page and what it looks at (encoder, corpus, query set), for `file_name` in this session."""
    st.session_state[_KEPT] = (page, *(part for part in made_of if part))


def page_name() -> str:
    """The page that is shown, by its file under pages/; empty where none was taken down."""
    return str(st.session_state.get(_KEPT, ("",))[0])


def file_name(name: str, suffix: str = "") -> str:
    """`page-name-encoder-corpus.suffix`, of letters, digits, dots and hyphens alone; without a dot if no suffix."""
    page, *made_of = st.session_state.get(_KEPT, ("embedscope",))
    stem = "-".join(part for part in map(_plain, (page, name, *made_of)) if part)
    return f"{stem}.{suffix}" if suffix else stem


def _plain(part: str) -> str:
    """The last step of a path or hub id; what is not a plain letter becomes a hyphen."""
    last = re.split(r"[/\\]", part.rstrip("/\\"))[-1]
    letters = unicodedata.normalize("NFKD", last).encode("ascii", "ignore").decode()
    return _OTHER.sub("-", letters)[:_MOST].strip("-.").lower()
