"""Logs that the Monitor reads: of a run, of the sample, or an uploaded one. Read once for all who look."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from lib import runs
from lib.charts import finetune_monitor as charts
from lib.corpora import Limits
from lib.corpora.samples import SAMPLE_FOLDER
from lib.errors import InputError
from lib.finetune.monitor import Findings, FinetuneLog, findings, read_log, read_upload
from lib.runs import Run
from lib.runs.events import FILE
from lib.ui import resources
from lib.ui.remembered import remembered
from lib.ui.runs.choice import HARMFUL, SAMPLE

if TYPE_CHECKING:
    import plotly.graph_objects as go

FOLDER = SAMPLE_FOLDER / "finetune"
"""Where the runs lie that the packaged fine-tunes came from."""
SAMPLES = {SAMPLE: "medical", HARMFUL: "harmful"}
"""Their folders, by what stands for them in the choice of a run."""
_KEPT = "monitor"


@dataclass(frozen=True, eq=False)
class Watched:
    """A log, and what in it deserves a look."""

    log: FinetuneLog
    """What a training told of itself."""
    found: Findings
    """What is wrong with it, if anything."""

    @cached_property
    def figures(self) -> "dict[str, go.Figure]":
        """What can be drawn of it, drawn once for all who look: pairs, learning, gradients_adapter, ..., pace."""
        log, made = self.log, {}
        if log.has_pairs:
            made["pairs"] = charts.pairs(log, self.found)
        if np.isfinite(log.loss).any() or len(log.evaluation_step):
            made["learning"] = charts.learning(log)
        for side in log.sides:
            made[f"gradients_{side}"] = charts.gradients(log, self.found, side=side)
        if np.isfinite(log.learning_rate).any() or np.isfinite(log.samples_per_second).any():
            made["pace"] = charts.pace(log)
        return made


def of_run(run: Run) -> Watched:
    """What the events of a run say so far."""
    return _read(str(run.event_file), _state(run.event_file))


def of_sample(name: str) -> Watched:
    """The log of a packaged fine-tune, by its name in `SAMPLES`.

    Raises:
        InputError: it did not come with the installation.
    """
    path = FOLDER / SAMPLES[name] / FILE
    if not path.is_file():
        raise InputError("The sample's log is missing: sample_data/finetune must come with the installation.")
    return _read(str(path), _state(path))


def uploaded() -> Watched | None:
    """Draw the uploader; the log in the file, None as long as there is none.

    Raises:
        InputError: what is wrong with the file.
    """
    file = st.file_uploader(
        "Log of a training", key="monitor_file",
        max_upload_size=max(1, Limits.from_environment().max_bytes // 2**20),
        help="events.jsonl, trainer_state.json, a TensorBoard event file (events.out.tfevents...), or an evaluator's "
        "CSV. It stays in this session.",
    )  # fmt: skip
    if file is None:
        return None
    read: Watched = remembered(_KEPT, "log", file.file_id, lambda: _watched(read_upload(file.name, file.getvalue())))
    return read


@st.cache_resource(max_entries=8, ttl=resources.HOUR, show_spinner=False)
def _read(path: str, state: tuple[int, int]) -> Watched:
    return _watched(read_log(runs.all_events(Path(path))))


def _watched(log: FinetuneLog) -> Watched:
    return Watched(log, findings(log))


def _state(path: Path) -> tuple[int, int]:
    """Size and time of a file, which change as it is written to."""
    try:
        found = path.stat()
    except FileNotFoundError:  # not written yet
        return 0, 0
    return found.st_size, found.st_mtime_ns
