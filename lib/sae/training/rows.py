"""Training texts in a new random order each pass, in bounded memory, the same for the same seed.

Vectors of at most `_BUFFER` bytes are gathered once and shuffled whole. Of larger ones, memory-mapped or not, runs of
64 neighbouring texts are drawn in random order until a buffer of that many bytes is full; the buffer is shuffled whole
and cut into batches; then the next is filled. A batch thus mixes texts from thousands of places, files are read in
runs, and memory stays bounded by twice the buffer. Texts at the end of a pass that fill no batch are left out of that
pass: others each time.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lib.errors import InputError

Array = NDArray[np.floating]

_BUFFER = 2**28
_RUN = 64
_BLOCK = 2**25  # bytes read at once when all vectors are gone through
_FEWEST = 4


@dataclass(frozen=True, eq=False)
class Split:
    """Which rows train and which are held out."""

    training: NDArray[np.int64]
    """Ascending rows of the vectors."""
    held_out: NDArray[np.int64]
    """Ascending rows of the vectors; empty where held-out vectors were handed over."""


def split(m: int, share: float, most: int, *, groups: NDArray | None, seed: int) -> Split:
    """About `share` of the m rows held out, at most `most`, at least 2; rows of one group stay on one side.

    Raises:
        InputError: too few rows or groups, or groups of another number.
    """
    if m < _FEWEST:
        raise InputError(f"Training an SAE needs at least {_FEWEST} vectors, got {m}.")
    if groups is None:
        members = np.arange(m)
    elif len(groups) != m:
        raise InputError(f"Expected one group for each of the {m:,} vectors, got {len(groups):,}.")
    else:
        members = np.unique(np.asarray(groups), return_inverse=True)[1].reshape(-1)
    sizes = np.bincount(members)
    wanted = min(max(2, round(share * m)), most if most >= 2 else 2)
    order = np.random.default_rng([seed, 1]).permutation(len(sizes))
    held = order[: int(np.searchsorted(np.cumsum(sizes[order]), wanted)) + 1]
    chosen = np.isin(members, held)
    if m - int(chosen.sum()) < 2:
        raise InputError(
            f"{m:,} vectors in {len(sizes):,} group(s) leave nothing to train on beside held-out ones: "
            "give more groups, or hand held-out vectors over."
        )
    return Split(np.flatnonzero(~chosen), np.flatnonzero(chosen))


def mean_and_scale(vectors: Array, rows: NDArray[np.int64]) -> tuple[NDArray[np.float64], float]:
    """Mean (d,) of the vectors in ascending `rows`, and the root of their mean squared distance from it.

    Raises:
        InputError: NaN or infinite numbers, or vectors that are all alike.
    """
    d = vectors.shape[1]
    total, squares, shift = np.zeros(d), 0.0, np.asarray(vectors[int(rows[0])], dtype=np.float64)
    for part in _parts(rows, d):
        block = np.asarray(vectors[part], dtype=np.float64)
        if not np.isfinite(block).all():
            bad = int(part[int(np.flatnonzero(~np.isfinite(block).all(axis=1))[0])])
            raise InputError(
                f"Vector {bad + 1:,} holds NaN or infinite numbers: encode its text again, or leave it out."
            )
        block -= shift
        total += block.sum(axis=0)
        squares += float(np.einsum("ij,ij->", block, block))
    centre = total / len(rows)
    spread = squares / len(rows) - float(centre @ centre)
    if not spread > 1e-12 * max(squares / len(rows), float(shift @ shift)):
        raise InputError(f"All {len(rows):,} training vectors are alike: there is nothing to take apart.")
    return shift + centre, spread**0.5


def _parts(rows: NDArray[np.int64], d: int) -> Iterator[NDArray[np.int64]]:
    size = max(1, _BLOCK // (8 * d))
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


@dataclass(frozen=True, eq=False)
class Batches:
    """The batches of every step, each a function of the seed and the step alone, so that a training can resume."""

    vectors: Array
    """All vectors, shape (m, d); may be memory-mapped."""
    rows: NDArray[np.int64]
    """Those that train, ascending."""
    size: int
    """Texts a batch."""
    seed: int
    """Of the order."""
    buffer_bytes: int = _BUFFER
    """Vectors that are held at once."""

    @cached_property
    def a_pass(self) -> int:
        """Batches a pass."""
        return len(self.rows) // self.size

    @cached_property
    def _buffer_rows(self) -> int:
        room = self.buffer_bytes // (4 * self.vectors.shape[1])
        return len(self.rows) if len(self.rows) <= room else max(1, room // self.size) * self.size

    @cached_property
    def _whole(self) -> NDArray[np.float32] | None:
        return self._gather(self.rows) if self._buffer_rows == len(self.rows) else None

    def after(self, step: int) -> Iterator[NDArray[np.float32]]:
        """Batches (size, d) without end, from the one that follows `step` steps on."""
        number, within = divmod(step, self.a_pass)
        while True:
            yield from self._of_pass(number, within)
            number, within = number + 1, 0

    def _of_pass(self, number: int, skip: int) -> Iterator[NDArray[np.float32]]:
        a_buffer = max(1, self._buffer_rows // self.size)
        order = self._order(number)
        for first in range(skip // a_buffer * a_buffer, self.a_pass, a_buffer):
            count = min(a_buffer, self.a_pass - first)
            held, places = self._filled(order, number, first, count)
            for batch in range(max(0, skip - first), count):
                yield held[places[batch * self.size : (batch + 1) * self.size]]

    def _filled(
        self, order: NDArray[np.int64], number: int, first: int, count: int
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """A buffer that holds `count` batches from batch `first` of the pass on, and the order of its rows."""
        if self._whole is not None:
            return self._whole, order
        here = np.sort(order[first * self.size : (first + count) * self.size])
        shuffled = np.random.default_rng([self.seed, 3, number, first]).permutation(len(here))
        return self._gather(self.rows[here]), shuffled

    def _order(self, number: int) -> NDArray[np.int64]:
        """Places in `rows`, in the order of pass `number`."""
        generator = np.random.default_rng([self.seed, 2, number])
        if self._whole is not None:
            return generator.permutation(len(self.rows))
        starts = generator.permutation(-(-len(self.rows) // _RUN)) * _RUN
        order = (starts[:, None] + np.arange(_RUN)).reshape(-1)
        return order[order < len(self.rows)]

    def _gather(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        return np.asarray(self.vectors[rows], dtype=np.float32)
