"""A lock between processes, which the system lets go of when its holder dies."""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from lib.errors import InputError

_BUSY = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)  # what systems say of a lock that another holds

if sys.platform == "win32":
    import msvcrt

    def _lock(file: IO[bytes]) -> None:
        msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)

    def _lock_now(file: IO[bytes]) -> None:
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

    def _unlock(file: IO[bytes]) -> None:
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _lock(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX)

    def _lock_now(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _unlock(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_UN)


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Wait until no other process or thread is inside for the same `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        file.seek(0)
        _lock(file)
        try:
            yield
        finally:
            _unlock(file)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Have `folder`, which is made if need be, to oneself: another process that asks for it meanwhile is refused.

    Raises:
        InputError: another process has it.
        OSError: it cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / ".lock"
    with path.open("ab") as file:
        file.seek(0)
        try:
            _lock_now(file)
        except OSError as fault:
            if fault.errno not in _BUSY:
                raise
            raise _taken(folder) from None
        if not _is_at(file, path):  # removed between opening and locking, by the one that had it
            raise _taken(folder)
        try:
            yield
        finally:
            with suppress(OSError):  # a folder that was removed meanwhile; a system that keeps open files
                path.unlink()
            _unlock(file)


def _is_at(file: IO[bytes], path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _taken(folder: Path) -> InputError:
    return InputError(f"Another process is at work in {folder}: wait until it has ended, or name another folder.")
