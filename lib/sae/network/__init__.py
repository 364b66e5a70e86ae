"""The co-activation network of a corpus: features, the texts that they share, clusters, and what chance would give."""

from lib.sae.network.build import network
from lib.sae.network.clusters import Bridge, Cluster, bridges, describe
from lib.sae.network.export import edge_table, graphml, node_table
from lib.sae.network.graph import MEASURES, Measure, Network
from lib.sae.network.near import Neighbours, PairTexts, neighbours, pair_texts
from lib.sae.network.settings import (
    DEFAULT_FEATURES,
    DEFAULT_MEASURE,
    DEFAULT_THRESHOLDS,
    LEAST_BOTH,
    MOST_FEATURES,
)

__all__ = [
    "DEFAULT_FEATURES",
    "DEFAULT_MEASURE",
    "DEFAULT_THRESHOLDS",
    "LEAST_BOTH",
    "MEASURES",
    "MOST_FEATURES",
    "Bridge",
    "Cluster",
    "Measure",
    "Neighbours",
    "Network",
    "PairTexts",
    "bridges",
    "describe",
    "edge_table",
    "graphml",
    "neighbours",
    "network",
    "node_table",
    "pair_texts",
]
