"""What a dictionary's part in retrieval is measured on: queries with a relevant document, and all documents."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.corpora import QuerySet
from lib.errors import InputError
from lib.retrieval import Gain, JudgedRanks, Measure, judged_ranks, query_metrics, search
from lib.retrieval.measures import Vectors
from lib.sae.autoencoder import SparseAutoencoder
from lib.sae.codes import Codes
from lib.sae.faithfulness.repeats import texts_of

LINEAR: tuple[Measure, ...] = ("cosine", "dot", "l2")
"""Measures by which a feature taken out of a query moves each document by one product."""


@dataclass(frozen=True, eq=False)
class Case:
    """s queries with a relevant document over n documents, in the space of a dictionary."""

    sae: SparseAutoencoder
    """The dictionary."""
    queries: QuerySet
    """The s queries, all documents, and the judgements of these queries."""
    rows: NDArray[np.int64]
    """Rows of the queries in the set that was given, shape (s,), ascending."""
    text: NDArray[np.int64]
    """Number of each query's text among the different ones, shape (s,)."""
    skipped: int
    """Queries left out because no document is relevant to them."""
    asked: NDArray[np.floating]
    """Their embeddings, shape (s, d)."""
    documents: Vectors
    """Those of the documents, shape (n, d)."""
    codes: Codes
    """What fires on the queries."""
    k: int
    """Cut-off of NDCG."""
    gain: Gain
    """What a grade is worth."""
    measure: Measure
    """What scores are: cosine, dot or l2."""

    @property
    def texts(self) -> int:
        """How many different texts the queries have."""
        return int(self.text.max(initial=-1)) + 1

    @property
    def metric(self) -> str:
        """Name of the metric, such as ndcg@10."""
        return f"ndcg@{self.k}"

    def ndcg(self, judged: JudgedRanks) -> NDArray[np.float64]:
        """NDCG@k of each query, or of each variant, that `judged` tells the ranks of."""
        return query_metrics(judged, cutoffs=(self.k,), gain=self.gain).column(self.metric)

    def searched(self, asked: NDArray[np.floating]) -> NDArray[np.float64]:
        """NDCG@k of each query where it is asked with these vectors (s, d), by a search as any other."""
        run = search(asked, self.documents, self.k, measure=self.measure, tie_order=self.queries.tie_order)
        return self.ndcg(judged_ranks(self.queries, run))


def case_of(
    sae: SparseAutoencoder,
    queries: QuerySet,
    query_vectors: NDArray[np.floating],
    document_vectors: Vectors,
    *,
    k: int = 10,
    gain: Gain = "linear",
    measure: Measure = "cosine",
) -> Case:
    """Leave the queries without a relevant document out, and take the others apart.

    Raises:
        InputError: no query has a relevant document, a cut-off below 1, a measure that is no product, vectors that are
            not of the dictionary's width or not one a text.
    """
    if k < 1:
        raise InputError(f"NDCG needs a cut-off of 1 or more, got {k}.")
    if measure not in LINEAR:
        raise InputError(
            f"A feature taken out of a query moves no score by one product where scores are {measure}: choose "
            f"{', '.join(LINEAR[:-1])} or {LINEAR[-1]}."
        )
    if len(query_vectors) != len(queries.queries) or len(document_vectors) != len(queries.documents):
        raise InputError(
            f"Expected vectors of {len(queries.queries):,} queries and {len(queries.documents):,} documents, got "
            f"{len(query_vectors):,} and {len(document_vectors):,}: embed this very query set."
        )
    rows = np.flatnonzero(queries.relevant)
    if not len(rows):
        raise InputError("No query has a relevant document, so there is nothing to measure: give judgements above 0.")
    sae.check_width(document_vectors)
    asked, chosen = np.asarray(query_vectors)[rows], queries.select(rows)
    return Case(
        sae=sae,
        queries=chosen,
        rows=rows,
        text=texts_of(chosen.queries),
        skipped=len(queries.queries) - len(rows),
        asked=asked,
        documents=document_vectors,
        codes=sae.encode(asked),
        k=k,
        gain=gain,
        measure=measure,
    )
