"""Features whose directions lie closest to one another: decoder cosine."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.errors import InputError
from lib.results import Result
from lib.sae.autoencoder import SparseAutoencoder

_BLOCK = 512  # rows of cosines held at once


@dataclass(frozen=True, eq=False)
class NearestFeatures(Result):
    """The features whose directions are most like one feature's."""

    feature: int
    """The feature that was asked about."""
    features: NDArray[np.int64]
    """Its neighbours, the nearest first."""
    cosines: NDArray[np.float32]
    """Cosine of the two decoder directions, -1 to 1; unrelated ones lie near 0."""


def nearest_features(sae: SparseAutoencoder, feature: int, top: int = 5) -> NearestFeatures:
    """The `top` features nearest to `feature` by the cosine of their decoder directions.

    Raises:
        InputError: a feature that the dictionary does not have.
    """
    if not 0 <= feature < sae.features:
        raise InputError(f"This dictionary has the features 0 to {sae.features - 1:,}, got {feature}.")
    cosines = sae.decoder_weights @ sae.decoder_weights[feature]
    order = np.argsort(-cosines, kind="stable")
    order = order[order != feature][:top]
    return NearestFeatures(feature, order, cosines[order])


def neighbour_table(sae: SparseAutoencoder, top: int, features: NDArray[np.integer] | None = None) -> NDArray[np.int32]:
    """The `top` nearest features of every feature, or of each of `features`, nearest first: shape (features, top).

    In blocks, never n x n at once.
    """
    asked = np.arange(sae.features) if features is None else np.asarray(features, dtype=np.int64)
    top = min(top, sae.features - 1)
    found = np.empty((len(asked), top), dtype=np.int32)
    for start in range(0, len(asked), _BLOCK):
        block = asked[start : start + _BLOCK]
        cosines = sae.decoder_weights[block] @ sae.decoder_weights.T
        cosines[np.arange(len(block)), block] = -np.inf
        nearest = np.argpartition(-cosines, max(top - 1, 0), axis=1)[:, :top]
        order = np.argsort(-np.take_along_axis(cosines, nearest, axis=1), axis=1, kind="stable")
        found[start : start + _BLOCK] = np.take_along_axis(nearest, order, axis=1)
    return found
