"""From a table and a choice of columns to a corpus."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lib.corpora.columns import ColumnChoice, guess_columns
from lib.corpora.corpus import Corpus
from lib.corpora.limits import Limits
from lib.corpora.messages import fault, is_blank, kind, listed, shown
from lib.corpora.reading import read_table
from lib.corpora.table import Table
from lib.corpora.values import is_number_text, names_of, plain_column
from lib.corpora.vectors import is_vector, vectors_of


def read_corpus(
    source: bytes | Path,
    *,
    name: str | None = None,
    choice: ColumnChoice | None = None,
    limits: Limits | None = None,
    embeddings: NDArray[np.floating] | None = None,
) -> Corpus:
    """Read a file and make a corpus of it: `read_table`, then `build_corpus`.

    Raises:
        InputError: what either of the two refuses.
    """
    limits = limits or Limits()
    table = read_table(source, name=name, limits=limits)
    return build_corpus(table, choice, limits=limits, embeddings=embeddings)


def build_corpus(
    table: Table,
    choice: ColumnChoice | None = None,
    *,
    limits: Limits | None = None,
    embeddings: NDArray[np.floating] | None = None,
) -> Corpus:
    """Make a corpus of the chosen (else guessed) columns; rows without a text are dropped and counted.

    `embeddings`, shape (rows of the table, d), come before a vector column. Duplicate texts are kept and counted.

    Raises:
        InputError: a column that is not there, a cell of the wrong kind (with its line), a text that is too long,
            no text at all, an id twice, or embeddings that do not fit.
    """
    limits = limits or Limits()
    chosen = choice or guess_columns(table)
    _check_choice(table, chosen)
    cells = list(table.frame[chosen.text])
    kept = _rows_with_text(table, chosen.text, cells, limits)
    places = [int(line) for line in table.lines[kept]]
    texts = tuple(cells[i] for i in kept)
    columns, notices = _other_columns(table, chosen, kept)
    blank = len(table) - len(kept)
    duplicates = len(texts) - len(set(texts))
    return Corpus(
        name=table.name,
        texts=texts,
        ids=_ids(table, chosen.id, kept, places),
        labels=_labels(table, chosen.label, kept, places),
        columns=columns,
        embeddings=_embeddings(table, chosen.vector, kept, places, embeddings),
        blank=blank,
        duplicates=duplicates,
        notices=(*table.notices, *_counts(blank, duplicates), *notices),
    )


def _check_choice(table: Table, choice: ColumnChoice) -> None:
    names = [str(column) for column in table.frame.columns]
    used: dict[str, str] = {}
    for what, column in (("text", choice.text), ("label", choice.label), ("id", choice.id), ("vector", choice.vector)):
        if column is None:
            continue
        if column not in names:
            raise fault(table.name, f"no column is named {shown(column)}: choose the {what} from {listed(names)}.")
        if column in used and "id" not in (what, used[column]):
            raise fault(
                table.name, f"column {shown(column)} is chosen as {used[column]} and as {what}: choose two columns."
            )
        used[column] = what


def _rows_with_text(table: Table, column: str, cells: list[Any], limits: Limits) -> list[int]:
    kept: list[int] = []
    where = f"column {shown(column)}: "
    for i, cell in enumerate(cells):
        if is_blank(cell):
            continue
        line = int(table.lines[i])
        if not isinstance(cell, str):
            raise fault(
                table.name,
                f"{where}expected text, got {kind(cell)}: choose another text column, or put it in quotes.",
                line=line,
                place=table.place,
            )
        if len(cell) > limits.max_chars:
            raise fault(
                table.name,
                f"{where}a text of {len(cell):,} characters, the most is {limits.max_chars:,}: split it into passages "
                "(the server's owner can raise EMBEDSCOPE_MAX_CHARS).",
                line=line,
                place=table.place,
            )
        kept.append(i)
    if not kept:
        raise fault(table.name, f"{where}all {len(table):,} rows are blank: choose a column that holds texts.")
    if len(table.frame.columns) > 1 and all(is_number_text(cells[i]) for i in kept):
        raise fault(
            table.name,
            f"{where}expected text, got only numbers such as {shown(cells[kept[0]])}: choose another column.",
            line=int(table.lines[kept[0]]),
            place=table.place,
        )
    return kept


def _ids(table: Table, column: str | None, kept: list[int], places: list[int]) -> tuple[str, ...]:
    if column is None:
        return tuple(str(i + 1) for i in kept)
    values = _at(table, column, kept)
    ids = names_of(values, places, name=table.name, column=column, what="an id", place=table.place)
    first: dict[str, int] = {}
    for value, line in zip(ids, places, strict=True):
        if value is None:
            raise fault(
                table.name,
                f"column {shown(column)}: the id is missing: fill it in, or choose no id column.",
                line=line,
                place=table.place,
            )
        if value in first:
            raise fault(
                table.name,
                f"column {shown(column)}: the id {shown(value)} stands on {table.place} {first[value]} already: make "
                "ids unique, or choose no id column.",
                line=line,
                place=table.place,
            )
        first[value] = line
    return tuple(first)


def _labels(table: Table, column: str | None, kept: list[int], places: list[int]) -> tuple[str | None, ...] | None:
    if column is None:
        return None
    values = _at(table, column, kept)
    labels = names_of(values, places, name=table.name, column=column, what="a label", place=table.place)
    return tuple(labels) if any(label is not None for label in labels) else None


def _embeddings(
    table: Table,
    column: str | None,
    kept: list[int],
    places: list[int],
    given: NDArray[np.floating] | None,
) -> NDArray[np.float32] | None:
    if given is not None:
        if given.ndim != 2 or len(given) != len(table):
            raise fault(
                table.name,
                f"{len(table):,} rows (blank ones counted), but the embeddings have shape {shown(str(given.shape))}: "
                "expected one vector a row, in the same order.",
            )
        vectors = np.ascontiguousarray(given[kept], dtype=np.float32)
        if not np.isfinite(vectors).all():
            raise fault(table.name, "the embeddings hold a number that is not finite (NaN or infinite) in float32.")
        return vectors
    if column is None:
        return None
    return vectors_of(_at(table, column, kept), places, name=table.name, column=column, place=table.place)


def _other_columns(table: Table, choice: ColumnChoice, kept: list[int]) -> tuple[pd.DataFrame, list[str]]:
    used = {choice.text, choice.label, choice.id, choice.vector}
    columns: dict[str, pd.Series] = {}
    notices: list[str] = []
    for name in table.frame.columns:
        if name in used:
            continue
        values = _at(table, name, kept)
        first = next((v for v in values if v is not None), None)
        if isinstance(first, np.ndarray) and is_vector(first) and len(first) >= 8:
            notices.append(f"Column {shown(name)} holds vectors that were not chosen, and was left out.")
            continue
        columns[name] = plain_column(values)
    return pd.DataFrame(columns, index=pd.RangeIndex(len(kept))), notices


def _at(table: Table, column: str, kept: Sequence[int]) -> list[Any]:
    values = list(table.frame[column])
    return values if len(kept) == len(values) else [values[i] for i in kept]


def _counts(blank: int, duplicates: int) -> list[str]:
    notices = []
    if blank:
        notices.append(f"{_many(blank, 'row')} without a text dropped.")
    if duplicates:
        notices.append(
            f"{_many(duplicates, 'text')} kept that {'repeats' if duplicates == 1 else 'repeat'} an earlier one."
        )
    return notices


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"
