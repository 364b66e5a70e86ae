"""Every view of the pages about features reopens from its address, with every control changed."""

from unittest import mock

import pytest

from lib.ui.network import node
from tests.toy_links import lost, reopens

LAB = {"query_sample": "lab"}


@pytest.fixture
def opened(with_sae):
    return lambda page, query: with_sae(page, **query)


@pytest.mark.parametrize(
    "view",
    [
        {"view": "Decompose"},
        {"view": "Contrast"},
        {"view": "Browser"},
        {"view": "Browser", "feature": "7", "browser_maker": "keywords"},
        {"view": "Match"},
        {"view": "Train"},
        {"view": "Train", "train_settings": "my own"},
    ],
)
def test_sae_features(opened, view):
    reopens(opened, "sae_features", view, keep=["match_encoder", "match_sae"])


def test_network(opened):
    reopens(opened, "network", {"network_tab": "Bridges"})


@pytest.mark.parametrize("view", ["Trace", "Births", "Writers"])
def test_circuits(opened, view):
    reopens(opened, "circuits", {"view": view}, keep=["circuit_lens", "writers_where"])


@pytest.mark.parametrize("view", ["Steer", "Dose-response"])
def test_steering(opened, view):
    reopens(opened, "steering", {"view": view}, choose={"recipe": "7:+4,9:-2"})


@pytest.mark.parametrize(
    "view",
    [
        {"view": "Absorption"},
        {"view": "Polysemy"},
        {"view": "Faithfulness", **LAB},
        {"view": "Faithfulness", "faithfulness_part": "Why this document", **LAB},
    ],
)
def test_diagnostics(opened, view):
    reopens(opened, "diagnostics", view)


@pytest.mark.parametrize("page", ["retrieval", "finetune_diff"])
def test_views_of_features_on_other_pages(opened, page):
    reopens(opened, page, {"view": "Faithfulness", **LAB} if page == "retrieval" else {"view": "Concepts"})


def test_a_slider_of_the_recipe_writes_the_address(with_sae):
    shown = with_sae("steering", view="Steer", recipe="7:+4")
    shown.choose("steer_delta_7", 6.5)
    assert not lost(shown.page)
    assert shown.page.query_params["recipe"] == "7:+6.5"


def test_a_button_that_leads_to_another_view_takes_its_choices_into_the_address(with_sae):
    shown = with_sae("circuits", view="Births")
    shown.press("Trace it in the text where it fires most")
    assert not lost(shown.page)
    assert shown.page.query_params["circuit_text"]


def test_a_click_on_a_line_of_the_network_writes_the_address():
    """Its second end has a field that is drawn only after the first click."""
    state, address = {}, {}
    with mock.patch.object(node.st, "session_state", state), mock.patch.object(node.st, "query_params", address):
        node.open_node({3: "feature 3", 5: "feature 5"}, 3, 5)
    assert state == {node.NODE: "feature 3", node.OTHER: "feature 5"}
    assert address[node.OTHER] == "feature 5"
