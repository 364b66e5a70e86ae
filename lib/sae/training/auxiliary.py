"""What keeps features alive: dead ones reconstruct the error that the living leave (AuxK, Gao et al. 2024)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lib.sae.training.weights import Weights

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, eq=False)
class Auxiliary:
    """Gradient of coefficient * |e - e_hat|^2 / |e|^2, e the error x - x_hat, e_hat made of dead features alone."""

    loss: "Tensor"
    """The term itself, 0-d."""
    encoder: "Tensor"
    """(dead, d)."""
    encoder_bias: "Tensor"
    """(dead,)."""
    decoder: "Tensor"
    """(dead, d)."""


def auxiliary(
    weights: Weights, inputs: "Tensor", error: "Tensor", dead: "Tensor", *, k: int, coefficient: float
) -> Auxiliary:
    """The k `dead` features with the highest pre-activations of each text, those above 0, make up for its `error`.

    The error (b, d) is x_hat - x; no gradient reaches the living through it. `dead` are features, int64.
    """
    import torch

    centred = inputs - weights.decoder_bias
    directions = weights.decoder[dead]
    pre = torch.addmm(weights.encoder_bias[dead], centred, weights.encoder[dead].T)
    if len(dead) > k:
        edge = pre.topk(k, dim=1).values[:, -1:]
        pre = torch.where(pre >= edge, pre, 0)
    activations = pre.clamp_(min=0)
    left = torch.addmm(error, activations, directions)  # e_hat - e
    whole = torch.linalg.vector_norm(error).square().clamp_(min=1e-12)
    loss = coefficient * torch.linalg.vector_norm(left).square() / whole
    outer = left * (2 * coefficient / whole)
    by_activation = (outer @ directions.T) * (activations > 0)
    return Auxiliary(loss, by_activation.T @ centred, by_activation.sum(dim=0), activations.T @ outer)
