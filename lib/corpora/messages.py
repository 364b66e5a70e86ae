"""The words of an error: which file, which line, what was expected, what came."""

import math
import unicodedata
from typing import Any

from lib.errors import InputError

MAX_NAME = 80  # characters of a file name in a message
MAX_SHOWN = 40  # characters of a value in a message


def fault(name: str, what: str, *, line: int | None = None, place: str = "line") -> InputError:
    """Make an error that says where, as in `talks.csv, line 17: expected 3 fields, got 5`."""
    where = plain_name(name) if line is None else f"{plain_name(name)}, {place} {line}"
    return InputError(f"{where}: {what}")


def plain_name(name: str) -> str:
    """A name fit for one line of text: no control characters, at most 80 characters."""
    plain = "".join(" " if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") else c for c in name).strip()
    return plain if len(plain) <= MAX_NAME else plain[: MAX_NAME - 1] + "…"


def shown(value: object) -> str:
    """A value as a message shows it: one short line."""
    text = plain_name(repr(value)) if not isinstance(value, str) else repr(plain_name(value))
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…"


def kind(value: Any) -> str:
    """What a value is, in words: `the number 42`, `a list`, `an object`."""
    if isinstance(value, bool):
        return f"the truth value {str(value).lower()}"
    if isinstance(value, int | float):
        return f"the number {shown(value)}"
    if isinstance(value, str):
        return f"the text {shown(value)}"
    if value is None:
        return "nothing (null)"
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, bytes):
        return "bytes"
    return "a list"


def is_missing(value: Any) -> bool:
    """Whether a cell holds nothing: null, or not-a-number. An empty text is blank, not missing."""
    return value is None or (isinstance(value, float) and math.isnan(value))


def is_blank(value: Any) -> bool:
    """Whether a cell is missing or holds white space only."""
    return is_missing(value) or (isinstance(value, str) and not value.strip())


def listed(names: list[str], most: int = 8) -> str:
    """Names in one line, the first `most` of them."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(plain_name(name) for name in names[:most]) + more
