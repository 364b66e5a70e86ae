"""What the Hard negatives view computes once: scores of judged pairs, gaps, triplets."""

from dataclasses import asdict, dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from lib.errors import InputError
from lib.retrieval import Measure, Run
from lib.retrieval.negatives import HardNegatives, Source, depth, hard_negatives
from lib.retrieval.pairs import judged_scores
from lib.retrieval.triplets import Triplets, triplets
from lib.ui.query_space import QuerySpace
from lib.ui.retrieval import cached


@dataclass(frozen=True)
class Wanted:
    """Which triplets: as the parameters of `lib.retrieval.triplets.triplets`."""

    negatives: int
    margin: float
    keep_suspicious: bool


def run(space: QuerySpace, measure: Measure) -> Run:
    """The first documents of each query, so many that some are not relevant."""
    return cached.run(space, measure, depth(space.queries, least=cached.DEPTH))


def judged(space: QuerySpace, measure: Measure) -> NDArray[np.float32]:
    """The score of every judgement's pair."""
    return _judged(space.key, measure, space)


@st.cache_resource(max_entries=6, ttl=3600, show_spinner=False)
def _judged(key: str, measure: Measure, _space: QuerySpace) -> NDArray[np.float32]:
    return judged_scores(_space.queries, _space.query_vectors, _space.document_vectors, measure=measure)


def gaps(space: QuerySpace, measure: Measure, source: Source) -> HardNegatives | None:
    """The gap of each query; None where no query has both sides."""
    found = _gaps(space.key, measure, source, space)
    return None if isinstance(found, InputError) else found


@st.cache_resource(max_entries=8, ttl=3600, show_spinner="Looking for hard negatives…")
def _gaps(key: str, measure: Measure, source: Source, _space: QuerySpace) -> HardNegatives | InputError:
    scores = judged(_space, measure)
    try:
        return hard_negatives(_space.queries, run(_space, measure), judged_scores=scores, source=source)
    except InputError as fault:
        return fault


def made(space: QuerySpace, measure: Measure, wanted: Wanted) -> Triplets:
    """Triplets for training."""
    return _made(space.key, measure, wanted, space)


@st.cache_resource(max_entries=8, ttl=3600, show_spinner="Putting triplets together…")
def _made(key: str, measure: Measure, wanted: Wanted, _space: QuerySpace) -> Triplets:
    found = run(_space, measure)
    return triplets(_space.queries, found, judged_scores=judged(_space, measure), **asdict(wanted))
