"""Slow results by way of the shelf: a map or a clustering is made once for the same vectors and settings."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lib.geometry import Clusters, Projection, cluster, project
from lib.shelf import Shelf

_VERSION = 1
"""Raised when the same vectors and settings would give another map or other clusters than before."""


def kept_projection(key: str, embeddings: NDArray[np.floating], shelf: Shelf, **settings: Any) -> Projection:
    """`project(embeddings, **settings)`; `key` is the content hash of `embeddings`, shape (n, d).

    Raises:
        InputError: as `project` does.
    """
    inputs = {"vectors": key, "version": _VERSION, **settings}
    found = shelf.get(Projection, inputs)
    if found is None:
        found = project(embeddings, **settings)
        shelf.put(found, inputs)
    return found


def kept_clusters(key: str, embeddings: NDArray[np.floating], shelf: Shelf, **settings: Any) -> Clusters:
    """`cluster(embeddings, **settings)`; `key` is the content hash of `embeddings`, shape (n, d).

    Raises:
        InputError: as `cluster` does.
    """
    inputs = {"vectors": key, "version": _VERSION, **settings}
    found = shelf.get(Clusters, inputs)
    if found is None:
        found = cluster(embeddings, **settings)
        shelf.put(found, inputs)
    return found
