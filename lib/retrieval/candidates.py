"""The documents that can be among each query's k best, by keys: what exact search narrows n documents down to.

Documents come in blocks, each against all queries in blocks; a query keeps its `width` highest keys so far. A block's
key is looked at again only if it is above the lowest of those, which after the first blocks few are.
"""

import numpy as np
from numpy.typing import NDArray

from lib.progress import Told
from lib.retrieval.key_blocks import each_key_block
from lib.retrieval.measures import Scale, Vectors

_GROUP = 8  # keys that share a maximum where a floor for the highest is sought
_MANY = 4  # times `width`: hits a query above which a higher floor pays


def candidates(
    queries: Vectors, documents: Vectors, width: int, by: Scale, *, told: Told
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Rows of the documents with the `width` <= n highest keys for each query, and the keys: each (q, width), unsorted.

    Every other document's key is at most the lowest of these.
    """
    best = np.full((len(queries), width), -np.inf, dtype=np.float32)
    found = np.zeros((len(queries), width), dtype=np.int64)

    def look(span: slice, first: int, new: NDArray[np.float32]) -> None:
        best[span], found[span] = _merged(best[span], found[span], new, first)

    each_key_block(queries, documents, np.arange(len(queries)), by, look, told=told)
    return found, best


def _merged(
    best: NDArray[np.float32], found: NDArray[np.int64], new: NDArray[np.float32], first: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """The highest of `best` (m, width) and `new` (m, w), the keys of documents `first` and on."""
    m, width = best.shape
    rows, columns = _hits(new, best.min(axis=1), width)
    if not len(rows):
        return best, found
    counts = np.bincount(rows, minlength=m)
    place = np.arange(len(rows)) - (np.cumsum(counts) - counts)[rows]  # of a hit among those of its query
    more = np.full((m, width + counts.max()), -np.inf, dtype=np.float32)
    where = np.zeros(more.shape, dtype=np.int64)
    more[:, :width], where[:, :width] = best, found
    more[rows, width + place], where[rows, width + place] = new[rows, columns], columns + first
    kept = _highest(more, width)
    return np.take_along_axis(more, kept, 1), np.take_along_axis(where, kept, 1)


def _hits(
    new: NDArray[np.float32], floor: NDArray[np.float32], width: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows, ascending, and columns of `new` (m, w) that can be among the `width` highest with those above `floor`."""
    m, w = new.shape
    if floor.max() > -np.inf:
        at = np.flatnonzero(new > floor[:, None])
        if len(at) <= _MANY * m * width:
            rows = at // w
            return rows, at - rows * w
    if w >= 2 * _GROUP * width:  # the `width`-th highest maximum of disjoint groups is no higher than the key sought
        groups = w // _GROUP
        maxima = new[:, : _GROUP * groups].reshape(m, _GROUP, groups).max(axis=1)
        floor = np.maximum(floor, np.partition(maxima, -width, axis=1)[:, -width])
        at = np.flatnonzero(new >= floor[:, None])
        if len(at) <= _MANY * m * width:
            rows = at // w
            return rows, at - rows * w
    columns = _highest(new, min(width, w))  # few documents, or many that are the same
    return np.repeat(np.arange(m), columns.shape[1]), columns.ravel()


def _highest(values: NDArray[np.float32], k: int) -> NDArray[np.int64]:
    """Columns of the k highest of each row, shape (m, k), in any order."""
    if k == values.shape[1]:
        return np.broadcast_to(np.arange(k), values.shape)
    return np.argpartition(values, -k, axis=1)[:, -k:]
