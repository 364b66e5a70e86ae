"""`python -m lib retrieval`: how well an encoder retrieves on a query set."""

import argparse
import sys
from pathlib import Path
from typing import Any, get_args

from lib.cli.inputs import (
    Source,
    add_encoder,
    add_json,
    check_seed,
    progress,
    table_name,
    write,
    write_table,
    write_text,
)
from lib.corpora import QUERY_SET_NAMES, Limits, QuerySet, load_query_set, read_query_set
from lib.retrieval import Evaluation, Gain, Measure, evaluate, paired_test, query_metrics, query_table, trec_run
from lib.retrieval.bm25 import Bm25Index
from lib.retrieval.bootstrap import summarise


def add(commands: Any) -> None:
    """The command and its options."""
    command = commands.add_parser("retrieval", help="how well an encoder retrieves on a query set")
    command.add_argument(
        "--queries",
        required=True,
        metavar="FILE|DIR",
        help="pairs as .jsonl, .csv, .tsv or .parquet; a BEIR folder or .zip; "
        f"or sample:{' or sample:'.join(QUERY_SET_NAMES)}",
    )
    add_encoder(command)
    command.add_argument("--topic", metavar="FIELD", help="field of the queries that tells their topic")
    command.add_argument(
        "--document-fields",
        nargs="+",
        default=["title", "text"],
        metavar="FIELD",
        help="fields of BEIR documents that are joined into their texts (default: title text)",
    )
    command.add_argument("--measure", choices=get_args(Measure), default="cosine")
    command.add_argument("--gain", choices=get_args(Gain), default="linear", help="of NDCG; trec_eval's is linear")
    command.add_argument("--cutoffs", nargs="+", type=int, default=[1, 5, 10], metavar="K")
    command.add_argument("--bm25", action="store_true", help="measure BM25 too, and test the difference")
    command.add_argument("--trec-run", metavar="OUT", help="write the first documents of each query, as TREC has them")
    command.add_argument("--table", metavar="OUT", help="write a row per query as .csv or .parquet")
    command.add_argument("--seed", type=int, default=0, help="of the bootstrap")
    add_json(command)
    command.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> None:
    """Measure and write."""
    check_seed(chosen.seed)
    if chosen.table:
        table_name(chosen.table)
    queries = _queries(chosen)
    source = Source(chosen)
    documents = source.embed(queries.documents, "documents")
    asked = source.embed(queries.queries, "queries", role="query")
    found = evaluate(
        queries,
        asked.vectors,
        documents.vectors,
        measure=chosen.measure,
        gain=chosen.gain,
        cutoffs=chosen.cutoffs,
        system=source.checkpoint.source,
        seed=chosen.seed,
    )
    counts = {"truncated_queries": asked.truncated, "truncated_documents": documents.truncated}
    result = {"queries": _about(queries), "encoder": source.facts() | counts, **found.report()}
    if chosen.bm25:
        result["bm25"] = _bm25(queries, found, chosen)
    _export(queries, found, chosen)
    write(result, chosen.json)


def _queries(chosen: argparse.Namespace) -> QuerySet:
    if chosen.queries.startswith("sample:"):
        return load_query_set(chosen.queries.removeprefix("sample:"))
    return read_query_set(
        Path(chosen.queries),
        limits=Limits.from_environment(),
        topic_field=chosen.topic,
        document_fields=chosen.document_fields,
    )


def _about(queries: QuerySet) -> dict[str, Any]:
    return {
        "name": queries.name,
        "queries": len(queries.queries),
        "documents": len(queries.documents),
        "judgements": len(queries.relevance),
        "topics": queries.topic_names,
        "graded": queries.graded,
        "notices": list(queries.notices),
        "key": queries.key,
    }


def _bm25(queries: QuerySet, found: Evaluation, chosen: argparse.Namespace) -> dict[str, Any]:
    """BM25's means, and for each metric the test of the encoder against it."""
    index = Bm25Index(queries.documents, progress=progress("BM25 documents", doing="Indexing"))
    ranks = index.ranks(queries, progress=progress("BM25 queries", doing="Searching"))
    metrics = query_metrics(ranks, cutoffs=chosen.cutoffs, gain=chosen.gain)
    means = {summary.metric: summary for summary in summarise(metrics, seed=chosen.seed)}
    return {
        "metrics": {name: summary.mean for name, summary in means.items()},
        "intervals": {name: [summary.low, summary.high] for name, summary in means.items()},
        "encoder_against_it": {
            name: paired_test(metrics, found.metrics, name, seed=chosen.seed).to_dict() for name in metrics.names
        },
    }


def _export(queries: QuerySet, found: Evaluation, chosen: argparse.Namespace) -> None:
    if chosen.trec_run:
        written = trec_run(queries, found.run)
        for notice in written.notices:
            print(notice, file=sys.stderr)
        write_text(written.text, chosen.trec_run)
    if chosen.table:
        write_table(query_table(queries, found.metrics, found.ranks, run=found.run), chosen.table)
