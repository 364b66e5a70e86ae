"""Sums over texts of what each head does, batch by batch: memory does not grow with the number of texts."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

TARGETS = ("first", "last", "self", "previous", "next")
"""Tokens that a head may look at, named by their place: the first and last of the text, and relative to the one that
looks."""
_SELF = TARGETS.index("self")


@dataclass
class HeadSums:
    """Running sums over texts; a text that stands several times in the corpus counts as often."""

    entropy: NDArray[np.float64]
    """Of each text's mean normalised entropy, shape (layers, heads)."""
    squares: NDArray[np.float64]
    """Of its square, shape (layers, heads)."""
    texts: NDArray[np.int64]
    """Texts behind them, shape (layers,)."""
    masses: NDArray[np.float64]
    """Of each text's mean attention to each target, shape (layers, heads, targets)."""
    mass_texts: NDArray[np.int64]
    """Texts in which a token could look at the target, shape (layers, targets)."""
    norms: NDArray[np.float64]
    """Of each text's mean length of the head's contribution, shape (layers, heads)."""
    totals: NDArray[np.float64]
    """Of each text's mean length of all heads' contributions together, shape (layers,)."""
    later: NDArray[np.bool_]
    """Whether a token was seen to look at a later one, shape (layers,)."""
    narrowed: NDArray[np.bool_]
    """Whether a token could not look at all tokens (or, where none looks ahead, all earlier ones), shape (layers,)."""

    @classmethod
    def empty(cls, layers: int, heads: int) -> "HeadSums":
        """Sums over no text."""
        return cls(
            entropy=np.zeros((layers, heads)),
            squares=np.zeros((layers, heads)),
            texts=np.zeros(layers, np.int64),
            masses=np.zeros((layers, heads, len(TARGETS))),
            mass_texts=np.zeros((layers, len(TARGETS)), np.int64),
            norms=np.zeros((layers, heads)),
            totals=np.zeros(layers),
            later=np.zeros(layers, bool),
            narrowed=np.zeros(layers, bool),
        )

    def add_maps(self, layer: int, maps: "Tensor", *, keys: "Tensor", real: "Tensor", times: "Tensor") -> None:
        """Add a layer's maps of some texts.

        Args:
            layer: which one.
            maps: shape (b, heads, t, t).
            keys: which tokens each token may look at, shape (b, t, t).
            real: which tokens are no padding, shape (b, t).
            times: how often each text counts, shape (b,), float64.
        """
        seen = keys.sum(dim=-1)  # (b, t): how many tokens each may look at
        measured = real & (seen > 1)
        entropy = _entropies(maps) / seen.clamp_min(2).log()[:, None].to(maps.dtype)  # (b, heads, t)
        by_text, counts = _text_means(entropy[..., None], measured[:, None, :, None])
        by_text, counts = by_text[..., 0].clamp(0, 1), counts[:, 0, 0]
        self.entropy[layer] += (times @ by_text).numpy(force=True)
        self.squares[layer] += (times @ by_text.square()).numpy(force=True)
        self.texts[layer] += int(times[counts > 0].sum())

        index, possible = _targets(keys, real, measured)
        found = maps.gather(-1, index[:, None].expand(-1, maps.shape[1], -1, -1))  # (b, heads, t, targets)
        masses, counts = _text_means(found, possible[:, None])
        self.masses[layer] += (times @ masses.flatten(1)).view(masses.shape[1:]).numpy(force=True)
        self.mass_texts[layer] += (times @ (counts[:, 0] > 0).double()).long().numpy(force=True)
        self._see(layer, keys, real, seen)

    def _see(self, layer: int, keys: "Tensor", real: "Tensor", seen: "Tensor") -> None:
        later = bool((keys & real[:, :, None]).triu(1).any())
        self.later[layer] |= later
        possible = real.sum(dim=1, keepdim=True) if later else real.cumsum(dim=1)
        self.narrowed[layer] |= bool((real & (seen < possible)).any())

    def add_outputs(self, layer: int, outputs: "Tensor", *, weight: "Tensor", real: "Tensor", times: "Tensor") -> None:
        """Add the contributions of a layer's heads to the residual stream, in texts of two tokens and more.

        Args:
            layer: which one.
            outputs: what the heads give, shape (b, t, heads, size).
            weight: what takes it to the residual stream, shape (heads, size, d), float32 or finer.
            real: which tokens are no padding, shape (b, t).
            times: how often each text counts, shape (b,), float64.
        """
        measured = real & (real.sum(dim=1, keepdim=True) > 1)
        total = weight.new_zeros(())
        for head in range(outputs.shape[2]):
            part = outputs[:, :, head].to(weight.dtype) @ weight[head]  # (b, t, d)
            total = total + part
            self.norms[layer, head] += _weighed_norm(part, measured, times)
        self.totals[layer] += _weighed_norm(total, measured, times)


def _entropies(maps: "Tensor") -> "Tensor":
    """Shannon entropy of every row in nats, shape (b, heads, t); one head at a time, so that copies stay small."""
    import torch

    tiny = torch.finfo(torch.float32).tiny
    rows = []
    for head in maps.unbind(dim=1):
        if head.dtype in (torch.bfloat16, torch.float16):  # rounded so coarsely that rows do not sum to 1
            head = head.float()
            head = head / head.sum(dim=-1, keepdim=True)
        rows.append(-(head * head.clamp_min(tiny).log_()).sum(dim=-1))
    return torch.stack(rows, dim=1)


def _targets(keys: "Tensor", real: "Tensor", measured: "Tensor") -> "tuple[Tensor, Tensor]":
    """For each token the places of its targets, and whether it could look there, both shape (b, t, targets).

    The first and the last token are targets of the others only: looking at itself is told once.
    """
    import torch

    b, t = real.shape
    here = torch.arange(t, device=real.device).expand(b, t)
    first = real.int().argmax(dim=1, keepdim=True)
    last = t - 1 - real.flip(1).int().argmax(dim=1, keepdim=True)
    index = torch.stack([first.expand(b, t), last.expand(b, t), here, here - 1, here + 1], dim=-1)
    inside = (index >= 0) & (index < t)
    index = index.clamp(0, t - 1)
    other = index != here[..., None]
    other[..., _SELF] = True
    return index, inside & other & keys.gather(-1, index) & measured[..., None]


def _text_means(values: "Tensor", counted: "Tensor") -> "tuple[Tensor, Tensor]":
    """Mean over the tokens that are counted, dimension 2 of (b, heads, t, m), and how many they are; 0 of none."""
    import torch

    counts = counted.sum(dim=2)
    sums = torch.where(counted, values, values.new_zeros(())).double().sum(dim=2)
    return sums / counts.clamp_min(1), counts


def _weighed_norm(vectors: "Tensor", counted: "Tensor", times: "Tensor") -> float:
    """Sum over texts of the mean length of the vectors counted, shape (b, t, d)."""
    lengths, _ = _text_means(vectors.norm(dim=-1)[:, None, :, None], counted[:, None, :, None])
    return float(times @ lengths[:, 0, 0])
