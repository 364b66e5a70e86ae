"""Settings of a training: what is tuned, by which loss, on which negatives, for how long. Knows no torch."""

import math
from dataclasses import dataclass
from typing import Literal, get_args

from lib.errors import InputError
from lib.results import Result

Method = Literal["lora", "full"]
Loss = Literal["infonce", "cached infonce", "nt-xent", "triplet", "cosine"]
Negatives = Literal["none", "given", "bm25", "encoder"]
TrainingPrecision = Literal["auto", "float32", "bf16", "fp16"]

IN_BATCH: frozenset[str] = frozenset({"infonce", "cached infonce", "nt-xent"})
"""Losses for which the other pairs of a batch are negatives, so that no text may stand in a batch twice."""
LORA_RATE = 2e-4
"""Learning rate of LoRA where none is given."""
FULL_RATE = 2e-5
"""Learning rate of a full fine-tune where none is given; the usual one for encoders of BERT's size."""
TEMPERATURE = 0.05
"""Of the contrastive losses where none is given: cosines are divided by it, so 0.05 is a scale of 20."""


@dataclass(frozen=True)
class TrainingSettings(Result):
    """How an encoder is to be tuned. `check` says whether that can be done; nothing is read or loaded for it."""

    encoder: str
    """What is tuned: a name, hub id or folder that `lib.encoders.describe` takes."""
    method: Method = "lora"
    """`lora`: low-rank matrices beside frozen weights (Hu et al. 2021, arXiv:2106.09685); `full`: all weights."""
    rank: int = 8
    """Of the LoRA matrices, 1 or more; unused by `full`."""
    alpha: float = 16.0
    """LoRA's change is scaled by alpha / rank, above 0; unused by `full`."""
    dropout: float = 0.05
    """Share of what enters the LoRA matrices that is dropped in training, 0 to below 1; unused by `full`. The
    encoder's own dropout stays as its configuration says."""
    target_modules: tuple[str, ...] = ("query", "key", "value")
    """What LoRA is put beside: `query`, `key`, `value` in whatever way the architecture calls them, or the names of
    its linear layers themselves."""
    loss: Loss = "infonce"
    """What is made small; `cached infonce` is the same as `infonce` in less memory, for large batches."""
    temperature: float = TEMPERATURE
    """Of `infonce`, `cached infonce` and `nt-xent`: cosines are divided by it, above 0; unused by the others."""
    margin: float = 0.2
    """Of `triplet`: by how much cosine distance a negative is to be farther than the positive, 0 to 2; unused by the
    others."""
    matryoshka: tuple[int, ...] = ()
    """Widths at which the first dimensions are to serve alone, largest first; () leaves the vectors whole."""
    epochs: float = 1.0
    """How often each pair is seen, above 0."""
    max_steps: int | None = None
    """Steps after which it ends, whatever `epochs` says; None for no such bound."""
    batch: int = 32
    """Pairs a step, 2 or more where the other pairs of a batch are negatives."""
    mini_batch: int = 16
    """Pairs that are held in memory at once, of `cached infonce`; unused by the others."""
    learning_rate: float | None = None
    """The highest, after warming up; None takes `LORA_RATE` or `FULL_RATE`."""
    warmup: float = 0.1
    """Share of the steps over which the learning rate rises from 0, 0 to 1; it then falls in a line to 0."""
    weight_decay: float = 0.0
    """Of AdamW, 0 or more."""
    max_tokens: int | None = None
    """Tokens of a text that are read in training and validation, the rest is cut off; None reads what the encoder
    reads. The model saved reads as much as the encoder did."""
    negatives: Negatives = "given"
    """Where a pair's own negatives come from: `none`, `given` with the data, or mined among the documents where none
    are given, by `bm25` or by the `encoder` as it is before training."""
    negatives_each: int = 1
    """Negatives of each pair that are mined, 1 or more."""
    false_negative_margin: float = 0.05
    """Mined by the encoder, a document whose cosine with the anchor is above that of the positive less this share of it
    is not taken, since it may be relevant; 0 to below 1."""
    validation: float = 0.1
    """Share of the queries that is held out to judge by, 0 to 0.5; 0 holds none out: no early stop, and the last step
    is what is kept."""
    evaluate_every: int | None = None
    """Steps between evaluations; None for ten over the whole training, at least 10 steps apart."""
    patience: int = 0
    """Evaluations without a gain in NDCG@10 after which it ends; 0: never."""
    precision: TrainingPrecision = "auto"
    """Of the arithmetic: `auto` takes bf16 or fp16 where a graphics processor has it and float32 elsewhere; the
    weights themselves stay in float32."""
    seed: int = 0
    """Of all that is drawn: split, order of the pairs, LoRA's beginning, dropout; 0 to 2 ** 32 - 1."""
    checkpoint_every: int = 50
    """Steps between checkpoints, 1 or more: what a kill may cost at most."""

    @property
    def rate(self) -> float:
        """The highest learning rate that takes effect."""
        if self.learning_rate is not None:
            return self.learning_rate
        return LORA_RATE if self.method == "lora" else FULL_RATE

    @property
    def in_batch(self) -> bool:
        """Whether the other pairs of a batch are negatives."""
        return self.loss in IN_BATCH

    def evaluation_steps(self, steps: int) -> int:
        """Steps between evaluations of a training of `steps`."""
        return self.evaluate_every or max(10, math.ceil(steps / 10))

    def check(self) -> None:
        """Refuse settings that no training can have.

        Raises:
            InputError: the first of them that cannot be.
        """
        if not self.encoder.strip():
            raise InputError("The encoder to tune has no name: give a hub id or a folder.")
        _one_of("method", self.method, get_args(Method))
        _one_of("loss", self.loss, get_args(Loss))
        _one_of("negatives", self.negatives, get_args(Negatives))
        _one_of("precision", self.precision, get_args(TrainingPrecision))
        _whole("The rank of LoRA", self.rank, 1, 1_024)
        _number("LoRA's alpha", self.alpha, above=0, most=1e6)
        _number("LoRA's dropout", self.dropout, least=0, below=1)
        if not self.target_modules or not all(isinstance(name, str) and name for name in self.target_modules):
            raise InputError("LoRA needs the names of the layers it is put beside, such as query, key and value.")
        _number("The temperature", self.temperature, above=0, most=100)
        _number("The margin of the triplet loss", self.margin, least=0, most=2)
        self._check_matryoshka()
        _number("Epochs", self.epochs, above=0, most=10_000)
        if self.max_steps is not None:
            _whole("The most steps", self.max_steps, 1, 10**9)
        _whole("Pairs a step", self.batch, 2 if self.in_batch else 1, 65_536)
        _whole("Pairs in memory at once", self.mini_batch, 1, 65_536)
        _number("The learning rate", self.rate, above=0, most=1)
        _number("The share of the steps to warm up", self.warmup, least=0, most=1)
        _number("Weight decay", self.weight_decay, least=0, most=10)
        if self.max_tokens is not None:
            _whole("Tokens of a text", self.max_tokens, 8, 1_000_000)
        self._check_negatives()
        _number("The share of the queries held out", self.validation, least=0, most=0.5)
        if self.evaluate_every is not None:
            _whole("Steps between evaluations", self.evaluate_every, 1, 10**9)
        _whole("Patience", self.patience, 0, 10**6)
        if self.patience and not self.validation:
            raise InputError("An early stop needs queries held out: hold some out, or set patience to 0.")
        _whole("A seed", self.seed, 0, 2**32 - 1)
        _whole("Steps between checkpoints", self.checkpoint_every, 1, 10**9)

    def _check_matryoshka(self) -> None:
        widths = self.matryoshka
        for width in widths:
            _whole("A width of Matryoshka", width, 1, 1_000_000)
        if list(widths) != sorted(set(widths), reverse=True):
            raise InputError(
                f"The widths of Matryoshka are named once each, largest first, got {', '.join(map(str, widths))}."
            )

    def _check_negatives(self) -> None:
        if self.loss == "triplet" and self.negatives == "none":
            raise InputError(
                "The triplet loss needs a negative for each pair: take those given with the data, or have them mined."
            )
        _whole("Negatives of each pair", self.negatives_each, 1, 64)
        _number("The margin against false negatives", self.false_negative_margin, least=0, below=1)


def _one_of(what: str, value: object, known: tuple[str, ...]) -> None:
    if value not in known:
        raise InputError(f"The {what} is one of {', '.join(known)}, got {str(value)[:40]!r}.")


def _whole(what: str, value: object, least: int, most: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise InputError(f"{what}: expected a whole number from {least:,} to {most:,}, got {str(value)[:40]}.")


def _number(
    what: str,
    value: float,
    *,
    least: float = -math.inf,
    above: float = -math.inf,
    most: float = math.inf,
    below: float = math.inf,
) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InputError(f"{what}: expected a number, got {str(value)[:40]}.")
    if not (least <= value <= most and above < value < below):
        low = f"{least:g}" if math.isfinite(least) else f"above {above:g}"
        high = f"{most:g}" if math.isfinite(most) else f"below {below:g}"
        raise InputError(f"{what}: expected a number from {low} to {high}, got {value:g}.")
