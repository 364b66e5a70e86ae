"""What the Search view computes once: a typed query's ranking, how far measures agree, what an index costs."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from lib.retrieval import Measure, Run, search
from lib.retrieval.agreement import MeasureAgreement, measure_agreement
from lib.retrieval.approximate import IndexQuality, exact_search, faiss_search
from lib.retrieval.measures import MEASURES
from lib.ui import resources
from lib.ui.query_space import QuerySpace

Vectors = NDArray[np.floating]

DEPTH = 100
"""Documents of a ranking that are drawn."""
_SAMPLE = 200  # queries on which measures are compared
_MOST_MANHATTAN = 2 * 10**9  # differences that are taken at once without asking: a second or two


def typed_vector(space: QuerySpace, text: str) -> Vectors:
    """The embedding of a typed query, shape (1, d)."""
    return resources.embed_now((text,), space.checkpoint, role="query", precision=space.precision)


def typed_run(space: QuerySpace, text: str, measure: Measure) -> Run:
    """What comes back for a typed query, `DEPTH` documents deep."""
    return _typed_run(space.key, text, measure, space)


@st.cache_resource(max_entries=64, ttl=3600, show_spinner="Searching…")
def _typed_run(key: str, text: str, measure: Measure, _space: QuerySpace) -> Run:
    return search(
        typed_vector(_space, text), _space.document_vectors, DEPTH, measure=measure,
        tie_order=_space.queries.tie_order,
    )  # fmt: skip


def agreement(space: QuerySpace) -> MeasureAgreement:
    """How far the measures agree; without manhattan where it would take long."""
    return _agreement(space.key, space)


@st.cache_resource(max_entries=16, ttl=3600, show_spinner="Comparing measures…")
def _agreement(key: str, _space: QuerySpace) -> MeasureAgreement:
    n, d = _space.document_vectors.shape
    differences = min(len(_space.query_vectors), _SAMPLE) * n * d
    measures = [name for name in MEASURES if name != "manhattan" or differences <= _MOST_MANHATTAN]
    return measure_agreement(
        _space.query_vectors, _space.document_vectors, measures=measures, sample=_SAMPLE,
        tie_order=_space.queries.tie_order,
    )  # fmt: skip


@dataclass(frozen=True)
class Wanted:
    """Settings of an index."""

    measure: Measure
    m: int
    ef_construction: int
    ef_search: int


@st.cache_resource(max_entries=16, ttl=3600, show_spinner=False)
def known_indexes(key: str, wanted: Wanted) -> dict[str, tuple[IndexQuality, ...]]:
    """Where what was measured of indexes is put."""
    return {}


def measure_indexes(
    space: QuerySpace, wanted: Wanted, progress: Callable[[int, int], None]
) -> tuple[IndexQuality, ...]:
    """Build and ask each kind of index, first 10 of all queries."""
    queries, documents = space.query_vectors, space.document_vectors
    own = exact_search(
        queries, documents, 10, measure=wanted.measure, tie_order=space.queries.tie_order, progress=progress
    )
    made = [own.quality]
    for kind in ("flat", "hnsw"):
        found = faiss_search(
            queries, documents, own.run, kind="hnsw" if kind == "hnsw" else "flat", measure=wanted.measure,
            m=wanted.m, ef_construction=wanted.ef_construction, ef_search=wanted.ef_search, progress=progress,
        )  # fmt: skip
        made.append(found.quality)
    return tuple(made)
