"""Verdict: whether a feature is built up layer by layer, decided at the end, or passes by; by a stated rule.

The rule looks at a curve of activations over the depths 0 (embedding layer) to L (output) and at nothing else, in
shares of the curve itself, so that it means the same for encoders of 6, 12 or 24 layers.
"""

from dataclasses import dataclass
from math import ceil
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from lib.results import Result

Verdict = Literal["structural", "from the start", "late-binding", "transient", "mixed", "silent"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
"""All verdicts, in the order in which they are shown."""

STEP = 0.05
"""A growth step is a rise by at least this share of the peak."""
_HALF, _ONSET = 0.5, 0.1
_LATE = 4  # the last quarter of the layers


@dataclass(frozen=True, eq=False)
class Judged(Result):
    """What a curve of activations says."""

    verdict: Verdict
    """The verdict."""
    rule: str
    """The rule that led to it, in words."""
    peak: int
    """The depth where the curve is highest, the first of equals; 0 for a silent feature."""
    steps: NDArray[np.bool_]
    """Which rises from one depth to the next are growth steps, shape (L,)."""
    total_gain: float
    """The growth steps together."""


def late_layers(layers: int) -> int:
    """How many layers count as the last ones: a quarter, rounded up (2 of 6, 3 of 12, 6 of 24)."""
    return max(1, ceil(layers / _LATE))


def judge(activations: NDArray[np.floating]) -> Judged:
    """The verdict on a feature's activations at the depths 0 to L, shape (L + 1,), none below 0.

    In this order: *silent*, it fires nowhere; *transient*, it ends below half of its peak; *from the start*, it has
    half of its final activation at the embedding layer and keeps it; *late-binding*, it has that for good only in the
    last quarter of the layers; *structural*, it is there (a tenth, for good) by half of the layers and no single step
    brings more than half; *mixed*, what remains.

    Raises:
        ValueError: fewer than two depths.
    """
    curve = np.asarray(activations, dtype=np.float64)
    layers = len(curve) - 1
    if layers < 1:
        raise ValueError(f"expected at least two depths, got {len(curve)}")
    peak, rises = int(np.argmax(curve)), np.diff(curve)
    steps = (rises >= STEP * curve[peak]) & (rises > 0)
    verdict = _verdict(curve, layers)
    return Judged(verdict, rule_of(verdict, layers), peak, steps, float(rises[steps].sum()))


def rule_of(verdict: Verdict, layers: int) -> str:
    """The rule behind a verdict for an encoder with so many layers, as one sentence."""
    late = late_layers(layers)
    last = "the last layer" if late == 1 else f"the last {late} layers"
    rules: dict[Verdict, str] = {
        "silent": "It fires at no depth.",
        "transient": "It peaks and fades: at the output it has less than half of its peak.",
        "from the start": "It has at least half of its final activation at the embedding layer already, and keeps it: "
        "the words alone give it.",
        "late-binding": f"It has half of its final activation for good only in {last}.",
        "structural": f"It appears by half of the layers (a tenth of its final activation), has half of it before "
        f"{last}, and no single step brings more than half.",
        "mixed": f"It has half of its final activation before {last}, but appears after half of the layers, or in one "
        "leap that brings more than half.",
    }
    return rules[verdict]


def _verdict(curve: NDArray[np.float64], layers: int) -> Verdict:
    final, peak = curve[-1], curve.max()
    if peak <= 0:
        return "silent"
    if final < _HALF * peak:
        return "transient"
    half = from_which_on(curve >= _HALF * final)
    if half == 0:
        return "from the start"
    if half > layers - late_layers(layers):
        return "late-binding"
    early = from_which_on(curve >= _ONSET * final) <= layers / 2
    leap = np.diff(curve).max() > _HALF * final
    return "structural" if early and not leap else "mixed"


def from_which_on(holds: NDArray[np.bool_]) -> int:
    """The first place from which on `holds` is true to the end, shape (m,); m where it is false there."""
    broken = np.flatnonzero(~holds)
    return int(broken[-1]) + 1 if len(broken) else 0
