"""Network: the sample, what is set, a click on a node and on a line, an address reopened, and bad ones."""

import json
import re
from functools import partial
from unittest import mock

import numpy as np
import pandas as pd
import pytest

from lib.charts.network_picture import header
from lib.sae.network import DEFAULT_FEATURES, DEFAULT_THRESHOLDS, neighbours, network, pair_texts
from lib.ui import progress, resources, shelved
from lib.ui.network import cached, component, node
from tests.toy_sae import packaged_sae

HOSTILE = "<img src=x onerror=alert(1)> :red[hot] **bold** [link](javascript:alert(2)) $math$"


@pytest.fixture(scope="module")
def sae():
    """A small dictionary for the packaged encoder."""
    return packaged_sae(40)


@pytest.fixture
def small(with_sae):
    """Open the page with the small dictionary: `small(network_measure="lift")`."""
    return partial(with_sae, "network")


@pytest.fixture(scope="module")
def codes(sae, sample):
    return sae.encode(np.asarray(sample[1]))


def picture(shown):
    """What the browser is given to draw."""
    return next(
        json.loads(found.proto.json)
        for found in shown.page.get("bidi_component")
        if found.proto.component_name == "embedscope_network"
    )


def said(shown):
    return re.sub(r"\\(.)", r"\1", shown.captions)


def clicked(shown, feature, other=None):
    """Click a node, or a line: what the page makes of what the browser tells, and the run after it."""
    names = {found["id"]: found["name"] for found in picture(shown)["nodes"]}
    state = {}
    with mock.patch.object(node.st, "session_state", state):
        node.open_node(names, feature, other)
    for key, value in state.items():
        shown.page.session_state[key] = value
    return shown.run()


def test_the_sample_is_drawn_at_once(app):
    shown = app(page="network")
    drawn = picture(shown)
    assert len(drawn["nodes"]) == DEFAULT_FEATURES
    assert drawn["header"][0] == f"{DEFAULT_FEATURES} features"
    assert drawn["header"][3] == "402 texts"
    assert drawn["chosen"] is None
    assert drawn["legend"]["size"] == "node size = mean activation"
    assert {"Features", "Edges", "Edges by chance", "Beyond chance", "Clusters"} <= set(shown.numbers)
    assert "chance alone would give it" in said(shown)
    assert not shown.refusals


def test_it_draws_what_the_library_finds(small, codes):
    shown = small(network_measure="frequency", network_features="12", network_frequency="0.02")
    expected = network(codes, most=12, measure="frequency", threshold=0.02)
    drawn = picture(shown)
    assert [found["id"] for found in drawn["nodes"]] == expected.features.tolist()
    assert len(drawn["edges"]) == expected.edges
    assert shown.numbers["Edges"] == f"{expected.passed}"
    assert shown.table("co_frequency")["both"].tolist() == expected.both.tolist()
    before = drawn["layout"]
    shown.choose("network_sorted", "texts").choose("network_colour", "cluster")
    assert shown.table("co_frequency")["both"].tolist() == sorted(expected.both.tolist(), reverse=True)
    assert picture(shown)["layout"] == before  # nothing moves
    assert "categories" in picture(shown)["legend"]


def test_the_seeds_threshold_is_one_click_away(small):
    shown = small().choose("network_measure", "frequency")
    assert shown.page.slider(key="network_frequency").value == DEFAULT_THRESHOLDS["frequency"] == 0.15


def test_a_click_opens_a_feature_and_a_line_the_texts_of_both(small, codes, sample):
    shown = small(network_features="40", network_correlation="0.05")
    found = network(codes, most=40, measure="correlation", threshold=0.05)
    feature = int(found.features[found.degree.argmax()])
    near = neighbours(found, feature)
    clicked(shown, feature)
    assert picture(shown)["chosen"] == feature
    assert picture(shown)["other"] == near.features[0]
    assert any(f"together with feature {feature}" in title for title in shown.titles)
    table = shown.table("neighbour")
    assert table["texts"].tolist() == near.both.tolist()
    assert table["co-activation"].tolist() == pytest.approx(near.co_frequency.tolist())
    other = int(near.features[-1])
    clicked(shown, feature, other)
    assert picture(shown)["other"] == other
    pair = pair_texts(codes, feature, other)
    listed = shown.table(f"#{other}")
    assert listed["text"].iloc[0] == sample[0].texts[pair.rows[0]]
    assert listed[f"#{feature}"].iloc[0] == pair.activation_a[0]
    assert f"Both fire on {len(pair)} text" in said(shown)
    again = small(
        network_features="40", network_correlation="0.05", network_node=str(feature), network_other=f"feature {other}"
    )
    assert (picture(again)["chosen"], picture(again)["other"]) == (feature, other)
    clicked(shown, None)
    assert picture(shown)["chosen"] is None


