"""Neighbours kept: of the k texts nearest to a text before, how many are among its k nearest after?

This is what a search can see of a fine-tune: a rotation of the whole space keeps every neighbour.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.errors import InputError
from lib.finetune.diff.centroids import ends
from lib.finetune.diff.groups import ProbeTopics
from lib.finetune.diff.resampling import LEVEL
from lib.geometry.neighbours import Neighbours, search
from lib.geometry.vectors import unit_rows
from lib.results import Result


@dataclass(frozen=True, eq=False)
class NeighboursKept(Result):
    """The k nearest other texts of each text that was asked, on both sides; needs no shared space."""

    rows: NDArray[np.int64]
    """Texts that were asked, shape (m,), ascending."""
    before: NDArray[np.int64]
    """Their neighbours on the base, nearest first, shape (m, k)."""
    after: NDArray[np.int64]
    """Their neighbours after tuning, nearest first, shape (m, k)."""
    before_similarity: NDArray[np.float64]
    """Cosine with each of `before` on the base, shape (m, k), descending."""
    after_similarity: NDArray[np.float64]
    """Cosine with each of `after` after tuning, shape (m, k), descending."""
    kept: NDArray[np.float64]
    """Share of `before` that is also in `after`, in [0, 1], shape (m,)."""
    mean: float
    """Mean of `kept`."""
    interval: tuple[float, float]
    """95 % bootstrap interval of `mean`, over texts; NaN with one text."""
    chance: float
    """What random neighbours would give: k / (n - 1)."""
    names: tuple[str, ...]
    """Topics, shape (topics,)."""
    by_topic: NDArray[np.float64]
    """Mean of `kept` over each topic's texts, shape (topics,); NaN where none was asked."""
    by_topic_interval: NDArray[np.float64]
    """Its 95 % interval, shape (topics, 2); NaN with one text."""
    asked: NDArray[np.int64]
    """Texts of each topic that were asked, shape (topics,)."""
    k: int
    """Neighbours looked at, after lowering to n - 1."""
    every_row: bool
    """Whether every text was asked, rather than a uniform sample (each against the whole corpus)."""
    items: int
    """Texts, n."""
    seed: int
    """Seed of the sample and of the intervals."""

    @property
    def most_changed(self) -> NDArray[np.int64]:
        """Positions in `rows`, the text that lost most neighbours first; ties by row."""
        return np.argsort(self.kept, kind="stable")


@dataclass(frozen=True, eq=False)
class TextNeighbours(Result):
    """The nearest other texts of one text on both sides."""

    row: int
    """The text."""
    before: NDArray[np.int64]
    """Its neighbours on the base, nearest first, shape (k,)."""
    after: NDArray[np.int64]
    """Its neighbours after tuning, shape (k,)."""
    before_similarity: NDArray[np.float64]
    """Cosine with each of `before` on the base."""
    after_similarity: NDArray[np.float64]
    """Cosine with each of `after` after tuning."""
    lost: NDArray[np.bool_]
    """Which of `before` are not in `after`, shape (k,)."""
    gained: NDArray[np.bool_]
    """Which of `after` are not in `before`, shape (k,)."""
    k: int
    """Neighbours looked at, after lowering to n - 1."""


def neighbours_kept(
    nearest: tuple[Neighbours, Neighbours], topics: ProbeTopics, *, k: int = 10, resamples: int = 1_000, seed: int = 0
) -> NeighboursKept:
    """Compare the neighbours of the same texts on both sides, k or more of each, n - 1 where there are fewer."""
    base, tuned = nearest
    k = min(k, base.indices.shape[1])
    before, after = base.indices[:, :k], tuned.indices[:, :k]
    kept = shared_rows(before, after).mean(axis=1)
    codes = topics.codes[base.rows]
    names = range(len(topics.names))
    own = [kept[codes == number] for number in names]
    asked = np.array([len(one) for one in own], dtype=np.int64)
    intervals = [mean_interval(one, resamples=resamples, seed=seed) for one in own]
    return NeighboursKept(
        rows=base.rows,
        before=before,
        after=after,
        before_similarity=_cosines(base.distances[:, :k]),
        after_similarity=_cosines(tuned.distances[:, :k]),
        kept=kept,
        mean=float(kept.mean()),
        interval=ends(mean_interval(kept, resamples=resamples, seed=seed)),
        chance=k / (base.items - 1),
        names=topics.names,
        by_topic=np.array([one.mean() if len(one) else np.nan for one in own]),
        by_topic_interval=np.array(intervals).reshape(-1, 2),
        asked=asked,
        k=k,
        every_row=base.every_row,
        items=base.items,
        seed=seed,
    )


def shared_rows(before: NDArray[np.int64], after: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which of the rows `before` (m, k) are among those `after` (m, j) in the same line, shape (m, k)."""
    made = np.zeros(before.shape, dtype=bool)
    for column in range(after.shape[1]):
        made |= before == after[:, column, None]
    return made


def mean_interval(values: NDArray[np.float64], *, resamples: int = 1_000, seed: int = 0) -> NDArray[np.float64]:
    """95 % interval (2,) of the mean of `values` (m,), over values drawn again; NaN with one, or none.

    Above `MOST_DRAWN` values they are dealt at random into so many groups first, whose means are drawn.
    """
    if len(values) < 2:
        return np.full(2, np.nan)
    rng, groups = np.random.default_rng(seed), min(len(values), MOST_DRAWN)
    dealt = rng.permutation(len(values)) % groups
    sums, sizes = np.bincount(dealt, weights=values), np.bincount(dealt)
    drawn = rng.integers(0, groups, size=(resamples, groups - 1))  # one fewer: the variance of a mean is then right
    means = sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1)
    low, high = np.percentile(means, LEVEL)
    return np.array([min(low, values.mean()), max(high, values.mean())])


MOST_DRAWN = 2_000
"""Values that are drawn one by one."""


def text_neighbours(
    base: NDArray[np.floating], tuned: NDArray[np.floating], row: int, *, k: int = 10
) -> TextNeighbours:
    """The k nearest other texts of text `row` by the vectors of both sides, shapes (n, d) and (n, d').

    k is lowered to n - 1.

    Raises:
        InputError: there is no such row, k below 1, or a vector of zero length.
    """
    n = len(base)
    if not 0 <= row < n or n < 2 or k < 1:
        raise InputError(f"Neighbours are those of a text from 0 to {n - 1}, at least one, got text {row} and {k}.")
    asked, k = np.array([row]), min(k, n - 1)
    found = [search(unit_rows(side, asked), side, k, exclude=asked) for side in (base, tuned)]
    (before, near), (after, later) = found
    return TextNeighbours(
        row=row,
        before=before[0],
        after=after[0],
        before_similarity=_cosines(near[0]),
        after_similarity=_cosines(later[0]),
        lost=~shared_rows(before, after)[0],
        gained=~shared_rows(after, before)[0],
        k=k,
    )


def _cosines(distances: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1 - np.square(distances) / 2
