"""Which texts a feature's label is made from, and which other ones it is scored on.

Distinct texts (or whole groups of them, such as the passages of one document) are parted at random into a side to
make labels from and a side that is held out. On each side a feature has *activating* texts from every quantile of its
activation, *random* ones on which it is silent, and *near misses*: texts on which the features nearest to it by decoder
cosine fire and it does not.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.progress import Progress
from lib.sae.autoencoder import SparseAutoencoder
from lib.sae.codes import Codes
from lib.sae.neighbours import neighbour_table

Rows = NDArray[np.int64]

MOST = 60
"""Activating texts of a feature on each side, and as many random ones and near misses."""
_NEAREST = 8  # features whose texts are near misses
_TOP_SHARE = 0.5  # of the activating texts to make a label from that are its strongest; the others spread


@dataclass(frozen=True, eq=False)
class Side:
    """The texts of one side for every feature: lists of n arrays of rows."""

    activating: list[Rows]
    """Texts on which the feature fires, the strongest first."""
    activations: list[NDArray[np.float32]]
    """How strongly."""
    random: list[Rows]
    """Texts on which it is silent."""
    near: list[Rows]
    """Texts on which it is silent and a feature beside it fires."""

    def silent(self, feature: int) -> Rows:
        """Random texts and near misses together, each once."""
        return np.unique(np.concatenate([self.random[feature], self.near[feature]]))


def draw(
    codes: Codes,
    sae: SparseAutoencoder,
    texts: Sequence[str],
    *,
    groups: Sequence[object] | None = None,
    features: NDArray[np.int64],
    seed: int,
    progress: Progress | None = None,
) -> tuple[Side, Side]:
    """The texts to make labels from, and those held out; only `features` get random texts and near misses."""
    generator = np.random.default_rng(seed)
    makes, holds = _sides(texts, groups, generator)
    table = neighbour_table(sae, _NEAREST, features)
    neighbours = dict(zip(features.tolist(), table.tolist(), strict=True))
    wanted = np.union1d(features, table.ravel())
    sides = []
    for number, (side, top) in enumerate(((makes, _TOP_SHARE), (holds, 0.0))):
        pool = np.flatnonzero(side)
        activating: list[Rows] = [np.empty(0, dtype=np.int64)] * codes.width
        activations = [np.empty(0, dtype=np.float32)] * codes.width
        for feature in wanted.tolist():
            rows, values = codes.firing(feature)
            here = side[rows]
            rows, values = rows[here].astype(np.int64), values[here]
            chosen = _spread(values, MOST, top)
            activating[feature], activations[feature] = rows[chosen], values[chosen]
        random, near = list(activating), list(activating)
        for done, feature in enumerate(features.tolist(), 1):
            fires, _ = codes.firing(feature)
            offered = generator.choice(pool, min(3 * MOST, len(pool)), replace=False)
            random[feature] = _silent(offered, fires)[:MOST]
            beside = np.concatenate([activating[other][: MOST // 2] for other in neighbours[feature]])
            beside = _silent(np.unique(beside), fires)
            near[feature] = generator.permutation(beside)[:MOST]
            if progress and not done % 64:
                progress(number * len(features) + done, 2 * len(features))
        sides.append(Side(activating, activations, random, near))
    return sides[0], sides[1]


def _sides(
    texts: Sequence[str], groups: Sequence[object] | None, generator: np.random.Generator
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Masks of the texts to make from and of those held out; a text that repeats another is on neither side."""
    seen: set[str] = set()
    first = np.zeros(len(texts), dtype=bool)
    for row, text in enumerate(texts):
        if text not in seen:
            seen.add(text)
            first[row] = True
    numbers: dict[object, int] = {}
    group = np.array([numbers.setdefault(one, len(numbers)) for one in groups or range(len(texts))], dtype=np.int64)
    half = np.zeros(len(numbers), dtype=bool)
    half[generator.permutation(len(numbers))[: len(numbers) // 2]] = True
    held = half[group]
    return first & ~held, first & held


def _spread(values: NDArray[np.float32], most: int, top: float) -> Rows:
    """Positions of `most` values, the highest first: a share `top` the very highest, the others even over the ranks."""
    order: Rows = np.argsort(-values, kind="stable")
    if len(order) <= most:
        return order
    highest = round(top * most)
    rest = np.linspace(highest, len(order) - 1, most - highest).round().astype(np.int64)
    chosen: Rows = order[np.concatenate([np.arange(highest), rest])]
    return chosen


def _silent(rows: Rows, fires: NDArray[np.integer]) -> Rows:
    """Those of `rows` that are not among `fires`, which ascend."""
    if not len(fires):
        return rows
    at = np.minimum(np.searchsorted(fires, rows), len(fires) - 1)
    silent: Rows = rows[fires[at] != rows]
    return silent
