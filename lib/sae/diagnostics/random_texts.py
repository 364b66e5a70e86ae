"""What random texts of a corpus give: the baseline of a feature's semantic variance."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.errors import InputError
from lib.geometry.vectors import unit_rows
from lib.results import Result
from lib.sae.diagnostics.groups import distances_of, group

UNRELATED = 0.75
"""Deviations below the mean distance of random pairs up to which two groups of examples count as unrelated: less would
take topics that happen to lie a little nearer for one, more would part the texts of one topic in a corpus of two."""
_DRAWS, _GROUPED = 1_000, 200
_BLOCK = 256


@dataclass(frozen=True, eq=False)
class Baseline(Result):
    """What random texts of the corpus give."""

    mean: float
    """Mean cosine distance of two different texts: what any number of random texts gives on average."""
    sizes: NDArray[np.int64]
    """Numbers of texts in a draw, ascending, shape (sizes,)."""
    variances: NDArray[np.float32]
    """Semantic variances of random texts, ascending, shape (sizes, draws)."""
    unrelated: float
    """Distance from which two groups of examples count as unrelated: what random pairs have, less three quarters of
    their deviation."""
    several: float
    """Share of the largest draws that show two senses or more, in [0, 1]: what a feature's count is held against."""
    texts: int
    """Different texts that were drawn from."""
    seed: int
    """Seed of the draws."""

    def of(self, size: int) -> NDArray[np.float32]:
        """Variances of draws of `size` texts, ascending, shape (draws,)."""
        return np.asarray(self.variances[int(np.searchsorted(self.sizes, size))])


def baseline(vectors: NDArray[np.floating], rows: NDArray[np.int64], *, top: int, seed: int = 0) -> Baseline:
    """Semantic variances of random draws of 2 to `top` texts from those at `rows` of `vectors`.

    Raises:
        InputError: fewer than two texts.
    """
    sizes = np.arange(2, min(top, len(rows)) + 1)
    if not len(sizes):
        raise InputError(f"Semantic variance needs at least 2 different texts, got {len(rows)}: add texts.")
    generator = np.random.default_rng(seed)
    total, found = np.zeros(vectors.shape[1]), np.empty((len(sizes), _DRAWS), dtype=np.float32)
    for start in range(0, len(rows), _BLOCK):
        total += unit_rows(vectors, rows[start : start + _BLOCK]).sum(axis=0, dtype=np.float64)
    largest: list[NDArray[np.int64]] = []
    for draw in range(_DRAWS):
        drawn = rows[generator.choice(len(rows), int(sizes[-1]), replace=False)]
        sums = np.cumsum(unit_rows(vectors, drawn), axis=0)[sizes - 1]  # (sizes, d): one draw, cut at every size
        if draw < _GROUPED:
            largest.append(drawn)
        found[:, draw] = 1 - (np.vecdot(sums, sums) - sizes) / (sizes * (sizes - 1))
    n = len(rows)
    found.sort(axis=1)
    mean = float(1 - (total @ total - n) / (n * (n - 1)))
    unrelated = max(0.0, mean - UNRELATED * float(found[0].std()))
    several = [group(each, unrelated).max(initial=-1) > 0 for each in distances_of(vectors, np.stack(largest))]
    return Baseline(
        mean=mean,
        sizes=sizes,
        variances=found,
        unrelated=unrelated,
        several=float(np.mean(several)),
        texts=n,
        seed=seed,
    )
