"""Gradients by layer: which parameters belong to which part of an encoder, and the norms of their gradients."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from lib.results import Result

if TYPE_CHECKING:
    from torch import Tensor, nn

EMBEDDINGS, AFTER = "embeddings", "after the layers"
_NUMBERED = re.compile(r"(?:^|\.)(?:\w+_)?(?:layers?|h|blocks?|groups)\.(\d+)\.")
_BEFORE = re.compile(r"embed|wte|wpe|relative_attention_bias|shared\.")
_ADAPTER = re.compile(
    r"(?:^|\.)(?:lora_|ia3_|hada_|lokr_|oft_|boft_|vera_|vblora_|fourierft_|hra_|randlora_|adaption_|adapter|"
    r"prompt_encoder|modules_to_save|trainable_tokens)"
)


@dataclass(frozen=True)
class ModelSize(Result):
    """What of a model is trained."""

    layers: tuple[str, ...]
    """Its parts from the input on, as the log names them."""
    parameters: int
    """Numbers in it."""
    trainable: int
    """How many of them are trained."""


def describe_model(model: "nn.Module") -> ModelSize:
    """The names of a model's layers and the sizes for the `begin` event."""
    sizes = [(parameter.numel(), parameter.requires_grad) for parameter in model.parameters()]
    return ModelSize(
        layers=layer_names(name for name, _ in model.named_parameters()),
        parameters=sum(size for size, _ in sizes),
        trainable=sum(size for size, trained in sizes if trained),
    )


def layer_of(parameter: str) -> str:
    """The part of the encoder that a parameter belongs to, by its name: the outermost numbered block, if any."""
    if numbered := _NUMBERED.search(parameter):
        return f"layer {int(numbered[1]) + 1}"
    return EMBEDDINGS if _BEFORE.search(parameter) else AFTER


def layer_names(parameters: Iterable[str]) -> tuple[str, ...]:
    """The parts that these parameters belong to, from the input on."""
    found = {layer_of(name) for name in parameters}
    numbers = sorted(int(name.split()[1]) for name in found - {EMBEDDINGS, AFTER})
    names = (EMBEDDINGS, *(f"layer {number}" for number in numbers), AFTER)
    return tuple(name for name in names if name in found)


def side_of(parameter: str) -> str:
    """Whether it is of the "adapter" or of the "base", by the names that peft gives."""
    return "adapter" if _ADAPTER.search(parameter) else "base"


class LayerGradients:
    """The gradients of a model, summed up by side and layer."""

    def __init__(self, model: "nn.Module") -> None:
        """Sort the parameters of `model` once."""
        named = list(model.named_parameters())
        self.layers = layer_names(name for name, _ in named)
        self._places = [(side, layer) for side in ("adapter", "base") for layer in self.layers]
        place = {key: index for index, key in enumerate(self._places)}
        self.parameters = [(parameter, place[side_of(name), layer_of(name)]) for name, parameter in named]
        self._present = {index for _, index in self.parameters}

    def norms(self) -> "tuple[Tensor, set[int]] | None":
        """The norm of each place's gradients, shape (2 * layers,), and the places that have any; None without any."""
        found = [(parameter.grad, index) for parameter, index in self.parameters if parameter.grad is not None]
        if not found:
            return None
        device = found[0][0].device
        gradients = [gradient.coalesce().values() if gradient.is_sparse else gradient for gradient, _ in found]
        each = [norm.to(device) for norm in torch._foreach_norm(gradients, 2, dtype=torch.float32)]
        at = torch.tensor([index for _, index in found], device=device)
        sums = torch.zeros(len(self._places), device=device).index_add_(0, at, torch.stack(each).square())
        return sums.sqrt(), {index for _, index in found}

    def rows(self, norms: Sequence[float], reached: set[int]) -> dict[str, list[float | None]]:
        """Both sides' norms by layer: 0 for a layer without gradients, None where there is nothing to train.

        A side none of whose parameters train is None throughout: an adapter's base rests on purpose. What lies after
        the layers may be there without being used (the pooler of BERT): without gradients it is None, too.
        """
        trained = {self._places[i][0] for p, i in self.parameters if p.requires_grad}
        found: dict[str, list[float | None]] = {"adapter": [], "base": []}
        for index, (side, layer) in enumerate(self._places):
            known = index in self._present and side in trained and (index in reached or layer != AFTER)
            found[side].append((norms[index] if index in reached else 0.0) if known else None)
        return found
