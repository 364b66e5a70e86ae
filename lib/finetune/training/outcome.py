"""Outcome: what came of a training."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from lib.finetune.validation import Compared
from lib.results import Result, to_json

Reason = Literal["finished", "early stop"]


@dataclass(frozen=True)
class Tuned(Result):
    """A training that has ended, and the model that it made."""

    model: Path
    """Folder of the model: an adapter, or a whole encoder."""
    adapter: bool
    """Whether it is an adapter beside its base."""
    reason: Reason
    """`finished`: all steps are done; `early stop`: the metric had not risen for as long as the patience lasts."""
    steps: int
    """Steps done."""
    planned: int
    """Steps planned."""
    best_step: int
    """The step whose weights were kept: of all evaluated after training began, that of the highest NDCG@10; the last
    where nothing is held out."""
    validation: Compared | None
    """How the queries held out are answered before training and by the model kept; None where none are held out. The
    best step was chosen by the same queries, which makes it look better than new queries would, a little."""
    widths: dict[int, Compared]
    """The same with vectors cut to their first dimensions, for each width of Matryoshka; {} without."""
    evaluations: dict[int, dict[str, float]]
    """The metrics after each step that was evaluated; 0 is before training."""
    examples: int
    """Rows trained on, 1 a pair, or 1 a triplet."""
    parameters: int
    """Numbers in the model."""
    trainable: int
    """How many of them were trained."""
    seconds: float
    """That the steps and evaluations took, those before an interruption too."""
    seconds_a_step: float
    """Median of a step of the last process; NaN where it did none."""
    precision: str
    """`float32`, `bf16` or `fp16`: of the arithmetic; the weights are float32."""
    device: str
    """What it ran on."""
    notices: tuple[str, ...]
    """Sentences that the user should see."""

    def figures(self) -> dict[str, Any]:
        """What the run folder keeps of it: all but where it lies."""
        return {name: to_json(value) for name, value in self.to_dict().items() if name != "model"}

    def to_dict(self) -> dict[str, Any]:
        """The result as JSON values."""
        return {name: to_json(str(value) if isinstance(value, Path) else value) for name, value in vars(self).items()}
