"""JumpReLU's thresholds: where they start, and the gradient that reaches them (Rajamanoharan et al. 2024).

A step has no slope. Within a window of width w around a threshold t, taken for a rectangle kernel,

    da/dt = -(t / w) [|z - t| < w / 2]        dL0/dt = -(1 / w) [|z - t| < w / 2]

The sparsity term is c (L0 / k - 1)^2, L0 the mean number of features that fire: it aims for k, from both sides. While
the learning rate warms up the rule is BatchTopK's; the threshold found by then is where every feature's own starts.
"""

from typing import TYPE_CHECKING

from lib.sae.training.selection import Active
from lib.sae.training.settings import TrainingSettings
from lib.sae.training.step import Step
from lib.sae.training.weights import Weights

if TYPE_CHECKING:
    from torch import Tensor


def thresholds_started(features: int, edge: float, device: str) -> "Tensor":
    """Logarithms (n,) of thresholds that are all at `edge`."""
    import torch

    return torch.full((features,), max(edge, 1e-6), device=device).log()


def thresholds_gradient(
    weights: Weights, active: Active, step: Step, *, texts: int, width: float, settings: TrainingSettings
) -> "Tensor":
    """Of the loss with its sparsity term, for the logarithms of the thresholds, (n,)."""
    import torch

    thresholds = torch.exp(weights.thresholds_log)
    mean_active = float(step.counts.sum()) / texts
    of = active.features
    near = (active.values - thresholds[of]).abs() < width / 2
    towards_k = 2 * settings.sparsity * (mean_active / settings.k - 1) / (settings.k * texts)
    each = (-(thresholds[of] * step.by_activation + towards_k) / width) * near
    return torch.zeros_like(thresholds).index_add_(0, of, each) * thresholds
