"""Memory given back. After encoding or fitting a map, glibc keeps what was freed; a small host needs it."""

import ctypes
import sys
from collections.abc import Callable
from functools import lru_cache
from typing import cast

_ARENA_MAX = -8  # M_ARENA_MAX in glibc's malloc.h
_ARENAS = 2


def release() -> None:
    """Give freed memory back to the system where the C library has to be told; does nothing elsewhere."""
    trim = _function("malloc_trim")
    if trim is not None:
        trim(0)


@lru_cache(maxsize=1)
def keep_together() -> None:
    """Let all threads of this process share two heaps, where glibc would give each thread one of its own.

    Every run of a page is a thread: of what they free, each heap keeps its own. With two, a visit of every page took
    95 MB less at its peak (`benchmarks/visits.py`).
    """
    mallopt = _function("mallopt")
    if mallopt is not None:
        mallopt(_ARENA_MAX, _ARENAS)


@lru_cache(maxsize=2)
def _function(name: str) -> Callable[..., int] | None:
    """A function of glibc; None under another C library."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        return cast(Callable[..., int], getattr(ctypes.CDLL("libc.so.6"), name))
    except (OSError, AttributeError):  # another C library
        return None
