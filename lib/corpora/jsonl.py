"""JSON Lines: an object a line, its keys are the columns."""

import json
import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from lib.corpora.decoding import Decoded, decode
from lib.corpora.json_values import MOST_VALUES, values_at_most
from lib.corpora.limits import Limits
from lib.corpora.messages import fault, kind, shown
from lib.corpora.table import MAX_COLUMNS, Table, check_shape, make_table
from lib.errors import InputError

_SURROGATE_ESCAPE = re.compile(rb"\\u[dD][89a-fA-F]")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


MAX_DEPTH = 50


class _RepeatedKeyError(ValueError):
    """A JSON object names one key twice."""


def read_jsonl(data: bytes, name: str, limits: Limits) -> Table:
    """Read one row from every line that is not blank; a key that a row lacks is missing there.

    Long lists of fractions are held as arrays (8 bytes a number). Half of a surrogate pair, which is no character,
    becomes U+FFFD, with a notice.

    Raises:
        InputError: an empty or binary file, a line that is no JSON object (with line and column), a key twice in one
            object, or too many rows or columns.
    """
    decoded = decode(data, name)
    escapes = _SURROGATE_ESCAPE.search(decoded.data) is not None
    columns: dict[str, list[Any]] = {}
    lines: list[int] = []
    values = 0
    replaced = False
    for number, line in enumerate(decoded.lines(), 1):
        if line.isspace():
            continue
        many = values_at_most(line)
        _check_values(many, values, number, name, limits)
        row = _row(line, number, name, decoded)
        values += many - sum(len(value) for value in row.values() if type(value) is np.ndarray)
        if escapes and any(_LONE_SURROGATE.search(text) for text in _strings(row)):
            row, replaced = _without_surrogates(row), True
        _append(columns, row, len(lines))
        lines.append(number)
        if len(lines) > limits.max_rows or len(columns) > MAX_COLUMNS or len(lines) * len(columns) > limits.max_cells:
            break
    check_shape(name, len(lines), len(columns), limits)
    if not columns:
        raise fault(name, 'the objects are empty: each should hold at least a text, as in {"text": "..."}.')
    notices = decoded.notices
    if replaced:
        notices += ("Halves of surrogate pairs are no characters and were replaced by U+FFFD.",)
    return make_table(name, columns, lines, notices)


def _check_values(many: int, before: int, number: int, name: str, limits: Limits) -> None:
    """Refuse what would take far more memory than its text: many small values in a row, or in all rows so far."""
    if many > MOST_VALUES:
        raise fault(name, f"up to {many:,} values in one row, the most is {MOST_VALUES:,}: split it up.", line=number)
    if before + many > limits.max_cells:
        raise fault(
            name,
            f"more than {limits.max_cells:,} values up to here: keep the keys that you need, or take a sample.",
            line=number,
        )


def _append(columns: dict[str, list[Any]], row: dict[str, Any], rows: int) -> None:
    """Add a row to columns of `rows` cells; what the row lacks, and what rows before it lacked, is None."""
    for key, value in row.items():
        if key not in columns:
            columns[key] = [None] * rows
        columns[key].append(value)
    if len(row) < len(columns):
        for cells in columns.values():
            if len(cells) == rows:
                cells.append(None)


def _row(line: str, number: int, name: str, decoded: Decoded) -> dict[str, Any]:
    try:
        row = json.loads(line, object_pairs_hook=_unique)
    except json.JSONDecodeError as error:
        raise _broken(line, number, name, decoded, error) from error
    except _RepeatedKeyError as error:
        raise fault(
            name, f"the key {shown(str(error))} stands twice in one object: name it once.", line=number
        ) from error
    except RecursionError as error:
        raise fault(name, "lists or objects are nested too deeply: expected one flat object.", line=number) from error
    except ValueError as error:  # a whole number of more than 4,300 digits
        raise fault(name, "a number has too many digits: write it as text.", line=number) from error
    if isinstance(row, dict):
        if _is_deeper(row, MAX_DEPTH):
            raise fault(name, f"values are nested more than {MAX_DEPTH} deep: expected one flat object.", line=number)
        return {key: _compact(value) if type(value) is list else value for key, value in row.items()}
    if isinstance(row, list) and number == 1:
        raise fault(
            name, "expected an object a line (JSON Lines), got a JSON list: write each item on its own line.", line=1
        )
    raise fault(name, f'expected an object such as {{"text": "..."}}, got {kind(row)}.', line=number)


def _broken(line: str, number: int, name: str, decoded: Decoded, error: json.JSONDecodeError) -> InputError:
    why = f"broken JSON at column {error.colno} ({error.msg[:1].lower()}{error.msg[1:]})"
    if number == 1 and line.strip() in ("[", "{"):
        return fault(name, f"{why}: expected one whole object a line (JSON Lines), not JSON over many lines.", line=1)
    last = decoded.data.rstrip().replace(b"\r\n", b"\n").replace(b"\r", b"\n").count(b"\n") + 1
    if number == last and not line.rstrip().endswith("}"):
        return fault(name, f"{why}: the last line is incomplete, the file seems cut in the middle.", line=number)
    return fault(name, f"{why}: expected one whole object a line.", line=number)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) < len(pairs):
        seen: set[str] = set()
        raise _RepeatedKeyError(next(key for key, _ in pairs if key in seen or seen.add(key)))  # type: ignore[func-returns-value]
    return row


def _is_deeper(value: Any, depth: int) -> bool:
    if type(value) is dict:
        return depth == 0 or any(_is_deeper(v, depth - 1) for v in value.values() if type(v) in (dict, list))
    if type(value) is list:
        return depth == 0 or any(_is_deeper(v, depth - 1) for v in value if type(v) in (dict, list))
    return False


def _compact(values: list) -> Any:
    """A list of fractions alone as an array, which gives back the same list; any other list as it is."""
    if len(values) >= 8 and all(type(value) is float for value in values):
        return np.array(values, dtype=np.float64)
    return values


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return _LONE_SURROGATE.sub("�", value)
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_surrogates(item) for item in value]
    return value
