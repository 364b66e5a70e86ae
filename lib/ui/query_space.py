"""What the Retrieval page looks at: a query set in an encoder's space."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.corpora import QuerySet
from lib.encoders import Checkpoint, Precision
from lib.ui.encoding import encoded_or_none, tell_of_cut


@dataclass(frozen=True)
class QuerySpace:
    """A query set in an encoder's space."""

    queries: QuerySet
    """Queries, documents and judgements."""
    checkpoint: Checkpoint
    """The encoder."""
    precision: Precision
    """float32 or bfloat16."""
    query_vectors: NDArray[np.floating]
    """The queries' embeddings, shape (q, d)."""
    document_vectors: NDArray[np.floating]
    """The documents' embeddings, shape (n, d)."""
    key: str
    """Content hash of vectors, texts and judgements."""
    truncated_queries: int
    """Queries of which only the beginning was read."""
    truncated_documents: int
    """Documents of which only the beginning was read."""


def read_by(queries: QuerySet, checkpoint: Checkpoint, precision: Precision) -> QuerySpace | None:
    """A query set in the space of an encoder; None where it is not encoded yet, which is then offered."""
    documents = encoded_or_none(f"{queries.key}/documents", queries.documents, checkpoint, precision)
    if documents is None:
        return None
    asked = encoded_or_none(f"{queries.key}/queries", queries.queries, checkpoint, precision, role="query")
    if asked is None:
        return None
    tell_of_cut(documents.truncated, len(queries.documents), "documents", checkpoint)
    tell_of_cut(asked.truncated, len(queries.queries), "queries", checkpoint)
    return QuerySpace(
        queries,
        checkpoint,
        precision,
        asked.vectors,
        documents.vectors,
        f"{asked.key}/{documents.key}/{queries.key}",
        asked.truncated,
        documents.truncated,
    )
