"""Covariance with shrinkage (Ledoit and Wolf 2004, "A well-conditioned estimator for large-dimensional covariance").

With fewer texts than a few times d the empirical covariance S has directions of almost no variance, and its inverse
blows them up. The estimator pulls it towards a sphere of the same total variance,

    (1 - shrinkage) S + shrinkage mu I,    mu = trace(S) / d

by the share that minimises the expected squared error. Equal to scikit-learn's `LedoitWolf`, but read block by block.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.geometry.moments import Moments, moments
from lib.geometry.vectors import unit_blocks
from lib.results import Result


@dataclass(frozen=True)
class ShrunkCovariance(Result):
    """Mean and shrunk covariance of unit embeddings."""

    mean: NDArray[np.float64]
    """Mean unit embedding, shape (d,)."""
    empirical: NDArray[np.float64]
    """Covariance before shrinking, divided by n, shape (d, d)."""
    sphere: float
    """mu: variance of the sphere, the mean of the eigenvalues."""
    shrinkage: float
    """Weight of the sphere, in [0, 1]."""
    items: int
    """Embeddings behind it, n."""

    @property
    def matrix(self) -> NDArray[np.float64]:
        """The shrunk covariance, shape (d, d)."""
        return (1 - self.shrinkage) * self.empirical + self.shrinkage * self.sphere * np.eye(len(self.mean))


def shrunk_covariance(embeddings: NDArray[np.floating], *, known: Moments | None = None) -> ShrunkCovariance:
    """Estimate the covariance of `embeddings` (n, d) at unit length; `known` are their moments, if already summed.

    Embeddings that are all the same have covariance 0 and shrinkage 1.

    Raises:
        InputError: no embeddings, or one of zero length.
    """
    sums = known or moments(embeddings)
    n, d = sums.n, len(sums.total)
    covariance = sums.scatter / n
    sphere = max(float(np.trace(covariance)) / d, 0.0)
    fourth = 0.0  # sum_i |u_i - mean|^4
    for _, rows in unit_blocks(embeddings):
        fourth += float(np.square(np.square(rows - sums.mean).sum(axis=1)).sum())
    squared = float(np.square(covariance).sum())
    distance = squared / d - sphere**2  # between the covariance and its sphere, over d
    error = (fourth / n - squared) / (n * d)  # of the covariance, over d
    shrinkage = 1.0 if distance <= _ROUNDING * sphere**2 else float(np.clip(error / distance, 0, 1))
    return ShrunkCovariance(sums.mean, covariance, sphere, shrinkage, n)


_ROUNDING = 1e-12
