"""Settings that the map and the outliers share: each is bound to the address, so a copied link keeps it."""

from dataclasses import dataclass

import streamlit as st

from lib.geometry import OodScores, Rule
from lib.ui.controls import one_of
from lib.ui.geometry import cached
from lib.ui.geometry.cached import Grouping, Layout
from lib.ui.workspace import Space

METHODS = {"UMAP": "umap", "PCA": "pca", "t-SNE": "tsne"}
CLUSTERS = {"HDBSCAN": "hdbscan", "k-means": "kmeans"}
RULES: dict[str, Rule] = {
    "corpus centroid": "centroid",
    "nearest label centroid": "label_centroid",
    "k-th neighbour": "neighbour",
    "nearest local centroid": "local_centroid",
    "Mahalanobis": "mahalanobis",
}
"""What each rule measures the distance to. These names stand in addresses: keep them."""


def score_name(rule: Rule) -> str:
    """What a rule's score is called on the page."""
    name = next(name for name, known in RULES.items() if known == rule)
    return "Mahalanobis distance" if rule == "mahalanobis" else f"distance to the {name}"


@dataclass(frozen=True)
class MapSettings:
    """How the map is made and coloured."""

    layout: Layout
    grouping: Grouping
    rule: Rule
    score_name: str


def map_settings(n: int) -> MapSettings:
    """Draw the controls of the map for n texts, and return what they say."""
    method = one_of(
        "Map",
        list(METHODS),
        key="map",
        help="UMAP and t-SNE keep neighbours together; PCA is linear, fast and keeps distances as a shadow does.",
    )
    dimensions = one_of(
        "Dimensions", ["2D", "3D"], key="dims", help="Axes of the map; 3D can be turned, 2D can be read."
    )
    with st.popover("Settings", icon=":material/tune:"):
        neighbours = st.slider(
            "Neighbours (UMAP)", 2, 100, 15, key="near", bind="query-params", persist_state="session",
            help="Few: local detail. Many: the broad layout.",
        )  # fmt: skip
        min_dist = st.slider(
            "Minimum distance (UMAP)",
            0.0,
            0.99,
            0.1,
            0.01,
            key="min_dist",
            bind="query-params",
            persist_state="session",
            help="How tightly UMAP may pack texts: low shows groups, high spreads them.",
        )
        perplexity = st.slider(
            "Perplexity (t-SNE)",
            2,
            100,
            30,
            key="perplexity",
            bind="query-params",
            persist_state="session",
            help="About how many neighbours t-SNE tries to keep for each text.",
        )
        seed = st.number_input(
            "Seed",
            0,
            2**31 - 1,
            0,
            key="seed",
            bind="query-params",
            persist_state="session",
            help="Same seed, same map.",
        )
        grouping = _grouping(n)
        rule = choose_rule()
    layout = Layout(METHODS[method], int(dimensions[0]), int(neighbours), float(min_dist), float(perplexity), int(seed))
    return MapSettings(layout, grouping, rule, score_name(rule))


def _grouping(n: int) -> Grouping:
    kind = one_of(
        "Clusters",
        list(CLUSTERS),
        key="clusters",
        help="HDBSCAN leaves out texts that lie in no group; k-means puts every text into one.",
    )
    if kind == "k-means":
        number = st.number_input(
            "Number of clusters (0 = by silhouette)",
            0,
            max(2, min(200, n - 1)),
            0,
            key="count",
            bind="query-params",
            persist_state="session",
            help="How many clusters k-means divides the texts into; 0 takes the number with the best silhouette.",
        )
        return Grouping("kmeans", int(number) or None, None)
    size = st.number_input(
        "Smallest cluster (0 = by size of the corpus)",
        0,
        max(2, n),
        0,
        key="min_size",
        bind="query-params",
        persist_state="session",
        help="HDBSCAN calls fewer texts than this no cluster.",
    )
    return Grouping("hdbscan", None, int(size) or None)


def choose_rule() -> Rule:
    """Which score says how far out a text is."""
    chosen = st.selectbox(
        "Out-of-distribution score",
        list(RULES),
        key="rule",
        bind="query-params",
        persist_state="session",
        help="What the distance of a text is measured to; higher scores lie further out.",
    )
    return RULES[str(chosen)]


def scores(space: Space, settings: MapSettings) -> OodScores:
    """How far out each text is, by the chosen rule."""
    return cached.ood(space.key, space.vectors, space.labels, rule=settings.rule, k=None)
