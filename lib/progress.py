"""Progress: whom long work tells how far it is, and who may stop it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from lib.errors import Stopped

Progress = Callable[[int, int], None]
"""Is told how much is done, and of how much."""
Done = Callable[[int], None]
"""Is told how much is done."""


@dataclass(frozen=True)
class Told:
    """Whom work of several parts tells how far it is, and who may stop it."""

    progress: Progress | None = None
    """Is told the steps done, and of how many."""
    should_stop: Callable[[], bool] | None = None
    """Answers True where the work should end."""

    def __call__(self, done: int, of: int) -> None:
        """Tell; raises Stopped where the work should end."""
        if self.should_stop is not None and self.should_stop():
            raise Stopped
        if self.progress is not None:
            self.progress(done, of)

    def out_of(self, of: int) -> Done:
        """The same for work of `of` steps: told how many are done."""
        return partial(self, of=of)
