"""The one pass of some texts through an encoder: sums of all their states, and the states of a sample."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.encoders import BATCH_TOKENS, Encoder, Role
from lib.errors import InputError, Stopped
from lib.layers.states import UnitStates, unit_states
from lib.layers.sums import StateSums, Tally, state_sums
from lib.progress import Progress

_BLOCK = 512  # states that are summed at a time: products of a few rows would cost more than the rows are worth


@dataclass(frozen=True)
class Streamed:
    """What is left of the states once all texts have passed."""

    sums: StateSums
    """Over all texts that have a direction at every depth, repetitions counted."""
    sample: tuple[NDArray[np.float32], ...]
    """Unit states of the sample at each depth, each of shape (m, d), in the order of the texts."""
    left_out: int
    """Different texts without a direction at some depth."""


def stream(
    encoder: Encoder,
    texts: Sequence[str],
    *,
    counted: Tally,
    drawn: NDArray[np.int64],
    role: Role = "document",
    batch_tokens: int = BATCH_TOKENS,
    progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Streamed:
    """Run the different `texts` once; `counted` says how often each occurs, `drawn` which make the sample.

    Raises:
        InputError: see `unit_states`; also fewer than two texts that have a token.
        Stopped: `should_stop` said so.
    """
    sums: StateSums | None = None
    waiting: list[UnitStates] = []
    kept = _Sample(drawn)
    done = left_out = 0
    batches = unit_states(encoder, texts, role=role, batch_tokens=batch_tokens)
    if progress:
        progress(0, len(texts))
    while batch := _next(batches, should_stop, done=done, of=len(texts)):
        kept.add(batch)
        waiting.append(batch)
        if sum(len(part.rows) for part in waiting) >= _BLOCK:
            sums = _added(sums, waiting, counted)
            waiting = []
        left_out += batch.left_out
        done += len(batch.rows) + batch.left_out
        if progress:
            progress(done, len(texts))
    sums = _added(sums, waiting, counted)
    if sums is None or sums.n < 2:
        raise InputError(
            f"The build-up needs at least 2 texts with a token, got {0 if sums is None else sums.n}: add texts."
        )
    return Streamed(sums, kept.states(), left_out)


class _Sample:
    """The states of the drawn texts, in places set aside at once.

    Pieces kept here and there would keep the allocator from using again what lies between them.
    """

    def __init__(self, drawn: NDArray[np.int64]) -> None:
        self._drawn = drawn  # ascending
        self._filled = np.zeros(len(drawn), dtype=bool)
        self._depths: list[NDArray[np.float32]] = []

    def add(self, batch: UnitStates) -> None:
        if not self._depths:
            self._depths = [np.empty((len(self._drawn), state.shape[1]), np.float32) for state in batch.depths]
        chosen = np.isin(batch.rows, self._drawn)
        places = np.searchsorted(self._drawn, batch.rows[chosen])
        self._filled[places] = True
        for depth, state in zip(self._depths, batch.depths, strict=True):
            depth[places] = state[chosen]

    def states(self) -> tuple[NDArray[np.float32], ...]:
        """Each of shape (m, d), in the order of the texts; those without a direction are not among them."""
        return tuple(depth[self._filled] for depth in self._depths)


def _added(sums: StateSums | None, waiting: Sequence[UnitStates], counted: Tally) -> StateSums | None:
    """`sums` and those of the states that wait; None where there are no states at all."""
    rows = np.concatenate([part.rows for part in waiting]) if waiting else np.empty(0, dtype=np.int64)
    if not len(rows):
        return sums
    states = tuple(np.concatenate(parts) for parts in zip(*(part.depths for part in waiting), strict=True))
    found = state_sums(states, counted.of(rows))
    return found if sums is None else sums + found


def _next(
    batches: Iterator[UnitStates], should_stop: Callable[[], bool] | None, *, done: int, of: int
) -> UnitStates | None:
    if should_stop and should_stop():
        raise Stopped(f"Stopped after {done:,} of {of:,} texts.")
    return next(batches, None)
