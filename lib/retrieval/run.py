"""Runs: what a system answers to each query, and where the judged documents stand in that."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.corpora import QuerySet
from lib.results import Result


@dataclass(frozen=True, eq=False)
class Run(Result):
    """The first documents that a system gives each query, best first; equal scores by `QuerySet.tie_order`."""

    system: str
    """What made it, as shown: an encoder's name, BM25."""
    documents: NDArray[np.int64]
    """Rows of the documents, shape (q, k); -1 after the last where a query has fewer than k."""
    scores: NDArray[np.float32]
    """Their scores, higher is better, shape (q, k); -inf where there is no document. float32, as trec_eval has them."""
    items: int
    """Documents that could be found."""


@dataclass(frozen=True, eq=False)
class JudgedRanks(Result):
    """Where each judged document stands: all that a metric needs to know of a run."""

    query: NDArray[np.int64]
    """Row of each judgement's query, shape (m,), ascending."""
    relevance: NDArray[np.int64]
    """Its grade, shape (m,)."""
    rank: NDArray[np.int64]
    """Rank of its document, 1 is best, 0 where it was not retrieved, shape (m,)."""
    queries: int
    """Queries of the set, those without a relevant document included."""


def judged_ranks(queries: QuerySet, run: Run) -> JudgedRanks:
    """Ranks of the judged documents in `run`; 0 for those that it does not hold.

    Raises:
        ValueError: the run answers another number of queries.
    """
    if len(run.documents) != len(queries.queries):
        raise ValueError(f"The run answers {len(run.documents)} queries and the set has {len(queries.queries)}")
    q, _ = run.documents.shape
    n = max(len(queries.documents), 1)
    wanted = queries.judged_query * n + queries.judged_document  # (m,), ascending
    rank = np.zeros(len(wanted), dtype=np.int64)
    if len(wanted):
        places = np.arange(q)[:, None] * n + run.documents  # (q, k)
        at = np.minimum(np.searchsorted(wanted, places), len(wanted) - 1)
        rows, columns = np.nonzero((wanted[at] == places) & (run.documents >= 0))
        rank[at[rows, columns]] = columns + 1
    return JudgedRanks(queries.judged_query, queries.relevance, rank, q)
