"""What the events of a training say of it: the curves so far, how fast it goes, and how much is left."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lib.results import Result

_CURVES = ("samples", "loss", "fvu", "mean_active", "dead_share", "learning_rate")


@dataclass(frozen=True, eq=False)
class TrainingLog(Result):
    """A training so far: one point an evaluation, e of them, those left out that a resumption did over again."""

    samples: NDArray[np.float64]
    """Training texts seen, each as often as it was seen, shape (e,), ascending."""
    loss: NDArray[np.float64]
    """Mean squared error of the whole dictionary on training texts as a share of their variance, shape (e,)."""
    fvu: NDArray[np.float64]
    """Fraction of variance unexplained on held-out texts, shape (e,), 0 is perfect."""
    mean_active: NDArray[np.float64]
    """Features that fire on a held-out text, on average, shape (e,)."""
    dead_share: NDArray[np.float64]
    """Share of the features that have not fired lately, shape (e,), 0 to 1."""
    learning_rate: NDArray[np.float64]
    """Shape (e,)."""
    resumed: NDArray[np.float64]
    """Texts that had been seen when it was resumed, one number a resumption."""
    step: int
    """Steps done, as far as they are told."""
    steps: int
    """Steps planned; 0 before the first evaluation."""
    samples_per_second: float
    """Of late; NaN before it is known."""
    seconds_left: float
    """If it goes on at that rate to its last step; NaN before it is known."""
    doing: str | None
    """What it does before its first evaluation, in a few words."""
    k: int | None
    """Features that are to fire on a text; None before it is known."""


def read_log(events: Iterable[Mapping[str, Any]]) -> TrainingLog:
    """The log of a training from its events, in their order; an event of another kind is passed over."""
    points: list[Mapping[str, Any]] = []
    resumed: list[float] = []
    doing, k, resumes = None, None, False
    for event in events:
        kind = event.get("event")
        if kind == "doing":
            doing = str(event.get("what"))
        elif kind == "begin":
            k, resumes = event.get("k"), bool(event.get("resumes"))
        elif kind == "evaluation":
            while points and points[-1].get("step", 0) >= event.get("step", 0):
                points.pop()
            if resumes:
                resumed.append(_number(points[-1].get("samples")) if points else 0.0)
                resumes = False
            points.append(event)
    last: Mapping[str, Any] = points[-1] if points else {}
    curves = {name: np.array([_number(point.get(name)) for point in points], dtype=np.float64) for name in _CURVES}
    return TrainingLog(
        **curves,
        resumed=np.array(resumed, dtype=np.float64),
        step=int(last.get("step", 0)),
        steps=int(last.get("steps", 0)),
        samples_per_second=_number(last.get("samples_per_second")),
        seconds_left=_number(last.get("seconds_left")),
        doing=doing,
        k=k,
    )


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else float("nan")
