"""Reading: can the other model's vectors tell a feature's activation, whether or not it has a feature for it?

Two dictionaries of one and the same encoder, trained from two seeds, share about half of their features: a feature
without a counterpart need not be a concept that the other model lacks. So the activation of every feature over the
corpus is estimated from vectors by a ridge regression whose texts were held out: from its own model's, which is what
can be told on so many texts at best, and from the other's. Equal texts count once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lib.progress import Done, Progress, Told
from lib.results import Result
from lib.sae.codes import Codes
from lib.sae.matching.alignment import FEWEST_TEXTS, different

if TYPE_CHECKING:
    from scipy.sparse import csr_array

TOLD = 0.3
"""Correlation of a feature with its estimate from its own vectors, from which it can be told on a corpus at all."""
HALF = 0.5
"""Share of the variance told by its own vectors that the other's have to tell for it to be known there."""
MOST_TEXTS = 4_000
"""Different texts that estimates are made on; of more, so many are drawn."""
_FOLDS = 5
_PENALTIES = (0.01, 0.1, 1.0, 10.0)
_TRIED = 256  # features that a penalty is chosen on
_BLOCK = 2**22  # estimates held at once
_CHANCE = 0.99
_RANK, _SMALL = 1e-6, 1e-12
_STEPS = 3  # regressions: own vectors, the other's, and the other's shuffled


@dataclass(frozen=True, eq=False)
class Reading(Result):
    """How well vectors tell the n features of one model, on texts that were held out; arrays of shape (n,)."""

    own: NDArray[np.float32]
    """Correlation of a feature's activation with its estimate from its own model's vectors, -1 to 1; NaN where it fires
    on too few of the texts, or all texts are too few."""
    other: NDArray[np.float32]
    """The same from the other model's vectors."""
    shuffled: NDArray[np.float32]
    """The same from the other's vectors of shuffled texts."""
    chance: float
    """What 99 % of the features' correlations stay below when texts are shuffled; NaN where nothing was estimated."""
    told: NDArray[np.bool_]
    """Its own vectors tell it: a correlation of 0.3 or more, and beyond chance."""
    read: NDArray[np.bool_]
    """So do the other's: at least half the variance that its own tell, and beyond chance."""
    by_chance: NDArray[np.bool_]
    """The same from shuffled texts."""
    texts: int
    """Different texts behind it."""
    penalties: tuple[float, float]
    """Of the regressions on own and on the other's vectors, in units of the mean variance of a dimension."""
    seed: int
    """Of the draw of texts, of folds and of the shuffle."""

    @property
    def kept(self) -> NDArray[np.float64]:
        """Share of the variance told by own vectors that the other's tell, 0 to 1, shape (n,); 0 where none is."""
        own, other = (np.maximum(np.nan_to_num(one.astype(np.float64)), 0) for one in (self.own, self.other))
        share = np.divide(other, own, out=np.zeros_like(own), where=self.told)
        found: NDArray[np.float64] = np.minimum(share, 1) ** 2
        return found


