"""What the Sizes view computes once; asked for first where it would take long."""

from dataclasses import dataclass

import streamlit as st

from lib.results import Result
from lib.retrieval.quantisation import PRECISIONS, SizeQuality, size_quality
from lib.retrieval.truncation import DRAWS, PrefixQuality, prefix_quality, prefix_sizes
from lib.ui.messages import count
from lib.ui.progress import started, stoppable
from lib.ui.query_space import QuerySpace

_AT_ONCE = 4.0  # seconds that are not asked about
_RATE = 40e9  # multiplications and additions a second, searches and all
_OVERHEAD = 5e-5  # seconds a query and search


@dataclass(frozen=True)
class Sizes(Result):
    """What was measured of smaller vectors."""

    sizes: SizeQuality
    """Quality at each size and precision."""
    prefixes: PrefixQuality
    """The first dimensions against random subsets and principal components."""


def measured(space: QuerySpace) -> Sizes | None:
    """Quality at every size; None while the user has not asked for it."""
    known = _holder(space.key)
    if "made" not in known:
        seconds = _guess(space)
        key = f"sizes_{space.key[:12]}"
        about = (
            f"Some {count(_searches(space))} searches over {count(len(space.queries.documents))} documents: about "
            f"{seconds:.0f} s, less on a fast machine. It can be stopped."
        )
        if seconds > _AT_ONCE and not started(key, "Measure sizes", about=about):
            return None
        with stoppable(key, "Searching with smaller vectors") as tell:
            queries, asked, documents = space.queries, space.query_vectors, space.document_vectors
            sizes = size_quality(queries, asked, documents, progress=tell)
            known["made"] = Sizes(sizes, prefix_quality(queries, asked, documents, progress=tell))
    return known["made"]


def _searches(space: QuerySpace) -> int:
    return len(prefix_sizes(space.document_vectors.shape[1])) * (DRAWS + 2 + len(PRECISIONS))


def _guess(space: QuerySpace) -> float:
    (q, d), n = space.query_vectors.shape, len(space.document_vectors)
    products = 2.0 * q * n * sum(prefix_sizes(d)) * (DRAWS + 2 + len(PRECISIONS))
    return float(products / _RATE + _OVERHEAD * q * _searches(space))


@st.cache_resource(max_entries=8, ttl=3600, show_spinner=False)
def _holder(key: str) -> dict[str, Sizes]:
    """Where the results of a query set in an encoder's space are put."""
    return {}
