"""Nearest neighbours, exact, in blocks: the search that hubness, label purity, TwoNN and k-NN distances share.

Every query row is compared with every other row of the corpus. Where the corpus is too large to ask for all
rows, a uniform sample of query rows is asked, each still against the whole corpus; the result says so.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.errors import InputError
from lib.geometry.vectors import blocks, check, sample_rows, unit, unit_rows

_QUERY_ROWS = 1_024
_BASE_ROWS = 8_192  # 32 MB of scores against the query rows
_GROUP = 32  # scores that share a maximum in the first step of a selection
_SPARE = 6  # candidates beyond k: cosines in float32 may swap neighbours that all but tie, exact distances settle it


@dataclass(frozen=True)
class Neighbours:
    """The k nearest other rows of each query row, nearest first, equally near ones by row number.

    Where more rows than k are equally near (copies of a text), which of them are kept is arbitrary but repeatable.
    """

    rows: NDArray[np.int64]
    """Rows that were asked, shape (m,), ascending."""
    indices: NDArray[np.int64]
    """Their neighbours' rows, shape (m, k)."""
    distances: NDArray[np.float64]
    """Distances to them between unit vectors, sqrt(2 - 2 cosine), in [0, 2], shape (m, k), ascending."""
    items: int
    """Rows that could be a neighbour, n unless the search was among some of them."""
    seed: int
    """Seed of the sample of query rows."""

    @property
    def every_row(self) -> bool:
        """Whether every row was asked rather than a sample."""
        return len(self.rows) == self.items


def neighbours(
    embeddings: NDArray[np.floating],
    k: int = 10,
    *,
    among: NDArray[np.int64] | None = None,
    exact_up_to: int = 10_000,
    sample: int = 1_000,
    seed: int = 0,
) -> Neighbours:
    """The nearest other rows of each row of `embeddings`, shape (n, d), by cosine.

    k is lowered to n - 1 where the corpus is smaller. Up to `exact_up_to` rows all are asked, beyond that `sample`.
    `among` gives the rows, ascending, that ask and can be found; the others (texts without a label, say) take no part.

    Raises:
        InputError: fewer than two embeddings, k < 1, or an embedding of zero length.
    """
    n, _ = check(embeddings, minimum=2, what="A neighbour search")
    if k < 1:
        raise InputError(f"A neighbour search needs k of at least 1, got {k}.")
    among = np.arange(n) if among is None else among
    if len(among) < 2:
        raise InputError(f"A neighbour search needs at least 2 embeddings, got {len(among)}: add texts.")
    k = min(k, len(among) - 1)
    rows = among[sample_rows(len(among), len(among) if len(among) <= exact_up_to else sample, seed=seed)]
    ignored = np.setdiff1d(np.arange(n), among, assume_unique=True)
    indices = np.empty((len(rows), k), dtype=np.int64)
    distances = np.empty((len(rows), k))
    for span in blocks(len(rows), _QUERY_ROWS):
        queries = unit_rows(embeddings, rows[span])
        indices[span], distances[span] = search(queries, embeddings, k, exclude=rows[span], ignored=ignored)
    return Neighbours(rows, indices, distances, len(among), seed)


def search(
    queries: NDArray[np.float32],
    base: NDArray[np.floating],
    k: int,
    *,
    exclude: NDArray[np.int64] | None = None,
    ignored: NDArray[np.int64] | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The k rows of `base` (n, d) nearest to each unit row of `queries` (m, d): indices and distances, each (m, k).

    `exclude` (m,) names one row of `base` a query must not find: itself. `ignored` rows, ascending, are never found.
    At least k rows must be left to each query.
    """
    m, n = len(queries), len(base)
    best = np.empty((m, 0), dtype=np.float32)  # scores of the candidates so far
    found = np.empty((m, 0), dtype=np.int64)  # their rows
    width = -(-min(n, _BASE_ROWS) // _GROUP) * _GROUP
    scores = np.empty((m, width), dtype=np.float32)
    for span in blocks(n, _BASE_ROWS):
        size = span.stop - span.start
        np.matmul(queries, unit(base[span], first_row=span.start).T, out=scores[:, :size])
        scores[:, size:] = -np.inf
        if exclude is not None:
            inside = np.flatnonzero((exclude >= span.start) & (exclude < span.stop))
            scores[inside, exclude[inside] - span.start] = -np.inf
        if ignored is not None:
            scores[:, ignored[slice(*np.searchsorted(ignored, [span.start, span.stop]))] - span.start] = -np.inf
        columns = _largest_columns(scores, min(k + _SPARE, size))
        best = np.hstack([best, np.take_along_axis(scores, columns, 1)])
        found = np.hstack([found, columns + span.start])
        kept = _largest(best, min(k + _SPARE, best.shape[1]))
        best, found = np.take_along_axis(best, kept, 1), np.take_along_axis(found, kept, 1)
    allowed = best > -np.inf
    found = np.where(allowed, found, 0)
    distances = np.where(allowed, _distances(queries, base, found), np.inf)
    order = np.lexsort((found, distances), axis=1)[:, :k]
    return np.take_along_axis(found, order, 1), np.take_along_axis(distances, order, 1)


def _largest_columns(scores: NDArray[np.float32], k: int) -> NDArray[np.int64]:
    """Columns of the k largest in each row of `scores` (m, width), shape (m, k), in any order.

    Each of them lies in one of the k groups with the largest maxima, so that only those groups are searched.
    """
    m, width = scores.shape
    groups = width // _GROUP
    if k >= groups:
        return _largest(scores, k)
    maxima = scores.reshape(m, _GROUP, groups).max(axis=1)  # group g: columns g, g + groups, g + 2 groups ...
    columns = (_largest(maxima, k)[:, None, :] + groups * np.arange(_GROUP)[:, None]).reshape(m, _GROUP * k)
    return np.take_along_axis(columns, _largest(np.take_along_axis(scores, columns, 1), k), 1)


def _largest(values: NDArray[np.float32], k: int) -> NDArray[np.int64]:
    return np.argpartition(values, -k, axis=1)[:, -k:]


def _distances(
    queries: NDArray[np.float32], base: NDArray[np.floating], found: NDArray[np.int64]
) -> NDArray[np.float64]:
    """|q - u| by subtraction: 2 - 2 cosine loses its digits where two vectors almost meet."""
    distances = np.empty(found.shape)
    exact = queries.astype(np.float64)
    for column in range(found.shape[1]):
        rows, inverse = np.unique(found[:, column], return_inverse=True)
        gap = exact - unit_rows(base, rows)[inverse]
        distances[:, column] = np.sqrt(np.vecdot(gap, gap))
    return distances
