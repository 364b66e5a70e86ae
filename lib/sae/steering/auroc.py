"""AUROC with an interval: how well one number tells the texts on which a feature fires from the silent ones.

AUROC is the chance that a firing text has a higher value than a silent one, ties counting half. Its interval is that
of DeLong et al. (1988, Biometrics 44), on the logit scale so that it stays between 0 and 1. Where the two groups do not
overlap at all DeLong's variance is 0, which is no certainty: there the error of Hanley and McNeil (1982) is taken, at
an AUROC drawn a little towards a half.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.errors import InputError
from lib.results import Result
from lib.sae.labels.scores import standard_error

_Z = 1.959964


@dataclass(frozen=True)
class Auroc(Result):
    """An AUROC and its 95 % interval."""

    value: float
    """0 to 1; .5 is chance."""
    low: float
    """Lower end of the interval."""
    high: float
    """Its upper end."""
    positives: int
    """Texts on which the feature fires."""
    negatives: int
    """Silent ones."""


def auroc_with_interval(values: NDArray[np.floating], positive: NDArray[np.bool_]) -> Auroc:
    """The AUROC of `values` (n,) for the `positive` (n,) ones, with its interval.

    Raises:
        InputError: fewer than two of either kind.
    """
    above, below = placements(values, positive)
    m, n = len(above), len(below)
    if min(m, n) < 2:
        raise InputError(f"An interval needs two texts of either kind, got {m} firing and {n} silent ones.")
    value = float(above.mean())
    variance = above.var(ddof=1) / m + below.var(ddof=1) / n
    if variance > 0 and 0 < value < 1:
        centre, reach = np.log(value / (1 - value)), _Z * np.sqrt(variance) / (value * (1 - value))
        low, high = (1 / (1 + np.exp(-np.clip(centre + side * reach, -700, 700))) for side in (-1, 1))
    else:
        reach = _Z * standard_error(value, m, n)
        low, high = max(0.0, value - reach), min(1.0, value + reach)
    return Auroc(value, float(low), float(high), m, n)


def auroc(values: NDArray[np.floating], positive: NDArray[np.bool_]) -> float:
    """The AUROC alone; NaN where either kind is missing."""
    return auroc_of_parts(values[positive], values[~positive])


def auroc_of_parts(firing: NDArray[np.floating], silent: NDArray[np.floating]) -> float:
    """The AUROC of two groups of values; NaN where either is empty. The smaller one is looked up in the larger."""
    if not len(firing) or not len(silent):
        return float("nan")
    if len(firing) <= len(silent):
        return float(_below(np.sort(firing), silent).mean())  # sorted ones are found faster
    return float(1 - _below(np.sort(silent), firing).mean())


def placements(
    values: NDArray[np.floating], positive: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Share of the others that each positive is above (m,), and that each negative is below (n,), ties half."""
    firing, silent = values[positive], values[~positive]
    return _below(firing, silent), 1 - _below(silent, firing)


def _below(values: NDArray[np.floating], others: NDArray[np.floating]) -> NDArray[np.float64]:
    """Share of `others` below each of `values`, ties half."""
    order = np.sort(others)
    left, right = np.searchsorted(order, values, "left"), np.searchsorted(order, values, "right")
    return (left + right) / (2 * max(1, len(others)))
