"""The parts that clustering is made of: the two methods, assignment of the rest, centroids and silhouettes."""

import numpy as np
from numpy.typing import NDArray

from lib.geometry.layouts import fit_umap
from lib.geometry.neighbours import search
from lib.geometry.ood_rules import LabelRule
from lib.geometry.vectors import blocks, sample_rows, unit_blocks, unit_rows

_REDUCED_DIMENSIONS = 5
_NEIGHBOURS = 15
_TOO_FEW_TO_REDUCE = 20
_SMOOTHING = 5  # texts that must be near for a place to count as dense
_MAY_LOSE = 0.15
_COUNTS = (2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50)
_SILHOUETTE_SAMPLE = 2_000
_FENCE = 2.0  # deviations above the median: 2 % of normal distances; see `Clusters.far`
_NORMAL = 1.4826  # standard deviation of a normal law over its median absolute deviation


def default_size(m: int) -> int:
    """Fewest texts in a cluster: 10, a twentieth of the texts where that is less (3 at least), sqrt(m) / 4 if more."""
    return int(max(3, min(10, m // 20), round(m**0.5 / 4)))


def hdbscan(rows: NDArray[np.float32], min_size: int, seed: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Cluster (-1 = none) and strength of each unit row (m, d).

    A cluster of more than half the texts mostly holds several topics that lie nearer to each other than to the rest: it
    is split where that leaves at most 15 % more of the texts without a cluster.
    """
    m = len(rows)
    different = len({row.tobytes() for row in rows})
    if m < min_size:
        return np.full(m, -1), np.zeros(m)
    if different == 1:
        return np.zeros(m, dtype=np.int64), np.ones(m)
    points = rows
    if different >= _TOO_FEW_TO_REDUCE:
        points = fit_umap(rows, _REDUCED_DIMENSIONS, min(_NEIGHBOURS, m - 1), 0.0, seed)
    labels, firm = _densest(points, min_size, None)
    if np.bincount(labels[labels >= 0], minlength=1).max() > m // 2:
        finer, finer_firm = _densest(points, min_size, m // 2)
        if (finer < 0).sum() - (labels < 0).sum() <= _MAY_LOSE * m:
            return finer, finer_firm
    return labels, firm


def _densest(
    points: NDArray[np.float32], min_size: int, max_size: int | None
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    from sklearn.cluster import HDBSCAN

    smoothing = min(_SMOOTHING, min_size)
    model = HDBSCAN(min_cluster_size=min_size, min_samples=smoothing, max_cluster_size=max_size, copy=True).fit(points)
    return model.labels_.astype(np.int64), np.nan_to_num(model.probabilities_)


def assign_to_neighbours(
    embeddings: NDArray[np.floating],
    rows: NDArray[np.int64],
    chosen: NDArray[np.float32],
    fitted: NDArray[np.int64],
    firm: NDArray[np.float64],
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Cluster and strength of every embedding: the fitted `rows` keep theirs, the rest take their nearest's."""
    n = len(embeddings)
    if len(rows) == n:
        return fitted, firm
    labels, strength = np.empty(n, dtype=np.int64), np.empty(n)
    labels[rows], strength[rows] = fitted, firm
    rest = np.setdiff1d(np.arange(n), rows, assume_unique=True)
    for span in blocks(len(rest), 1_024):
        found, _ = search(unit_rows(embeddings, rest[span]), chosen, 1)
        labels[rest[span]], strength[rest[span]] = fitted[found[:, 0]], firm[found[:, 0]]
    return labels, strength


def kmeans(rows: NDArray[np.float32], count: int | None, seed: int) -> tuple[NDArray[np.float32], dict[int, float]]:
    """Centroids (clusters, d) at length 1, and the silhouettes of the counts that were tried."""
    different = len({row.tobytes() for row in rows})
    if count is not None:
        return _centroids(rows, min(count, different), seed), {}
    options = [option for option in _COUNTS if option <= min(different - 1, len(rows) // 2)]
    if not options:
        return _centroids(rows, 1, seed), {}
    made = {option: _centroids(rows, option, seed) for option in options}
    found = {option: silhouette(rows, (rows @ made[option].T).argmax(axis=1), seed) for option in options}
    tried = {
        option: -1.0 if value is None else value for option, value in found.items()
    }  # one cluster after all: worst
    return made[max(tried, key=lambda option: tried[option])], tried


def _centroids(rows: NDArray[np.float32], count: int, seed: int) -> NDArray[np.float32]:
    from sklearn.cluster import KMeans

    model = KMeans(count, n_init=3, random_state=seed).fit(rows)
    lengths = np.linalg.norm(model.cluster_centers_, axis=1, keepdims=True)
    return np.asarray(model.cluster_centers_ / np.maximum(lengths, 1e-12), dtype=np.float32)


def assign_to_centroids(
    embeddings: NDArray[np.floating], centroids: NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Nearest of `centroids` for every embedding, and 1 - distance to it / distance to the next."""
    labels, strength = np.empty(len(embeddings), dtype=np.int64), np.ones(len(embeddings))
    for span, rows in unit_blocks(embeddings):
        distances = np.clip(1 - rows @ centroids.T, 0, 2)
        labels[span] = distances.argmin(axis=1)
        if len(centroids) > 1:
            first, second = np.partition(distances, 1, axis=1)[:, :2].T
            strength[span] = 1 - first / np.maximum(second, 1e-12)
    return labels, strength


def largest_first(labels: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Labels numbered anew by size, and the sizes; -1 stays."""
    names, sizes = np.unique(labels[labels >= 0], return_counts=True)
    order = np.argsort(-sizes, kind="stable")
    renamed = np.full(int(names.max(initial=-1)) + 2, -1, dtype=np.int64)  # the last place answers for -1
    renamed[names[order]] = np.arange(len(names))
    return renamed[labels], sizes[order]


def centroid_distances(
    embeddings: NDArray[np.floating], labels: NDArray[np.int64]
) -> tuple[NDArray[np.float64], float]:
    """Cosine distance of every text to the nearest cluster's centroid without itself, and the fence of what is far."""
    kept = np.flatnonzero(labels >= 0) if (labels >= 0).any() else np.arange(len(labels))
    places = np.full(len(labels), -1, dtype=np.int64)
    if len(kept) > 1:
        places[kept] = np.arange(len(kept))  # a single text cannot be left out: nothing would be there
    rule = LabelRule.fit(embeddings, kept, [str(label) for label in labels[kept]])
    distance = np.empty(len(labels))
    for span, rows in unit_blocks(embeddings):
        distance[span] = rule.score(rows, places[span])
    middle = float(np.median(distance[kept]))
    deviation = _NORMAL * float(np.median(np.abs(distance[kept] - middle)))
    return distance, middle + _FENCE * deviation


def silhouette(rows: NDArray[np.float32], labels: NDArray[np.int64], seed: int) -> float | None:
    """Mean silhouette by cosine of a sample of the clustered unit rows, in [-1, 1]; None under two clusters."""
    inside = np.flatnonzero(labels >= 0)
    inside = inside[sample_rows(len(inside), _SILHOUETTE_SAMPLE, seed=seed)]
    if not 2 <= len(np.unique(labels[inside])) < len(inside):
        return None
    from sklearn.metrics import silhouette_score

    distances = np.clip(1 - rows[inside] @ rows[inside].T, 0, None)
    np.fill_diagonal(distances, 0)
    return float(silhouette_score(distances, labels[inside], metric="precomputed"))
