"""Memory given back. After encoding or fitting a map, glibc keeps what was freed; a small host needs it."""

import ctypes
import sys
from collections.abc import Callable
from functools import lru_cache
from typing import cast


@lru_cache(maxsize=1)
def _trim() -> Callable[[int], int] | None:
    if not sys.platform.startswith("linux"):
        return None
    try:
        return cast(Callable[[int], int], ctypes.CDLL("libc.so.6").malloc_trim)
    except (OSError, AttributeError):  # another C library
        return None


def release() -> None:
    """Give freed memory back to the system where the C library has to be told; does nothing elsewhere."""
    trim = _trim()
    if trim is not None:
        trim(0)
