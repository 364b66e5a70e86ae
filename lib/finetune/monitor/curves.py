"""Curves: the steps of a log that tell of pairs, and which of the two similarities moved between two of them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.finetune.monitor.log import FinetuneLog
from lib.finetune.monitor.smoothing import median_about


@dataclass(frozen=True)
class Curves:
    """The n steps that tell of pairs, each array of shape (n,)."""

    step: NDArray[np.int64]
    """Number of each."""
    gap: NDArray[np.float64]
    """Positive less negative, cosine."""
    positive: NDArray[np.float64]
    """Mean cosine of positive pairs."""
    negative: NDArray[np.float64]
    """Mean cosine of negative pairs."""

    @property
    def window(self) -> int:
        """Steps that a running median takes in."""
        return int(np.clip(len(self.step) // 50, 5, 50))


def curves_of(log: FinetuneLog) -> Curves:
    """What a log tells of pairs; nothing, of length 0, where it tells nothing."""
    told = np.isfinite(log.gap)
    return Curves(log.step[told], log.gap[told], log.positive[told], log.negative[told])


def what_moved(curves: Curves, first: int, last: int) -> str:
    """By how much negatives and positives changed from one place to another, by running medians."""
    changes = []
    for name, values in (("negatives", curves.negative), ("positives", curves.positive)):
        smooth = median_about(values, curves.window)
        change = float(smooth[last] - smooth[first])
        changes.append(f"{name} {'rose' if change > 0 else 'fell'} by {abs(change):.3f}")
    return ", ".join(changes)
