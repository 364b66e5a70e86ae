"""Ridge regression from sums: texts pass once, and what is kept of them is D x (D + d) numbers for each depth."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class CrossSums:
    """Sums over n pairs of a state h, shape (D,), and an output x, shape (d,); those of two batches add up."""

    n: int
    """Pairs."""
    mean_h: Array
    """Mean of h, shape (D,)."""
    mean_x: Array
    """Mean of x, shape (d,)."""
    hh: Array
    """Sum of (h - mean)^T (h - mean), shape (D, D)."""
    hx: Array
    """Sum of (h - mean)^T (x - mean), shape (D, d)."""
    xx: float
    """Sum of |x - mean|^2."""

    @classmethod
    def of(cls, h: NDArray[np.floating], x: NDArray[np.floating]) -> "CrossSums":
        """Of one batch, shapes (b, D) and (b, d), b at least 1."""
        h, x = h.astype(np.float64), x.astype(np.float64)
        mean_h, mean_x = h.mean(axis=0), x.mean(axis=0)
        h, x = h - mean_h, x - mean_x
        return cls(len(h), mean_h, mean_x, h.T @ h, h.T @ x, float(np.sum(x * x)))

    def __add__(self, other: "CrossSums") -> "CrossSums":
        n = self.n + other.n
        share = self.n * other.n / n
        gap_h, gap_x = self.mean_h - other.mean_h, self.mean_x - other.mean_x
        return CrossSums(
            n=n,
            mean_h=self.mean_h + (other.mean_h - self.mean_h) * (other.n / n),
            mean_x=self.mean_x + (other.mean_x - self.mean_x) * (other.n / n),
            hh=self.hh + other.hh + share * np.outer(gap_h, gap_h),
            hx=self.hx + other.hx + share * np.outer(gap_h, gap_x),
            xx=self.xx + other.xx + share * float(gap_x @ gap_x),
        )


def ridge_map(sums: CrossSums, penalty: float) -> tuple[Array, Array]:
    """Slopes M, shape (D, d), and offset c, shape (d,), that make sum |h M + c - x|^2 + n penalty v |M|^2 least.

    v is the mean variance of h's dimensions, so that a penalty means the same for states of any scale. Where h never
    varies, M is 0 and c the mean of x.
    """
    basis = _Basis.of(sums)
    slope = basis.vectors @ (basis.weights(penalty)[:, None] * basis.cross)
    return slope, sums.mean_x - sums.mean_h @ slope


def best_penalty(fitted: CrossSums, checked: CrossSums, penalties: Sequence[float]) -> float:
    """The one of `penalties` whose map, fitted on `fitted`, has the least squared error on `checked`."""
    basis = _Basis.of(fitted)
    # with M = V diag(w) P, the error on the checked pairs is a quadratic form in w
    linear = np.einsum("ij,ij->i", basis.cross, basis.vectors.T @ checked.hx)  # (D,)
    quadratic = (basis.vectors.T @ checked.hh @ basis.vectors) * (basis.cross @ basis.cross.T)  # (D, D)
    gap_h, gap_x = basis.vectors.T @ (checked.mean_h - fitted.mean_h), checked.mean_x - fitted.mean_x

    def error(penalty: float) -> float:
        w = basis.weights(penalty)
        shift = (gap_h * w) @ basis.cross - gap_x  # (d,)
        return float(checked.xx - 2 * w @ linear + w @ quadratic @ w + checked.n * shift @ shift)

    return min(penalties, key=error)


@dataclass(frozen=True, eq=False)
class _Basis:
    """Principal axes of h, in which every penalty has its solution at once."""

    values: Array
    """Variances along the axes, shape (D,)."""
    vectors: Array
    """The axes as columns, shape (D, D)."""
    cross: Array
    """Covariance with x along them, shape (D, d)."""

    @classmethod
    def of(cls, sums: CrossSums) -> "_Basis":
        values, vectors = np.linalg.eigh(sums.hh / sums.n)
        return cls(np.maximum(values, 0), vectors, vectors.T @ sums.hx / sums.n)

    def weights(self, penalty: float) -> Array:
        """1 / (variance + penalty v) along each axis, 0 along those without variance, shape (D,)."""
        bottom = self.values + penalty * self.values.mean()
        tiny = self.values <= self.values.max(initial=0.0) * 1e-12
        made: Array = np.divide(1.0, bottom, out=np.zeros_like(bottom), where=~tiny)
        return made
