"""How small can the stored vectors be? Quality at each number of dimensions and each precision, against bytes.

Dimensions are cut first and the rest renormalised; then each number is stored in fewer bits. int8 has 256 steps of
equal width for each dimension, between the least and the largest value that the documents have in it; binary keeps the
sign. Both give the codes of `sentence_transformers.util.quantization.quantize_embeddings`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lib.corpora import QuerySet
from lib.errors import InputError
from lib.progress import Progress, Told
from lib.results import Result
from lib.retrieval.bootstrap import interval
from lib.retrieval.measures import Vectors, lengths
from lib.retrieval.run import Run
from lib.retrieval.search import pair_scores
from lib.retrieval.timing import shortest
from lib.retrieval.truncation import graded, prefix_sizes, search_first

Precision = Literal["float32", "float16", "int8", "int8 rescored", "binary", "binary rescored"]
PRECISIONS: tuple[Precision, ...] = ("float32", "float16", "int8", "int8 rescored", "binary", "binary rescored")

RESCORED = 4
"""Times as many documents as are wanted are found by codes on both sides and put in order by the query in float32."""
_DEPTH = 10
_STEPS = 255


@dataclass(frozen=True)
class SizePoint(Result):
    """Retrieval with vectors stored in one way."""

    dims: int
    """Dimensions kept: the first ones, renormalised."""
    precision: str
    """How a number is stored, and whether what is found is rescored."""
    bytes_per_document: int
    """Bytes of one vector."""
    ndcg: float
    """Mean NDCG@10."""
    ndcg_low: float
    """Lower end of its 95 % bootstrap interval over queries; NaN where there is one query."""
    ndcg_high: float
    """Its upper end."""
    recall: float
    """Mean recall@10."""
    kept: float
    """Share of the NDCG@10 of the whole vectors in float32; NaN where that is 0."""
    change: float
    """NDCG@10 less that of the whole vectors in float32, mean over queries."""
    change_low: float
    """Lower end of the 95 % bootstrap interval of the change."""
    change_high: float
    """Its upper end."""
    milliseconds_per_query: float | None
    """Time of this program's exact search over all queries at once, divided by their number; float32 only, since the
    others are computed here in float32 too."""


@dataclass(frozen=True)
class SizeQuality(Result):
    """Every way to store the vectors that was tried."""

    points: tuple[SizePoint, ...]
    """One for each size and precision, sizes ascending."""
    dims: tuple[int, ...]
    """Sizes tried, ascending, the last of them all d."""
    queries: int
    """Queries behind each mean."""
    items: int
    """Documents searched, n."""
    rescored: int
    """Times 10 documents that were rescored."""
    seed: int
    """Seed of the bootstrap."""

    def point(self, dims: int, precision: str) -> SizePoint:
        """The one point of that size and precision; KeyError where it was not tried."""
        for point in self.points:
            if (point.dims, point.precision) == (dims, precision):
                return point
        raise KeyError((dims, precision))


def bytes_per_document(dims: int, precision: Precision) -> int:
    """Bytes of one stored vector; an index adds its own."""
    bits = {"float32": 32, "float16": 16, "int8": 8, "binary": 1}[precision.removesuffix(" rescored")]
    return -(-dims * bits // 8)


def size_quality(
    queries: QuerySet,
    query_vectors: Vectors,
    document_vectors: Vectors,
    *,
    dims: Sequence[int] | None = None,
    precisions: Sequence[Precision] = PRECISIONS,
    rescored: int = RESCORED,
    seed: int = 0,
    progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> SizeQuality:
    """Search `document_vectors` (n, d) for `query_vectors` (q, d) by cosine, stored in every way.

    Raises:
        InputError: no query has a relevant document, a size outside 1 to d, another precision, `rescored` below 1.
        Stopped: `should_stop` said so; asked between searches.
    """
    d = document_vectors.shape[1]
    sizes = tuple(sorted({*(prefix_sizes(d) if dims is None else dims), d}))
    unknown = [precision for precision in precisions if precision not in PRECISIONS]
    if sizes[0] < 1 or sizes[-1] > d or unknown or rescored < 1:
        raise InputError(
            f"Sizes should lie between 1 and {d}, precisions be among {', '.join(PRECISIONS)} and rescored be 1 or "
            f"more, got {sizes}, {', '.join(precisions)} and {rescored}."
        )
    told = Told(progress, should_stop)
    ways = [(m, precision) for m in sizes for precision in precisions]
    told(0, len(ways) + 1)
    whole = graded(queries, search_first(queries, query_vectors, document_vectors))
    points = []
    for i, (m, precision) in enumerate(ways):
        told(i + 1, len(ways) + 1)
        if precision == precisions[0]:
            q, v = _cut(query_vectors, m, "query"), _cut(document_vectors, m, "document")
        seconds = None
        if precision == "float32":
            seconds, run = shortest(partial(search_first, queries, q, v))
        else:
            run = _search(queries, q, v, precision, rescored)
        metrics = graded(queries, run)
        full, own = whole.column("ndcg@10"), metrics.column("ndcg@10")
        low, high = interval(np.column_stack([own, own - full]), seed=seed)
        points.append(
            SizePoint(
                dims=m,
                precision=precision,
                bytes_per_document=bytes_per_document(m, precision),
                ndcg=float(own.mean()),
                ndcg_low=float(low[0]),
                ndcg_high=float(high[0]),
                recall=float(metrics.column("recall@10").mean()),
                kept=float(own.mean() / full.mean()) if full.mean() > 0 else float("nan"),
                change=float((own - full).mean()),
                change_low=float(low[1]),
                change_high=float(high[1]),
                milliseconds_per_query=None if seconds is None else 1_000 * seconds / max(len(q), 1),
            )
        )
    told(len(ways) + 1, len(ways) + 1)
    return SizeQuality(tuple(points), sizes, len(whole.query), len(document_vectors), rescored, seed)


def int8_ranges(documents: Vectors) -> NDArray[np.float32]:
    """Least and largest value of each dimension of `documents` (n, m), n >= 1: shape (2, m)."""
    return np.asarray([documents.min(axis=0), documents.max(axis=0)], dtype=np.float32)


def int8_codes(vectors: Vectors, ranges: NDArray[np.float32]) -> NDArray[np.int8]:
    """Codes -128 to 127 of `vectors` (n, m): 256 steps between the `ranges`; beyond them the outermost code."""
    step = _step(ranges)
    codes = np.floor((vectors - ranges[0]) / np.where(step == 0, np.float32(1), step))
    return np.asarray(np.clip(codes, 0, _STEPS) - 128, dtype=np.int8)


def int8_values(codes: NDArray[np.int8], ranges: NDArray[np.float32]) -> NDArray[np.float32]:
    """What codes stand for: the middle of their step, shape (n, m)."""
    return np.asarray(ranges[0] + (codes.astype(np.float32) + np.float32(128.5)) * _step(ranges), dtype=np.float32)


def binary_codes(vectors: Vectors) -> NDArray[np.uint8]:
    """Signs of `vectors` (n, m), 1 for above 0, eight to a byte: shape (n, ceil(m / 8))."""
    return np.packbits(np.asarray(vectors) > 0, axis=-1)


def binary_values(codes: NDArray[np.uint8], m: int) -> NDArray[np.float32]:
    """What codes stand for: +1 and -1, shape (n, m). Their dot product is m less twice the Hamming distance."""
    return 2 * np.unpackbits(codes, axis=-1, count=m).astype(np.float32) - 1


def _search(
    queries: QuerySet, q: NDArray[np.float32], v: NDArray[np.float32], precision: Precision, rescored: int
) -> Run:
    """The first 10 for the unit queries `q` among unit documents `v` stored in that precision."""
    stored = precision.removesuffix(" rescored")
    if stored == "int8":
        ranges = int8_ranges(v)
        short, v = int8_values(int8_codes(q, ranges), ranges), int8_values(int8_codes(v, ranges), ranges)
    elif stored == "binary":
        m = v.shape[1]
        short, v = binary_values(binary_codes(q), m), binary_values(binary_codes(v), m)
    else:
        return search_first(queries, q, v.astype(stored))
    if stored == precision:
        return search_first(queries, short, v)
    run = search_first(queries, short, v, _DEPTH * rescored)
    return _rescored(queries, run, q, v)


def _rescored(queries: QuerySet, run: Run, q: NDArray[np.float32], v: NDArray[np.float32]) -> Run:
    """The documents of `run` by the cosine of the query in float32 with the stored document; the first 10."""
    rows = np.repeat(np.arange(len(q)), run.documents.shape[1])
    scores = pair_scores(q, v, rows, run.documents.ravel()).reshape(run.documents.shape)
    order = np.lexsort((queries.tie_order[run.documents], -scores), axis=1)[:, :_DEPTH]
    return Run(run.system, np.take_along_axis(run.documents, order, 1), np.take_along_axis(scores, order, 1), run.items)


def _cut(vectors: Vectors, m: int, what: str) -> NDArray[np.float32]:
    """The first m dimensions at length 1, shape (n, m); a vector of zero length stays so."""
    first = np.asarray(vectors[:, :m], dtype=np.float32)
    size = lengths(first, measure="l2", what=what)[:, None]
    return np.asarray(np.divide(first, size, out=np.zeros(first.shape), where=size > 0), dtype=np.float32)


def _step(ranges: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray((ranges[1] - ranges[0]) / np.float32(_STEPS), dtype=np.float32)
