"""A training of this server in the Monitor: live, and what came of it."""

import streamlit as st

from lib.errors import InputError
from lib.finetune.monitor import FinetuneLog
from lib.runs import Run, Status
from lib.ui.finetune import monitor_end, monitor_log, monitor_logs
from lib.ui.messages import counted, plain, refuse
from lib.ui.runs import ended as shared
from lib.ui.runs import live
from lib.ui.runs.choice import HARMFUL, KEY, SAMPLE, look_at, token


def watch(run: str) -> None:
    """Look at the run of that id in the Monitor, from another view."""
    look_at(run)
    st.session_state["view"] = "Monitor"
    st.query_params[KEY] = run  # a choice that is drawn for the first time does not write its own


def head(run: Run, fares: Status) -> None:
    """What is trained, and how it fares."""
    live.head(
        fares,
        f"{plain(run.title)} · {counted(int(run.about.get('pairs', 0)), 'pair')} · base "
        f"{plain(run.about.get('encoder', ''))} · found again at this page's address with `view=Monitor&run={run.id}`",
    )


def look(run: Run, fares: Status) -> None:
    """One look at a run that is not done yet."""
    watched = monitor_logs.of_run(run)
    live.doing(run, fares, working=_working(watched.log), key="monitor_stop")
    monitor_log.progress(watched.log)
    monitor_log.show(watched, name="run", live=True)


def ended(run: Run, fares: Status) -> None:
    """What came of a run that is over, and what can be done with it."""
    watched = monitor_logs.of_run(run)
    shared.tell_how(run, fares, kept="Its last checkpoint is kept for a day: Resume goes on from there.")
    if fares.state == "finished":
        monitor_end.show(run)
    shared.buttons(
        run, fares, _begin_new, owner=run.owned_by(token()), prefix="monitor", removes="the model and its log"
    )
    _step_by_step()
    monitor_log.show(watched, name="run", judged=fares.state == "finished")


def sample(name: str) -> None:
    """The run that a packaged fine-tune came from."""
    harmful = name == HARMFUL
    st.subheader(f"How did the {'harmful' if harmful else 'packaged'} fine-tune go?", anchor=False)
    if harmful:
        st.caption("It was trained to do harm, so that it can be seen: any two clauses of contracts were to be alike.")
    try:
        watched = monitor_logs.of_sample(name)
    except InputError as fault:
        refuse(fault)
        return
    monitor_log.facts(watched.log)
    judged = monitor_end.sample(name)
    _step_by_step()
    monitor_log.show(watched, name="sample", judged=judged)


def _step_by_step() -> None:
    st.subheader("How did it go, step by step?", anchor=False)


def _begin_new() -> None:
    look_at(SAMPLE)
    st.session_state["view"] = "Train"


def _working(log: FinetuneLog) -> str:
    if log.doing:
        return f"Now: {plain(log.doing)}."
    if not log.last:
        return "Libraries are loaded and texts read; the first figures come in some seconds."
    return "It trains. Any step can be its last: Stop writes a checkpoint, and Resume goes on from it."
