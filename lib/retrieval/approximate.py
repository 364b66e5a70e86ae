"""Search by faiss, exact or approximate, and what an approximate index costs and misses.

HNSW (Malkov and Yashunin 2018) walks a graph of near neighbours instead of looking at every document: faster on large
corpora, it misses some. `m` links a document, `ef_construction` candidates when it is built and `ef_search` when it is
asked trade time for recall. Built by several threads, two builds of the same documents differ a little.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lib.errors import InputError, Stopped
from lib.geometry.vectors import blocks
from lib.progress import Progress
from lib.results import Result
from lib.retrieval.measures import Measure, Scale, Vectors, document_side, query_side, scale
from lib.retrieval.run import Run
from lib.retrieval.search import pair_scores, search
from lib.retrieval.timing import shortest

Kind = Literal["flat", "hnsw"]

_MEASURES = ("cosine", "dot", "l2")
_ADDED = 1_000  # documents added between two looks at whether to stop


@dataclass(frozen=True, eq=False)
class IndexQuality(Result):
    """One faiss index, measured against exact search."""

    kind: str
    """"exact" is this program's own search; faiss's "flat" looks at every document too, "hnsw" walks a graph."""
    measure: str
    """cosine, dot or l2."""
    recall: float
    """Mean share of a query's exact first k documents that it found, in [0, 1]; one that ties with the k-th counts."""
    worst_recall: float
    """The least of those shares over the queries."""
    k: int
    """Documents asked for a query."""
    build_seconds: float
    """Time to build it, wall clock."""
    seconds_per_query: float
    """Time to search it, wall clock over all queries at once, divided by their number; the shortest of a few."""
    bytes: int
    """What its vectors and links take in memory."""
    items: int
    """Documents in it, n."""
    queries: int
    """Queries asked."""
    m: int | None
    """hnsw: links of a document in the graph's upper layers; twice that in the lowest."""
    ef_construction: int | None
    """hnsw: candidates looked at while it is built."""
    ef_search: int | None
    """hnsw: candidates looked at for a query."""


@dataclass(frozen=True, eq=False)
class Found(Result):
    """What an index answered, and its quality."""

    run: Run
    """Its documents; scores are those of `search`, so that runs compare."""
    quality: IndexQuality
    """What it costs and misses."""


