"""Distance concentration: can the nearest still be told from the farthest?

Relative contrast (Beyer et al. 1999, doi:10.1007/3-540-49257-7_15) of a text is (D_max - D_min) / D_min over its
distances to the others. In independent dimensions it shrinks towards 0 as they grow in number: neighbours lose
their meaning. It is measured in the leading principal components, 2, 4, 8 ... d of them, beside Gaussian noise
of the same number of points and dimensions; real text keeps more contrast than noise because its intrinsic
dimension is lower.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.errors import InputError
from lib.geometry.vectors import SAME, check, sample_rows, unit_rows
from lib.results import Result


@dataclass(frozen=True)
class Concentration(Result):
    """Relative contrast against the number of dimensions."""

    dimensions: NDArray[np.int64]
    """Leading principal components kept, shape (steps,), ascending up to d."""
    contrast: NDArray[np.float64]
    """Median over texts of (D_max - D_min) / D_min in them, shape (steps,), >= 0; NaN if all texts are the same."""
    noise: NDArray[np.float64]
    """The same for Gaussian noise: the baseline, shape (steps,)."""
    points: int
    """Texts compared with each other (all, or a uniform sample: contrast grows with their number)."""
    items: int
    """Texts in the corpus, n."""
    seed: int
    """Seed of the sample and of the noise."""


def concentration(embeddings: NDArray[np.floating], *, points: int = 1_000, seed: int = 0) -> Concentration:
    """Relative contrast of the directions of `embeddings`, shape (n, d), n >= 3, in growing numbers of components.

    Copies of a text (distance zero) are not counted as its nearest.

    Raises:
        InputError: fewer than three embeddings or points, or an embedding of zero length.
    """
    n, d = check(embeddings, minimum=3, what="Distance concentration")
    if points < 3:
        raise InputError(f"Distance concentration compares at least 3 points, got points={points}.")
    rows = unit_rows(embeddings, sample_rows(n, points, seed=seed)).astype(np.float64)
    rotated = _principal_coordinates(rows - rows.mean(axis=0))
    noise = np.random.default_rng(seed).normal(size=rows.shape)
    steps = np.unique([min(2**power, d) for power in range(1, int(np.ceil(np.log2(max(d, 2)))) + 1)])
    return Concentration(
        dimensions=steps,
        contrast=_contrasts(rotated, steps),
        noise=_contrasts(noise, steps),
        points=len(rows),
        items=n,
        seed=seed,
    )


def _principal_coordinates(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Centred `rows` (m, d) along their principal components, leading one first, shape (m, min(m, d))."""
    m, d = rows.shape
    if d <= m:
        _, axes = np.linalg.eigh(rows.T @ rows)
        return np.asarray(rows @ axes[:, ::-1])
    squares, sides = np.linalg.eigh(rows @ rows.T)  # the smaller of the two squares
    return np.asarray((sides * np.sqrt(np.clip(squares, 0, None)))[:, ::-1])


def _contrasts(points: NDArray[np.float64], steps: NDArray[np.int64]) -> NDArray[np.float64]:
    """Median relative contrast in the first s columns, for each s; distances grow step by step."""
    squares = np.zeros((len(points), len(points)))
    others = ~np.eye(len(points), dtype=bool)
    result, done = np.empty(len(steps)), 0
    for number, step in enumerate(steps):
        part = points[:, done:step]
        lengths = np.square(part).sum(axis=1)
        squares += lengths[:, None] + lengths[None, :] - 2 * part @ part.T
        done = step
        farthest = np.sqrt(np.clip(squares.max(axis=1), 0, None))
        nearest = np.sqrt(np.where(squares > SAME**2, squares, np.inf).min(axis=1, initial=np.inf, where=others))
        kept = np.isfinite(nearest)
        result[number] = np.median((farthest[kept] - nearest[kept]) / nearest[kept]) if kept.any() else np.nan
    return result
