"""Long work on a page: a bar that shows how far it is, and a button that stops it."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from lib.errors import InputError
from lib.progress import Progress
from lib.ui.messages import count


def started(key: str, label: str, *, about: str) -> bool:
    """Whether the user has begun the work `key`; draws the button that begins it, with what it will cost, if not."""
    if st.session_state.get(_state(key)) == "go":
        return True
    if st.session_state.get(_state(key)) == "stopped":
        st.info(f"Stopped. {about}")
    else:
        st.info(about)
    st.button(label, key=f"{key}_begin", on_click=_set, args=(key, "go"), type="primary", icon=":material/play_arrow:")
    return False


def begin(key: str) -> None:
    """Begin the work `key` without asking: it will soon be done. What the user stopped stays stopped."""
    st.session_state.setdefault(_state(key), "go")


@contextmanager
def stoppable(key: str, doing: str) -> Iterator[Progress]:
    """A bar with a Stop button while the work inside runs; both vanish with it.

    Pressing Stop reruns the page, which ends the work at its next call of what is yielded: `tell(done, of)`.
    """
    place = st.empty()
    st.empty()  # covers the button that began this
    with place.container(horizontal=True, vertical_alignment="center"):
        shown = st.progress(0.0, text=f"{doing}…")
        st.button(
            "Stop", key=f"{key}_stop", on_click=_set, args=(key, "stopped"), icon=":material/stop:", width="content"
        )

    def tell(done: int, of: int) -> None:
        shown.progress(min(done / of, 1.0) if of else 1.0, text=f"{doing}: {count(done)} of {count(of)}")

    try:
        yield tell
    except InputError:  # what cannot be done is not begun again by the next click on the page
        _set(key, "stopped")
        place.empty()
        raise
    place.empty()


def _state(key: str) -> str:
    return f"_work_{key}"


def _set(key: str, value: str) -> None:
    st.session_state[_state(key)] = value
