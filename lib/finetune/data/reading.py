"""Reading: pairs and triplets out of JSON Lines, CSV, TSV and Parquet files, as those that Retrieval exports."""

import re
from pathlib import Path
from statistics import median_low
from typing import Any

import numpy as np

from lib.corpora import Limits, Table, read_table
from lib.corpora.messages import fault, is_blank, kind, listed, shown
from lib.corpora.queries.cells import Cell, cells_of, column_named, plain_column_name, text_of, texts_of
from lib.corpora.values import is_number_text
from lib.finetune.data.building import group_numbers
from lib.finetune.data.examples import Examples
from lib.numerals import count

SUFFIXES = (".jsonl", ".ndjson", ".csv", ".tsv", ".parquet")
"""Files that hold examples."""
MOST_NEGATIVES = 64
"""Negatives that a pair may bring along."""
ANCHORS = ("anchor", "query", "question", "sentence1", "sentence_1", "text1", "premise")
POSITIVES = ("positive", "pos", "document", "passage", "answer", "sentence2", "sentence_2", "text2", "hypothesis")
SCORES = ("score", "similarity", "similarity_score", "relevance", "rel", "grade")
_LABELS = ("label", "labels")  # scores where they are numbers
_NEGATIVES = re.compile(r"(hard_)?neg(ative)?s?(_?\d+)?")
_SUSPICIOUS = "suspicious"  # what Retrieval marks triplets with, whose negative may be relevant


def read_examples(source: bytes | Path, *, name: str | None = None, limits: Limits | None = None) -> Examples:
    """Read examples from bytes (with the `name` of their file) or from a path; the suffix decides how.

    Columns: anchor and positive (or query and document, sentence1 and sentence2, ...); any number of negative,
    negative_1, negative_2, ..., each a text or a list of texts, some of which may be blank; and a score, -1 to 1,
    optional. A row each, equal ones once. Rows that Retrieval marked as suspicious are left out, since their negative
    may be a relevant document.

    Raises:
        InputError: a file of another kind, a damaged one or one larger than `limits`, a column that is missing, or a
            cell of the wrong kind (with its line).
    """
    limits = limits or Limits()
    table = read_table(source, name=name, limits=limits)
    rows = _Rows(table, limits)
    for row in range(len(table)):
        rows.read(row)
    return rows.made()


