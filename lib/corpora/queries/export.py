"""A query set as files that others read: pairs as JSON Lines, or the three files of BEIR."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from lib.corpora.messages import shown
from lib.corpora.queries.query_set import QuerySet
from lib.errors import InputError


def pairs_jsonl(queries: QuerySet) -> bytes:
    """One object a judgement with texts, ids, relevance and topic; what was never judged stands on a row of its own."""
    return _lines(_pair_rows(queries))


def beir_files(queries: QuerySet, *, split: str = "test") -> dict[str, bytes]:
    """`corpus.jsonl`, `queries.jsonl` and `qrels/<split>.tsv`, by name.

    Raises:
        InputError: an id that a line of the qrels cannot hold (blank, a tab or a line break, white space around it).
    """
    for given in (*queries.query_ids, *queries.document_ids):
        if not given or given != given.strip() or any(mark in given for mark in "\t\n\r"):
            raise InputError(
                f"The id {shown(given)} is blank or has white space that a qrels file cannot hold: rename it."
            )
    topics = queries.topics or (None,) * len(queries.queries)
    asked = zip(queries.query_ids, queries.queries, topics, strict=True)
    texts = zip(queries.document_ids, queries.documents, strict=True)
    judged = zip(queries.judged_query, queries.judged_document, queries.relevance, strict=True)
    qrels = [f"{queries.query_ids[q]}\t{queries.document_ids[d]}\t{grade}" for q, d, grade in judged]
    return {
        "corpus.jsonl": _lines({"_id": given, "title": "", "text": text} for given, text in texts),
        "queries.jsonl": _lines(
            {"_id": given, "text": text, **({} if topic is None else {"topic": topic})} for given, text, topic in asked
        ),
        f"qrels/{split}.tsv": "\n".join(["query-id\tcorpus-id\tscore", *qrels, ""]).encode("utf-8"),
    }


def _pair_rows(queries: QuerySet) -> Iterator[dict[str, Any]]:
    starts = np.searchsorted(queries.judged_query, np.arange(len(queries.queries) + 1))
    seen = np.zeros(len(queries.documents), dtype=bool)
    seen[queries.judged_document] = True
    for row, (given, text) in enumerate(zip(queries.query_ids, queries.queries, strict=True)):
        asked = {"query_id": given, "query": text}
        if queries.topics is not None and queries.topics[row] is not None:
            asked["topic"] = str(queries.topics[row])
        for at in range(starts[row], starts[row + 1]):
            yield asked | _document(queries, queries.judged_document[at]) | {"relevance": int(queries.relevance[at])}
        if starts[row] == starts[row + 1]:
            yield asked
    for document in np.flatnonzero(~seen).tolist():
        yield _document(queries, document)


def _document(queries: QuerySet, row: int) -> dict[str, str]:
    return {"document_id": queries.document_ids[row], "document": queries.documents[row]}


def _lines(rows: Iterable[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode("utf-8")
