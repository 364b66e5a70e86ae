"""What the cross-encoder chosen under Reranking says of negatives that may be unlabelled true documents."""

from dataclasses import dataclass

import numpy as np
import streamlit as st

from lib.encoders.cross_checkpoint import CrossCheckpoint
from lib.retrieval.negatives import HardNegatives, with_cross_encoder
from lib.retrieval.pair_scores import PairScores
from lib.ui.messages import counted, plain
from lib.ui.progress import started, stoppable
from lib.ui.query_space import QuerySpace
from lib.ui.retrieval import measure, reranking_cached


@dataclass(frozen=True)
class Asked:
    """A cross-encoder with what it is known to say of pairs of the query set."""

    checkpoint: CrossCheckpoint
    known: PairScores

    @property
    def key(self) -> str:
        """Another one as soon as more is known."""
        return f"{self.checkpoint.content}/{len(self.known)}"


def cross_encoder(space: QuerySpace) -> Asked | None:
    """The cross-encoder that is chosen under Reranking; None where none is, or it cannot be opened."""
    source = st.session_state.get(reranking_cached.CHOICE) or st.query_params.get(reranking_cached.CHOICE)
    of = reranking_cached.checkpoint(str(source)) if source else None
    return Asked(of, reranking_cached.scores(space, of)) if isinstance(of, CrossCheckpoint) else None


def with_opinion(space: QuerySpace, found: HardNegatives, asked: Asked | None) -> HardNegatives:
    """`found` with what the cross-encoder says of suspicious pairs, where one is chosen and has scored them."""
    if asked is None or not found.suspicious.any():
        return found
    rows = np.flatnonzero(found.suspicious)
    query = np.repeat(found.query[rows], 2)
    document = np.column_stack([found.positive[rows], found.negative[rows]]).ravel()
    missing = len(asked.known.missing(query, document)[0])
    if missing:
        of = asked.checkpoint
        key = f"negatives_ask_{space.key[:12]}_{of.content[:12]}_{found.source}_{measure.chosen()}"
        about = f"{plain(of.source)} can be asked about the suspicious negatives: {counted(missing, 'pair')} to score."
        if not started(key, "Ask the cross-encoder", about=about):
            return found
        with stoppable(key, "Scoring pairs") as tell:
            asked.known.score(query, document, reranking_cached.reranker(of), progress=tell)
    scores = np.full((len(found.gap), 2), np.nan)
    scores[rows] = asked.known.find(query, document).reshape(-1, 2)
    return with_cross_encoder(found, scores)
