"""Train: a dictionary for these texts. Begins a training, watches one, and hands over what it made."""

import uuid
from typing import NoReturn

import streamlit as st

from lib import runs
from lib.errors import InputError
from lib.runs import Run
from lib.ui.messages import refuse
from lib.ui.sae import train_begin, train_end, train_live
from lib.ui.sae.train_live import KEY
from lib.ui.workspace import Space

KIND = "sae"
_SESSION = "_runs_token"
_NEW = "new"


def show(space: Space) -> None:
    """Draw the view."""
    run = _chosen()
    if run is None:
        train_begin.show(space, _token())
        return
    runs.advance(run.root)
    fares = runs.status(run)
    train_live.head(run, fares)
    if fares.ended or fares.state == "new":
        train_end.show(run, fares, owner=run.owned_by(_token()))
        train_live.curves(run)
    else:
        train_live.follow(run)


def _chosen() -> Run | None:
    """The training that is looked at, which stands in the address; None for a new one.

    A session is offered the trainings that it began; any other is found by its address alone.
    """
    mine = [run.id for run in runs.list_runs(kind=KIND, owner=_token())]
    asked = str(st.session_state.get(KEY) or st.query_params.get(KEY) or _NEW)
    chosen = st.selectbox(
        "Training",
        list(dict.fromkeys([_NEW, *mine, asked])),
        key=KEY,
        bind="query-params",
        persist_state="session",
        width=420,
        accept_new_options=True,
        help="Trainings that you began on this page, latest first. Each has a name that nobody can guess and that "
        "stands in the address: keep that, and you find the training again after closing the page. Whoever has it can "
        "watch it, read its log, stop, resume and use it; only you, in this session, can delete it.",
    )
    if chosen in (None, _NEW):
        return None
    try:
        run = runs.find_run(str(chosen))
    except InputError as fault:
        _refuse(fault)
    if run.kind != KIND:
        _refuse("The address names a run of another kind: choose a training of an SAE.")
    return run


def _refuse(why: object) -> NoReturn:
    """Say why there is nothing to look at, and end the page."""
    refuse(why)
    st.button("Begin a new one", key="train_new", on_click=_set_new, icon=":material/add:")
    st.stop()


def _set_new() -> None:
    st.session_state[KEY] = _NEW


def _token() -> str:
    """What makes this session's trainings its own."""
    token: str = st.session_state.setdefault(_SESSION, uuid.uuid4().hex)
    return token
