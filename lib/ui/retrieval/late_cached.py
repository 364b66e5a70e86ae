"""What the Late interaction view opens and computes once: token vectors, ColBERT checkpoints, reranked runs."""

from dataclasses import dataclass

import streamlit as st

from lib.embeddings import space_of
from lib.encoders import (
    LateCheckpoint,
    MultiVectorEncoder,
    Role,
    ShortOfMemoryError,
    TokenEncoder,
    TokenVectors,
    describe_multi_vector,
    open_multi_vector,
)
from lib.errors import InputError
from lib.retrieval import JudgedRanks, Measure, Run
from lib.retrieval.late import LateRerank, tokens_of
from lib.retrieval.reranking_effect import RerankingEffect, reranking_effect
from lib.ui import resources
from lib.ui.memory import collect, release
from lib.ui.query_space import QuerySpace
from lib.ui.retrieval import cached


@dataclass(frozen=True)
class Source:
    """Where token vectors come from."""

    space: QuerySpace
    """The encoder that is chosen in the sidebar."""
    late: LateCheckpoint | None
    """The checkpoint of late interaction that is used in its place; None: none."""

    @property
    def name(self) -> str:
        """What it is called on screen."""
        return self.late.source if self.late else self.space.checkpoint.source

    @property
    def dimensions(self) -> int:
        """Length of a token vector."""
        return self.late.dimensions if self.late else self.space.checkpoint.dimensions

    def key(self, role: Role) -> str:
        """Hash of all that its token vectors of this role depend on."""
        if self.late:
            return f"{self.late.content}/{role}"
        return space_of(self.space.checkpoint, role=role, precision=self.space.precision)

    def open(self) -> TokenEncoder:
        """The open encoder or checkpoint."""
        return _late(self.late) if self.late else resources.encoder(self.space.checkpoint, self.space.precision)


@st.cache_resource(max_entries=64, ttl=300, show_spinner="Reading the checkpoint's files…")
def checkpoint(source: str) -> LateCheckpoint | InputError:
    """What `source` is, or why it cannot be opened; both kept for five minutes."""
    try:
        return describe_multi_vector(source, policy=resources.policy())
    except InputError as fault:
        return fault


@st.cache_resource(max_entries=1, ttl=3600, show_spinner="Opening the checkpoint…")
def _weights(content: str, _checkpoint: LateCheckpoint) -> MultiVectorEncoder:
    return open_multi_vector(_checkpoint, policy=resources.policy())


def _late(of: LateCheckpoint) -> MultiVectorEncoder:
    """The open checkpoint, one for all sessions; where memory does not suffice the one before is let go first."""
    with resources.in_turn():
        try:
            return _weights(of.content, of)
        except ShortOfMemoryError:
            _weights.clear()
            collect()
            release()
            return _weights(of.content, of)


@st.cache_resource(max_entries=96, ttl=3600, show_spinner="Encoding tokens…")
def _tokens(text: str, role: Role, key: str, _source: Source) -> TokenVectors:
    return tokens_of(_source.open(), text, role=role)


def tokens(source: Source, text: str, *, role: Role) -> TokenVectors:
    """The token vectors of one text."""
    return _tokens(text, role, source.key(role), source)


@st.cache_resource(max_entries=6, ttl=3600, show_spinner=False)
def kept_reranks(key: str) -> dict[str, LateRerank]:
    """Room for one reranked run, for all sessions; empty until it is made."""
    return {}


def effect(space: QuerySpace, key: str, made: LateRerank, measure: Measure, run: Run) -> RerankingEffect:
    """What the reranking `key` did."""
    return _effect(key, made, space, run, cached.ranks(space, measure))


@st.cache_resource(max_entries=6, ttl=3600, show_spinner="Comparing…")
def _effect(key: str, _made: LateRerank, _space: QuerySpace, _run: Run, _ranks: JudgedRanks) -> RerankingEffect:
    return reranking_effect(_space.queries, _run, _made.reranked, ranks=_ranks)
