"""What several views of the Retrieval page need of a query set in an encoder's space, computed once for all."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from lib.corpora import QuerySet
from lib.retrieval import Gain, JudgedRanks, Measure, QueryMetrics, Run, exact_ranks, query_metrics, search
from lib.ui.query_space import QuerySpace

Vectors = NDArray[np.floating]

CUTOFFS = (1, 3, 5, 10, 20, 100)
"""Depths at which metrics are known at once; `query_metrics` gives any other."""
DEPTH = 100
"""Documents a query that a run holds unless a view asks for more."""


def run(space: QuerySpace, measure: Measure = "cosine", k: int = DEPTH) -> Run:
    """The first `k` documents of each query."""
    return _run(space.key, measure, k, space.query_vectors, space.document_vectors, space.queries, _name(space))


def ranks(space: QuerySpace, measure: Measure = "cosine") -> JudgedRanks:
    """Where each judged document stands among all documents."""
    return _ranks(space.key, measure, space)


def metrics(space: QuerySpace, measure: Measure = "cosine", gain: Gain = "linear") -> QueryMetrics:
    """Metrics of each query at `CUTOFFS`."""
    return _metrics(space.key, measure, gain, space)


def _name(space: QuerySpace) -> str:
    return space.checkpoint.source


@st.cache_resource(max_entries=6, ttl=3600, show_spinner="Searching…")
def _run(
    key: str, measure: Measure, k: int, _queries: Vectors, _documents: Vectors, _set: QuerySet, _system: str
) -> Run:
    return search(_queries, _documents, k, measure=measure, tie_order=_set.tie_order, system=_system)


@st.cache_resource(max_entries=6, ttl=3600, show_spinner="Searching…")
def _ranks(key: str, measure: Measure, _space: QuerySpace) -> JudgedRanks:
    found = run(_space, measure)
    return exact_ranks(_space.queries, found, _space.query_vectors, _space.document_vectors, measure=measure)


@st.cache_resource(max_entries=6, ttl=3600, show_spinner="Measuring…")
def _metrics(key: str, measure: Measure, gain: Gain, _space: QuerySpace) -> QueryMetrics:
    return query_metrics(ranks(_space, measure), cutoffs=CUTOFFS, gain=gain)
