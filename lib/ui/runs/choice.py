"""Which run is looked at. It stands in the address; a session is offered the runs that it began."""

import uuid
from collections.abc import Sequence

import streamlit as st

from lib import runs
from lib.errors import InputError
from lib.runs import Run

KEY = "run"
"""What names the run that is looked at, in the address and in the session, on every page."""
NEW = "new"
"""What is chosen where a run is yet to begin."""
SAMPLE, HARMFUL, UPLOAD = "sample", "harmful", "upload"
"""What is chosen where a log is looked at that is no run's of this server."""
PAGES = {"sae": "SAE Features", "finetune": "Fine-tune Diff"}
"""The page of each kind of run."""
_SESSION = "_runs_token"
_PLACES = {NEW, SAMPLE, HARMFUL, UPLOAD}


def token() -> str:
    """What makes this session's runs its own."""
    kept: str = st.session_state.setdefault(_SESSION, uuid.uuid4().hex)
    return kept


def look_at(run: str) -> None:
    """Choose the run of that id, or what stands for none."""
    st.session_state[KEY] = run


def choose_run(kind: str, places: Sequence[str], *, label: str, what: str) -> Run | str:
    """Draw the choice among `places`, which are no runs, and this session's runs of `kind`; what was chosen.

    Any other run is found by its address alone. One of another kind that this session looked at on another page is
    passed over. `what` says of what kind the runs are, in the plural.

    Raises:
        InputError: the address names no run, or one of another kind.
    """
    mine = [run.id for run in runs.list_runs(kind=kind, owner=token())]
    asked = _asked(kind, places)
    chosen = st.selectbox(
        label,
        list(dict.fromkeys([*places, *mine, asked])),
        key=KEY,
        bind="query-params",
        persist_state="session",
        width=420,
        accept_new_options=True,
        help=f"{what} that you began here, latest first. Each has a name that nobody can guess and that stands in the "
        "address: keep that, and you find it again after closing the page. Whoever has it can watch it, read its log, "
        "stop, resume and use it; only you, in this session, can delete it.",
    )
    if chosen in places:
        return str(chosen)
    if chosen is None or chosen in _PLACES:  # an address of another page
        return places[0]
    run = runs.find_run(str(chosen))
    if run.kind != kind:
        page = PAGES.get(run.kind)
        raise InputError(
            f"The address names a run of another kind{f': look at it on the page {page}' if page else ''}, or choose "
            "another here."
        )
    return run


def _asked(kind: str, places: Sequence[str]) -> str:
    """What is to be looked at; the first of `places` where that belongs to another page."""
    asked = str(st.session_state.get(KEY) or st.query_params.get(KEY) or places[0])
    if asked in places:
        return asked
    others = [run.id for run in runs.list_runs(owner=token()) if run.kind != kind]
    if asked in _PLACES or asked in others:
        st.session_state[KEY] = places[0]
        return places[0]
    return asked
