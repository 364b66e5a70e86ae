"""Groups of nodes with more edges among them than at random, and the nodes that join them."""

import numpy as np
from numpy.typing import NDArray


def communities(
    a: NDArray[np.integer], b: NDArray[np.integer], weight: NDArray[np.floating], *, nodes: int, seed: int
) -> tuple[NDArray[np.int32], float]:
    """Louvain's clusters of a weighted graph (Blondel et al. 2008), and their modularity; NaN without edges.

    Numbers are given by size, the largest 0, and a node on its own is -1, shape (nodes,). The method is greedy: another
    seed may part a loosely knit graph elsewhere.
    """
    import networkx

    clusters = np.full(nodes, -1, dtype=np.int32)
    if not len(a):
        return clusters, float("nan")
    graph = networkx.Graph()
    graph.add_nodes_from(range(nodes))
    graph.add_weighted_edges_from(zip(a.tolist(), b.tolist(), weight.tolist(), strict=True))
    groups = networkx.community.louvain_communities(graph, seed=seed)
    modularity = float(networkx.community.modularity(graph, groups))
    groups = sorted((sorted(group) for group in groups if len(group) > 1), key=lambda group: (-len(group), group))
    for number, group in enumerate(groups):
        clusters[group] = number
    return clusters, modularity


def participation(
    a: NDArray[np.integer],
    b: NDArray[np.integer],
    weight: NDArray[np.floating],
    *,
    clusters: NDArray[np.integer],
) -> NDArray[np.float64]:
    """Participation coefficient 1 - sum over clusters of (weight of edges into it / weight of all edges)^2, (nodes,).

    0 where all of a node's edges stay within one cluster, or where it has none; near 1 where they reach evenly into
    many (Guimera and Amaral 2005). A node on its own counts as a cluster.
    """
    shares = cluster_weights(a, b, weight, clusters=clusters)
    total = shares.sum(axis=1, keepdims=True)
    shares = np.divide(shares, total, out=np.zeros_like(shares), where=total > 0)
    return np.where(total[:, 0] > 0, np.clip(1 - (shares**2).sum(axis=1), 0, 1), 0.0)


def cluster_weights(
    a: NDArray[np.integer],
    b: NDArray[np.integer],
    weight: NDArray[np.floating],
    *,
    clusters: NDArray[np.integer],
) -> NDArray[np.float64]:
    """Weight of each node's edges into each cluster, shape (nodes, clusters + nodes that are one on their own)."""
    numbers = clusters.astype(np.int64).copy()
    alone, first = np.flatnonzero(numbers < 0), int(numbers.max(initial=-1)) + 1
    numbers[alone] = first + np.arange(len(alone))
    found = np.zeros((len(clusters), first + len(alone)))
    np.add.at(found, (a, numbers[b]), weight)
    np.add.at(found, (b, numbers[a]), weight)
    return found
