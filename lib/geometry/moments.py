"""First and second moments of the unit embeddings: sums over blocks that can be merged.

Mean cosine, contributions of dimensions and the whole spectrum follow from them, so a corpus larger than
memory is read once, and parts of it (another machine's, say) can be added up.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lib.geometry.vectors import check, unit_blocks


@dataclass(frozen=True)
class Moments:
    """Sums over n unit embeddings u; those of two parts of a corpus add up to the whole's."""

    n: int
    """How many embeddings were summed."""
    total: NDArray[np.float64]
    """Sum of u, shape (d,)."""
    scatter: NDArray[np.float64]
    """Sum of (u - mean) (u - mean)^T, shape (d, d); kept apart from the mean, beside which it may be tiny."""

    def __add__(self, other: "Moments") -> "Moments":
        n = self.n + other.n
        gap = self.mean - other.mean
        between = np.outer(gap, gap) * (self.n * other.n / n)  # Chan et al. 1979: the parts' means about the whole's
        return Moments(n, self.total + other.total, self.scatter + other.scatter + between)

    @property
    def mean(self) -> NDArray[np.float64]:
        """Mean unit embedding, shape (d,); its length is 1 when all point one way, near 0 when they spread."""
        return self.total / self.n

    @property
    def outer(self) -> NDArray[np.float64]:
        """Sum of u u^T, shape (d, d)."""
        return self.scatter + np.outer(self.total, self.mean)

    @cached_property
    def spectrum(self) -> NDArray[np.float64]:
        """Eigenvalues of the covariance scatter / n, shape (d,), descending, >= 0."""
        return _eigenvalues(self.scatter / self.n)

    @cached_property
    def raw_spectrum(self) -> NDArray[np.float64]:
        """Eigenvalues of the second moment matrix outer / n, shape (d,), descending, >= 0; they sum to 1."""
        return _eigenvalues(self.outer / self.n)


def moments(embeddings: NDArray[np.floating]) -> Moments:
    """Moments of `embeddings`, shape (n, d), read once, block by block.

    Raises:
        InputError: no embeddings, or one of zero length.
    """
    n, d = check(embeddings, minimum=1, what="This measure")
    near_mean, total, outer = np.zeros(d, dtype=np.float32), np.zeros(d), np.zeros((d, d))
    for span, rows in unit_blocks(embeddings):
        if span.start == 0:
            near_mean = rows.mean(axis=0, dtype=np.float64).astype(np.float32)
        rows -= near_mean  # small numbers keep their digits in float32 products
        total += rows.sum(axis=0)
        outer += rows.T @ rows
    return Moments(n, n * near_mean.astype(np.float64) + total, outer - np.outer(total, total / n))


def _eigenvalues(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.clip(np.linalg.eigvalsh(matrix)[::-1], 0, None)
