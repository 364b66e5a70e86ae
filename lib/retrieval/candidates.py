"""The documents that can be among each query's k best, by keys: what exact search narrows n documents down to.

Documents come in blocks, each against all queries in blocks; a query keeps its `width` highest keys so far. A block's
key is looked at again only if it is above the lowest of those, which after the first blocks few are.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.errors import Stopped
from lib.geometry.vectors import blocks
from lib.retrieval.measures import Scale, Vectors, document_side, keys, query_side

Progress = Callable[[int, int], None]

_WORTH_THREADS = 4  # spans
QUERY_ROWS = 1_024
DOCUMENT_ROWS = 8_192  # 32 MB of keys against the query rows
_GROUP = 8  # keys that share a maximum where a floor for the highest is sought
_MERGED = 1 << 20  # keys looked at in one thread at a time
_MANY = 4  # times `width`: hits a query above which a higher floor pays


@dataclass(frozen=True)
class Told:
    """Whom long work tells how far it is, and who may stop it."""

    progress: Progress | None = None
    """Is told the comparisons done, and of how many."""
    should_stop: Callable[[], bool] | None = None
    """Answers True where the work should end."""

    def __call__(self, done: int, of: int) -> None:
        """Tell; raises Stopped where the work should end."""
        if self.should_stop is not None and self.should_stop():
            raise Stopped("The search was stopped.")
        if self.progress is not None:
            self.progress(done, of)


def candidates(
    queries: Vectors, documents: Vectors, width: int, by: Scale, *, told: Told
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Rows of the documents with the `width` <= n highest keys for each query, and the keys: each (q, width), unsorted.

    Every other document's key is at most the lowest of these.
    """
    best = np.full((len(queries), width), -np.inf, dtype=np.float32)
    found = np.zeros((len(queries), width), dtype=np.int64)
    for rows, first, new in key_blocks(queries, documents, np.arange(len(queries)), by, told=told):

        def one(part: slice, rows: slice = rows, first: int = first, new: NDArray[np.float32] = new) -> None:
            own = slice(rows.start + part.start, rows.start + part.stop)
            best[own], found[own] = _merged(best[own], found[own], new[part], first)

        in_threads(one, blocks(len(new), max(1, _MERGED // new.shape[1])))
    return found, best


def key_blocks(
    queries: Vectors, documents: Vectors, asked: NDArray[np.int64], by: Scale, *, told: Told
) -> Iterator[tuple[slice, int, NDArray[np.float32]]]:
    """Keys of all documents for the queries at the rows `asked` (m,), block by block.

    Yields which of `asked`, the row of the first document, and the keys, which the next step overwrites.
    """
    m, n = len(asked), len(documents)
    buffer = np.empty(min(m, QUERY_ROWS) * min(n, DOCUMENT_ROWS), dtype=np.float32)
    for columns in blocks(n, DOCUMENT_ROWS):
        block = document_side(documents, columns, by)
        for span in blocks(m, QUERY_ROWS):
            told(columns.start * m + span.start * len(block), m * n)
            side = query_side(queries, asked[span], by)
            out = buffer[: len(side) * len(block)].reshape(len(side), len(block))
            yield span, columns.start, keys(side, block, by.measure, out=out)
    told(m * n, m * n)


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
    above = new > floor[:, None]
    if np.count_nonzero(above) > _MANY * m * width:
        if (
            w >= 2 * _GROUP * width
        ):  # the `width`-th highest maximum of disjoint groups is no higher than the key sought
            groups = w // _GROUP
            maxima = new[:, : _GROUP * groups].reshape(m, _GROUP, groups).max(axis=1)
            floor = np.maximum(floor, np.partition(maxima, -width, axis=1)[:, -width])
            np.greater_equal(new, floor[:, None], out=above)
        if np.count_nonzero(above) > _MANY * m * width:  # many are the same
            columns = _highest(new, min(width, w))
            return np.repeat(np.arange(m), columns.shape[1]), columns.ravel()
    at = np.flatnonzero(above)
    rows = at // w
    return rows, at - rows * w


def _highest(values: NDArray[np.float32], k: int) -> NDArray[np.int64]:
    """Columns of the k highest of each row, shape (m, k), in any order."""
    if k == values.shape[1]:
        return np.broadcast_to(np.arange(k), values.shape)
    return np.argpartition(values, -k, axis=1)[:, -k:]


def in_threads(one: Callable[[slice], None], spans: Iterable[slice]) -> None:
    """`one` for each of `spans`; few of them are done sooner than threads would be begun."""
    spans = list(spans)
    if len(spans) < _WORTH_THREADS:
        for span in spans:
            one(span)
        return
    with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as pool:
        for _ in pool.map(one, spans):
            pass
