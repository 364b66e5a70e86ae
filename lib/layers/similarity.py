"""Do two depths lay the same texts out alike? Linear CKA and neighbour overlap.

Linear CKA (Kornblith et al. 2019, arXiv:1905.00414) of centred states X and Y: |X^T Y|^2 / (|X^T X| |Y^T Y|) in
Frobenius norms, 1 where they differ by a rotation and a scale. With few texts for the dimensions it is far above 0 for
unrelated states too; its mean over all ways of pairing the texts, tr K tr L / ((n - 1) |K| |L|) for the centred Gram
matrices K and L, is the baseline given here. Neighbour overlap: the share of a text's k nearest neighbours at one
depth that are among its k nearest at the other; k / (m - 1) by chance.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.geometry import Moments, Neighbours, neighbours
from lib.geometry.vectors import SAME, blocks
from lib.layers.sums import StateSums

_GRAM_ROWS = 128
_QUARTER = 4  # neighbours are at most this part of the others: nearly all of those would agree by chance


@dataclass(frozen=True)
class NeighbourOverlap:
    """How far the neighbourhoods at each depth agree with those of the output."""

    overlap: NDArray[np.float64]
    """Share of the k nearest that are among the output's, shape (depths,); NaN where nothing varies."""
    chance: float
    """The same with random neighbours; NaN with fewer than two texts."""
    k: int
    """Neighbours compared; 0 with fewer than two texts."""
    nearest: tuple[Neighbours | None, ...]
    """Of each depth, two or more where there are so many; None with fewer than two texts."""


def varies(moments: Moments) -> bool:
    """Whether the unit states differ at all; CKA, dimensions and neighbours need that they do."""
    return bool(np.trace(moments.scatter) / moments.n > SAME**2)


def cka_with_output(sums: StateSums) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Linear CKA of each depth with the last, and its baseline; both shape (depths,), NaN where nothing varies."""
    output = sums.moments[-1]
    cka, chance = np.full((2, len(sums.moments)), np.nan)
    for depth, (own, cross) in enumerate(zip(sums.moments, sums.cross, strict=True)):
        if varies(own) and varies(output):
            sizes = np.linalg.norm(own.scatter) * np.linalg.norm(output.scatter)
            cka[depth] = min(np.square(cross).sum() / sizes, 1.0)  # rounding may step over the end
            chance[depth] = np.trace(own.scatter) * np.trace(output.scatter) / ((sums.n - 1) * sizes)
    return cka, chance


def cka_between(states: Sequence[NDArray[np.float32]], varying: Sequence[bool]) -> NDArray[np.float64]:
    """Linear CKA of every two of `states`, each of shape (m, d), by Gram matrices in blocks; shape (depths, depths).

    NaN where one of the two is not `varying`.
    """
    centred = [(state - state.mean(axis=0, dtype=np.float64)).astype(np.float32) for state in states]
    products = np.zeros((len(states), len(states)))
    for span in blocks(len(states[0]), _GRAM_ROWS):
        grams = np.stack([(state[span] @ state.T).ravel() for state in centred]).astype(np.float64)
        products += grams @ grams.T
    sizes = np.sqrt(np.diag(products))
    told = np.array(varying) & (sizes > 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        cka = np.minimum(products / np.outer(sizes, sizes), 1.0)
    return np.where(np.outer(told, told), cka, np.nan)


def neighbour_overlap(
    states: Sequence[NDArray[np.float32]], varying: Sequence[bool], *, k: int, seed: int = 0
) -> NeighbourOverlap:
    """Overlap of the neighbourhoods in each of `states` (m, d) with those in the last, k lowered to (m - 1) / 4."""
    m = len(states[0])
    overlap = np.full(len(states), np.nan)
    if m < 2:
        return NeighbourOverlap(overlap, float("nan"), 0, (None,) * len(states))
    k = max(1, min(k, (m - 1) // _QUARTER))
    nearest = [neighbours(state, max(k, 2), exact_up_to=m, seed=seed) for state in states]
    if varying[-1]:
        output = nearest[-1].indices[:, :k]
        for depth in np.flatnonzero(varying):
            overlap[depth] = _shared(nearest[depth].indices[:, :k], output)
    return NeighbourOverlap(overlap, k / (m - 1), k, tuple(nearest))


def _shared(some: NDArray[np.int64], others: NDArray[np.int64]) -> float:
    """Mean share of the rows' neighbours (m, k) that stand among `others` (m, k), in [0, 1]."""
    return float((some[:, :, None] == others[:, None, :]).any(axis=2).mean())
