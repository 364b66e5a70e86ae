"""Words in which verdicts are told: differences with their sign, ranges, names in a row."""

from collections.abc import Sequence
from typing import Literal

Direction = Literal["good", "bad", "neutral"]
"""What a change did, as far as the evidence tells."""

_MINUS = "\N{MINUS SIGN}"
_NAMED = 3  # names that a sentence holds


def signed(value: float, digits: int = 3) -> str:
    """A difference with its sign and a true minus: +0.031."""
    sign = "+" if value > 0 else _MINUS if value < 0 else "\N{PLUS-MINUS SIGN}"
    return f"{sign}{abs(value):.{digits}f}"


def ranged(change: float, low: float, high: float, *, digits: int = 3) -> str:
    """A difference with its 95 % interval; says so where it has none (NaN)."""
    if not low <= high:
        return f"{signed(change, digits)}, too few for an interval"
    return f"{signed(change, digits)}, 95 % interval {signed(low, digits)} to {signed(high, digits)}"


def named(names: Sequence[str]) -> str:
    """Names in a sentence: "law", "law and finance", "law, finance, tax and 4 more"; "" for none."""
    shown = list(names[:_NAMED])
    if len(names) > _NAMED:
        return f"{', '.join(shown)} and {len(names) - _NAMED} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)
