"""What a rotation explains: how much of the movement of the texts could a search see?

A search looks at cosines alone, and turning the whole space changes none. The orthogonal map Q that brings the base
nearest to the tuned vectors (Schoenemann 1966) is read from M = sum_i b_i^T t_i: with M = U S V^T, Q = U V^T, and

    mean cosine of a text with itself:   as it stands  trace(M) / n       after turning  sum(S) / n

Where widths differ the narrower vectors take zeros for what they lack. Q is fitted on these very texts: what is left,
1 - sum(S) / n, is a distance between the two tables of cosines (Bures), and 0 exactly where those are equal.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.finetune.diff.groups import ProbeTopics, TopicSums
from lib.finetune.diff.sides import Sides
from lib.geometry.vectors import SAME, blocks, unit_blocks, unit_rows
from lib.results import Result


@dataclass(frozen=True, eq=False)
class Rotation(Result):
    """How far texts lie from themselves before and after the best rotation of the base."""

    distance: float | None
    """Mean cosine distance of a text's base and tuned vector, in [0, 2]; None without a shared space."""
    distance_aligned: float
    """The same after the best rotation, in [0, 1]: what no rotation explains, and a search can see."""
    distance_chance: float
    """The same where tuned texts are shuffled: what the best rotation leaves of unrelated texts."""
    explained: float | None
    """Share of `distance` that the rotation takes away, in [0, 1]: 1 = the space was only turned. None without a shared
    space, and where nothing moved."""
    aligned: NDArray[np.float64]
    """Cosine of each text's rotated base vector with its tuned one, in [-1, 1], shape (n,)."""
    names: tuple[str, ...]
    """Topics, shape (topics,)."""
    topic_distance: NDArray[np.float64]
    """Distance between each topic's rotated base centroid and its tuned one, in [0, 2], shape (topics,)."""
    items: int
    """Texts, n."""
    seed: int
    """Seed of the shuffle."""


def rotation(pair: Sides, topics: ProbeTopics, sums: TopicSums, *, shared: bool, seed: int = 0) -> Rotation:
    """How much of the movement from base to tuned the best rotation of the base explains."""
    turn, reached = best_rotation(pair.raw_cross)
    n = pair.items
    identical = pair.identical
    left = 0.0 if identical else float(np.clip(1 - reached / n, 0, 1))
    stands = None
    if shared:
        stands = 0.0 if identical else float(np.clip(1 - np.trace(pair.raw_cross) / n, 0, 2))
    aligned = np.ones(n) if identical else _turned_cosines(pair, turn)
    return Rotation(
        distance=stands,
        distance_aligned=left,
        distance_chance=_by_chance(pair, seed),
        explained=float(np.clip(1 - left / stands, 0, 1)) if stands is not None and stands > SAME else None,
        aligned=aligned,
        names=topics.names,
        topic_distance=np.zeros(len(topics.names)) if identical else _topic_distances(sums, turn),
        items=n,
        seed=seed,
    )


def best_rotation(cross: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """The map Q (d, d') with orthonormal rows or columns that maximises trace(Q^T M) of M = `cross`, and that trace."""
    left, values, right = np.linalg.svd(cross, full_matrices=False)
    return left @ right, float(values.sum())


def _turned_cosines(pair: Sides, turn: NDArray[np.float64]) -> NDArray[np.float64]:
    made, by = np.empty(pair.items), turn.astype(np.float32)
    for (span, one), (_, other) in zip(unit_blocks(pair.base), unit_blocks(pair.tuned), strict=True):
        made[span] = np.vecdot(one @ by, other)
    return np.clip(made, -1, 1)


def _topic_distances(sums: TopicSums, turn: NDArray[np.float64]) -> NDArray[np.float64]:
    before, after = sums.means
    gap = before @ turn - after
    return np.asarray(np.sqrt(np.vecdot(gap, gap)))


def _by_chance(pair: Sides, seed: int) -> float:
    """What the best rotation leaves where each text is held against another one, drawn at random."""
    order = np.random.default_rng(seed).permutation(pair.items)
    cross = np.zeros(pair.cross.shape)
    for span in blocks(pair.items):
        cross += unit_rows(pair.base, np.arange(span.start, span.stop)).T @ unit_rows(pair.tuned, order[span])
    values = np.linalg.svd(cross, compute_uv=False)
    return float(np.clip(1 - values.sum() / pair.items, 0, 1))
