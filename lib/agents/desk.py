"""Desk: what one call of a tool works at: the shared workbench, whom it tells how far it is, and its pictures."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from lib.agents.workbench import Workbench
from lib.errors import Stopped
from lib.progress import Progress


@dataclass
class Desk:
    """One call."""

    bench: Workbench
    """What is shared by all calls."""
    stop: threading.Event = field(default_factory=threading.Event)
    """Set when the caller no longer wants an answer."""
    done: tuple[int, int, str] | None = None
    """Steps done, of how many, and what is being done; None before the first."""
    pictures: list[bytes] = field(default_factory=list)
    """PNG files that go with the answer."""

    def tells(self, doing: str) -> Progress:
        """A progress that says `doing`, and ends the work where the caller has left."""

        def tell(done: int, of: int) -> None:
            self.check()
            self.done = (done, of, doing)

        return tell

    def check(self) -> None:
        """End here if the caller has left.

        Raises:
            Stopped: the caller has.
        """
        if self.stop.is_set():
            raise Stopped("The call was cancelled; what was encoded is kept.")

    def show(self, draw: Callable[[], bytes], wanted: bool = True) -> None:
        """Add a picture, if one is wanted."""
        if wanted:
            self.pictures.append(draw())
