"""Sums over blocks of texts that an evaluation is made of: added up in any order, merged from several workers."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.errors import InputError
from lib.sae.codes import Codes


@dataclass(eq=False)
class Sums:
    """What was seen so far, in float64; g groups of texts, the last of them the texts without a label."""

    origin: NDArray[np.float64]
    """A point near the vectors that distances are taken from first, so that no digits are lost; shape (d,)."""
    counts: NDArray[np.int64]
    """Texts by group, shape (g,)."""
    error: NDArray[np.float64]
    """Sum of |x - x_hat|^2 by group, shape (g,)."""
    first: NDArray[np.float64]
    """Sum of x - origin by group, shape (g, d)."""
    second: NDArray[np.float64]
    """Sum of |x - origin|^2 by group, shape (g,)."""
    fired: NDArray[np.int64]
    """Texts on which each feature fires, shape (n,)."""
    active: NDArray[np.int64]
    """Texts on which so many features fire, shape (n + 1,)."""
    cosine: float = 0.0
    """Sum of cosines of x and x_hat."""
    length_ratio: float = 0.0
    """Sum of |x_hat| / |x|."""
    with_length: int = 0
    """Texts behind those two: x and x_hat both other than 0."""

    @classmethod
    def none(cls, features: int, origin: NDArray[np.floating], labels: int) -> "Sums":
        """Before the first block."""
        d, g = len(origin), labels + 1
        return cls(
            origin=origin.astype(np.float64),
            counts=np.zeros(g, dtype=np.int64),
            error=np.zeros(g),
            first=np.zeros((g, d)),
            second=np.zeros(g),
            fired=np.zeros(features, dtype=np.int64),
            active=np.zeros(features + 1, dtype=np.int64),
        )

    @property
    def texts(self) -> int:
        """Texts seen."""
        return int(self.counts.sum())

    @property
    def mean(self) -> NDArray[np.float64]:
        """Mean of all vectors, shape (d,)."""
        found: NDArray[np.float64] = self.origin + self.first.sum(axis=0) / max(self.texts, 1)
        return found

    def add(
        self,
        vectors: NDArray[np.floating],
        reconstructed: NDArray[np.floating],
        codes: Codes,
        groups: NDArray[np.integer],
    ) -> None:
        """Count one block: vectors and reconstructions (b, d), their codes, and the group of each text (b,).

        Raises:
            InputError: NaN or infinite numbers among the vectors.
        """
        g = len(self.counts)
        x = np.asarray(vectors, dtype=np.float64)
        if not np.isfinite(x).all():
            raise InputError("The embeddings hold NaN or infinite numbers: nothing can be evaluated.")
        x_hat = np.asarray(reconstructed, dtype=np.float64)
        off = x - self.origin
        self.counts += np.bincount(groups, minlength=g)
        self.error += np.bincount(groups, ((x - x_hat) ** 2).sum(axis=1), minlength=g)
        self.second += np.bincount(groups, (off**2).sum(axis=1), minlength=g)
        for group in np.unique(groups):
            self.first[group] += off[groups == group].sum(axis=0)
        self.fired += np.bincount(codes.features, minlength=len(self.fired))
        self.active += np.bincount(codes.active, minlength=len(self.active))
        lengths, got = np.linalg.norm(x, axis=1), np.linalg.norm(x_hat, axis=1)
        both = (lengths > 0) & (got > 0)
        self.cosine += float(((x * x_hat).sum(axis=1)[both] / (lengths * got)[both]).sum())
        self.length_ratio += float((got[both] / lengths[both]).sum())
        self.with_length += int(both.sum())

    def merge(self, other: "Sums") -> None:
        """Count what `other` saw as well.

        Raises:
            ValueError: of another dictionary, other groups or another origin.
        """
        if self.fired.shape != other.fired.shape or self.first.shape != other.first.shape:
            raise ValueError("Sums of another dictionary or other groups cannot be merged")
        if not np.array_equal(self.origin, other.origin):
            raise ValueError("Sums from another origin cannot be merged")
        for name in ("counts", "error", "first", "second", "fired", "active"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.cosine += other.cosine
        self.length_ratio += other.length_ratio
        self.with_length += other.with_length

    def spread(self, centre: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sum of |x - centre|^2 by group, shape (g,)."""
        off = centre - self.origin
        found = self.second - 2 * self.first @ off + self.counts * float(off @ off)
        found[found < 1e-12 * (self.second + self.counts * float(off @ off))] = 0  # rounding alone
        return found

    def active_quantile(self, q: float) -> float:
        """Features that fire on the text at quantile q, when texts are ordered by how many do."""
        reached = np.cumsum(self.active) >= q * self.texts
        return float(reached.argmax())
