"""How a long command is asked to end: at once, or after its checkpoint."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def ending_at_signals() -> Iterator[None]:
    """Take a request to end for an interruption, as Ctrl-C is."""

    def end(*_: object) -> None:
        raise KeyboardInterrupt

    with _handled(end, signal.SIGTERM):
        yield


@contextmanager
def stoppable() -> Iterator[Callable[[], bool]]:
    """Whether the user has asked to stop, by Ctrl-C or by a signal; asking a second time kills."""
    asked = threading.Event()

    def ask(*_: object) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()

    with _handled(ask, signal.SIGINT, signal.SIGTERM):
        yield asked.is_set


@contextmanager
def _handled(handler: Callable[..., None], *signs: signal.Signals) -> Iterator[None]:
    """Take `signs` with `handler` meanwhile; outside of the main thread, where none arrive, nothing is done."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {sign: signal.signal(sign, handler) for sign in signs}
    try:
        yield
    finally:
        for sign, earlier in before.items():
            signal.signal(sign, earlier)
