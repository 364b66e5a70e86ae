"""Ranks: what became of each query when the encoder was tuned, and could the difference be luck?

Both checkpoints answer the same queries over the same documents. A query's rank is that of its closest true document,
1 is best, counted exactly over all documents: it *improved* where that rank fell, got *worse* where it rose. Counting
improved against worse queries takes a step from 80 to 79 for as much as one from 2 to 1; the metrics weigh them.
Metrics are compared query by query (paired), and the p-values of the metrics corrected after Holm.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.corpora import QuerySet
from lib.errors import InputError
from lib.finetune.diff.topic_ranks import TopicChange, topic_changes
from lib.progress import Progress
from lib.results import Result
from lib.retrieval.bootstrap import PairedTest, Summary, paired_test, summarise
from lib.retrieval.comparison import holm
from lib.retrieval.metrics import QueryMetrics, query_metrics
from lib.retrieval.progress_parts import part
from lib.retrieval.ranks import first_ranks
from lib.retrieval.run import Run
from lib.retrieval.search import exact_ranks, search

METRICS = ("ndcg@10", "recall@1", "recall@10", "mrr", "map")
"""Metrics that are compared, the one that verdicts go by first."""
_RUN = 100  # documents a query that a run holds
_TOP = 10  # first documents compared


@dataclass(frozen=True, eq=False)
class RetrievalSide(Result):
    """A query set as one checkpoint embeds it."""

    name: str
    """The checkpoint, as shown."""
    queries: NDArray[np.floating]
    """Embeddings of the queries, shape (q, d)."""
    documents: NDArray[np.floating]
    """Embeddings of the documents, shape (n, d)."""


@dataclass(frozen=True, eq=False)
class MetricChange(Result):
    """One metric before and after, over all queries."""

    metric: str
    """Its name."""
    base: Summary
    """Mean and 95 % interval with the base."""
    tuned: Summary
    """The same with the tuned checkpoint."""
    test: PairedTest
    """Tuned (b) against base (a), query by query: difference above 0 means that tuning helped."""
    corrected: float
    """The test's p-value after Holm's correction for all the metrics compared."""


@dataclass(frozen=True, eq=False)
class RankDiff(Result):
    """Every query before and after tuning; s of the q queries have a relevant document, the others are left out."""

    base: str
    """Name of the base checkpoint."""
    tuned: str
    """Name of the tuned one."""
    query: NDArray[np.int64]
    """Row of each query in its set, shape (s,), ascending."""
    rank_base: NDArray[np.int64]
    """Rank of its closest true document with the base, over all documents, shape (s,); 1 is best."""
    rank_tuned: NDArray[np.int64]
    """The same with the tuned checkpoint, shape (s,)."""
    document_base: NDArray[np.int64]
    """Row of that document, shape (s,)."""
    document_tuned: NDArray[np.int64]
    """The same with the tuned checkpoint (another one where a query has several), shape (s,)."""
    change: NDArray[np.int64]
    """1 where the query improved, 0 where its rank is the same, -1 where it got worse, shape (s,)."""
    reciprocal_change: NDArray[np.float64]
    """1 / rank_tuned - 1 / rank_base, shape (s,), in (-1, 1): above 0 is better."""
    ndcg_change: NDArray[np.float64]
    """NDCG@10 with the tuned checkpoint less that with the base, shape (s,), in [-1, 1]."""
    came: NDArray[np.int64]
    """Documents among the tuned checkpoint's first `depth` that were not among the base's, shape (s,); as many went."""
    improved: int
    """Queries that improved."""
    same: int
    """Queries whose rank stayed."""
    worse: int
    """Queries that got worse."""
    changed_share: float
    """(improved + worse) / s, in [0, 1]."""
    changed_low: float
    """Lower end of its 95 % interval (Wilson)."""
    changed_high: float
    """Its upper end."""
    moved: float
    """Mean over queries of min(1, |log2(rank_tuned / rank_base)|), in [0, 1]: the share of changed ranks, each counted
    whole where it at least halved or doubled, in part where it changed by less."""
    sign_p: float
    """Two-sided sign test, exact: were improving and getting worse equally likely? 1 where no rank changed."""
    metrics: tuple[MetricChange, ...]
    """Each of `METRICS` before and after."""
    topics: tuple[TopicChange, ...]
    """The same by topic of the query, sorted by name; empty where the queries have none."""
    metrics_base: QueryMetrics
    """Metrics of each query with the base; rows as `query`."""
    metrics_tuned: QueryMetrics
    """The same with the tuned checkpoint."""
    run_base: Run
    """The base's first documents for each of the q queries, 100 deep: rows are those of the set."""
    run_tuned: Run
    """The same of the tuned checkpoint."""
    depth: int
    """How many first documents `came` compares, 10 unless there are fewer."""
    queries: int
    """Queries compared, s."""
    skipped: int
    """Queries left out because no document is relevant to them."""
    documents: int
    """Documents searched, n."""
    resamples: int
    """Random draws of each paired test."""
    seed: int
    """Their seed."""

    def metric(self, name: str) -> MetricChange:
        """One metric; KeyError where it is none of `METRICS`."""
        return {change.metric: change for change in self.metrics}[name]


