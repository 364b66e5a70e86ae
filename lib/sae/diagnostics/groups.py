"""Examples of a feature in groups: average linkage by cosine distance, cut where groups are unrelated."""

import numpy as np
from numpy.typing import NDArray

from lib.geometry.vectors import unit_rows

CLEAR = 0.25
"""Mean silhouette above which several senses stand clear of one another."""
_LEAST_SENSE, _LEAST_SHARE = 3, 0.2


def distances_of(vectors: NDArray[np.floating], rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """Cosine distances between the texts of each set of `rows` (sets, k), shape (sets, k, k), 0 on the diagonal."""
    sets, k = rows.shape
    units = unit_rows(vectors, rows.ravel()).reshape(sets, k, -1)
    found = np.clip(1 - units @ units.transpose(0, 2, 1), 0, 2)
    found[:, np.arange(k), np.arange(k)] = 0
    return np.asarray((found + found.transpose(0, 2, 1)) / 2)


def mean_distance(distances: NDArray[np.floating]) -> float:
    """Mean of the distances (k, k) between different rows; 0 on the diagonal."""
    k = len(distances)
    return float(distances.sum(dtype=np.float64) / (k * (k - 1)))


def group(distances: NDArray[np.floating], unrelated: float) -> NDArray[np.int64]:
    """The sense of each example, the largest 0, strays -1, shape (k,), from cosine distances (k, k)."""
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    k = len(distances)
    merged = linkage(squareform(distances, checks=False), method="average")
    found = fcluster(merged, np.nextafter(unrelated, 0), criterion="distance") - 1
    sizes = np.bincount(found)
    large = np.flatnonzero(sizes >= max(_LEAST_SENSE, _LEAST_SHARE * k))
    firsts = np.array([int((found == one).argmax()) for one in large], dtype=np.int64)
    names = np.full(len(sizes), -1, dtype=np.int64)
    names[large[np.lexsort((firsts, -sizes[large]))]] = np.arange(len(large))  # equal sizes: the stronger example
    senses = np.asarray(names[found])
    if len(large) > 1 and silhouette(distances, senses) <= CLEAR:
        senses[senses > 0] = 0
    return senses


def silhouette(distances: NDArray[np.floating], senses: NDArray[np.int64]) -> float:
    """Mean silhouette (Rousseeuw 1987) of the examples in `senses` (k,), strays (-1) aside; NaN under two senses."""
    inside = np.flatnonzero(senses >= 0)
    count = int(senses.max(initial=-1)) + 1
    if count < 2:
        return float("nan")
    own = senses[inside]
    member = (own[:, None] == np.arange(count)).astype(np.float64)  # (inside, senses)
    sizes, here = member.sum(axis=0), np.arange(len(inside))
    sums = distances[np.ix_(inside, inside)] @ member
    within = sums[here, own] / np.maximum(sizes[own] - 1, 1)
    means = sums / sizes
    means[here, own] = np.inf
    nearest = means.min(axis=1)
    return float(np.mean((nearest - within) / np.maximum(np.maximum(nearest, within), 1e-12)))
