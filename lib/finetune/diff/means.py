"""Figures that follow from the means of topics: for the corpus as it is, and for each resample of its texts.

Means come less the mean of the whole corpus, and beside them the mean square distance of a topic's texts to that mean:
of a collapsed space little is left of 1 - |m|, which then keeps its digits.
"""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from lib.finetune.diff.resampling import Deal, redraw
from lib.finetune.diff.sides import Sides
from lib.geometry.vectors import SAME, unit_blocks

Array = NDArray[np.float64]
MOST_PAIRED = 60
"""Topics up to which every two of them are compared in each resample."""


@dataclass(frozen=True)
class SideFigures:
    """Of one side; r is 1 for the corpus as it is, else the resamples."""

    spread: Array
    """Mean cosine distance of a topic's texts to its centroid, 1 - |m|, shape (r, topics)."""
    between: Array
    """Root mean square distance of two topics' centroids, shape (r,); NaN with one topic."""
    ratio: Array
    """between / within, shape (r,); NaN where within is 0, and with one topic."""
    pairs: Array
    """Distance between every two topics' centroids, shape (r, topics, topics), or (r, 0, 0) where not asked for."""
    square: Array
    """Square of the length of the mean of the whole corpus, shape (r,)."""


@dataclass(frozen=True)
class Figures:
    """Of both sides, and between them."""

    base: SideFigures
    """Before."""
    tuned: SideFigures
    """After."""
    distance: Array
    """Square of the distance between the two means of each topic, and last of the whole, shape (r, topics + 1); empty
    without a shared space."""
    chord: Array
    """Square of the distance between their directions, likewise; NaN where a mean has no direction."""
    scalars: Array
    """Mean over each topic's texts, and last over all, of whatever columns were given, shape (r, topics + 1, c)."""


@dataclass(frozen=True)
class Measured:
    """What is drawn from, and what it gives."""

    found: Figures
    """For the corpus as it is."""
    drawn: Figures
    """For each resample."""
    dealt: Deal
    """The groups that were drawn."""


def measured(pair: Sides, dealt: Deal, scalars: Array, *, shared: bool, resamples: int, seed: int) -> Measured:
    """Figures of both sides for the corpus and its resamples; `scalars` are columns of numbers a text, shape (n, c)."""
    squares = [off_centre(pair.base, pair.base_moments.mean)]
    columns = [_centred(pair.base, pair.base_moments.mean, dealt)]
    if not pair.identical:
        squares.append(off_centre(pair.tuned, pair.tuned_moments.mean))
        columns.append(_centred(pair.tuned, pair.tuned_moments.mean, dealt))
    columns.append(dealt.totals(np.column_stack([*squares, scalars])))
    reader = _Reader(pair, dealt, shared)
    whole = np.hstack(columns)
    means = dealt.by_stratum(whole) / dealt.counts[:, None]
    found = reader(means[None], paired=True)
    paired = dealt.topics <= MOST_PAIRED
    blocks = [reader(block, paired=paired) for block in redraw(dealt, whole, resamples=resamples, seed=seed)]
    return Measured(found, _joined(blocks), dealt)


def off_centre(vectors: NDArray[np.floating], mean: Array) -> Array:
    """Square of the distance of each unit row to `mean` (d,), shape (n,)."""
    made, middle = np.empty(len(vectors)), mean.astype(np.float32)
    for span, rows in unit_blocks(vectors):
        rows -= middle
        made[span] = np.vecdot(rows, rows)
    return made


def _centred(vectors: NDArray[np.floating], mean: Array, dealt: Deal) -> Array:
    return dealt.sums(vectors) - dealt.sizes[:, None] * mean


