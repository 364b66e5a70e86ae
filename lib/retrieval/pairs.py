"""Scores of the judged pairs, wherever their documents stand in the ranking."""

import numpy as np
from numpy.typing import NDArray

from lib.corpora import QuerySet
from lib.retrieval.search import Measure, pair_scores


def judged_scores(
    queries: QuerySet,
    query_vectors: NDArray[np.floating],
    document_vectors: NDArray[np.floating],
    *,
    measure: Measure = "cosine",
) -> NDArray[np.float32]:
    """The score of every judgement's query and document, shape (m,): the very one that `search` gives that pair."""
    return pair_scores(query_vectors, document_vectors, queries.judged_query, queries.judged_document, measure=measure)
