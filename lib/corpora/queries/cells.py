"""Cells of a query set's tables: a text, an id, a grade; a cell of another kind is named with its line."""

import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from lib.corpora.json_values import MOST_VALUES, values_at_most
from lib.corpora.limits import Limits
from lib.corpora.messages import fault, is_blank, kind, listed, shown
from lib.corpora.table import Table
from lib.corpora.values import is_number_text, names_of
from lib.errors import InputError

MAX_GRADE = 1_000  # 2 ** grade, the exponential gain, must stay a float
MAX_ID = 1_000  # characters
_TRUTH = {"true": 1.0, "false": 0.0}


class Cell(NamedTuple):
    """Where a value stands: what a message needs to say so."""

    table: Table
    """Its table."""
    column: str
    """Its column."""
    row: int
    """Its row, from 0."""

    @property
    def line(self) -> int:
        """The line (in a Parquet file the row) of the file, from 1."""
        return int(self.table.lines[self.row])

    def fault(self, what: str) -> InputError:
        """An error that names the file, the line and the column."""
        where = f"column {shown(self.column)}: {what}"
        return fault(self.table.name, where, line=self.line, place=self.table.place)


def column_named(table: Table, wanted: Sequence[str]) -> str | None:
    """The first column that is called like one of `wanted`, which are lower case with underscores."""
    plain = {plain_column_name(str(column)): str(column) for column in reversed(table.frame.columns)}
    return next((plain[name] for name in wanted if name in plain), None)


def plain_column_name(column: str) -> str:
    """A column's name without regard to case, spaces and dashes."""
    return column.strip().lower().replace(" ", "_").replace("-", "_")


def cells_of(table: Table, column: str | None) -> list[Any]:
    """The cells of a column; of None where there is no such column.

    Raises:
        InputError: the table has no column of that name.
    """
    if column is None:
        return [None] * len(table)
    if column not in table.frame.columns:
        names = [str(name) for name in table.frame.columns]
        raise fault(table.name, f"no column is named {shown(column)}: choose from {listed(names)}.")
    return list(table.frame[column])


def text_of(value: Any, cell: Cell, limits: Limits) -> str | None:
    """A text; None where the cell is missing or blank.

    Raises:
        InputError: no text, or one that is too long.
    """
    if is_blank(value):
        return None
    if not isinstance(value, str):
        raise cell.fault(f"expected text, got {kind(value)}: put it in quotes, or choose another column.")
    if len(value) > limits.max_chars:
        raise cell.fault(
            f"a text of {len(value):,} characters, the most is {limits.max_chars:,}: split it into passages "
            "(the server's owner can raise EMBEDSCOPE_MAX_CHARS)."
        )
    return value


def texts_of(value: Any, cell: Cell, limits: Limits, *, as_json: bool = False) -> Iterator[str]:
    """The texts of a cell that holds one text or a list of texts; with `as_json` also such a list written as JSON.

    Raises:
        InputError: anything else, or a text that is too long.
    """
    listed = as_json and isinstance(value, str) and value.lstrip().startswith("[")
    if listed and values_at_most(value) <= MOST_VALUES:
        try:
            parsed = json.loads(value)
        except (ValueError, RecursionError):
            parsed = None
        if isinstance(parsed, list) and all(isinstance(item, str) for item in parsed):
            value = parsed
    for item in value if isinstance(value, list) else [value]:
        text = text_of(item, cell, limits)
        if text is not None:
            yield text


def ids_of(table: Table, column: str | None, what: str = "an id") -> list[str | None]:
    """The ids (or `what` else is short) of a column as text; None where one is missing.

    Raises:
        InputError: a list or an object where an id should be, or an id that is too long.
    """
    if column is None:
        return [None] * len(table)
    lines = [int(line) for line in table.lines]
    ids = names_of(cells_of(table, column), lines, name=table.name, column=column, what=what, place=table.place)
    for row, value in enumerate(ids):
        if value is not None and len(value) > MAX_ID:
            raise Cell(table, column, row).fault(f"{what} of {len(value):,} characters, the most is {MAX_ID:,}.")
    return ids


def grade_of(value: Any, cell: Cell) -> int | None:
    """A relevance: a whole number from 0 to 1,000 (true is 1, false is 0); None where the cell is missing or blank.

    Raises:
        InputError: no number, a fraction, below 0, or above 1,000.
    """
    if is_blank(value):
        return None
    number = _number(value)
    if number is None or abs(number) == float("inf"):
        raise cell.fault(
            f"expected a relevance (a whole number: 0 not relevant, 1 and above relevant), got {kind(value)}."
        )
    if number < 0:
        raise cell.fault(
            f"the relevance {shown(value)} is below 0: write 0 for what was judged not relevant, or leave the row out."
        )
    if number > MAX_GRADE:
        raise cell.fault(f"the relevance {shown(value)} is above {MAX_GRADE:,}, the most: scale them down.")
    if number != int(number):
        raise cell.fault(
            f"the relevance {shown(value)} is a fraction: scale them to whole numbers, such as 0 to 3, or choose "
            "another column."
        )
    return int(number)


def _number(value: Any) -> float | None:
    if isinstance(value, str):
        if value.strip().lower() in _TRUTH:
            return _TRUTH[value.strip().lower()]
        return float(value) if is_number_text(value) else None
    if isinstance(value, int):  # a truth value too
        return float(value) if abs(value) <= 2**53 else float("inf")
    return value if isinstance(value, float) else None
