"""The moving picture of a network: sizes, colours, words, places; hostile names stay text, cards escape them."""

import json

import numpy as np
import pytest

from lib.charts.network_clusters import cluster_cards
from lib.charts.network_picture import cluster_colours, frequency_colours, header, network_picture
from lib.charts.palette import CATEGORIES, GREY, HIGH, LOW
from lib.sae.network import describe, network
from tests.toy_sae import codes_of

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def codes():
    """Features 0 to 2 fire together, 3 and 4 do, 5 fires on its own, and 6 nearly everywhere."""
    generator = np.random.default_rng(0)
    one, other = generator.random(120) < 0.3, generator.random(120) < 0.3
    fires = np.stack([one, one, one, other, other, generator.random(120) < 0.1, np.ones(120, bool)], axis=1)
    fires &= generator.random(fires.shape) < 0.93
    return codes_of((fires * generator.uniform(0.2, 1, size=fires.shape)).astype(np.float32))


@pytest.fixture(scope="module")
def found(codes):
    return network(codes, measure="jaccard", threshold=0.4, hide_everywhere=False, shuffles=2)


def names(found):
    return [f"{feature} · {HOSTILE}" for feature in found.features.tolist()]


def test_it_draws_what_the_network_says(found):
    drawn = network_picture(found, names(found))
    assert [node["id"] for node in drawn["nodes"]] == found.features.tolist()
    assert [(edge[0], edge[1]) for edge in drawn["edges"]] == list(zip(found.a, found.b, strict=True))
    assert [edge[3] for edge in drawn["edges"]] == found.chance.astype(int).tolist()
    assert [node["square"] for node in drawn["nodes"]] == found.everywhere.tolist()
    assert drawn["legend"]["square"]
    assert drawn["header"] == ["7 features", f"{found.edges} edges", "threshold 0.4", "120 texts"]
    radii = np.array([node["r"] for node in drawn["nodes"]])
    assert (np.argsort(radii, kind="stable") == np.argsort(found.mean_activation, kind="stable")).all()
    widths = [edge[2] for edge in drawn["edges"]]
    assert widths == sorted(widths, reverse=True)  # as the weights are
    assert json.loads(json.dumps(drawn)) == drawn
    assert f"both fire on {found.both[0]} texts" in drawn["edges"][0][4]


def test_the_ends_of_the_ramp_and_of_the_categories():
    assert frequency_colours(np.array([0.01, 0.5])) == [LOW, HIGH]
    assert frequency_colours(np.array([0.2, 0.2])) == [HIGH, HIGH]
    assert frequency_colours(np.array([])) == []
    assert cluster_colours([0, 6, 7, -1]) == [CATEGORIES[0], CATEGORIES[6], GREY, GREY]


def test_nodes_do_not_lie_upon_one_another(found):
    from dataclasses import replace

    heap = replace(found, positions=np.zeros_like(found.positions))
    nodes = network_picture(heap, names(found))["nodes"]
    places, radii = np.array([[node["x"], node["y"]] for node in nodes]), np.array([node["r"] for node in nodes])
    far = np.linalg.norm(places[:, None] - places[None], axis=2) + 1e3 * np.eye(len(nodes))
    assert (far > 0.9 * (radii[:, None] + radii[None])).all()
    assert nodes == network_picture(heap, names(found))["nodes"]


def test_clusters_in_the_legend_and_as_cards(found, codes):
    labels = [HOSTILE if row % 2 else "plain" for row in range(120)]
    clusters = describe(found, [HOSTILE] * len(found), labels, codes)
    drawn = network_picture(found, names(found), colour_by="cluster", clusters=[one.name for one in clusters])
    assert [entry["colour"] for entry in drawn["legend"]["categories"]][: len(clusters)] == list(
        CATEGORIES[: len(clusters)]
    )
    assert "ramp" not in drawn["legend"]
    cards = cluster_cards(clusters, dict(zip(found.features.tolist(), names(found), strict=True)))
    assert "<img" not in cards
    assert cards.count("edges inside") + cards.count("edge inside") == len(clusters)


def test_without_edges_or_labels(codes):
    bare = network(codes, measure="lift", threshold=29, shuffles=0)
    drawn = network_picture(bare, names(bare))
    assert drawn["edges"] == []
    assert header(bare)[1:3] == ["0 edges", "threshold 29 ×"]
    assert cluster_cards(describe(bare, None, None, codes), {}).count("<div") == 1
