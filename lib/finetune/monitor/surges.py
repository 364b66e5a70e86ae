"""Surges: gradients that spiked for a step or a few, and such that grew out of all measure and stayed there."""

import numpy as np
from numpy.typing import NDArray

from lib.finetune.monitor.finding import Finding
from lib.finetune.monitor.sides import Side
from lib.finetune.monitor.smoothing import median_so_far, running_median, spread, stretches
from lib.numerals import count

_SPIKE = 5.0  # times the running median
_SPIKE_SDS = 6.0  # and more while few steps are known
_WINDOW, _AFTER = 50, 10
_EXPLODING = 20.0  # times the median until then
_EXPLODING_STEPS = 5
_EXPLODING_FROM = 0.1  # a tenth of the norm that trainers clip at: below that nothing is torn apart
_MOST_SPIKES = 30
_COUNTED = 10_000
_SEVERAL = 3  # layers at once that are told as one

SPIKE_RULE = (
    f"A gradient norm of at least {_SPIKE:.0f} times the median of the {_WINDOW} steps before it, and "
    f"{_SPIKE_SDS:.0f} robust standard deviations (from the median absolute deviation of logarithms) above it (twice "
    f"as many while the spread is known from {_AFTER} steps only); not told of the first {2 * _AFTER} steps, and of "
    f"the {_MOST_SPIKES} largest at most."
)
EXPLODING_RULE = (
    f"For at least {_EXPLODING_STEPS} steps the running median of a gradient norm is {_EXPLODING:.0f} times the "
    f"median of all steps before, at least twice what it was in the first {_AFTER}, and at least {_EXPLODING_FROM:g}."
)

Span = tuple[int, int, int]
"""First row, last row, place of the layer."""


def surges(side: Side) -> list[Finding]:
    """Explosions, and the spikes outside of them."""
    if len(side.step) <= _AFTER:
        return []
    exploding, within = _exploding(side)
    return exploding + _spikes(side, within)


def _exploding(side: Side) -> tuple[list[Finding], NDArray[np.bool_]]:
    """What explodes, and which steps and layers (s, l) lie within an explosion."""
    norms = side.norms
    smooth = running_median(norms, _EXPLODING_STEPS, least=1)
    before = median_so_far(norms, lag=_EXPLODING_STEPS, least=_AFTER)
    begun = np.fmax.reduce(smooth[:_AFTER], axis=0)
    grown = (smooth >= _EXPLODING * before) & (before > 0) & (smooth >= np.fmax(2 * begun, _EXPLODING_FROM))
    within = np.zeros(norms.shape, dtype=np.bool_)
    spans: list[Span] = []
    for place in range(norms.shape[1]):
        for first, _ in stretches(grown[:, place], least=_EXPLODING_STEPS):
            if within[first, place]:
                continue
            calm = np.flatnonzero(smooth[first:, place] < _SPIKE * before[first, place])
            start = max(0, first - _EXPLODING_STEPS // 2)
            last = first + int(calm[0]) - 1 if len(calm) else len(norms) - 1
            within[start : last + 1, place] = True
            spans.append((start, last, place))
    found = []
    for layer, first, last, grew in _together(side, spans, before):
        says = (
            f"exploded from step {count(side.step[first])} on: the norm grew to {_times(grew)} its median until then. "
            "Try a lower learning rate, a longer warm-up, or clip gradients."
        )
        found.append(side.finding("exploding", (first, last, layer), says=says, rule=EXPLODING_RULE))
    return found, within


def _spikes(side: Side, within: NDArray[np.bool_]) -> list[Finding]:
    logs = np.full(side.norms.shape, np.nan)
    np.log10(side.norms, out=logs, where=side.norms > 0)
    usual = _of_steps_before(running_median(logs, _WINDOW, least=_AFTER))
    width = _of_steps_before(spread(logs, _WINDOW, least=_AFTER))
    known = np.minimum(np.isfinite(logs).cumsum(axis=0) - _AFTER, _WINDOW)
    width = width * (1 + _AFTER / np.maximum(known, 1))
    high = (logs - usual > np.maximum(np.log10(_SPIKE), _SPIKE_SDS * width)) & ~within
    spans = [(first, last, place) for place in range(high.shape[1]) for first, last in stretches(high[:, place])]
    largest = sorted(_together(side, spans, 10**usual), key=lambda entry: -entry[3])[:_MOST_SPIKES]
    return [
        side.finding(
            "spike",
            (first, last, layer),
            says=f"spiked at step {count(side.step[first])}: {_times(grew)} the running median.",
            rule=SPIKE_RULE,
        )
        for layer, first, last, grew in largest
    ]


def _together(side: Side, spans: list[Span], usual: NDArray[np.float64]) -> list[tuple[str | None, int, int, float]]:
    """Spans as (layer, first, last, times what is usual); those of several layers at once become one."""
    groups: list[list[Span]] = []
    for span in sorted(spans):
        if groups and span[0] <= max(last for _, last, _ in groups[-1]) + 1:
            groups[-1].append(span)
        else:
            groups.append([span])
    found: list[tuple[str | None, int, int, float]] = []
    for group in groups:
        grew = [_growth(side.norms, usual, span) for span in group]
        if len({place for _, _, place in group}) >= _SEVERAL:
            found.append((None, min(a for a, _, _ in group), max(b for _, b, _ in group), max(grew)))
        else:
            found += [(side.layers[at], a, b, factor) for (a, b, at), factor in zip(group, grew, strict=True)]
    return found


def _growth(norms: NDArray[np.float64], usual: NDArray[np.float64], span: Span) -> float:
    """How many times what was usual before it the norm was at most."""
    first, last, place = span
    known = usual[first : last + 1, place]
    return float(np.nanmax(norms[first : last + 1, place]) / known[np.isfinite(known)][0])


def _of_steps_before(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.vstack([np.full((1, values.shape[1]), np.nan), values[:-1]])


def _times(factor: float) -> str:
    if factor > _COUNTED:
        return f"more than {count(_COUNTED)} times"
    return f"{factor:.2g} times" if factor < 100 else f"{count(factor)} times"
