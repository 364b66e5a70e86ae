"""Sides: the gradients of adapters, of the base, or of the whole model, each to be judged by itself."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.finetune.monitor.finding import NOTE, WARNING, Finding
from lib.finetune.monitor.log import FinetuneLog

_CALLED = {"embeddings": "the embedding layer", "after the layers": "the part after the layers"}


@dataclass(frozen=True)
class Side:
    """The gradients of one side, s steps of l layers; or of the whole model, as a side of one layer without a name."""

    name: str | None
    """"adapter" or "base"; None for the whole model."""
    step: NDArray[np.int64]
    """Number of each step, shape (s,)."""
    layers: tuple[str | None, ...]
    """The l layers of which something is known."""
    norms: NDArray[np.float64]
    """Shape (s, l)."""

    def who(self, layer: str | None) -> str:
        """A layer in words, at the beginning of a sentence."""
        if layer is None:
            return {None: "The gradient", "adapter": "Several layers' adapters"}.get(self.name, "Several layers")
        if self.name == "adapter":
            return f"The adapter of {_CALLED.get(layer, layer)}"
        called = _CALLED.get(layer, layer)
        return called[:1].upper() + called[1:]

    def finding(
        self, kind: str, place: tuple[int, int, str | None], *, note: bool = False, says: str, rule: str
    ) -> Finding:
        """A finding about the steps from one row to another, of a layer or of several."""
        first, last, layer = place
        return Finding(
            kind=kind,
            severity=NOTE if note else WARNING,
            side=self.name,
            layer=layer,
            first_step=int(self.step[first]),
            last_step=int(self.step[last]),
            sentence=f"{self.who(layer)} {says}",
            rule=rule,
        )


def sides_of(log: FinetuneLog) -> list[Side]:
    """The sides that have gradients; the norm of the whole model only where nothing is told by layer."""
    sides = []
    for name in log.sides:
        norms = log.gradients(name)
        known = np.flatnonzero(np.isfinite(norms).any(axis=0))
        sides.append(Side(name, log.step, tuple(log.layers[place] for place in known), norms[:, known]))
    if not sides and np.isfinite(log.grad_norm).any():
        sides.append(Side(None, log.step, (None,), log.grad_norm[:, None]))
    return sides
