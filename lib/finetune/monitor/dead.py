"""Dead layers: gradients that never came, are next to nothing, or vanished while other layers went on."""

import numpy as np
from numpy.typing import NDArray

from lib.finetune.monitor.finding import Finding
from lib.finetune.monitor.sides import Side
from lib.finetune.monitor.smoothing import running_median, stretches
from lib.numerals import count, counted

_DEAD = 0.01  # of what it had, and of what it had relative to the others
_STEPS = 5
_USUAL = 9  # steps whose median is what a layer has
_FAINT = 1e-4  # of the others' median
_MOSTLY = 0.9

DEAD_RULE = (
    f"For at least {_STEPS} steps a layer's gradient norm is below {_DEAD:.0%} of the highest running median it had, "
    "and so is its ratio to the median of the other layers: a loss that is learnt makes all layers' gradients small, "
    "and no layer is dead for that."
)
FAINT_RULE = f"In nine of ten steps a layer's gradient norm is below {_FAINT:g} of the median of the other layers."
FROZEN_RULE = "A layer's gradient is exactly zero in every step so far, while other layers have one."


def frozen_layers(side: Side) -> list[Finding]:
    """Layers that never had a gradient."""
    trained = (np.nan_to_num(side.norms) > 0).any(axis=0)
    if not trained.any():
        return []
    says = (
        f"has had no gradient in any of {counted(len(side.step), 'step')}: it is frozen, on purpose or not, or the "
        "loss does not reach it."
    )
    return [
        side.finding("frozen", (0, len(side.step) - 1, side.layers[place]), note=True, says=says, rule=FROZEN_RULE)
        for place in np.flatnonzero(~trained)
    ]


def dead_layers(side: Side) -> tuple[list[Finding], NDArray[np.bool_]]:
    """Layers whose gradient vanished or is next to nothing; and the steps and layers (s, l) in which they were dead."""
    dead = np.zeros(side.norms.shape, dtype=np.bool_)
    if len(side.layers) < 2:
        return [], dead
    ratio = side.norms / _of_others(side.norms)
    had = _highest_before(side.norms)
    low = _lost(side.norms, had) & _lost(ratio, _highest_before(ratio))
    found = []
    for place, layer in enumerate(side.layers):
        gone = stretches(low[:, place], least=_STEPS)
        for first, last in gone:
            dead[first : last + 1, place] = True
            over = last < len(side.step) - 1
            now = float(np.median(side.norms[first : last + 1, place]))
            says = (
                f"died at step {count(side.step[first])}: its gradient norm fell from {had[first, place]:.2g} to "
                f"{now:.2g}, while the other layers went on"
                + (f"; it came back after step {count(side.step[last])}." if over else ".")
            )
            found.append(side.finding("dead", (first, last, layer), note=over, says=says, rule=DEAD_RULE))
        if not gone:
            found += _faint(side, ratio[:, place], layer)
    return found, dead


def _faint(side: Side, ratio: NDArray[np.float64], layer: str | None) -> list[Finding]:
    told = ratio[np.isfinite(ratio)]
    if len(told) < _STEPS or not (told > 0).any() or np.mean(told < _FAINT) < _MOSTLY:
        return []
    says = f"gets next to nothing: its gradient norm is {np.median(told):.1g} of the other layers' median."
    return [side.finding("dead", (0, len(side.step) - 1, layer), says=says, rule=FAINT_RULE)]


def _highest_before(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The highest running median before each step, (s, l); NaN where there is none yet."""
    usual = running_median(values, _USUAL, least=_STEPS)
    before = np.vstack([np.full((1, usual.shape[1]), np.nan), usual[:-1]])
    highest: NDArray[np.float64] = np.fmax.accumulate(before, axis=0)
    return highest


def _lost(values: NDArray[np.float64], had: NDArray[np.float64]) -> NDArray[np.bool_]:
    lost: NDArray[np.bool_] = (values < _DEAD * had) & (had > 0)
    return lost


def _of_others(norms: NDArray[np.float64]) -> NDArray[np.float64]:
    """For each layer the median of the other layers' norms at each step; NaN where they have none, or no gradient."""
    found = np.full(norms.shape, np.nan)
    for place in range(norms.shape[1]):
        others = np.delete(norms, place, axis=1)
        known = np.isfinite(others).any(axis=1)
        found[known, place] = np.nanmedian(others[known], axis=1)
    found[found == 0] = np.nan
    return found
