"""The gap between positive and negative pairs: whether it widens, where it narrows, and whether it collapsed."""

import numpy as np
from numpy.typing import NDArray

from lib.finetune.monitor.collapse import collapses
from lib.finetune.monitor.curves import Curves, curves_of, what_moved
from lib.finetune.monitor.finding import NOTE, WARNING, Finding
from lib.finetune.monitor.log import FinetuneLog
from lib.finetune.monitor.smoothing import median_about, noise, slopes, stretches
from lib.numerals import count

_SHORTEST = 10  # steps a slope is fitted to, at least
_SURE = 5.0  # standard errors that a fall must have
_LEAST_FALL = 0.02  # cosine
_LEAST_SHARE = 0.1  # of the highest gap until then
_FEW = 6
_TOLD_FROM = 3.0  # standard errors from which the first and last steps differ
_LEAST_CHANGE = 0.01  # cosine

TREND_RULE = (
    f"The mean gap of the last tenth of the steps less that of the first tenth: a change of more than "
    f"{_TOLD_FROM:.0f} standard errors and {_LEAST_CHANGE} is told, less is steady; fewer than {_FEW} steps tell "
    "nothing."
)
NARROWING_RULE = (
    f"A line through {_SHORTEST} or more steps falls by at least {_LEAST_FALL} and {_LEAST_SHARE:.0%} of the highest "
    f"gap until then, and by {_SURE:.0f} standard errors of its slope, with the noise from step to step taken into "
    "account; a warning as long as less than half of the fall has been made good."
)


def trend(log: FinetuneLog) -> tuple[str, str]:
    """Where the gap went over the whole run so far, as a code and as a sentence."""
    curves = curves_of(log)
    n = len(curves.step)
    if n < _FEW:
        told = "The log does not tell how similar pairs are" if not n else "There are too few steps yet"
        return "cannot be told", f"{told}: whether the gap between positive and negative pairs widens cannot be told."
    w = max(3, n // 10)
    ends = curves.gap[:w], curves.gap[-w:]
    first, last = (float(end.mean()) for end in ends)
    error = float(np.sqrt(max(2 * noise(curves.gap) ** 2, sum(end.var(ddof=1) for end in ends)) / w))
    sure = abs(last - first) > max(_TOLD_FROM * error, _LEAST_CHANGE)
    code = "steady" if not sure else "widening" if last > first else "narrowing"
    verb = {"steady": "is steady", "widening": "widened", "narrowing": "narrowed"}[code]
    return code, (
        f"The gap between positive and negative pairs {verb}: {first:.3f} in the first {w} steps, {last:.3f} in the "
        f"last {w} (standard error of the difference {error:.3f})."
    )


def gap_findings(log: FinetuneLog) -> list[Finding]:
    """Stretches in which the gap narrowed, or collapsed; the latter stands for those of the former within it."""
    curves = curves_of(log)
    if len(curves.step) < _SHORTEST:
        return []
    collapsed = collapses(curves)
    narrowed = [
        found
        for found in _narrowings(curves)
        if not any(c.first_step <= found.last_step and found.first_step <= c.last_step for c in collapsed)
    ]
    return collapsed + narrowed


def _narrowings(curves: Curves) -> list[Finding]:
    n, jitter = len(curves.step), noise(curves.gap)
    smooth = median_about(curves.gap, curves.window)
    highest = np.maximum.accumulate(np.maximum(smooth, 0.0))
    falling = np.zeros(n, dtype=np.bool_)
    length = _SHORTEST
    while length <= n:
        slope, about = slopes(curves.gap, length)
        error = np.maximum(about, jitter) * np.sqrt(12 / (length * (length**2 - 1.0)))
        fall = -slope * (length - 1)
        enough = np.maximum(_LEAST_FALL, _LEAST_SHARE * highest[length - 1 :])
        for start in np.flatnonzero((fall >= enough) & (-slope > _SURE * error)):
            falling[start : start + length] = True
        length = min(2 * length, n) if length < n else n + 1
    return [_narrowing(curves, smooth, first, last) for first, last in stretches(falling)]


def _narrowing(curves: Curves, smooth: NDArray[np.float64], first: int, last: int) -> Finding:
    top = first + int(np.argmax(smooth[first : last + 1]))
    low = top + int(np.argmin(smooth[top : last + 1]))
    fall = smooth[top] - smooth[low]
    recovered = float(np.max(smooth[low:])) - smooth[low]
    over = recovered >= fall / 2
    return Finding(
        "narrowing", NOTE if over else WARNING, None, None, int(curves.step[top]), int(curves.step[low]),
        f"The gap between positive and negative pairs narrowed from {smooth[top]:.3f} at step "
        f"{count(curves.step[top])} to {smooth[low]:.3f} at step {count(curves.step[low])}: "
        + what_moved(curves, top, low)
        + (f"; since then it has widened again, by {recovered:.3f}." if over else "."),
        NARROWING_RULE,
    )  # fmt: skip
