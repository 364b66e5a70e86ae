"""One picture of both checkpoints: centroids before and after, on the same two axes.

Both sides are laid on the same axes with the same origin, so that an arrow is a shift and a distance means the same
everywhere. There are two ways to choose the axes:

"topics": principal components of the centroids and the texts of both sides in one fit, either counted for one half of
the variance. Topics stand apart; but a plane that shows topics best may show little of a small shift.
"shift": across, the direction in which centroids moved most (first principal axis of the shifts, uncentred); upwards,
the direction of what is then left in which topics differ most. Arrows are long; topics may overlap.

A plane cannot show all of a shift in hundreds of dimensions: the share it shows is stated for each topic.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lib.finetune.diff.groups import ProbeTopics, TopicSums
from lib.finetune.diff.sides import Sides
from lib.geometry.vectors import unit_blocks
from lib.results import Result

Aim = Literal["topics", "shift"]
MOST_DRAWN = 2_000
"""Texts of each side that the picture draws at most."""


@dataclass(frozen=True, eq=False)
class JointProjection(Result):
    """Where topics and texts stand before and after, in one plane; only where both share one space."""

    aim: Aim
    """What the axes were chosen to show."""
    names: tuple[str, ...]
    """Topics, shape (topics,)."""
    base: NDArray[np.float64]
    """Position of each topic's centroid on the base, shape (topics, 2); exact. In distances of unit vectors."""
    tuned: NDArray[np.float64]
    """The same after tuning."""
    base_radius: NDArray[np.float64]
    """Root mean square distance of a topic's texts to its centroid in the picture on the base, shape (topics,): the
    circle, in the picture's units."""
    tuned_radius: NDArray[np.float64]
    """The same after tuning."""
    shown: NDArray[np.float64]
    """Share of each topic's shift that the picture shows, squared length drawn over squared length, in [0, 1], shape
    (topics,); NaN for a topic that did not move."""
    shown_overall: float | None
    """The same over all topics together; None where none moved."""
    shown_between: float | None
    """Share of the squared distances between centroids of different topics, both sides, that the picture shows; None
    with one topic."""
    variance: NDArray[np.float64]
    """Share of the variance of the texts of both sides along each axis, shape (2,)."""
    rows: NDArray[np.int64]
    """Texts that are drawn, shape (s,), ascending: all, or as many from each topic while they last."""
    texts_base: NDArray[np.float32]
    """Their positions on the base, shape (s, 2)."""
    texts_tuned: NDArray[np.float32]
    """Their positions after tuning, shape (s, 2)."""
    mean: NDArray[np.float64]
    """Origin of the picture, shape (d,)."""
    axes: NDArray[np.float64]
    """Its two axes, orthonormal rows, shape (2, d)."""
    items: int
    """Texts, n."""
    seed: int
    """Seed of the draw of texts."""


def joint_projection(
    pair: Sides, topics: ProbeTopics, sums: TopicSums, *, aim: Aim = "topics", most: int = MOST_DRAWN, seed: int = 0
) -> JointProjection:
    """Lay both sides, which share one space, on one plane; one topic or more."""
    means = list(sums.means)
    middle = (pair.base_moments.mean + pair.tuned_moments.mean) / 2
    texts = (pair.base_moments + pair.tuned_moments).scatter / (2 * pair.items)
    axes = _axes_of_topics(means, texts) if aim == "topics" else _axes_of_shift(means, texts)
    shift = means[1] - means[0]
    rows = _drawn_rows(topics, most, seed)
    places = [_places(side, middle, axes) for side in (pair.base, pair.tuned)]  # (n, 2) each
    laid = [(mean - middle) @ axes.T for mean in means]
    return JointProjection(
        aim=aim,
        names=topics.names,
        base=laid[0],
        tuned=laid[1],
        base_radius=_radii(places[0], laid[0], topics),
        tuned_radius=_radii(places[1], laid[1], topics),
        shown=_share(shift, axes),
        shown_overall=_overall(shift, axes),
        shown_between=_overall(np.vstack([_pair_steps(mean) for mean in means]), axes),
        variance=np.einsum("ad,de,ae->a", axes, texts, axes) / max(float(np.trace(texts)), _NOTHING),
        rows=rows,
        texts_base=places[0][rows],
        texts_tuned=places[1][rows],
        mean=middle,
        axes=axes,
        items=pair.items,
        seed=seed,
    )


