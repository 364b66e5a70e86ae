"""What leaves for other tools: runs and judgements as TREC has them, and a table with one row per query."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lib.corpora import QuerySet
from lib.errors import InputError
from lib.retrieval.metrics import QueryMetrics
from lib.retrieval.ranks import FirstRanks
from lib.retrieval.run import Run


@dataclass(frozen=True)
class TrecText:
    """A file of lines whose columns are parted by blanks."""

    text: str
    """The lines."""
    notices: tuple[str, ...]
    """What had to be changed, in sentences."""


def trec_run(queries: QuerySet, run: Run, *, tag: str | None = None) -> TrecText:
    """`run` as TREC has it: query id, Q0, document id, rank, score, tag (the system's name unless given).

    Scores have the digits that bring float32 back, so trec_eval orders the documents as the run does. Ids that hold
    blanks, which part the columns, are percent-encoded, and then all ids of that kind are, so that they stay apart.

    Raises:
        ValueError: the run answers another number of queries.
    """
    if len(run.documents) != len(queries.queries):
        raise ValueError(f"The run answers {len(run.documents)} queries and the set has {len(queries.queries)}")
    query_ids, document_ids, notices = _ids(queries)
    name = "_".join((tag or run.system).split()) or "run"
    lines = []
    for row, query in enumerate(query_ids):
        kept = run.documents[row] >= 0
        pairs = zip(run.documents[row, kept].tolist(), run.scores[row, kept].tolist(), strict=True)
        lines += [
            f"{query} Q0 {document_ids[d]} {rank} {score:.9g} {name}\n" for rank, (d, score) in enumerate(pairs, 1)
        ]
    return TrecText("".join(lines), notices)


def trec_qrels(queries: QuerySet) -> TrecText:
    """The judgements as TREC has them: query id, 0, document id, relevance; ids as in `trec_run`."""
    query_ids, document_ids, notices = _ids(queries)
    triples = zip(queries.judged_query, queries.judged_document, queries.relevance, strict=True)
    return TrecText("".join(f"{query_ids[q]} 0 {document_ids[d]} {grade}\n" for q, d, grade in triples), notices)


def id_notices(queries: QuerySet) -> tuple[str, ...]:
    """What TREC files of this set change, in sentences: ids that hold blanks."""
    return _ids(queries)[2]


def _ids(queries: QuerySet) -> tuple[Sequence[str], Sequence[str], tuple[str, ...]]:
    """Query ids and document ids without blanks, and a sentence for each kind that was encoded."""
    made, notices = [], []
    for kind, ids in (("query", queries.query_ids), ("document", queries.document_ids)):
        parted = next((name for name in ids if len(name.split()) != 1 or name.split()[0] != name), None)
        if parted is not None:
            notices.append(
                f"TREC files part columns by blanks and the {kind} id {parted!r} holds some or is empty: all {kind} "
                "ids are percent-encoded in them."
            )
        made.append(ids if parted is None else [quote(name) or "%" for name in ids])
    return made[0], made[1], tuple(notices)


def run_from_scores(
    queries: QuerySet,
    scores: Mapping[str, Mapping[str, float]] | NDArray[np.floating],
    *,
    system: str,
    k: int | None = None,
) -> Run:
    """A run out of scores, ordered as trec_eval does: by float32 score, then by id, last first.

    `scores` maps query id to document id to score, or has the shape (q, n) with -inf or NaN for what was not retrieved.

    Raises:
        InputError: an id that the set does not have, or a score that is no finite number.
    """
    n = len(queries.documents)
    if isinstance(scores, Mapping):
        rows, documents, values = _given(queries, scores)
    else:
        if scores.shape != (len(queries.queries), n):
            raise InputError(f"Scores should have the shape {(len(queries.queries), n)}, got {scores.shape}.")
        rows, documents = np.nonzero(np.isfinite(scores))
        values = scores[rows, documents].astype(np.float32)
    order = np.lexsort((queries.tie_order[documents], -values, rows))
    rows, documents, values = rows[order], documents[order], values[order]
    place = np.arange(len(rows)) - np.searchsorted(rows, rows)
    depth = min(int(place.max()) + 1 if len(place) else 0, n if k is None else k)
    kept = place < depth
    found = np.full((len(queries.queries), depth), -1, dtype=np.int64)
    held = np.full(found.shape, -np.inf, dtype=np.float32)
    found[rows[kept], place[kept]], held[rows[kept], place[kept]] = documents[kept], values[kept]
    return Run(system, found, held, n)


def _given(
    queries: QuerySet, scores: Mapping[str, Mapping[str, float]]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    """Row of the query, row of the document and score of every pair."""
    query_rows = {name: row for row, name in enumerate(queries.query_ids)}
    document_rows = {name: row for row, name in enumerate(queries.document_ids)}
    rows, documents, values = [], [], []
    for query, answer in scores.items():
        if query not in query_rows:
            raise InputError(f"The run answers the query {query!r}, which the query set does not have.")
        for document, score in answer.items():
            if document not in document_rows:
                raise InputError(
                    f"Query {query!r} is answered with the document {document!r}, which the set does not have."
                )
            rows.append(query_rows[query])
            documents.append(document_rows[document])
            values.append(score)
    made = np.array(values, dtype=np.float32)
    if not np.isfinite(made).all():
        at = int(np.flatnonzero(~np.isfinite(made))[0])
        raise InputError(
            f"The score of query {queries.query_ids[rows[at]]!r} and document {queries.document_ids[documents[at]]!r} "
            f"should be a finite number, got {values[at]}."
        )
    return np.array(rows, dtype=np.int64), np.array(documents, dtype=np.int64), made


def query_table(queries: QuerySet, metrics: QueryMetrics, ranks: FirstRanks, *, run: Run) -> pd.DataFrame:
    """One row per query: id, text, topic, relevant documents, rank of the first one, each metric, top document.

    Queries without a relevant document have no rank and no metrics.
    """
    q = len(queries.queries)
    first = np.full(q, np.nan)
    first[ranks.query] = np.where(ranks.rank > 0, ranks.rank, np.nan)
    values = np.full((q, len(metrics.names)), np.nan)
    values[metrics.query] = metrics.values
    top = run.documents[:, 0] if run.documents.shape[1] else np.full(q, -1)
    score = run.scores[:, 0].astype(np.float64) if run.documents.shape[1] else np.full(q, np.nan)
    return pd.DataFrame(
        {
            "query_id": queries.query_ids,
            "query": queries.queries,
            "topic": queries.topics if queries.topics is not None else [None] * q,
            "relevant": queries.relevant,
            "first_rank": pd.array(first, dtype="Int64"),
            **{name: values[:, c] for c, name in enumerate(metrics.names)},
            "top_document_id": [queries.document_ids[row] if row >= 0 else None for row in top],
            "top_document": [queries.documents[row] if row >= 0 else None for row in top],
            "top_score": np.where(top >= 0, score, np.nan),
        }
    )
