"""What a report says in every form of it: facts of encoder and texts, cells, links, the snippets' beginning."""

import json
from typing import Any
from urllib.parse import urlencode

from lib.numerals import count
from lib.reports.report import Cell, Link, Report
from lib.reports.words import NONE, decimal

_SCHEMES = ("https://", "http://")


def shown_cell(cell: Cell) -> str:
    """A cell as it is read: whole numbers with thin-space thousands, others with three digits that count."""
    if cell is None:
        return NONE
    if isinstance(cell, str):
        return cell
    if float(cell) == int(cell) if abs(cell) < 1e15 else False:
        return count(cell)
    if 0 < abs(cell) < 0.001:
        return f"{cell:.2g}".replace("-", "−")
    return decimal(float(cell), 3 if abs(cell) < 100 else 1)


def link_address(link: Link | None, report: Report) -> str:
    """Where the app shows a section; empty where no address of the app is known, or is none of the web."""
    if link is None or not report.app.startswith(_SCHEMES):
        return ""
    page, parameters = link
    return f"{report.app}/{page}?{urlencode(parameters)}" if parameters else f"{report.app}/{page}"


def encoder_lines(report: Report) -> dict[str, str]:
    """Facts of the encoder, name to value; empty without one."""
    facts = report.encoder
    if facts is None:
        return {}
    layers = facts["layers"]
    prompts: dict[str, Any] = facts["prompts"]
    return {
        "opened from": str(facts["source"]),
        "family": str(facts["family"] or facts["architecture"]),
        "dimensions": count(facts["dimensions"]),
        "most tokens": count(facts["max_tokens"]) if facts["max_tokens"] else "any length",
        "layers": "none" if not layers else f"{layers} with {facts['heads']} heads each",
        "pooling": str(facts["pooling"]),
        "parameters": count(facts["parameters"]),
        "precision": str(facts["precision"]),
        "query prompt": prompts["query"] or "none",
        "document prompt": prompts["document"] or "none",
        "fingerprint": str(facts["fingerprint"]),
    }


def text_lines(report: Report) -> dict[str, str]:
    """Facts of the corpus, name to value; empty without one."""
    facts = report.corpus
    if facts is None:
        return {}
    return {
        "name": str(facts["name"]),
        "texts": count(facts["texts"]),
        "labels": count(facts["labels"]) if facts["labels"] else "none",
        "copies": count(facts["duplicates"]),
        "blank rows left out": count(facts["blank"]),
        "content hash": str(facts["key"]),
        "vectors hash": str(facts["vectors_key"]),
    }


def query_lines(report: Report) -> dict[str, str]:
    """Facts of the query set, name to value; empty without one."""
    facts = report.queries
    if facts is None:
        return {}
    return {
        "name": str(facts["name"]),
        "queries": count(facts["queries"]),
        "documents": count(facts["documents"]),
        "judgements": f"{count(facts['judgements'])}{', graded' if facts['graded'] else ''}",
        "topics": count(len(facts["topics"])) if facts["topics"] else "none",
        "content hash": str(facts["key"]),
    }


def preamble(report: Report) -> str:
    """Python that opens the encoder and makes the vectors which the sections' snippets begin with."""
    if report.encoder is None:
        return "# the corpus brought its own vectors\nvectors = corpus.embeddings"
    source = json.dumps(report.encoder["source"])
    lines = [
        "from lib.encoders import Policy, describe, open_encoder",
        "policy = Policy.from_environment()",
        f"encoder = open_encoder(describe({source}, policy=policy), policy=policy)",
    ]
    if report.corpus is not None:
        lines += [
            "from lib.corpora import build_corpus, load_sample, read_table",
            "corpus = build_corpus(read_table(path))  # or load_sample('topics')",
            "vectors = encoder.encode(corpus.texts).vectors",
        ]
    if report.queries is not None:
        lines += [
            "from lib.corpora import build_query_set, load_query_set, open_query_files",
            "queries = build_query_set(open_query_files({path.name: path}))  # or load_query_set('topics')",
            "document_vectors = encoder.encode(queries.documents).vectors",
            "query_vectors = encoder.encode(queries.queries, role='query').vectors",
        ]
    return "\n".join(lines)
