"""Centroid shift: how far did each topic move?

A topic's centroid is the mean m of its unit vectors. Its shift has an angle, between the directions of m before and
after, and a distance, |m_tuned - m_base|, which also sees a topic that drew together where it stood. Intervals draw
the topic's texts again. A length is never below 0, so that resampled shifts lie above the one found by what the draw
adds; that bias is taken off the squares (see `resampling.corrected`).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.finetune.diff.groups import ProbeTopics
from lib.finetune.diff.means import Measured
from lib.finetune.diff.resampling import FEWEST, LEVEL, corrected
from lib.geometry.vectors import SAME
from lib.results import Result


@dataclass(frozen=True, eq=False)
class CentroidShift(Result):
    """How far each topic's centroid moved from base to tuned; only where both share one space.

    Intervals are 95 % bootstrap ones over texts, (low, high); NaN for a topic of fewer than 5 texts, and for
    a mean over topics most of which have one.
    """

    names: tuple[str, ...]
    """Topics, shape (topics,)."""
    counts: NDArray[np.int64]
    """Texts of each topic, shape (topics,)."""
    angle: NDArray[np.float64]
    """Degrees between the two mean directions, in [0, 180], shape (topics,); NaN where a mean has no direction."""
    angle_interval: NDArray[np.float64]
    """Its interval, shape (topics, 2)."""
    distance: NDArray[np.float64]
    """Distance between the two means of unit vectors, in [0, 2], shape (topics,)."""
    distance_interval: NDArray[np.float64]
    """Its interval, shape (topics, 2)."""
    relative: NDArray[np.float64]
    """`distance` over the base's distance from this centroid to the nearest other topic's, shape (topics,): 1 = it
    moved as far as its neighbour was; NaN with one topic, and where the neighbour stood in the same place."""
    mean_angle: float
    """Mean of `angle` over topics, each counted alike."""
    mean_angle_interval: tuple[float, float]
    """Its interval."""
    mean_distance: float
    """Mean of `distance` over topics, each counted alike."""
    mean_distance_interval: tuple[float, float]
    """Its interval."""
    whole_angle: float
    """Degrees by which the mean direction of the whole corpus turned: what all topics moved in common."""
    whole_angle_interval: tuple[float, float]
    """Its interval."""
    whole_distance: float
    """Distance between the two means of the whole corpus."""
    whole_distance_interval: tuple[float, float]
    """Its interval."""
    items: int
    """Texts with a topic."""
    resamples: int
    """Resamples behind the intervals."""
    seed: int
    """Seed of the resamples."""


def centroid_shift(measured: Measured, topics: ProbeTopics, *, seed: int = 0) -> CentroidShift:
    """How far each topic's centroid moved, from the `measured` means of two sides that share one space."""
    found, drawn, counts = measured.found, measured.drawn, topics.counts
    distance, angle = np.sqrt(found.distance[0]), _degrees(found.chord[0])  # (topics + 1,)
    near = nearest(found.base.pairs[0])[1]
    squares = [_unbiased(drawn.distance, found.distance[0]), _unbiased(drawn.chord, found.chord[0])]
    means_told = measured.dealt.mean_told
    several = np.append(counts >= FEWEST, measured.dealt.told)
    distances = _told(_squares(drawn.distance, found.distance[0], np.sqrt), several)
    angles = _told(_squares(drawn.chord, found.chord[0], _degrees), several)
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = np.where(near > SAME, distance[:-1] / near, np.nan)
    return CentroidShift(
        names=topics.names,
        counts=counts,
        angle=angle[:-1],
        angle_interval=angles[:-1],
        distance=distance[:-1],
        distance_interval=distances[:-1],
        relative=relative,
        mean_angle=float(angle[:-1].mean()),
        mean_angle_interval=_mean_interval(_degrees(squares[1][:, :-1]), angle[:-1], means_told),
        mean_distance=float(distance[:-1].mean()),
        mean_distance_interval=_mean_interval(np.sqrt(squares[0][:, :-1]), distance[:-1], means_told),
        whole_angle=float(angle[-1]),
        whole_angle_interval=ends(angles[-1]),
        whole_distance=float(distance[-1]),
        whole_distance_interval=ends(distances[-1]),
        items=int(counts.sum()),
        resamples=len(drawn.distance),
        seed=seed,
    )


def nearest(distances: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """For each topic the one whose centroid is nearest by `distances` (topics, topics), and how far it is.

    -1 and NaN where there is no other.
    """
    count = len(distances)
    if count < 2:
        return np.full(count, -1), np.full(count, np.nan)
    others = np.where(np.eye(count, dtype=bool), np.inf, distances)
    return others.argmin(axis=1), others.min(axis=1)


def ends(interval: NDArray[np.float64]) -> tuple[float, float]:
    """The two ends of one interval, shape (2,)."""
    return float(interval[0]), float(interval[1])


def _degrees(chord: NDArray[np.float64]) -> NDArray[np.float64]:
    """The angle of two unit vectors, whose squared distance is `chord`."""
    return np.asarray(np.degrees(2 * np.arcsin(np.minimum(np.sqrt(chord) / 2, 1))))


def _squares(
    drawn: NDArray[np.float64], value: NDArray[np.float64], scale: Callable[[NDArray[np.float64]], NDArray[np.float64]]
) -> NDArray[np.float64]:
    return scale(corrected(drawn, value, least=0.0))


def _unbiased(drawn: NDArray[np.float64], value: NDArray[np.float64]) -> NDArray[np.float64]:
    """Resampled squares less what drawing adds to them, and once more what it added to the value; at least 0."""
    return np.asarray(np.maximum(drawn - 2 * (drawn.mean(axis=0) - value), 0))


def _told(interval: NDArray[np.float64], several: NDArray[np.bool_]) -> NDArray[np.float64]:
    return np.where(several[:, None], interval, np.nan)


def _mean_interval(drawn: NDArray[np.float64], values: NDArray[np.float64], several: bool) -> tuple[float, float]:
    """Interval of the mean of `values` (topics,) over topics, from lengths that are drawn without bias; it holds it."""
    if not several:
        return np.nan, np.nan
    low, high = np.percentile(drawn.mean(axis=1), LEVEL)
    return float(min(low, values.mean())), float(max(high, values.mean()))
