"""Scores of pairs that a search did not put first: judged ones, and those that another system found."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lib.corpora import QuerySet
from lib.retrieval.run import Run
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


def rescored(
    run: Run,
    query_vectors: NDArray[np.floating],
    document_vectors: NDArray[np.floating],
    *,
    measure: Measure = "cosine",
) -> Run:
    """The documents of `run` in its order, with the scores that `search` gives them: what an encoder says of BM25's.

    Raises:
        ValueError: the run answers another number of queries, or other documents.
    """
    if (len(run.documents), run.items) != (len(query_vectors), len(document_vectors)):
        raise ValueError(
            f"The run answers {len(run.documents)} queries over {run.items} documents and there are vectors of "
            f"{len(query_vectors)} and {len(document_vectors)}"
        )
    scores = np.full(run.documents.shape, -np.inf, dtype=np.float32)
    query, place = np.nonzero(run.documents >= 0)
    scores[query, place] = pair_scores(
        query_vectors, document_vectors, query, run.documents[query, place], measure=measure
    )
    return replace(run, scores=scores)
