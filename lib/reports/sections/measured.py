"""What is measured of a corpus for its sections: what the Geometry page measures, at its defaults."""

from dataclasses import dataclass

from lib.geometry import Clusters, Geometry, Projection, measure, recommend, score
from lib.kept import kept_clusters, kept_projection
from lib.overview.space import Fence, fence
from lib.reports.material import CorpusSide, Doing, Options
from lib.shelf import Shelf

FEWEST = 3
"""Texts that a geometry needs."""


@dataclass(frozen=True, eq=False)
class Space:
    """What was measured of a corpus."""

    geometry: Geometry
    """Everything but the map."""
    layout: Projection
    """The map."""
    groups: Clusters
    """The clusters."""
    fence: Fence
    """How far out each text is, and which are unusually far."""


def measured(side: CorpusSide, shelf: Shelf, options: Options, *, doing: Doing) -> Space:
    """Measure a corpus of at least `FEWEST` texts, as the Geometry page does at its defaults."""
    doing("Measuring the space")
    geometry = measure(side.vectors, side.corpus.labels, seed=options.seed)
    far = _far(side, options)
    doing("Laying out the map")
    layout = kept_projection(side.vectors_key, side.vectors, shelf, seed=options.seed)
    doing("Looking for clusters")
    groups = kept_clusters(side.vectors_key, side.vectors, shelf, seed=options.seed)
    return Space(geometry, layout, groups, far)


def numbers_beside(side: CorpusSide, options: Options) -> dict[str, float]:
    """What is compared of two encoders' spaces, by flat names: all but the map, which says nothing of a space."""
    found = measure(side.vectors, side.corpus.labels, seed=options.seed)
    values = {
        "anisotropy": found.anisotropy.mean_cosine,
        "anisotropy.centred": found.anisotropy.mean_cosine_centred,
        "components_95": found.dimension.components_95,
        "two_nn": found.dimension.two_nn,
        "silhouette": None if found.labels is None else found.labels.silhouette,
        "purity": None if found.labels is None else found.labels.purity,
        "hub_skewness": found.hubness.skewness,
        "outliers.share": _far(side, options).flagged.share,
    }
    return {name: float(value) for name, value in values.items() if value is not None}


def _far(side: CorpusSide, options: Options) -> Fence:
    labels = side.corpus.labels
    rule = recommend(len(side.corpus), reference_labels=labels).rule
    return fence(score(side.vectors, rule=rule, reference_labels=labels, seed=options.seed))
