"""Linear CKA without bias: do both checkpoints lay the texts out alike, but for rotation and scale?

Centred kernel alignment (Kornblith et al. 2019, arXiv:1905.00414) with the unbiased HSIC of Song et al. (2012,
JMLR 13), as Nguyen et al. (2021, arXiv:2010.15327) use it: unrelated layouts of any widths have 0 on average, however
few texts there are.
"""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from lib.finetune.diff.sides import Sides
from lib.geometry.vectors import SAME, blocks, unit_rows
from lib.results import Result

FEWEST = 20
"""Texts from which on an interval is given."""
_GROUPS = 20
_T = 2.093  # 97.5 % quantile of Student's t with 19 degrees of freedom


@dataclass(frozen=True, eq=False)
class Cka(Result):
    """Linear CKA of the two sides; needs no shared space."""

    value: float | None
    """In [-1, 1]: 1 = the same layout but for rotation and scale, 0 = unrelated. None under 4 texts, and where one side
    has all texts in one point."""
    interval: tuple[float, float] | None
    """95 % interval over texts (jackknife over groups of texts); None with `value`, and under `FEWEST` texts."""
    chance: float
    """What unrelated layouts have on average: 0."""
    items: int
    """Texts, n."""
    seed: int
    """Seed of the groups."""


def cka(pair: Sides, *, seed: int = 0) -> Cka:
    """Unbiased linear CKA of the two sides, exact, with a jackknife interval over 20 random groups of texts."""
    n = pair.items
    flat = min(np.trace(side.scatter) for side in (pair.base_moments, pair.tuned_moments)) <= n * SAME**2
    if n < _FEWEST_FOR_VALUE or flat:
        return Cka(None, None, 0.0, n, seed)
    if pair.identical:
        return Cka(1.0, (1.0, 1.0) if n >= FEWEST else None, 0.0, n, seed)
    whole = _sums(pair, np.arange(n), (pair.cross, pair.base_moments.scatter, pair.tuned_moments.scatter))
    value = whole.cka()
    if value is None or n < FEWEST:
        return Cka(value, None, 0.0, n, seed)
    dealt = np.random.default_rng(seed).permutation(n) % _GROUPS
    left = [whole.without(_sums(pair, np.flatnonzero(dealt == group))).cka() for group in range(_GROUPS)]
    told = np.array([one for one in left if one is not None])
    error = _T * float(np.sqrt((len(told) - 1) * told.var()))
    return Cka(value, (max(value - error, -1.0), min(value + error, 1.0)), 0.0, n, seed)


_FEWEST_FOR_VALUE = 4
Crosses = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]


@dataclass(frozen=True)
class _Side:
    """Sums over texts of the vectors x of one side about a fixed point, with y those of the other side."""

    gram: NDArray[np.float64]  # x^T x
    total: NDArray[np.float64]  # x
    square: float  # |x|^2
    by_own: NDArray[np.float64]  # x |x|^2
    by_other: NDArray[np.float64]  # x |y|^2
    fourth: float  # |x|^4

    def without(self, part: "_Side") -> "_Side":
        names = [field.name for field in fields(self)]
        return _Side(**{name: getattr(self, name) - getattr(part, name) for name in names})


@dataclass(frozen=True)
class _Sums:
    """All that HSIC needs of a set of texts; what belongs to a part of them can be taken off."""

    n: int
    x: _Side
    y: _Side
    cross: NDArray[np.float64]  # x^T y
    product: float  # |x|^2 |y|^2

    def without(self, part: "_Sums") -> "_Sums":
        x, y = self.x.without(part.x), self.y.without(part.y)
        return _Sums(self.n - part.n, x, y, self.cross - part.cross, self.product - part.product)

    def cka(self) -> float | None:
        """HSIC(x, y) / sqrt(HSIC(x, x) HSIC(y, y)); None where x or y does not vary beyond chance."""
        x, y = self.x, self.y
        one = self._hsic((x, x.by_own), (x, x.by_own), x.gram, x.fourth)
        other = self._hsic((y, y.by_own), (y, y.by_own), y.gram, y.fourth)
        if min(one, other) <= 0:
            return None
        both = self._hsic((x, x.by_other), (y, y.by_other), self.cross, self.product)
        return float(np.clip(both / np.sqrt(one * other), -1, 1))

    def _hsic(
        self,
        left: tuple[_Side, NDArray[np.float64]],
        right: tuple[_Side, NDArray[np.float64]],
        cross: NDArray[np.float64],
        product: float,
    ) -> float:
        """Song et al. 2012, equation 5, times n (n - 3), of the kernels x . x' and y . y' without their diagonals."""
        (x, x_weighted), (y, y_weighted), n = left, right, self.n
        traced = np.square(cross).sum() - product
        rows = x.total @ cross @ y.total - x.total @ x_weighted - y.total @ y_weighted + product
        every = (x.total @ x.total - x.square) * (y.total @ y.total - y.square)
        return float(traced + every / ((n - 1) * (n - 2)) - 2 * rows / (n - 2))


def _sums(pair: Sides, rows: NDArray[np.int64], known: Crosses | None = None) -> _Sums:
    """Sums over `rows`, about the means of both sides; `known` are x^T y, x^T x and y^T y, if already summed."""
    means = [side.mean.astype(np.float32) for side in (pair.base_moments, pair.tuned_moments)]
    widths = [len(mean) for mean in means]
    cross, *grams = known or (np.zeros(tuple(widths)), *(np.zeros((width, width)) for width in widths))
    vectors = [np.zeros((3, width)) for width in widths]  # totals, by own, by other
    numbers = np.zeros((2, 2))  # of each side: squares, fourth powers
    product = 0.0
    for span in blocks(len(rows)):
        x, y = (unit_rows(side, rows[span]) - mean for side, mean in zip((pair.base, pair.tuned), means, strict=True))
        squares = [np.vecdot(block, block).astype(np.float64) for block in (x, y)]
        for number, block in enumerate((x, y)):
            own, other = squares[number], squares[1 - number]
            vectors[number] += np.stack([np.ones(len(own)), own, other]).astype(np.float32) @ block
            numbers[number] += own.sum(), own @ own
        product += float(squares[0] @ squares[1])
        if known is None:
            cross += x.T @ y
            grams[0] += x.T @ x
            grams[1] += y.T @ y
    made = [
        _Side(gram, total, float(square), by_own, by_other, float(fourth))
        for gram, (total, by_own, by_other), (square, fourth) in zip(grams, vectors, numbers, strict=True)
    ]
    return _Sums(len(rows), made[0], made[1], cross, product)
