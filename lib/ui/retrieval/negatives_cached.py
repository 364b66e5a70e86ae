"""What the Hard negatives view computes once: where negatives come from, scores of judged pairs, gaps, triplets."""

from dataclasses import asdict, dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from lib.errors import InputError
from lib.retrieval import Measure, Run
from lib.retrieval.negatives import HardNegatives, Source, depth, hard_negatives
from lib.retrieval.pairs import judged_scores, rescored
from lib.retrieval.triplets import Triplets, triplets
from lib.retrieval.words import Language
from lib.ui.query_space import QuerySpace
from lib.ui.retrieval import cached
from lib.ui.retrieval.contenders import by_words
from lib.ui.retrieval.negatives_asked import Asked

_WORDS = "compare_words"  # key of the widget of the Comparison view that says whose words BM25 knows


@dataclass(frozen=True)
class Pool:
    """Where negatives come from."""

    key: str
    """Content hash of the vectors, with the similarity and the source."""
    source: Source
    measure: Measure
    run: Run
    """Documents of each query in the order in which they are taken, with the encoder's scores."""


@dataclass(frozen=True)
class Wanted:
    """Which triplets: as the parameters of `lib.retrieval.triplets.triplets`."""

    negatives: int
    margin: float
    relative_margin: float
    keep_suspicious: bool


def pool(space: QuerySpace, measure: Measure, source: Source) -> Pool | None:
    """Where negatives come from; None where BM25 has yet to rank and that takes a while, which is then offered."""
    if source != "BM25":
        found = cached.run(space, measure, depth(space.queries, least=cached.DEPTH))
        return Pool(f"{space.key}/{measure}/{source}", source, measure, found)
    entries = by_words(space.queries, _language())  # what the Comparison view has ranked, or will use
    if not entries:
        return None
    key = f"{space.key}/{measure}/{entries[0].key}"
    return Pool(key, source, measure, _rescored(key, measure, space, entries[0].system.run))


def _language() -> Language | None:
    value = st.session_state.get(_WORDS) or st.query_params.get(_WORDS)
    return None if value == "any language" else "english"


@st.cache_resource(max_entries=4, ttl=3600, show_spinner="Scoring what BM25 found…")
def _rescored(key: str, measure: Measure, _space: QuerySpace, _run: Run) -> Run:
    return rescored(_run, _space.query_vectors, _space.document_vectors, measure=measure)


def judged(space: QuerySpace, measure: Measure) -> NDArray[np.float32]:
    """The score of every judgement's pair."""
    return _judged(space.key, measure, space)


@st.cache_resource(max_entries=6, ttl=3600, show_spinner=False)
def _judged(key: str, measure: Measure, _space: QuerySpace) -> NDArray[np.float32]:
    return judged_scores(_space.queries, _space.query_vectors, _space.document_vectors, measure=measure)


def mined_gaps(space: QuerySpace, measure: Measure) -> HardNegatives | None:
    """The gap of each query to its mined negative; None where no query has both sides."""
    of = pool(space, measure, "mined")
    return None if of is None else gaps(space, of)


def gaps(space: QuerySpace, of: Pool) -> HardNegatives | None:
    """The gap of each query; None where no query has both sides."""
    found = _gaps(of.key, of.source, space, of)
    return None if isinstance(found, InputError) else found


@st.cache_resource(max_entries=8, ttl=3600, show_spinner="Looking for hard negatives…")
def _gaps(key: str, source: Source, _space: QuerySpace, _pool: Pool) -> HardNegatives | InputError:
    scores = judged(_space, _pool.measure)
    try:
        return hard_negatives(_space.queries, _pool.run, judged_scores=scores, source=source)
    except InputError as fault:
        return fault


def made(space: QuerySpace, of: Pool, wanted: Wanted, asked: Asked | None) -> Triplets:
    """Triplets for training; a cross-encoder's scores count as far as they are known."""
    return _made(of.key, wanted, asked.key if asked else None, space, of, asked)


@st.cache_resource(max_entries=8, ttl=3600, show_spinner="Putting triplets together…")
def _made(
    key: str, wanted: Wanted, asked_key: str | None, _space: QuerySpace, _pool: Pool, _asked: Asked | None
) -> Triplets:
    return triplets(
        _space.queries, _pool.run, judged_scores=judged(_space, _pool.measure), source=_pool.source,
        opinion=_asked.known.find if _asked else None, **asdict(wanted),
    )  # fmt: skip
