"""What a report is made of: a corpus and a query set in an encoder's space, with what is known of its layers."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.corpora import Corpus, QuerySet
from lib.encoders import Checkpoint, Precision
from lib.layers import BuildUp, HeadEntropy

Vectors = NDArray[np.floating]
Doing = Callable[[str], None]
"""Told in a few words what is being done now; it may raise `lib.errors.Stopped`."""


@dataclass(frozen=True, eq=False)
class CorpusSide:
    """A corpus in an encoder's space."""

    corpus: Corpus
    """The texts."""
    checkpoint: Checkpoint | None
    """The encoder; None where the corpus brought vectors of its own."""
    precision: Precision
    """At which it ran."""
    vectors: Vectors
    """Embeddings, shape (n, d)."""
    vectors_key: str
    """Their content hash."""
    truncated: int = 0
    """Texts of which only the beginning was read."""
    build_up: BuildUp | None = None
    """What the layers do; None where it is not known."""
    heads: HeadEntropy | None = None
    """What the attention heads do; None where it is not known."""
    layers_needed: str = ""
    """Why `build_up` is not known, one sentence; empty where it is."""
    heads_needed: str = ""
    """Why `heads` is not known, one sentence; empty where it is."""


@dataclass(frozen=True, eq=False)
class QuerySide:
    """A query set in an encoder's space."""

    queries: QuerySet
    """Queries, documents and judgements."""
    checkpoint: Checkpoint
    """The encoder."""
    precision: Precision
    """At which it ran."""
    query_vectors: Vectors
    """Embeddings of the queries, shape (q, d)."""
    document_vectors: Vectors
    """Embeddings of the documents, shape (n, d)."""
    truncated: int = 0
    """Queries and documents of which only the beginning was read."""


@dataclass(frozen=True, eq=False)
class Material:
    """All that a report is made of; at least one of the first two is there."""

    corpus: CorpusSide | None
    """The corpus part; None: the report has none."""
    queries: QuerySide | None
    """The query part; None: the report has none."""
    beside_corpus: CorpusSide | None = None
    """The same corpus in a second encoder's space, for a comparison."""
    beside_queries: QuerySide | None = None
    """The same query set in a second encoder's space, for a comparison."""


@dataclass(frozen=True)
class Options:
    """What a report holds, and how it is measured."""

    texts: bool = True
    """Whether texts, queries and documents are quoted; without, they go by their ids."""
    cutoffs: tuple[int, ...] = (1, 5, 10)
    """Cut-offs k of the retrieval metrics, ascending."""
    listed: int = 15
    """Rows of a table of texts, at most."""
    seed: int = 0
    """Of everything that is drawn."""
    corpus_argument: str = ""
    """How the command line names the corpus: `--corpus sample:topics`; empty where it cannot, as with an upload."""
    queries_argument: str = ""
    """The same for the query set."""
    query: tuple[tuple[str, str], ...] = ()
    """Query parameters of the app that name encoder, corpus and query set."""
    app: str = ""
    """Address of the app for links; empty where none is known."""
