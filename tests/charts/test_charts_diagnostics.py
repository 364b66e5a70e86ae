"""Figures of the Diagnostics page: what they draw is what the results hold; empty and hostile ones can be drawn."""

import json

import numpy as np
import pytest

from lib.charts import diagnostics_absorption, diagnostics_health, diagnostics_polysemy
from lib.sae.diagnostics import health, label_absorption, polysemy, scan_absorption, senses_of
from tests.toy_diagnostics import TOPICS, UNION, dictionary, planted
from tests.toy_sae import codes_of, orthogonal_sae

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def case():
    vectors, topic, texts = planted()
    sae = dictionary()
    return vectors, sae.encode(vectors), sae, [TOPICS[one] for one in topic], texts


def drawn(fig):
    """The figure as JSON, without what a click gives back."""
    spec = json.loads(fig.to_json())
    for trace in spec["data"]:
        trace.pop("customdata", None)
    return json.dumps(spec)


def named(fig):
    return {trace.name: trace for trace in fig.data if trace.name}


def test_pairs_stand_where_their_share_and_lift_are(case):
    found = scan_absorption(case[1], case[2], threshold=0.5)
    names = {row: f"{HOSTILE} {row}" for row in range(len(found))}
    fig = diagnostics_absorption.pairs_map(found, names, chosen=0)
    points = [trace for trace in fig.data if trace.name and trace.name != "chosen"]
    places = {point[0]: (x, y) for t in points for x, y, point in zip(t.x, t.y, t.customdata, strict=True)}
    assert places == {
        names[row]: pytest.approx((found.lift[row], 100 * found.conditional[row])) for row in range(len(found))
    }
    assert {trace.marker.symbol for trace in points} <= {"circle", "diamond", "x-thin-open"}
    assert all("<img" not in point[1] for trace in points for point in trace.customdata)
    assert fig.data[-1].x[0] == found.lift[0]
    assert fig.layout.xaxis.type == "log"


def test_only_named_pairs_are_drawn(case):
    found = scan_absorption(case[1], case[2])
    fig = diagnostics_absorption.pairs_map(found, {1: "one"})
    assert sum(len(trace.x) for trace in fig.data) == 1


def test_no_pair_can_be_drawn(case):
    found = scan_absorption(codes_of(np.zeros((3, 4))), orthogonal_sae(4))
    diagnostics_absorption.pairs_map(found, {}).to_json()


def test_labels_by_rate(case):
    vectors, codes, sae, labels, _ = case
    found = label_absorption(vectors, codes, sae, [HOSTILE if one == "violin" else one for one in labels])
    fig = diagnostics_absorption.label_rates(found)
    assert [100 * one.rate for one in found.labels][::-1] == list(fig.data[0].x)
    assert "<img" not in drawn(fig)


def test_features_and_the_band_of_random_texts(case):
    vectors, codes, _, _, texts = case
    found = polysemy(vectors, codes, texts=texts)
    fig = diagnostics_polysemy.variances(found, [f"{HOSTILE} {f}" for f in found.feature], chosen=2)
    points = [trace for trace in fig.data if trace.type == "scattergl"]
    assert sorted(y for trace in points for y in trace.y) == sorted(found.variance)
    assert f"several senses ({int(found.polysemous.sum())})" in named(fig)
    band = named(fig)["nine of ten draws of random texts"]
    assert band.y[-1] == pytest.approx(found.random_low[-1])
    assert "<img" not in drawn(fig)
    assert all("<img" not in point[1] for trace in points for point in trace.customdata)


def test_more_features_than_are_drawn(case, monkeypatch):
    monkeypatch.setattr(diagnostics_polysemy, "MOST_POINTS", 6)
    vectors, codes, _, _, texts = case
    found = polysemy(vectors, codes, texts=texts)
    fig = diagnostics_polysemy.variances(found, [str(f) for f in found.feature])
    points = [trace for trace in fig.data if trace.type == "scattergl"]
    assert int(found.polysemous.sum()) <= sum(len(trace.x) for trace in points) < len(found)


def test_no_feature_to_draw():
    found = polysemy(np.eye(4, dtype=np.float32), codes_of(np.zeros((4, 3))))
    diagnostics_polysemy.variances(found, []).to_json()


def test_examples_by_sense(case):
    vectors, codes, _, _, texts = case
    found = polysemy(vectors, codes, texts=texts)
    senses = senses_of(vectors, codes, texts, feature=UNION, unrelated=found.unrelated)
    fig = diagnostics_polysemy.examples_map(senses, [HOSTILE] * len(senses.rows))
    assert [len(trace.x) for trace in fig.data] == [len(sense.rows) for sense in senses.senses]
    assert len({trace.marker.color for trace in fig.data}) == len(senses.senses) == 2
    assert "<img" not in drawn(fig)


def test_health(case):
    vectors, codes, sae, labels, _ = case
    labels = [HOSTILE if one == "violin" else one for one in labels]
    found = health(vectors, codes, sae, labels=labels, stability=np.linspace(0, 1, sae.features))
    bars = diagnostics_health.density(found).data[0]
    assert sum(bars.y) == sae.features
    assert bars.y[0] == found.silent
    assert bars.marker.color[-1] != bars.marker.color[1]  # always on
    by_label = diagnostics_health.unexplained_by_label(found.unexplained)
    assert list(by_label.data[0].x) == list(found.unexplained.by_label[::-1])
    assert "<img" not in drawn(by_label)
    for fig in (
        diagnostics_health.nearest_directions(found.duplicates),
        diagnostics_health.alignment(found.alignment),
        diagnostics_health.stability(found.stability),
    ):
        assert sum(fig.data[0].y) == sae.features


def test_health_where_nothing_fires():
    vectors = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
    found = health(vectors, codes_of(np.zeros((4, 3))), orthogonal_sae(3))
    assert diagnostics_health.density(found).data[0].y[0] == 3
    assert not np.any(diagnostics_health.stability(found.stability).data[0].y)
