"""Clusters, bridges, neighbours, shared texts and files of a network, on planted groups."""

import networkx
import numpy as np
import pytest

from lib.errors import InputError
from lib.sae.network import bridges, describe, edge_table, graphml, neighbours, network, node_table, pair_texts
from lib.sae.network.chance import pearson3_tail
from lib.sae.network.communities import communities, participation
from tests.toy_sae import codes_of

LAW, MONEY, BOTH = (0, 1, 2, 3), (4, 5, 6, 7), 8


@pytest.fixture(scope="module")
def planted():
    """Two groups of features that fire on law and on money, and one that fires with two of each."""
    generator = np.random.default_rng(0)
    labels = ["law"] * 100 + ["money"] * 100 + [None] * 20
    x = np.zeros((220, 10), np.float32)
    for group, rows in ((LAW, slice(0, 100)), (MONEY, slice(100, 200))):
        for feature in group:
            x[rows, feature] = (generator.random(100) < 0.7) * generator.uniform(0.5, 1, 100)
    x[:, BOTH] = (x[:, 0] + x[:, 4]) * (generator.random(220) < 0.9)
    x[200:, 9] = 1
    codes = codes_of(x)
    return codes, labels, network(codes, most=10, threshold=0.15, everywhere=0.9)


def test_clusters_are_the_planted_groups(planted):
    codes, labels, found = planted
    names = [f"about {feature}" if feature != 4 else None for feature in found.features]
    clusters = describe(found, names, labels, codes)
    groups = {frozenset(cluster.features.tolist()) - {BOTH} for cluster in clusters}
    assert groups == {frozenset(LAW), frozenset(MONEY)}
    assert found.clusters[found.place(9)] == -1
    for cluster in clusters:
        own = "law" if 0 in cluster.features else "money"
        assert cluster.typical == own
        at = cluster.labels.index(own)
        assert cluster.low[at] <= cluster.share[at] <= cluster.high[at]
        assert cluster.share.sum() == pytest.approx(1)
        firing = np.isin(codes.features, cluster.features)
        text = np.repeat(np.arange(len(codes)), codes.active)
        expected = np.mean([labels[row] == own for row in text[firing] if labels[row] is not None])
        assert cluster.share[at] == pytest.approx(expected)
        assert (np.diff(cluster.inside) <= 0).all()
        assert cluster.name.count("about") == 3
    inside = sum(cluster.edges for cluster in clusters)
    assert 2 * (found.edges - inside) == sum(cluster.edges_out for cluster in clusters)
    plain = describe(found, None, None, codes)
    assert plain[0].name.startswith("#")
    assert (plain[0].labels, plain[0].typical, plain[0].firings) == ((), None, 0)


def test_what_does_not_belong_to_the_network_is_refused(planted):
    codes, labels, found = planted
    with pytest.raises(InputError, match="220 texts, these codes have 3"):
        describe(found, None, None, codes.select(np.arange(3)))
    with pytest.raises(InputError, match="220 texts, got 1 labels"):
        describe(found, None, labels[:1], codes)
    with pytest.raises(InputError, match="10 features, got 1 names"):
        describe(found, ["one"], labels, codes)
    with pytest.raises(InputError, match="10 features, got 1 names"):
        graphml(found, ["one"])


def test_the_feature_between_the_groups_is_the_bridge(planted):
    _, _, found = planted
    first = bridges(found)[0]
    assert first.feature == BOTH
    assert len(first.joins) == 2
    assert sum(share for _, share in first.joins) == pytest.approx(1)
    assert first.participation == pytest.approx(1 - sum(share**2 for _, share in first.joins))
    assert bridges(found, most=0) == ()


def test_participation_and_modularity_by_closed_form():
    # two triangles, joined by node 6 that has one edge into each
    a, b = np.array([0, 0, 1, 3, 3, 4, 2, 5]), np.array([1, 2, 2, 4, 5, 5, 6, 6])
    weight = np.ones(8)
    clusters, modularity = communities(a, b, weight, nodes=8, seed=0)
    assert clusters[7] == -1
    assert clusters[0] == clusters[1] == clusters[2] != clusters[3]
    graph = networkx.Graph(list(zip(a.tolist(), b.tolist(), strict=True)))
    groups = [set(np.flatnonzero(clusters == number).tolist()) for number in range(clusters.max() + 1)]
    assert modularity == pytest.approx(networkx.community.modularity(graph, groups))
    found = participation(a, b, weight, clusters=np.array([0, 0, 0, 1, 1, 1, 0, -1]))
    np.testing.assert_allclose(found, [0, 0, 0, 0, 0, 1 - (4 + 1) / 9, 0.5, 0])


def test_neighbours_and_the_texts_they_share(planted):
    codes, _, found = planted
    near = neighbours(found, 0)
    assert set(LAW) - {0} <= set(near.features.tolist())
    assert (np.diff(near.weight) <= 0).all()
    for other, both, conditional, reverse in zip(
        near.features.tolist(), near.both, near.conditional, near.reverse, strict=True
    ):
        shared = pair_texts(codes, 0, other)
        assert len(shared) == both
        assert conditional == pytest.approx(both / shared.count_a)
        assert reverse == pytest.approx(both / shared.count_b)
    weaker = np.minimum(
        shared.activation_a / codes.firing(0)[1].max(), shared.activation_b / codes.firing(shared.b)[1].max()
    )
    assert (np.diff(weaker) <= 0).all()
    assert len(pair_texts(codes, 0, 9)) == 0
    assert len(neighbours(found, 9)) == 0
    with pytest.raises(InputError, match="Feature 44 is not among the 10 features"):
        neighbours(found, 44)
    with pytest.raises(InputError, match="features 0 to 9, got 10"):
        pair_texts(codes, 0, 10)


def test_graphml_and_tables_hold_the_network(planted):
    _, _, found = planted
    names = ["<b>&\x00 law"] * len(found)
    graph = networkx.parse_graphml(graphml(found, names), node_type=int)
    assert graph.number_of_nodes() == len(found)
    assert graph.number_of_edges() == found.edges
    assert graph.nodes[BOTH]["label"] == "<b>& law"
    assert graph.graph["measure"] == "correlation"
    a, b = int(found.features[found.a[0]]), int(found.features[found.b[0]])
    assert graph.edges[a, b]["weight"] == pytest.approx(found.weight[0])
    table = edge_table(found)
    assert table["feature_a"].tolist() == found.features[found.a].tolist()
    assert table["name_b"][0] == f"feature {b}"
    assert node_table(found)["edges"].sum() == 2 * found.edges


def test_the_tail_of_pearsons_type_iii_law_is_scipys():
    from scipy.stats import pearson3

    x, skew = (grid.ravel() for grid in np.meshgrid(np.linspace(-3, 12, 31), [-2.0, -0.3, -1e-3, 0.0, 1e-3, 0.4, 3.0]))
    assert pearson3_tail(x, skew) == pytest.approx(pearson3.sf(x, skew), rel=1e-6, abs=1e-300)
