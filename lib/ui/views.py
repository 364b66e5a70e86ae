"""The views of a page: one tab each, of which only the open one is computed."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import streamlit as st

from lib.errors import InputError
from lib.ui.code import offer_code
from lib.ui.messages import refuse

S = TypeVar("S")


def show_views(views: Mapping[str, Callable[[S], Any]], space: S, *, first: str | None = None) -> None:
    """Draw the tabs; which one is open stands in the address, `first` where none does.

    What a view cannot do it says in one sentence; beneath what it can stands the code that gives its numbers again:
    of what the view returns, where it looked at something else than `space`.
    """
    tabs = st.tabs(list(views), default=first, key="view", on_change="rerun", bind="query-params")
    for tab, (name, show) in zip(tabs, views.items(), strict=True):
        if tab.open:
            with tab:
                try:
                    seen = show(space)
                except InputError as fault:
                    refuse(fault)
                else:
                    offer_code(name, space if seen is None else seen)
