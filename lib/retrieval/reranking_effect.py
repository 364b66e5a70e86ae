"""What reranking did: metrics before and after with a paired test, ranks of the first relevant document, the ceiling.

The ceiling is what a judge without fault would reach with the same candidates: every relevant document among the first
N on top, best grade first. What lies below N stays there, so the ceiling says how much of the loss is the search's.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.corpora import QuerySet
from lib.results import Result
from lib.retrieval.bootstrap import PairedTest, Summary, paired_test, summarise
from lib.retrieval.metrics import Gain, QueryMetrics, query_metrics
from lib.retrieval.reranking import Reranked, reorder
from lib.retrieval.run import JudgedRanks, Run, judged_ranks

Rows = NDArray[np.int64]

METRICS = ("ndcg@10", "mrr", "recall@1", "recall@5", "recall@10", "map")
"""What is tested."""
_BINS = {"1": 1, "2": 2, "3": 3, "4–5": 4, "6–10": 6, "11–20": 11, "21–50": 21, "51–100": 51, "101+": 101}
"""Bins of a rank, each with the rank at which it begins."""


@dataclass(frozen=True, eq=False)
class MetricChange(Result):
    """One metric before and after reranking."""

    metric: str
    """Its name."""
    before: Summary
    """Mean and interval over the queries, as searched."""
    after: Summary
    """The same, reranked."""
    ceiling: float
    """The mean that a judge without fault would reach with the same candidates."""
    test: PairedTest
    """After against before, query by query."""
    distinguishable: bool
    """Whether the difference is one: p below 0.05, and its interval without 0."""


@dataclass(frozen=True, eq=False)
class RankBins(Result):
    """How many queries have their first relevant document at which rank."""

    names: tuple[str, ...]
    """The ranks of each bin: "1", "4-5"; the last may be "not found"."""
    before: Rows
    """Queries in each, as searched."""
    after: Rows
    """Queries in each, reranked."""


@dataclass(frozen=True, eq=False)
class RerankingEffect(Result):
    """What reranking did to the queries that have a relevant document."""

    changes: tuple[MetricChange, ...]
    """One for each metric tested."""
    query: Rows
    """Rows of the queries, ascending, shape (s,)."""
    before: QueryMetrics
    """Metrics of each of them, as searched."""
    after: QueryMetrics
    """The same, reranked."""
    rank_before: Rows
    """Rank of the first relevant document as searched, 1 is best, 0 where it is not known; shape (s,)."""
    rank_after: Rows
    """The same, reranked."""
    bins: RankBins
    """Both as a histogram."""
    top_before: Rows
    """Row of the document at rank 1 as searched, -1 where there is none; shape (s,)."""
    top_after: Rows
    """The same, reranked."""
    out_of_reach: int
    """Queries whose relevant documents all lie below those reranked: no judge can bring one up."""
    skipped: int
    """Queries reranked that have no relevant document, and so no metric."""
    top: int
    """Documents of each query that were reranked."""
    pairs: int
    """Pairs that were scored for it."""
    truncated: int
    """Pairs of which only the beginning was read."""
    seconds_per_query: float | None
    """Seconds that the pairs of one query take; None where none was timed."""
    scorer: str
    """What judged the pairs."""
    seed: int
    """Seed of the resampling."""

    def change(self, metric: str) -> MetricChange:
        """That of one metric.

        Raises:
            KeyError: it was not tested.
        """
        return {change.metric: change for change in self.changes}[metric]


def reranking_effect(
    queries: QuerySet,
    run: Run,
    reranked: Reranked,
    *,
    ranks: JudgedRanks | None = None,
    gain: Gain = "linear",
    cutoffs: Sequence[int] = (),
    seed: int = 0,
) -> RerankingEffect:
    """Compare `run` with what reranking made of it, over the queries that were reranked.

    Args:
        queries: the set that both answer.
        run: as searched.
        reranked: what `rerank` made of `run`.
        ranks: where each judged document stands among all, for those that `run` is too short to hold; what `run` holds
            where None.
        gain: what a grade is worth in ndcg.
        cutoffs: depths of the metrics besides 1, 5 and 10.
        seed: of the resampling.

    Raises:
        InputError: none of the queries has a relevant document.
    """
    found = judged_ranks(queries, run)
    ranks = _of(found if ranks is None else ranks, reranked.rows)
    after = _moved(ranks, _of(judged_ranks(queries, reranked.run), reranked.rows))
    best = _moved(ranks, _of(judged_ranks(queries, _ceiling(queries, run, reranked)), reranked.rows))
    measured = [query_metrics(each, cutoffs=(1, 5, 10, *cutoffs), gain=gain) for each in (ranks, after, best)]
    changes = _changes(*measured, seed=seed)
    query = measured[0].query
    rank_before, rank_after = (_first(each)[query] for each in (ranks, after))
    reach = _first(_of(found, reranked.rows))[query]
    return RerankingEffect(
        changes=changes,
        query=query,
        before=measured[0],
        after=measured[1],
        rank_before=rank_before,
        rank_after=rank_after,
        bins=rank_bins(rank_before, rank_after),
        top_before=run.documents[query, 0],
        top_after=reranked.run.documents[query, 0],
        out_of_reach=int(((reach == 0) | (reach > reranked.top)).sum()),
        skipped=len(reranked.rows) - len(query),
        top=reranked.top,
        pairs=reranked.pairs,
        truncated=reranked.truncated,
        seconds_per_query=reranked.seconds_per_query,
        scorer=reranked.scorer,
        seed=seed,
    )


def rank_bins(before: Rows, after: Rows) -> RankBins:
    """Both lists of ranks, 0 for not found, in bins that widen; the last bins that neither fills are left out."""
    deepest = max(int(before.max(initial=1)), int(after.max(initial=1)))
    starts = [start for start in _BINS.values() if start <= deepest]
    names, counts = [*_BINS][: len(starts)], []
    for ranks in (before, after):
        at = np.searchsorted(starts, ranks[ranks > 0], side="right") - 1
        counts.append([*np.bincount(at, minlength=len(starts)), int((ranks == 0).sum())])
    if counts[0][-1] or counts[1][-1]:
        names.append("not found")
    was, is_now = (np.array(count[: len(names)], dtype=np.int64) for count in counts)
    return RankBins(tuple(names), was, is_now)


def _changes(before: QueryMetrics, after: QueryMetrics, best: QueryMetrics, *, seed: int) -> tuple[MetricChange, ...]:
    summaries = [{each.metric: each for each in summarise(metrics, seed=seed)} for metrics in (before, after)]
    made = []
    for metric in METRICS:
        test = paired_test(before, after, metric, seed=seed)
        apart = test.p_value < 0.05 and not test.low <= 0 <= test.high
        ceiling = float(best.column(metric).mean())
        made.append(MetricChange(metric, summaries[0][metric], summaries[1][metric], ceiling, test, apart))
    return tuple(made)


def _ceiling(queries: QuerySet, run: Run, reranked: Reranked) -> Run:
    """The candidates in the order of their grades."""
    q, n = len(run.documents), max(len(queries.documents), 1)
    first = run.documents[:, : reranked.top]  # (q, t)
    places = np.arange(q)[:, None] * n + first
    judged = queries.judged_query * n + queries.judged_document  # (m,) ascending
    at = np.minimum(np.searchsorted(judged, places), max(len(judged) - 1, 0))
    known = (judged[at] == places) & (first >= 0) if len(judged) else np.zeros(first.shape, dtype=bool)
    grades = np.where(known, queries.relevance[at] if len(judged) else 0, 0)
    return reorder(queries, run, grades.astype(np.float64), rows=reranked.rows)


def _of(ranks: JudgedRanks, rows: Rows) -> JudgedRanks:
    """The judgements of some queries alone."""
    kept = np.isin(ranks.query, rows)
    return JudgedRanks(ranks.query[kept], ranks.relevance[kept], ranks.rank[kept], ranks.queries)


def _moved(ranks: JudgedRanks, new: JudgedRanks) -> JudgedRanks:
    """`new`, and for what it does not hold the old ranks: reranking moves nothing into a run or out of it."""
    return JudgedRanks(ranks.query, ranks.relevance, np.where(new.rank > 0, new.rank, ranks.rank), ranks.queries)


def _first(ranks: JudgedRanks) -> Rows:
    """Rank of each query's first relevant document, 0 where there is none, shape (q,)."""
    far = np.iinfo(np.int64).max
    first = np.full(ranks.queries, far)
    found = (ranks.relevance > 0) & (ranks.rank > 0)
    np.minimum.at(first, ranks.query[found], ranks.rank[found])
    return np.where(first == far, 0, first)
