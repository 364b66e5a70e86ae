"""Findings: what a build-up says, by rules that are written down here and thresholds that its reader sets.

*Settled*: the first depth from which, up to the last layer, linear CKA with the output and the overlap of neighbours
with the output's both stay at or above their thresholds. Not told where texts are so few that chance reaches one.
*Greatest change*: the layer whose states differ most from those before it, by 1 - CKA. *Greatest jump*: the layer at
which mean cosine rises or falls most. Both among layers whose states, and those before them, vary.
*Collapse*: begins at the first depth of the last run of depths, output included, whose mean cosine is at or above its
threshold. Depths above it from which the encoder recovers are named apart.
*Agreement*: the output agrees with a layer if both measures reach their thresholds and mean cosine differs by no more
than `same_cosine`; asked of the last layer and of the one before it.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lib.errors import InputError
from lib.layers.build_up import BuildUp
from lib.results import Result

Agreement = Literal["both", "last", "neither"]


@dataclass(frozen=True)
class Findings(Result):
    """What a build-up says. Depths are numbers: 0 for the embedding layer, i for layer i."""

    settled: int | None
    """First depth from which the states agree with the output; None if not even the last layer does, or if not told."""
    settling_told: bool
    """Whether chance stays below both thresholds and anything varies: else there are too few texts to say."""
    change: int | None
    """Layer that changes the states most; None if nothing varies."""
    change_size: float | None
    """Its 1 - CKA with the depth before, in [0, 1]."""
    jump: int | None
    """Layer at which mean cosine moves most; None if nothing varies."""
    jump_size: float | None
    """Mean cosine there less mean cosine before."""
    collapse: int | None
    """Depth at which collapse begins; None if the output is not collapsed. The number of layers + 1 is the output."""
    recovered: tuple[int, ...]
    """Depths whose mean cosine is above the threshold though later ones' is not."""
    agreement: Agreement | None
    """Whether the output agrees with the "last" layer alone, with "both" of the last two, or with "neither"; None if
    not told. With one layer, the one before it is the embedding layer."""
    unvaried: tuple[int, ...]
    """Depths at which all states are the same, such as the embedding of a first token that every text has."""
    settled_cka: float
    """Threshold of CKA with the output."""
    settled_overlap: float
    """Threshold of the overlap of neighbours with the output's."""
    collapsed_cosine: float
    """Threshold of mean cosine."""
    same_cosine: float
    """Largest difference in mean cosine of states that agree."""


@dataclass(frozen=True)
class BuildUpReport(Result):
    """A build-up and what it says."""

    build_up: BuildUp
    """The numbers."""
    findings: Findings
    """What they say."""


def findings(
    result: BuildUp,
    *,
    settled_cka: float = 0.9,
    settled_overlap: float = 0.5,
    collapsed_cosine: float = 0.9,
    same_cosine: float = 0.1,
) -> Findings:
    """Read a build-up by the rules above.

    Raises:
        InputError: a threshold outside of (0, 1].
    """
    for name, value in (
        ("settled_cka", settled_cka),
        ("settled_overlap", settled_overlap),
        ("collapsed_cosine", collapsed_cosine),
        ("same_cosine", same_cosine),
    ):
        if not 0 < value <= 1:
            raise InputError(f"{name} should be above 0 and at most 1, got {value}.")
    varying = np.isfinite(np.diag(result.cka_between))
    with np.errstate(invalid="ignore"):  # NaN agrees with nothing
        alike = (result.cka_output >= settled_cka) & (result.overlap >= settled_overlap)
    told = bool(varying[-1]) and _above_chance(result, settled_cka, settled_overlap)
    change, change_size = _greatest(1 - np.diag(result.cka_between, 1)[:-1], varying)
    jump, jump_size = _greatest(np.diff(result.mean_cosine)[:-1], varying)
    collapsed = result.mean_cosine >= collapsed_cosine
    collapse = _start_of_last_run(collapsed)
    return Findings(
        settled=_start_of_last_run(alike[:-1]) if told else None,
        settling_told=told,
        change=change,
        change_size=change_size,
        jump=jump,
        jump_size=jump_size,
        collapse=collapse,
        recovered=tuple(int(depth) for depth in np.flatnonzero(collapsed[:collapse])),
        agreement=_agreement(result, alike, same_cosine) if told else None,
        unvaried=tuple(int(depth) for depth in np.flatnonzero(~varying)),
        settled_cka=settled_cka,
        settled_overlap=settled_overlap,
        collapsed_cosine=collapsed_cosine,
        same_cosine=same_cosine,
    )


def build_up_report(result: BuildUp, read: Findings | None = None) -> BuildUpReport:
    """A build-up with its findings, at the default thresholds unless they were made already."""
    return BuildUpReport(result, findings(result) if read is None else read)


def _above_chance(result: BuildUp, cka: float, overlap: float) -> bool:
    return bool(np.nanmax(result.cka_chance) < cka and result.overlap_chance < overlap)


def _greatest(steps: NDArray[np.float64], varying: NDArray[np.bool_]) -> tuple[int | None, float | None]:
    """The layer (1, 2, ...) with the largest of `steps` (layers,) in size, and its step."""
    sizes = np.where(varying[:-2] & varying[1:-1], np.abs(steps), -1)
    layer = int(np.argmax(sizes))
    return (layer + 1, float(steps[layer])) if sizes[layer] >= 0 else (None, None)


def _start_of_last_run(flags: NDArray[np.bool_]) -> int | None:
    """Where the last run of true `flags` begins that reaches the end; None if the last is false."""
    if not flags[-1]:
        return None
    false = np.flatnonzero(~flags)
    return int(false[-1]) + 1 if len(false) else 0


def _agreement(result: BuildUp, alike: NDArray[np.bool_], same_cosine: float) -> Agreement:
    near = np.abs(result.mean_cosine - result.mean_cosine[-1]) <= same_cosine
    before, last = (alike & near)[-3:-1]
    if not last:
        return "neither"
    return "both" if before else "last"
