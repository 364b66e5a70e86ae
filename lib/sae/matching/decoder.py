"""Matching: which feature of one dictionary is which of another in the same space; do features return?

Two features are held to be the same by the cosine of their decoder directions. The matching is one to one and maximises
the sum of cosines (the Hungarian method), so that one feature of B cannot stand for many of A. Decoder cosine means
something only where both dictionaries take the vectors of one encoder apart. Random directions have a largest cosine
too, and it grows with the number of features: both kinds of chance stand beside the result.

Reference: Paulo and Belrose 2025, arXiv:2501.16615 (two seeds share about 30 % of features; they call features shared
above a cosine of 0.7).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.errors import InputError
from lib.progress import Progress, Told
from lib.results import Result
from lib.sae.autoencoder import SparseAutoencoder
from lib.sae.matching.assignment import Method, assign
from lib.sae.matching.similarity import Cosines

SHARED = 0.7
"""Cosine from which two features count as the same."""
_BLOCK = 2**24  # cosines held at once
_DRAWN = 512  # random directions behind the shaped null
_GRID = 20_001


@dataclass(frozen=True, eq=False)
class Matching(Result):
    """The n features of dictionary A, each with its counterpart among the m of dictionary B."""

    match: NDArray[np.int64]
    """Feature of B matched with each of A, one to one, shape (n,); -1 where B has too few."""
    cosine: NDArray[np.float32]
    """Decoder cosine of the two, shape (n,), -1 to 1: the feature's stability; NaN where there is no match."""
    nearest: NDArray[np.int64]
    """The feature of B that is most similar to each of A, whoever else it is nearest to, shape (n,)."""
    nearest_cosine: NDArray[np.float32]
    """Its cosine, shape (n,): never below `cosine`."""
    shared: float
    """Share of A's features with a match of cosine `threshold` or more, 0 to 1."""
    threshold: float
    """Cosine from which two features count as the same."""
    mean: float
    """Mean cosine of the matched pairs."""
    null: float
    """Expected largest cosine of a direction with m random ones of as many dimensions: what chance gives at least."""
    null_shaped: float
    """The same where the random directions share B's second moments (its main axes), as mean over 512 of A's."""
    method: Method
    """"hungarian": every pair weighed. "candidates": the best matching among pairs that are near each other, where one
    is among the 32 or more nearest of the other; dictionaries too large for every pair."""
    features: int
    """Features of A, n."""
    others: int
    """Features of B, m."""
    dimensions: int
    """Dimensions of the space, d."""
    seed: int
    """Seed of the shaped null."""


def match_features(
    a: SparseAutoencoder | NDArray[np.floating],
    b: SparseAutoencoder | NDArray[np.floating],
    *,
    threshold: float = SHARED,
    seed: int = 0,
    progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Matching:
    """Match the features of `a` with those of `b`: dictionaries, or their directions, shapes (n, d) and (m, d).

    A direction of zeros has cosine 0 with everything.

    Raises:
        InputError: dictionaries of two widths, a threshold outside -1 to 1.
        Stopped: `should_stop` said so.
    """
    ours, theirs = unit_directions(a), unit_directions(b)
    if ours.shape[1] != theirs.shape[1]:
        raise InputError(
            f"Features can be matched within one space only: one dictionary has {ours.shape[1]} dimensions, the other "
            f"{theirs.shape[1]}."
        )
    if not -1 <= threshold <= 1:
        raise InputError(f"A cosine lies between -1 and 1, got a threshold of {threshold}.")
    n, m = len(ours), len(theirs)
    told = Told(progress, should_stop).out_of(n + m)
    match, nearest, nearest_cosine, method = assign(Cosines(ours, theirs), told)
    matched = match >= 0
    cosine = np.full(n, np.nan, dtype=np.float32)
    cosine[matched] = np.einsum("ij,ij->i", ours[matched], theirs[match[matched]])
    told(n + m)
    return Matching(
        match=match,
        cosine=cosine,
        nearest=nearest,
        nearest_cosine=nearest_cosine,
        shared=float((cosine[matched] >= threshold).sum() / n),
        threshold=float(threshold),
        mean=float(cosine[matched].mean()),
        null=expected_largest_cosine(m, ours.shape[1]),
        null_shaped=_shaped_null(ours, theirs, seed),
        method=method,
        features=n,
        others=m,
        dimensions=ours.shape[1],
        seed=seed,
    )


def expected_largest_cosine(m: int, d: int) -> float:
    """The mean of the largest of m cosines between one direction and m random ones in d dimensions.

    A random cosine c has c^2 ~ Beta(1/2, (d - 1)/2) and either sign; the largest of m has F(c)^m, and its mean is
    1 - the integral of F^m from -1 to 1. In one dimension cosines are -1 or 1.

    Raises:
        InputError: m or d below 1.
    """
    from scipy.special import betainc

    if m < 1 or d < 1:
        raise InputError(f"Cosines need at least one direction and one dimension, got {m} and {d}.")
    if d == 1:
        return 1 - 2 * 0.5**m
    c = np.linspace(-1, 1, _GRID)
    below = 0.5 + 0.5 * np.sign(c) * betainc(0.5, (d - 1) / 2, c**2)
    return float(1 - np.trapezoid(below**m, c))


def unit_directions(dictionary: SparseAutoencoder | NDArray[np.floating]) -> NDArray[np.float32]:
    """Decoder rows, shape (n, d), each of length 1; rows of zeros stay.

    Raises:
        InputError: no rows, or not of that shape.
    """
    rows = dictionary.decoder_weights if isinstance(dictionary, SparseAutoencoder) else np.asarray(dictionary)
    if rows.ndim != 2 or not rows.size:
        raise InputError(f"Directions should have the shape (n, d) with at least one of each, got {rows.shape}.")
    rows = rows.astype(np.float32)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return (rows / np.where(lengths > 0, lengths, 1)).astype(np.float32, copy=False)


def _shaped_null(ours: NDArray[np.float32], theirs: NDArray[np.float32], seed: int) -> float:
    """Mean largest cosine of some of `ours` with as many random directions as `theirs` with their second moments."""
    generator = np.random.default_rng(seed)
    values, axes = np.linalg.eigh(theirs.T.astype(np.float64) @ theirs / len(theirs))
    root = (axes * np.sqrt(np.maximum(values, 0))).astype(np.float32)  # root root' = second moments
    some = ours[generator.permutation(len(ours))[:_DRAWN]]
    largest = np.full(len(some), -1, dtype=np.float32)
    step = max(1, _BLOCK // max(len(some), ours.shape[1]))
    for start in range(0, len(theirs), step):
        drawn = generator.standard_normal((min(step, len(theirs) - start), root.shape[1]), dtype=np.float32) @ root.T
        drawn /= np.maximum(np.linalg.norm(drawn, axis=1, keepdims=True), np.finfo(np.float32).tiny)
        largest = np.maximum(largest, (some @ drawn.T).max(axis=1))
    return float(largest.mean())
