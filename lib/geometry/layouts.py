"""The layout methods behind maps and clusters: UMAP, t-SNE and PCA on unit vectors, seeded, each one plain function."""

import warnings
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from lib.geometry.moments import Moments
from lib.geometry.neighbours import neighbours

_UMAP_LOCK = Lock()  # two UMAP fits at once abort the process under numba's workqueue threads
_TOO_FEW_FOR_SPECTRAL = 10
_NO_VARIANCE = 1e-7  # of unit vectors in float32: all embeddings are the same


def fit_umap(rows: NDArray[np.float32], dimensions: int, count: int, min_dist: float, seed: int) -> NDArray[np.float32]:
    """UMAP of unit rows (m, d) on their exact neighbours, which also spares compiling an approximate search."""
    found = neighbours(rows, count - 1, exact_up_to=len(rows))
    own = np.arange(len(rows))[:, None]
    indices = np.hstack([own, found.indices])  # UMAP counts a point as its own first neighbour
    cosine_distances = np.hstack([np.zeros(own.shape), np.square(found.distances) / 2])
    with _UMAP_LOCK:
        from umap import UMAP

        warnings.filterwarnings("ignore", message="precomputed_knn", module=r"umap\.umap_")
        model = UMAP(
            n_components=dimensions,
            n_neighbors=count,
            min_dist=min_dist,
            metric="cosine",
            init="random" if len(rows) < _TOO_FEW_FOR_SPECTRAL else "spectral",
            precomputed_knn=(indices.astype(np.int32), cosine_distances.astype(np.float32)),
            disconnection_distance=np.inf,
            random_state=seed,
            n_jobs=1,
        )
        return np.asarray(model.fit_transform(rows), dtype=np.float32)


def fit_tsne(rows: NDArray[np.float32], dimensions: int, perplexity: float, seed: int) -> NDArray[np.float32]:
    """t-SNE of unit rows (m, d) by cosine, started from PCA."""
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    model = TSNE(dimensions, perplexity=perplexity, metric="cosine", init="pca", random_state=seed, n_jobs=1)
    with threadpool_limits(
        1, user_api="openmp"
    ):  # its short parallel loops wait for each other: one is faster than two
        return np.asarray(model.fit_transform(rows), dtype=np.float32)


def principal_axes(
    sums: Moments, dimensions: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Mean (d,), axes (dimensions, d) and the share of variance along each; axes beyond d are zero."""
    d = len(sums.total)
    covariance = sums.scatter / sums.n
    values, vectors = np.linalg.eigh(covariance)
    values = np.clip(values[::-1], 0, None)
    kept = min(dimensions, d)
    components, share = np.zeros((dimensions, d)), np.zeros(dimensions)
    components[:kept] = vectors.T[::-1][:kept]
    largest = np.abs(components[:kept]).argmax(axis=1)
    components[:kept] *= np.sign(components[np.arange(kept), largest])[:, None]  # a sign that does not hang on LAPACK
    if values.sum() > _NO_VARIANCE:
        share[:kept] = values[:kept] / values.sum()
    return sums.mean, components, share
