"""Slow results by way of the shelf: a map or a clustering is made once for the same vectors and settings.

Settings that a method does not look at are set to their defaults, so that they neither part equal results nor
make anything anew.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from lib.geometry import Clusters, Projection, cluster, project
from lib.results import Result
from lib.shelf import Shelf

R = TypeVar("R", bound=Result)

_VERSION = 1
"""Raised when the same vectors and settings would give another map or other clusters than before."""
_PROJECTION = {"dimensions": 2, "neighbours": 15, "min_dist": 0.1, "perplexity": 30.0, "seed": 0}
_CLUSTERS = {"count": None, "min_size": None, "seed": 0}
_USED = {
    "umap": {"dimensions", "neighbours", "min_dist", "seed"},
    "tsne": {"dimensions", "perplexity", "seed"},
    "pca": {"dimensions", "seed"},  # the seed draws the texts behind the trustworthiness
    "hdbscan": {"min_size", "seed"},
    "kmeans": {"count", "seed"},
}


def kept_projection(
    key: str, embeddings: NDArray[np.floating], shelf: Shelf, *, method: str = "umap", **settings: Any
) -> Projection:
    """`project(embeddings, method=method, **settings)`; `key` is the content hash of `embeddings`, shape (n, d).

    Raises:
        InputError: as `project` does.
    """
    return _kept(Projection, project, key, embeddings, shelf, method, _PROJECTION | settings)


def kept_clusters(
    key: str, embeddings: NDArray[np.floating], shelf: Shelf, *, method: str = "hdbscan", **settings: Any
) -> Clusters:
    """`cluster(embeddings, method=method, **settings)`; `key` is the content hash of `embeddings`, shape (n, d).

    Raises:
        InputError: as `cluster` does.
    """
    return _kept(Clusters, cluster, key, embeddings, shelf, method, _CLUSTERS | settings)


def kept(kind: type[R], inputs: Mapping[str, Any], shelf: Shelf, make: Callable[[], R]) -> R:
    """The result of class `kind` that depends on `inputs`: from the shelf, else made and put there."""
    found = shelf.get(kind, inputs)
    if found is None:
        found = make()
        shelf.put(found, inputs)
    return found


def _kept(
    kind: type[R],
    make: Any,
    key: str,
    embeddings: NDArray[np.floating],
    shelf: Shelf,
    method: str,
    settings: dict[str, Any],
) -> R:
    defaults = _PROJECTION if kind is Projection else _CLUSTERS
    used = {name: settings[name] if name in _USED.get(method, ()) else default for name, default in defaults.items()}
    inputs = {"vectors": key, "version": _VERSION, "method": method, **used}
    return kept(kind, inputs, shelf, partial(make, embeddings, method=method, **used))
