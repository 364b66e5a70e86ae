"""A training as it goes: its state, its curves, how long it will still take, and the button that stops it."""

import streamlit as st

from lib import runs
from lib.charts import sae_train as charts
from lib.runs import Run, Status
from lib.sae.training_log import TrainingLog, read_log
from lib.ui import downloads
from lib.ui.layout import number
from lib.ui.messages import count, counted, plain, share
from lib.ui.runs import live

_GAP = 0.1  # between both errors, from which on it is said


def head(run: Run, fares: Status) -> None:
    """What is trained, and how it fares."""
    live.head(
        fares,
        f"{plain(run.title)} · {counted(int(run.about.get('texts', 0)), 'text')} · "
        f"{plain(run.about.get('encoder') or 'embeddings of your own')} · found again at this page's address with "
        f"`view=Train&run={run.id}`",
    )


def follow(run: Run) -> None:
    """Look every two seconds until it has ended."""
    live.follow(_look, run)


def curves(run: Run) -> None:
    """The curves, and how to read them."""
    log = log_of(run)
    if not len(log.samples):
        st.caption("There are no figures yet.")
        return
    downloads.picture(
        charts.curves(log),
        key="train_curves",
        about="How loss and dead features went during training.",
    )
    st.caption(_reading(log))


def log_of(run: Run) -> TrainingLog:
    """What its events say."""
    return read_log(runs.events(run.event_file)[0])


def _look(run: Run, fares: Status) -> None:
    log = log_of(run)
    live.doing(run, fares, working=_working(log), key="train_stop")
    if log.steps:
        st.progress(min(log.step / log.steps, 1.0), text=f"Step {count(log.step)} of at most {count(log.steps)}")
    _numbers(log)
    curves(run)


def _working(log: TrainingLog) -> str:
    if log.doing and log.step >= log.steps:
        return f"Now {plain(log.doing)}."
    if not log.steps:
        return "Libraries are loaded and vectors read; the first figures come in some seconds."
    if log.seconds_left != log.seconds_left:  # NaN
        return "It trains."
    return f"It trains; at most about **{live.length(log.seconds_left)}** left at this rate, less if it gains no more."


def _numbers(log: TrainingLog) -> None:
    if not len(log.samples):
        return
    with st.container(horizontal=True, gap="small"):
        number(
            "Held-out FVU",
            f"{log.fvu[-1]:.3f}",
            "Share of the held-out texts' variance that is not explained: 0 is perfect, 1 no better than their mean.",
        )
        number("Active a text", f"{log.mean_active[-1]:.1f}", "Features that fire on a held-out text, on average.")
        number("Dead", share(log.dead_share[-1]), "Share of the features that have not fired lately.")
        number("Texts seen", count(int(log.samples[-1])), "Each as often as it was seen.")
        if log.samples_per_second == log.samples_per_second:
            number("Texts a second", count(int(log.samples_per_second)), "Of late, on this machine.")


def _reading(log: TrainingLog) -> str:
    learnt_by_heart = (
        "Here the held-out one stays well above the other: the dictionary learns these very texts by heart; fewer "
        "features, or more texts, would carry over better. "
        if log.fvu[-1] - log.loss[-1] > _GAP
        else ""
    )
    resumed = " Dotted lines: where it was resumed." if len(log.resumed) else ""
    return (
        "Both errors are those of the whole dictionary and should fall together, much of it in the second half, while "
        f"the learning rate falls. {learnt_by_heart}The diamond marks the lowest held-out error, the dashed "
        f"line the k that was asked for.{resumed} A low error with many dead features is no good dictionary, and a low "
        "error alone does not say that its features can be read."
    )
