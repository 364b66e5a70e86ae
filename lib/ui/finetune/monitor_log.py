"""The log of a training on screen: its numbers, what deserves a look, its pictures, and how to read them."""

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from lib.charts import finetune_monitor as charts
from lib.finetune.monitor import Finding, Findings, FinetuneLog
from lib.numerals import short_share, spelt
from lib.ui import downloads
from lib.ui.downloads import offer_result, offer_table
from lib.ui.finetune import monitor_words as words
from lib.ui.finetune.monitor_logs import Watched
from lib.ui.layout import number
from lib.ui.messages import count, plain, tell
from lib.ui.runs.live import length

_LATEST = 20  # steps whose median is shown: single ones are noisy
_SHOWN = 6  # findings before the rest is folded away
_COLUMNS = (
    "epoch", "loss", "positive", "negative", "hardest", "gap", "learning_rate", "grad_norm", "samples_per_second",
    "seconds", "monitor_seconds",
)  # fmt: skip
_SOURCES = {
    "sentence-transformers": "read from a log of transformers' Trainer",
    "tensorboard": "read from a log of TensorBoard",
    "evaluation table": "read from a log of an evaluator",
}
_METHODS = {"lora": "LoRA adapter", "full": "all weights"}
_ABOUT = {
    "pairs": "How similar positive and negative pairs are, step by step, and the gap between them.",
    "learning": "How the loss went, step by step, and the metric on queries held out.",
    "gradients_adapter": "How large the adapter's gradients are, layer by layer and step by step.",
    "gradients_base": "How large the gradients of the base's weights are, layer by layer and step by step.",
    "pace": "The learning rate, step by step, and how many examples a second were learned from.",
}


def facts(log: FinetuneLog) -> None:
    """What is trained on what, as far as the log says."""
    told = [
        plain(log.encoder) if log.encoder else None,
        f"on {plain(log.data)}" if log.data else None,
        _METHODS.get(log.method or "", plain(log.method or "")) or None,
        f"loss {plain(log.loss_name)}" if log.loss_name else None,
        f"{count(log.trainable)} of {count(log.parameters)} numbers trained"
        if log.trainable and log.parameters
        else None,
        f"{count(log.batch)} pairs a step" if log.batch else None,
        _SOURCES.get(log.source),
    ]
    st.caption(" · ".join(part for part in told if part))


def show(watched: Watched, *, name: str, live: bool = False, judged: bool = False) -> None:
    """Draw all of a log; `name` is that of its downloads, which are not offered of one that is `live`.

    What queries held out say is left out of the numbers where it is `judged` already.
    """
    log, found = watched.log, watched.found
    tell(log.notices)
    if not len(log.step) and not len(log.evaluation_step):
        st.caption("There are no figures yet.")
        return
    numbers(log, judged=judged)
    _findings(found, log)
    readings = _readings(log)
    for key, figure in watched.figures.items():
        downloads.picture(
            figure, key=f"monitor_{key}", name=f"finetune_{name}_{key}", about=_ABOUT[key], offered=not live
        )
        st.caption(readings[key])
    thinned = charts.thinning(log)
    if thinned:
        tell([thinned])
    if not live:
        _downloads(watched, name)


def numbers(log: FinetuneLog, *, judged: bool = False) -> None:
    """Where it stands."""
    with st.container(horizontal=True, gap="small"):
        if np.isfinite(log.loss).any():
            number("Loss", _three(_lately(log.loss)), f"Median of the last {_LATEST} steps. Its height depends on the "
                   "loss, the batch and the negatives: compare it with itself alone.")  # fmt: skip
        if log.has_pairs:
            number("Positive pairs", _three(_lately(log.positive)), "Mean cosine similarity of texts that belong "
                   f"together: median of the last {_LATEST} steps; from -1 to 1.")  # fmt: skip
            number("Negative pairs", _three(_lately(log.negative)), "The same of texts that do not.")
            number("Gap", _three(_lately(log.gap)), f"Positive less negative; it began at {_three(_first(log.gap))}. "
                   "Widening is healthy.")  # fmt: skip
        if log.metric is not None and not judged:
            values = log.metrics[log.metric]
            number(_metric(log.metric), _three(_first(values)) + " → " + _three(_at_best(log)), "On queries held out: "
                   "at the first evaluation, and at the best, which is the one that is kept.", wide=True)  # fmt: skip
        if np.isfinite(log.seconds).any():
            number("A step takes", f"{_lately(log.seconds):.2g} s", f"Median of the last {_LATEST} steps, here.")
        if np.isfinite(log.monitor_share):
            number(
                "Monitor's share", short_share(log.monitor_share), "Of a step's time that watching it costs; median."
            )


def progress(log: FinetuneLog) -> None:
    """How far it is."""
    if log.steps:
        left = f", about {length(log.seconds_left)} left" if np.isfinite(log.seconds_left) and log.last else ""
        st.progress(min(log.last / log.steps, 1.0), text=f"Step {count(log.last)} of at most {count(log.steps)}{left}")


def _findings(found: Findings, log: FinetuneLog) -> None:
    """What deserves a look, in words with the step; that nothing does is said too."""
    st.markdown(f"**What deserves a look?** {plain(found.gap_sentence)}", help=plain(found.gap_rule))
    if not found.items:
        st.caption(f":material/check_circle: {words.nothing_found(log)}")
    for item in found.items[:_SHOWN]:
        _finding(item)
    if len(found.items) > _SHOWN:
        with st.expander(f"{len(found.items) - _SHOWN} more"):
            for item in found.items[_SHOWN:]:
                _finding(item)


def _finding(item: Finding) -> None:
    sign = ":orange[:material/warning:]" if item.severity == "warning" else ":material/info:"
    st.markdown(f"{sign} {plain(item.sentence)}", help=plain(item.rule))


def _readings(log: FinetuneLog) -> dict[str, str]:
    """How to read each figure."""
    return {
        "pairs": words.of_pairs(log),
        "learning": words.of_learning(log),
        "gradients_adapter": words.of_gradients("adapter"),
        "gradients_base": words.of_gradients("base"),
        "pace": words.of_pace(log),
    }


def _downloads(watched: Watched, name: str) -> None:
    log = watched.log
    with st.expander("The numbers, and downloads"):
        table = pd.DataFrame({"step": log.step} | {curve: getattr(log, curve) for curve in _COLUMNS})
        table = table.dropna(axis="columns", how="all")
        st.dataframe(table, hide_index=True, height=240)
        offer_table(table, name=f"finetune_{name}")
        with st.container(horizontal=True):
            offer_result(log, name=f"finetune_{name}_log", label="Log as JSON")
            offer_result(watched.found, name=f"finetune_{name}_findings", label="Findings as JSON")


def _metric(name: str) -> str:
    return plain(spelt(name))


def _lately(values: NDArray[np.float64]) -> float:
    told = values[np.isfinite(values)][-_LATEST:]
    return float(np.median(told)) if len(told) else float("nan")


def _first(values: NDArray[np.float64]) -> float:
    told = values[np.isfinite(values)]
    return float(told[0]) if len(told) else float("nan")


def _at_best(log: FinetuneLog) -> float:
    values = log.metrics[log.metric][log.evaluation_step == log.best] if log.metric else log.loss[:0]
    return float(values[0]) if len(values) else float("nan")


def _three(value: float) -> str:
    return "–" if value != value else f"{value:.3f}"
