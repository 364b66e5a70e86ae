"""Sums over codes that a comparison of two sides needs: how often, how strongly, by topic, and in two halves."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lib.sae.autoencoder import SparseAutoencoder
from lib.sae.codes import Codes

if TYPE_CHECKING:
    from scipy.sparse import csc_array, csr_array

Vectors = NDArray[np.floating]
_FEWEST_FOR_HALVES = 3  # features, and texts a half, below which two halves say nothing
_ROWS = 4_096  # texts whose moves are held at a time


def fires(codes: Codes) -> NDArray[np.int64]:
    """Texts on which each feature fires, shape (n,)."""
    return np.bincount(codes.features, minlength=codes.width).astype(np.int64)


def means(codes: Codes) -> NDArray[np.float64]:
    """Mean activation of each feature over all texts, 0 where silent, shape (n,)."""
    return np.bincount(codes.features, codes.activations, codes.width).astype(np.float64) / max(len(codes), 1)


def both_fire(a: Codes, b: Codes) -> NDArray[np.int64]:
    """Texts on which each feature fires in both, shape (n,)."""
    shared = _ones(a).multiply(_ones(b)).tocsr()
    return np.bincount(shared.indices, minlength=a.width).astype(np.int64)


def standard_error(moved: "csc_array", change: NDArray[np.float64]) -> NDArray[np.float64]:
    """Standard error over the m texts of each feature's mean difference `change`, shape (n,); NaN with one text."""
    m, n = moved.shape
    if m < 2:
        return np.full(n, np.nan)
    squares = np.bincount(_columns(moved), moved.data**2, n)
    return np.asarray(np.sqrt(np.maximum(squares - m * change**2, 0) / (m - 1) / m))


def replicated(moved: "csc_array", generator: np.random.Generator) -> float:
    """Correlation of features' mean differences between two random halves of the texts; NaN where there are too few."""
    m, n = moved.shape
    first = np.zeros(m, dtype=bool)
    first[generator.permutation(m)[: m // 2]] = True
    column = _columns(moved)
    here = first[moved.indices]
    a, b = (
        np.bincount(column[part], moved.data[part], n) / max(of, 1)
        for part, of in ((here, m // 2), (~here, m - m // 2))
    )
    some = np.flatnonzero(np.diff(moved.indptr))
    if min(len(some), m // 2) < _FEWEST_FOR_HALVES or not np.ptp(a[some]) or not np.ptp(b[some]):
        return float("nan")
    return float(np.corrcoef(a[some], b[some])[0, 1])


def grouped(labels: Sequence[str | None] | None, texts: int) -> tuple[tuple[str, ...], "csr_array"]:
    """Names of the labels, and which text has which, shape (m, t)."""
    from scipy.sparse import csr_array

    given: Sequence[str | None] = labels if labels is not None else [None] * texts
    names = tuple(sorted({label for label in given if label is not None}))
    place = {name: at for at, name in enumerate(names)}
    rows = [row for row, label in enumerate(given) if label is not None]
    columns = [place[label] for label in given if label is not None]
    return names, csr_array((np.ones(len(rows)), (rows, columns)), shape=(texts, len(names)))


def topic_means(codes: Codes, features: NDArray[np.integer], groups: "csr_array") -> NDArray[np.float64]:
    """Mean activation of `features` over the texts of each group, shape (c, t)."""
    return _over_groups(codes.columns[:, features], groups)


def topic_shares(codes: Codes, features: NDArray[np.integer], groups: "csr_array") -> NDArray[np.float64]:
    """Share of each group's texts on which each of `features` fires, shape (c, t)."""
    return _over_groups(_ones(codes).tocsc()[:, features], groups)


def moves(sae: SparseAutoencoder, vectors: tuple[Vectors, Vectors], change: NDArray[np.float64]) -> tuple[float, float]:
    """Mean length of the texts' moves, and the share of the common move that the features' mean `change` makes up.

    The common move c is the mean over texts; 1 - |c - change W_dec|^2 / |c|^2. NaN where there is none.
    """
    before, after = vectors
    length, common = 0.0, np.zeros(sae.dimensions)
    for start in range(0, len(before), _ROWS):
        rows = slice(start, start + _ROWS)
        move = np.asarray(after[rows], dtype=np.float64) - np.asarray(before[rows], dtype=np.float64)
        length += float(np.linalg.norm(move, axis=1).sum())
        common += move.sum(axis=0)
    common /= len(before)
    left, square = common - change @ sae.decoder_weights, float(common @ common)
    return length / len(before), 1 - float(left @ left) / square if square else float("nan")


def _over_groups(part: "csc_array", groups: "csr_array") -> NDArray[np.float64]:
    sizes = np.asarray(groups.sum(axis=0)).ravel()
    found: NDArray[np.float64] = np.asarray((part.T @ groups).toarray(), dtype=np.float64) / np.maximum(sizes, 1)
    return found


def _ones(codes: Codes) -> "csr_array":
    """1 where a feature fires, shape (m, n)."""
    from scipy.sparse import csr_array

    return csr_array((np.ones(len(codes.features)), codes.features, codes.starts), shape=(len(codes), codes.width))


def _columns(moved: "csc_array") -> NDArray[np.int64]:
    """The feature of every number that is stored."""
    return np.repeat(np.arange(moved.shape[1]), np.diff(moved.indptr))
