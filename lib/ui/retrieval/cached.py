"""What several views of the Retrieval page need of a query set in an encoder's space, computed once for all."""

from collections.abc import Callable
from dataclasses import replace

import streamlit as st

from lib.retrieval import Gain, JudgedRanks, Measure, QueryMetrics, Run, exact_ranks, query_metrics, search
from lib.ui.query_space import QuerySpace
from lib.ui.retrieval import measure as choice
from lib.ui.retrieval.searches import Search

CUTOFFS = (1, 3, 5, 10, 20, 100)
"""Depths at which metrics are known at once; `query_metrics` gives any other."""
DEPTH = 100
"""Documents a query that a run holds unless a view asks for more."""
_MOST_FOUND, _LEAST_DEPTH = 5_000_000, 10  # documents in a run over all queries: 60 MB; and for each query


def ready(space: QuerySpace, measure: Measure = "cosine", k: int = DEPTH) -> bool:
    """Whether `run` and `ranks` answer soon; draws what begins the search, or its progress, where it takes long."""
    return _search(space, measure, k).ready()


def once_searched(
    show: Callable[[QuerySpace], None], *, depth: Callable[[QuerySpace], int] = lambda _: DEPTH
) -> Callable[[QuerySpace], None]:
    """A view that is drawn once the search by the chosen similarity is made, as deep as it needs."""

    def shown(space: QuerySpace) -> None:
        if ready(space, choice.chosen(), depth(space)):
            show(space)

    return shown


def run(space: QuerySpace, measure: Measure = "cosine", k: int = DEPTH) -> Run:
    """The first `k` documents of each query; fewer where there are so many queries that they would fill memory."""
    k = min(k, max(_LEAST_DEPTH, _MOST_FOUND // len(space.queries.queries)))
    found = _run(space.key, measure, k, _search(space, measure, k))
    return replace(found, system=space.checkpoint.source)  # another session's name for the same weights stays there


def ranks(space: QuerySpace, measure: Measure = "cosine") -> JudgedRanks:
    """Where each judged document stands among all documents."""
    return _ranks(space.key, measure, space)


def metrics(space: QuerySpace, measure: Measure = "cosine", gain: Gain = "linear") -> QueryMetrics:
    """Metrics of each query at `CUTOFFS`."""
    return _metrics(space.key, measure, gain, space)


def _search(space: QuerySpace, measure: Measure, k: int) -> Search:
    return Search(
        space.key, measure, k, space.checkpoint.source, space.queries, space.query_vectors, space.document_vectors
    )


@st.cache_resource(max_entries=6, ttl=3600, show_spinner="Searching…")
def _run(key: str, measure: Measure, k: int, _task: Search) -> Run:
    held = _task.held()
    if held is not None:
        whole = held.run
        return Run(whole.system, whole.documents[:, :k], whole.scores[:, :k], whole.items)
    return search(
        _task.asked, _task.documents, k, measure=measure, tie_order=_task.queries.tie_order,
        system=_task.system,
    )  # fmt: skip


@st.cache_resource(max_entries=6, ttl=3600, show_spinner="Searching…")
def _ranks(key: str, measure: Measure, _space: QuerySpace) -> JudgedRanks:
    held = _search(_space, measure, DEPTH).held()
    if held is not None:
        return held.ranks
    found = run(_space, measure)
    return exact_ranks(_space.queries, found, _space.query_vectors, _space.document_vectors, measure=measure)


@st.cache_resource(max_entries=6, ttl=3600, show_spinner="Measuring…")
def _metrics(key: str, measure: Measure, gain: Gain, _space: QuerySpace) -> QueryMetrics:
    return query_metrics(ranks(_space, measure), cutoffs=CUTOFFS, gain=gain)
