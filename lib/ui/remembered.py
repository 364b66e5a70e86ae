"""What a session remembers between two runs of a page: what was made of its own input, the latest of each kind."""

from collections.abc import Callable
from typing import Any

import streamlit as st


def remembered(group: str, what: str, key: object, make: Callable[[], Any]) -> Any:
    """`make()`, once for the same key of `what` in this session; an earlier value of `what` is let go."""
    kept = st.session_state.setdefault(_place(group), {})
    if what not in kept or kept[what][0] != key:
        kept.pop(what, None)  # before the new one takes memory too
        kept[what] = (key, make())
    return kept[what][1]


def keep_only(group: str, start: str) -> None:
    """Let go of all in the group whose `what` does not begin with `start`."""
    kept = st.session_state.get(_place(group), {})
    for what in [what for what in kept if not what.startswith(start)]:
        del kept[what]


def _place(group: str) -> str:
    return f"_remembered_{group}"
