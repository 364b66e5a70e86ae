"""Figures of faithfulness: what they draw of results small, degenerate and hostile."""

import numpy as np
import pytest

from lib.charts import faithfulness as charts
from lib.charts.faithfulness_why import score_parts
from lib.sae.faithfulness import cumulative_curves, faithfulness, why
from tests.query_spaces import made_set
from tests.sae.test_sae_faithfulness import graded, roles
from tests.toy_sae import orthogonal_sae, random_sae


@pytest.fixture(scope="module")
def found():
    """Planted roles: feature 0 essential, 3 harmful."""
    return faithfulness(orthogonal_sae(6), *roles(), k=1, resamples=50, negligible=0.06)


def test_verdicts_have_a_shape_of_their_own_and_controls_stand_behind(sent, wild, found):
    spec = sent(charts.drops(found, np.arange(5), [f"{n} · {wild}" for n in range(5)], chosen=3))
    drawn = {trace["name"]: trace for trace in spec["data"]}
    assert drawn["essential"]["marker"]["symbol"] == "diamond"
    assert drawn["harmful"]["marker"]["symbol"] == "x"
    assert drawn["redundant"]["marker"]["symbol"] == "circle"
    assert list(drawn)[:2] == ["other features of the same queries, least to most", "random direction, mean"]
    assert drawn["essential"]["customdata"][0][0] == "0"
    ticks = spec["layout"]["yaxis"]["ticktext"]
    assert ticks[0] == "what is in no feature"
    assert [tick.startswith("▸") for tick in ticks[1:]] == [False, False, False, False, True]  # feature 3 comes last
    assert drawn["reconstruction alone"]["y"] == [-1]
    assert "<script" not in str(spec)


def test_one_query_has_neither_intervals_nor_controls_that_matter(sent):
    queries, asked, documents = made_set(1, 8), *graded()[1:]
    found = faithfulness(random_sae(), queries, asked[:1], documents[:8], resamples=5)
    spec = sent(charts.drops(found, np.arange(len(found.features)), ["a"] * len(found.features), chosen=None))
    assert "one query: no interval" in str(spec)


def test_activation_against_drop_names_every_feature(sent, wild, found):
    spec = sent(charts.drop_by_activation(found, [wild] * 5))
    assert sorted(trace["name"] for trace in spec["data"]) == ["essential (1)", "harmful (1)", "redundant (3)"]
    assert "<script" not in str(spec)


def test_topics_are_told_with_their_queries(sent, found):
    spec = sent(charts.topic_drops(found, np.array([0, 4]), ["a", "b"]))
    assert spec["data"][0]["x"] == ["one (30)", "two (30)"]
    assert spec["data"][0]["zmax"] == 1


def test_curves_of_all_queries_and_of_one_topic(sent):
    found = cumulative_curves(orthogonal_sae(6), *roles(), k=1)
    whole = charts.curves(found)
    names = [trace.name for trace in whole.data if trace.name]
    assert names == [
        "taken out by drop", "kept by drop", "taken out by activation", "kept by activation", "taken out at random",
        "kept at random",
    ]  # fmt: skip
    assert list(whole.data[2].customdata) == found.steps.tolist()
    assert sent(whole)["layout"]["xaxis"]["ticktext"] == ["0", "1", "3"]
    one = charts.curves(found, topic="two")
    assert list(one.data[0].y) == found.topic_removed[1].tolist()
    assert list(one.data[3].y) == found.topic_kept_by_activation[1].tolist()


def test_the_parts_of_a_score_and_of_a_lead(sent, wild):
    _, asked, documents = graded()
    made = why(random_sae(), asked[0], documents)
    names = [wild] * len(made.features)
    spec = sent(score_parts(made, names, shown=2, title="cosine"))
    bars = spec["data"][0]
    assert sum(bars["x"]) == pytest.approx(made.scores[0])
    assert [name[:6] for _, name in bars["customdata"]][-3:] == ["2 othe", "decode", "error:"]
    assert "<script" not in str(spec)
    first, last = np.argsort(-made.scores)[[0, 4]]
    lead = made.lead(first, last)
    hidden = int(lead.features[np.argmin(np.abs(lead.parts[0]))])
    drawn = sent(score_parts(lead, names, shown=1, title="lead", chosen=hidden))["data"][0]["customdata"]
    assert drawn[0][0] == str(hidden)
    marked = sum("⇄" in text for text in sent(score_parts(lead, names, title="lead"))["data"][0]["text"])
    assert marked == lead.turns().sum()
