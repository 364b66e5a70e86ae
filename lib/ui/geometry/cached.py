"""The results of the Geometry page, computed once for all sessions, by content key.

Results are frozen and shared, not copied. Errors are not cached.
"""

import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from lib import geometry
from lib.geometry.vectors import Pairs
from lib.geometry.vectors import pairs as draw_pairs
from lib.kept import kept_clusters, kept_projection
from lib.ui.memory import release
from lib.ui.resources import ARRAYS_KEPT, HOUR, RESULTS_KEPT, shelf

Vectors = NDArray[np.floating]
Labels = Sequence[str | None] | None


@st.cache_resource(max_entries=1, show_spinner=False)
def warm_up() -> None:
    """Compile UMAP in the background, once: about 10 s that the first map of a new corpus need not wait for."""
    threading.Thread(target=geometry.warm_up, daemon=True, name="warm-up").start()


@st.cache_resource(max_entries=RESULTS_KEPT, show_spinner=False)
def moments(key: str, _vectors: Vectors) -> geometry.Moments:
    """Moments of the space `key`."""
    return geometry.moments(_vectors)


@st.cache_resource(max_entries=ARRAYS_KEPT, ttl=HOUR, show_spinner=False)
def pairs(key: str, _vectors: Vectors, *, max_pairs: int, seed: int) -> Pairs:
    """Cosines of pairs in the space `key`."""
    return draw_pairs(_vectors, max_pairs=max_pairs, seed=seed)


@st.cache_resource(max_entries=ARRAYS_KEPT, ttl=HOUR, show_spinner="Searching neighbours…")
def neighbours(key: str, _vectors: Vectors, *, k: int, seed: int) -> geometry.Neighbours:
    """Nearest neighbours in the space `key`."""
    return geometry.neighbours(_vectors, k=k, seed=seed)


@st.cache_resource(max_entries=RESULTS_KEPT, show_spinner="Measuring…")
def anisotropy(key: str, _vectors: Vectors, *, max_pairs: int, seed: int) -> geometry.Anisotropy:
    """Anisotropy of the space `key`."""
    sample = pairs(key, _vectors, max_pairs=max_pairs, seed=seed)
    return geometry.anisotropy(_vectors, known=moments(key, _vectors), sample=sample)


@st.cache_resource(max_entries=RESULTS_KEPT, show_spinner="Measuring…")
def intrinsic_dimension(key: str, _vectors: Vectors, *, k: int, seed: int) -> geometry.IntrinsicDimension:
    """Intrinsic dimension of the space `key`."""
    nearest = neighbours(key, _vectors, k=k, seed=seed)
    return geometry.intrinsic_dimension(_vectors, known=moments(key, _vectors), nearest=nearest, seed=seed)


@st.cache_resource(max_entries=ARRAYS_KEPT, ttl=HOUR, show_spinner="Measuring…")
def hubness(key: str, _vectors: Vectors, *, k: int, seed: int) -> geometry.Hubness:
    """Hubness of the space `key`."""
    return geometry.hubness(_vectors, k=k, nearest=neighbours(key, _vectors, k=k, seed=seed), seed=seed)


@st.cache_resource(max_entries=RESULTS_KEPT, show_spinner="Measuring…")
def uniformity(
    key: str, vectors_key: str, _vectors: Vectors, _labels: Labels, *, max_pairs: int, seed: int
) -> geometry.Uniformity:
    """Uniformity and alignment of the space `key` (which covers its labels)."""
    return geometry.uniformity(_vectors, _labels, sample=pairs(vectors_key, _vectors, max_pairs=max_pairs, seed=seed))


@st.cache_resource(max_entries=RESULTS_KEPT, show_spinner="Measuring…")
def concentration(key: str, _vectors: Vectors, *, seed: int) -> geometry.Concentration:
    """Distance concentration in the space `key`."""
    return geometry.concentration(_vectors, seed=seed)


@st.cache_resource(max_entries=RESULTS_KEPT, show_spinner="Measuring…")
def label_fit(
    key: str, vectors_key: str, _vectors: Vectors, _labels: Sequence[str | None], *, k: int, seed: int
) -> geometry.LabelFit:
    """Silhouette and purity of the labels of the space `key`."""
    nearest = neighbours(vectors_key, _vectors, k=k, seed=seed)
    return geometry.label_fit(_vectors, _labels, k=k, nearest=nearest, seed=seed)


@st.cache_resource(max_entries=RESULTS_KEPT, show_spinner="Measuring…")
def label_similarity(key: str, _vectors: Vectors, _labels: Sequence[str | None]) -> geometry.LabelSimilarity:
    """Mean cosines within and between the labels of the space `key`."""
    return geometry.label_similarity(_vectors, _labels)


@st.cache_resource(max_entries=ARRAYS_KEPT, ttl=HOUR, show_spinner="Measuring…")
def text_similarity(
    key: str, _vectors: Vectors, _labels: Labels, *, at_most: int, seed: int
) -> geometry.TextSimilarity:
    """Cosines between texts drawn evenly from the labels of the space `key`."""
    return geometry.text_similarity(_vectors, _labels, at_most=at_most, seed=seed)


@dataclass(frozen=True)
class Layout:
    """How a map is made."""

    method: str = "umap"
    dimensions: int = 2
    neighbours: int = 15
    min_dist: float = 0.1
    perplexity: float = 30.0
    seed: int = 0


@dataclass(frozen=True)
class Grouping:
    """How clusters are found."""

    method: str = "hdbscan"
    count: int | None = None
    min_size: int | None = None


@st.cache_resource(
    max_entries=ARRAYS_KEPT, ttl=HOUR, show_spinner="Fitting the map; the first one in a new server takes longest…"
)
def projection(key: str, _vectors: Vectors, layout: Layout) -> geometry.Projection:
    """The map of the vectors `key`, from the shelf if it was made before."""
    made = kept_projection(key, _vectors, shelf(), **asdict(layout))
    release()
    return made


@st.cache_resource(max_entries=ARRAYS_KEPT, ttl=HOUR, show_spinner="Looking for clusters…")
def clusters(key: str, _vectors: Vectors, grouping: Grouping) -> geometry.Clusters:
    """The clusters of the vectors `key`, from the shelf if they were found before."""
    made = kept_clusters(key, _vectors, shelf(), **asdict(grouping))
    release()
    return made


@st.cache_resource(max_entries=ARRAYS_KEPT, ttl=HOUR, show_spinner="Scoring…")
def ood(key: str, _vectors: Vectors, _labels: Labels, *, rule: geometry.Rule, k: int | None) -> geometry.OodScores:
    """How far out each text of the space `key` is, left out of what judges it."""
    return geometry.score(_vectors, rule=rule, reference_labels=_labels, k=k)


@st.cache_resource(max_entries=ARRAYS_KEPT, ttl=HOUR, show_spinner=False)
def ood_against(
    key: str, new_key: str, _vectors: Vectors, _reference: Vectors, _labels: Labels, *, rule: geometry.Rule
) -> geometry.OodScores:
    """How far out the texts of the corpus `new_key` are, judged by the whole space `key`."""
    return geometry.score(_vectors, rule=rule, reference=_reference, reference_labels=_labels)


@st.cache_resource(max_entries=ARRAYS_KEPT, ttl=HOUR, show_spinner=False)
def detection(key: str, _scores: Vectors, _out: NDArray[np.bool_]) -> geometry.Detection:
    """How well scores separate the texts that a column marks as out."""
    return geometry.detection(_scores, _out)
