"""Batches: distinct texts in order of length, cut into groups of about equal work with little padding."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.errors import InputError

WINDOW = 8192
"""Texts tokenised at a time: enough for lengths to be sorted well, few enough to hold their tokens."""


@dataclass(frozen=True)
class Distinct:
    """Texts without their repetitions."""

    texts: tuple[str, ...]
    """Each distinct text once, the one with the most characters first."""
    place: NDArray[np.int64]
    """For each text given, where it stands in `texts`, shape (n,)."""

    def rows(self) -> list[NDArray[np.int64]]:
        """For each distinct text, the rows at which it was given."""
        order = np.argsort(self.place, kind="stable")
        counts = np.bincount(self.place, minlength=len(self.texts))
        return np.split(order, np.cumsum(counts)[:-1])


def distinct(texts: Sequence[str]) -> Distinct:
    """Sort out repetitions.

    Raises:
        InputError: one of `texts` is no string, or all of them are one string.
    """
    if isinstance(texts, str):
        raise InputError("Texts come as a list; got a single string, put it into a list of one.")
    for row, text in enumerate(texts):
        if not isinstance(text, str):
            raise InputError(f"Text {row + 1} should be a string, got a {type(text).__name__}: {text!r:.60}.")
    unique = sorted(dict.fromkeys(texts), key=len, reverse=True)
    index = {text: i for i, text in enumerate(unique)}
    return Distinct(tuple(unique), np.fromiter((index[text] for text in texts), np.int64, len(texts)))


def windows(count: int, size: int = WINDOW) -> Iterator[slice]:
    """Consecutive slices of at most `size` items out of `count`."""
    for start in range(0, count, size):
        yield slice(start, min(start + size, count))


def by_length(lengths: NDArray[np.int64], *, batch_tokens: int, max_rows: int = 512) -> list[NDArray[np.int64]]:
    """Group items of the given lengths, shape (n,), the longest first, so that rows x longest <= `batch_tokens`.

    An item that is longer than `batch_tokens` makes a batch of its own.
    """
    order = np.argsort(-lengths, kind="stable")
    groups, start = [], 0
    while start < len(order):
        rows = max(1, min(max_rows, batch_tokens // max(1, int(lengths[order[start]]))))
        groups.append(order[start : start + rows])
        start += rows
    return groups
