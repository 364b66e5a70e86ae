"""The out-of-distribution rules, each fitted once on a reference and asked block by block.

A rule's `score` takes unit rows (b, d) and for each its place in the reference that the rule was fitted on, -1 where it
is not part of it; a row that is part is judged as if the reference had been fitted without it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lib.geometry.covariance import shrunk_covariance
from lib.geometry.neighbours import search
from lib.geometry.vectors import blocks, unit, unit_blocks

Rows = NDArray[np.float32]
Places = NDArray[np.int64]
_BLOCK_CELLS = 8_000_000  # 32 MB of float32 cosines


class ScoringRule(Protocol):
    """A fitted rule."""

    @property
    def k(self) -> int | None:
        """Neighbours in use, None where the rule has none."""

    @property
    def shrinkage(self) -> float | None:
        """Weight of the sphere in a covariance, None where the rule has none."""

    @property
    def label_centroids(self) -> int | None:
        """Labels with a centroid, None where the rule has none."""

    def score(self, units: Rows, places: Places) -> NDArray[np.float64]:
        """Scores of unit rows (b, d), shape (b,)."""


@dataclass(frozen=True)
class LabelRule:
    """Cosine distance to the nearest of several centroids."""

    totals: NDArray[np.float64]
    """Sum of each group's unit rows, shape (groups, d)."""
    counts: NDArray[np.int64]
    """Rows in each group, shape (groups,)."""
    groups: NDArray[np.int64]
    """Group of each reference row, shape (m,)."""
    k: None = None
    shrinkage: None = None

    @property
    def label_centroids(self) -> int | None:
        """Labels with a centroid."""
        return len(self.counts)

    @classmethod
    def fit(cls, base: NDArray[np.floating], kept: NDArray[np.int64], labels: Sequence[str | None]) -> "LabelRule":
        """Centroids of the rows `kept` of `base`, ascending, whose `labels` are given."""
        names = {name: group for group, name in enumerate(dict.fromkeys(labels))}
        groups = np.array([names[label] for label in labels], dtype=np.int64)
        everywhere = np.full(len(base), -1, dtype=np.int64)
        everywhere[kept] = groups
        return cls(_group_sums(base, everywhere, len(names)), np.bincount(groups, minlength=len(names)), groups)

    def score(self, units: Rows, places: Places) -> NDArray[np.float64]:
        """1 - the highest cosine with a group's centroid, own row taken out of its own group's."""
        lengths = np.linalg.norm(self.totals, axis=1)  # (groups,)
        centroids = (self.totals * _inverse(lengths)[:, None]).astype(np.float32)
        result = np.empty(len(units))
        for span in blocks(len(units), max(1, _BLOCK_CELLS // len(self.counts))):
            cosines = units[span] @ centroids.T  # (b, groups)
            inside = np.flatnonzero(places[span] >= 0)
            groups = self.groups[places[span][inside]]
            cosines[inside, groups] = _without_self(units[span][inside], self.totals[groups], self.counts[groups])
            result[span] = 1 - np.clip(cosines.max(axis=1), -1, 1)
        return result


@dataclass(frozen=True)
class CentroidRule(LabelRule):
    """Cosine distance to the one centroid of the whole reference."""

    @property
    def label_centroids(self) -> int | None:
        """None: labels play no part."""
        return None

    @classmethod
    def fit(cls, base: NDArray[np.floating]) -> "CentroidRule":  # type: ignore[override]
        """The centroid of every row of `base`."""
        groups = np.zeros(len(base), dtype=np.int64)
        return cls(_group_sums(base, groups, 1), np.array([len(base)]), groups)


@dataclass(frozen=True)
class NeighbourRule:
    """Cosine distance to the k-th nearest reference row."""

    base: Rows
    """The reference, shape (m, d)."""
    k: int
    """Which neighbour; at most m - 1."""
    shrinkage: None = None
    label_centroids: None = None

    @classmethod
    def fit(cls, base: NDArray[np.floating], k: int) -> "NeighbourRule":
        """Keep `base`, shape (m, d), to search in."""
        return cls(unit(base), min(k, len(base) - 1))

    def score(self, units: Rows, places: Places) -> NDArray[np.float64]:
        """1 - cosine with the k-th nearest row that is not the row itself."""
        result = np.empty(len(units))
        for span in blocks(len(units), 1_024):
            _, distances = search(units[span], self.base, self.k, exclude=places[span])
            result[span] = np.square(distances[:, -1]) / 2
        return result


@dataclass(frozen=True)
class LocalCentroidRule:
    """Cosine distance to the nearest local centroid: the mean of a reference row and its k nearest others."""

    centroids: Rows
    """Local centroid of each reference row, at length 1 (or 0 where it cancels out), shape (m, d)."""
    k: int
    """Neighbours in a local centroid; at most m - 2, so that a row can be left out."""
    members: NDArray[np.int64]
    """Reference row that takes part in a local centroid not its own, ascending, shape (m k,)."""
    hosts: NDArray[np.int64]
    """Reference row whose local centroid that is, shape (m k,)."""
    without: Rows
    """Cosine of the member with its host's local centroid once the next neighbour has taken its place, shape (m k,)."""
    shrinkage: None = None
    label_centroids: None = None

    @classmethod
    def fit(cls, base: NDArray[np.floating], k: int) -> "LocalCentroidRule":
        """Find the neighbours of each row of `base`, shape (m, d), and what leaving one of them out would change."""
        units = unit(base)
        m = len(units)
        k = min(k, m - 2)
        centroids, members = np.empty_like(units), np.empty((m, k), dtype=np.int64)
        without = np.empty((m, k), dtype=np.float32)
        for span in blocks(m, 1_024):
            rows = np.arange(span.start, span.stop)
            found, _ = search(units[span], units, k + 1, exclude=rows)
            members[span] = found[:, :k]
            inner = units[found[:, :k]]  # (b, k, d)
            total = units[span] + inner.sum(axis=1)  # (b, d)
            centroids[span] = total * _inverse(np.linalg.norm(total, axis=1))[:, None]
            left_out = (total + units[found[:, k]])[:, None, :] - inner
            lengths = np.linalg.norm(left_out, axis=2)
            without[span] = np.einsum("bkd,bkd->bk", inner, left_out) * _inverse(lengths)
        order = np.argsort(members.ravel(), kind="stable")
        hosts = np.repeat(np.arange(m), k)
        return cls(centroids, k, members.ravel()[order], hosts[order], without.ravel()[order])

    def score(self, units: Rows, places: Places) -> NDArray[np.float64]:
        """1 - the highest cosine with a local centroid, own row taken out of all that it is part of."""
        result = np.empty(len(units))
        for span in blocks(len(units), max(1, _BLOCK_CELLS // len(self.centroids))):
            cosines = units[span] @ self.centroids.T  # (b, m)
            inside = np.flatnonzero(places[span] >= 0)
            own = places[span][inside]
            cosines[inside, own] = -np.inf
            first, last = np.searchsorted(self.members, own), np.searchsorted(self.members, own, side="right")
            pairs = _ranges(first, last)
            cosines[np.repeat(inside, last - first), self.hosts[pairs]] = self.without[pairs]
            result[span] = 1 - np.clip(cosines.max(axis=1), -1, 1)
        return result


@dataclass(frozen=True)
class MahalanobisRule:
    """Distance to the mean in units of the shrunk covariance.

    Leaving a row out changes mean and covariance by a rank-one step (Sherman and Morrison); the weight and the size of
    the sphere that the covariance is shrunk to stay those of the whole reference.
    """

    mean: NDArray[np.float64]
    """Mean unit row, shape (d,)."""
    axes: NDArray[np.float64]
    """Eigenvectors of the covariance, as columns, shape (d, d)."""
    variances: NDArray[np.float64]
    """Its eigenvalues before shrinking, shape (d,)."""
    sphere: float
    """Mean of the eigenvalues: variance of the sphere."""
    shrinkage: float
    """Weight of the sphere."""
    n: int
    """Rows of the reference."""
    k: None = None
    label_centroids: None = None

    @classmethod
    def fit(cls, base: NDArray[np.floating]) -> "MahalanobisRule":
        """Mean and covariance of `base`, read twice, block by block."""
        found = shrunk_covariance(base)
        variances, axes = np.linalg.eigh(found.empirical)
        return cls(found.mean, axes, np.clip(variances, 0, None), found.sphere, found.shrinkage, found.items)

    def score(self, units: Rows, places: Places) -> NDArray[np.float64]:
        """Distance >= 0; 0 for all where the reference is one point and the row stands on it."""
        result = np.empty(len(units))
        inside = places >= 0
        growth = self.n / (self.n - 1)  # the covariance of the others, from that of all: growth * (S - c c^T / (n - 1))
        result[~inside] = self._squared(units[~inside], 1 - self.shrinkage)
        squared = self._squared(units[inside], (1 - self.shrinkage) * growth)
        step = (1 - self.shrinkage) * growth / (self.n - 1)
        result[inside] = growth**2 * squared / np.maximum(1 - step * squared, _TINY)
        return np.sqrt(result)

    def _squared(self, units: Rows, weight: float) -> NDArray[np.float64]:
        """c^T (weight * S + shrinkage * sphere * I)^-1 c with c = u - mean, shape (b,)."""
        spread = weight * self.variances + self.shrinkage * self.sphere
        spread = np.maximum(spread, _TINY + spread.max() * _TINY)
        return np.asarray(np.square((units - self.mean) @ self.axes / np.sqrt(spread)).sum(axis=1))


_TINY = 1e-12
_NO_LENGTH = 1e-5  # a sum of unit float32 rows this short has cancelled out


def _inverse(lengths: NDArray[np.floating]) -> NDArray[np.floating]:
    """1 / length; 0 where a sum has cancelled out, so that its cosine with anything is 0."""
    return np.where(lengths > _NO_LENGTH, 1 / np.maximum(lengths, _NO_LENGTH), 0)


def _without_self(units: Rows, totals: NDArray[np.float64], counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Cosine of each row with the sum of its group's other rows, shape (b,); -inf where there are none."""
    along = np.einsum("bd,bd->b", units, totals)
    squared = np.einsum("bd,bd->b", totals, totals) - 2 * along + 1
    cosines = (along - 1) * _inverse(np.sqrt(np.maximum(squared, 0)))
    return np.where(counts > 1, cosines, -np.inf)


def _group_sums(base: NDArray[np.floating], groups: NDArray[np.int64], count: int) -> NDArray[np.float64]:
    """Sum of unit rows by group, shape (count, d); rows of group -1 are passed over."""
    totals = np.zeros((count, base.shape[1]))
    for span, rows in unit_blocks(base):
        here = groups[span]
        if count == 1:
            totals[0] += rows[here == 0].sum(axis=0, dtype=np.float64)
            continue
        order = np.argsort(here, kind="stable")
        order = order[np.searchsorted(here[order], 0) :]
        if len(order):
            present, first = np.unique(here[order], return_index=True)
            totals[present] += np.add.reduceat(rows[order].astype(np.float64), first, axis=0)
    return totals


def _ranges(first: NDArray[np.int64], last: NDArray[np.int64]) -> NDArray[np.int64]:
    """Every number of range(first_i, last_i), one range after another."""
    lengths = last - first
    return np.asarray(np.arange(lengths.sum()) + np.repeat(first - np.cumsum(lengths) + lengths, lengths))
