"""The weights while they are trained: torch tensors over centred, scaled vectors y = (x - mean) / scale.

In these coordinates a training needs no other settings for vectors of another length or place, and the loss is a share
of variance. `export` undoes them: activations are in units of the vectors again.
"""

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lib.sae.autoencoder import About, SparseAutoencoder
from lib.sae.training.settings import TrainingSettings

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(eq=False)
class Weights:
    """Everything that the optimiser changes, float32; also the shape of a gradient."""

    encoder: "Tensor"
    """W_enc transposed, (n, d): row f reads feature f."""
    encoder_bias: "Tensor"
    """(n,)."""
    decoder: "Tensor"
    """W_dec, (n, d): row f is the direction of feature f."""
    decoder_bias: "Tensor"
    """(d,); 0 is the mean of the training vectors."""
    log_thresholds: "Tensor | None" = None
    """JumpReLU: logarithms of the thresholds, (n,)."""

    @property
    def thresholds_log(self) -> "Tensor":
        """`log_thresholds`, where the rule is known to have them."""
        if self.log_thresholds is None:
            raise ValueError("only JumpReLU has thresholds of its own")
        return self.log_thresholds

    def named(self) -> dict[str, "Tensor"]:
        """The tensors that there are, by name."""
        held = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: tensor for name, tensor in held.items() if tensor is not None}


@dataclass(frozen=True, eq=False)
class Coordinates:
    """y = (x - mean) / scale."""

    mean: NDArray[np.float64]
    """Mean of the training vectors, (d,)."""
    scale: float
    """Root of their mean squared distance from it."""

    def of(self, vectors: NDArray[np.floating]) -> NDArray[np.float32]:
        """The vectors (b, d) in the coordinates of the training."""
        moved: NDArray[np.float32] = np.asarray(vectors, dtype=np.float32) - self.mean.astype(np.float32)
        moved *= np.float32(1 / self.scale)
        return moved


def started(settings: TrainingSettings, d: int, device: str, examples: NDArray[np.float32] | None) -> Weights:
    """Unit directions: `examples`, shape (at most n, d), and random ones to make up n; biases 0, the training mean.

    The encoder is their transpose, and shrunk before the first step (`State.learn`): k of many directions overlap so
    much that as unit rows they would reconstruct a vector of several times the length.
    """
    import torch

    drawn = np.random.default_rng([settings.seed, 0]).standard_normal((settings.features, d), dtype=np.float32)
    if examples is not None:
        drawn[: len(examples)] *= 1e-6  # an example at the mean has no direction of its own
        drawn[: len(examples)] += examples
    drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
    decoder = torch.from_numpy(drawn).to(device)
    return Weights(
        encoder=decoder.clone(),
        encoder_bias=torch.zeros(settings.features, device=device),
        decoder=decoder,
        decoder_bias=torch.zeros(d, device=device),
    )


def unit_rows(decoder: "Tensor") -> None:
    """Bring the rows (n, d) back to length 1, in place."""
    import torch

    decoder.mul_(torch.linalg.vector_norm(decoder, dim=1, keepdim=True).clamp_(min=1e-12).reciprocal_())


def export(
    weights: Weights, coordinates: Coordinates, settings: TrainingSettings, edge: float | None, about: About
) -> SparseAutoencoder:
    """The dictionary as it is now; `edge` is the threshold that all features share, where they do."""
    scale = np.float32(coordinates.scale)
    held = {name: tensor.detach().cpu().numpy().copy() for name, tensor in weights.named().items()}
    thresholds = None
    if "log_thresholds" in held:
        thresholds = np.exp(held["log_thresholds"]) * scale
    elif settings.rule != "topk":
        thresholds = np.full(settings.features, (edge or 0.0) * coordinates.scale, dtype=np.float32)
    return SparseAutoencoder(
        encoder_weights=held["encoder"].T,
        encoder_bias=held["encoder_bias"] * scale,
        decoder_weights=held["decoder"],
        decoder_bias=(held["decoder_bias"] * scale + coordinates.mean).astype(np.float32),
        rule=settings.rule,
        k=settings.k,
        thresholds=thresholds,
        prefixes=settings.prefixes,
        about=about,
    )