def test_what_the_browser_tells_reaches_python(monkeypatch):
    told, mounted = [], {}
    monkeypatch.setattr(component, "_library", lambda: lambda **_: None)
    monkeypatch.setattr(component, "_picture", lambda: lambda **given: mounted.update(given))
    component.network_component({}, key="here", clicked=lambda *ends: told.append(ends))
    for sent in ({"feature": 3, "other": None}, {"feature": 3, "other": 5}, {"feature": "<b>", "other": True}, None):
        monkeypatch.setattr(component.st, "session_state", {"here": {"clicked": sent}})
        mounted["on_clicked_change"]()
    assert told == [(3, None), (3, 5), (None, None), (None, None)]


def test_the_script_is_pyvis_own_and_asks_nobody():
    script = (component._ASSETS / "picture.js").read_text()
    assert "innerHTML" not in script
    assert "http" not in script
    assert (component.files("pyvis") / component._SCRIPT).is_file()


def test_a_feature_that_is_not_drawn_is_said_to_be_none_of_it(small, codes):
    found = network(codes, most=5)
    other = next(f for f in range(40) if f not in found.features)
    shown = small(network_features="5", network_node=str(other))
    assert picture(shown)["chosen"] is None
    assert any("It is not among the 5 features drawn" in info.value for info in shown.page.info)


def test_a_threshold_that_nothing_reaches_and_a_word_of_a_label(small):
    shown = small(network_correlation="1.0", network_node="Feat")
    assert picture(shown)["edges"] == []
    assert picture(shown)["chosen"] == picture(shown)["nodes"][0]["id"]
    assert any("No pair reaches this threshold" in info.value for info in shown.page.info)
    assert shown.numbers["Clusters"] == "0"


@pytest.mark.parametrize("name", ["40", "nothing", "<b>"])
def test_what_is_no_feature_is_refused_and_the_picture_stays(small, name):
    shown = small(network_node=name)
    assert picture(shown)["chosen"] is None
    assert "A feature is a number from 0 to 39" in shown.refusals[0].replace("\\", "")


def test_bad_values_in_the_address_go_back_to_the_start(small):
    shown = small(network_measure="nonsense", network_features="9999999", network_correlation="x", network_colour="red")
    assert not shown.refusals
    assert picture(shown)["header"][2] == f"threshold {DEFAULT_THRESHOLDS['correlation']:g}"


@pytest.mark.parametrize("texts", [2, 6])
def test_few_texts_that_brought_their_own_embeddings(small, sae, texts):
    vectors = np.random.default_rng(0).normal(size=(texts, 384)).astype(np.float32)
    frame = pd.DataFrame({"text": [f"text {i}" for i in range(texts)], "vector": list(vectors)})
    shown = small(corpus="Upload").upload("own.parquet", frame.to_parquet())
    if shown.refusals:
        assert "A network needs two features that fire" in shown.refusals[0].replace("\\", "")
    else:
        assert picture(shown)["header"][3] == f"{texts} texts"
        assert "no labels" in said(shown) or "no cluster" in said(shown)


def test_a_large_corpus_is_counted_with_progress_can_be_stopped_and_is_kept(small, codes, monkeypatch):
    names, told = [], []

    def begun(name):
        names.append(name)
        progress.begin(name)

    def stopped(*_, progress, **__):
        progress(1, 20)
        cached.st.session_state[f"_work_{names[-1]}"] = "stopped"  # what its button does
        cached.st.rerun()

    def counted(*given, progress, **settings):
        return network(*given, progress=lambda *done: (told.append(done), progress(*done)), **settings)

    monkeypatch.setattr(cached, "_AT_ONCE", 0)
    monkeypatch.setattr(cached, "begin", begun)
    monkeypatch.setattr(cached, "network", stopped)
    shown = small(network_features="9")
    assert shown.page.info[0].value.startswith("Stopped. Which features fire together on 402 texts")
    assert not shown.numbers
    monkeypatch.setattr(cached, "network", counted)
    shown.press("Go on")
    assert told[-1] == (20, 20)
    assert picture(shown)["header"][1] == header(network(codes, most=9))[1]
    monkeypatch.setattr(cached, "network", None)  # nobody asks again: it lies on the shelf
    shelved._held.clear()
    assert picture(small(network_features="9"))["nodes"] == picture(shown)["nodes"]


def test_hostile_labels_stay_text(small, sae, monkeypatch):
    from lib.sae.database import FeatureDatabase

    database = FeatureDatabase(table=pd.DataFrame({"label": [HOSTILE] * 40}), sae_key=sae.key, corpus=HOSTILE, texts=1)
    monkeypatch.setattr(resources, "feature_database", lambda _opened: database)
    shown = small(network_correlation="0.05")
    feature = picture(shown)["nodes"][0]["id"]
    clicked(shown, feature)
    html = "".join(element.proto.body for element in shown.page.get("html"))
    assert "<img" not in html
    drawn = "\n".join(re.sub(r"\\.", "", text.value) for text in (*shown.page.caption, *shown.page.subheader))
    assert not any(sign in drawn for sign in ("<img", ":red[hot]", "](java", "$math$"))
