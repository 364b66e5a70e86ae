"""Validation: how well the queries held out are answered, before training, while it runs and at its end.

Numbers are those of `lib.retrieval`: exact search by cosine, ties by document id, queries without a relevant document
left out. Where the documents are many, a fixed part of them is searched (every relevant one and as many of the
others as there is room for), which makes the numbers higher than over all: they compare with each other alone.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lib.corpora import QuerySet
from lib.errors import InputError
from lib.finetune.data.embedding import Embed
from lib.results import Result
from lib.retrieval.bootstrap import PairedTest, Summary, paired_test, summarise
from lib.retrieval.comparison import holm
from lib.retrieval.metrics import QueryMetrics, query_metrics
from lib.retrieval.search import exact_ranks, search

METRICS = ("ndcg@10", "recall@1", "mrr@10")
"""What is told, the one to judge by first."""
MOST_DOCUMENTS = 1_000
"""Documents that are searched at most."""
MOST_QUERIES = 300
"""Queries that are asked at most."""
_CUTOFFS = (1, 10)


@dataclass(frozen=True, eq=False)
class Validation(Result):
    """The metrics of each query that was asked, at one moment of a training."""

    names: tuple[str, ...]
    """Names of the metrics: `METRICS`."""
    values: NDArray[np.float64]
    """Their values, shape (s, 3), 0 to 1, higher is better."""
    query: NDArray[np.int64]
    """Row of each query among those asked, shape (s,), ascending."""
    queries: int
    """Queries asked, those without a relevant document among them."""
    documents: int
    """Documents searched."""

    @property
    def means(self) -> dict[str, float]:
        """Mean of each metric over the s queries."""
        return dict(zip(self.names, self.values.mean(axis=0).tolist(), strict=True))

    @property
    def per_query(self) -> QueryMetrics:
        """The same as `lib.retrieval` has it, for its intervals and tests."""
        return QueryMetrics(self.names, self.values, self.query, self.queries - len(self.query), "linear", _CUTOFFS)

    @classmethod
    def from_dict(cls, kept: dict[str, Any]) -> "Validation":
        """What `to_dict` gave, read again."""
        return cls(
            names=tuple(kept["names"]),
            values=np.array(kept["values"], dtype=np.float64).reshape(-1, len(kept["names"])),
            query=np.array(kept["query"], dtype=np.int64),
            queries=int(kept["queries"]),
            documents=int(kept["documents"]),
        )


@dataclass(frozen=True)
class Compared(Result):
    """Validation before and after training, on the same queries."""

    before: tuple[Summary, ...]
    """Mean and 95 % interval of each metric before."""
    after: tuple[Summary, ...]
    """The same after."""
    tests: tuple[PairedTest, ...]
    """After against before, metric by metric: the difference with its 95 % interval, and its p-value."""
    adjusted: tuple[float, ...]
    """The p-values after Holm's correction for the number of metrics."""
    queries: int
    """Queries behind the numbers."""
    documents: int
    """Documents searched."""
    seed: int
    """Of the resampling."""


def sampled(
    queries: QuerySet, *, most_queries: int = MOST_QUERIES, most_documents: int = MOST_DOCUMENTS, seed: int = 0
) -> QuerySet:
    """The part of `queries` that a validation asks: the set itself where it is small enough.

    Queries are drawn at random; of the documents all that the drawn ones judge are kept, and of the others as many,
    drawn at random, as there is room for.

    Raises:
        InputError: no query has a relevant document, or fewer than one query or document is asked for.
    """
    if most_queries < 1 or most_documents < 1:
        raise InputError(f"A validation needs queries and documents, got {most_queries} and {most_documents}.")
    rng = np.random.default_rng(seed)
    asked = np.flatnonzero(queries.relevant > 0)
    if not len(asked):
        raise InputError(f"{queries.name}: no query held out has a relevant document, so nothing can be measured.")
    if len(asked) > most_queries:
        asked = np.sort(rng.choice(asked, most_queries, replace=False))
    if len(asked) < len(queries.queries):
        queries = queries.select(asked)
    n = len(queries.documents)
    judged = np.unique(queries.judged_document)
    if n <= most_documents or len(judged) == n:
        return queries
    rest = np.setdiff1d(np.arange(n), judged)
    drawn = rng.choice(rest, min(len(rest), max(0, most_documents - len(judged))), replace=False)
    return _with_documents(queries, np.sort(np.concatenate([judged, drawn])))


def measure(queries: QuerySet, embed: Embed, *, width: int | None = None) -> Validation:
    """The metrics of `queries` with the vectors that `embed` gives now, cut to their first `width` dimensions.

    Raises:
        InputError: vectors that are not finite, or a set without a relevant document.
    """
    asked = embed(queries.queries, "query")[:, :width]
    documents = embed(queries.documents, "document")[:, :width]
    run = search(asked, documents, max(_CUTOFFS), tie_order=queries.tie_order)
    metrics = query_metrics(exact_ranks(queries, run, asked, documents), cutoffs=_CUTOFFS)
    if not len(metrics.query):
        raise InputError(f"{queries.name}: no query held out has a relevant document, so nothing can be measured.")
    values = np.column_stack([metrics.column(name) for name in METRICS])
    return Validation(METRICS, values, metrics.query, len(queries.queries), len(queries.documents))


def compare_validations(before: Validation, after: Validation, *, seed: int = 0) -> Compared:
    """Is the encoder better after training than before? Both over the same queries and documents.

    Raises:
        ValueError: not the same queries, or not as many documents.
    """
    if before.documents != after.documents or before.queries != after.queries:
        raise ValueError("Validations compare over the same queries and documents alone")
    tests = tuple(paired_test(before.per_query, after.per_query, name, seed=seed) for name in METRICS)
    return Compared(
        before=summarise(before.per_query, seed=seed),
        after=summarise(after.per_query, seed=seed),
        tests=tests,
        adjusted=tuple(holm(np.array([test.p_value for test in tests])).tolist()),
        queries=len(before.query),
        documents=before.documents,
        seed=seed,
    )


def _with_documents(queries: QuerySet, rows: NDArray[np.int64]) -> QuerySet:
    """The same queries over the documents at `rows`, ascending, among which are all that are judged."""
    return QuerySet(
        name=queries.name,
        queries=queries.queries,
        query_ids=queries.query_ids,
        documents=tuple(queries.documents[row] for row in rows),
        document_ids=tuple(queries.document_ids[row] for row in rows),
        judged_query=queries.judged_query,
        judged_document=np.searchsorted(rows, queries.judged_document),
        relevance=queries.relevance,
        topics=queries.topics,
        notices=queries.notices,
    )
