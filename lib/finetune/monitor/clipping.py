"""Clipping: by how much a trainer scaled all gradients down, from a few small ones measured before and after."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch

from lib.finetune.monitor.gradients import LayerGradients

if TYPE_CHECKING:
    from torch import Tensor

_LAYERS, _EACH = 4, 2  # watched


class ClipProbe:
    """The norms of a few small gradients before they are clipped, and again after.

    Clipping multiplies every gradient by the same number, so that the sizes before it follow from one ratio. A mixed
    precision's loss scale is in the first measurement and not in the second one; it is divided out.
    """

    def __init__(self, gradients: LayerGradients) -> None:
        """Watch the smallest trained parameters of a few layers."""
        self.seconds = 0.0
        """Spent in here since it was last set to 0."""
        self._watched = _small_ones(gradients)
        self._before: dict[int, Tensor] = {}
        self._hooks = [p.register_post_accumulate_grad_hook(self._seen) for p in self._watched]

    def _seen(self, parameter: "Tensor") -> None:
        started = time.perf_counter()
        if parameter.grad is not None and not parameter.grad.is_sparse:
            self._before[id(parameter)] = parameter.grad.detach().norm(dtype=torch.float32)
        self.seconds += time.perf_counter() - started

    def measure(self) -> "Tensor":
        """Norms before and after clipping, shape (2, watched); zeros where a parameter had no gradient."""
        pairs = [
            (self._before[id(p)], p.grad.detach().norm(dtype=torch.float32))
            for p in self._watched
            if id(p) in self._before and p.grad is not None
        ]
        self._before.clear()
        if not pairs:
            return torch.zeros(2, 0)
        device = pairs[0][0].device
        return torch.stack([torch.stack([norm.to(device) for norm in side]) for side in zip(*pairs, strict=True)])

    def remove(self) -> None:
        """Watch no more."""
        for hook in self._hooks:
            hook.remove()


def clip_factor(before: Sequence[float], after: Sequence[float], *, scale: float) -> float | None:
    """What to multiply clipped norms by to have those before; None where no gradient tells."""
    told = [(b / scale, a) for b, a in zip(before, after, strict=True) if a > 0 and 0 < b < float("inf")]
    if not told:
        return None
    b, a = max(told, key=lambda pair: pair[1])
    return b / a


def _small_ones(gradients: LayerGradients) -> "list[Tensor]":
    by_place: dict[int, list[tuple[int, int, Tensor]]] = {}
    for order, (parameter, place) in enumerate(gradients.parameters):
        if parameter.requires_grad:
            by_place.setdefault(place, []).append((parameter.numel(), -order, parameter))
    places = sorted(by_place)
    chosen = places[:: max(1, -(-len(places) // _LAYERS))]
    return [found[2] for place in chosen for found in sorted(by_place[place], key=lambda entry: entry[:2])[:_EACH]]