def faiss_search(
    queries: Vectors,
    documents: Vectors,
    exact: Run,
    *,
    kind: Kind = "hnsw",
    measure: Measure = "cosine",
    m: int = 32,
    ef_construction: int = 80,
    ef_search: int = 64,
    progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Found:
    """Build a faiss index of `documents` (n, d), ask it `queries` (q, d) and compare with `exact`, of that measure.

    Raises:
        InputError: faiss is not installed, manhattan, settings below 1, and what `search` refuses.
        Stopped: `should_stop` said so; asked between batches of documents.
    """
    faiss = _faiss()
    if measure not in _MEASURES:
        raise InputError(f"faiss is asked here by {', '.join(_MEASURES)}, got {measure}: choose one of those.")
    if min(ef_construction, ef_search) < 1 or not 2 <= m <= 512:
        raise InputError(
            "HNSW needs 2 to 512 links and at least 1 candidate, "
            f"got {m} links, {ef_construction} candidates when built and {ef_search} when asked."
        )
    by = scale(queries, documents, measure)
    k = exact.documents.shape[1]
    metric = faiss.METRIC_L2 if measure == "l2" else faiss.METRIC_INNER_PRODUCT
    index = _empty(faiss, kind, documents.shape[1], metric, m, ef_construction)
    build_seconds = _fill(index, documents, by, progress, should_stop)
    if kind == "hnsw":
        index.hnsw.efSearch = ef_search
    asked = query_side(queries, np.arange(len(queries)), by)
    seconds, (_, found) = shortest(lambda: index.search(asked, k))
    run = _run(queries, documents, found.astype(np.int64), measure, kind)
    shares = _recall(run, exact)
    hnsw = kind == "hnsw"
    quality = IndexQuality(
        kind=kind,
        measure=measure,
        recall=float(shares.mean()) if len(shares) else float("nan"),
        worst_recall=float(shares.min(initial=1)),
        k=k,
        build_seconds=build_seconds,
        seconds_per_query=seconds / max(len(queries), 1),
        bytes=_bytes(index, kind, documents.shape),
        items=len(documents),
        queries=len(queries),
        m=m if hnsw else None,
        ef_construction=ef_construction if hnsw else None,
        ef_search=ef_search if hnsw else None,
    )
    return Found(run, quality)


def exact_search(
    queries: Vectors,
    documents: Vectors,
    k: int = 10,
    *,
    measure: Measure = "cosine",
    tie_order: NDArray[np.int64] | None = None,
    progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Found:
    """This program's own search, timed: what an index is held against."""
    seconds, run = shortest(
        partial(
            search, queries, documents, k, measure=measure, tie_order=tie_order, progress=progress,
            should_stop=should_stop,
        )
    )  # fmt: skip
    quality = IndexQuality(
        kind="exact",
        measure=measure,
        recall=1.0,
        worst_recall=1.0,
        k=run.documents.shape[1],
        build_seconds=0.0,
        seconds_per_query=seconds / max(len(queries), 1),
        bytes=4 * len(documents) * documents.shape[1],
        items=len(documents),
        queries=len(queries),
        m=None,
        ef_construction=None,
        ef_search=None,
    )
    return Found(run, quality)


def _faiss() -> Any:
    try:
        import faiss
    except ImportError as fault:
        raise InputError(
            "faiss is not installed here, so only this program's own exact search is offered: "
            "add faiss-cpu to the server's packages."
        ) from fault
    return faiss


def _empty(faiss: Any, kind: Kind, d: int, metric: int, m: int, ef_construction: int) -> Any:
    if kind == "flat":
        return faiss.IndexFlat(d, metric)
    if kind != "hnsw":
        raise InputError(f"The index should be flat or hnsw, got {kind!r}.")
    index = faiss.IndexHNSWFlat(d, m, metric)
    index.hnsw.efConstruction = ef_construction
    return index


def _fill(
    index: Any,
    documents: Vectors,
    by: Scale,
    progress: Progress | None,
    should_stop: Callable[[], bool] | None,
) -> float:
    """Add the documents, at length 1 for cosine; seconds that faiss took."""
    seconds = 0.0
    for span in blocks(len(documents), _ADDED):
        if should_stop is not None and should_stop():
            raise Stopped("Building the index was stopped.")
        side = document_side(documents, span, by)
        started = time.perf_counter()
        index.add(side)
        seconds += time.perf_counter() - started
        if progress is not None:
            progress(span.stop, len(documents))
    return seconds


def _run(queries: Vectors, documents: Vectors, found: NDArray[np.int64], measure: Measure, kind: Kind) -> Run:
    """What faiss found, by the scores of `search`; best first, equal ones as faiss has them."""
    q, k = found.shape
    rows, columns = np.nonzero(found >= 0)
    scores = np.full((q, k), -np.inf, dtype=np.float32)
    scores[rows, columns] = pair_scores(queries, documents, rows, found[rows, columns], measure=measure)
    order = np.argsort(-scores, axis=1, kind="stable")
    name = {"flat": "faiss, flat", "hnsw": "faiss, HNSW"}[kind]
    return Run(name, np.take_along_axis(found, order, 1), np.take_along_axis(scores, order, 1), len(documents))


def _recall(run: Run, exact: Run) -> NDArray[np.float64]:
    """Share of each query's exact first k that `run` found, shape (q,)."""
    return np.asarray((run.scores >= exact.scores[:, -1:]).mean(axis=1), dtype=np.float64)


def _bytes(index: Any, kind: Kind, shape: tuple[int, ...]) -> int:
    vectors = 4 * shape[0] * shape[1]
    if kind == "flat":
        return vectors
    graph = index.hnsw
    return int(vectors + 4 * graph.neighbors.size() + 8 * graph.offsets.size() + 4 * graph.levels.size())
