"""Collapse: negatives that closed in on positives until little of the gap was left, or all texts became as one."""

import numpy as np
from numpy.typing import NDArray

from lib.finetune.monitor.curves import Curves, what_moved
from lib.finetune.monitor.finding import NOTE, WARNING, Finding
from lib.finetune.monitor.smoothing import median_about, noise, running_median, stretches
from lib.numerals import count

_LEFT = 0.25  # share of the gap that a collapse leaves, at most
_RISEN = 0.1  # cosine that negatives rose by, at least
_LEAST_GAP = 0.05  # cosine that there must be to lose
_ALIKE = 0.95  # cosine of negatives from which all texts are as one
_HARDLY = 0.02  # cosine that is hardly a gap
_SURE = 5.0  # standard errors
_WHOLE = 0.9  # share of the highest gap that there was until it began
_SUSTAINED = 3  # steps
_OF_A_MEDIAN = np.pi / 2  # variance of a median over that of a mean

COLLAPSE_RULE = (
    f"The running median of the gap is at most {_LEFT:.0%} of its highest until then, while that of the negatives is "
    f"at least {_RISEN} higher than it was there, both by {_SURE:.0f} standard errors with the noise from step to step "
    f"taken into account; or negatives rose to {_ALIKE} and more, with hardly a gap ({_HARDLY}). A warning as long as "
    "less than half of the fall has been made good."
)


def collapses(curves: Curves) -> list[Finding]:
    """Where negatives closed in on positives; those with next to nothing between them are one."""
    about = median_about(curves.gap, curves.window)
    highest = np.maximum.accumulate(running_median(curves.gap, curves.window))
    spans: list[tuple[int, int, int]] = []
    for first, last in stretches(_lost(curves), least=_SUSTAINED):
        before = np.flatnonzero(about[: first + 1] >= _WHOLE * highest[first])
        begins = int(before[-1]) if len(before) else first
        if spans and (begins <= spans[-1][2] or first - spans[-1][2] <= 2 * curves.window):
            spans[-1] = (*spans[-1][:2], last)
        else:
            spans.append((begins, first, last))
    return [_collapse(curves, about, span) for span in spans]


def _lost(curves: Curves) -> NDArray[np.bool_]:
    """The steps at which the rule holds, shape (n,)."""
    gap, negative = (running_median(values, curves.window) for values in (curves.gap, curves.negative))
    highest = np.maximum.accumulate(gap)
    sure = _SURE * np.sqrt(2 * _OF_A_MEDIAN / curves.window)
    rise = max(_RISEN, sure * noise(curves.negative))
    fallen = (gap <= _LEFT * highest) & (highest - gap > sure * noise(curves.gap)) & (highest >= _LEAST_GAP)
    closed = fallen & (negative >= negative[_places_of_highest(gap)] + rise)
    alike = (negative >= _ALIKE) & (negative >= np.minimum.accumulate(negative) + rise)
    found: NDArray[np.bool_] = closed | (alike & (gap <= np.maximum(_HARDLY, _LEFT * highest)))
    return found


def _collapse(curves: Curves, about: NDArray[np.float64], span: tuple[int, int, int]) -> Finding:
    begins, first, last = span
    low = first + int(np.argmin(about[first : last + 1]))
    recovered = float(np.max(about[low:]) - about[low])
    over = last < len(about) - 1 and recovered >= (about[begins] - about[low]) / 2
    says = (
        f"Negatives closed in on positives: the gap fell from {about[begins]:.3f} at step "
        f"{count(curves.step[begins])} to {about[low]:.3f} at step {count(curves.step[low])}: "
        f"{what_moved(curves, begins, low)}. "
    )
    says += (
        f"It has widened again since, by {recovered:.3f}."
        if over
        else "All texts become alike: stop, try a lower learning rate, and see whether the pairs do belong together."
    )
    steps = int(curves.step[begins]), int(curves.step[last])
    return Finding("collapse", NOTE if over else WARNING, None, None, *steps, says, COLLAPSE_RULE)


def _places_of_highest(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """For each place that of the highest value until then."""
    new = np.concatenate([[True], values[1:] > np.maximum.accumulate(values)[:-1]])
    return np.maximum.accumulate(np.where(new, np.arange(len(values)), 0))
