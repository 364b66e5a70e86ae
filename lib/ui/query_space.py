"""What the Retrieval page looks at: a query set in an encoder's space."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.corpora import QuerySet
from lib.encoders import Checkpoint, Precision


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
