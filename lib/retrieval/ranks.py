"""Where does the closest true document stand? Its rank for every query, and the queries where it comes late.

The closest true document of a query is the one of its relevant documents that the system ranks first; rank 1 means
that the search starts with it. Queries without a relevant document are left out and counted.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lib.corpora import QuerySet
from lib.results import Result
from lib.retrieval.run import JudgedRanks, Run


@dataclass(frozen=True, eq=False)
class FirstRanks(Result):
    """Rank of the closest true document of each query that has one."""

    query: NDArray[np.int64]
    """Row of each query in its set, shape (s,), ascending."""
    rank: NDArray[np.int64]
    """Rank of its closest true document, shape (s,); 1 is best, 0 where none was retrieved."""
    judgement: NDArray[np.int64]
    """Which judgement of the set that document belongs to, shape (s,); any relevant one where none was retrieved."""
    bins: tuple[tuple[int, int], ...]
    """First and last rank of each bar: 1, 2, 3, 4-5, 6-10, 11-20, 21-50, 51-100, ... up to the last rank."""
    counts: NDArray[np.int64]
    """Queries in each bar, shape (len(bins),); those whose document was not retrieved are in none."""
    curve_rank: NDArray[np.int64]
    """Ranks at which the cumulative curve rises, ascending."""
    curve_share: NDArray[np.float64]
    """Share of the s queries whose closest true document has this rank or a better one."""
    not_retrieved: int
    """Queries none of whose relevant documents was retrieved."""
    skipped: int
    """Queries left out because no document is relevant to them."""

    def share_within(self, rank: int) -> float:
        """Share of the s queries with their closest true document at `rank` or better; NaN without queries."""
        return float(((self.rank > 0) & (self.rank <= rank)).mean()) if len(self.rank) else float("nan")

    @property
    def median(self) -> float:
        """Median rank, those not retrieved counted as last; NaN without queries, infinite where half found nothing."""
        return float(np.median(np.where(self.rank > 0, self.rank, np.inf))) if len(self.rank) else float("nan")


@dataclass(frozen=True)
class TopicRanks(Result):
    """Rank of the closest true document, over the queries of one topic."""

    topic: str
    """Name of the topic."""
    queries: int
    """Its queries that have a relevant document."""
    median: float
    """Median rank, those not retrieved counted as last; infinite where half found nothing."""
    first: float
    """Share of its queries at rank 1."""
    within_10: float
    """Share at rank 10 or better."""
    beyond_100: float
    """Share after rank 100, or not retrieved."""


@dataclass(frozen=True, eq=False)
class Tail(Result):
    """The queries whose closest true document stands furthest down, worst first."""

    query: NDArray[np.int64]
    """Row of each query, shape (t,)."""
    rank: NDArray[np.int64]
    """Rank of its closest true document, shape (t,); 0 where it was not retrieved, which is worst."""
    document: NDArray[np.int64]
    """Row of that document, shape (t,)."""
    first: NDArray[np.int64]
    """Row of the document that took the first place, shape (t,); -1 where nothing was retrieved."""
    first_score: NDArray[np.float64]
    """Its score, shape (t,); NaN where nothing was retrieved."""
    score: NDArray[np.float64]
    """The score of the true document, shape (t,); NaN where it is not known."""


def first_ranks(judged: JudgedRanks) -> FirstRanks:
    """Rank of the closest true document of each query, from ranks over all documents or within a run."""
    relevant = np.flatnonzero(judged.relevance > 0)
    query = judged.query[relevant]
    rank = judged.rank[relevant]
    late = np.where(rank > 0, rank, np.iinfo(np.int64).max)
    order = np.lexsort((late, query))
    rows, best = np.unique(query[order], return_index=True)
    judgement = relevant[order[best]]
    first = judged.rank[judgement]
    found = np.sort(first[first > 0])
    bins = rank_bins(int(found[-1]) if len(found) else 1)
    edges = np.array([low for low, _ in bins] + [bins[-1][1] + 1])
    steps, ends = np.unique(found, return_counts=True)
    return FirstRanks(
        query=rows,
        rank=first,
        judgement=judgement,
        bins=bins,
        counts=np.histogram(found, edges)[0].astype(np.int64),
        curve_rank=steps,
        curve_share=np.cumsum(ends) / max(len(rows), 1),
        not_retrieved=len(first) - len(found),
        skipped=judged.queries - len(rows),
    )


def topic_ranks(ranks: FirstRanks, topics: Sequence[str | None]) -> tuple[TopicRanks, ...]:
    """`ranks` by topic, the highest median first; `topics` has one name per query of the set, None for no topic.

    Raises:
        ValueError: `topics` is too short.
    """
    if len(ranks.query) and len(topics) <= ranks.query[-1]:
        raise ValueError(f"topics should name every query of the set, row {ranks.query[-1]} too")
    of = np.array([topics[row] for row in ranks.query], dtype=object)
    made = []
    for name in sorted({name for name in of if name is not None}):
        part = replace(ranks, rank=ranks.rank[of == name])
        shares = part.share_within(1), part.share_within(10), 1 - part.share_within(100)
        made.append(TopicRanks(name, len(part.rank), part.median, *shares))
    return tuple(sorted(made, key=lambda one: (-one.median, one.first, one.within_10)))


def rank_bins(last: int) -> tuple[tuple[int, int], ...]:
    """Bars that widen as ranks grow: 1, 2, 3, 4-5, 6-10, then 11-20, 21-50, 51-100, 101-200, ... until `last`."""
    ends, scale = [1, 2, 3, 5, 10], 10
    while ends[-1] < last:
        ends += [2 * scale, 5 * scale, 10 * scale]
        scale *= 10
    starts = [1, *(end + 1 for end in ends[:-1])]
    return tuple((start, end) for start, end in zip(starts, ends, strict=True) if start <= last)


def long_tail(
    queries: QuerySet,
    run: Run,
    ranks: FirstRanks,
    *,
    top: int = 20,
    judged_scores: NDArray[np.floating] | None = None,
) -> Tail:
    """The `top` queries whose closest true document comes last, those at rank 1 left out.

    `judged_scores` has one score per judgement of the set, shape (m,), for documents beyond the run's depth.
    """
    late = np.where(ranks.rank > 0, ranks.rank, np.iinfo(np.int64).max)
    worst = np.argsort(-late, kind="stable")[:top]
    worst = worst[ranks.rank[worst] != 1]
    query, judgement = ranks.query[worst], ranks.judgement[worst]
    document = queries.judged_document[judgement]
    held = run.documents[query] == document[:, None] if len(query) else np.zeros((0, run.documents.shape[1]), bool)
    place = held.argmax(axis=1) if held.size else np.zeros(len(query), np.int64)
    score = np.full(len(query), np.nan)
    if judged_scores is not None:
        score = judged_scores[judgement].astype(np.float64)
    inside = held.any(axis=1)
    score[inside] = run.scores[query[inside], place[inside]]
    first = run.documents[query, 0] if run.documents.shape[1] else np.full(len(query), -1)
    lead = run.scores[query, 0].astype(np.float64) if run.documents.shape[1] else np.full(len(query), np.nan)
    return Tail(query, ranks.rank[worst], document, first, np.where(first >= 0, lead, np.nan), score)
