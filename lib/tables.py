"""Tables as files: CSV in which a spreadsheet finds no formula, and Parquet with types kept.

Spreadsheets run a cell that begins with `=`, `+`, `-` or `@`, also where it came out of a quoted text in a CSV file
(https://owasp.org/www-community/attacks/CSV_Injection), and some split a line at `;` or a tab as well as at commas.
`guarded` puts an apostrophe before every such sign; `restored` takes it away again. Numbers stay numbers, negative ones
as well, and so do texts that are nothing but a number.
"""

import io
import re
from csv import QUOTE_NONNUMERIC
from pathlib import Path
from typing import Any

import pandas as pd

_SIGNS = r"=+\-@\uff1d\uff0b\uff0d\uff20\ufe62\ufe63\ufe66\ufe6b"  # with their full-width and small forms
_UNSEEN = r"\s\"\u200b-\u200f\u2060-\u2064\ufeff\u00ad\x00-\x1f"
_OPENS = rf"(^|[;\t\r\n\v\f\u0085\u2028\u2029])([{_UNSEEN}]*+)"  # possessive: hostile runs of blanks take one pass
_BEGINS = re.compile(rf"{_OPENS}('*+[{_SIGNS}])?")
_GUARDED = re.compile(rf"{_OPENS}(?:'('*+[{_SIGNS}]))?")
_BLANK = re.compile(r"'*+[\t\r\n]")
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?%?")
_BOM = b"\xef\xbb\xbf"


def guarded(text: str) -> str:
    """`text` so that no spreadsheet takes any part of it for a formula; a plain number comes back as it is.

    An apostrophe goes before each sign (also in its full-width and small forms) that begins the text, a line, or what
    follows a `;` or a tab, white space, quotes and unseen characters aside, and before a tab or line end that begins
    the text. Where apostrophes stand there already, one
    more does: that makes `restored` exact.
    """
    if _NUMBER.fullmatch(text):
        return text
    safe = _BEGINS.sub(lambda found: f"{found[1]}{found[2]}'{found[3]}" if found[3] else found[0], text)
    return f"'{safe}" if _BLANK.match(safe) else safe


def restored(text: str) -> str:
    """The text of which `guarded` made `text`."""
    if text[:1] == "'" and _BLANK.match(text):
        text = text[1:]
    return _GUARDED.sub(lambda found: f"{found[1]}{found[2]}{found[3]}" if found[3] else found[0], text)


def csv(table: pd.DataFrame, *, index: bool = False, mark: bool = True) -> bytes:
    """A table as CSV: UTF-8, commas, texts and the header `guarded`, missing cells empty.

    Args:
        table: any; cells that are neither number, truth value nor time are written as guarded text.
        index: whether the row names come first.
        mark: whether the file begins with the byte order mark by which Excel knows UTF-8; programs that read CSV drop
            it, shell tools do not.
    """
    shown = _flat(table.reset_index() if index else table)
    safe = shown.set_axis([guarded(str(name)) for name in shown.columns], axis="columns")
    for place, dtype in enumerate(shown.dtypes):
        if not _plain(dtype):
            cells = [_cell(value) for value in shown.iloc[:, place]]
            safe.isetitem(place, pd.Series(cells, index=safe.index, dtype=object))
    text: str = safe.to_csv(index=False, lineterminator="\n")
    if "\r" in text:  # which would end a row, outside of quotes
        text = safe.to_csv(index=False, lineterminator="\n", quoting=QUOTE_NONNUMERIC)
    return (_BOM if mark else b"") + text.encode("utf-8", "replace")


def parquet(table: pd.DataFrame, *, index: bool = False) -> bytes:
    """A table as Parquet; columns that mix kinds are written as text, and those of one name are numbered."""
    shown = _flat(table.reset_index() if index else table)
    typed = shown.set_axis(_different([str(name) for name in shown.columns]), axis="columns")
    for place, dtype in enumerate(typed.dtypes):
        if pd.api.types.is_object_dtype(dtype) and _mixed(typed.iloc[:, place]):
            typed.isetitem(place, typed.iloc[:, place].map(str, na_action="ignore").astype("string"))
    buffer = io.BytesIO()
    typed.to_parquet(buffer, index=False)
    return buffer.getvalue()


def write(table: pd.DataFrame, path: Path) -> None:
    """Write a table as .csv (without the byte order mark) or .parquet, as the path ends.

    Raises:
        OSError: the file cannot be written.
    """
    path.write_bytes(csv(table, mark=False) if path.suffix.lower() == ".csv" else parquet(table))


def _flat(table: pd.DataFrame) -> pd.DataFrame:
    """The table with one row of column names; a copy, never deep."""
    if not isinstance(table.columns, pd.MultiIndex):
        return table.copy(deep=False)
    return table.set_axis(
        [" ".join(str(part) for part in name if part != "") for name in table.columns], axis="columns"
    )


def _plain(dtype: Any) -> bool:
    return bool(pd.api.types.is_numeric_dtype(dtype) or pd.api.types.is_datetime64_any_dtype(dtype))


def _cell(value: Any) -> Any:
    if isinstance(value, bool | int | float):
        return value
    if pd.api.types.is_scalar(value) and pd.isna(value):
        return None
    return guarded(str(value))


def _mixed(column: pd.Series) -> bool:
    kinds = {type(value) for value in column.dropna()}
    return len(kinds) > 1 and not kinds <= {int, float}


def _different(names: list[str]) -> list[str]:
    seen: dict[str, int] = {}
    out = []
    for name in names:
        new = name
        while new in seen:
            seen[name] += 1
            new = f"{name}_{seen[name]}"
        seen[new] = 1
        out.append(new)
    return out
