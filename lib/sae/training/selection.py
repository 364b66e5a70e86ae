"""Who fires: the few pre-activations of a batch that a rule keeps, found without sorting the many that it does not.

The dense product runs in blocks of rows, which stay in the cache. TopK needs each row's k largest: features are parted
into groups; the k-th largest of the groups' maxima is at most the k-th largest of the row, and little below it, so that
some 10 to 40 % more than k pass it, among which the exact edge is found. BatchTopK needs the b k largest of the batch:
candidates are those above nine tenths of the last batch's edge; if they are too few, a lower floor is tried. Neither is
an approximation.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lib.sae.training.weights import Weights

if TYPE_CHECKING:
    from torch import Tensor

_BLOCK = 2**21  # pre-activations held at once
_GROUPS_PER_K = 2
_FLOOR, _LOWER, _LEAST = 0.9, 0.5, 1e-3


@dataclass(frozen=True, eq=False)
class Active:
    """What is kept of the pre-activations of b texts, row by row; features ascend within a row."""

    rows: "Tensor"
    """Row of each, ascending, int64, (active,)."""
    features: "Tensor"
    """Feature of each, int64, (active,)."""
    values: "Tensor"
    """Pre-activation of each, above 0, float32, (active,)."""
    fires: "Tensor | None" = None
    """JumpReLU: which of them lie above their threshold, bool, (active,); None for all."""

    def part(self, kept: "Tensor") -> "Active":
        """Those where `kept`, bool, (active,)."""
        return Active(self.rows[kept], self.features[kept], self.values[kept])


def top_k(weights: Weights, centred: "Tensor", k: int, *, half: bool) -> Active:
    """Each row's k largest pre-activations, those that are above 0; among equals at the edge, the first."""
    choose = _largest_of_rows if centred.device.type == "cpu" else _largest_of_rows_by_sorting
    return _collected(weights, centred, lambda block: choose(block, k), half=half)


def batch_top_k(
    weights: Weights, centred: "Tensor", k: int, *, half: bool, last_edge: float | None
) -> tuple[Active, float]:
    """The b k largest pre-activations of the batch, those that are above 0; among equals at the edge, the first.

    `last_edge` is what the last batch's smallest one was, if known. Gives this batch's smallest one, too.
    """
    wanted = k * len(centred)
    if last_edge is None:
        last_edge = _edge_of_first_block(weights, centred, k, half=half)
    floor = max(0.0, _FLOOR * last_edge)
    while True:
        found = _collected(weights, centred, lambda block, low=floor: _places(block > low), half=half)  # type: ignore[misc]
        if len(found.values) >= wanted or floor == 0:
            break
        floor = floor * _LOWER if floor > _LEAST * last_edge else 0.0
    if len(found.values) > wanted:
        found = found.part(_largest(found.values, wanted))
    return found, float(found.values.min()) if len(found.values) else 0.0


def above_thresholds(weights: Weights, centred: "Tensor", width: float, *, half: bool) -> Active:
    """JumpReLU: the pre-activations above their threshold, or below it by at most half of `width`."""
    import torch

    thresholds = torch.exp(weights.thresholds_log)
    low = (thresholds - width / 2).clamp_(min=0).to(torch.bfloat16 if half else torch.float32)
    found = _collected(weights, centred, lambda block: _places(block > low), half=half)
    return Active(found.rows, found.features, found.values, found.values > thresholds[found.features])


