"""The shape of the space before and after: anisotropy (do all vectors point one way?) and intrinsic dimension."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.errors import InputError
from lib.finetune.diff.centroids import ends
from lib.finetune.diff.means import Measured
from lib.finetune.diff.resampling import LEVEL, corrected
from lib.geometry import Anisotropy, IntrinsicDimension, Neighbours
from lib.geometry.dimension import two_nn
from lib.geometry.vectors import SAME
from lib.results import Result


@dataclass(frozen=True, eq=False)
class AnisotropyChange(Result):
    """Mean cosine over every pair of texts before and after; needs no shared space."""

    base: Anisotropy
    """Of the base."""
    tuned: Anisotropy
    """Of the tuned."""
    delta: float
    """Mean cosine, tuned - base, in [-2, 2]: above 0, vectors point one way more than before. Exact."""
    interval: tuple[float, float]
    """95 % bootstrap interval of `delta`, over texts."""
    sphere: float
    """Mean cosine of directions uniform on the sphere: 0, the baseline of both."""
    sphere_deviation: float
    """Standard deviation of that mean over draws of n such directions, for the narrower width."""
    resamples: int
    """Resamples behind the interval."""
    seed: int
    """Seed of the resamples."""


@dataclass(frozen=True, eq=False)
class DimensionChange(Result):
    """Intrinsic dimension before and after; needs no shared space."""

    base: IntrinsicDimension
    """Of the base: TwoNN with its interval, principal components, participation ratio."""
    tuned: IntrinsicDimension
    """Of the tuned."""
    change: float | None
    """TwoNN, tuned - base, over the texts that tell it on both sides; None where one side cannot tell."""
    interval: tuple[float, float] | None
    """95 % bootstrap interval of `change` over those texts; None with it."""
    points: int
    """Texts behind `change`."""


def anisotropy_change(base: Anisotropy, tuned: Anisotropy, measured: Measured, *, seed: int = 0) -> AnisotropyChange:
    """The change of the mean cosine, with its interval from the `measured` means.

    A text drawn twice makes a pair of its own with cosine 1; that is taken off the resamples' mean cosines again.
    """
    n = base.items
    delta = tuned.mean_cosine - base.mean_cosine
    drawn = (measured.drawn.tuned.square - measured.drawn.base.square) * n / (n - 1)
    d = min(base.dimensions, tuned.dimensions)
    return AnisotropyChange(
        base=base,
        tuned=tuned,
        delta=delta,
        interval=ends(corrected(drawn, delta, biased=False)) if measured.dealt.told else (np.nan, np.nan),
        sphere=0.0,
        sphere_deviation=float(np.sqrt(2 / (n * (n - 1) * d))),
        resamples=len(drawn),
        seed=seed,
    )


def dimension_change(
    base: IntrinsicDimension, tuned: IntrinsicDimension, nearest: tuple[Neighbours, Neighbours], *, seed: int = 0
) -> DimensionChange:
    """The change of TwoNN over the texts that tell it on both sides; `nearest` holds two neighbours or more of each."""
    ratios = _ratios(*nearest)
    value = _change(ratios) if base.two_nn is not None and tuned.two_nn is not None else None
    rng = np.random.default_rng(seed)
    interval = None
    if value is not None:
        found = [_change(ratios[rng.integers(0, len(ratios), len(ratios))]) for _ in range(_RESAMPLES)]
        low, high = np.percentile([one for one in found if one is not None], LEVEL)
        interval = float(min(low, value)), float(max(high, value))
    return DimensionChange(base, tuned, value, interval, len(ratios))


_RESAMPLES = 200
_FEWEST = 10


def _ratios(base: Neighbours, tuned: Neighbours) -> NDArray[np.float64]:
    """r2 / r1 of the texts without a copy of themselves on either side, shape (m, 2)."""
    if base.distances.shape[1] < 2:
        return np.empty((0, 2))
    first, second = (np.stack([side.distances[:, rank] for side in (base, tuned)], axis=1) for rank in (0, 1))
    apart = (first > SAME).all(axis=1)
    return np.asarray(np.maximum(second[apart] / first[apart], 1.0))


def _change(ratios: NDArray[np.float64]) -> float | None:
    if len(ratios) < _FEWEST:
        return None
    try:
        return two_nn(ratios[:, 1]) - two_nn(ratios[:, 0])
    except InputError:  # second neighbours as near as first ones tell no dimension
        return None
