"""Texts that moved: the cosine of each text's vector before with its vector after."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.finetune.diff.centroids import ends
from lib.finetune.diff.groups import ProbeTopics
from lib.finetune.diff.means import Measured
from lib.finetune.diff.resampling import FEWEST, corrected
from lib.finetune.diff.sides import Sides
from lib.geometry.vectors import unit_blocks
from lib.results import Result


@dataclass(frozen=True, eq=False)
class Movement(Result):
    """How far each text moved; only where both share one space."""

    cosine: NDArray[np.float64]
    """Cosine of each text's base vector with its tuned one, in [-1, 1], shape (n,); 1 = it did not move."""
    mean: float
    """Mean of `cosine`."""
    interval: tuple[float, float]
    """95 % bootstrap interval of `mean`, over texts."""
    names: tuple[str, ...]
    """Topics, shape (topics,)."""
    by_topic: NDArray[np.float64]
    """Mean of `cosine` over each topic's texts, shape (topics,)."""
    by_topic_interval: NDArray[np.float64]
    """Its 95 % interval, shape (topics, 2); NaN with fewer than 5 texts."""
    items: int
    """Texts, n."""
    seed: int
    """Seed of the intervals."""

    @property
    def most_moved(self) -> NDArray[np.int64]:
        """Rows of the texts, the one that moved most first; ties by row."""
        return np.argsort(self.cosine, kind="stable")


def own_cosines(pair: Sides) -> NDArray[np.float64]:
    """Cosine of each text's base vector with its tuned one, shape (n,); of two sides of one width.

    From the distance of the two: where they all but meet, 1 - |b - t|^2 / 2 keeps the digits that b . t loses.
    """
    made = np.ones(pair.items)
    if pair.identical:
        return made
    for (span, one), (_, other) in zip(unit_blocks(pair.base), unit_blocks(pair.tuned), strict=True):
        step = one - other
        made[span] = 1 - np.vecdot(step, step) / 2
    return made


def movement(
    cosines: NDArray[np.float64], measured: Measured, topics: ProbeTopics, *, column: int, seed: int = 0
) -> Movement:
    """How far each text moved; `column` of the scalars of `measured` holds its `cosines`, shape (n,)."""
    value, drawn = measured.found.scalars[0, :, column], measured.drawn.scalars[..., column]
    several = np.append(topics.counts >= FEWEST, measured.dealt.told)
    interval = np.where(several[:, None], corrected(drawn, value), np.nan)
    return Movement(
        cosine=cosines,
        mean=float(cosines.mean()),
        interval=ends(interval[-1]),
        names=topics.names,
        by_topic=value[:-1],
        by_topic_interval=interval[:-1],
        items=len(cosines),
        seed=seed,
    )