def read_features(
    codes: Codes,
    vectors: tuple[NDArray[np.floating], NDArray[np.floating]],
    *,
    fewest: int,
    seed: int = 0,
    progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Reading:
    """Estimate what `codes` say, t texts, from `vectors`: their own model's and the other's, shapes (t, d), (t, e).

    Features that fire on fewer than `fewest` of the texts are left out.

    Raises:
        Stopped: `should_stop` said so.
    """
    told = Told(progress, should_stop).out_of(_STEPS * _FOLDS)
    told(0)
    generator = np.random.default_rng(seed)
    own, other = (np.asarray(side, dtype=np.float32) for side in vectors)
    rows = np.unique(generator.permutation(different(own, other))[:MOST_TEXTS])
    codes = codes.select(rows)
    count = np.bincount(codes.features, minlength=codes.width)
    features = np.flatnonzero((count >= fewest) & (count < len(codes)))
    found = np.full((3, codes.width), np.nan, dtype=np.float32)
    penalties = [0.0, 0.0]
    if len(rows) >= FEWEST_TEXTS and len(features):
        order = generator.permutation(len(rows))
        parts = [np.sort(part) for part in np.array_split(order, _FOLDS)]
        tried = np.sort(generator.permutation(len(features))[:_TRIED])
        actual = codes.matrix[:, features].tocsr()
        for side, x in enumerate((own[rows], other[rows])):
            folds = [_Fold(x, part) for part in parts]
            few = actual[:, tried].tocsr()
            means = [float(_held_out(folds, few, one).mean()) for one in _PENALTIES]
            penalties[side] = _PENALTIES[int(np.argmax(means))]
            found[side, features] = _held_out(folds, actual, penalties[side], told, side * _FOLDS)
        mixed = actual[generator.permutation(len(rows))].tocsr()
        found[2, features] = _held_out(folds, mixed, penalties[1], told, 2 * _FOLDS)
    told(_STEPS * _FOLDS)
    return _judged(found, len(rows), (penalties[0], penalties[1]), seed)


def _judged(found: NDArray[np.float32], texts: int, penalties: tuple[float, float], seed: int) -> Reading:
    own, other, shuffled = found
    known = shuffled[np.isfinite(shuffled)]
    chance = float(np.quantile(known, _CHANCE)) if len(known) else float("nan")
    with np.errstate(invalid="ignore"):
        told = (own >= TOLD) & (own > chance)
        wanted = np.maximum(np.sqrt(HALF) * own, chance)
        read, by_chance = told & (other >= wanted), told & (shuffled >= wanted)
    return Reading(
        own=own,
        other=other,
        shuffled=shuffled,
        chance=chance,
        told=told,
        read=read,
        by_chance=by_chance,
        texts=texts,
        penalties=penalties,
        seed=seed,
    )


class _Fold:
    """Texts that are held out, and the others along the main axes of their vectors, centred."""

    def __init__(self, x: NDArray[np.float32], out: NDArray[np.int64]) -> None:
        kept = np.setdiff1d(np.arange(len(x)), out)
        centre = x[kept].mean(axis=0)
        here, there = x[kept] - centre, x[out] - centre
        if len(kept) < x.shape[1]:
            values, scores = np.linalg.eigh(here @ here.T)
            some = values > _RANK * max(float(values[-1]), 1e-30)
            axes = here.T @ scores[:, some] / np.sqrt(values[some])
        else:
            values, axes = np.linalg.eigh(here.T @ here)
            some = values > _RANK * max(float(values[-1]), 1e-30)
            axes = axes[:, some]
        self.kept, self.out, self.values = kept, out, values[some]
        self.mean_variance = float((here**2).sum()) / x.shape[1]
        self.here, self.there = here @ axes, there @ axes
        """Shapes (kept, rank) and (out, rank)."""

    def estimates(self, actual: "csr_array", penalty: float) -> NDArray[np.float32]:
        """Of features whose activations over all texts are the columns of `actual`, shape (out, features)."""
        kept = actual[self.kept]
        weights = (kept.T @ self.here).T / (self.values + penalty * self.mean_variance)[:, None]
        mean = np.asarray(kept.sum(axis=0)).ravel() / len(self.kept)
        found: NDArray[np.float32] = self.there @ weights + mean
        return found


def _held_out(
    folds: list[_Fold], actual: "csr_array", penalty: float, told: Done | None = None, done: int = 0
) -> NDArray[np.float32]:
    """Correlation of each column of `actual`, shape (texts, features), with its estimate, over all held-out texts."""
    texts, n = actual.shape
    sums = np.zeros((3, n))
    step = max(1, _BLOCK // texts)
    for number, fold in enumerate(folds):
        if told is not None:
            told(done + number)
        for start in range(0, n, step):
            part = slice(start, start + step)
            guessed = fold.estimates(actual[:, part], penalty)
            sums[0, part] += guessed.sum(axis=0, dtype=np.float64)
            sums[1, part] += (guessed**2).sum(axis=0, dtype=np.float64)
            sums[2, part] += actual[fold.out][:, part].multiply(guessed).sum(axis=0)
    p, pp, pa = sums / texts
    a, aa = (np.asarray(one.sum(axis=0), dtype=np.float64).ravel() / texts for one in (actual, actual.power(2)))
    spread = np.sqrt(np.maximum((pp - p**2) * (aa - a**2), 0))
    return np.where(spread > _SMALL, (pa - p * a) / np.maximum(spread, _SMALL), 0.0).astype(np.float32)
