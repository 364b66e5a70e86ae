"""Reranking: the first documents of a search in the order of a second, slower and better judge.

A bi-encoder reads query and document apart, so that documents are embedded once and searched fast. A cross-encoder
reads both together and can tell what neither vector holds, but has to run once for every pair. So it is given the
first N documents of a search: what the search has not found among those, no reranking brings up.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.corpora import QuerySet
from lib.errors import InputError
from lib.progress import Progress
from lib.results import Result
from lib.retrieval.pair_scores import PairScorer, PairScores
from lib.retrieval.run import Run

Rows = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Reranked(Result):
    """A run whose first documents were put into another order."""

    run: Run
    """The new run, of the same documents as the old one. Below those reranked the scores only go on falling."""
    scorer: str
    """What judged the pairs."""
    top: int
    """Documents of each query that were reranked, after lowering to the depth of the run."""
    rows: Rows
    """Rows of the queries that were reranked, ascending, shape (s,); the others are as they were."""
    pairs: int
    """Pairs of query and document behind it."""
    truncated: int
    """Pairs of which only the beginning was read."""
    seconds_per_query: float | None
    """Seconds that the pairs of one query take here, by the mean time a pair took; None where none was timed."""


def rerank(
    queries: QuerySet,
    run: Run,
    scorer: PairScorer | None,
    *,
    top: int = 100,
    rows: Rows | None = None,
    known: PairScores | None = None,
    progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Reranked:
    """Put the first `top` documents of each query in the order of their scores; the rest stays below as it was.

    Equal scores are ordered by `QuerySet.tie_order`, as in every run.

    Args:
        queries: the set that `run` answers.
        run: what was found, best first.
        scorer: what scores the pairs that are not known; None where all are.
        top: documents of each query to rerank, at most the run's depth.
        rows: the queries to rerank; all where None.
        known: scores by the same scorer from before, which this adds to; what a stop leaves done is in it.
        progress: told the pairs scored and those to score.
        should_stop: asked before every batch.

    Raises:
        InputError: `top` below 1, too many pairs, or what the scorer refuses.
        Stopped: `should_stop` said so.
        ValueError: a pair is not known and there is no scorer; `run` or `known` belongs to another set.
    """
    if known is None:
        known = PairScores(queries, scorer.name if scorer else "")
    if known.queries.key != queries.key:
        raise ValueError("The known scores belong to another query set")
    rows = np.arange(len(run.documents)) if rows is None else np.unique(rows)
    query, document = candidates(queries, run, top=top, rows=rows)
    if scorer is not None:
        known.score(query, document, scorer, progress=progress, should_stop=should_stop)
    logits = known.find(query, document)
    if np.isnan(logits).any():
        raise ValueError(f"{int(np.isnan(logits).sum())} pairs have no score and there is nothing to score them")
    top = min(top, run.documents.shape[1])
    scores = np.full((len(run.documents), top), -np.inf, dtype=np.float32)
    scores[rows] = _laid_out(logits, run.documents[rows, :top] >= 0)
    each = known.seconds_per_pair
    return Reranked(
        run=reorder(queries, run, scores, rows=rows, system=f"{run.system} + {known.scorer}"),
        scorer=known.scorer,
        top=top,
        rows=rows,
        pairs=len(query),
        truncated=int(known.truncated(query, document).sum()),
        seconds_per_query=None if each is None or not len(rows) else each * len(query) / len(rows),
    )


def candidates(queries: QuerySet, run: Run, *, top: int, rows: Rows) -> tuple[Rows, Rows]:
    """The pairs that reranking looks at: rows of queries and of documents, shape (m,) each.

    Raises:
        InputError: `top` below 1.
        ValueError: `run` answers another set.
    """
    if top < 1:
        raise InputError(f"At least one document has to be reranked, got {top}.")
    if len(run.documents) != len(queries.queries):
        raise ValueError(f"The run answers {len(run.documents)} queries and the set has {len(queries.queries)}")
    first = run.documents[rows, :top]  # (s, top)
    found = first >= 0
    return np.repeat(rows, found.sum(axis=1)), first[found]


def reorder(
    queries: QuerySet,
    run: Run,
    scores: NDArray[np.floating],
    *,
    rows: Rows | None = None,
    system: str | None = None,
) -> Run:
    """`run` with its first t documents in the order of `scores`, shape (q, t), higher first; whatever gave those.

    Equal scores are ordered by `QuerySet.tie_order`. Only the queries at `rows` change. The documents after the first
    t keep their order; their scores go on in steps of 1 below the lowest, so that a run's scores always fall.
    """
    rows = np.arange(len(run.documents)) if rows is None else rows
    t = scores.shape[1]
    documents, given = run.documents.copy(), run.scores.astype(np.float32, copy=True)
    first = documents[rows, :t]  # (s, t)
    real = first >= 0
    judged = np.where(real, scores[rows], -np.inf).astype(np.float32)
    ties = np.where(real, queries.tie_order[first], len(queries.documents))
    order = np.lexsort((ties, -judged), axis=1)
    documents[rows, :t] = np.take_along_axis(first, order, axis=1)
    given[rows, :t] = np.take_along_axis(judged, order, axis=1)
    lowest = np.where(real, judged, np.inf).min(axis=1, initial=np.inf, keepdims=True)  # (s, 1)
    below = documents[rows, t:] >= 0
    given[rows, t:] = np.where(below, lowest - 1 - np.arange(below.shape[1]), -np.inf)
    return Run(system or run.system, documents, given, run.items)


def _laid_out(values: NDArray[np.float32], real: NDArray[np.bool_]) -> NDArray[np.float32]:
    """`values` one after the other where `real`, shape (s, t), is true; -inf elsewhere."""
    made = np.full(real.shape, -np.inf, dtype=np.float32)
    made[real] = values
    return made
