"""Corpus, queries and qrels, as BEIR has them, to a query set; every judgement must name a document and a query."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from lib.corpora.limits import Limits
from lib.corpora.messages import fault, is_blank, listed, plain_name, shown
from lib.corpora.queries.cells import Cell, cells_of, column_named, grade_of, ids_of, text_of
from lib.corpora.queries.columns import DOCUMENT_ID_NAMES, QUERY_ID_NAMES, guess_topic, topic_columns
from lib.corpora.queries.qrels import DOCUMENT, GRADE, QUERY
from lib.corpora.queries.query_set import QuerySet
from lib.corpora.queries.rows import Judgements, Texts, make_query_set, many
from lib.corpora.table import Table

DOCUMENT_FIELDS = ("title", "text")
_DOCUMENT_IDS = ("_id", "id", *DOCUMENT_ID_NAMES)
_TEXT_NAMES = ("text", "contents", "content", "body", "passage", "document", "paragraph", "abstract")
_QUERY_TEXT_NAMES = ("text", "query", "question", "title")


@dataclass(frozen=True, eq=False)
class ThreeTables:
    """The three files as they were read."""

    name: str
    """What the set is called."""
    corpus: Table
    """A document a row."""
    queries: Table
    """A query a row."""
    qrels: Table
    """A judgement a row, in columns `query-id`, `corpus-id` and (where it is there) `score`."""
    other_qrels: tuple[str, ...] = ()
    """Names of qrels of other splits, which were not read."""

    @cached_property
    def topic_fields(self) -> tuple[str, ...]:
        """Fields of the queries that could tell their topics."""
        return topic_columns(self.queries, _query_columns(self.queries))

    @cached_property
    def text_fields(self) -> tuple[str, ...]:
        """Fields of the documents that hold text, the ids left out."""
        names = [str(name) for name in self.corpus.frame.columns]
        ids = column_named(self.corpus, _DOCUMENT_IDS)
        return tuple(name for name in names if name != ids and _is_text(self.corpus, name))

    @cached_property
    def usual_fields(self) -> tuple[str, ...]:
        """Fields of the documents that are joined where nothing else is asked for: title, if there is one, and text."""
        return tuple(_document_columns(self.corpus, DOCUMENT_FIELDS))

    @cached_property
    def topic_guess(self) -> str | None:
        """The field of the queries that is named like a topic, or None."""
        return guess_topic(self.queries, _query_columns(self.queries))


def build_three(
    tables: ThreeTables,
    *,
    topic_field: str | None = None,
    document_fields: Sequence[str] = DOCUMENT_FIELDS,
    limits: Limits | None = None,
) -> QuerySet:
    """Make a query set; `topic_field` None is guessed by name, empty is none.

    Documents are their fields joined by a space, as BEIR does with title and text. Where qrels of several splits are
    there, queries that those of the taken split do not judge are left out.

    Raises:
        InputError: a column that is missing, a cell of the wrong kind (with its line), an id with two texts, a
            judgement of a document or query that is not there, a pair with two grades, or no relevant document at all.
    """
    limits = limits or Limits()
    documents, blank = _documents(tables.corpus, document_fields, limits)
    field = tables.topic_guess if topic_field is None else topic_field or None
    queries, topics, unjudged = _queries(tables, field, limits)
    judgements, ungraded = _judgements(tables, queries, documents)
    judged, repeated = judgements.settle(queries, documents)
    parts = (tables.corpus, tables.queries, tables.qrels)
    taken = plain_name(tables.qrels.name)
    notices = [f"{plain_name(part.name)}: {notice}" for part in parts for notice in part.notices]
    if tables.other_qrels:
        notices.append(f"Judgements taken from {taken}; also there: {listed(list(tables.other_qrels))}.")
    if unjudged:
        notices.append(f"{many(unjudged, 'query', 'queries')} left out that {taken} does not judge.")
    if blank:
        notices.append(f"{many(blank, 'document')} without a text kept: judgements may name them.")
    if ungraded:
        notices.append(f"{many(ungraded, 'judgement')} without a relevance: taken as relevant (1).")
    if repeated:
        notices.append(f"{many(repeated, 'judgement')} merged with an equal one of the same pair.")
    return make_query_set(tables.name, (queries, documents), judged, topics, notices)


def _documents(table: Table, fields: Sequence[str], limits: Limits) -> tuple[Texts, int]:
    ids = _required_ids(
        table, _column(table, ("_id", "id", *DOCUMENT_ID_NAMES), "the ids of the documents"), "document"
    )
    columns = [(name, cells_of(table, name)) for name in _document_columns(table, fields)]
    documents, blank = Texts("document"), 0
    for row, given in enumerate(ids):
        parts = [text_of(cells[row], Cell(table, name, row), limits) for name, cells in columns]
        text = " ".join(part for part in parts if part is not None)
        last = Cell(table, columns[-1][0], row)
        text_of(text, last, limits)  # joined, they may be too long
        blank += not text
        documents.row(text, last, given)
    return documents, blank


def _document_columns(table: Table, fields: Sequence[str]) -> list[str]:
    columns = []
    for field in fields:
        if field in table.frame.columns:
            columns.append(field)
        elif field == "text":
            columns.append(_column(table, _TEXT_NAMES, "the texts of the documents"))
        elif field != "title":
            cells_of(table, field)  # says which columns there are
    return list(dict.fromkeys(columns))


def _query_columns(table: Table) -> tuple[str, str]:
    ids = _column(table, ("_id", "id", *QUERY_ID_NAMES), "the ids of the queries")
    return ids, _column(table, _QUERY_TEXT_NAMES, "the texts of the queries")


def _queries(tables: ThreeTables, topic_field: str | None, limits: Limits) -> tuple[Texts, list[str | None], int]:
    table = tables.queries
    id_column, text_column = _query_columns(table)
    ids, cells = _required_ids(table, id_column, "query"), cells_of(table, text_column)
    named = ids_of(table, topic_field, "a topic")
    judged = set(ids_of(tables.qrels, QUERY)) if tables.other_qrels else None
    queries, left_out = Texts("query"), 0
    topics: list[str | None] = []
    for row, given in enumerate(ids):
        cell = Cell(table, text_column, row)
        text = text_of(cells[row], cell, limits)
        if text is None:
            raise cell.fault(f"the query {shown(given)} has no text: fill it in, or leave the row out.")
        if judged is not None and given not in judged:
            left_out += 1
        elif queries.row(text, cell, given) == len(topics):
            topics.append(named[row])
    return queries, topics, left_out


def _judgements(tables: ThreeTables, queries: Texts, documents: Texts) -> tuple[Judgements, int]:
    table = tables.qrels
    judgements, ungraded = Judgements(table.place, table.name), 0
    graded = GRADE if GRADE in table.frame.columns else None
    grades = cells_of(table, graded)
    sides = (
        (queries, _required_ids(table, QUERY, "query"), plain_name(tables.queries.name)),
        (documents, _required_ids(table, DOCUMENT, "document"), plain_name(tables.corpus.name)),
    )
    for row in range(len(table)):
        at = []
        for known, ids, file in sides:
            place = known.find(ids[row])
            if place is None:
                raise fault(
                    table.name,
                    f"a judgement of {known.kind} {shown(ids[row])}, which {file} does not hold: add it there, or "
                    "leave the judgement out.",
                    line=int(table.lines[row]),
                    place=table.place,
                )
            at.append(place)
        grade = grade_of(grades[row], Cell(table, GRADE, row))
        ungraded += grade is None and graded is not None
        judgements.add(at[0], at[1], 1 if grade is None else grade, int(table.lines[row]))
    return judgements, ungraded


def _is_text(table: Table, name: str) -> bool:
    cells = [cell for cell in cells_of(table, name) if not is_blank(cell)]
    return bool(cells) and all(isinstance(cell, str) for cell in cells)


def _column(table: Table, wanted: Sequence[str], what: str) -> str:
    found = column_named(table, wanted)
    if found is None:
        names = [str(column) for column in table.frame.columns]
        raise fault(table.name, f"expected a column {wanted[0]} with {what}, got the columns {listed(names)}.")
    return found


def _required_ids(table: Table, column: str, kind: str) -> list[str]:
    ids = ids_of(table, column)
    for row, given in enumerate(ids):
        if given is None or is_blank(given):
            raise Cell(table, column, row).fault(f"the {kind} id is missing: fill it in.")
    return [given for given in ids if given is not None]
