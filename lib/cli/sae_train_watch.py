"""What a training tells while it runs, to whoever reads its log or its terminal, and how it is asked to stop."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from lib.cli.signals import stoppable
from lib.errors import Stopped
from lib.runs import EventWriter

if TYPE_CHECKING:
    from lib.sae.training import Event, TrainingSettings


class Watch:
    """Writes `events.jsonl` and lines on stderr."""

    def __init__(self, out: Path, settings: "TrainingSettings", *, resumes: bool) -> None:
        """Tell of a training whose files go to `out`."""
        log = out / "events.jsonl"
        if not resumes:
            log.unlink(missing_ok=True)
        self._out, self._log, self._latest = out, EventWriter(log), (0, 0.0)
        self._log.write({"event": "begin", "resumes": resumes, **settings.to_dict()})
        self._told: tuple[int, int] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, _: TracebackType | None) -> None:
        """Say in the log that it was stopped."""
        if isinstance(fault, Stopped | KeyboardInterrupt):
            self._log.write({"event": "stopped"})

    def doing(self, what: str) -> None:
        """Tell what is done beside the steps themselves."""
        self._log.write({"event": "doing", "what": what})
        print(f"{what[0].upper()}{what[1:]}…", file=sys.stderr)

    def evaluated(self, event: "Event") -> None:
        """Tell what an evaluation found, how fast the training goes, and how long it will take."""
        samples, seconds = self._latest
        passed = event.seconds - seconds
        rate = (
            (event.samples - samples) / passed
            if self._told and passed > 0
            else event.samples / max(event.seconds, 1e-9)
        )
        self._latest, self._told = (event.samples, event.seconds), (event.step, event.steps)
        left = (event.steps - event.step) * (event.samples / max(event.step, 1)) / rate if rate > 0 else float("nan")
        told = {"samples_per_second": rate, "seconds_left": left}
        self._log.write({"event": "evaluation", **event.to_dict(), **told})
        print(
            f"Step {event.step:,} of {event.steps:,}: loss {event.loss:.3f}, held-out FVU {event.fvu:.3f}, "
            f"{event.mean_active:.1f} active, {100 * event.dead_share:.1f} % dead, {rate:,.0f} texts/s, "
            f"{left:,.0f} s left",
            file=sys.stderr,
            flush=True,
        )

    def ended(self, figures: dict[str, Any]) -> None:
        """Tell the figures of the finished dictionary."""
        self._log.write({"event": "end", "figures": figures})

    @contextmanager
    def stoppable(self) -> Iterator[Callable[[], bool]]:
        """Whether the user has asked to stop; the training then writes its checkpoint and ends. A second time kills.

        Raises:
            Stopped: the training ended so.
        """
        with stoppable() as asked:
            try:
                yield asked
            except Stopped:
                done = f" at step {self._told[0]:,} of {self._told[1]:,}" if self._told else ""
                raise Stopped(
                    f"Stopped{done}: the checkpoint in {self._out} is kept, and the same command with --resume goes on "
                    "from it."
                ) from None