def rank_diff(
    queries: QuerySet,
    base: RetrievalSide,
    tuned: RetrievalSide,
    *,
    resamples: int = 10_000,
    seed: int = 0,
    progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> RankDiff:
    """Search `queries` with both checkpoints, by cosine, and hold them against each other query by query.

    The two may have different dimensions: only ranks are compared. Ranks are exact, whatever the number of documents.
    `progress` is told how much of both searches is done.

    Raises:
        InputError: no query has a relevant document, embeddings of another number, or what search refuses.
        Stopped: `should_stop` said so.
    """
    if not (queries.relevant > 0).any():
        raise InputError(
            f"None of the {len(queries.queries)} queries has a relevant document, so there is no rank to compare: "
            "give at least one judgement above 0."
        )
    first = _answer(queries, base, part(progress, 0, 2), should_stop)
    second = _answer(queries, tuned, part(progress, 1, 2), should_stop)
    before, after = first.rank, second.rank
    change = np.sign(before - after)
    improved, worse = int((change > 0).sum()), int((change < 0).sum())
    s, depth = len(first.query), min(_TOP, len(queries.documents))
    low, high = _share_ends(improved + worse, s)
    chance = {"resamples": resamples, "seed": seed}
    return RankDiff(
        base=base.name,
        tuned=tuned.name,
        query=first.query,
        rank_base=before,
        rank_tuned=after,
        document_base=first.document,
        document_tuned=second.document,
        change=change,
        reciprocal_change=1 / after - 1 / before,
        ndcg_change=second.metrics.column("ndcg@10") - first.metrics.column("ndcg@10"),
        came=_came(first.run.documents[first.query, :depth], second.run.documents[first.query, :depth]),
        improved=improved,
        same=s - improved - worse,
        worse=worse,
        changed_share=(improved + worse) / s,
        changed_low=low,
        changed_high=high,
        moved=float(np.minimum(1, np.abs(np.log2(after / before))).mean()),
        sign_p=_sign_test(improved, worse),
        metrics=_metric_changes(first.metrics, second.metrics, **chance),
        topics=topic_changes(first.metrics, second.metrics, queries.topics, change, **chance),
        metrics_base=first.metrics,
        metrics_tuned=second.metrics,
        run_base=first.run,
        run_tuned=second.run,
        depth=depth,
        queries=s,
        skipped=first.metrics.skipped,
        documents=len(queries.documents),
        **chance,
    )


@dataclass(frozen=True)
class _Answer:
    """What one checkpoint answers."""

    run: Run
    metrics: QueryMetrics
    query: NDArray[np.int64]  # (s,)
    rank: NDArray[np.int64]  # of the closest true document, (s,)
    document: NDArray[np.int64]  # its row, (s,)


def _answer(
    queries: QuerySet, side: RetrievalSide, progress: Progress | None, should_stop: Callable[[], bool] | None
) -> _Answer:
    q, n = len(queries.queries), len(queries.documents)
    if (len(side.queries), len(side.documents)) != (q, n):
        raise InputError(
            f"{side.name}: expected embeddings of {q} queries and {n} documents, "
            f"got {len(side.queries)} and {len(side.documents)}."
        )
    vectors = side.queries, side.documents
    run = search(
        *vectors, _RUN, tie_order=queries.tie_order, system=side.name, progress=progress, should_stop=should_stop
    )
    judged = exact_ranks(queries, run, *vectors, should_stop=should_stop)
    first = first_ranks(judged)
    document = queries.judged_document[first.judgement]
    return _Answer(run, query_metrics(judged), first.query, first.rank, document)


def _metric_changes(base: QueryMetrics, tuned: QueryMetrics, *, resamples: int, seed: int) -> tuple[MetricChange, ...]:
    before = {one.metric: one for one in summarise(base, seed=seed)}
    after = {one.metric: one for one in summarise(tuned, seed=seed)}
    tests = [paired_test(base, tuned, name, resamples=resamples, seed=seed) for name in METRICS]
    corrected = holm(np.array([test.p_value for test in tests]))
    return tuple(
        MetricChange(name, before[name], after[name], test, float(p))
        for name, test, p in zip(METRICS, tests, corrected, strict=True)
    )


def _came(before: NDArray[np.int64], after: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many of `after` (s, k) are not in the same row of `before` (s, k), shape (s,)."""
    same = after[:, :, None] == before[:, None, :]  # (s, k, k)
    return np.asarray((~same.any(axis=2)).sum(axis=1), dtype=np.int64)


def _share_ends(hits: int, of: int) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927), which stays within 0 to 1."""
    from scipy.stats import binomtest

    ends = binomtest(hits, of).proportion_ci(method="wilson")
    return float(ends.low), float(ends.high)


def _sign_test(improved: int, worse: int) -> float:
    from scipy.stats import binomtest

    return float(binomtest(improved, improved + worse).pvalue) if improved + worse else 1.0
