"""A query set: queries, documents, and judgements of how relevant a document is to a query."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lib.corpora.corpus import hash_texts


@dataclass(frozen=True, eq=False)
class QuerySet:
    """q queries over n documents with m judgements; a document that was not judged counts as not relevant."""

    name: str
    """What it is called on screen; not part of `key`."""
    queries: tuple[str, ...] = field(repr=False)
    """The q queries."""
    query_ids: tuple[str, ...] = field(repr=False)
    """q different ids."""
    documents: tuple[str, ...] = field(repr=False)
    """The n documents."""
    document_ids: tuple[str, ...] = field(repr=False)
    """n different ids."""
    judged_query: NDArray[np.int64] = field(repr=False)
    """Row of each judgement's query, shape (m,), ascending; no pair of query and document stands twice."""
    judged_document: NDArray[np.int64] = field(repr=False)
    """Row of its document, shape (m,), ascending within a query."""
    relevance: NDArray[np.int64] = field(repr=False)
    """Its grade, shape (m,): 0 judged not relevant (an explicit negative), 1 and above relevant."""
    topics: tuple[str | None, ...] | None = field(default=None, repr=False)
    """q topics, None where a query has none; None where no query has one."""
    notices: tuple[str, ...] = ()
    """Sentences that its reader should see."""

    def __post_init__(self) -> None:
        q, n, m = len(self.queries), len(self.documents), len(self.relevance)
        for what, held, wanted in (
            ("query_ids", self.query_ids, q),
            ("document_ids", self.document_ids, n),
            ("topics", self.topics, q),
            ("judged_query", self.judged_query, m),
            ("judged_document", self.judged_document, m),
        ):
            if held is not None and len(held) != wanted:
                raise ValueError(f"{what} should be {wanted}, got {len(held)}")
        if len(set(self.query_ids)) != q or len(set(self.document_ids)) != n:
            raise ValueError("ids should all be different")
        for what, rows, of in (("query", self.judged_query, q), ("document", self.judged_document, n)):
            if m and not 0 <= rows.min() <= rows.max() < of:
                raise ValueError(f"a judgement names a {what} beyond the {of} that are there")
        place = self.judged_query * max(n, 1) + self.judged_document
        if m and not (np.diff(place) > 0).all():
            raise ValueError("judgements should be ordered by query, then document, none twice")

    @cached_property
    def relevant(self) -> NDArray[np.int64]:
        """Relevant documents of each query, shape (q,)."""
        return np.bincount(self.judged_query[self.relevance > 0], minlength=len(self.queries)).astype(np.int64)

    @property
    def graded(self) -> bool:
        """Whether any document is more relevant than another relevant one."""
        grades = self.relevance[self.relevance > 0]
        return bool(len(grades)) and bool(grades.min() < grades.max())

    @property
    def topic_names(self) -> list[str]:
        """Distinct topics, sorted."""
        return sorted({topic for topic in self.topics or () if topic is not None})

    @cached_property
    def tie_order(self) -> NDArray[np.int64]:
        """Which of equally scored documents comes first, shape (n,): smaller is first.

        As trec_eval has it: by id, the last in the order of its UTF-8 bytes first.
        """
        order = sorted(range(len(self.documents)), key=lambda i: self.document_ids[i].encode("utf-8", "surrogatepass"))
        place = np.empty(len(order), dtype=np.int64)
        place[order] = np.arange(len(order))[::-1]
        return place

    @cached_property
    def key(self) -> str:
        """SHA-256 of everything but the name and the notices, as 64 hexadecimal digits."""
        digest = hashlib.sha256(b"embedscope query set 1")
        for texts in (self.queries, self.query_ids, self.documents, self.document_ids, self.topics or ()):
            hash_texts(digest, texts)
        for numbers in (self.judged_query, self.judged_document, self.relevance):
            digest.update(np.ascontiguousarray(numbers, dtype="<i8").data)
        return digest.hexdigest()

    def qrels(self) -> dict[str, dict[str, int]]:
        """Judgements as trec_eval's tools take them: query id to document id to relevance."""
        made: dict[str, dict[str, int]] = {}
        for query, document, grade in zip(self.judged_query, self.judged_document, self.relevance, strict=True):
            made.setdefault(self.query_ids[query], {})[self.document_ids[document]] = int(grade)
        return made

    def select(self, queries: Iterable[int] | NDArray[Any]) -> "QuerySet":
        """The same documents with the queries at these rows only, in their order.

        Raises:
            IndexError: a row that the set does not have.
        """
        rows = np.asarray(list(queries), dtype=np.int64)
        if len(rows) and rows.min() < 0:
            raise IndexError(f"row {rows.min()} of {len(self.queries)} queries")
        place = np.full(len(self.queries), -1, dtype=np.int64)
        place[rows] = np.arange(len(rows))
        kept = np.flatnonzero(place[self.judged_query] >= 0)
        kept = kept[np.lexsort((self.judged_document[kept], place[self.judged_query[kept]]))]
        return QuerySet(
            name=self.name,
            queries=tuple(self.queries[row] for row in rows),
            query_ids=tuple(self.query_ids[row] for row in rows),
            documents=self.documents,
            document_ids=self.document_ids,
            judged_query=place[self.judged_query[kept]],
            judged_document=self.judged_document[kept],
            relevance=self.relevance[kept],
            topics=None if self.topics is None else tuple(self.topics[row] for row in rows),
        )
