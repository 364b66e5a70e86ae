"""Separation: do topics stand further apart than before, and further than they are wide?

Each topic counts alike. between: root mean square distance of two topics' centroids. within: root mean square distance
of a text to its own topic's centroid, sqrt(mean over topics of 1 - |m|^2). Their ratio does not change when the whole
space is stretched, so that a collapse of everything is no loss of separation by itself. Silhouette (Rousseeuw 1987, by
cosine distance) looks at each text: nearer to its own topic than to the next.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.finetune.diff.centroids import ends, nearest
from lib.finetune.diff.groups import ProbeTopics
from lib.finetune.diff.means import MOST_PAIRED, Figures, Measured
from lib.finetune.diff.resampling import FEWEST, corrected
from lib.results import Result


@dataclass(frozen=True, eq=False)
class Separation(Result):
    """How far topics stand apart before and after; needs two topics, no shared space."""

    names: tuple[str, ...]
    """Topics, shape (topics,)."""
    counts: NDArray[np.int64]
    """Texts of each topic, shape (topics,)."""
    base: NDArray[np.float64]
    """Distance between the centroids of every two topics on the base, in [0, 2], shape (topics, topics); 0 diagonal."""
    tuned: NDArray[np.float64]
    """The same after tuning."""
    change: NDArray[np.float64]
    """tuned - base, shape (topics, topics): above 0, the two were pulled apart."""
    change_low: NDArray[np.float64]
    """Lower end of its 95 % bootstrap interval, shape (topics, topics); NaN where one has fewer than 5 texts, and
    above 60 topics."""
    change_high: NDArray[np.float64]
    """Its upper end."""
    nearest_base: NDArray[np.int64]
    """Number of the topic nearest to each on the base, shape (topics,)."""
    nearest_tuned: NDArray[np.int64]
    """The same after tuning."""
    between_base: float
    """Root mean square of the distances between two topics' centroids on the base."""
    between_tuned: float
    """The same after tuning."""
    between_change: float
    """tuned - base."""
    between_interval: tuple[float, float]
    """95 % bootstrap interval of `between_change`."""
    ratio_base: float
    """between / within on the base: 1 = topics stand as far apart as their texts scatter; NaN where within is 0."""
    ratio_tuned: float
    """The same after tuning."""
    ratio_change: float
    """tuned - base."""
    ratio_interval: tuple[float, float]
    """95 % bootstrap interval of `ratio_change`."""
    silhouette_base: float
    """Mean silhouette on the base, in [-1, 1]: 1 = tight and far apart, 0 = overlapping. Exact."""
    silhouette_tuned: float
    """The same after tuning."""
    silhouette_change: float
    """tuned - base."""
    silhouette_interval: tuple[float, float]
    """95 % bootstrap interval of `silhouette_change`, centroids held where they are."""
    silhouette_topics_base: NDArray[np.float64]
    """Mean silhouette of each topic's texts on the base, shape (topics,); 0 for a topic of one text."""
    silhouette_topics_tuned: NDArray[np.float64]
    """The same after tuning."""
    silhouette_topics_interval: NDArray[np.float64]
    """95 % bootstrap interval of the change of each topic's, shape (topics, 2); NaN for a topic of fewer than 5."""
    items: int
    """Texts with a topic."""
    resamples: int
    """Resamples behind the intervals."""
    seed: int
    """Seed of the resamples."""


def separation(measured: Measured, topics: ProbeTopics, *, silhouettes: int, seed: int = 0) -> Separation:
    """How far topics stand apart on both sides, from the `measured` means; two topics or more.

    Columns `silhouettes` and the next of their scalars hold each text's silhouette, before and after.
    """
    found, drawn, several = measured.found, measured.drawn, topics.counts >= FEWEST
    base, tuned = found.base.pairs[0], found.tuned.pairs[0]
    low, high = _pair_ends(drawn, tuned - base, several)
    before, after = (found.scalars[0, :-1, column] for column in (silhouettes, silhouettes + 1))  # (topics,)
    own = drawn.scalars[..., :-1, silhouettes + 1] - drawn.scalars[..., :-1, silhouettes]  # (resamples, topics)
    share = topics.counts / topics.counts.sum()
    between, ratio = (
        [float(getattr(side, name)[0]) for side in (found.base, found.tuned)] for name in ("between", "ratio")
    )
    told = measured.dealt.mean_told
    return Separation(
        names=topics.names,
        counts=topics.counts,
        base=base,
        tuned=tuned,
        change=tuned - base,
        change_low=low,
        change_high=high,
        nearest_base=nearest(base)[0],
        nearest_tuned=nearest(tuned)[0],
        between_base=between[0],
        between_tuned=between[1],
        between_change=between[1] - between[0],
        between_interval=_interval(drawn.tuned.between - drawn.base.between, between[1] - between[0], told),
        ratio_base=ratio[0],
        ratio_tuned=ratio[1],
        ratio_change=ratio[1] - ratio[0],
        ratio_interval=_interval(drawn.tuned.ratio - drawn.base.ratio, ratio[1] - ratio[0], told),
        silhouette_base=float(share @ before),
        silhouette_tuned=float(share @ after),
        silhouette_change=float(share @ (after - before)),
        silhouette_interval=_interval(own @ share, float(share @ (after - before)), told),
        silhouette_topics_base=before,
        silhouette_topics_tuned=after,
        silhouette_topics_interval=np.where(several[:, None], corrected(own, after - before), np.nan),
        items=int(topics.counts.sum()),
        resamples=len(own),
        seed=seed,
    )


def _interval(drawn: NDArray[np.float64], value: float, told: bool) -> tuple[float, float]:
    if not told or not np.isfinite([value, *drawn]).all():
        return np.nan, np.nan
    return ends(corrected(drawn, value))


def _pair_ends(
    drawn: Figures, change: NDArray[np.float64], several: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if len(change) > MOST_PAIRED:
        return np.full(change.shape, np.nan), np.full(change.shape, np.nan)
    told = (several[:, None] & several)[..., None]
    made = np.where(told, corrected(drawn.tuned.pairs - drawn.base.pairs, change), np.nan)
    return made[..., 0], made[..., 1]
