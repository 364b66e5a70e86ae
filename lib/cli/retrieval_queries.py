"""Which query set `python -m lib retrieval` reads, and which columns, fields and qrels of its files."""

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

from lib.corpora import (
    QUERY_SET_NAMES,
    Limits,
    PairColumns,
    QuerySet,
    Table,
    ThreeTables,
    build_query_set,
    guess_pair_columns,
    load_query_set,
    open_query_files,
)
from lib.errors import InputError

_FIELDS = ("title", "text")
_OF_PAIRS = ("query", "document", "relevance", "query_id", "document_id", "negative_columns")
_OF_BEIR = ("split", "document_fields")


def add_queries(command: argparse.ArgumentParser, *, required: bool = True) -> None:
    """Options that say which query set, and what its columns hold."""
    group = command.add_argument_group("the query set")
    group.add_argument(
        "--queries",
        required=required,
        metavar="FILE|DIR",
        help="pairs as .jsonl, .csv, .tsv or .parquet; a BEIR folder or .zip; "
        f"or sample:{' or sample:'.join(QUERY_SET_NAMES)}",
    )
    for name, what in (("query", "queries"), ("document", "documents")):
        group.add_argument(f"--{name}", metavar="COLUMN", help=f"of pairs: column of the {what} (default: guessed)")
    for name, what in (("relevance", "grades"), ("query-id", "queries' ids"), ("document-id", "documents' ids")):
        group.add_argument(
            f"--{name}", metavar="COLUMN", help=f'of pairs: column of the {what} (default: guessed; "": none)'
        )
    group.add_argument(
        "--negative-columns",
        nargs="*",
        metavar="COLUMN",
        help="of pairs: columns of documents that are not relevant (default: guessed; no name: none)",
    )
    group.add_argument(
        "--topic",
        metavar="FIELD",
        help='column of pairs, or field of queries, with the topics (default: guessed; "": none)',
    )
    group.add_argument("--split", metavar="NAME", help="of BEIR: which qrels (default: test, else dev, else train)")
    group.add_argument(
        "--document-fields",
        nargs="+",
        metavar="FIELD",
        help=f"of BEIR: fields that are joined into a document's text (default: {' '.join(_FIELDS)})",
    )


def queries_of(chosen: argparse.Namespace) -> QuerySet:
    """The query set that the options name.

    Raises:
        InputError: what is wrong with its files, or an option that is not for files of that kind.
    """
    if chosen.queries.startswith("sample:"):
        _refuse(chosen, (*_OF_PAIRS, *_OF_BEIR, "topic"), "a sample, whose columns are known")
        return load_query_set(chosen.queries.removeprefix("sample:"))
    limits, path = Limits.from_environment(), Path(chosen.queries)
    tables = open_query_files(path if path.is_dir() else {path.name: path}, limits=limits, split=chosen.split)
    settings: dict[str, Any] = {"limits": limits, "topic_field": chosen.topic}
    if isinstance(tables, ThreeTables):
        _refuse(chosen, _OF_PAIRS, "corpus, queries and qrels; that option is for pairs")
        return build_query_set(tables, document_fields=chosen.document_fields or _FIELDS, **settings)
    _refuse(chosen, _OF_BEIR, "a file of pairs; that option is for BEIR's corpus, queries and qrels")
    return build_query_set(tables, columns=_columns(tables, chosen), **settings)


def _refuse(chosen: argparse.Namespace, options: tuple[str, ...], what: str) -> None:
    for name in options:
        if getattr(chosen, name) is not None:
            option = f"--{name.replace('_', '-')}"
            raise InputError(f"{option} was given, but {chosen.queries} is {what}: leave {option} out.")


def _columns(table: Table, chosen: argparse.Namespace) -> PairColumns:
    """The columns that are named, the others guessed among those that are not."""
    given = {name: getattr(chosen, name) for name in _OF_PAIRS if getattr(chosen, name) is not None}
    negatives = given.pop("negative_columns", None)
    named = {*given.values(), *(negatives or ()), chosen.topic}
    frame = table.frame.drop(columns=[column for column in table.frame.columns if column in named])
    needed = {what: given[what] for what in ("query", "document") if what in given}
    guess = guess_pair_columns(replace(table, frame=frame.assign(**dict.fromkeys(needed))))
    changed: dict[str, Any] = {what: column if what in needed else column or None for what, column in given.items()}
    if negatives is not None:
        changed["negatives"] = tuple(negatives)
    return replace(guess, reason="", **changed)
