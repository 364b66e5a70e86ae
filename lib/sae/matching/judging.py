"""Judging: what follows from one model's pairs and readings: which features are shared, and what they carry."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.sae.matching.chance import significant
from lib.sae.matching.pairing import By, Model, Pairing
from lib.sae.matching.reading import Reading
from lib.sae.matching.sides import LabelCoverage, Side, coverage_of, verdict
from lib.sae.matching.similarity import Correlations, Cosines, Standardised


@dataclass(frozen=True, eq=False)
class Tested:
    """The features of one model with their partners, held against chance; arrays of shape (n,)."""

    match: NDArray[np.int64]
    value: NDArray[np.float32]
    cosine: NDArray[np.float32]
    correlation: NDArray[np.float32]
    p_value: NDArray[np.float64]
    judged: NDArray[np.bool_]
    passes: NDArray[np.bool_]
    """Similar enough, and beyond chance as seen from this side."""
    nulls: NDArray[np.float32]
    """Shape (shuffles, n)."""


def tested(
    model: Model,
    found: tuple[NDArray[np.int64], NDArray[np.float32]],
    standard: tuple[Standardised, Standardised],
    similarities: tuple[Cosines, Correlations],
    by: By,
    threshold: float,
) -> Tested:
    """Hold the partners of one model's features against chance: `found` are both."""
    (match, nulls), (cosines, correlations) = found, similarities
    judged = np.ones(len(match), dtype=bool) if by == "cosine" else standard[0].judged
    match = np.where(judged, match, -1)
    paired = np.flatnonzero(match >= 0)
    cosine, correlation = np.full((2, len(match)), np.nan, dtype=np.float32)
    cosine[paired] = cosines.pairs(paired, match[paired])
    can = paired[standard[0].judged[paired] & standard[1].judged[match[paired]]]
    correlation[can] = correlations.pairs(can, match[can])
    value = (cosine if by == "cosine" else correlation).copy()
    match = np.where(np.isfinite(value), match, -1)
    p_value, beyond = significant(value, nulls, judged, None if by == "cosine" else _counts(model))
    for known in (cosine, correlation):
        known[match < 0] = np.nan
    passes = beyond & (np.nan_to_num(value, nan=-2.0) >= threshold)
    return Tested(match, value, cosine, correlation, p_value, judged, passes, nulls)


def of_both(side: Tested, other: Tested, pairing: Pairing) -> NDArray[np.bool_]:
    """Which features have a counterpart, shape (n,): one to one, the pair has to pass from either side."""
    if pairing == "best":
        return side.passes
    both = side.passes.copy()
    both[both] = other.passes[side.match[both]]
    return both


def side_of(
    model: Model, found: Tested, matched: NDArray[np.bool_], reading: Reading, *, threshold: float
) -> Side:  # fmt: skip
    """What one model's features with a counterpart carry, and those that the other's vectors tell."""
    judged = found.judged
    weight = np.bincount(model.codes.features, model.codes.activations, model.codes.width).astype(np.float64)
    null = found.nulls[:, judged].ravel()
    lucky = (found.nulls >= threshold).mean(axis=0)  # how often chance brings each feature to the threshold
    return Side(
        match=found.match,
        value=found.value,
        cosine=found.cosine,
        correlation=found.correlation,
        p_value=found.p_value,
        matched=matched,
        judged=judged,
        count=_counts(model),
        weight=weight,
        null=null,
        coverage=float(matched[judged].mean()) if judged.any() else float("nan"),
        chance=float((null >= threshold).mean()) if len(null) else float("nan"),
        domain=coverage_of(*_sums(model, matched, judged)),
        domain_chance=_share(weight * lucky, weight, judged),
        judged_weight=_share(weight * judged, weight, None),
        reading=reading,
        known=coverage_of(*_sums(model, (matched | reading.read) & reading.told, reading.told)),
        known_chance=_share(weight * reading.by_chance, weight, reading.told),
        known_weight=_share(weight * reading.told, weight, None),
    )


def by_label(
    sides: tuple[tuple[Model, Side], tuple[Model, Side]], labels: Sequence[str | None] | None
) -> tuple[LabelCoverage, ...]:
    """Coverage label by label, the least covered first; () without labels."""
    if labels is None:
        return ()
    known = [_sums(m, (s.matched | s.reading.read) & s.reading.told, s.reading.told) for m, s in sides]
    paired = [_sums(model, side.matched, side.judged) for model, side in sides]
    found = []
    for label in sorted({one for one in labels if one is not None}):
        here = np.array([one == label for one in labels])
        a, b, c, d = (coverage_of(part[here], whole[here]) for part, whole in (*known, *paired))
        found.append(LabelCoverage(label, a, b, c, d, verdict(a, b)))
    return tuple(sorted(found, key=lambda one: np.nan_to_num(min(one.ours.share, one.theirs.share), nan=2.0)))


def _counts(model: Model) -> NDArray[np.int64]:
    return np.bincount(model.codes.features, minlength=model.codes.width).astype(np.int64)


def _share(part: NDArray[np.floating], whole: NDArray[np.floating], among: NDArray[np.bool_] | None) -> float:
    """Sum over sum, of all features or of those `among`; NaN where there is nothing."""
    kept = slice(None) if among is None else among
    total = float(whole[kept].sum())
    return float(part[kept].sum()) / total if total else float("nan")


def _sums(
    model: Model, covered: NDArray[np.bool_], among: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Each text's activation in the features `covered`, and in those `among`, shapes (t,)."""
    codes = model.codes
    rows = np.repeat(np.arange(len(codes)), codes.active)
    part, whole = (
        np.bincount(rows, weights=codes.activations * kept[codes.features], minlength=len(codes)).astype(np.float64)
        for kept in (covered, among)
    )
    return part, whole
