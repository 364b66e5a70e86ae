"""Changes: on which queries does one system do better than another, and what did each answer there?"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.corpora import QuerySet
from lib.errors import InputError
from lib.results import Result
from lib.retrieval.comparison import System
from lib.retrieval.run import Run, judged_ranks


@dataclass(frozen=True, eq=False)
class Changes(Result):
    """The queries that b wins and loses most against a: t of them, largest win first, largest loss last."""

    metric: str
    """The metric."""
    a: str
    """Name of the first system."""
    b: str
    """Name of the second."""
    query: NDArray[np.int64]
    """Rows of the queries, shape (t,); those on which both are equal are left out."""
    value_a: NDArray[np.float64]
    """The metric of a, shape (t,)."""
    value_b: NDArray[np.float64]
    """The metric of b, shape (t,); `value_b` - `value_a` descends."""
    top_a: NDArray[np.int64]
    """Row of the document that a puts first, -1 where it retrieves none, shape (t,)."""
    top_b: NDArray[np.int64]
    """The same of b."""
    rank_a: NDArray[np.int64]
    """Rank of the first relevant document in a's run, 0 where the run holds none, shape (t,)."""
    rank_b: NDArray[np.int64]
    """The same of b."""


def changes(queries: QuerySet, a: System, b: System, *, metric: str = "ndcg@10", most: int = 20) -> Changes:
    """The queries on which `b` gains most over `a`, and those on which it loses most; up to `most` of each.

    Raises:
        InputError: no such metric, or `most` below 1.
    """
    if most < 1:
        raise InputError(f"At least one query should be listed, got {most}.")
    first, second = a.metrics.column(metric), b.metrics.column(metric)
    difference = second - first
    order = np.argsort(-difference, kind="stable")
    won, lost = order[difference[order] > 0][:most], order[difference[order] < 0][-most:]
    kept = np.concatenate([won, lost])
    rows = a.metrics.query[kept]
    return Changes(
        metric=metric,
        a=a.name,
        b=b.name,
        query=rows,
        value_a=first[kept],
        value_b=second[kept],
        top_a=a.run.documents[rows, 0],
        top_b=b.run.documents[rows, 0],
        rank_a=_first_relevant(queries, a.run)[rows],
        rank_b=_first_relevant(queries, b.run)[rows],
    )


def _first_relevant(queries: QuerySet, run: Run) -> NDArray[np.int64]:
    """Rank of each query's first relevant document in the run, shape (q,); 0 where the run holds none."""
    found = judged_ranks(queries, run)
    hit = (found.rank > 0) & (found.relevance > 0)
    beyond = run.documents.shape[1] + 1
    rank = np.full(len(queries.queries), beyond)
    np.minimum.at(rank, found.query[hit], found.rank[hit])
    return np.where(rank == beyond, 0, rank)