@dataclass(frozen=True)
class _Reader:
    """Reads figures from means (r, strata, columns): base, tuned (unless identical), squares, scalars."""

    pair: Sides
    dealt: Deal
    shared: bool

    def __call__(self, means: NDArray[np.floating], *, paired: bool) -> Figures:
        d, e = self.pair.base.shape[1], self.pair.tuned.shape[1]
        parts = 1 if self.pair.identical else 2
        base, rest = means[..., :d], means[..., d:] if parts == 1 else means[..., d + e :]
        one = self._side(base, rest[..., 0], self.pair.base_moments.mean, paired)
        if parts == 1:
            tuned, other = base, one
        else:
            tuned = means[..., d : d + e]
            other = self._side(tuned, rest[..., 1], self.pair.tuned_moments.mean, paired)
        distance, chord = self._shift(base, tuned) if self.shared else (np.empty((len(means), 0)),) * 2
        return Figures(one, other, distance, chord, self._with_whole(rest[..., parts:]).astype(np.float64))

    def _side(
        self, means: NDArray[np.floating], squares: NDArray[np.floating], middle: Array, paired: bool
    ) -> SideFigures:
        topics = self.dealt.topics
        own = means[:, :topics]  # (r, topics, d), less the middle
        wide = np.maximum(squares[:, :topics] - np.vecdot(own, own), 0).astype(np.float64)  # mean |u - m|^2
        lengths = np.sqrt(np.maximum(1 - wide, 0))  # |m|^2 = 1 - mean |u - m|^2
        among = topics * np.vecdot(own, own).sum(axis=1, dtype=np.float64)
        total = own.sum(axis=1)
        pairs_of_topics = topics * (topics - 1) / 2
        with np.errstate(divide="ignore", invalid="ignore"):
            between = np.sqrt(np.maximum(among - np.vecdot(total, total), 0) / pairs_of_topics)
            within = np.sqrt(wide.mean(axis=1)) if topics else np.full(len(means), np.nan)
            ratio = np.where(within > SAME, between / within, np.nan)
        whole = self._with_whole(means)[:, -1] + middle.astype(means.dtype)
        return SideFigures(
            spread=wide / (1 + lengths),
            between=between if topics > 1 else np.full(len(means), np.nan),
            ratio=ratio if topics > 1 else np.full(len(means), np.nan),
            pairs=_distances(own) if paired else np.empty((len(means), 0, 0)),
            square=np.vecdot(whole, whole).astype(np.float64),
        )

    def _shift(self, base: NDArray[np.floating], tuned: NDArray[np.floating]) -> tuple[Array, Array]:
        middles = [side.mean.astype(base.dtype) for side in (self.pair.base_moments, self.pair.tuned_moments)]
        before, after = self._with_whole(base), self._with_whole(tuned)  # (r, topics + 1, d)
        step = (after - before) + (middles[1] - middles[0])
        before, after = before + middles[0], after + middles[1]
        lengths = [np.sqrt(np.vecdot(side, side)) for side in (before, after)]
        with np.errstate(divide="ignore", invalid="ignore"):
            turn = after / lengths[1][..., None] - before / lengths[0][..., None]
        told = np.minimum(*lengths) > SAME
        return np.vecdot(step, step).astype(np.float64), np.where(told, np.vecdot(turn, turn), np.nan)

    def _with_whole(self, means: NDArray[np.floating]) -> NDArray[np.floating]:
        """Means of the topics, then of the whole corpus: (r, topics + 1, c)."""
        shares = (self.dealt.counts / self.dealt.counts.sum()).astype(means.dtype)
        whole = np.einsum("s,rsc->rc", shares, means)
        return np.concatenate([means[:, : self.dealt.topics], whole[:, None]], axis=1)


def _distances(means: NDArray[np.floating]) -> Array:
    """Distance of every two of `means` (r, topics, d), shape (r, topics, topics)."""
    squares = np.vecdot(means, means).astype(np.float64)
    products = np.matmul(means, means.swapaxes(1, 2)).astype(np.float64)
    made = np.sqrt(np.maximum(squares[:, :, None] + squares[:, None] - 2 * products, 0))
    diagonal = np.arange(means.shape[1])
    made[:, diagonal, diagonal] = 0
    return np.asarray(made)


def _joined(blocks: list[Figures]) -> Figures:
    """The same figures of several blocks of resamples, one after the other."""
    sides = [
        SideFigures(
            **{
                field.name: np.concatenate([getattr(getattr(block, side), field.name) for block in blocks])
                for field in fields(SideFigures)
            }
        )
        for side in ("base", "tuned")
    ]
    rest = [np.concatenate([getattr(block, name) for block in blocks]) for name in ("distance", "chord", "scalars")]
    return Figures(sides[0], sides[1], *rest)
