"""What a network is made of, as sums over texts: firings, activations, their squares, and their products by pairs.

Those of two parts of a corpus add up to the whole's, so that a corpus may come in parts.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.sae.coactivation import Pairs, activation_products, coactivation_pairs
from lib.sae.codes import Codes
from lib.sae.network.graph import Measure
from lib.sae.network.settings import LEAST_BOTH


@dataclass(frozen=True)
class FeatureSums:
    """Sums over texts for every feature of a dictionary: firings, and activations to the first three powers; (n,)."""

    count: NDArray[np.int64]
    total: NDArray[np.float64]
    squares: NDArray[np.float64]
    cubes: NDArray[np.float64]
    texts: int

    @property
    def mean(self) -> NDArray[np.float64]:
        """Mean activation over the texts where it fires; 0 where it never does."""
        return self.total / np.maximum(self.count, 1)


def feature_sums(parts: Sequence[Codes]) -> FeatureSums:
    """Texts, activations and squared activations of every feature."""
    width = parts[0].width
    count, powers = np.zeros(width, np.int64), np.zeros((3, width))
    for part in parts:
        values = part.activations.astype(np.float64)
        count += np.bincount(part.features, minlength=width)
        for power in (1, 2, 3):
            powers[power - 1] += np.bincount(part.features, values**power, minlength=width)
    total, squares, cubes = powers
    return FeatureSums(count, total, squares, cubes, sum(map(len, parts)))


def narrowed(part: Codes, features: NDArray[np.integer]) -> Codes:
    """The codes over `features` alone, which become 0, 1, 2 and so on in that order; as many texts."""
    place = np.full(part.width, -1, dtype=np.int32)
    place[features] = np.arange(len(features), dtype=np.int32)
    stays = place[part.features] >= 0
    starts = np.concatenate([[0], np.cumsum(stays)])[part.starts]
    rows = np.repeat(np.arange(len(part)), np.diff(starts))
    numbers = place[part.features[stays]]
    order = np.lexsort((numbers, rows))  # ascending within a text
    return Codes(starts.astype(np.int64), numbers[order], part.activations[stays][order], len(features))


def pairs_of(parts: Sequence[Codes]) -> Pairs:
    """All pairs that share `LEAST_BOTH` texts, the first before the second."""
    return coactivation_pairs(parts, min_both=LEAST_BOTH, ordered=False)


def correlations(parts: Sequence[Codes], pairs: Pairs, sums: FeatureSums) -> NDArray[np.float64]:
    """Pearson correlation of the activations of each pair over all texts, silence counted as 0; shape (pairs,).

    0 where one of the two is the same on all texts.
    """
    products = activation_products(parts, pairs.a, pairs.b)
    mean, n = sums.total / sums.texts, sums.texts
    spread = np.sqrt(np.maximum(sums.squares / n - mean**2, 0))
    scale = spread[pairs.a] * spread[pairs.b]
    shared = products / n - mean[pairs.a] * mean[pairs.b]
    still = scale <= 1e-9 * np.sqrt(sums.squares[pairs.a] * sums.squares[pairs.b]) / n
    return np.where(still, 0.0, np.clip(shared / np.where(still, 1.0, scale), -1, 1))


def npmi(pairs: Pairs) -> NDArray[np.float64]:
    """Normalised pointwise mutual information, shape (pairs,), in -1 to 1; 0 where both fire on every text."""
    share = pairs.both / pairs.texts
    always = pairs.both == pairs.texts
    return np.where(always, 0.0, np.log(pairs.lift) / -np.log(np.where(always, 0.5, share)))


def measured(measure: Measure, parts: Sequence[Codes], pairs: Pairs, sums: FeatureSums) -> NDArray[np.float64]:
    """One measure of each pair, shape (pairs,)."""
    if measure == "frequency":
        return pairs.both / pairs.texts
    if measure == "jaccard":
        return pairs.jaccard
    if measure == "lift":
        return pairs.lift
    return npmi(pairs) if measure == "npmi" else correlations(parts, pairs, sums)
