"""Loss and gradient of one batch, by hand: nothing but the kept pre-activations carries gradient.

With y the centred inputs, a_bf the kept activations, and m nested dictionaries (Matryoshka; m = 1 without), each
reconstructing from the features below its size,

    E_bj = sum_{f < size_j} a_bf W_dec[f] + b_dec - y_b        loss = mean over b and j of |E_bj|^2
    G_bj = 2 E_bj / (b m), summed over all j whose dictionary holds the feature
    dL/da_bf = G_b . W_dec[f]      dL/dW_dec[f] = sum_b a_bf G_b      dL/dW_enc[f] = sum_b dL/da_bf (y_b - b_dec)

Each is a sum over the kept pairs alone: about 1 / 64 of a dense product with k 64 and 4,096 features. The sums by text
and by feature are weighted sums of rows (`embedding_bag`); one counting sort of the pairs by feature serves both
weights' gradients. With the size of a feature's smallest dictionary as its band, pair (b, f) belongs to slot
b m + band, and all m reconstructions are running sums over bands.
"""

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lib.sae.training.selection import Active
from lib.sae.training.weights import Weights

if TYPE_CHECKING:
    from torch import Tensor

_RADIX = 2**16  # numpy sorts 16-bit integers by counting


@dataclass(frozen=True, eq=False)
class Step:
    """What one batch says."""

    loss: "Tensor"
    """What is descended: mean squared error, the mean over the dictionaries, 0-d."""
    whole: "Tensor"
    """Mean squared error of the whole dictionary, the last of them, 0-d; `loss` itself without Matryoshka."""
    error: "Tensor"
    """x_hat - x of the whole dictionary, (b, d)."""
    gradients: Weights
    """Of `loss`; no gradient for thresholds yet."""
    along: "Tensor"
    """dL/dW_dec[f] . W_dec[f], (n,): what a projection takes away."""
    by_activation: "Tensor"
    """dL/da of every pair of the batch's `Active`, fired or not, (active,)."""
    counts: "Tensor"
    """Texts on which each feature fired, int64, (n,)."""


def bands_of(features: int, prefixes: tuple[int, ...], device: str) -> "Tensor":
    """For each feature the first of the nested dictionaries that holds it, int64, (n,)."""
    import torch

    return torch.bucketize(
        torch.arange(features, device=device), torch.tensor(prefixes, dtype=torch.int64, device=device), right=True
    )


def sparse_step(weights: Weights, inputs: "Tensor", active: Active, bands: "Tensor", m: int) -> Step:
    """Loss and gradient for `inputs` y (b, d), whose kept pre-activations are `active`."""
    import torch

    b, n = len(inputs), len(weights.encoder_bias)
    centred = inputs - weights.decoder_bias
    activations = active.values if active.fires is None else active.values * active.fires
    slots = active.rows if m == 1 else active.rows * m + bands[active.features]
    starts = _starts(slots, b * m)
    parts = _weighted_sums(active.features, weights.decoder, starts[:-1], activations)
    errors = (parts.view(b, m, -1).cumsum(dim=1) if m > 1 else parts.view(b, 1, -1)).sub_(centred.unsqueeze(1))
    loss = torch.linalg.vector_norm(errors).square() / (b * m)
    whole = torch.linalg.vector_norm(errors[:, -1]).square() / b if m > 1 else loss
    of_slots = errors.mul(2 / (b * m))
    if m > 1:
        of_slots = of_slots.flip(1).cumsum(dim=1).flip(1)
    to_bias = of_slots[:, 0].sum(dim=0)
    of_slots = of_slots.reshape(b * m, -1)
    by_activation = _dots(starts, active.features, of_slots, weights.decoder)
    reaching = by_activation if active.fires is None else by_activation * active.fires

    order = _by_feature(active.features, n)
    counts = torch.bincount(active.features, minlength=n)
    feature_starts = counts.cumsum(0) - counts
    rows = active.rows[order]
    encoder = _weighted_sums(rows, centred, feature_starts, reaching[order])
    decoder = _weighted_sums(rows if m == 1 else slots[order], of_slots, feature_starts, activations[order])
    sums = torch.zeros((2, n), device=inputs.device)
    sums[0].index_add_(0, active.features, reaching)
    sums[1].index_add_(0, active.features, activations * by_activation)
    if active.fires is not None:
        counts = torch.bincount(active.features[active.fires], minlength=n)
    return Step(
        loss=loss,
        whole=whole,
        error=errors[:, -1],
        gradients=Weights(encoder, sums[0], decoder, to_bias - sums[0] @ weights.encoder),
        along=sums[1],
        by_activation=by_activation,
        counts=counts,
    )


def reconstruction(weights: Weights, active: Active, texts: int) -> "Tensor":
    """sum_f a_bf W_dec[f] + b_dec, (b, d), for the `active` of b texts."""
    starts = _starts(active.rows, texts)[:-1]
    return _weighted_sums(active.features, weights.decoder, starts, active.values) + weights.decoder_bias


def _starts(slots: "Tensor", count: int) -> "Tensor":
    """Where each slot's pairs begin, and the end of the last, (count + 1,)."""
    import torch

    starts = torch.zeros(count + 1, dtype=torch.int64, device=slots.device)
    torch.cumsum(torch.bincount(slots, minlength=count), 0, out=starts[1:])
    return starts


def _weighted_sums(places: "Tensor", table: "Tensor", starts: "Tensor", by: "Tensor") -> "Tensor":
    """Sums of by_i table[places_i] over each run i; `starts` (runs,) says where it begins. Gives (runs, d)."""
    from torch.nn.functional import embedding_bag

    return embedding_bag(places, table, starts, mode="sum", per_sample_weights=by)


def _dots(starts: "Tensor", features: "Tensor", left: "Tensor", right: "Tensor") -> "Tensor":
    """left_slot . right_feature for each pair (slot, feature), (active,)."""
    import torch

    unset = torch.zeros(len(features), device=left.device)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta")
        pairs = torch.sparse_csr_tensor(starts, features, unset, (len(left), len(right)), check_invariants=False)
    dots: Tensor = torch.sparse.sampled_addmm(pairs, left, right.T, beta=0.0).values()
    return dots


def _by_feature(features: "Tensor", n: int) -> "Tensor":
    """Order of the pairs by feature, stable."""
    import torch

    if features.device.type != "cpu":
        return torch.argsort(features, stable=True)
    held = features.numpy()
    return torch.from_numpy(np.argsort(held.astype(np.uint16) if n <= _RADIX else held, kind="stable"))
