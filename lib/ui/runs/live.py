"""A run as it goes: its state, and the button that stops it."""

from collections.abc import Callable

import streamlit as st

from lib import runs
from lib.runs import Run, Status
from lib.ui.messages import counted

_EVERY = 2.0  # seconds between two looks
_STATES = {
    "new": ("Not started", "gray", "schedule"),
    "waiting": ("Waiting", "orange", "schedule"),
    "running": ("Training", "blue", "play_arrow"),
    "finished": ("Finished", "green", "check"),
    "stopped": ("Stopped", "orange", "stop"),
    "failed": ("Failed", "red", "block"),
}


def head(fares: Status, facts: str) -> None:
    """How a run fares, over `facts` about it, which are Markdown."""
    word, colour, icon = _STATES[fares.state]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(
            "What came of the training?" if fares.ended else "How does the training go?", width="content", anchor=False
        )
        st.badge(word, icon=f":material/{icon}:", color=colour)  # type: ignore[arg-type]
    st.caption(facts)


def follow(look: Callable[[Run, Status], None], run: Run) -> None:
    """Draw by `look` every two seconds until `run` has ended; then the page runs again."""

    def draw() -> None:
        runs.advance(run.root)
        fares = runs.status(run)
        if fares.ended or fares.state == "new":  # deleted meanwhile: the page says so
            st.rerun()
        look(run, fares)

    st.fragment(draw, run_every=_EVERY)()


def doing(run: Run, fares: Status, *, working: str, key: str) -> None:
    """What `run` does, in words, beside the button that stops it; `working` says it of one that works."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(_words(run, fares, working), width="stretch")
        if fares.stop_at is None:
            st.button("Stop", key=key, on_click=runs.stop, args=(run,), icon=":material/stop:")


def length(seconds: float) -> str:
    """So many seconds in words."""
    return f"{seconds:.0f} seconds" if seconds < 100 else f"{seconds / 60:.0f} minutes"


def rounded_length(seconds: float) -> str:
    """The same of an estimate: short ones in steps of five seconds."""
    return length(max(round(seconds / 5) * 5, 5) if seconds < 100 else seconds)


def _words(run: Run, fares: Status, working: str) -> str:
    if fares.stop_at is not None:
        return "Stopping: it ends the step that it is in and writes a checkpoint first."
    if fares.state == "waiting":
        return f"It waits: one training works at a time here, and {counted(runs.ahead(run), 'run')} come before it."
    return working
