"""A training between two steps: weights, moments, counters; what a step does to them; how they are kept."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lib.errors import InputError
from lib.sae.training.auxiliary import auxiliary
from lib.sae.training.checkpoint import Checkpoint
from lib.sae.training.jumprelu import thresholds_gradient, thresholds_started
from lib.sae.training.optimiser import Optimiser, learning_rate
from lib.sae.training.selection import Active, above_thresholds, batch_top_k, top_k
from lib.sae.training.settings import TrainingSettings
from lib.sae.training.step import Step, bands_of, reconstruction, sparse_step
from lib.sae.training.weights import started

if TYPE_CHECKING:
    from torch import Tensor

_MEMORY, _YOUNG = 0.99, 10
"""Of BatchTopK's threshold, a running mean of each batch's smallest kept activation over some 100 batches, at first
over fewer."""
_THRESHOLDS_FACTOR = 10.0
"""Learning rate of the logarithms of JumpReLU's thresholds, in units of the weights'."""


class State:
    """Weights, moments and counters of a training with settled settings, over d dimensions.

    Its directions start at `examples` (at most n, d), centred and scaled; random ones make up the number.
    """

    def __init__(self, settings: TrainingSettings, d: int, examples: NDArray[np.float32] | None = None) -> None:
        import torch

        self.settings = settings
        self.device = _device(settings)
        self.half = _half(settings, self.device)
        self.weights = started(settings, d, self.device, examples)
        self.bands = bands_of(settings.features, settings.prefixes, self.device)
        self.idle = torch.zeros(settings.features, dtype=torch.int64, device=self.device)
        """Texts since each feature fired."""
        self.step, self.rate = 0, 0.0
        self.end = settings.steps or 0
        """Steps after which it is done: those planned, or fewer."""
        self.edge: float | None = None
        """BatchTopK: the threshold as learnt so far. JumpReLU: the same, until each feature gets its own."""
        self.last_edge: float | None = None
        self.norm = torch.zeros((), device=self.device)
        self.losses, self.loss_count = torch.zeros(2, dtype=torch.float64, device=self.device), 0
        """Sums of loss and objective, and of how many steps."""
        self.optimiser = Optimiser(self.weights, settings)

    @property
    def samples(self) -> int:
        """Training texts seen, each as often as it was seen."""
        return self.step * self.settings.batch_size

    def learn(self, batch: NDArray[np.float32]) -> None:
        """One step on a batch (b, d) of centred, scaled vectors."""
        import torch

        settings, weights = self.settings, self.weights
        inputs = torch.from_numpy(batch).to(self.device)
        if self.step == 0:
            self._fit_length(inputs)
        active = self._active(inputs)
        found = sparse_step(weights, inputs, active, self.bands, len(settings.prefixes) + 1)
        gradients = found.gradients
        gradients.decoder.addcmul_(weights.decoder, found.along.unsqueeze(1), value=-1)
        if weights.log_thresholds is not None:
            width = settings.bandwidth * (self.edge or 0.0)
            gradients.log_thresholds = thresholds_gradient(
                weights, active, found, texts=len(inputs), width=width, settings=settings
            )
        self._revive(inputs, found)
        self.rate = learning_rate(settings, self.step, self.end)
        self.norm = self.optimiser.step(gradients, self.rate)
        self.idle += len(inputs)
        self.idle[found.counts > 0] = 0
        self.losses += torch.stack([found.whole, found.loss])
        self.loss_count += 1
        self.step += 1

    def wind_up(self) -> None:
        """Jump to the decay: let the learning rate fall from here on, over its full length, and be done then.

        Where it falls already, nothing changes.
        """
        self.end = min(self.end, self.step + round(self.settings.decay * (self.settings.steps or 0)))

    def mean_losses(self) -> tuple[float, float]:
        """Mean loss of the whole dictionary, and mean objective, since this was last asked."""
        whole, objective = (self.losses / max(1, self.loss_count)).tolist()
        self.losses.zero_()
        self.loss_count = 0
        return whole, objective

    def dead_share(self) -> float:
        """Share of features that have not fired for `dead_after` texts."""
        return float((self.idle >= (self.settings.dead_after or 0)).float().mean())

    def kept(self, more: dict[str, Any]) -> Checkpoint:
        """Everything that the next step depends on, and `more`."""
        tensors = {**self.weights.named(), **self.optimiser.state(), "idle": self.idle}
        numbers = {
            "step": self.step,
            "end": self.end,
            "edge": self.edge,
            "last_edge": self.last_edge,
            "rate": self.rate,
        }
        sums = {"losses": self.losses.tolist(), "loss_count": self.loss_count, "norm": float(self.norm)}
        arrays = {name: tensor.detach().cpu().numpy() for name, tensor in tensors.items()}
        return Checkpoint(arrays, {**numbers, **sums, **more})

    def restore(self, kept: Checkpoint) -> None:
        """Go on from what `kept` gave."""
        import torch

        tensors = {name: torch.from_numpy(np.array(array)).to(self.device) for name, array in kept.tensors.items()}
        state = kept.state
        for name in ("step", "end", "edge", "last_edge", "rate"):
            setattr(self, name, state[name])
        if "log_thresholds" in tensors:
            self._free_thresholds()
        for name, tensor in self.weights.named().items():
            tensor.copy_(tensors[name])
        self.idle.copy_(tensors["idle"])
        self.optimiser.restore(tensors)
        self.losses.copy_(torch.tensor(state["losses"], dtype=torch.float64))
        self.norm.fill_(state["norm"])
        self.loss_count = state["loss_count"]

    def _active(self, inputs: "Tensor") -> Active:
        """Who fires."""
        settings, weights = self.settings, self.weights
        centred = inputs - weights.decoder_bias
        if settings.rule == "topk":
            return top_k(weights, centred, settings.k, half=self.half)
        if settings.rule == "jumprelu" and self.step >= max(1, settings.warmup * (settings.steps or 0)):
            if weights.log_thresholds is None:
                self._free_thresholds()
            return above_thresholds(weights, centred, settings.bandwidth * (self.edge or 0.0), half=self.half)
        active, edge = batch_top_k(weights, centred, settings.k, half=self.half, last_edge=self.last_edge)
        memory = min(_MEMORY, (self.step + 1) / (self.step + _YOUNG))
        self.edge = edge if self.edge is None else memory * self.edge + (1 - memory) * edge
        self.last_edge = edge
        return active

    def _fit_length(self, inputs: "Tensor") -> None:
        """Shrink the encoder, still the decoder's transpose, so that reconstructions have the best length."""
        active, _ = batch_top_k(self.weights, inputs, self.settings.k, half=False, last_edge=None)
        made = reconstruction(self.weights, active, len(inputs))
        self.weights.encoder *= (inputs * made).sum() / made.square().sum().clamp_(min=1e-12)

    def _free_thresholds(self) -> None:
        """JumpReLU: from now on each feature has a threshold of its own."""
        self.weights.log_thresholds = thresholds_started(self.settings.features, self.edge or 0.0, self.device)
        self.optimiser.add("log_thresholds", self.weights.log_thresholds, factor=_THRESHOLDS_FACTOR)

    def _revive(self, inputs: "Tensor", found: Step) -> None:
        """Add what dead features learn from the error to the gradients."""
        settings, gradients = self.settings, found.gradients
        dead = (self.idle >= (settings.dead_after or 0)).nonzero().view(-1)
        if not len(dead) or not settings.aux_coefficient:
            return
        term = auxiliary(
            self.weights, inputs, found.error, dead, k=settings.aux_k or 1, coefficient=settings.aux_coefficient
        )
        directions = self.weights.decoder[dead]
        along = (term.decoder * directions).sum(dim=1, keepdim=True)
        gradients.encoder.index_add_(0, dead, term.encoder)
        gradients.encoder_bias.index_add_(0, dead, term.encoder_bias)
        gradients.decoder.index_add_(0, dead, term.decoder - along * directions)
        gradients.decoder_bias -= term.encoder_bias @ self.weights.encoder[dead]


def _device(settings: TrainingSettings) -> str:
    import torch

    there = torch.cuda.is_available()
    if settings.device == "cuda" and not there:
        raise InputError("Training on cuda was asked for and PyTorch finds no CUDA device: choose cpu or auto.")
    return "cuda" if there and settings.device != "cpu" else "cpu"


def _half(settings: TrainingSettings, device: str) -> bool:
    """Whether the dense product, and with it the kept activations, is bfloat16's while training."""
    import torch

    from lib.encoders.precision import bfloat16_available

    native = torch.cuda.is_bf16_supported() if device == "cuda" else bfloat16_available()
    return settings.precision == "bfloat16" or (settings.precision == "auto" and native)
