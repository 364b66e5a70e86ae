"""Drift: one number for how far a fine-tune has moved the space, and a verdict on whether that was good.

    drift = weighted mean of centroid shift, changed ranks and anisotropy change, each scaled to [0, 1]

It tells how much, not whether for better or worse: that is the verdict's. It is read against `SCALE`, known cases
measured on the packaged encoder: two identical checkpoints have exactly 0, a collapsed one close to 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Literal

from lib.errors import InputError
from lib.finetune.diff.calibration import SCALE, Mark, reading
from lib.finetune.diff.evidence import gather, room_used
from lib.finetune.diff.ranks import RankDiff
from lib.finetune.diff.space import SpaceDiff
from lib.finetune.diff.verdict import Verdict, judge
from lib.results import Result

PartName = Literal["centroid shift", "changed ranks", "anisotropy"]
"""The three parts of drift, in the order of the weights."""


@dataclass(frozen=True)
class DriftPart(Result):
    """One of the three parts of drift."""

    name: PartName
    """Which."""
    raw: float | None
    """As measured: mean angle in degrees; share of queries; difference of mean cosines (tuned less base). None where
    it cannot be had."""
    low: float | None
    """Lower end of its 95 % interval, in the same unit; None where there is none."""
    high: float | None
    """Its upper end."""
    unit: str
    """Unit of `raw` as shown after the number: "°", "of queries" or "mean cosine"."""
    scaled: float | None
    """`raw` on the scale from 0 (nothing changed) to 1 (as much as can be told apart); None where it cannot be had."""
    weight: float
    """Its share of the composite, 0 to 1: the weights of the parts that can be had sum to 1."""
    rule: str
    """How `raw` was scaled, in words."""
    missing: str | None
    """Why it cannot be had, in a sentence; None where it can."""


@dataclass(frozen=True)
class Drift(Result):
    """How far a fine-tune moved the space, what that is on a scale of known cases, and whether it was good."""

    composite: float | None
    """Weighted mean of the scaled parts, 0 (identical) to 1 (collapsed); None where no part with a weight is there."""
    parts: tuple[DriftPart, ...]
    """Centroid shift, changed ranks, anisotropy."""
    weights: tuple[float, float, float]
    """The weights asked for, in that order, before those of missing parts are spread over the others."""
    scale: tuple[Mark, ...]
    """Known cases, by rising composite."""
    reading: str
    """Where the composite lies on the scale, in a sentence."""
    verdict: Verdict
    """Whether the change was good or bad."""
    rule: str
    """How the composite is made, in words."""
    notices: tuple[str, ...]
    """What the reader must know: parts left out, too few texts or queries."""

    def part(self, name: PartName) -> DriftPart:
        """The part of this name."""
        return next(part for part in self.parts if part.name == name)


WEIGHTS = (1.0, 1.0, 1.0)
"""Equal weights of centroid shift, changed ranks and anisotropy."""
FULL_ANGLE = 45.0
"""Degrees of centroid shift that count as 1: halfway to a direction that shares nothing with the old one."""
RULE = (
    "Weighted mean of three parts, each from 0 to 1: centroid shift, changed ranks, change of anisotropy. A part that "
    "cannot be measured is left out and its weight spread over the others."
)
_NAMES: tuple[PartName, ...] = ("centroid shift", "changed ranks", "anisotropy")
_RULES = (
    f"Angle by which a topic's mean direction turned, as the mean over topics, over {FULL_ANGLE:.0f}°; at most 1.",
    "Share of queries whose closest true document changed its rank; a rank that at least halved or doubled counts "
    "whole, a smaller change by |log2 of the ratio|.",
    "Change of the mean cosine of two texts, up or down, over what the base had left up to 1; at most 1.",
)
_UNITS = ("°", "of queries", "mean cosine")


def drift(
    space: SpaceDiff | None, ranks: RankDiff | None, *, weights: Sequence[float] = WEIGHTS, why: Sequence[str] = ()
) -> Drift:
    """How far tuning moved the space, from a diff of it, of the ranks, or of both; quick, whatever the weights.

    `weights` of centroid shift, changed ranks and anisotropy are any numbers from 0 on; they are brought to sum to 1
    over the parts that can be had. The verdict does not depend on them. `why` adds notices.

    Raises:
        InputError: weights that are not three finite numbers of 0 or more with one above 0, or no diff at all.
    """
    asked = checked_weights(weights)
    if space is None and ranks is None:
        raise InputError("Drift needs a diff of the space or of the ranks, got neither: give texts or queries.")
    raw = (_shift(space), _ranks(ranks), _anisotropy(space))
    shares = _shares(asked, [one.scaled for one in raw])
    parts = tuple(
        DriftPart(name, one.raw, one.low, one.high, unit, one.scaled, weight, rule, one.missing)
        for name, one, unit, weight, rule in zip(_NAMES, raw, _UNITS, shares, _RULES, strict=True)
    )
    composite = _composite(parts, shares)
    even = _shares(WEIGHTS, [one.scaled for one in raw])
    whole = min(asked) == max(asked) and all(one.scaled is not None for one in raw)
    return Drift(
        composite=composite,
        parts=parts,
        weights=asked,
        scale=SCALE,
        reading=_read(composite, whole, space),
        verdict=judge(gather(space, ranks, composite=_composite(parts, even))),
        rule=RULE,
        notices=(*(part.missing for part in parts if part.missing is not None), *why),
    )


def _read(composite: float | None, whole: bool, space: SpaceDiff | None) -> str:
    told = reading(composite, equal=whole)
    if composite is None or space is None or space.sharing.shared:
        return told
    return f"{told} Between two spaces drift tells how much they differ; neither has moved into the other."


@dataclass(frozen=True)
class _Raw:
    raw: float | None
    low: float | None = None
    high: float | None = None
    scaled: float | None = None
    missing: str | None = None


def checked_weights(weights: Sequence[float]) -> tuple[float, float, float]:
    """Weights of the three parts.

    Raises:
        InputError: they are not three finite numbers of 0 or more with one above 0.
    """
    if len(weights) != len(WEIGHTS) or not all(isfinite(one) and one >= 0 for one in weights) or not any(weights):
        given = " ".join(f"{one:g}" for one in weights) or "none"
        raise InputError(
            "Drift takes three weights of 0 or more, one above 0, for centroid shift, changed ranks and anisotropy; "
            f"got {given}."
        )
    first, second, third = (float(one) for one in weights)
    return first, second, third


def _shares(weights: Sequence[float], scaled: Sequence[float | None]) -> list[float]:
    """Weights that sum to 1 over the parts that can be had, 0 for the others and where none of those has a weight."""
    there = [weight if value is not None else 0.0 for weight, value in zip(weights, scaled, strict=True)]
    total = sum(there)
    return [weight / total if total else 0.0 for weight in there]


def _composite(parts: Sequence[DriftPart], shares: Sequence[float]) -> float | None:
    if not any(shares):
        return None
    return float(sum(share * (part.scaled or 0.0) for part, share in zip(parts, shares, strict=True)))


def _shift(space: SpaceDiff | None) -> _Raw:
    if space is None:
        return _Raw(None, missing="Centroid shift is left out: there are no texts to compare.")
    if not space.sharing.shared:
        return _Raw(None, missing="Centroid shift is left out: it needs one space for both checkpoints.")
    if space.sharing.identical:
        return _Raw(0.0, 0.0, 0.0, 0.0)
    if space.centroids is None or not isfinite(space.centroids.mean_angle):
        return _Raw(None, missing="Centroid shift is left out: no topic has a mean direction on both sides.")
    angle = space.centroids.mean_angle
    return _Raw(angle, *_ends(space.centroids.mean_angle_interval), min(1.0, angle / FULL_ANGLE))


def _ranks(ranks: RankDiff | None) -> _Raw:
    if ranks is None:
        return _Raw(None, missing="Changed ranks are left out: there are no queries.")
    return _Raw(ranks.changed_share, ranks.changed_low, ranks.changed_high, ranks.moved)


def _anisotropy(space: SpaceDiff | None) -> _Raw:
    if space is None:
        return _Raw(None, missing="Anisotropy is left out: there are no texts to compare.")
    found = space.anisotropy
    used = abs(room_used(found.base.mean_cosine, found.tuned.mean_cosine))
    if found.base.mean_cosine >= 1:  # a base in one point has no way up: any change is the whole one
        used = 1.0 if found.delta else 0.0
    return _Raw(found.delta, *_ends(found.interval), min(1.0, used))


def _ends(interval: tuple[float, float]) -> tuple[float | None, float | None]:
    low, high = interval
    return (low, high) if isfinite(low) and isfinite(high) else (None, None)
