"""Topics: on whose queries did tuning help, and on whose did it harm? Each topic's metrics before and after."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.results import Result
from lib.retrieval.bootstrap import PairedTest, paired_test
from lib.retrieval.comparison import holm
from lib.retrieval.metrics import QueryMetrics

TOPIC_METRICS = ("ndcg@10", "recall@1", "mrr")
"""Metrics compared for each topic, the one that verdicts go by first."""


@dataclass(frozen=True, eq=False)
class TopicChange(Result):
    """Retrieval before and after over the queries of one topic."""

    topic: str
    """Its name."""
    queries: int
    """Its queries that have a relevant document."""
    improved: int
    """Those whose closest true document came further up."""
    same: int
    """Those where it kept its rank."""
    worse: int
    """Those where it came further down."""
    tests: tuple[PairedTest, ...]
    """Tuned (b) against base (a) for each of `TOPIC_METRICS`; mean_a is the base's, mean_b the tuned checkpoint's."""
    corrected: tuple[float, ...]
    """The tests' p-values, each after Holm's correction for the topics compared by that metric."""

    def test(self, metric: str) -> PairedTest:
        """The test of one metric; KeyError where it is none of `TOPIC_METRICS`."""
        return {test.metric: test for test in self.tests}[metric]

    def p_value(self, metric: str) -> float:
        """Its corrected p-value; KeyError where it is none of `TOPIC_METRICS`."""
        return {test.metric: p for test, p in zip(self.tests, self.corrected, strict=True)}[metric]


def topic_changes(
    base: QueryMetrics,
    tuned: QueryMetrics,
    topics: Sequence[str | None] | None,
    change: NDArray[np.int64],
    *,
    resamples: int = 10_000,
    seed: int = 0,
) -> tuple[TopicChange, ...]:
    """`base` against `tuned` within each topic, sorted by name; `topics` has one name per query of the whole set.

    `change` (s,) is 1 where a query improved, -1 where it got worse. A query without a topic counts in none.
    """
    if topics is None:
        return ()
    of = np.array([topics[row] for row in base.query], dtype=object)
    names = sorted({name for name in of if name is not None})
    rows = [np.flatnonzero(of == name) for name in names]
    tests = [
        [paired_test(_part(base, at), _part(tuned, at), metric, resamples=resamples, seed=seed) for at in rows]
        for metric in TOPIC_METRICS
    ]
    corrected = [holm(np.array([test.p_value for test in column])) for column in tests]
    return tuple(
        TopicChange(
            topic=name,
            queries=len(rows[place]),
            improved=int((change[rows[place]] > 0).sum()),
            same=int((change[rows[place]] == 0).sum()),
            worse=int((change[rows[place]] < 0).sum()),
            tests=tuple(column[place] for column in tests),
            corrected=tuple(float(column[place]) for column in corrected),
        )
        for place, name in enumerate(names)
    )


def _part(metrics: QueryMetrics, at: NDArray[np.int64]) -> QueryMetrics:
    """The same metrics of the queries at these places alone."""
    return QueryMetrics(metrics.names, metrics.values[at], metrics.query[at], 0, metrics.gain, metrics.cutoffs)
