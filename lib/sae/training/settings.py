"""What a training is told, with the rules that fill in what is left open."""

from dataclasses import dataclass, replace
from typing import Literal, get_args

from lib.errors import InputError
from lib.results import Result
from lib.sae.autoencoder import Rule

Device = Literal["auto", "cpu", "cuda"]
TrainingPrecision = Literal["auto", "float32", "bfloat16"]
Start = Literal["texts", "random"]

_EVALUATIONS = 40
_RATE, _RATE_FEATURES, _MOST_RATE = 3e-3, 4_096, 1e-2


@dataclass(frozen=True)
class TrainingSettings(Result):
    """Every choice of a training. None means: by the rule beside it; `Trained.settings` tells what it came to."""

    features: int = 4_096
    """Features of the dictionary, n."""
    k: int = 64
    """Features that fire a text: at most (TopK), or on average (BatchTopK, JumpReLU)."""
    rule: Rule = "batchtopk"
    """Which pre-activations are kept: topk, batchtopk or jumprelu."""
    prefixes: tuple[int, ...] = ()
    """Matryoshka: sizes, ascending and below n, of the nested dictionaries that reconstruct by themselves too."""
    start: Start = "texts"
    """Where the directions start: at training texts drawn at random (from the mean outwards), which saves most of the
    steps that random directions need; or at random ones."""
    passes: int = 10
    """How often each training text is seen, unless `steps` is given or the training stops early."""
    steps: int | None = None
    """Steps of the optimiser; None for `passes` times the batches that the training texts fill."""
    batch_size: int = 2_048
    """Texts a step; lowered to the number of training texts."""
    learning_rate: float | None = None
    """Adam's, at its height; None for 0.003 times the root of 4,096 / n, at most 0.01."""
    warmup: float = 0.05
    """Share of the steps in which the learning rate rises from 0, linearly; 0 to 1."""
    decay: float = 0.5
    """Share of the steps, the last ones, in which it falls to 0, linearly; 0 to 1. Much of the gain comes while it
    falls: on the same texts 24 passes with .7 reached a held-out FVU of .128, 30 passes with .2 one of .129."""
    betas: tuple[float, float] = (0.9, 0.999)
    """Adam's two decay rates, each from 0 to below 1."""
    clip: float | None = 1.0
    """Norm that the gradient of all weights together is cut to; None for no cut. The loss is a share of variance."""
    aux_k: int | None = None
    """Dead features that reconstruct the error of each text, so that they come alive; None for half the dimensions."""
    aux_coefficient: float = 1 / 32
    """Weight of that loss; 0 leaves it away."""
    dead_after: int | None = None
    """Texts without firing after which a feature counts as dead; None for the training texts of one pass, at most
    100,000 and at least ten batches."""
    bandwidth: float = 0.5
    """JumpReLU: width of the window around a threshold in which a gradient reaches it, in units of the thresholds
    that it starts from."""
    sparsity: float = 1.0
    """JumpReLU: weight of (mean active / k - 1)^2 in the loss."""
    evaluate_every: int | None = None
    """Steps between two looks at held-out texts; None for a fortieth of the steps, at least 10."""
    evaluation_texts: int = 4_096
    """Held-out texts that are looked at then (the first so many); the figures at the end are of all of them."""
    patience: int | None = 10
    """Evaluations in a row without a held-out FVU lower by 0.1 % of itself after which the training winds up: it skips
    to its decay, so that the learning rate falls at once, over as many steps as `decay` says, and then it is done. A
    dictionary is never left undecayed (but with a `decay` of 0), and one whose rate falls already goes on to its end.
    None for never."""
    held_out: float = 0.05
    """Share of the texts that is held out, if none are handed over; above 0, below 1."""
    held_out_most: int = 10_000
    """At most so many are."""
    census_texts: int = 50_000
    """Training texts that count, beside those held out, when dead features and frequencies are told at the end."""
    seed: int = 0
    """Of the start, the split and the order of the texts."""
    device: Device = "auto"
    """Where it runs; auto takes a CUDA device where there is one."""
    precision: TrainingPrecision = "auto"
    """Of the one dense product: bfloat16 where the device multiplies it itself (auto), or float32. While training it
    says who fires, and the kept activations are its values, so that bfloat16 rounds them to about 3 digits. Weights,
    sums and gradients are float32 always, and so are all held-out figures: they are measured in float32 through the
    exported dictionary."""

    def check(self) -> None:
        """Refuse what cannot be trained.

        Raises:
            InputError: it names the setting, what it may be, and what it is.
        """
        if self.rule not in get_args(Rule):
            raise InputError(f"The rule of an SAE is one of {', '.join(get_args(Rule))}, got {self.rule!r}.")
        if self.device not in get_args(Device) or self.precision not in get_args(TrainingPrecision):
            raise InputError(
                f"device is one of {', '.join(get_args(Device))} and precision one of "
                f"{', '.join(get_args(TrainingPrecision))}, got {self.device!r} and {self.precision!r}."
            )
        if self.start not in get_args(Start):
            raise InputError(f"start is one of {', '.join(get_args(Start))}, got {self.start!r}.")
        if not 0 < self.k <= self.features:
            raise InputError(f"k should lie between 1 and the {self.features:,} features, got {self.k:,}.")
        if any(not 0 < size < self.features for size in self.prefixes) or list(self.prefixes) != sorted(
            set(self.prefixes)
        ):
            raise InputError(
                f"Matryoshka prefixes should ascend and lie below the {self.features:,} features, got {self.prefixes}."
            )
        self._check_numbers()

    def _check_numbers(self) -> None:
        least_one = ("passes", "batch_size", "steps", "aux_k", "dead_after", "evaluate_every", "evaluation_texts")
        for name in (*least_one, "patience", "held_out_most"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise InputError(f"{name} should be at least 1, got {value}.")
        for name in ("learning_rate", "clip", "bandwidth"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise InputError(f"{name} should be above 0, got {value}.")
        for name in ("aux_coefficient", "sparsity", "census_texts", "seed"):
            if not getattr(self, name) >= 0:
                raise InputError(f"{name} should be 0 or more, got {getattr(self, name)}.")
        if not (self.warmup >= 0 and self.decay >= 0 and self.warmup + self.decay <= 1):
            raise InputError(f"warmup and decay are shares of the steps, got {self.warmup} and {self.decay}.")
        if not 0 < self.held_out < 1:
            raise InputError(f"held_out is a share above 0 and below 1, got {self.held_out}.")
        if len(self.betas) != 2 or not all(0 <= beta < 1 for beta in self.betas):
            raise InputError(f"betas should be two numbers from 0 to below 1, got {self.betas}.")

    def settled(self, *, dimensions: int, texts: int, batches: int) -> "TrainingSettings":
        """The settings with nothing left open, for `texts` training texts that fill `batches` batches a pass."""
        steps = self.steps or self.passes * batches
        batch = min(self.batch_size, texts)
        return replace(
            self,
            prefixes=tuple(self.prefixes),
            betas=(self.betas[0], self.betas[1]),
            steps=steps,
            passes=-(-steps // batches),
            batch_size=batch,
            learning_rate=self.learning_rate or min(_MOST_RATE, _RATE * (_RATE_FEATURES / self.features) ** 0.5),
            aux_k=min(self.aux_k or max(1, dimensions // 2), self.features),
            dead_after=self.dead_after or max(10 * batch, min(texts, 100_000)),
            evaluate_every=self.evaluate_every or max(10, steps // _EVALUATIONS),
        )
