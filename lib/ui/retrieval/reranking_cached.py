"""What the Reranking view opens and computes once: a cross-encoder, the scores of pairs, what reranking did."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from lib.corpora import QuerySet
from lib.encoders import ShortOfMemoryError
from lib.encoders.cross_checkpoint import CrossCheckpoint, describe_cross_encoder
from lib.encoders.cross_encoder import Reranker, open_cross_encoder
from lib.errors import InputError
from lib.retrieval import JudgedRanks, Run
from lib.retrieval.pair_scores import PairScores
from lib.retrieval.reranking import Reranked, rerank
from lib.retrieval.reranking_effect import RerankingEffect, reranking_effect
from lib.ui import resources
from lib.ui.memory import collect, release
from lib.ui.query_space import QuerySpace
from lib.ui.retrieval import cached, measure

Rows = NDArray[np.int64]

CHOICE = "cross_encoder"
"""Key of the widget that holds the cross-encoder's name."""
_SCORES_KEPT = 4  # sets of pairs, of 34 MB at most


@st.cache_resource(max_entries=64, ttl=300, show_spinner="Reading the cross-encoder's files…")
def checkpoint(source: str) -> CrossCheckpoint | InputError:
    """What `source` is, or why it cannot be opened; both kept for five minutes."""
    try:
        return describe_cross_encoder(source, policy=resources.policy())
    except InputError as fault:
        return fault


@st.cache_resource(max_entries=1, ttl=3600, show_spinner="Opening the cross-encoder…")
def _weights(content: str, _checkpoint: CrossCheckpoint) -> Reranker:
    return open_cross_encoder(_checkpoint, policy=resources.policy())


def reranker(of: CrossCheckpoint) -> Reranker:
    """The open cross-encoder, one for all sessions; where memory does not suffice the one before is let go first."""
    with resources.in_turn():
        try:
            return _weights(of.content, of)
        except ShortOfMemoryError:
            _weights.clear()
            collect()
            release()
            return _weights(of.content, of)


@st.cache_resource(max_entries=_SCORES_KEPT, show_spinner=False)
def _scores(set_key: str, content: str, _queries: QuerySet, scorer: str) -> PairScores:
    return PairScores(_queries, scorer)


def scores(space: QuerySpace, of: CrossCheckpoint) -> PairScores:
    """What the cross-encoder is known to say of pairs of this query set; shared by all sessions, and added to."""
    return _scores(space.queries.key, of.content, space.queries, of.source)


def reranked(space: QuerySpace, known: PairScores, *, top: int, rows: Rows) -> Reranked:
    """The run reranked from scores that are all known."""
    return rerank(space.queries, run(space, top), None, top=top, rows=rows, known=known)


def ready(space: QuerySpace, top: int) -> bool:
    """Whether `run` answers soon; draws what begins the search where it takes long."""
    return cached.ready(space, measure.chosen(), max(top, cached.DEPTH))


def run(space: QuerySpace, top: int) -> Run:
    """What is reranked: the search by the similarity that is chosen, deep enough for `top`."""
    return cached.run(space, measure.chosen(), max(top, cached.DEPTH))


def effect(space: QuerySpace, of: CrossCheckpoint, made: Reranked, *, sampled: str) -> RerankingEffect:
    """What reranking did; `sampled` names which queries were taken."""
    by = measure.chosen()
    key = f"{space.key}/{by}/{of.content}/{made.top}/{sampled}"
    return _effect(key, space.queries, run(space, made.top), made, cached.ranks(space, by))


@st.cache_resource(max_entries=8, ttl=3600, show_spinner="Comparing…")
def _effect(key: str, _queries: QuerySet, _run: Run, _made: Reranked, _ranks: JudgedRanks) -> RerankingEffect:
    return reranking_effect(_queries, _run, _made, ranks=_ranks)
