"""The log of a fine-tune: what its events say, step by step, those left out that a resumption did over again."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.results import Result


@dataclass(frozen=True, eq=False)
class FinetuneLog(Result):
    """A fine-tune so far: s steps in ascending order, e evaluations; NaN stands for what a log does not tell."""

    step: NDArray[np.int64]
    """Number of each step, shape (s,), ascending, from 1."""
    epoch: NDArray[np.float64]
    """Passes over the training data done after each step, shape (s,)."""
    loss: NDArray[np.float64]
    """Training loss of each step (of one batch, so noisy), shape (s,)."""
    positive: NDArray[np.float64]
    """Mean cosine similarity of a step's positive pairs, shape (s,), -1 to 1."""
    negative: NDArray[np.float64]
    """Mean cosine similarity of a step's negative pairs, shape (s,), -1 to 1; `pairs` says which these are."""
    hardest: NDArray[np.float64]
    """Cosine similarity of an anchor to its closest negative, mean over a step's anchors, shape (s,)."""
    gap: NDArray[np.float64]
    """`positive` - `negative`, shape (s,), -2 to 2: widening is healthy."""
    learning_rate: NDArray[np.float64]
    """With which each step was done, shape (s,)."""
    grad_norm: NDArray[np.float64]
    """Euclidean norm of all gradients of a step before clipping, shape (s,), >= 0."""
    samples_per_second: NDArray[np.float64]
    """Training examples a second, shape (s,)."""
    seconds: NDArray[np.float64]
    """How long each step took, shape (s,)."""
    monitor_seconds: NDArray[np.float64]
    """How much of `seconds` the monitor itself took, shape (s,)."""
    layers: tuple[str, ...]
    """Names of the l parts of the encoder, from its input on: "embeddings", "layer 1", ..., "after the layers"."""
    gradients_adapter: NDArray[np.float64]
    """Gradient norm of each layer's adapter parameters, before clipping, shape (s, l); NaN where it has none."""
    gradients_base: NDArray[np.float64]
    """Gradient norm of each layer's own parameters, before clipping, shape (s, l); 0 where they are frozen while others
    train; NaN where it has none, or where none of the model's own parameters train."""
    not_finite: tuple[tuple[int, str], ...]
    """Steps at which something was infinite or not a number, and what: ("loss", "layer 3", "layer 3 (adapter)")."""
    clipped: NDArray[np.bool_]
    """Whether the gradients of a step are told as they were after clipping, shape (s,); their sizes relative to each
    other hold in any case."""
    evaluation_step: NDArray[np.int64]
    """Steps after which it was evaluated, shape (e,), ascending; 0 is before training."""
    metrics: dict[str, NDArray[np.float64]]
    """For each metric its value at each evaluation, shape (e,)."""
    metric: str | None
    """Which of `metrics` stands for them all; None without evaluations."""
    best: int | None
    """Step of the best evaluation: as the training says, else by `metric` (a loss: the lowest)."""
    checkpoints: tuple[int, ...]
    """Steps at which it was saved."""
    resumed: tuple[int, ...]
    """Steps that had been done when it was resumed, one number a resumption."""
    steps: int
    """Steps planned; 0 where a log does not say."""
    seconds_left: float
    """Until its last step, if it goes on like this; NaN before it is known."""
    doing: str | None
    """What it does outside of its steps, in a few words; None within them."""
    reason: str | None
    """Why it ended: "finished", "early stop" or "stopped"; None while it runs, or where a log does not say."""
    encoder: str | None
    """What is trained."""
    data: str | None
    """What it is trained on."""
    loss_name: str | None
    """Which loss: "infonce", ..., or the name of its class."""
    pairs: str | None
    """What the negatives are: "in batch", "given", "labelled pairs" or "classes"; None where there are none."""
    method: str | None
    """"lora" or "full"."""
    examples: int | None
    """Training examples."""
    batch: int | None
    """Examples a step."""
    parameters: int | None
    """Numbers in the encoder."""
    trainable: int | None
    """How many of them are trained."""
    source: str
    """Whose log it is: "embedscope", "sentence-transformers", "tensorboard" or "evaluation table"."""
    notices: tuple[str, ...]
    """What this log cannot tell, and what was left out in reading it, in sentences."""

    @property
    def last(self) -> int:
        """The last step that was done; 0 before the first."""
        return int(self.step[-1]) if len(self.step) else 0

    @property
    def has_pairs(self) -> bool:
        """Whether it tells how similar pairs are."""
        return bool(np.isfinite(self.gap).any())

    @property
    def monitor_share(self) -> float:
        """Median share of a step that the monitor took, 0 to 1; NaN where it is not told."""
        told = np.isfinite(self.monitor_seconds) & (self.seconds > 0)
        return float(np.median(self.monitor_seconds[told] / self.seconds[told])) if told.any() else math.nan

    def gradients(self, side: str) -> NDArray[np.float64]:
        """Gradient norms (s, l) of one side: "adapter" or "base"."""
        return self.gradients_adapter if side == "adapter" else self.gradients_base

    @property
    def sides(self) -> tuple[str, ...]:
        """Which sides have gradients: "adapter" and "base", either, or none."""
        return tuple(side for side in ("adapter", "base") if np.isfinite(self.gradients(side)).any())
