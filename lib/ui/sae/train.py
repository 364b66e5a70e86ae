"""Train: a dictionary for these texts. Begins a training, watches one, and hands over what it made."""

from functools import partial
from typing import NoReturn

import streamlit as st

from lib import runs
from lib.errors import InputError
from lib.runs import Run
from lib.ui.messages import refuse
from lib.ui.runs.choice import NEW, choose_run, look_at, token
from lib.ui.sae import train_begin, train_end, train_live
from lib.ui.workspace import Space

KIND = "sae"
begin_new = partial(look_at, NEW)


def show(space: Space) -> None:
    """Draw the view."""
    run = _chosen()
    if run is None:
        train_begin.show(space, token())
        return
    runs.advance(run.root)
    fares = runs.status(run)
    train_live.head(run, fares)
    if fares.ended or fares.state == "new":
        train_end.show(run, fares, begin_new, owner=run.owned_by(token()))
        train_live.curves(run)
    else:
        train_live.follow(run)


def _chosen() -> Run | None:
    """The training that is looked at, which stands in the address; None for a new one."""
    try:
        chosen = choose_run(KIND, [NEW], label="Training", what="Trainings")
    except InputError as fault:
        _refuse(fault)
    return None if isinstance(chosen, str) else chosen


def _refuse(why: object) -> NoReturn:
    """Say why there is nothing to look at, and end the page."""
    refuse(why)
    st.button("Begin a new one", key="train_new", on_click=begin_new, icon=":material/add:")
    st.stop()
