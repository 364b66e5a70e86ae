"""What the Chunks view computes once: how long documents are, their passages, the comparison."""

from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from lib.embeddings import Embeddings
from lib.progress import Progress
from lib.retrieval import Measure
from lib.retrieval.chunking import Chunks, CutDocuments, chunk_documents, cut_documents, lost_text
from lib.retrieval.pooled import ChunkComparison, compare_chunks
from lib.ui import resources
from lib.ui.query_space import QuerySpace
from lib.ui.retrieval.searches import Cost, made_here

LISTED = 50
"""Documents in the list of those that lose most."""


@dataclass(frozen=True)
class Worst:
    """The documents that lose most."""

    rows: NDArray[np.int64]
    """Their rows, the one that loses most tokens first."""
    unread: tuple[str, ...]
    """The beginning of what is not read of each."""


def cut(space: QuerySpace) -> CutDocuments:
    """How long the documents are, and what is lost of them."""
    return _cut(_key(space), space)


def worst(space: QuerySpace) -> Worst:
    """The documents that lose most."""
    return _worst(_key(space), space)


def passages(space: QuerySpace, size: int, overlap: int) -> Chunks:
    """The documents in passages."""
    return _passages(_key(space), size, overlap, space)


def missing(space: QuerySpace, made: Chunks) -> int:
    """Different passages that are not in the store yet."""
    return resources.missing(made.texts, space.checkpoint, precision=space.precision)


def embeddings(space: QuerySpace, made: Chunks, *, progress: Progress | None = None) -> Embeddings:
    """The passages' embeddings."""
    key = f"{_key(space)}/{made.asked_size}/{made.overlap}"
    told = None if progress is None else lambda: progress
    return resources.embeddings(key, made.texts, space.checkpoint, precision=space.precision, progress=told)


def comparison(space: QuerySpace, measure: Measure, made: Chunks, vectors: Embeddings) -> ChunkComparison | None:
    """Search with whole documents against search with passages; None while that takes long and is not begun.

    Draws what begins it, or its progress, where it takes long.
    """
    key = f"{space.key}/{measure}/{made.asked_size}/{made.overlap}"
    (n, d), (q, _) = space.document_vectors.shape, space.query_vectors.shape

    def compared(progress: Progress | None) -> ChunkComparison:
        return compare_chunks(
            space.queries, made, cut(space).lost > 0, query_vectors=space.query_vectors,
            document_vectors=space.document_vectors, chunk_vectors=vectors.vectors, measure=measure,
            progress=progress,
        )  # fmt: skip

    return made_here(_room(key), f"chunks_search_{key}", Cost(measure, q, n + len(made.texts), d), compared)


def _key(space: QuerySpace) -> str:
    """What documents, tokenizer and prompt depend on."""
    return f"{space.queries.key}/{space.checkpoint.content}/{space.checkpoint.prompts.document}"


@st.cache_resource(max_entries=8, ttl=3600, show_spinner="Counting tokens…")
def _cut(key: str, _space: QuerySpace) -> CutDocuments:
    return cut_documents(_space.queries.documents, resources.encoder(_space.checkpoint, _space.precision))


@st.cache_resource(max_entries=8, ttl=3600, show_spinner=False)
def _worst(key: str, _space: QuerySpace) -> Worst:
    lost = cut(_space).lost
    rows = np.argsort(-lost, kind="stable")[:LISTED]
    rows = rows[lost[rows] > 0]
    encoder = resources.encoder(_space.checkpoint, _space.precision)
    return Worst(rows, tuple(lost_text([_space.queries.documents[row] for row in rows], encoder)))


@st.cache_resource(max_entries=4, ttl=3600, show_spinner="Cutting into passages…")
def _passages(key: str, size: int, overlap: int, _space: QuerySpace) -> Chunks:
    encoder = resources.encoder(_space.checkpoint, _space.precision)
    return chunk_documents(_space.queries.documents, encoder, size=size, overlap=overlap)


@st.cache_resource(max_entries=8, ttl=3600, show_spinner=False)
def _room(key: str) -> dict[str, ChunkComparison]:
    """Where a comparison is put."""
    return {}
