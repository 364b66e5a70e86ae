"""How long something takes, on a machine that has other things to do."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

_TIMES, _SECONDS = 5, 0.2  # calls at most, and seconds after which no other is begun


def shortest(call: Callable[[], T]) -> tuple[float, T]:
    """Seconds that `call` takes, wall clock, and what it gave: the shortest of a few calls where they are short."""
    times: list[float] = []
    while True:
        started = time.perf_counter()
        made = call()
        times.append(time.perf_counter() - started)
        if len(times) == _TIMES or sum(times) >= _SECONDS:
            return min(times), made
