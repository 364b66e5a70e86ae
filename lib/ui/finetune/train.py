"""Train: an encoder tuned on pairs of your own. Begins a training; the Monitor watches it."""

import streamlit as st

from lib.encoders import Checkpoint
from lib.errors import InputError
from lib.finetune.suggestion import ENOUGH, FEW, LEAST, Material
from lib.runs import RunLimits
from lib.ui.chosen import Chosen
from lib.ui.encoder_choice import EncoderChoice
from lib.ui.finetune import train_data, train_form, train_start
from lib.ui.finetune.monitor_run import watch
from lib.ui.messages import count, counted, plain, refuse, tell
from lib.ui.runs import starting
from lib.ui.runs.choice import token
from lib.ui.workspace import opened


def show(chosen: Chosen) -> EncoderChoice:
    """Draw the view, which needs no texts but those that are learnt from."""
    st.subheader("What should this encoder learn to bring together?", anchor=False)
    _prepare(_tunable(opened(chosen.encoder)))
    return chosen.encoder


def _prepare(checkpoint: Checkpoint) -> None:
    st.markdown(
        f"**{plain(checkpoint.source)}** is the base, as chosen in the sidebar. It is trained to put each query beside "
        "the document that answers it, and away from others. The queries of a part are held out: on them it is "
        "measured before, meanwhile and after. What you get is a checkpoint of your own, which every page opens, and "
        "which the other tabs hold against the base."
    )
    data = train_data.choose()
    if data is None:
        starting.tell_of_unfinished(watch, kind=train_start.KIND, token=token(), prefix="tune")
        return
    if data.material.pairs >= LEAST:  # of fewer the check below says that they are too few
        _say_how_many(data.material)
    advice, changed = train_start.advice(checkpoint, data.material)
    tell([changed] if changed else [])
    settings = train_form.settings(checkpoint, advice)
    try:
        seconds = train_start.check(checkpoint, data.material, settings, RunLimits.from_environment())
    except InputError as fault:
        refuse(fault)
        return
    train_form.say_what(settings, data.material, seconds)
    starting.offer(
        lambda: train_start.begin(checkpoint, data, settings, token=token(), seconds=seconds),
        watch, kind=train_start.KIND, token=token(), prefix="tune",
    )  # fmt: skip


def _tunable(checkpoint: Checkpoint) -> Checkpoint:
    """The encoder, if it can be tuned here.

    Raises:
        InputError: it has no layers.
    """
    if checkpoint.kind == "static":
        raise InputError(
            f"{checkpoint.source} adds up token vectors and has no layers that could be adapted: choose a transformer "
            "in the sidebar, such as the packaged one."
        )
    if checkpoint.prompts.source == "edited":
        tell(["The prompts edited in the sidebar are not used here: it is trained with those of its own files."])
    return checkpoint


def _say_how_many(material: Material) -> None:
    pairs = counted(material.pairs, "pair")
    rule = (
        f"Practice names {count(FEW)} to {count(ENOUGH)} good pairs as the least from which a fine-tune improves on "
        "its base."
    )
    if material.pairs < FEW:
        st.warning(
            f"**{pairs} are few.** {rule} With these, expect little gain, and perhaps a loss on everything else: "
            "look at the other tabs afterwards. To see how training goes, go on.",
            icon=":material/warning:",
        )
    elif material.pairs < ENOUGH:
        st.info(f"{rule} {pairs} are in between; more is better.", icon=":material/info:")
    else:
        st.info(f"{rule} {pairs} are enough to hope for one.", icon=":material/info:")
