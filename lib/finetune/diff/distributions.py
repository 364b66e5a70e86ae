"""Similarity distributions: how similar are two texts to each other, before and after?

The same pairs of texts on both sides, in the same bins. Means are closed forms over every pair of the corpus.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.finetune.diff.groups import ProbeTopics
from lib.geometry.similarity import Groups, within_and_between
from lib.geometry.vectors import Pairs
from lib.results import Result

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Quantiles of the cosines that are told."""


@dataclass(frozen=True, eq=False)
class SimilarityShift(Result):
    """Cosine similarities of pairs of texts on both sides; needs no shared space."""

    edges: NDArray[np.float64]
    """Cosine at the bin edges, shape (bins + 1,), from -1 to 1."""
    base: NDArray[np.float64]
    """Share of all pairs in each bin on the base, shape (bins,); sums to 1."""
    tuned: NDArray[np.float64]
    """The same after tuning."""
    base_within: NDArray[np.float64] | None
    """Share of the pairs of one topic in each bin on the base, shape (bins,); None without such pairs."""
    tuned_within: NDArray[np.float64] | None
    """The same after tuning."""
    base_between: NDArray[np.float64] | None
    """Share of the pairs of two topics in each bin on the base, shape (bins,); None without such pairs."""
    tuned_between: NDArray[np.float64] | None
    """The same after tuning."""
    mean_base: float
    """Mean cosine over every pair on the base. Exact."""
    mean_tuned: float
    """The same after tuning."""
    mean_within_base: float | None
    """Mean over every pair of one topic on the base. Exact; None without such pairs."""
    mean_within_tuned: float | None
    """The same after tuning."""
    mean_between_base: float | None
    """Mean over every pair of two topics on the base. Exact; None without such pairs."""
    mean_between_tuned: float | None
    """The same after tuning."""
    quantiles_base: NDArray[np.float64]
    """Cosine under which 5, 25, 50, 75, 95 % of the pairs lie on the base, shape (5,)."""
    quantiles_tuned: NDArray[np.float64]
    """The same after tuning."""
    deviation_base: float
    """Standard deviation of the cosines of these pairs on the base."""
    deviation_tuned: float
    """The same after tuning."""
    told_apart_base: float | None
    """How often a pair of one topic is more similar than a pair of two (area under the ROC curve), in [0, 1], on the
    base; .5 = topics do not show. None without pairs of both kinds."""
    told_apart_tuned: float | None
    """The same after tuning."""
    overlap: float
    """Share that the two histograms have in common, in [0, 1]: 1 = the same distribution, 0 = disjoint."""
    pairs: int
    """Pairs behind the histograms."""
    pairs_within: int
    """Of them, pairs of one topic."""
    pairs_between: int
    """Of them, pairs of two topics."""
    every_pair: bool
    """Whether they are every pair, rather than a uniform draw."""
    seed: int
    """Seed of the draw."""


def similarity_shift(
    drawn: tuple[Pairs, Pairs],
    means: tuple[float, float],
    sums: tuple[NDArray[np.float64], NDArray[np.float64]],
    *,
    topics: ProbeTopics,
    bins: int = 100,
) -> SimilarityShift:
    """Compare the cosines of the same pairs of texts, `drawn` on both sides.

    `means` are the mean cosines over every pair, `sums` the sums of unit vectors of each topic, shape (topics, d).
    """
    edges = np.linspace(-1, 1, bins + 1)
    left, right = topics.codes[drawn[0].left], topics.codes[drawn[0].right]
    both = (left >= 0) & (right >= 0)
    within, between = both & (left == right), both & (left != right)
    cosines = [side.cosines.astype(np.float64) for side in drawn]
    every = [_share(side, edges) for side in cosines]
    exact = [within_and_between(Groups(topics.names, topics.codes, side, topics.counts)) for side in sums]
    same = [_share(side[within], edges) if within.any() else None for side in cosines]
    other = [_share(side[between], edges) if between.any() else None for side in cosines]
    apart = [told_apart(side[within], side[between]) for side in cosines]
    return SimilarityShift(
        edges=edges,
        base=every[0],
        tuned=every[1],
        base_within=same[0],
        tuned_within=same[1],
        base_between=other[0],
        tuned_between=other[1],
        mean_base=means[0],
        mean_tuned=means[1],
        mean_within_base=exact[0][0],
        mean_within_tuned=exact[1][0],
        mean_between_base=exact[0][1],
        mean_between_tuned=exact[1][1],
        quantiles_base=np.quantile(cosines[0], QUANTILES),
        quantiles_tuned=np.quantile(cosines[1], QUANTILES),
        deviation_base=float(cosines[0].std()),
        deviation_tuned=float(cosines[1].std()),
        told_apart_base=apart[0],
        told_apart_tuned=apart[1],
        overlap=float(np.minimum(*every).sum()),
        pairs=len(left),
        pairs_within=int(within.sum()),
        pairs_between=int(between.sum()),
        every_pair=drawn[0].every_pair,
        seed=drawn[0].seed,
    )


def told_apart(within: NDArray[np.float64], between: NDArray[np.float64]) -> float | None:
    """How often a value of `within` is above one of `between`, ties half: the area under the ROC curve; None if empty.

    Mann and Whitney 1947, exact over every two of the values given.
    """
    if not len(within) or not len(between):
        return None
    ordered = np.sort(between)
    below = np.searchsorted(ordered, within, side="left") + np.searchsorted(ordered, within, side="right")
    return float(below.sum() / (2 * len(within) * len(between)))


def _share(cosines: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.float64]:
    counts, _ = np.histogram(cosines, edges)
    return counts / len(cosines)
