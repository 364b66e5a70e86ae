"""A network as tables and as GraphML, for Gephi, Cytoscape, igraph and others."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from lib.errors import InputError
from lib.sae.network.graph import Network

if TYPE_CHECKING:
    import pandas as pd

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def node_table(network: Network, names: Sequence[str | None] | None = None) -> "pd.DataFrame":
    """One row a feature: number, name, frequency, mean activation, edges, cluster, bridging, place.

    Raises:
        InputError: not one name a feature.
    """
    import pandas as pd

    return pd.DataFrame(
        {
            "feature": network.features,
            "name": _names(network, names),
            "frequency": network.frequency,
            "mean_activation": network.mean_activation,
            "everywhere": network.everywhere,
            "edges": network.degree,
            "cluster": network.clusters,
            "bridging": network.bridging,
            "x": network.positions[:, 0],
            "y": network.positions[:, 1],
        }
    )


def edge_table(network: Network, names: Sequence[str | None] | None = None) -> "pd.DataFrame":
    """One row an edge, the heaviest first: both features, every measure, what chance would give.

    Raises:
        InputError: not one name a feature.
    """
    import pandas as pd

    named = np.array(_names(network, names), dtype=object)
    return pd.DataFrame(
        {
            "feature_a": network.features[network.a],
            "name_a": named[network.a],
            "feature_b": network.features[network.b],
            "name_b": named[network.b],
            "weight": network.weight,
            "both": network.both,
            "expected": network.expected,
            "co_frequency": network.co_frequency,
            "jaccard": network.jaccard,
            "lift": network.lift,
            "npmi": network.npmi,
            "correlation": network.correlation,
            "p_value": network.p_value,
            "q_value": network.q_value,
            "chance": network.chance,
        }
    )


def graphml(network: Network, names: Sequence[str | None] | None = None) -> str:
    """The network as GraphML; a node's id is its feature's number. Characters that XML cannot hold are left out.

    Raises:
        InputError: not one name a feature.
    """
    import networkx

    graph = networkx.Graph(
        measure=network.measure, threshold=network.threshold, texts=network.texts, seed=network.seed
    )  # fmt: skip
    for row in node_table(network, names).to_dict("records"):
        feature = row.pop("feature")
        row["label"] = _NOT_XML.sub("", str(row.pop("name")))
        graph.add_node(int(feature), **row)
    for row in edge_table(network).drop(columns=["name_a", "name_b"]).to_dict("records"):
        graph.add_edge(int(row.pop("feature_a")), int(row.pop("feature_b")), **row)
    return "\n".join(networkx.generate_graphml(graph)) + "\n"


def _names(network: Network, names: Sequence[str | None] | None) -> list[str]:
    if names is not None and len(names) != len(network):
        raise InputError(f"One name a feature is needed: {len(network):,} features, got {len(names):,} names.")
    given = names if names is not None else [None] * len(network)
    return [name or f"feature {feature}" for name, feature in zip(given, network.features.tolist(), strict=True)]
