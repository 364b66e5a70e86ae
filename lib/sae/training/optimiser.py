"""One step of Adam on the unit sphere: schedule, cut, projected gradient, rows of length 1 again."""

from typing import TYPE_CHECKING

from lib.sae.training.settings import TrainingSettings
from lib.sae.training.weights import Weights, unit_rows

if TYPE_CHECKING:
    from torch import Tensor

_KEPT = ("step", "exp_avg", "exp_avg_sq")


def learning_rate(settings: TrainingSettings, step: int, end: int | None = None) -> float:
    """Of the step after `step` steps, for settled settings: rises from 0, stays, falls to 0, all linearly.

    A training that ends sooner than planned, after `end` steps, falls within its last steps all the same.
    """
    steps, height = settings.steps or 1, settings.learning_rate or 0.0
    rising, falling = settings.warmup * steps, settings.decay * steps
    rise = (step + 1) / rising if step + 1 < rising else 1.0
    left = (end or steps) - step
    fall = left / falling if left < falling else 1.0
    return height * min(rise, fall)


class Optimiser:
    """Adam over the weights, with decoder rows kept at length 1."""

    def __init__(self, weights: Weights, settings: TrainingSettings) -> None:
        import torch

        self._settings, self._decoder = settings, weights.decoder
        self._tensors: dict[str, Tensor] = {}
        self._adam = torch.optim.Adam(
            list(weights.named().values()), lr=settings.learning_rate or 0.0, betas=settings.betas, eps=1e-8, fused=True
        )
        for name, tensor in weights.named().items():
            self._know(name, tensor)

    def add(self, name: str, tensor: "Tensor", *, factor: float) -> None:
        """Change `tensor` too, `factor` times as fast."""
        self._adam.add_param_group({"params": [tensor], "factor": factor})
        self._know(name, tensor)

    def step(self, gradients: Weights, rate: float) -> "Tensor":
        """Go one step down `gradients`, whose decoder rows lie in the tangent; gives their length before the cut."""
        import torch

        given = gradients.named()
        lengths = [torch.linalg.vector_norm(tensor) for tensor in given.values()]
        norm: Tensor = torch.linalg.vector_norm(torch.stack(lengths))
        if self._settings.clip is not None and float(norm) > self._settings.clip:
            for tensor in given.values():
                tensor.mul_(self._settings.clip / norm)
        for name, tensor in self._tensors.items():
            tensor.grad = given[name]
        for group in self._adam.param_groups:
            group["lr"] = rate * group.get("factor", 1.0)
        self._adam.step()
        unit_rows(self._decoder)
        return norm

    def state(self) -> dict[str, "Tensor"]:
        """Steps and both moments of every weight, by name."""
        named = self._tensors.items()
        return {f"{kept}.{name}": self._adam.state[tensor][kept] for name, tensor in named for kept in _KEPT}

    def restore(self, state: dict[str, "Tensor"]) -> None:
        """Go on from what `state` gave."""
        for name, tensor in self._tensors.items():
            for kept in _KEPT:
                self._adam.state[tensor][kept].copy_(state[f"{kept}.{name}"])

    def _know(self, name: str, tensor: "Tensor") -> None:
        import torch

        self._tensors[name] = tensor
        self._adam.state[tensor] = {
            "step": torch.zeros((), device=tensor.device),
            "exp_avg": torch.zeros_like(tensor),
            "exp_avg_sq": torch.zeros_like(tensor),
        }
