"""Assignment: which of theirs goes with which of ours, one to one, so that the sum of similarities is largest.

Up to 2^25 pairs every pair is weighed (the Hungarian method); beyond, only pairs that are near each other.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lib.progress import Done
from lib.sae.matching.similarity import Similarity

Method = Literal["hungarian", "candidates"]

_DENSE = 2**25
"""Pairs of features up to which every pair is weighed: 4,096 by 4,096 take 3 s of an idle core and 360 MB."""
_CANDIDATES = 32
"""Beyond, the most similar features of the other dictionary that each feature may be matched with, either way:
16,384 by 16,384 took 96 s on a busy core and 270 MB."""
_BLOCK = 2**22  # similarities held at once


def assign(
    similarity: Similarity, told: Done, *, done: int = 0
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32], Method]:
    """Each of ours with its one-to-one match (-1 for none), its nearest of theirs and how similar that is, shapes (n,).

    `told` hears of n + m steps from `done` on.
    """
    n, m = similarity.shape
    if n * m <= _DENSE:
        return *_assign_all(similarity, told, done), "hungarian"
    return *_assign_candidates(similarity, told, done), "candidates"


def largest(
    similarity: Similarity,
) -> tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.int64], NDArray[np.float32]]:
    """The nearest of theirs to each of ours with its similarity, shapes (n,); the same the other way, shapes (m,)."""
    n, m = similarity.shape
    to, best = np.zeros(n, dtype=np.int64), np.full(n, -np.inf, dtype=np.float32)
    back, back_best = np.zeros(m, dtype=np.int64), np.full(m, -np.inf, dtype=np.float32)
    step = max(1, _BLOCK // m)
    for start in range(0, n, step):
        block = similarity.rows(slice(start, start + step))
        rows = np.arange(len(block))
        to[start : start + step] = block.argmax(axis=1)
        best[start : start + step] = block[rows, to[start : start + step]]
        above = block.argmax(axis=0)
        value = block[above, np.arange(m)]
        better = value > back_best
        back[better], back_best[better] = start + above[better], value[better]
    return to, best, back, back_best


def best_values(similarity: Similarity) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """How similar the nearest is to each of ours, shape (n,), and to each of theirs, shape (m,)."""
    n, m = similarity.shape
    best, back = np.full(n, -np.inf, dtype=np.float32), np.full(m, -np.inf, dtype=np.float32)
    step = max(1, _BLOCK // m)
    for start in range(0, n, step):
        block = similarity.rows(slice(start, start + step))
        best[start : start + step] = block.max(axis=1)
        np.maximum(back, block.max(axis=0), out=back)
    return best, back


def _assign_all(
    similarity: Similarity, told: Done, done: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    from scipy.optimize import linear_sum_assignment

    values = similarity.rows(slice(0, similarity.shape[0]))
    told(done + len(values))
    nearest = values.argmax(axis=1)
    match = np.full(len(values), -1, dtype=np.int64)
    tall = values.shape[0] > values.shape[1]
    cost = np.array(values.T if tall else values, dtype=np.float64, order="C")
    np.negative(cost, out=cost)  # as scipy wants it: else it makes a copy to turn it over, and to make gains costs
    fewer, more = linear_sum_assignment(cost)
    match[more if tall else fewer] = fewer if tall else more
    return match, nearest, values[np.arange(len(values)), nearest]


def _assign_candidates(
    similarity: Similarity, told: Done, done: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    from scipy.sparse import coo_array, csr_array
    from scipy.sparse.csgraph import maximum_bipartite_matching, min_weight_full_bipartite_matching

    n, m = similarity.shape
    k = min(_CANDIDATES, n, m)
    while True:
        forward, values = _most_similar(similarity, k, told, done=done)
        backward, _ = _most_similar(similarity.turned(), k, told, done=done + n)
        rows = np.concatenate([np.repeat(np.arange(n), k), backward.ravel()])
        columns = np.concatenate([forward.ravel(), np.repeat(np.arange(m), k)])
        there = coo_array((np.ones(len(rows), np.int8), (rows, columns)), shape=(n, m)).tocsr()  # each pair once
        found = int((maximum_bipartite_matching(there, perm_type="column") >= 0).sum())
        if found == min(n, m) or k == min(n, m):
            break
        k = min(2 * k, n, m)  # too few candidates for everyone to be matched
    rows, columns = there.nonzero()
    near = similarity.pairs(rows, columns)
    graph = csr_array((2.0 - near.astype(np.float64), (rows, columns)), shape=(n, m))
    match = np.full(n, -1, dtype=np.int64)
    matched, to = min_weight_full_bipartite_matching(graph)
    match[matched] = to
    first = np.arange(n), values.argmax(axis=1)
    return match, forward[first], values[first]


def _most_similar(
    similarity: Similarity, k: int, told: Done, *, done: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The k of theirs most similar to each of ours, in no order, and how similar: shape (n, k) each."""
    n, m = similarity.shape
    found = np.empty((n, k), dtype=np.int64)
    values = np.empty((n, k), dtype=np.float32)
    step = max(1, _BLOCK // m)
    for start in range(0, n, step):
        told(done + start)
        part = slice(start, start + step)
        block = similarity.rows(part)
        found[part] = np.argpartition(block, m - k, axis=1)[:, m - k :]
        values[part] = np.take_along_axis(block, found[part], axis=1)
    return found, values
