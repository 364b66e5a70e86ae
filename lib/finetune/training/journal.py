"""Journal: what a training tells while it runs: its log of events, and lines for whoever sits before a terminal."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lib.runs import EventWriter
from lib.runs.events import FILE

_SCHEMA = 1
_PAUSE = 5.0  # seconds between two lines about steps


class Journal:
    """Writes the log of the training in `out`."""

    def __init__(self, out: Path, *, resumes: bool = False, tell: Callable[[str], None] | None = None) -> None:
        """Begin a new log, or go on with the one there; `tell` is given a line of text at a time."""
        self.path = out / FILE
        """The log; `lib.finetune.monitor` reads it, and writes its steps."""
        if not resumes:
            self.path.unlink(missing_ok=True)
        self.resumes = resumes and self.path.is_file()
        """Whether there is one to go on with."""
        self._log, self._tell = EventWriter(self.path), tell or (lambda line: None)
        self._steps, self._told, self._rate = 0, 0.0, (0, 0.0)

    def doing(self, what: str) -> None:
        """Tell what is done beside the steps themselves."""
        self._log.write({"event": "doing", "what": what})
        self._tell(f"{what[0].upper()}{what[1:]}…")

    def begin(self, facts: dict[str, Any]) -> None:
        """Tell what is trained, on what, for how long."""
        self._steps = int(facts["steps"])
        self._log.write(
            {"event": "begin", "schema": _SCHEMA, "resumes": self.resumes, **facts, "time": round(time.time(), 3)}
        )
        share = 100 * facts["trainable"] / facts["parameters"]
        self._tell(
            f"{self._steps:,} {'step' if self._steps == 1 else 'steps'} of {facts['batch']:,} on {facts['examples']:,} "
            f"examples; {facts['trainable']:,} of {facts['parameters']:,} parameters ({percent(share)} %) are trained, "
            f"in {facts['precision']}."
        )

    def stepped(self, step: int, loss: Callable[[], float]) -> None:
        """Tell the terminal how far it is, every few seconds; the log has every step from the monitor."""
        now = time.monotonic()
        if not self._told:
            self._told, self._rate = now, (step, now)
        elif now - self._told >= _PAUSE:
            before, since = self._rate
            each = (now - since) / max(step - before, 1)
            self._told = now
            left = (self._steps - step) * each
            self._tell(f"Step {step:,} of {self._steps:,}: loss {loss():.4g}, {each:.2g} s a step, {left:,.0f} s left")

    def evaluated(self, step: int, metrics: dict[str, float], *, best: bool) -> None:
        """Tell what an evaluation found."""
        self._log.write({"event": "evaluation", "step": step, "metrics": metrics, "best": best})
        told = ", ".join(f"{name.upper().replace('RECALL', 'Recall')} {value:.3f}" for name, value in metrics.items())
        when = f"after step {step:,}" if step else "before training"
        self._tell(f"Held-out queries {when}: {told}{' (the best so far)' if best and step else ''}")

    def saved(self, step: int) -> None:
        """Tell that there is a checkpoint."""
        self._log.write({"event": "checkpoint", "step": step})

    def stopped(self) -> None:
        """Tell that it was stopped."""
        self._log.write({"event": "stopped"})

    def ended(self, reason: str, figures: dict[str, Any]) -> None:
        """Tell that it is done, and what came of it."""
        self._log.write({"event": "end", "reason": reason, "figures": figures})


def percent(share: float) -> str:
    """A share in percent, in two digits; all three of a hundred."""
    return f"{share:.0f}" if share >= 10 else f"{share:.2g}"
