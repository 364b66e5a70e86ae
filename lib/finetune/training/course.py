"""Course: what a training knows of itself besides weights: how it was judged, which step was best, when to end."""

from dataclasses import dataclass, field
from typing import Any

METRIC = "ndcg@10"
"""By which steps are compared; higher is better."""


@dataclass
class Course:
    """How a training has gone so far. Kept in each checkpoint, so that a resumed one goes on as if nothing had been."""

    steps: int
    """Steps planned."""
    every: int
    """Steps between evaluations; the last step is one, too."""
    patience: int
    """Evaluations without a gain after which it ends; 0: never."""
    judged: bool
    """Whether it is evaluated at all."""
    evaluations: dict[int, dict[str, float]] = field(default_factory=dict)
    """The metrics after each step that was evaluated; 0 is before training."""
    seconds: float = 0.0
    """That its steps and evaluations took, those of earlier processes too."""

    def due(self, step: int) -> bool:
        """Whether it is to be evaluated after `step` and has not been."""
        wanted = step == self.steps or step % self.every == 0
        return self.judged and wanted and step not in self.evaluations

    def note(self, step: int, metrics: dict[str, float]) -> bool:
        """Take in an evaluation; whether it is the best so far, that before training counted."""
        before = max((found[METRIC] for found in self.evaluations.values()), default=float("-inf"))
        self.evaluations[step] = dict(metrics)
        return metrics[METRIC] > before

    @property
    def best(self) -> int | None:
        """The step after which the metric was highest, the first of equals; before training does not count. None
        before the first evaluation.
        """  # noqa: D205
        trained = [step for step in sorted(self.evaluations) if step]
        return max(trained, key=lambda step: self.evaluations[step][METRIC]) if trained else None

    @property
    def early(self) -> bool:
        """Whether `patience` evaluations in a row brought no gain over the best before them."""
        best = self.best
        if not self.patience or best is None:
            return False
        return sum(step > best for step in self.evaluations) >= self.patience

    def ended(self, step: int) -> bool:
        """Whether nothing is left to train after `step`."""
        return step >= self.steps or self.early

    def to_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps of it."""
        kept = {str(step): found for step, found in self.evaluations.items()}
        return {"evaluations": kept, "best": self.best, "seconds": self.seconds}

    def take(self, kept: dict[str, Any]) -> None:
        """Go on from what a checkpoint kept."""
        self.evaluations = {int(step): dict(found) for step, found in kept["evaluations"].items()}
        self.seconds = float(kept["seconds"])
