"""How many dimensions the states fill at each depth: components and participation ratio of all, TwoNN of a sample."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.geometry import Moments, Neighbours, intrinsic_dimension
from lib.geometry.dimension import components
from lib.layers.similarity import varies


@dataclass(frozen=True)
class DepthDimensions:
    """Intrinsic dimension by depth; see `lib.geometry.IntrinsicDimension` for what each means."""

    components_90: NDArray[np.int64]
    """Shape (depths,)."""
    components_95: NDArray[np.int64]
    """Shape (depths,)."""
    components_99: NDArray[np.int64]
    """Shape (depths,)."""
    participation_ratio: NDArray[np.float64]
    """Shape (depths,)."""
    two_nn: NDArray[np.float64]
    """Shape (depths,), NaN where there is none."""
    two_nn_interval: NDArray[np.float64]
    """Shape (depths, 2), NaN where there is none."""


def depth_dimensions(
    moments: Sequence[Moments],
    sample: Sequence[NDArray[np.float32]],
    nearest: Sequence[Neighbours | None],
    *,
    seed: int = 0,
) -> DepthDimensions:
    """Dimensions by depth from the `moments` of all texts, the states of a `sample` (m, d) and their neighbours."""
    counts = np.zeros((3, len(moments)), dtype=np.int64)
    ratio = np.zeros(len(moments))
    estimates, intervals = np.full(len(moments), np.nan), np.full((len(moments), 2), np.nan)
    for depth, (own, states, near) in enumerate(zip(moments, sample, nearest, strict=True)):
        if varies(own):
            cumulative = np.cumsum(own.spectrum) / own.spectrum.sum()
            counts[:, depth] = [components(cumulative, share) for share in (0.90, 0.95, 0.99)]
            ratio[depth] = np.square(own.spectrum.sum()) / np.square(own.spectrum).sum()
        if near is not None:
            told = intrinsic_dimension(states, known=own, nearest=near, seed=seed)
            if told.two_nn is not None and told.two_nn_interval is not None:
                estimates[depth], intervals[depth] = told.two_nn, told.two_nn_interval
    return DepthDimensions(counts[0], counts[1], counts[2], ratio, estimates, intervals)
