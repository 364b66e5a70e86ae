"""Exact search: for each query the k documents that score highest, in blocks, ties always broken the same way.

One matrix product a block gives keys that order documents up to rounding (lib/retrieval/candidates.py). The documents
with the highest keys get their scores, and a bound on the rounding tells whether any other could still be among the
k best; for the queries where one could, as among copies of a text, everything within that bound is scored too. The
result is that of sorting all scores by (score, tie order), whatever the blocks.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from lib.corpora import QuerySet
from lib.errors import InputError
from lib.geometry.vectors import blocks
from lib.progress import Progress, Told
from lib.retrieval.candidates import candidates
from lib.retrieval.key_blocks import each_key_block, in_threads
from lib.retrieval.measures import (
    Measure,
    Scale,
    Vectors,
    least_key,
    most_key,
    pair_score,
    scale,
)
from lib.retrieval.run import JudgedRanks, Run, judged_ranks

_PAIRS = 2_048  # scored at a time in one thread: 6 MB in float64 at 384 dimensions
_SPARE = 6  # candidates beyond k and a sixteenth of it


def search(
    queries: Vectors,
    documents: Vectors,
    k: int = 100,
    *,
    measure: Measure = "cosine",
    tie_order: NDArray[np.int64] | None = None,
    system: str = "encoder",
    progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Run:
    """The k best of `documents` (n, d), n >= 1, for each of `queries` (q, d); either may be memory-mapped.

    Scores are higher for closer ones: l2 and manhattan are negative distances. Equal scores go by `tie_order` (n,),
    smaller first, by row without it. k is lowered to n. Manhattan has no matrix product: some fifty times slower.

    Raises:
        InputError: k below 1, no document, vectors that are not finite or of two sizes, an unknown measure.
        Stopped: `should_stop` said so.
    """
    if k < 1 or not len(documents):
        raise InputError(f"A search needs a document and k of at least 1, got {len(documents)} documents and k = {k}.")
    by, n = scale(queries, documents, measure), len(documents)
    k = min(k, n)
    ties = np.arange(n) if tie_order is None else np.asarray(tie_order)
    found, near = candidates(queries, documents, min(n, k + _SPARE + k // 16), by, told=Told(progress, should_stop))
    rows, scores = _settled(queries, documents, found, k, ties, measure)
    if found.shape[1] < n:
        open_ = np.flatnonzero(near.min(axis=1) >= least_key(scores[:, -1], slice(None), by))
        _search_again(queries, documents, open_, rows, scores, ties, by, Told(None, should_stop))
    return Run(system, rows, scores, n)


def pair_scores(
    queries: Vectors,
    documents: Vectors,
    query_rows: NDArray[np.int64],
    document_rows: NDArray[np.int64],
    *,
    measure: Measure = "cosine",
) -> NDArray[np.float32]:
    """The scores that `search` gives the pairs of these rows, shape (m,)."""
    made = np.empty(len(query_rows), dtype=np.float32)

    def one(span: slice) -> None:
        made[span] = pair_score(queries[query_rows[span]], documents[document_rows[span]], measure)

    in_threads(one, blocks(len(made), _PAIRS))
    return made


def exact_ranks(
    queries: QuerySet,
    run: Run,
    query_vectors: Vectors,
    document_vectors: Vectors,
    *,
    measure: Measure = "cosine",
    progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> JudgedRanks:
    """Ranks of all judged documents among all n; `run` is what `search` answered with this measure and tie order.

    Where a judged document is not in the run, the documents that come before it are counted, by the same scores.

    Raises:
        InputError: as `search`.
        ValueError: the run answers another number of queries.
        Stopped: `should_stop` said so.
    """
    known = judged_ranks(queries, run)
    unknown = np.flatnonzero(known.rank == 0)
    if not len(unknown):
        return known
    by = scale(query_vectors, document_vectors, measure)
    rows, columns = queries.judged_query[unknown], queries.judged_document[unknown]
    scores = pair_scores(query_vectors, document_vectors, rows, columns, measure=measure)
    before = _count_before(
        query_vectors, document_vectors, rows, columns, scores, queries.tie_order, by, Told(progress, should_stop)
    )
    rank = known.rank.copy()
    rank[unknown] = 1 + before
    return JudgedRanks(known.query, known.relevance, rank, known.queries)


def _settled(
    queries: Vectors,
    documents: Vectors,
    found: NDArray[np.int64],
    k: int,
    ties: NDArray[np.int64],
    measure: Measure,
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The k best of the candidates `found` (q, width) by score: rows and scores, each (q, k)."""
    q, width = found.shape
    rows, scores = np.empty((q, k), dtype=np.int64), np.empty((q, k), dtype=np.float32)

    def one(span: slice) -> None:
        asked = np.asarray(queries[span], dtype=np.float64)[:, None, :]
        all_scores = pair_score(asked, documents[found[span]], measure)
        order = np.lexsort((ties[found[span]], -all_scores), axis=1)[:, :k]
        rows[span] = np.take_along_axis(found[span], order, 1)
        scores[span] = np.take_along_axis(all_scores, order, 1)

    in_threads(one, blocks(q, max(1, _PAIRS // width)))
    return rows, scores


def _search_again(
    queries: Vectors,
    documents: Vectors,
    asked: NDArray[np.int64],
    rows: NDArray[np.int64],
    scores: NDArray[np.float32],
    ties: NDArray[np.int64],
    by: Scale,
    told: Told,
) -> None:
    """Redo `rows` and `scores` (q, k) of the queries `asked`: score whatever may score as high as their k-th does."""
    k = rows.shape[1]
    least = least_key(scores[asked, -1], asked, by)

    def look(span: slice, first: int, new: NDArray[np.float32]) -> None:
        if first == 0:
            scores[asked[span]] = -np.inf
        for row, bound, near in zip(asked[span], least[span], new, strict=True):
            more = first + np.flatnonzero(near >= bound)
            if len(more):
                every = np.concatenate([rows[row], more])
                all_scores = np.concatenate([scores[row], _scores(queries[row], documents, more, by.measure)])
                order = np.lexsort((ties[every], -all_scores))[:k]
                rows[row], scores[row] = every[order], all_scores[order]

    each_key_block(queries, documents, asked, by, look, told=told)


def _scores(query: Vectors, documents: Vectors, rows: NDArray[np.int64], measure: Measure) -> NDArray[np.float32]:
    """Scores of one query (d,) with the documents at `rows`, shape (m,)."""
    asked = np.asarray(query, dtype=np.float64)
    return np.concatenate([pair_score(asked, documents[rows[part]], measure) for part in blocks(len(rows), _PAIRS)])


def _count_before(
    queries: Vectors,
    documents: Vectors,
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    scores: NDArray[np.float32],
    ties: NDArray[np.int64],
    by: Scale,
    told: Told,
) -> NDArray[np.int64]:
    """How many documents come before that at `columns` for the query at `rows`, ascending, each (m,), its score known.

    A document whose key is certainly higher is counted, one whose key is too near to tell is scored.
    """
    before = np.zeros(len(rows), dtype=np.int64)
    least, most = least_key(scores, rows, by), most_key(scores, rows, by)
    asked, starts = np.unique(rows, return_index=True)
    ends = np.append(starts[1:], len(rows))

    def look(span: slice, first: int, new: NDArray[np.float32]) -> None:
        for i, known in enumerate(new, start=span.start):
            own = slice(starts[i], ends[i])
            above = known > most[own, None]  # (judgements of this query, w)
            before[own] += np.count_nonzero(above, axis=1)
            judged, near = np.nonzero((known >= least[own, None]) & ~above)
            if not len(near):
                continue
            near_rows, place = np.unique(near, return_inverse=True)
            near_scores = _scores(queries[asked[i]], documents, first + near_rows, by.measure)[place]
            judged += starts[i]
            same = near_scores == scores[judged]
            earlier = (near_scores > scores[judged]) | (same & (ties[first + near] < ties[columns[judged]]))
            np.add.at(before, judged[earlier], 1)

    each_key_block(queries, documents, asked, by, look, told=told)
    return before
