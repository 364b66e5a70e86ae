"""Small query sets in made-up spaces, for the views of the Retrieval page."""

import numpy as np

from lib.corpora import QuerySet


def made_set(q: int, n: int, *, topics: int = 0, grade: int = 2, skip: int = 0, word: str = "text") -> QuerySet:
    """q queries over n documents: document i is relevant to query i, the first `skip` queries have none.

    Where there are enough documents, the last is judged 0 for every second query.
    """
    judged = [(row, row, 0 if row < skip else grade) for row in range(q)]
    judged += [(row, n - 1, 0) for row in range(0, q, 2) if n > q]
    query, document, relevance = np.array(sorted(judged), dtype=np.int64).T.copy()
    return QuerySet(
        name="made up",
        queries=tuple(f"query {row} {word}" for row in range(q)),
        query_ids=tuple(f"q{row}" for row in range(q)),
        documents=tuple(f"document {row} {word}" for row in range(n)),
        document_ids=tuple(f"d{row}" for row in range(n)),
        judged_query=query,
        judged_document=document,
        relevance=relevance,
        topics=tuple(_topic(row % topics, word) for row in range(q)) if topics else None,
    )


def _topic(number: int, word: str) -> str:
    return f"topic {number}" if word == "text" else f"{word} {number}"


def made_space(queries: QuerySet, *, noise: float = 0.8, dimensions: int = 12):
    """The set as the page has it: each query lies near the document of the same row."""
    from lib.encoders import PACKAGED, Policy, describe
    from lib.ui.query_space import QuerySpace

    rng = np.random.default_rng(0)
    documents = rng.normal(size=(len(queries.documents), dimensions)).astype(np.float32)
    asked = documents[: len(queries.queries)] + noise * rng.normal(size=(len(queries.queries), dimensions))
    return QuerySpace(
        queries, describe(PACKAGED, policy=Policy()), "float32", asked.astype(np.float32), documents,
        f"made/{noise}/{queries.key}", 0, 0,
    )  # fmt: skip
