"""Uploads that outlive their uploader: Streamlit lets go of a file as soon as a page is drawn without its uploader."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from lib.ui.messages import plain


def upload(
    label: str, *, key: str, types: Sequence[str], megabytes: int, help: str, multiple: bool = False
) -> list[Any]:
    """Draw an uploader and return its files; those of an earlier page, with a button to remove them, where it is empty.

    They stay in the memory of the session until they are removed or others take their place.
    """
    given = st.file_uploader(
        label,
        type=list(types),
        accept_multiple_files=multiple,
        key=key,
        max_upload_size=megabytes,
        help=help,
        on_change=_changed,
        args=(key,),
    )
    files = _listed(given)
    if files:
        st.session_state[_held(key)] = files
    st.session_state[_drawn(key)] = bool(files)
    kept: list[Any] = st.session_state.get(_held(key), [])
    if kept and not files:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(f"Still here: {', '.join(plain(file.name) for file in kept)}")
            st.button("Remove", key=f"forget_{key}", on_click=_forget, args=(key,), icon=":material/delete:")
    return kept


def _changed(key: str) -> None:
    """A file taken out of its uploader is let go; an uploader that was empty all along says nothing of the kept one."""
    if not _listed(st.session_state.get(key)) and st.session_state.get(_drawn(key)):
        _forget(key)


def _forget(key: str) -> None:
    st.session_state.pop(_held(key), None)


def _listed(given: Any) -> list[Any]:
    return given if isinstance(given, list) else [] if given is None else [given]


def _held(key: str) -> str:
    return f"_kept_{key}"


def _drawn(key: str) -> str:
    return f"_kept_{key}_drawn"