class _Rows:
    """What has been read so far."""

    def __init__(self, table: Table, limits: Limits) -> None:
        names = [str(column) for column in table.frame.columns]
        anchor, positive = column_named(table, ANCHORS), column_named(table, POSITIVES)
        if anchor is None or positive is None:
            missing = "anchor and positive" if anchor is positive else "anchor" if anchor is None else "positive"
            raise fault(
                table.name,
                f"no column is named {missing} (columns: {listed(names)}): expected anchor and positive, and where "
                "there are such, negative (or negative_1, negative_2, ...) and score.",
            )
        self.table, self.limits = table, limits
        self._anchor, self._positive, self._score = anchor, positive, _score_column(table)
        self._negatives = [column for column in names if _NEGATIVES.fullmatch(plain_column_name(column))]
        suspicious = column_named(table, (_SUSPICIOUS,))
        self._cells = {
            column: cells_of(table, column)
            for column in (anchor, positive, self._score, suspicious, *self._negatives)
            if column is not None
        }
        self._suspicious = [_is_true(cell) for cell in self._cells[suspicious]] if suspicious else [False] * len(table)
        self._rows: dict[tuple[str, str, tuple[str, ...], float | None], None] = {}
        self._blank = self._repeated = 0

    def read(self, row: int) -> None:
        """Read one row."""
        if self._suspicious[row]:
            return
        negatives = self._read_negatives(row)
        anchor, positive = (self._text(column, row) for column in (self._anchor, self._positive))
        if anchor is None and positive is None and not negatives:
            self._blank += 1
            return
        for column, text, what in ((self._anchor, anchor, "an anchor"), (self._positive, positive, "a positive")):
            if text is None:
                raise Cell(self.table, column, row).fault(f"expected {what}, got none: fill it in, or drop the row.")
        made = (str(anchor), str(positive), negatives, self._read_score(row))
        self._repeated += made in self._rows
        self._rows[made] = None

    def made(self) -> Examples:
        """The examples of all rows."""
        if not self._rows:
            raise fault(self.table.name, "no row holds an anchor and a positive: expected at least one pair.")
        anchors, positives, negatives, scores = zip(*self._rows, strict=True)
        return Examples(
            name=self.table.name,
            anchors=anchors,
            positives=positives,
            negatives=negatives,
            groups=group_numbers(anchors),
            scores=None if self._score is None else np.array(scores, dtype=np.float64),
            given=_usual(negatives),
            notices=(*self.table.notices, *self._notices(), *_uneven(negatives)),
        )

    def _notices(self) -> list[str]:
        left_out = (
            (sum(self._suspicious), "marked as suspicious left out: their negative may be a relevant document."),
            (self._repeated, "the same as an earlier one left out."),
            (self._blank, "without an anchor and a positive left out."),
        )
        return [f"{count(rows)} {'row' if rows == 1 else 'rows'} {why}" for rows, why in left_out if rows]

    def _text(self, column: str, row: int) -> str | None:
        return text_of(self._cells[column][row], Cell(self.table, column, row), self.limits)

    def _read_negatives(self, row: int) -> tuple[str, ...]:
        found: list[str] = []
        for column in self._negatives:
            cell = Cell(self.table, column, row)
            found.extend(texts_of(self._cells[column][row], cell, self.limits, as_json=True))
            if len(found) > MOST_NEGATIVES:
                raise cell.fault(f"more than {MOST_NEGATIVES} negatives of one pair: keep the hardest ones.")
        return tuple(found)

    def _read_score(self, row: int) -> float | None:
        if self._score is None:
            return None
        cell, value = Cell(self.table, self._score, row), self._cells[self._score][row]
        number = _number(value)
        if number is None:
            what = "nothing" if is_blank(value) else kind(value)
            raise cell.fault(f"expected a score from -1 to 1 (1: the same meaning, 0: none in common), got {what}.")
        if not -1 <= number <= 1:
            raise cell.fault(
                f"the score {shown(value)} is not from -1 to 1: scale the column (divide grades 0 to 5 by 5), or give "
                "judgements with grades as a query set."
            )
        return number


def _usual(negatives: tuple[tuple[str, ...], ...]) -> int:
    """The median number of negatives of the pairs that have any; 0 where none has."""
    return median_low([len(row) for row in negatives if row] or [0])


def _uneven(negatives: tuple[tuple[str, ...], ...]) -> tuple[str, ...]:
    numbers, usual = {len(row) for row in negatives}, _usual(negatives)
    if len(numbers) < 2:
        return ()
    low, high = count(min(numbers)), count(max(numbers))
    return (f"Pairs bring {low} to {high} negatives along: each is to have {count(usual)}, the first where more.",)


def _score_column(table: Table) -> str | None:
    """The column that is named like a score; `label` where it holds numbers alone."""
    label = column_named(table, _LABELS)
    if label is not None and any(_number(cell) is None for cell in cells_of(table, label)):
        label = None
    return column_named(table, SCORES) or label


def _number(value: Any) -> float | None:
    """A finite number, or a text that writes one; truth values are 1 and 0."""
    if isinstance(value, str):
        value = float(value) if is_number_text(value) else None
    if isinstance(value, int):
        return float(value) if abs(value) <= 2**53 else None
    return value if isinstance(value, float) and np.isfinite(value) else None


def _is_true(value: Any) -> bool:
    return value is True or (isinstance(value, str) and value.strip().lower() == "true")
