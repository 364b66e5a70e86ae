"""What the Quality view computes once: metrics at the chosen depths, their intervals, ranks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from lib.results import Result
from lib.retrieval import Evaluation, Gain, Measure, QueryMetrics, Summary, query_metrics, summarise
from lib.retrieval.ranks import FirstRanks, Tail, first_ranks, long_tail
from lib.ui.query_space import QuerySpace
from lib.ui.retrieval import cached, negatives_cached


@dataclass(frozen=True)
class Quality:
    """Each query's metrics, and their means with intervals."""

    metrics: QueryMetrics
    summaries: tuple[Summary, ...]

    def of(self, metric: str) -> list[Summary]:
        """One metric over all queries and by topic."""
        return [summary for summary in self.summaries if summary.metric == metric]


def quality(space: QuerySpace, measure: Measure, gain: Gain, cutoffs: Sequence[int]) -> Quality:
    """Metrics and intervals at these depths."""
    return _quality(space.key, measure, gain, tuple(sorted(set(cutoffs))), space)


@st.cache_resource(max_entries=12, ttl=3600, show_spinner="Measuring…")
def _quality(key: str, measure: Measure, gain: Gain, cutoffs: tuple[int, ...], _space: QuerySpace) -> Quality:
    metrics = query_metrics(cached.ranks(_space, measure), cutoffs=cutoffs, gain=gain)
    return Quality(metrics, summarise(metrics, groups=_space.queries.topics))


def ranks(space: QuerySpace, measure: Measure) -> FirstRanks:
    """Rank of each query's closest true document, over all documents."""
    return _ranks(space.key, measure, space)


@st.cache_resource(max_entries=6, ttl=3600, show_spinner=False)
def _ranks(key: str, measure: Measure, _space: QuerySpace) -> FirstRanks:
    return first_ranks(cached.ranks(_space, measure))


def tail(space: QuerySpace, measure: Measure, top: int) -> Tail:
    """The queries whose closest true document comes last."""
    scores = negatives_cached.judged(space, measure)
    run = cached.run(space, measure)
    return long_tail(space.queries, run, ranks(space, measure), top=top, judged_scores=scores)


@dataclass(frozen=True)
class Report(Result):
    """Everything that `python -m lib retrieval` writes; put together only when it is asked for."""

    space: QuerySpace
    measure: Measure
    quality: Quality

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON values."""
        gaps = negatives_cached.mined_gaps(self.space, self.measure)
        run = cached.run(self.space, self.measure)
        found = ranks(self.space, self.measure)
        return Evaluation(self.quality.summaries, self.quality.metrics, found, gaps, run, self.measure).report()
