"""One query without one feature: where its relevant documents go, and which document changes places with one.

    x' = x - a_f direction_f

Where a query is hurt without a feature, the feature was what kept a relevant document above another. That other one is
the one to set beside it: the difference of their two scores, taken apart (lib/sae/faithfulness/why.py), shows how much
of the lead was the feature's.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.corpora import QuerySet
from lib.errors import InputError
from lib.geometry.vectors import blocks
from lib.results import Result
from lib.retrieval import Gain, Measure
from lib.retrieval.measures import Vectors, pair_score
from lib.sae.autoencoder import SparseAutoencoder


@dataclass(frozen=True, eq=False)
class Moved(Result):
    """A query's r relevant documents with and without a feature, best rank first."""

    feature: int
    """The feature."""
    activation: float
    """How strongly it fires on the query; 0 where it does not, and then nothing moves."""
    documents: NDArray[np.int64]
    """Rows of the relevant documents, shape (r,)."""
    before: NDArray[np.int64]
    """Their ranks, shape (r,)."""
    after: NDArray[np.int64]
    """Their ranks without the feature."""
    place: int
    """Which of them moved most, by what that did to NDCG@k, in the direction in which the query's NDCG moved."""
    rival: int | None
    """Row of the document that changed places with it; None where none did."""
    rival_before: int | None
    """Its rank."""
    rival_after: int | None
    """Its rank without the feature."""
    passed: int
    """Documents that changed places with it."""


def moved(
    sae: SparseAutoencoder,
    queries: QuerySet,
    query_vectors: NDArray[np.floating],
    document_vectors: Vectors,
    *,
    row: int,
    feature: int,
    k: int = 10,
    gain: Gain = "linear",
    measure: Measure = "cosine",
) -> Moved:
    """Rank all documents for the query at `row` with and without `feature`, ties as a search breaks them.

    Of the documents that change places with the relevant one, the rival is the one of the lowest grade that comes
    first on the better side.

    Raises:
        InputError: the query has no relevant document, or the dictionary no such feature.
    """
    own = slice(*np.searchsorted(queries.judged_query, [row, row + 1]))
    kept = queries.relevance[own] > 0
    relevant, grades = queries.judged_document[own][kept], queries.relevance[own][kept]
    if not len(relevant):
        raise InputError(f"Query {queries.query_ids[row]!r} has no relevant document that could move: choose another.")
    if not 0 <= feature < sae.features:
        raise InputError(f"A feature is a number from 0 to {sae.features - 1:,}, got {feature}.")
    query = np.asarray(query_vectors[row], dtype=np.float64)
    fires, activations = sae.encode(np.asarray(query_vectors[row])[None]).of(0)
    activation = float(activations[fires == feature].sum())
    without = query - activation * sae.decoder_weights[feature].astype(np.float64)
    before, after = (_ranks(vector, document_vectors, queries.tie_order, measure) for vector in (query, without))
    order = np.argsort(before[relevant])
    relevant, grades = relevant[order], grades[order]
    worth = grades.astype(np.float64) if gain == "linear" else np.exp2(grades) - 1
    lost = worth * (_discount(before[relevant], k) - _discount(after[relevant], k))
    falls = lost.sum() >= 0
    far = np.abs(after[relevant] - before[relevant])
    place = int(np.lexsort((-far, -lost if falls else lost))[0])
    b, a = before[relevant[place]], after[relevant[place]]
    passing = (before > b) & (after < a) if a > b else (before < b) & (after > a)
    others = np.flatnonzero(passing & (a != b))
    graded = np.zeros(len(before), dtype=np.int64)
    graded[relevant] = grades
    first = (after if a > b else before)[others]
    rival = int(others[np.lexsort((first, graded[others]))[0]]) if len(others) else None
    return Moved(
        feature=feature,
        activation=activation,
        documents=relevant,
        before=before[relevant],
        after=after[relevant],
        place=place,
        rival=rival,
        rival_before=None if rival is None else int(before[rival]),
        rival_after=None if rival is None else int(after[rival]),
        passed=len(others),
    )


def _ranks(
    vector: NDArray[np.float64], documents: Vectors, ties: NDArray[np.int64], measure: Measure
) -> NDArray[np.int64]:
    """Rank of every document, shape (n,), from 1."""
    scores = np.concatenate([pair_score(vector, documents[part], measure) for part in blocks(len(documents))])
    ranks = np.empty(len(scores), dtype=np.int64)
    ranks[np.lexsort((ties, -scores))] = np.arange(1, len(scores) + 1)
    return ranks


def _discount(ranks: NDArray[np.int64], k: int) -> NDArray[np.float64]:
    return np.where(ranks <= k, 1 / np.log2(ranks + 1), 0)
