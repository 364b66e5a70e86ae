"""Calibration: how much drift is much? Known cases, measured on the packaged encoder, to read a drift against.

All are the packaged encoder against a changed copy of itself, on the sample texts and queries (`topics`), with equal
weights. The two fine-tunes with different seeds are LoRA trainings of 60 steps of 16 medical questions, and moved .05
from the base. `python -m benchmarks.finetune_drift` measures them again and prints them as they stand here.
"""

from dataclasses import dataclass

from lib.results import Result


@dataclass(frozen=True)
class Mark(Result):
    """A known case on the scale of drift."""

    name: str
    """The case in a few words, as shown."""
    explanation: str
    """What was compared with what, in a sentence."""
    composite: float
    """Its drift with equal weights, 0 to 1."""
    shift: float
    """Its centroid shift, scaled, 0 to 1."""
    ranks: float
    """Its changed ranks, scaled, 0 to 1."""
    anisotropy: float
    """Its change of anisotropy, scaled, 0 to 1."""
    direction: str
    """good, bad or neutral: its verdict's."""


SCALE: tuple[Mark, ...] = (
    Mark("identical", "The encoder against itself.", 0.0, 0.0, 0.0, 0.0, "neutral"),
    Mark("rounded", "Its weights rounded to bfloat16.", 0.008, 0.013, 0.012, 0.0, "neutral"),
    Mark("another seed", "Two fine-tunes that differ in their seed alone.", 0.031, 0.062, 0.031, 0.0, "neutral"),
    Mark("dropout noise", "Its dropout left on, as in training.", 0.159, 0.145, 0.322, 0.01, "neutral"),
    Mark("half collapsed", "Every text moved halfway to the middle of all.", 0.51, 0.681, 0.238, 0.609, "bad"),
    Mark("unrelated", "Every text at a random place.", 0.689, 1.0, 0.982, 0.085, "bad"),
    Mark("one point", "Every text at one point.", 0.995, 1.0, 0.985, 1.0, "bad"),
)
"""Known cases, by rising composite."""

ROUNDING = 0.01
"""Drift up to which nothing is made of it: what rounding the weights makes (.008), and a little more."""


def reading(composite: float | None, *, equal: bool = True) -> str:
    """Where `composite` lies on `SCALE`, in a sentence; `equal` says whether all three parts have equal weights."""
    if composite is None:
        return "There is no drift to read: none of its parts could be measured."
    said = f"Drift {composite:.3f}"
    below = [mark for mark in SCALE if mark.composite < composite]
    above = [mark for mark in SCALE if mark.composite >= composite]
    if composite == 0:
        sentence = f"{said}: {'identical, nothing changed at all' if equal else 'nothing changed in what was counted'}."
    elif not above:
        sentence = f"{said}: beyond {below[-1].name} ({below[-1].composite:.3f})."
    else:
        first, last = below[-1], above[0]
        sentence = f"{said}: between {first.name} ({first.composite:.3f}) and {last.name} ({last.composite:.3f})."
    return sentence if equal else f"{sentence} The scale was measured with equal weights and all three parts."
