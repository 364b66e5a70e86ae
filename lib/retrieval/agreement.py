"""What the choice of measure changes: do cosine, dot product, L2 and Manhattan find the same documents?

Where every vector has length 1, dot = cosine and |q - d|² = 2 - 2 cosine: three measures, one order. Elsewhere the dot
product favours long documents whatever they are about, and L2 those whose length is near the query's.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.errors import InputError
from lib.geometry.vectors import sample_rows
from lib.progress import Progress
from lib.results import Result
from lib.retrieval.measures import MEASURES, Measure, Vectors, lengths
from lib.retrieval.search import search

SAME_LENGTH = 1e-3
"""Lengths that differ from 1 by no more than this count as 1."""


@dataclass(frozen=True, eq=False)
class MeasureAgreement(Result):
    """The first k documents of each query under each measure, compared."""

    measures: tuple[str, ...]
    """The measures compared, m of them."""
    overlap: NDArray[np.float64]
    """Mean share of a query's first k documents that two measures have in common, shape (m, m), in [0, 1]."""
    same_order: NDArray[np.float64]
    """Share of queries whose first k documents are the same in the same order, shape (m, m), in [0, 1]."""
    length_correlation: tuple[float | None, ...]
    """Spearman correlation of a document's length with how often it is among the first k, for each measure; above 0:
    long vectors come more often. None where all lengths, or all counts, are the same."""
    normalised: bool
    """Whether every query and document has length 1, within SAME_LENGTH: cosine, dot and l2 then give one order."""
    query_lengths: tuple[float, float, float]
    """Least, median and largest Euclidean length of a query."""
    document_lengths: tuple[float, float, float]
    """Least, median and largest Euclidean length of a document."""
    k: int
    """Documents compared for each query, after lowering to n."""
    asked: int
    """Queries searched: all, or a sample."""
    queries: int
    """Queries there are."""
    items: int
    """Documents there are, n."""
    seed: int
    """Seed of the sample."""


def measure_agreement(
    queries: Vectors,
    documents: Vectors,
    *,
    measures: Sequence[Measure] = MEASURES,
    k: int = 10,
    sample: int = 500,
    tie_order: NDArray[np.int64] | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> MeasureAgreement:
    """Search `documents` (n, d) for up to `sample` of `queries` (q, d) under each measure and compare the first k.

    Raises:
        InputError: no query, k or sample below 1, and what `search` refuses.
        Stopped: `should_stop` said so.
    """
    if not len(queries) or sample < 1:
        raise InputError(f"Comparing measures needs a query and a sample of at least 1, got {len(queries)}, {sample}.")
    rows = sample_rows(len(queries), sample, seed=seed)
    asked = queries[rows]
    found = []
    for i, measure in enumerate(measures):
        tell = _part(progress, i, len(measures))
        found.append(
            search(
                asked, documents, k, measure=measure, tie_order=tie_order, progress=tell, should_stop=should_stop
            ).documents
        )
    q = lengths(queries, measure="l2", what="query")
    d = lengths(documents, measure="l2", what="document")
    pairs = [[_compare(a, b, len(documents)) for b in found] for a in found]
    both = np.concatenate([q, d])
    return MeasureAgreement(
        measures=tuple(measures),
        overlap=np.array([[pair[0] for pair in row] for row in pairs]),
        same_order=np.array([[pair[1] for pair in row] for row in pairs]),
        length_correlation=tuple(_correlation(d, np.bincount(top.ravel(), minlength=len(d))) for top in found),
        normalised=bool(np.abs(both - 1).max() <= SAME_LENGTH),
        query_lengths=_three(q),
        document_lengths=_three(d),
        k=found[0].shape[1],
        asked=len(rows),
        queries=len(queries),
        items=len(documents),
        seed=seed,
    )


def _part(progress: Progress | None, part: int, parts: int) -> Progress | None:
    if progress is None:
        return None
    return lambda done, of: progress(part * of + done, parts * of)


def _compare(a: NDArray[np.int64], b: NDArray[np.int64], n: int) -> tuple[float, float]:
    """Mean share in common, and share of rows in the same order, of two (q, k) lists of documents."""
    first = (np.arange(len(a))[:, None] * n + a).ravel()
    second = (np.arange(len(b))[:, None] * n + b).ravel()
    shared = len(np.intersect1d(first, second, assume_unique=True))
    return shared / a.size, float((a == b).all(axis=1).mean())


def _correlation(length: NDArray[np.float64], counts: NDArray[np.int64]) -> float | None:
    if np.ptp(length) <= SAME_LENGTH * length.max(initial=0) or np.ptp(counts) == 0:
        return None
    from scipy.stats import rankdata

    return float(np.corrcoef(rankdata(length), rankdata(counts))[0, 1])


def _three(values: NDArray[np.float64]) -> tuple[float, float, float]:
    return float(values.min()), float(np.median(values)), float(values.max())
