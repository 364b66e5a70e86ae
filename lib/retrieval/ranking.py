"""One query's ranking: its first documents, and where its judged documents stand."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.corpora import QuerySet
from lib.results import Result
from lib.retrieval.measures import Measure, Vectors
from lib.retrieval.run import JudgedRanks, Run
from lib.retrieval.search import pair_scores


@dataclass(frozen=True, eq=False)
class Ranking(Result):
    """The first k documents of one query and its judged ones, first ones first; m documents."""

    documents: NDArray[np.int64]
    """Rows of the documents, shape (m,): the first k, then judged ones that stand further down."""
    rank: NDArray[np.int64]
    """Their ranks among all documents, shape (m,), ascending."""
    scores: NDArray[np.float32]
    """Their scores, higher is closer, shape (m,)."""
    grade: NDArray[np.int64]
    """Their relevance, -1 where a document was not judged, shape (m,)."""
    row: int | None
    """The query's row in its set; None for one that is not in it."""
    items: int
    """Documents searched."""

    def first(self, k: int) -> NDArray[np.int64]:
        """Positions of the documents with rank k or better."""
        return np.flatnonzero(self.rank <= k)

    def late(self, k: int) -> NDArray[np.int64]:
        """Positions of the relevant documents with a rank beyond k."""
        return np.flatnonzero((self.grade > 0) & (self.rank > k))

    @property
    def relevant_ranks(self) -> NDArray[np.int64]:
        """Ranks of the relevant documents, ascending."""
        return self.rank[self.grade > 0]


def query_ranking(
    queries: QuerySet,
    run: Run,
    ranks: JudgedRanks,
    *,
    row: int,
    query_vectors: Vectors,
    document_vectors: Vectors,
    measure: Measure = "cosine",
) -> Ranking:
    """The ranking of the set's query `row`, from what `search` and `exact_ranks` gave by `measure`."""
    own = slice(*np.searchsorted(queries.judged_query, [row, row + 1]))
    judged, grades, judged_ranks = queries.judged_document[own], queries.relevance[own], ranks.rank[own]
    first = run.documents[row]
    k = len(first)
    late = np.flatnonzero(judged_ranks > k)
    late = late[np.argsort(judged_ranks[late])]
    grade = np.full(k, -1, dtype=np.int64)
    seen = judged_ranks <= k
    grade[judged_ranks[seen] - 1] = grades[seen]
    late_scores = pair_scores(query_vectors, document_vectors, np.full(len(late), row), judged[late], measure=measure)
    return Ranking(
        documents=np.concatenate([first, judged[late]]),
        rank=np.concatenate([np.arange(1, k + 1), judged_ranks[late]]),
        scores=np.concatenate([run.scores[row], late_scores]),
        grade=np.concatenate([grade, grades[late]]),
        row=row,
        items=run.items,
    )


def unjudged_ranking(run: Run) -> Ranking:
    """The ranking of a run's one query, of which nothing is known."""
    k = run.documents.shape[1]
    return Ranking(run.documents[0], np.arange(1, k + 1), run.scores[0], np.full(k, -1), None, run.items)
