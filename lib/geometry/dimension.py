"""Intrinsic dimension: how many of its dimensions does the encoder use on this corpus?

Two views. Linear: the principal components that hold 90, 95 and 99 % of the variance, and the participation
ratio (sum of eigenvalues)^2 / sum of squares, the number of equal components that would spread it as evenly.
Nonlinear: TwoNN (Facco et al. 2017, doi:10.1038/s41598-017-11873-y), from the ratio of the distances to the
second and the first neighbour, which sees a curved sheet as two-dimensional however many components it bends
through. Both grow with the breadth of the corpus: compare encoders on the same texts only.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.errors import InputError
from lib.geometry.moments import Moments, moments
from lib.geometry.neighbours import Neighbours, neighbours
from lib.geometry.vectors import SAME, check
from lib.results import Result

_FEWEST_FOR_TWO_NN = 10
_DISCARD = 0.1  # share of the largest ratios, as in the paper


@dataclass(frozen=True)
class IntrinsicDimension(Result):
    """How many dimensions the embeddings fill, of the d that they have."""

    components_90: int
    """Principal components that together hold 90 % of the variance, in [0, d]; 0 when nothing varies."""
    components_95: int
    """The same for 95 %."""
    components_99: int
    """The same for 99 %."""
    cumulative: NDArray[np.float64]
    """Share of the variance in the first 1, 2 ... d components, shape (d,), ends at 1 (all 0 when nothing varies)."""
    participation_ratio: float
    """(sum of eigenvalues)^2 / sum of squared eigenvalues, in [1, d]; 0 when nothing varies."""
    two_nn: float | None
    """TwoNN estimate; None with fewer than ten points behind it, or if second neighbours are as near as first ones."""
    two_nn_interval: tuple[float, float] | None
    """95 % interval of `two_nn` over resampled points; None with it."""
    two_nn_points: int
    """Points behind `two_nn`: those asked, less those with a copy of themselves."""
    copies: int
    """Points asked whose nearest neighbour is at distance zero: left out of `two_nn`."""
    every_row: bool
    """Whether `two_nn` asked every point rather than a sample of points (each against the whole corpus)."""
    items: int
    """Embeddings measured, n."""
    dimensions: int
    """Dimensions of an embedding, d."""
    seed: int
    """Seed of the sample of points and of the interval."""


def intrinsic_dimension(
    embeddings: NDArray[np.floating],
    *,
    known: Moments | None = None,
    nearest: Neighbours | None = None,
    seed: int = 0,
) -> IntrinsicDimension:
    """Measure the intrinsic dimension of the directions of `embeddings`, shape (n, d), n >= 2.

    `known` and `nearest` (two neighbours or more) are used where they were already computed.

    Raises:
        InputError: fewer than two embeddings, or one of zero length.
    """
    n, d = check(embeddings, minimum=2, what="Intrinsic dimension")
    spectrum = (known or moments(embeddings)).spectrum
    cumulative = _cumulative(spectrum)
    asked = nearest or neighbours(embeddings, k=2, seed=seed)
    ratios, copies = _ratios(asked)
    told = len(ratios) >= _FEWEST_FOR_TWO_NN and _log_ratios(ratios, _DISCARD).any()
    return IntrinsicDimension(
        components_90=components(cumulative, 0.90),
        components_95=components(cumulative, 0.95),
        components_99=components(cumulative, 0.99),
        cumulative=cumulative,
        participation_ratio=float(np.square(spectrum.sum()) / np.square(spectrum).sum()) if cumulative.any() else 0.0,
        two_nn=two_nn(ratios) if told else None,
        two_nn_interval=_interval(ratios, seed) if told else None,
        two_nn_points=len(ratios),
        copies=copies,
        every_row=asked.every_row,
        items=n,
        dimensions=d,
        seed=seed,
    )


def components(cumulative: NDArray[np.float64], share: float) -> int:
    """The fewest leading components whose `cumulative` share of the variance reaches `share`; 0 if nothing varies."""
    if not cumulative.any():
        return 0
    return int(np.searchsorted(cumulative, share - 1e-12) + 1)


def two_nn(ratios: NDArray[np.float64], *, discard: float = _DISCARD) -> float:
    """TwoNN from `ratios` r2 / r1 >= 1, shape (m,): slope through the origin of -log(1 - F) on log(ratio).

    F is the empirical distribution of the ratios; the largest `discard` of them are left out, as in the paper.

    Raises:
        InputError: fewer than two ratios are left, or all of them are 1.
    """
    if not 0 < discard < 1:
        raise InputError(f"TwoNN discards a share of the ratios between 0 and 1, got {discard}.")
    x = _log_ratios(ratios, discard)
    if len(x) < 2:
        raise InputError(f"TwoNN needs at least 3 points with a second neighbour, got {len(ratios)}.")
    if not x.any():
        raise InputError("TwoNN needs points whose two nearest neighbours are at different distances.")
    return _slope(x, len(ratios))


def _log_ratios(ratios: NDArray[np.float64], discard: float) -> NDArray[np.float64]:
    """Logarithms of the kept ratios, ascending, shape (kept,)."""
    return np.log(np.sort(ratios)[: int(len(ratios) * (1 - discard))])


def _slope(x: NDArray[np.float64], points: int) -> float:
    y = -np.log(1 - np.arange(1, len(x) + 1) / points)
    return float(x @ y / (x @ x))


def _ratios(asked: Neighbours) -> tuple[NDArray[np.float64], int]:
    """r2 / r1 >= 1 of the points without a copy, and how many have one."""
    if asked.distances.shape[1] < 2:
        return np.empty(0), int((asked.distances[:, 0] <= SAME).sum())
    first, second = asked.distances[:, 0], asked.distances[:, 1]
    apart = first > SAME
    ratios = second[apart] / first[apart]
    return np.where(ratios > 1 + _ROUNDING, ratios, 1.0), int((~apart).sum())


_ROUNDING = 1e-6  # relative, of the distance of two unit vectors in float32


def _interval(ratios: NDArray[np.float64], seed: int, resamples: int = 200) -> tuple[float, float]:
    """Middle 95 % of the estimates over bootstrap samples of the points, of those that tell a dimension."""
    rng = np.random.default_rng(seed)
    drawn = (_log_ratios(rng.choice(ratios, size=len(ratios)), _DISCARD) for _ in range(resamples))
    low, high = np.percentile([_slope(x, len(ratios)) for x in drawn if x.any()], [2.5, 97.5])
    return float(low), float(high)


def _cumulative(spectrum: NDArray[np.float64]) -> NDArray[np.float64]:
    total = spectrum.sum()
    return np.cumsum(spectrum) / total if total > SAME**2 else np.zeros_like(spectrum)
