"""Public retrieval sets, each from a folder of JSON lines: corpus.jsonl, queries.jsonl, qrels.jsonl.

A document has `_id` and `text`, a query `_id` and `text`, a judgement `query_id`, `doc_id` and `score`. Where a
question is asked of one contract or one website, only its documents are candidates: `Filter` says which they are.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lib.corpora import QuerySet
from lib.retrieval import Run

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Filter:
    """Candidates of each query: the documents of one group."""

    of_query: NDArray[np.int64]
    """Group that each query is asked of, shape (q,)."""
    of_document: NDArray[np.int64]
    """Group of each document, shape (n,)."""
    asked: NDArray[np.int64]
    """Row of each query's text among the distinct ones that are searched, shape (q,)."""


@dataclass(frozen=True)
class PublicSet:
    """A set, and which documents each query is compared with."""

    name: str
    """As the table calls it."""
    queries: QuerySet
    """Queries, documents, judgements."""
    only: Filter | None = None
    """None: every query is compared with all documents."""

    @property
    def asked(self) -> tuple[str, ...]:
        """The texts that are searched with: the queries, or the distinct ones where each has its own documents."""
        if self.only is None:
            return self.queries.queries
        return tuple(dict.fromkeys(self.queries.queries))

    def narrow(self, run: Run) -> Run:
        """Of a run of `asked` over all documents: the run of the queries, each over its own documents."""
        if self.only is None:
            return run
        depth = int(np.bincount(self.only.of_document).max())
        documents = np.full((len(self.queries.queries), depth), -1, dtype=np.int64)
        scores = np.full(documents.shape, -np.inf, dtype=np.float32)
        for row, (asked, group) in enumerate(zip(self.only.asked, self.only.of_query, strict=True)):
            found = run.documents[asked]
            kept = (found >= 0) & (self.only.of_document[found] == group)
            documents[row, : kept.sum()] = found[kept]
            scores[row, : kept.sum()] = run.scores[asked][kept]
        return Run(run.system, documents, scores, run.items)


def read_sets(folder: Path) -> list[PublicSet]:
    """Every set of the table that `folder` holds."""
    plain = [
        ("medquad_medical", "MedQuAD", ""),
        ("pubmedqa_medical", "PubMedQA", ""),
        ("tatqa_finance", "TAT-QA", ""),
        ("squad_sentences", "SQuAD sentences", ""),
        ("xquad", "XQuAD, English", "en.en"),
        ("xquad", "XQuAD, German questions", "de.en"),
        ("limit_small", "LIMIT small", ""),
    ]
    found = [_plain(folder / name, title, languages) for name, title, languages in plain if (folder / name).is_dir()]
    if (folder / "policyqa_legal").is_dir():
        found.append(_by_website(folder / "policyqa_legal"))
    if (folder / "contractnli_legal").is_dir():
        found.append(_by_contract(folder / "contractnli_legal"))
    return found


def _plain(folder: Path, name: str, languages: str) -> PublicSet:
    asked, answered = (f".{language}" for language in languages.split(".")) if languages else ("", "")
    queries, documents = _lines(folder / f"queries{asked}.jsonl"), _lines(folder / f"corpus{answered}.jsonl")
    judged = [(row["query_id"], row["doc_id"], row["score"]) for row in _lines(folder / "qrels.jsonl")]
    return PublicSet(name, _query_set(name, queries, documents, judged))


def _by_website(folder: Path) -> PublicSet:
    """A question is asked of one website's policy."""
    queries, documents = _lines(folder / "queries.jsonl"), _lines(folder / "corpus.jsonl")
    judged = [(row["query_id"], row["doc_id"], row["score"]) for row in _lines(folder / "qrels.jsonl")]
    made = _query_set("PolicyQA", queries, documents, judged)
    sites = [row["website"] for row in queries], [row["title"] for row in documents]
    return PublicSet("PolicyQA", made, _filter(made, *sites))


def _by_contract(folder: Path) -> PublicSet:
    """A statement is looked up in each contract that holds evidence on it: one query for each such pair."""
    statements, documents = _lines(folder / "queries.jsonl"), _lines(folder / "corpus.jsonl")
    contracts = {row["_id"]: row["contract"] for row in documents}
    texts = {row["_id"]: row["text"] for row in statements}
    judged = [
        (f"{row['query_id']}@{contracts[row['doc_id']]}", row["doc_id"], row["score"])
        for row in _lines(folder / "qrels.jsonl")
    ]
    pairs = list(dict.fromkeys(query for query, _, _ in judged))
    queries = [{"_id": pair, "text": texts[pair.split("@")[0]]} for pair in pairs]
    made = _query_set("ContractNLI", queries, documents, judged)
    groups = [pair.split("@")[1] for pair in pairs], [row["contract"] for row in documents]
    return PublicSet("ContractNLI", made, _filter(made, *groups))


def _filter(made: QuerySet, of_query: list[str], of_document: list[str]) -> Filter:
    group = {name: number for number, name in enumerate(dict.fromkeys(of_document))}
    asked = {text: number for number, text in enumerate(dict.fromkeys(made.queries))}
    return Filter(
        np.array([group[name] for name in of_query]),
        np.array([group[name] for name in of_document]),
        np.array([asked[text] for text in made.queries]),
    )


def _query_set(name: str, queries: Rows, documents: Rows, judged: list[tuple[str, str, int]]) -> QuerySet:
    place_q = {row["_id"]: number for number, row in enumerate(queries)}
    place_d = {row["_id"]: number for number, row in enumerate(documents)}
    pairs = {(place_q[query], place_d[document]): score for query, document, score in judged}
    table = np.array([(*pair, pairs[pair]) for pair in sorted(pairs)], dtype=np.int64)
    return QuerySet(
        name=name,
        queries=tuple(row["text"] for row in queries),
        query_ids=tuple(place_q),
        documents=tuple("\n".join(filter(None, (row["text"], row.get("table")))) for row in documents),
        document_ids=tuple(place_d),
        judged_query=table[:, 0],
        judged_document=table[:, 1],
        relevance=table[:, 2],
    )


def _lines(path: Path) -> Rows:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]