_NOTHING = 1e-12  # squared length under which nothing moved: float32 tells no direction of it


def _axes_of_topics(means: list[NDArray[np.float64]], texts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Principal axes (2, d) of the centroids of both sides and of the covariance of the `texts`, half and half."""
    both = np.vstack(means) - np.vstack(means).mean(axis=0)
    return _principal(_halved(both.T @ both) + _halved(texts), 2)


def _axes_of_shift(means: list[NDArray[np.float64]], texts: NDArray[np.float64]) -> NDArray[np.float64]:
    """The main axis of the shifts, and that of what else parts topics: (2, d)."""
    shift = means[1] - means[0]
    along = shift.T @ shift
    if np.trace(along) <= _NOTHING:
        return _axes_of_topics(means, texts)
    first = _principal(along, 1)
    middle = (means[0] + means[1]) / 2
    middle = middle - middle.mean(axis=0)
    rest = np.eye(texts.shape[0]) - first.T @ first
    parting = middle.T @ middle if len(middle) > 1 else np.zeros_like(texts)
    second = _principal(rest @ (_halved(parting) * _MOSTLY + _halved(texts)) @ rest, 1)
    return np.vstack([first, second])


_MOSTLY = 100.0  # texts decide where topics leave it open


def _halved(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    total = float(np.trace(covariance))
    return covariance / total if total > _NOTHING else np.zeros_like(covariance)


def _principal(covariance: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """The first `count` principal axes, rows (count, d), with a sign that does not hang on the solver."""
    width = len(covariance)
    kept = min(count, width)
    axes = np.zeros((count, width))
    axes[:kept] = np.linalg.eigh(covariance)[1].T[::-1][:kept]
    largest = np.abs(axes).argmax(axis=1)
    signs = np.sign(axes[np.arange(count), largest])
    return axes * np.where(signs == 0, 1, signs)[:, None]


def _places(
    vectors: NDArray[np.floating], middle: NDArray[np.float64], axes: NDArray[np.float64]
) -> NDArray[np.float32]:
    made = np.empty((len(vectors), len(axes)), dtype=np.float32)
    for span, rows in unit_blocks(vectors):
        made[span] = (rows - middle.astype(np.float32)) @ axes.T.astype(np.float32)
    return made


def _radii(places: NDArray[np.float32], centres: NDArray[np.float64], topics: ProbeTopics) -> NDArray[np.float64]:
    inside = topics.codes >= 0
    codes = topics.codes[inside]
    gaps = places[inside] - centres[codes]
    squares = np.bincount(codes, weights=np.vecdot(gaps, gaps), minlength=len(centres))
    return np.asarray(np.sqrt(squares / topics.counts))


def _share(steps: NDArray[np.float64], axes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of the squared length of each of `steps` (m, d) that the plane shows, shape (m,)."""
    whole = np.vecdot(steps, steps)
    seen = np.square(steps @ axes.T).sum(axis=1)
    return np.where(whole > _NOTHING, np.minimum(seen / np.maximum(whole, _NOTHING), 1), np.nan)


def _overall(steps: NDArray[np.float64], axes: NDArray[np.float64]) -> float | None:
    """The same over all `steps` together; None where none has a length."""
    whole = float(np.square(steps).sum())
    return min(float(np.square(steps @ axes.T).sum()) / whole, 1.0) if whole > _NOTHING else None


def _pair_steps(means: NDArray[np.float64]) -> NDArray[np.float64]:
    """Steps whose squares sum to those of every two of `means` (topics, d), but for a factor: those to their mean."""
    return np.asarray(means - means.mean(axis=0))


def _drawn_rows(topics: ProbeTopics, most: int, seed: int) -> NDArray[np.int64]:
    """Up to `most` texts, as many from each topic as from the next while they last."""
    order = np.random.default_rng(seed).permutation(len(topics.codes))
    by_topic = np.argsort(topics.codes[order], kind="stable")
    sizes = np.unique(topics.codes, return_counts=True)[1]
    turn = np.empty(len(order), dtype=np.int64)
    turn[by_topic] = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return np.sort(order[np.argsort(turn, kind="stable")][:most])
