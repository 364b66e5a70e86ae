"""Values out of a file that anyone may have written: a number, a whole number, a text, a list; nothing else passes."""

import math
from typing import Any

_MOST_CHARACTERS = 200


def number(value: object) -> float:
    """A number as it is, anything else as NaN."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return math.nan
    try:
        return float(value)
    except OverflowError:
        return math.inf


def whole(value: object) -> int | None:
    """A whole number from 0 to 2^53; None for anything else."""
    found = number(value)
    return int(found) if 0 <= found <= 2**53 and found == int(found) else None


def words(value: object) -> str | None:
    """A text, cut at 200 characters; None for anything else."""
    return value[:_MOST_CHARACTERS] if isinstance(value, str) and value else None


def sequence(value: object) -> list[Any]:
    """The items of a list or a tuple; none of anything else."""
    return list(value) if isinstance(value, list | tuple) else []
