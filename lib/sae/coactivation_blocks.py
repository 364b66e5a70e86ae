"""Sparse products of codes, a block of features at a time: what counts of firings together are made of."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lib.sae.codes import Codes

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_HITS = 2**24  # texts of a block's features times features a text: bounds what a block's product holds
_MOST_ROWS = 1_024


def ones(codes: Codes, kept: NDArray[np.bool_] | None = None) -> "csr_array":
    """1 where a feature fires, shape (texts, n); only features that are `kept`."""
    return _rows(codes, np.ones(len(codes.features), dtype=np.int32), kept)


def values(codes: Codes, kept: NDArray[np.bool_] | None = None) -> "csr_array":
    """Activations, shape (texts, n); only of features that are `kept`."""
    return _rows(codes, codes.activations.astype(np.float64), kept)


def _rows(codes: Codes, values: NDArray[np.number], kept: NDArray[np.bool_] | None) -> "csr_array":
    from scipy.sparse import csr_array

    starts, features = codes.starts, codes.features
    if kept is not None and not kept.all():
        stays = kept[features]
        starts = np.concatenate([[0], np.cumsum(stays)])[starts]
        features, values = features[stays], values[stays]
    index = np.int32 if len(features) < 2**31 else np.int64  # 64-bit indices take twice the time
    return csr_array((values, features.astype(index), starts.astype(index)), shape=(len(codes), codes.width))


def blocks(
    features: NDArray[np.int64], counts: NDArray[np.int64], parts: Sequence[Codes]
) -> Iterator[NDArray[np.int64]]:
    """`features` in order, a few at a time: as many as keep a block's product small, one at least."""
    if not len(features):
        return
    each = sum(len(part.features) for part in parts) / max(1, sum(map(len, parts)))
    width = np.minimum(counts[features] * max(each, 1.0), parts[0].width)  # what a row of the product can hold
    reach = np.cumsum(width)
    start = 0
    while start < len(features):
        done = reach[start - 1] if start else 0.0
        stop = max(start + 1, int(np.searchsorted(reach, done + _HITS, side="right")))
        stop = min(stop, start + _MOST_ROWS)
        yield features[start:stop]
        start = stop


def together(
    work: Sequence[tuple["csr_array", "csr_array"]],
    features: NDArray[np.int64],
    least: NDArray[np.int32],
    ordered: bool,
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
    """(a, b, texts with both), summed over the parts, of `features` with others that pass; a ascends, then b."""
    products = [by_feature[features] @ by_text for by_feature, by_text in work]
    product = sum(products[1:], start=products[0]).tocsr()
    lengths = np.diff(product.indptr)
    needed = np.repeat(least[features], lengths)
    if not ordered:
        needed = np.minimum(needed, least[product.indices])
    chosen = np.flatnonzero(product.data >= needed)  # few: only they are put in order
    a = features[np.searchsorted(product.indptr, chosen, side="right") - 1].astype(np.int32)
    b, both = product.indices[chosen].astype(np.int32), product.data[chosen].astype(np.int32)
    kept = np.flatnonzero((a != b) if ordered else (a < b))
    kept = kept[np.lexsort((b[kept], a[kept]))]
    return a[kept], b[kept], both[kept]


def entries(product: "csr_array", rows: NDArray[np.integer], columns: NDArray[np.integer]) -> NDArray[np.float64]:
    """The values of a sparse matrix at some places; 0 where it holds none."""
    if not product.nnz:
        return np.zeros(len(rows))
    product.sort_indices()
    width = product.shape[1]
    held = np.repeat(np.arange(product.shape[0], dtype=np.int64), np.diff(product.indptr)) * width + product.indices
    asked = rows.astype(np.int64) * width + columns
    at = np.minimum(np.searchsorted(held, asked), len(held) - 1)
    return np.where(held[at] == asked, product.data[at], 0.0)
