"""What a fine-tune changed in the space: two checkpoints on the same texts, every figure in one pass of shared work."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.errors import InputError
from lib.finetune.diff.alignment import Rotation, rotation
from lib.finetune.diff.centroids import CentroidShift, centroid_shift
from lib.finetune.diff.cka import Cka, cka
from lib.finetune.diff.distributions import SimilarityShift, similarity_shift
from lib.finetune.diff.groups import ProbeTopics, TopicSums, probe_topics, topic_sums
from lib.finetune.diff.means import measured
from lib.finetune.diff.movement import Movement, movement, own_cosines
from lib.finetune.diff.neighbours import NeighboursKept, neighbours_kept
from lib.finetune.diff.projection import JointProjection, joint_projection
from lib.finetune.diff.resampling import FEWEST, deal
from lib.finetune.diff.separation import Separation, separation
from lib.finetune.diff.shape import AnisotropyChange, DimensionChange, anisotropy_change, dimension_change
from lib.finetune.diff.sides import Sharing, Sides, sharing, sides
from lib.finetune.diff.spread import Spread, spread
from lib.geometry import Anisotropy, Neighbours, anisotropy, intrinsic_dimension, neighbours
from lib.geometry.labels import silhouettes
from lib.geometry.moments import Moments
from lib.geometry.similarity import Groups
from lib.geometry.vectors import Pairs, pairs
from lib.numerals import count, counted
from lib.progress import Progress, Told
from lib.results import Result


@dataclass(frozen=True, eq=False)
class SpaceDiff(Result):
    """Two checkpoints on one corpus; what needs one shared space is None where there is none (see `sharing`)."""

    sharing: Sharing
    """Whether both share one space, and why."""
    topics: ProbeTopics
    """Topic of each text, the same for both sides."""
    centroids: CentroidShift | None
    """How far each topic moved; None without a shared space, or without topics."""
    spread: Spread | None
    """How wide each topic is before and after; None without topics."""
    separation: Separation | None
    """How far topics stand apart before and after; None with fewer than two topics."""
    projection: JointProjection | None
    """Both in one picture that shows topics best; None without a shared space, or without topics."""
    projection_shift: JointProjection | None
    """Both in one picture that shows the shift best; None likewise."""
    similarities: SimilarityShift
    """How similar two texts are before and after."""
    anisotropy: AnisotropyChange
    """Whether all vectors point one way more than before."""
    dimension: DimensionChange
    """How many dimensions the texts fill before and after."""
    neighbours: NeighboursKept
    """Which neighbours texts kept."""
    movement: Movement | None
    """How far each text moved; None without a shared space."""
    rotation: Rotation
    """How much of that a rotation explains."""
    cka: Cka
    """Whether both lay the texts out alike."""
    items: int
    """Texts, n."""
    resamples: int
    """Resamples behind the bootstrap intervals: those asked for, or fewer with more than `MANY_TOPICS` topics."""
    seed: int
    """Seed of every draw."""
    notices: tuple[str, ...]
    """Sentences to show: what could not be had and why, what was sampled, what was changed about the request."""


def space_diff(
    base: NDArray[np.floating],
    tuned: NDArray[np.floating],
    topics: Sequence[str | None] | ProbeTopics | None = None,
    *,
    shared: bool | None = None,
    k: int = 10,
    max_pairs: int = 200_000,
    resamples: int = 1_000,
    seed: int = 0,
    progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> SpaceDiff:
    """Compare the vectors of the same texts by two checkpoints, shapes (n, d) and (n, d'), n >= 3, of any norm but 0.

    `topics` (n,) may hold None; where no text has one, clusters are found on the base. `shared` says that both are
    known to share one space (an adapter of the base), or not to; otherwise it is measured. Vectors may be memory-mapped
    and larger than memory. Means, spreads, CKA and rotation are exact at any size; similarity distributions look at
    `max_pairs` pairs, neighbours at 1,000 texts (each against all) where there are more than 10,000. 100,000 texts of
    384 dimensions took 10 s of one processor core, and 400 MB beside the vectors.

    Raises:
        InputError: other numbers of texts or topics, fewer than three texts, a vector of zero length, a setting out of
            range.
        Stopped: `should_stop` answered True.
    """
    _check(k, max_pairs, resamples)
    tell = Told(progress, should_stop)
    tell(0, _STEPS)
    pair = sides(base, tuned)
    one_space = sharing(pair, shared=shared, seed=seed)
    tell(1, _STEPS)
    groups = topics if isinstance(topics, ProbeTopics) else probe_topics(base, topics, seed=seed)
    if len(groups.codes) != pair.items:
        raise InputError(f"Expected one topic for each of {pair.items} texts, got {len(groups.codes)}.")
    tell(2, _STEPS)
    shapes = [_shape(side, sums, (max_pairs, seed)) for side, sums in _different(pair)]
    before, after = shapes[0], shapes[-1]
    tell(3, _STEPS)
    near = [_nearest(side, max(k, 2), seed) for side, _ in _different(pair)]
    nearest = near[0], near[-1]
    tell(4, _STEPS)
    drawn = _resamples(resamples, len(groups.names))
    dealt = deal(groups.codes, len(groups.names), seed=seed)
    sums = topic_sums(pair, groups)
    scalars = _scalars(pair, groups, sums, one_space.shared)
    found = measured(pair, dealt, scalars, shared=one_space.shared, resamples=drawn, seed=seed)
    tell(5, _STEPS)
    turned = rotation(pair, groups, sums, shared=one_space.shared, seed=seed)
    tell(6, _STEPS)
    alike = cka(pair, seed=seed)
    tell(7, _STEPS)
    several = len(groups.names) > 1
    drawable = one_space.shared and len(groups.names) > 0
    dimensions = [
        intrinsic_dimension(side, known=sums, nearest=asked, seed=seed)
        for (side, sums), asked in zip(_different(pair), near, strict=True)
    ]
    made = SpaceDiff(
        sharing=one_space,
        topics=groups,
        centroids=centroid_shift(found, groups, seed=seed) if drawable else None,
        spread=spread(found, groups, seed=seed) if groups.names else None,
        separation=separation(found, groups, silhouettes=0, seed=seed) if several else None,
        projection=joint_projection(pair, groups, sums, seed=seed) if drawable else None,
        projection_shift=joint_projection(pair, groups, sums, aim="shift", seed=seed) if drawable else None,
        similarities=similarity_shift(
            (before.drawn, after.drawn),
            (before.anisotropy.mean_cosine, after.anisotropy.mean_cosine),
            (sums.base, sums.tuned),
            topics=groups,
        ),
        anisotropy=anisotropy_change(before.anisotropy, after.anisotropy, found, seed=seed),
        dimension=dimension_change(dimensions[0], dimensions[-1], nearest, seed=seed),
        neighbours=neighbours_kept(nearest, groups, k=k, resamples=resamples, seed=seed),
        movement=movement(scalars[:, 2], found, groups, column=2, seed=seed) if one_space.shared else None,
        rotation=turned,
        cka=alike,
        items=pair.items,
        resamples=drawn,
        seed=seed,
        notices=_notices(pair, groups, one_space, nearest[0], k) + _fewer(drawn, resamples),
    )
    tell(_STEPS, _STEPS)
    return made


MANY_TOPICS = 300
"""Topics above which fewer resamples are drawn: as many times fewer as there are more topics, 200 at least."""
_FEWEST = 200
_STEPS = 8


@dataclass(frozen=True)
class _Shape:
    anisotropy: Anisotropy
    drawn: Pairs


def _check(k: int, max_pairs: int, resamples: int) -> None:
    if k < 1:
        raise InputError(f"Neighbours kept needs k of at least 1, got {k}.")
    if max_pairs < 1:
        raise InputError(f"Similarity distributions need at least 1 pair, got max_pairs={max_pairs}.")
    if resamples < 2:
        raise InputError(f"A bootstrap interval needs at least 2 resamples, got {resamples}.")


def _different(pair: Sides) -> list[tuple[NDArray[np.floating], Moments]]:
    """The sides to look at: one where both are the same, so that their figures are, to the last digit."""
    both = [(pair.base, pair.base_moments), (pair.tuned, pair.tuned_moments)]
    return both[:1] if pair.identical else both


def _shape(side: NDArray[np.floating], sums: Moments, drawing: tuple[int, int]) -> _Shape:
    drawn = pairs(side, max_pairs=drawing[0], seed=drawing[1])
    return _Shape(anisotropy(side, known=sums, sample=drawn), drawn)


def _nearest(side: NDArray[np.floating], k: int, seed: int) -> Neighbours:
    return neighbours(side, k, seed=seed)


def _scalars(pair: Sides, groups: ProbeTopics, sums: TopicSums, shared: bool) -> NDArray[np.float64]:
    """Numbers of each text whose means are drawn again: silhouette before and after, and how far it moved."""
    both = [(pair.base, sums.base), (pair.tuned, sums.tuned)]
    found = [_silhouettes(side, own, groups) for side, own in both[: 1 if pair.identical else 2]]
    moved = [own_cosines(pair)] if shared else []
    return np.column_stack([found[0], found[-1], *moved])


def _silhouettes(side: NDArray[np.floating], sums: NDArray[np.float64], groups: ProbeTopics) -> NDArray[np.float64]:
    if len(groups.names) < 2:
        return np.zeros(len(side))
    return silhouettes(side, Groups(groups.names, groups.codes, sums, groups.counts))


def _notices(pair: Sides, groups: ProbeTopics, one_space: Sharing, asked: Neighbours, k: int) -> tuple[str, ...]:
    said = list(groups.notices)
    if not one_space.shared:
        said.append(f"{one_space.sentence} {NEEDS_ONE_SPACE}")
    if not groups.names:
        said.append("No topic was found: shifts, spread and separation need topics.")
    elif len(groups.names) == 1:
        said.append("There is one topic: separation needs two.")
    few = int((groups.counts < FEWEST).sum())
    if few:
        have = "has" if few == 1 else "have"
        said.append(
            f"{counted(few, 'topic')} {have} fewer than {FEWEST} texts, too few for intervals by topic; the spread of "
            "a single text is 0."
        )
    if not asked.every_row:
        said.append(f"Neighbours were asked of {count(len(asked.rows))} of {count(pair.items)} texts, each among all.")
    if asked.indices.shape[1] < k:
        said.append(f"Neighbours are {asked.indices.shape[1]} instead of {k}: there are no more other texts.")
    return tuple(said)


def _resamples(asked: int, topics: int) -> int:
    return asked if topics <= MANY_TOPICS else min(asked, max(_FEWEST, asked * MANY_TOPICS // topics))


def _fewer(drawn: int, asked: int) -> tuple[str, ...]:
    if drawn == asked:
        return ()
    return (f"Intervals rest on {count(drawn)} resamples instead of {count(asked)}: topics are many.",)


NEEDS_ONE_SPACE = (
    "Centroid shifts, their picture and how far each text moved need one space and are left out; neighbours, "
    "similarities, spread, separation, anisotropy, intrinsic dimension, CKA and the best rotation do not."
)
"""What is left out between two spaces, and what is not."""
