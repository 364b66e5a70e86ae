"""Directions that are (nearly) the same: decoder cosines in blocks, never features x features at once."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.errors import InputError
from lib.progress import Progress
from lib.results import Result
from lib.sae.autoencoder import SparseAutoencoder

DUPLICATE = 0.95
"""Cosine of two decoder directions from which they count as one, unless told."""
_BLOCK = 1_024
_MOST_PAIRS = 100_000
_SAMPLE = 2_048  # random directions whose nearest cosines are the baseline


@dataclass(frozen=True, eq=False)
class Duplicates(Result):
    """Pairs of features with nearly one direction, the closest first."""

    a: NDArray[np.int32]
    """The feature of the lower number, shape (pairs,)."""
    b: NDArray[np.int32]
    """The other, shape (pairs,)."""
    cosine: NDArray[np.float32]
    """Cosine of their decoder directions, shape (pairs,), in [threshold, 1]."""
    threshold: float
    """Cosine from which two directions count as one."""
    nearest: NDArray[np.float32]
    """Cosine of each feature with the nearest other direction, shape (n,), in [-1, 1]; NaN for a single feature."""
    random: float
    """What the nearest of n - 1 random directions would have on average, in as many dimensions."""

    def __len__(self) -> int:
        return len(self.a)


def duplicates(
    sae: SparseAutoencoder, *, threshold: float = DUPLICATE, seed: int = 0, progress: Progress | None = None
) -> Duplicates:
    """Pairs of features of `sae` whose decoder directions have a cosine of `threshold` or more.

    Raises:
        InputError: a threshold out of range, or more than 100,000 such pairs.
    """
    if not 0 < threshold <= 1:
        raise InputError(f"The cosine of duplicates is above 0 and at most 1, got {threshold:g}.")
    weights, n = sae.decoder_weights, sae.features
    nearest = np.full(n, -np.inf, dtype=np.float32)
    found: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]] = []
    held = 0
    for start in range(0, n, _BLOCK):
        rows = weights[start : start + _BLOCK]
        for other in range(start, n, _BLOCK):
            cosines = rows @ weights[other : other + _BLOCK].T
            if other == start:
                np.fill_diagonal(cosines, -np.inf)
            nearest[start : start + _BLOCK] = np.maximum(nearest[start : start + _BLOCK], cosines.max(axis=1))
            nearest[other : other + _BLOCK] = np.maximum(nearest[other : other + _BLOCK], cosines.max(axis=0))
            a, b = np.nonzero(cosines >= threshold - 1e-6)  # rounding: a direction and itself are at 1
            upper = a + start < b + other
            found.append((a[upper] + start, b[upper] + other, cosines[a[upper], b[upper]]))
            held += int(upper.sum())
            if held > _MOST_PAIRS:
                raise InputError(
                    f"More than {_MOST_PAIRS:,} pairs of directions have a cosine of {threshold:g} or more."
                )
        if progress:
            progress(min(start + _BLOCK, n), n)
    a, b, cosine = (np.concatenate(column) for column in zip(*found, strict=True))
    order = np.lexsort((b, a, -cosine))
    return Duplicates(
        a=a[order].astype(np.int32),
        b=b[order].astype(np.int32),
        cosine=np.clip(cosine[order], -1, 1),
        threshold=threshold,
        nearest=np.where(np.isfinite(nearest), np.clip(nearest, -1, 1), np.nan).astype(np.float32),
        random=_random_nearest(n, sae.dimensions, seed),
    )


def _random_nearest(n: int, d: int, seed: int) -> float:
    """Mean over random unit directions of the largest cosine among n - 1 others, from its law: E max by simulation.

    The cosine of two random directions in d dimensions is 2 Beta((d - 1) / 2, (d - 1) / 2) - 1; the maximum of n - 1
    independent ones is its quantile at U^(1 / (n - 1)).
    """
    if n < 2:
        return float("nan")
    if d < 2:
        return 1.0
    from scipy.special import betaincinv

    uniform = np.random.default_rng(seed).random(_SAMPLE) ** (1 / (n - 1))
    return float(np.mean(2 * betaincinv((d - 1) / 2, (d - 1) / 2, uniform) - 1))
