"""Before a run: how fast this machine is, whether another is at work, and the button that begins one."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import streamlit as st

from lib import runs
from lib.encoders import free_memory
from lib.errors import InputError
from lib.runs import Run
from lib.ui.messages import plain, refuse
from lib.ui.runs.choice import PAGES

_FAULT = "_run_start_fault"
_PROBE = (1_024, 384, 2_048)
_TIMES = 8
_FRESH = 300  # seconds for which a try holds: others may keep the machine busy


@st.cache_resource(max_entries=1, ttl=_FRESH, show_spinner=False)
def rate() -> float:
    """Multiplications and additions a second that this machine does in a dense product, as tried just now."""
    rows, inner, columns = _PROBE
    left, right = np.ones((rows, inner), np.float32), np.ones((inner, columns), np.float32)
    taken = []
    for _ in range(_TIMES):
        begun = time.perf_counter()
        left @ right
        taken.append(time.perf_counter() - begun)
    return 2.0 * rows * inner * columns / max(min(taken), 1e-6)


@st.cache_resource(max_entries=1, ttl=_FRESH, show_spinner=False)
def memory() -> int:
    """Bytes of memory that were free just now; for some minutes the same, so that suggestions stay as they are."""
    return free_memory()


def unfinished(token: str) -> Run | None:
    """The session's run, of whatever kind, that waits or is at work, if there is one."""
    return next((run for run in runs.list_runs(owner=token) if runs.status(run).state in ("waiting", "running")), None)


@contextmanager
def handing_over(run: Run, what: str) -> Iterator[None]:
    """Write the inputs of `run` and start it inside; where that cannot be done, it is removed. `what` is handed over.

    Raises:
        InputError: there is no room, or the run cannot begin.
    """
    try:
        yield
    except OSError as fault:
        runs.delete(run)
        raise InputError(f"{what} cannot be handed to the training ({fault.strerror}): free some space.") from None
    except InputError:
        runs.delete(run)
        raise


def offer(begin: Callable[[], Run], look_at: Callable[[str], None], *, kind: str, token: str, prefix: str) -> None:
    """The button that begins a run of `kind`, which is then looked at; says so if another of the session is at work."""
    if _FAULT in st.session_state:
        refuse(st.session_state.pop(_FAULT))
    busy = tell_of_unfinished(look_at, kind=kind, token=token, prefix=prefix)
    st.button(
        "Start training", key=f"{prefix}_start", type="primary", icon=":material/play_arrow:", on_click=_begin,
        args=(begin, look_at), disabled=busy,
    )  # fmt: skip


def tell_of_unfinished(look_at: Callable[[str], None], *, kind: str, token: str, prefix: str) -> bool:
    """Say so if a run of the session waits or is at work, and whether it is so."""
    working = unfinished(token)
    if working is not None:
        _tell_of(working, look_at, kind=kind, key=f"{prefix}_look")
    return working is not None


def _tell_of(working: Run, look_at: Callable[[str], None], *, kind: str, key: str) -> None:
    elsewhere = "" if working.kind == kind else f", {plain(working.title)} on the page {PAGES.get(working.kind, '')},"
    st.info(
        f"A training of yours{elsewhere} is not done yet, and you can have one at a time: wait until it has ended, or "
        "stop it, then begin another.",
        icon=":material/schedule:",
    )
    if working.kind == kind:
        st.button("Look at it", key=key, on_click=look_at, args=(working.id,), icon=":material/visibility:")


def _begin(begin: Callable[[], Run], look_at: Callable[[str], None]) -> None:
    try:
        run = begin()
    except InputError as fault:
        st.session_state[_FAULT] = str(fault)
    else:
        look_at(run.id)
