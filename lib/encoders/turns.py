"""Turns: one model is opened, and one is downloaded, at a time in a process, so that sizes are checked one by one.

Two that fit alone might not fit together: each is held against what the one before has left.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from lib.errors import InputError


class BusyError(InputError):
    """Another model has the turn: the same may work in a while."""


class Turn:
    """Something that one thread does at a time. The thread that has the turn may take it again."""

    def __init__(self, doing: str, *, patience: float) -> None:
        """Whoever waits longer than `patience` seconds is told that another model is being `doing`."""
        self.doing, self.patience = doing, patience
        self._lock = threading.RLock()

    @property
    def busy(self) -> bool:
        """Whether another thread has the turn now."""
        if self._lock.acquire(blocking=False):
            self._lock.release()
            return False
        return True

    @contextmanager
    def taken(self, what: str) -> Iterator[None]:
        """Have the turn for `what`, after whoever has it.

        Raises:
            BusyError: it did not come.
        """
        if not self._lock.acquire(timeout=self.patience):
            raise BusyError(
                f"{what} has to wait: another model is being {self.doing} on this server and has not been done within "
                f"{self.patience / 60:.0f} minutes; try again in a while, or choose the packaged one."
            )
        try:
            yield
        finally:
            self._lock.release()


OPENING = Turn("opened", patience=300.0)
"""Weights into memory."""
FETCHING = Turn("downloaded", patience=120.0)
"""Files from the hub onto the disk."""
