"""Cells to labels, ids and columns that JSON and every chart can hold."""

import json
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from lib.corpora.messages import fault, is_blank, is_missing, kind, shown

_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*", re.ASCII)
_PADDED = re.compile(r"\s*[+-]?0\d")  # 007 is a code, not the number 7
_TRUTH = {"true": True, "false": False}


def is_number_text(value: Any) -> bool:
    """Whether a cell is text that writes a plain number."""
    return isinstance(value, str) and _NUMBER.fullmatch(value) is not None


def names_of(
    values: Sequence[Any], places: Sequence[int], *, name: str, column: str, what: str, place: str
) -> list[str | None]:
    """Labels or ids as text: 1 is "1", 1.0 is "1" where all numbers are whole, a missing or blank cell is None.

    Raises:
        InputError: a list or an object where text or a number should be.
    """
    whole = all(v.is_integer() for v in values if isinstance(v, float) and np.isfinite(v))
    result: list[str | None] = []
    for value, line in zip(values, places, strict=True):
        if isinstance(value, str):
            result.append(value if value.strip() else None)
        elif is_missing(value):
            result.append(None)
        elif isinstance(value, bool):
            result.append(str(value).lower())
        elif isinstance(value, int):
            result.append(str(value))
        elif isinstance(value, float):
            result.append(str(int(value)) if whole and np.isfinite(value) else str(value))
        else:
            raise fault(
                name,
                f"column {shown(column)}: expected {what} (text or a number), got {kind(value)}.",
                line=line,
                place=place,
            )
    return result


def plain_column(values: Sequence[Any]) -> pd.Series:
    """One of the other columns: numbers where all are numbers (or write some), truth values, else text.

    Lists and objects become JSON text; missing cells stay missing.
    """
    present = [v for v in values if not is_blank(v)]
    if present and all(isinstance(v, bool) or (isinstance(v, str) and v.strip().lower() in _TRUTH) for v in present):
        cells = [None if is_blank(v) else v if isinstance(v, bool) else _TRUTH[v.strip().lower()] for v in values]
        return pd.Series(cells, dtype="bool" if len(present) == len(values) else "boolean")
    if present and all(_is_number(v) for v in present):
        return _numbers(values)
    return pd.Series([None if is_missing(v) else _as_text(v) for v in values], dtype="str")


def _numbers(values: Sequence[Any]) -> pd.Series:
    numbers = [np.nan if is_blank(v) else float(v) for v in values]
    whole = all(isinstance(v, int) or (isinstance(v, str) and v.strip().lstrip("+-").isdigit()) for v in values)
    if whole and all(abs(number) < 2**53 for number in numbers):
        return pd.Series([int(v) for v in values], dtype="int64")
    return pd.Series(numbers, dtype="float64")


def _is_number(value: Any) -> bool:
    if isinstance(value, bool):
        return False
    if isinstance(value, int | float):
        return abs(value) < 1e300
    return is_number_text(value) and not _PADDED.match(value) and len(value) <= 300


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, bool | list | dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)
