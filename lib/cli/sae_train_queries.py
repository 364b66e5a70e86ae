"""How much of NDCG@10 a training's dictionary keeps, on each query set that was named."""

import argparse
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lib.cli.retrieval_queries import queries_of
from lib.cli.sae_train_inputs import Material
from lib.cli.sae_train_watch import Watch
from lib.corpora import QuerySet
from lib.errors import InputError
from lib.sae import SparseAutoencoder

_OPTIONS = ("query", "document", "relevance", "query_id", "document_id", "negative_columns", "topic", "split",
            "document_fields")  # fmt: skip


@dataclass(frozen=True, eq=False)
class Asked:
    """A query set in the encoder's space."""

    queries: QuerySet
    """The set."""
    query_vectors: NDArray[np.floating]
    """Shape (q, d)."""
    document_vectors: NDArray[np.floating]
    """Shape (m, d)."""


def query_sets_of(chosen: argparse.Namespace) -> list[QuerySet]:
    """The query sets that `--queries` names, their columns guessed.

    Raises:
        InputError: what is wrong with their files.
    """
    if chosen.queries and chosen.embeddings and not chosen.encoder:
        raise InputError("--queries needs the encoder that made the embeddings: name it with --encoder.")
    unsaid = dict.fromkeys(_OPTIONS)
    return [queries_of(argparse.Namespace(queries=source, **unsaid)) for source in chosen.queries]


def embedded(query_sets: list[QuerySet], material: Material, watch: Watch) -> list[Asked]:
    """The query sets in the space of the training's encoder, by way of the store.

    Raises:
        InputError: the corpus brought vectors of its own, or what the encoder says of the texts.
    """
    if not query_sets:
        return []
    if material.source is None:
        raise InputError("The corpus brings vectors of its own, so queries cannot be embedded: leave --queries out.")
    watch.doing(f"encoding {len(query_sets):,} query sets")
    embed = material.source.embed
    return [
        Asked(
            queries,
            embed(queries.queries, f"queries of {queries.name}", role="query").vectors,
            embed(queries.documents, f"documents of {queries.name}").vectors,
        )
        for queries in query_sets
    ]


def kept(sae: SparseAutoencoder, asked: list[Asked]) -> list[dict[str, Any]]:
    """NDCG@10 of vectors and of their reconstructions, one dictionary a query set."""
    if not asked:
        return []
    from lib.sae.evaluation import retrieval_kept

    return [retrieval_kept(sae, one.queries, one.query_vectors, one.document_vectors).to_dict() for one in asked]