def _product_blocks(weights: Weights, centred: "Tensor", *, half: bool) -> Iterator[tuple[int, "Tensor"]]:
    """First row and pre-activations (rows, n) of one block of `centred` (b, d) after another.

    The blocks share their memory: each is overwritten by the next.
    """
    import torch

    dtype = torch.bfloat16 if half else torch.float32
    encoder, bias, inputs = weights.encoder.to(dtype).T, weights.encoder_bias.to(dtype), centred.to(dtype)
    n = encoder.shape[1]
    rows = max(1, _BLOCK // n) if centred.device.type == "cpu" else len(centred)
    held = torch.empty((min(rows, len(centred)), n), dtype=dtype, device=centred.device)
    for start in range(0, len(centred), rows):
        block = inputs[start : start + rows]
        yield start, torch.addmm(bias, block, encoder, out=held[: len(block)])


def _collected(weights: Weights, centred: "Tensor", choose: Callable[["Tensor"], "Tensor"], *, half: bool) -> Active:
    """The pre-activations at the ascending places in each block that `choose` says."""
    import torch

    n = len(weights.encoder_bias)
    rows, features, values = [], [], []
    for start, block in _product_blocks(weights, centred, half=half):
        places = choose(block)
        values.append(block.view(-1)[places].float())
        row = torch.div(places, n, rounding_mode="floor")
        features.append(places - row * n)
        rows.append(row.add_(start))
    return Active(torch.cat(rows), torch.cat(features), torch.cat(values))


def _places(mask: "Tensor") -> "Tensor":
    """Where `mask` (rows, n) is true, counted along its rows, ascending."""
    import torch

    if mask.device.type == "cpu":
        return torch.from_numpy(np.flatnonzero(mask.numpy()))
    return mask.view(-1).nonzero().view(-1)


def _largest_of_rows(block: "Tensor", k: int) -> "Tensor":
    import torch

    rows, n = block.shape
    groups = max(_GROUPS_PER_K * k, 1)
    size = n // groups
    if size < 2:
        return _largest_of_rows_by_sorting(block, k)
    maxima = block[:, : groups * size].view(rows, size, groups).amax(dim=1).float().numpy()
    bound = torch.from_numpy(np.partition(maxima, groups - k, axis=1)[:, groups - k, None])
    places = np.flatnonzero((block >= bound.clamp_(min=0).to(block.dtype)).numpy())
    row = places // n
    values = block.view(-1)[torch.from_numpy(places)].float().numpy()
    return torch.from_numpy(places[_edges_kept(values, row, rows, k) & (values > 0)])


def _edges_kept(values: NDArray[np.float32], row: NDArray[np.int64], rows: int, k: int) -> NDArray[np.bool_]:
    """Which candidates are among the k largest of their row; candidates come row by row."""
    counts = np.bincount(row, minlength=rows)
    starts = np.cumsum(counts) - counts
    table = np.full((rows, max(int(counts.max()), k)), -np.inf, dtype=np.float32)
    table[row, np.arange(len(row)) - starts[row]] = values
    edge = np.partition(table, table.shape[1] - k, axis=1)[:, table.shape[1] - k]
    keep: NDArray[np.bool_] = values > edge[row]
    tied = np.flatnonzero(values == edge[row])
    room = k - np.bincount(row[keep], minlength=rows)
    tied_row = row[tied]
    tied_counts = np.bincount(tied_row, minlength=rows)
    nth = np.arange(len(tied)) - (np.cumsum(tied_counts) - tied_counts)[tied_row]
    keep[tied[nth < room[tied_row]]] = True
    return keep


def _largest_of_rows_by_sorting(block: "Tensor", k: int) -> "Tensor":
    import torch

    rows, n = block.shape
    found = torch.sort(block, dim=1, descending=True, stable=True) if n <= 256 else torch.topk(block, k, dim=1)
    features, order = torch.sort(found.indices[:, :k], dim=1)
    values = torch.gather(found.values[:, :k], 1, order)
    places = features + torch.arange(rows, device=block.device).unsqueeze(1) * n
    return places[values > 0]


def _edge_of_first_block(weights: Weights, centred: "Tensor", k: int, *, half: bool) -> float:
    _, block = next(_product_blocks(weights, centred, half=half))
    values = block.float().view(-1)
    return float(values.kthvalue(len(values) - k * len(block) + 1).values) if k < block.shape[1] else 0.0


def _largest(values: "Tensor", wanted: int) -> "Tensor":
    """Mask of the `wanted` largest of more `values`; among equals at the edge, the first."""
    import torch

    if values.device.type == "cpu":
        held = values.numpy()
        edge = float(np.partition(held, len(held) - wanted)[len(held) - wanted])
    else:
        edge = float(values.kthvalue(len(values) - wanted + 1).values)
    keep = values > edge
    tied = (values == edge).nonzero().view(-1)
    keep[tied[: wanted - int(torch.count_nonzero(keep))]] = True
    return keep
