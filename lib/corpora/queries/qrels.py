"""Qrels: query id, document id, grade; as BEIR's TSV with or without a header, as TREC's four columns, or a table."""

from pathlib import PurePosixPath
from typing import NamedTuple

from lib.corpora.decoding import decode
from lib.corpora.limits import Limits
from lib.corpora.messages import fault, listed
from lib.corpora.queries.cells import column_named, plain_column_name
from lib.corpora.queries.columns import DOCUMENT_ID_NAMES, GRADE_NAMES, QUERY_ID_NAMES
from lib.corpora.reading import read_table
from lib.corpora.table import Table, check_shape, make_table

QUERY, DOCUMENT, GRADE = "query-id", "corpus-id", "score"
_QUERIES = (*QUERY_ID_NAMES, "query", "_id", "id")
_DOCUMENTS = (*DOCUMENT_ID_NAMES, "document", "doc", "passage")
_GRADES = (*GRADE_NAMES, "label")
_PLACES = {3: (0, 1, 2), 4: (0, 2, 3)}  # by the number of fields, where no header says it; TREC's second is not used
_TABLES = (".jsonl", ".ndjson", ".csv", ".parquet")


class _Layout(NamedTuple):
    """How the lines are laid out: whether the first is a header, how many fields, where query, document, grade are."""

    header: bool
    width: int
    places: tuple[int, ...]


def read_qrels(data: bytes, name: str, limits: Limits) -> Table:
    """Read judgements; the columns of the table are `query-id`, `corpus-id` and `score`, the last may be missing.

    Raises:
        InputError: a line that has neither three nor four fields, or no columns of ids.
    """
    if PurePosixPath(name).suffix.lower() not in _TABLES:
        return _read_lines(data, name, limits)
    table = read_table(data, name=name, limits=limits)
    names = [str(column) for column in table.frame.columns]
    found = {}
    for column, known in ((QUERY, _QUERIES), (DOCUMENT, _DOCUMENTS), (GRADE, _GRADES)):
        found[column] = column_named(table, known)
    if found[QUERY] is None or found[DOCUMENT] is None:
        raise fault(name, f"expected qrels with {QUERY}, {DOCUMENT} and {GRADE}, got the columns {listed(names)}.")
    cells = {column: list(table.frame[place]) for column, place in found.items() if place is not None}
    return make_table(name, cells, [int(line) for line in table.lines], table.notices, place=table.place)


def _read_lines(data: bytes, name: str, limits: Limits) -> Table:
    decoded = decode(data, name)
    layout: _Layout | None = None
    rows: list[tuple[str, ...]] = []
    lines: list[int] = []
    for number, line in enumerate(decoded.lines(), 1):
        if line.isspace():
            continue
        fields = _fields(line)
        if layout is None:
            layout = _layout(fields, name, number)
            if layout.header:
                continue
        if len(fields) != layout.width:
            raise fault(
                name,
                f"expected {layout.width} fields ({QUERY}, {DOCUMENT}, {GRADE}) as before, got {len(fields)}.",
                line=number,
            )
        rows.append(tuple(fields[place] for place in layout.places))
        lines.append(number)
        if len(rows) > limits.max_rows:
            break
    check_shape(name, len(rows), 3, limits)
    if not rows:
        raise fault(name, "only a header and no judgement: expected a query, a document and a grade a line.")
    columns = zip((QUERY, DOCUMENT, GRADE), zip(*rows, strict=True), strict=True)
    cells: dict[str, list] = {column: list(values) for column, values in columns}
    return make_table(name, cells, lines, decoded.notices)


def _fields(line: str) -> list[str]:
    """Fields between tabs, else between spaces."""
    if "\t" not in line:
        return line.split()
    return [field.strip() for field in line.split("\t")]


def _layout(fields: list[str], name: str, line: int) -> _Layout:
    """What the first line says of all."""
    plain = [plain_column_name(field) for field in fields]
    places = [
        next((plain.index(known) for known in names if known in plain), None)
        for names in (_QUERIES, _DOCUMENTS, _GRADES)
    ]
    found = tuple(place for place in places if place is not None)
    if len(found) == 3:
        return _Layout(True, len(fields), found)
    if len(fields) not in _PLACES:
        raise fault(
            name,
            f"expected {QUERY}, {DOCUMENT} and {GRADE} between tabs, or TREC's four columns, got {len(fields)} fields.",
            line=line,
        )
    return _Layout(False, len(fields), _PLACES[len(fields)])
