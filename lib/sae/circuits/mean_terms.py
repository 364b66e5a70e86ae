"""Means of what was measured in several texts, each with its 95 % interval (Student's t, each column by itself)."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

LEVEL = 0.95


class Mean(NamedTuple):
    """Of p columns."""

    mean: NDArray[np.float64]
    """Shape (p,)."""
    low: NDArray[np.float64]
    """Lower end of the interval, shape (p,); NaN where there is but one text."""
    high: NDArray[np.float64]
    """Upper end."""

    @property
    def sure(self) -> NDArray[np.bool_]:
        """Whether 0 lies outside the interval, shape (p,); False where there is none."""
        return (self.low > 0) | (self.high < 0)


def mean_of(values: NDArray[np.float64]) -> Mean:
    """The mean over the rows of `values`, shape (b, p), b at least 1."""
    return _around(values.mean(axis=0), _error(values), np.full(values.shape[1], len(values) - 1.0))


def difference_of(values: NDArray[np.float64], others: NDArray[np.float64]) -> Mean:
    """The mean over the rows of `values`, shape (b, p), less that over the rows of `others`, shape (c, p) (Welch)."""
    a, b = _error(values), _error(others)
    with np.errstate(invalid="ignore", divide="ignore"):
        freedom = (a**2 + b**2) ** 2 / (a**4 / (len(values) - 1) + b**4 / (len(others) - 1))
    freedom = np.where((a == 0) & (b == 0), np.inf, freedom)  # no spread at all
    return _around(values.mean(axis=0) - others.mean(axis=0), np.hypot(a, b), freedom)


def _error(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Standard errors of the means; NaN with one row."""
    if len(values) < 2:
        return np.full(values.shape[1], np.nan)
    found: NDArray[np.float64] = values.std(axis=0, ddof=1) / np.sqrt(len(values))
    return found


def _around(mean: NDArray[np.float64], error: NDArray[np.float64], freedom: NDArray[np.float64]) -> Mean:
    from scipy.special import stdtrit

    half = stdtrit(freedom, (1 + LEVEL) / 2) * error
    return Mean(mean, mean - half, mean + half)
