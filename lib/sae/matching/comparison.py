"""Two models, each with its dictionary, on one corpus: which features do both have, and what does only one know?

Features are paired by the cosine of their directions (within one space, or after an alignment) or by the correlation of
their activations over the corpus; one to one, or each with its best. Beside every similarity stands what chance gives
the best of all candidates: by correlation, the texts of one side shuffled against the other's; by cosine, directions
whose coordinates are shuffled (one space), or an alignment fitted on shuffled texts (two).

References: Bricken et al. 2023, "Towards Monosemanticity" (correlated activations between two runs); Paulo and Belrose
2025, arXiv:2501.16615 (cosine of 0.7; two seeds share about 30 % of features).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.errors import InputError
from lib.results import Result
from lib.sae.matching.alignment import Alignment
from lib.sae.matching.assignment import Method, Progress
from lib.sae.matching.chance import significant
from lib.sae.matching.decoder import SHARED, unit_directions
from lib.sae.matching.pairing import FEWEST, SHUFFLES, By, Model, PairedFeatures, Pairing, check_models, pair_features
from lib.sae.matching.sides import RULE, LabelCoverage, Side, Verdict, coverage_of, verdict
from lib.sae.matching.similarity import Correlations, Cosines, Standardised

ALIGNED, CORRELATED = 0.5, 0.5
"""Cosine after an alignment, and correlation, from which two features count as the same, unless told: what the map
misses lowers every cosine, so that less is asked than the 0.7 within one space."""


def default_threshold(by: By, alignment: Alignment) -> float:
    """From where two features count as the same, unless told."""
    if by == "correlation":
        return CORRELATED
    return SHARED if alignment.map is None else ALIGNED


@dataclass(frozen=True, eq=False)
class ModelMatch(Result):
    """Two models on one corpus."""

    ours: Side
    """Our features against theirs."""
    theirs: Side
    """Their features against ours."""
    alignment: Alignment
    """How directions were brought into one space."""
    by: By
    """What features were paired by."""
    pairing: Pairing
    """"one-to-one": no feature stands for two, the sum of similarities is largest. "best": each with its nearest."""
    method: Method | None
    """How the one-to-one pairs were found; None with "best"."""
    threshold: float
    """Similarity from which two features count as the same."""
    fewest: int
    """Texts on which a feature fires at least for its correlation to count."""
    texts: int
    """Texts of the corpus."""
    labels: tuple[LabelCoverage, ...]
    """Coverage label by label, the least covered first; () where the corpus has none."""
    verdict: Verdict
    """Of the whole corpus, by `rule`."""
    rule: str
    """The rule, in words."""
    shuffles: int
    """Shuffles behind chance."""
    seed: int
    """Of the shuffles."""


def compare_models(
    ours: Model,
    theirs: Model,
    *,
    alignment: Alignment,
    by: By = "cosine",
    pairing: Pairing = "one-to-one",
    threshold: float | None = None,
    fewest: int = FEWEST,
    labels: Sequence[str | None] | None = None,
    shuffles: int = SHUFFLES,
    seed: int = 0,
    progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> ModelMatch:
    """Pair the features of two models on one corpus, and say how much of each the other covers.

    Raises:
        InputError: not the same texts, directions of two widths that were not aligned, or settings out of range.
        Stopped: `should_stop` said so.
    """
    paired = pair_features(
        ours, theirs, alignment=alignment, by=by, pairing=pairing, fewest=fewest, shuffles=shuffles, seed=seed,
        progress=progress, should_stop=should_stop,
    )  # fmt: skip
    return judge_pairs(paired, ours, theirs, alignment=alignment, threshold=threshold, labels=labels)


def judge_pairs(
    paired: PairedFeatures,
    ours: Model,
    theirs: Model,
    *,
    alignment: Alignment,
    threshold: float | None = None,
    labels: Sequence[str | None] | None = None,
) -> ModelMatch:
    """What follows from pairs: which are the same feature, and how much of each model the other covers.

    `alignment` is the one that they were paired with, `labels` are those of the texts, None where one has none.

    Raises:
        InputError: not the same texts, a threshold that is no similarity, labels that are not as many as the texts.
    """
    threshold = default_threshold(paired.by, alignment) if threshold is None else threshold
    check_models(ours, theirs, alignment)
    if not -1 <= threshold <= 1:
        raise InputError(f"A similarity lies between -1 and 1, got a threshold of {threshold:g}.")
    if labels is not None and len(labels) != len(ours.codes):
        raise InputError(f"Expected a label for each of the {len(ours.codes):,} texts, got {len(labels):,}.")
    cosines = Cosines(*alignment.apply(unit_directions(ours.sae), unit_directions(theirs.sae)))
    standard = [Standardised(side.codes, fewest=paired.fewest) for side in (ours, theirs)]
    correlations = Correlations(*standard)
    first = _side(
        ours, (paired.forward, paired.null), (standard[0], standard[1]), (cosines, correlations), paired.by, threshold
    )  # fmt: skip
    second = _side(
        theirs, (paired.backward, paired.null_back), (standard[1], standard[0]),
        (cosines.turned(), correlations.turned()), paired.by, threshold,
    )  # fmt: skip
    covered = [_sums(model, side.matched, side.judged) for model, side in ((ours, first), (theirs, second))]
    return ModelMatch(
        ours=first,
        theirs=second,
        alignment=alignment,
        by=paired.by,
        pairing=paired.pairing,
        method=paired.method,
        threshold=float(threshold),
        fewest=paired.fewest,
        texts=len(ours.codes),
        labels=_by_label(covered, labels),
        verdict=verdict(first.domain, second.domain),
        rule=RULE,
        shuffles=len(paired.null),
        seed=paired.seed,
    )


def _side(
    model: Model,
    found: tuple[NDArray[np.int64], NDArray[np.float32]],
    standard: tuple[Standardised, Standardised],
    similarities: tuple[Cosines, Correlations],
    by: By,
    threshold: float,
) -> Side:
    """One model's features: `found` are their partners and what chance gives."""
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
    count = np.bincount(model.codes.features, minlength=model.codes.width).astype(np.int64)
    p_value, beyond = significant(value, nulls, judged, None if by == "cosine" else count)
    matched = beyond & (np.nan_to_num(value, nan=-2.0) >= threshold)
    for known in (cosine, correlation):
        known[match < 0] = np.nan
    weight = np.bincount(model.codes.features, weights=model.codes.activations, minlength=model.codes.width)
    null = nulls[:, judged].ravel()
    covered, whole = _sums(model, matched, judged)
    total = float(weight.sum())
    return Side(
        match=match,
        value=value,
        cosine=cosine,
        correlation=correlation,
        p_value=p_value,
        matched=matched,
        judged=judged,
        count=count,
        weight=weight.astype(np.float64),
        null=null,
        coverage=float(matched[judged].mean()) if judged.any() else float("nan"),
        chance=float((null >= threshold).mean()) if len(null) else float("nan"),
        domain=coverage_of(covered, whole),
        judged_weight=float(weight[judged].sum()) / total if total else float("nan"),
    )


def _sums(
    model: Model, matched: NDArray[np.bool_], judged: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Each text's activation in features with a counterpart, and in judged ones, shapes (t,)."""
    codes = model.codes
    rows = np.repeat(np.arange(len(codes)), codes.active)
    covered, whole = (
        np.bincount(rows, weights=codes.activations * kept[codes.features], minlength=len(codes)).astype(np.float64)
        for kept in (matched, judged)
    )
    return covered, whole


def _by_label(
    covered: list[tuple[NDArray[np.float64], NDArray[np.float64]]], labels: Sequence[str | None] | None
) -> tuple[LabelCoverage, ...]:
    if labels is None:
        return ()
    found = []
    for label in sorted({one for one in labels if one is not None}):
        here = np.array([one == label for one in labels])
        a, b = (coverage_of(part[here], whole[here]) for part, whole in covered)
        found.append(LabelCoverage(label, a, b, verdict(a, b)))
    return tuple(sorted(found, key=lambda one: np.nan_to_num(min(one.ours.share, one.theirs.share), nan=2.0)))
