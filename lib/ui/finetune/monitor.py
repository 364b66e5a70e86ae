"""Monitor: how does a fine-tune go, and what is wrong with it? A training here, the sample's, or a log of one's own."""

from typing import NoReturn

import streamlit as st

from lib import runs
from lib.errors import InputError
from lib.ui.chosen import Chosen
from lib.ui.encoder_choice import EncoderChoice
from lib.ui.finetune import monitor_log, monitor_logs, monitor_run
from lib.ui.finetune.train_start import KIND
from lib.ui.messages import refuse
from lib.ui.runs import live
from lib.ui.runs.choice import HARMFUL, SAMPLE, UPLOAD, choose_run, look_at

_PLACES = (SAMPLE, HARMFUL, UPLOAD)
_LINE = """from lib.finetune.monitor import Monitor

trainer = SentenceTransformerTrainer(..., callbacks=[Monitor("events.jsonl")])"""


def show(chosen: Chosen) -> EncoderChoice:
    """Draw the view, which needs neither an encoder nor texts."""
    _watch()
    return chosen.encoder


def _watch() -> None:
    try:
        chosen = choose_run(KIND, _PLACES, label="Training", what="Trainings")
    except InputError as fault:
        _refuse(fault)
    if chosen == UPLOAD:
        _upload()
    elif isinstance(chosen, str):
        monitor_run.sample(chosen)
    else:
        runs.advance(chosen.root)
        fares = runs.status(chosen)
        monitor_run.head(chosen, fares)
        if fares.ended or fares.state == "new":
            monitor_run.ended(chosen, fares)
        else:
            live.follow(monitor_run.look, chosen)
    with st.expander("Watch a training of your own, as it runs anywhere", icon=":material/code:"):
        st.markdown("One line adds the Monitor to a trainer of sentence-transformers; upload here what it writes:")
        st.code(_LINE, language="python")
        st.caption(
            "It measures both similarities from the embeddings that the loss computes anyway, and gradients before "
            "they are clipped; no second pass, nothing is sent anywhere. Logs that transformers (trainer_state.json) "
            "or TensorBoard wrote load too, with what they have."
        )


def _upload() -> None:
    st.subheader("How did your training go?", anchor=False)
    watched = monitor_logs.uploaded()
    if watched is None:
        st.info(
            "Upload the log of a training: events.jsonl, as the Monitor writes it; trainer_state.json out of a "
            "checkpoint of transformers' Trainer; a TensorBoard event file; or the CSV of an evaluator.",
            icon=":material/upload:",
        )
        return
    monitor_log.facts(watched.log)
    monitor_log.show(watched, name="upload")


def _refuse(why: object) -> NoReturn:
    """Say why there is nothing to look at, and end the page."""
    refuse(why)
    st.button(
        "Show the sample instead", key="monitor_sample", on_click=look_at, args=(SAMPLE,), icon=":material/article:"
    )
    st.stop()
