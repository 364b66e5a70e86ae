"""What every analysis asks of its embeddings, and the blocks in which it walks through them.

Embeddings may be memory-mapped and larger than memory: nothing here copies more than one block.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.errors import InputError

BLOCK_ROWS = 2_048  # 3 MB at 384 dimensions in float32: stays in the processor's cache
SAME = 1e-6  # distance under which two unit vectors in float32 are the same
_LEAST_NORM, _LARGEST_NORM = 1e-15, 1e15  # their squares are far from the ends of float32


def check(embeddings: NDArray[np.floating], *, minimum: int, what: str) -> tuple[int, int]:
    """The shape (n, d) of `embeddings`, once they are known to be usable.

    Raises:
        InputError: not a matrix, no columns, or fewer than `minimum` rows.
    """
    if embeddings.ndim != 2 or embeddings.shape[1] == 0:
        raise InputError(f"{what} needs embeddings of shape (texts, dimensions), got {embeddings.shape}.")
    n, d = embeddings.shape
    if n < minimum:
        raise InputError(f"{what} needs at least {minimum} embeddings, got {n}: add texts.")
    return n, d


def blocks(n: int, rows: int | None = None) -> Iterator[slice]:
    """Slices that cover range(n) in order, `rows` (BLOCK_ROWS unless told) at a time."""
    rows = rows or BLOCK_ROWS
    for start in range(0, n, rows):
        yield slice(start, min(start + rows, n))


def unit(
    block: NDArray[np.floating], *, first_row: int = 0, rows: NDArray[np.int64] | None = None
) -> NDArray[np.float32]:
    """Rows of `block` at length 1, shape kept, float32, however long or short they were.

    The message numbers a row by `rows` where they are given, else from `first_row` on.

    Raises:
        InputError: a row of zero length (it has no direction) or one that is not finite.
    """
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # such rows are looked at again below
        values = np.asarray(block, dtype=np.float32)
        norms = np.sqrt(np.vecdot(values, values))  # (rows,)
        result = np.asarray(values / norms[:, None], dtype=np.float32)
    odd = np.flatnonzero(~((norms > _LEAST_NORM) & (norms < _LARGEST_NORM)))
    if len(odd):
        result[odd] = _unit_of_any_length(block[odd], odd + first_row if rows is None else rows[odd])
    return result


def _unit_of_any_length(block: NDArray[np.floating], rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Unit rows of values whose squares may leave float32; refuses those that have no direction."""
    values = np.asarray(block, dtype=np.float64)
    largest = np.abs(values).max(axis=1)  # (rows,)
    bad = np.flatnonzero(~(np.isfinite(largest) & (largest > 0)))
    if len(bad):
        fault = (
            "has zero length, so it has no direction" if largest[bad[0]] == 0 else "holds a value that is not finite"
        )
        raise InputError(f"Embedding {rows[bad[0]]} {fault}: remove that text or replace its vector.")
    values = values / largest[:, None]
    return np.asarray(values / np.linalg.norm(values, axis=1, keepdims=True))


def unit_rows(embeddings: NDArray[np.floating], rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """The chosen `rows` (m,) of `embeddings` (n, d) at length 1, shape (m, d)."""
    return unit(embeddings[rows], rows=rows)


def unit_blocks(embeddings: NDArray[np.floating]) -> Iterator[tuple[slice, NDArray[np.float32]]]:
    """(slice, unit rows of that slice), block by block."""
    for span in blocks(len(embeddings)):
        yield span, unit(embeddings[span], first_row=span.start)


def sample_rows(n: int, size: int, *, seed: int) -> NDArray[np.int64]:
    """`size` different rows out of n, ascending; all of them when n <= size."""
    if n <= size:
        return np.arange(n)
    return np.sort(np.random.default_rng(seed).choice(n, size=size, replace=False))


@dataclass(frozen=True)
class Pairs:
    """Pairs of two different rows and their cosines, shared by whatever looks at the spread of cosines."""

    left: NDArray[np.int64]
    """First row of each pair, shape (pairs,)."""
    right: NDArray[np.int64]
    """Second row of each pair, shape (pairs,)."""
    cosines: NDArray[np.float32]
    """Cosine of each pair, shape (pairs,), in [-1, 1]."""
    every_pair: bool
    """Whether these are all n (n - 1) / 2 pairs, rather than a uniform draw with replacement."""
    seed: int
    """Seed of the draw."""


def pairs(embeddings: NDArray[np.floating], *, max_pairs: int = 200_000, seed: int = 0) -> Pairs:
    """Every pair of rows of `embeddings` (n, d), n >= 2, if they are at most `max_pairs`, else a uniform draw.

    Raises:
        InputError: fewer than two embeddings, one of zero length, or `max_pairs` below 1.
    """
    n, _ = check(embeddings, minimum=2, what="A sample of pairs")
    if max_pairs < 1:
        raise InputError(f"A sample of pairs needs at least 1 pair, got max_pairs={max_pairs}.")
    every_pair = n * (n - 1) // 2 <= max_pairs
    if every_pair:
        left, right = np.triu_indices(n, k=1)
    else:
        rng = np.random.default_rng(seed)
        left = rng.integers(n, size=max_pairs)
        right = (left + rng.integers(1, n, size=max_pairs)) % n  # a non-zero step: never the row itself
        order = np.argsort(left)  # rows are then read from front to back, whatever they lie on
        left, right = left[order], right[order]
    return Pairs(left, right, _cosines(embeddings, left, right), every_pair, seed)


def _cosines(
    embeddings: NDArray[np.floating], left: NDArray[np.int64], right: NDArray[np.int64]
) -> NDArray[np.float32]:
    cosines = np.empty(len(left), dtype=np.float32)
    for span in blocks(len(left)):
        cosines[span] = np.vecdot(unit_rows(embeddings, left[span]), unit_rows(embeddings, right[span]))
    return np.clip(cosines, -1, 1)
