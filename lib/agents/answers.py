"""Answers: what a tool returns, kept within what a conversation can hold."""

import json
from collections.abc import Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from lib.errors import InputError

T = TypeVar("T")

MOST_CHARACTERS = 40_000
"""Characters that an answer may have, as JSON."""
MOST_ROWS = 100
"""Rows of a list that one answer may hold."""
_TEXT = 400  # characters of one text, longer ones are cut with an ellipsis
_DIGITS = 6


class Answer(BaseModel):
    """What every tool returns: one plain sentence, the numbers behind it, and what was left out."""

    model_config = ConfigDict(extra="forbid")

    says: str = Field(description="What was found, in plain words, with its baseline or interval.")
    cut: list[str] = Field(default=[], description="What was left out of this answer, and how to ask for it.")


class Row(BaseModel):
    """One row of a list in an answer."""

    model_config = ConfigDict(extra="forbid")


def clipped(text: str, most: int = _TEXT) -> str:
    """`text`, or its beginning with an ellipsis where it is longer than `most` characters."""
    return text if len(text) <= most else text[: most - 1] + "…"


def page(rows: Sequence[T], offset: int, limit: int, what: str) -> tuple[list[T], list[str]]:
    """Rows `offset` to `offset + limit`, and a sentence on what is left out, if anything is."""
    shown = list(rows[offset : offset + limit])
    left = len(rows) - offset - len(shown)
    if offset and not shown:
        return [], [f"There are {len(rows):,} {what}, so none from offset {offset:,} on."]
    return shown, [f"Cut: {left:,} more {what}; ask again with offset {offset + len(shown)}."] if left > 0 else []


def rounded(value: Any) -> Any:
    """JSON values with numbers of six digits and texts of a length that can be read; not finite numbers are None."""
    if isinstance(value, bool):
        return value
    if isinstance(value, float):
        return None if value != value or value in (float("inf"), float("-inf")) else float(f"{value:.{_DIGITS}g}")
    if isinstance(value, str):
        return clipped(value, 4 * _TEXT)
    if isinstance(value, dict):
        return {clipped(str(key)): rounded(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(one) for one in value]
    return value


def as_json(answer: Answer) -> tuple[dict[str, Any], str]:
    """The answer as JSON values and as text.

    Raises:
        InputError: it is longer than a conversation can hold.
    """
    made = rounded(answer.model_dump(mode="json"))
    text = json.dumps(made, ensure_ascii=False, separators=(",", ":"))
    if len(text) > MOST_CHARACTERS:
        raise InputError(
            f"The answer has {len(text):,} characters and {MOST_CHARACTERS:,} fit: ask for less, by fewer rows, "
            "texts or numbers."
        )
    return made, text
