"""Max-pooled search: a document scores what the best of its passages scores, exactly, in blocks of queries."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.corpora import QuerySet
from lib.errors import InputError
from lib.progress import Progress, Told
from lib.results import Result
from lib.retrieval.bootstrap import PairedTest
from lib.retrieval.chunking import Chunks
from lib.retrieval.contrast import CONTRASTED, among, contrast
from lib.retrieval.measures import Measure, Scale, document_side, keys, query_side, scale
from lib.retrieval.metrics import QueryMetrics, query_metrics
from lib.retrieval.progress_parts import part
from lib.retrieval.run import JudgedRanks, Run

Vectors = NDArray[np.floating]
_BLOCK = 8_000_000  # scores held at a time
_DEPTH = 100


@dataclass(frozen=True, eq=False)
class ChunkComparison(Result):
    """The same search with whole documents and with passages."""

    tests: tuple[PairedTest, ...]
    """One a metric over all queries: a = whole documents, b = passages."""
    tests_cut: tuple[PairedTest, ...]
    """The same over queries with a relevant document that is cut at the maximum; empty where there is none."""
    tests_whole: tuple[PairedTest, ...]
    """The same over queries whose relevant documents are all read whole; empty where there is none."""
    closer: int
    """Relevant documents, cut ones alone, that stand nearer to the top with passages."""
    further: int
    """Relevant documents, cut ones alone, that stand further down."""
    unmoved: int
    """Relevant documents, cut ones alone, at the same rank."""
    documents: int
    """Documents, n: vectors without passages."""
    chunks: int
    """Passages, c: vectors with them."""
    split: int
    """Documents in more than one passage."""
    size: int
    """Most tokens in a passage."""
    overlap: int
    """Tokens that neighbouring passages share."""
    measure: str
    """How vectors were compared."""


def pooled_search(
    queries: Vectors,
    chunks: Vectors,
    document: NDArray[np.int64],
    *,
    k: int = _DEPTH,
    measure: Measure = "cosine",
    tie_order: NDArray[np.int64] | None = None,
    system: str = "passages",
) -> Run:
    """The k documents that score highest for each of `queries` (q, d): the closest of their `chunks` (c, d).

    `document` names each chunk's document, shape (c,): ascending from 0, none left out. Equal scores by `tie_order`,
    smaller first. Zero vectors have a cosine of 0 with everything; l2 and manhattan are negative distances.

    Raises:
        InputError: k below 1, chunks that do not fit `document`, or vectors that `search` refuses.
    """
    n = _checked(chunks, document)
    if k < 1:
        raise InputError(f"A search needs to keep at least 1 document a query, got {k}.")
    k, ties = min(k, n), np.arange(n) if tie_order is None else tie_order
    rows, kept = np.zeros((len(queries), k), dtype=np.int64), np.zeros((len(queries), k), dtype=np.float32)
    for block, scores in _blocks(queries, chunks, document, measure, Told()):
        order = np.lexsort((np.broadcast_to(ties, scores.shape), -scores), axis=1)[:, :k]
        rows[block], kept[block] = order, np.take_along_axis(scores, order, 1)
    return Run(system, rows, kept, n)


def pooled_ranks(
    queries: QuerySet,
    vectors: Vectors,
    chunks: Vectors,
    document: NDArray[np.int64],
    *,
    measure: Measure = "cosine",
    progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> JudgedRanks:
    """Rank of each judged document among all of them, by the best of its `chunks`; see `pooled_search`.

    Raises:
        InputError: chunks that do not fit `document`, or vectors that `search` refuses.
        Stopped: `should_stop` said so.
    """
    _checked(chunks, document)
    ranks = np.zeros(len(queries.relevance), dtype=np.int64)
    ties = queries.tie_order
    for block, scores in _blocks(vectors, chunks, document, measure, Told(progress, should_stop)):
        first, last = np.searchsorted(queries.judged_query, (block.start, block.stop))
        for i in range(first, last):
            row, own = scores[queries.judged_query[i] - block.start], queries.judged_document[i]
            ahead = (row > row[own]) | ((row == row[own]) & (ties < ties[own]))
            ranks[i] = 1 + np.count_nonzero(ahead)
    return JudgedRanks(queries.judged_query, queries.relevance, ranks, len(queries.queries))


def compare_chunks(
    queries: QuerySet,
    chunks: Chunks,
    cut: NDArray[np.bool_],
    *,
    query_vectors: Vectors,
    document_vectors: Vectors,
    chunk_vectors: Vectors,
    measure: Measure = "cosine",
    seed: int = 0,
    progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> ChunkComparison:
    """Search with whole documents (n, d), as far as they are read, against search with passages (c, d).

    `cut` marks the documents that are not read whole, shape (n,). Ranks are exact over all documents.

    Raises:
        InputError: vectors that do not fit, or no query with a relevant document.
        Stopped: `should_stop` said so.
    """
    sides = ((document_vectors, np.arange(len(document_vectors))), (chunk_vectors, chunks.document))
    whole, parts = (
        pooled_ranks(
            queries, query_vectors, vectors, document, measure=measure, progress=part(progress, step, 2),
            should_stop=should_stop,
        )
        for step, (vectors, document) in enumerate(sides)
    )  # fmt: skip
    before, after = query_metrics(whole), query_metrics(parts)
    relevant = (queries.relevance > 0) & cut[queries.judged_document]
    asks = np.zeros(len(queries.queries), dtype=bool)
    asks[queries.judged_query[relevant]] = True
    moved = parts.rank[relevant] - whole.rank[relevant]
    return ChunkComparison(
        tests=contrast(before, after, seed=seed),
        tests_cut=_contrast_among(before, after, asks, seed),
        tests_whole=_contrast_among(before, after, ~asks, seed),
        closer=int((moved < 0).sum()),
        further=int((moved > 0).sum()),
        unmoved=int((moved == 0).sum()),
        documents=len(document_vectors),
        chunks=len(chunks.texts),
        split=chunks.split,
        size=chunks.size,
        overlap=chunks.overlap,
        measure=measure,
    )


def _contrast_among(a: QueryMetrics, b: QueryMetrics, queries: NDArray[np.bool_], seed: int) -> tuple[PairedTest, ...]:
    first, second = among(a, queries), among(b, queries)
    return contrast(first, second, names=CONTRASTED, seed=seed) if len(first.query) else ()


def _checked(chunks: Vectors, document: NDArray[np.int64]) -> int:
    """Number of documents."""
    steps = np.diff(document, prepend=-1)
    if not len(document) or len(chunks) != len(document) or not np.isin(steps, (0, 1)).all() or steps[0] != 1:
        raise InputError(
            f"Passages should come document by document, one vector each: got {len(chunks):,} vectors and "
            f"{len(document):,} documents' rows, which should rise from 0 by 0 or 1."
        )
    return int(document[-1]) + 1


def _blocks(
    queries: Vectors, chunks: Vectors, document: NDArray[np.int64], measure: Measure, told: Told
) -> Iterator[tuple[slice, NDArray[np.float32]]]:
    """Scores of all documents, shape (b, n), for a block of queries at a time."""
    distinct, place = _distinct_rows(chunks)
    of_all = chunks[distinct]
    by = scale(queries, of_all, measure)
    table = document_side(of_all, slice(0, len(of_all)), by)
    starts = np.flatnonzero(np.diff(document, prepend=-1))
    step = max(1, _BLOCK // len(document))
    for start in range(0, len(queries), step):
        block = slice(start, min(start + step, len(queries)))
        told(start * len(table), len(queries) * len(table))
        rows = np.arange(block.start, block.stop)
        out = np.empty((len(rows), len(table)), dtype=np.float32)
        scores = _scores(keys(query_side(queries, rows, by), table, measure, out=out), rows, by)
        yield block, np.maximum.reduceat(scores[:, place], starts, axis=1)
    told(len(queries) * len(table), len(queries) * len(table))


def _scores(made: NDArray[np.float32], rows: NDArray[np.int64], by: Scale) -> NDArray[np.float32]:
    """The scores that the keys of these queries, shape (b, c), stand for; in their order."""
    if by.measure == "cosine":
        return made
    if by.measure == "l2":
        gaps = np.square(by.query[rows] / by.unit)[:, None] - 2 * made.astype(np.float64)
        return np.asarray(-by.unit * np.sqrt(np.maximum(gaps, 0)), dtype=np.float32)
    lengths = by.query[rows] * by.unit if by.measure == "dot" else np.full(len(rows), by.unit)
    return np.asarray(made * lengths[:, None], dtype=np.float32)


def _distinct_rows(vectors: Vectors) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows that stand for all equal ones, and for each row its place among those: equal rows get equal scores."""
    numbers: dict[bytes, int] = {}
    place = np.fromiter((numbers.setdefault(row.tobytes(), len(numbers)) for row in vectors), np.int64, len(vectors))
    return np.unique(place, return_index=True)[1].astype(np.int64), place
