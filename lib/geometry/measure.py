"""Every number of the Geometry page but the map, in one pass of shared work: moments, pairs, one neighbour search."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.geometry.anisotropy import Anisotropy, anisotropy
from lib.geometry.concentration import Concentration, concentration
from lib.geometry.dimension import IntrinsicDimension, intrinsic_dimension
from lib.geometry.hubness import Hubness, hubness
from lib.geometry.labels import LabelFit, label_fit
from lib.geometry.moments import moments
from lib.geometry.neighbours import neighbours
from lib.geometry.similarity import MOST_LABELS, LabelSimilarity, label_groups, label_similarity
from lib.geometry.uniformity import Uniformity, uniformity
from lib.geometry.vectors import check, pairs
from lib.results import Result


@dataclass(frozen=True)
class Geometry(Result):
    """The shape of a corpus in an encoder's space."""

    anisotropy: Anisotropy
    """Do all embeddings point the same way?"""
    dimension: IntrinsicDimension
    """How many dimensions do they fill?"""
    uniformity: Uniformity
    """How evenly do they cover the sphere?"""
    hubness: Hubness
    """Do a few texts turn up among everyone's neighbours?"""
    concentration: Concentration
    """Can the nearest still be told from the farthest?"""
    labels: LabelFit | None
    """Do the labels show in the space? None without two labels."""
    similarity: LabelSimilarity | None
    """Which labels are close to each other? None without labels, and with more than `MOST_LABELS` different ones."""


def measure(
    embeddings: NDArray[np.floating],
    labels: Sequence[str | None] | None = None,
    *,
    max_pairs: int = 200_000,
    k: int = 10,
    seed: int = 0,
) -> Geometry:
    """Measure `embeddings`, shape (n, d), n >= 3, memory-mapped or not; `labels` (n,) may hold None.

    Raises:
        InputError: fewer than three embeddings, one of zero length, or labels of another number.
    """
    check(embeddings, minimum=3, what="The Geometry page")
    groups = label_groups(embeddings, labels) if labels is not None else None
    sums = moments(embeddings)
    drawn = pairs(embeddings, max_pairs=max_pairs, seed=seed)
    nearest = neighbours(embeddings, k=k, seed=seed)
    different = len(groups.names) if groups is not None else 0
    return Geometry(
        anisotropy=anisotropy(embeddings, known=sums, sample=drawn),
        dimension=intrinsic_dimension(embeddings, known=sums, nearest=nearest, seed=seed),
        uniformity=uniformity(embeddings, labels, groups=groups, sample=drawn),
        hubness=hubness(embeddings, k=k, nearest=nearest, seed=seed),
        concentration=concentration(embeddings, seed=seed),
        labels=label_fit(embeddings, labels, k=k, groups=groups, nearest=nearest, seed=seed)
        if labels is not None and different > 1
        else None,
        similarity=label_similarity(embeddings, labels, groups=groups)
        if labels is not None and 0 < different <= MOST_LABELS
        else None,
    )
