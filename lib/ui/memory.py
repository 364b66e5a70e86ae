"""Memory given back. After encoding or fitting a map, glibc keeps what was freed; a small host needs it.

And garbage collected cheaply: Streamlit looks through all objects after every run of a page, which libraries make many.
"""

import ctypes
import gc
import sys
import threading
import time
from collections.abc import Callable
from functools import lru_cache
from typing import cast

_ARENA_MAX = -8  # M_ARENA_MAX in glibc's malloc.h
_ARENAS = 2
_MANY_MODULES = 50
"""So many more modules than at the last time bring many objects."""
_SECONDS = 600.0
"""How long garbage may lie among what is spared."""
_BETWEEN_TRIMS = 60.0
"""Seconds between two times at which freed memory is given back, whoever freed it."""
_trimmed = [0.0]
_turn = threading.Lock()
_spared: list[float] = [0, 0.0]
"""Modules that were there when objects were last spared, and when that was."""


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


def spare() -> None:
    """Leave what is there now out of what is looked through for garbage, if much has come or some time has passed.

    Once a minute, what was freed is given back to the system, too.

    With torch and its like imported, that look took .34 s after every run of a page, more than the run itself.
    """
    loaded, now = len(sys.modules), time.monotonic()
    if now - _trimmed[0] > _BETWEEN_TRIMS:
        _trimmed[0] = now
        release()
    if loaded - _spared[0] < _MANY_MODULES and now - _spared[1] < _SECONDS:
        return
    if _turn.acquire(blocking=False):
        try:
            collect()
            _spared[:] = loaded, now
        finally:
            _turn.release()


def collect() -> None:
    """Collect all garbage, also among what was spared, such as an encoder that was let go; spare what is left."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()


@lru_cache(maxsize=2)
def _function(name: str) -> Callable[..., int] | None:
    """A function of glibc; None under another C library."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        return cast(Callable[..., int], getattr(ctypes.CDLL("libc.so.6"), name))
    except (OSError, AttributeError):  # another C library
        return None
