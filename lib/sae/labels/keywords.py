"""Keywords of features: class-based TF-IDF of activating against non-activating texts, over phrases.

    weight(phrase) = rate_in * log(rate_in / (rate_elsewhere + rate_near + prior)) * (1 + 0.2 (words - 1))

rate_in is the share of the feature's activating texts that hold the phrase, weighted by activation; rate_elsewhere its
share in the texts of all features; rate_near its share in the near misses, so that neighbours get different keywords;
the prior stands for half a text. After BERTopic's c-TF-IDF (Grootendorst 2022, arXiv:2203.05794), with the contrast.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lib.progress import Progress
from lib.sae.labels.phrases import Phrases, phrases_of, word_set
from lib.sae.labels.sampling import Rows, Side

CANDIDATES = 12
"""Phrases of each feature among which a label is chosen."""
_BLOCK = 128  # features weighed at once
_LONGER = 0.2
_FEWEST_TEXTS = 2  # activating ones that hold a phrase
_DISTINCT = 3  # times as many phrases are looked at as are kept, since many repeat one another


def keywords(
    side: Side, texts: Sequence[str], *, features: NDArray[np.int64], progress: Progress | None = None
) -> list[tuple[str, ...]]:
    """The best phrases of each of `features`, the best first; () where its texts share none."""
    drawn = [*(side.activating[f] for f in features), *(side.near[f] for f in features)]
    pool = np.unique(np.concatenate([np.empty(0, dtype=np.int64), *drawn]))
    phrases = phrases_of([texts[row] for row in pool.tolist()], fewest=_fewest(len(pool)))
    elsewhere = phrases.share
    found: list[tuple[str, ...]] = []
    for start in range(0, len(features), _BLOCK):
        block = features[start : start + _BLOCK].tolist()
        inside = _rates(phrases, pool, [side.activating[f] for f in block], [side.activations[f] for f in block])
        counts = _rates(phrases, pool, [side.activating[f] for f in block], None, sums=True)
        near = _rates(phrases, pool, [side.near[f] for f in block], None)
        for place, feature in enumerate(block):
            prior = 0.5 / max(len(side.activating[feature]), 1)
            weights = inside[place] * np.log(np.maximum(inside[place], 1e-12) / (elsewhere + near[place] + prior))
            weights *= 1 + _LONGER * (phrases.words - 1)
            weights[counts[place] < min(_FEWEST_TEXTS, len(side.activating[feature]))] = 0
            found.append(_distinct(phrases, weights))
        if progress:
            progress(min(start + _BLOCK, len(features)), len(features))
    return found


def _fewest(texts: int) -> int:
    """How many texts a phrase has to stand in: rare ones of large corpora are noise, and cost memory."""
    return 2 if texts < 10_000 else 3 if texts < 50_000 else 4


def _rates(
    phrases: Phrases, pool: Rows, rows: list[Rows], weights: list[NDArray[np.float32]] | None, *, sums: bool = False
) -> NDArray[np.float32]:
    """Weighted share (with `sums`: number) of each feature's texts that hold each phrase, shape (features, p)."""
    from scipy.sparse import csr_array

    starts = np.concatenate([[0], np.cumsum([len(one) for one in rows])])
    values = [np.ones(len(one), dtype=np.float32) for one in rows] if weights is None else weights
    if not sums:
        values = [value / max(float(value.sum()), 1e-12) for value in values]
    at = np.searchsorted(pool, np.concatenate([np.empty(0, dtype=np.int64), *rows]))
    data = np.concatenate([np.empty(0, dtype=np.float32), *values]).astype(np.float32)
    shares: NDArray[np.float32] = (
        csr_array((data, at, starts), shape=(len(rows), len(pool))) @ phrases.holds
    ).toarray()
    return shares


def _distinct(phrases: Phrases, weights: NDArray[np.floating]) -> tuple[str, ...]:
    """The phrases of the highest weights above 0, without those that only repeat the words of a better one."""
    most = min(_DISTINCT * CANDIDATES, len(weights))
    order = np.argpartition(-weights, most - 1)[:most] if most else np.empty(0, dtype=np.int64)
    order = order[np.lexsort((order, -weights[order]))]
    kept: list[str] = []
    words: list[frozenset[str]] = []
    for number in order.tolist():
        mine = word_set(phrases.names[number]) if weights[number] > 0 else frozenset()
        if mine and mine not in words:
            kept.append(phrases.names[number])
            words.append(mine)
        if len(kept) == CANDIDATES:
            break
    return tuple(kept)


def joined(phrases: Sequence[str], most: int = 3) -> str:
    """A label of up to `most` phrases, the best first, none of whose words all stand in another."""
    kept: list[str] = []
    for phrase in phrases:
        mine = word_set(phrase)
        if not any(mine <= word_set(other) or word_set(other) <= mine for other in kept):
            kept.append(phrase)
        if len(kept) == most:
            break
    return ", ".join(kept)
