"""Frozen norms: every norm of an encoder with its scale held as it was for the same texts, which makes it linear.

A layer norm takes the mean off a token's state, divides by its spread, multiplies by a gain and adds a bias; an RMS
norm leaves the mean where it is. All of it but the dividing is linear (affine) already.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

_LEAST_LENGTH = 1e-12
_TRIED = 8  # texts, and tokens of each, by which a norm's form is told


class FrozenNorms:
    """The norms of one pass: measured in the first, held in the next."""

    def __init__(self, modules: Sequence[Any]) -> None:
        """Find the norms among the modules of an encoder; those that are of no known form are left as they are."""
        inner = [norm for module in modules for norm in module.modules()]
        self._norms = [module for module in inner if "Norm" in type(module).__name__ and not list(module.children())]
        self._norms = [module for module in self._norms if type(module).__name__ != "Normalize"]
        self._scales: list[tuple[bool, Any, Tensor] | None] = []
        self._lengths: list[Tensor] = []
        self._next = (0, 0)
        self._measured = False

    @contextmanager
    def measuring(self) -> Iterator[None]:
        """Each norm's scale is taken from what it is given, and no gradient goes through it."""
        with self._hooked():
            yield
        self._measured = True

    @contextmanager
    def held(self) -> Iterator[None]:
        """Each norm's scale is what it was when measured, in the order of the calls."""
        self._next = (0, 0)
        with self._hooked():
            yield

    def normalise(self, pooled: "Tensor") -> "Tensor":
        """Divide vectors, shape (b, d), by their lengths, as measured."""
        if not self._measured:
            self._lengths.append(pooled.detach().norm(dim=-1, keepdim=True).clamp(min=_LEAST_LENGTH))
            return pooled / self._lengths[-1]
        norms, lengths = self._next
        self._next = (norms, lengths + 1)
        return pooled / self._lengths[lengths]

    def _of_norm(self, module: Any, args: tuple[Any, ...], output: "Tensor") -> "Tensor | None":
        given = args[0] if args else None
        if given is None:
            return None
        if not self._measured:
            self._scales.append(_form(module, given.detach(), output.detach()))
            form = self._scales[-1]
        else:
            norms, lengths = self._next
            self._next = (norms + 1, lengths)
            form = self._scales[norms]
        return None if form is None else _apply(module, given, *form).to(output.dtype)

    @contextmanager
    def _hooked(self) -> Iterator[None]:
        handles = [norm.register_forward_hook(self._of_norm) for norm in self._norms]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()


def _form(module: Any, given: "Tensor", output: "Tensor") -> "tuple[bool, Any, Tensor] | None":
    """Whether a norm takes the mean off, its gain, and its scales, shape (..., 1); None where it does neither."""
    import torch

    epsilon = next((getattr(module, name) for name in ("eps", "variance_epsilon") if hasattr(module, name)), None)
    if not isinstance(output, torch.Tensor) or epsilon is None:
        return None
    weight = getattr(module, "weight", None)
    gains = [1.0] if weight is None else [weight.detach(), 1 + weight.detach()]
    near = 0.05 if output.dtype in (torch.bfloat16, torch.float16) else 1e-3
    few = (slice(0, _TRIED),) * (given.ndim - 1)  # tokens that tell one form from another
    for centred in (True, False):
        for gain in gains:
            made = _apply(module, given[few], centred, gain, _scale(given[few], centred, epsilon))
            if torch.allclose(made, _wide(output[few]), rtol=near, atol=near / 10):
                return centred, gain, _scale(given, centred, epsilon)
    return None


def _scale(given: "Tensor", centred: bool, epsilon: float) -> "Tensor":
    """What a norm multiplies each state with, shape (..., 1)."""
    state = _wide(given)
    mean = state.mean(dim=-1, keepdim=True)
    spread = (state - mean if centred else state).square().mean(dim=-1, keepdim=True)
    return (spread + epsilon).rsqrt()


def _apply(module: Any, given: "Tensor", centred: bool, gain: Any, scale: "Tensor") -> "Tensor":
    state = _wide(given)
    if centred:
        state = state - state.mean(dim=-1, keepdim=True)
    bias = getattr(module, "bias", None)
    made: Tensor = state * scale * gain
    return made if bias is None else made + bias.detach()


def _wide(states: "Tensor") -> "Tensor":
    import torch

    return states if states.dtype == torch.float64 else states.float()
