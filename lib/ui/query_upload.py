"""Uploaded query sets: which files, and which of their columns hold what.

An upload stays in the memory of its session. Whatever is wrong with it is said in one sentence.
"""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from lib.corpora import (
    Limits,
    PairColumns,
    QuerySet,
    Table,
    ThreeTables,
    build_query_set,
    guess_pair_columns,
    open_query_files,
)
from lib.corpora.messages import shown
from lib.errors import InputError
from lib.ui.kept_files import upload
from lib.ui.messages import plain
from lib.ui.remembered import remembered

KEPT = "queries"  # what the session remembers it as
_NONE = "(none)"
_CHOOSE = "(choose)"
_SUFFIXES = ("jsonl", "ndjson", "csv", "tsv", "parquet", "zip", "gz", "txt", "qrels", "trec")


def uploaded_set() -> tuple[bool, QuerySet | None]:
    """Draw the uploader and the choice of columns; whether there are files, and the set as soon as it can be made.

    Raises:
        InputError: what is wrong with the files.
    """
    limits = Limits.from_environment()
    files = upload(
        "Queries, documents, judgements",
        types=_SUFFIXES,
        multiple=True,
        key="query_files",
        megabytes=max(1, limits.max_bytes // 2**20),
        help="One file of pairs (query, document, relevance, topic, negatives); or corpus, queries and qrels, each a "
        "file or together in a zip. The texts stay in this session unless you create a share link; their vectors are "
        "kept on the server under hashes.",
    )
    if not files:
        return False, None
    ids = tuple(sorted(file.file_id for file in files))
    tables = _opened(files, ids, limits)
    settings: dict[str, Any] | None
    if isinstance(tables, ThreeTables):
        with st.expander("Columns"):
            settings = _of_three(tables, ids)
    else:
        guess = remembered(KEPT, "Upload guess", ids, lambda: _guess(tables))
        with st.expander("Columns", expanded=guess is None):
            settings = _of_pairs(guess, tables, ids)
    if settings is None:
        return True, None
    built = (ids, st.session_state.get(_split_key(ids)), tuple(settings.items()))
    made: QuerySet = remembered(KEPT, "Upload set", built, lambda: build_query_set(tables, limits=limits, **settings))
    return True, made


def _opened(files: Sequence[Any], ids: tuple[str, ...], limits: Limits) -> Table | ThreeTables:
    """The tables of the files; which of several qrels is asked in the sidebar."""
    names = [file.name for file in files]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"Two files are named {shown(name)}: give one of them, or rename it.")
    total = sum(file.size for file in files)  # told before any of them is copied
    if total > limits.max_bytes:
        raise InputError(
            f"The {len(files)} files have {total / 2**20:,.0f} MB together; at most {limits.max_bytes / 2**20:,.0f} MB "
            "are read here: give fewer rows."
        )

    place = _split_key(ids)
    split = st.session_state.get(place)
    tables: Table | ThreeTables = remembered(
        KEPT,
        "Upload tables",
        (ids, split),
        lambda: open_query_files({file.name: file.getvalue() for file in files}, limits=limits, split=split),
    )
    if isinstance(tables, ThreeTables) and tables.other_qrels:
        options = sorted([tables.qrels.name, *tables.other_qrels])
        st.selectbox(
            "Judgements",
            options,
            index=options.index(tables.qrels.name),
            key=place,
            persist_state="session",
            help="Which table says what is relevant to what.",
        )
    return tables


def _split_key(ids: tuple[str, ...]) -> str:
    return f"query_split_{'_'.join(ids)}"


def _of_three(tables: ThreeTables, ids: tuple[str, ...]) -> dict[str, Any]:
    """Which fields of the queries and of the documents to take."""
    key, guess = "_".join(ids), tables.topic_guess
    topics = list(dict.fromkeys([*([guess] if guess else []), *tables.topic_fields]))
    usual = list(tables.usual_fields)
    fields = list(dict.fromkeys([*usual, *tables.text_fields]))
    chosen = st.multiselect(
        "A document's text", fields, default=usual, key=f"query_fields_{key}", persist_state="session",
        help="Fields that are joined by a space, in this order. BEIR joins title and text.",
    )  # fmt: skip
    topic = st.selectbox(
        "Topic",
        [_NONE, *topics],
        index=1 if guess else 0,
        key=f"query_topic_{key}",
        persist_state="session",
        help="The field that names each query's topic, by which results are also shown.",
    )
    return {"topic_field": "" if topic == _NONE else topic, "document_fields": tuple(chosen or usual)}


def _of_pairs(guess: PairColumns | None, table: Table, ids: tuple[str, ...]) -> dict[str, Any] | None:
    """Which column holds what; None as long as queries and documents are not chosen."""
    names, key = [str(column) for column in table.frame.columns], "_".join(ids)
    if guess is not None:
        st.caption(plain(guess.reason))

    def pick(what: str, guessed: str | None, none: str = _NONE) -> str | None:
        options = [none, *names]
        index = options.index(guessed) if guessed in names else 0
        chosen = st.selectbox(
            what, options, index=index, key=f"query_column_{what}_{key}", persist_state="session",
            help="Which column of your file holds it.",
        )  # fmt: skip
        return None if chosen == none else chosen

    usual = guess or PairColumns("", "")
    query, document = pick("Query", usual.query, _CHOOSE), pick("Document", usual.document, _CHOOSE)
    relevance, topic = pick("Relevance", usual.relevance), pick("Topic", usual.topic)
    query_id, document_id = pick("Query id", usual.query_id), pick("Document id", usual.document_id)
    negatives = st.multiselect(
        "Explicit negatives",
        names,
        default=usual.negatives,
        key=f"query_column_negatives_{key}",
        persist_state="session",
        help="Columns that hold documents which are not relevant to the query of their row.",
    )
    if query is None or document is None:
        return None
    return {"columns": PairColumns(query, document, relevance, topic, query_id, document_id, tuple(negatives))}


def _guess(table: Table) -> PairColumns | None:
    try:
        return guess_pair_columns(table)
    except InputError:
        return None
