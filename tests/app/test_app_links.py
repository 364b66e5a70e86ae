"""Every view of the pages about an encoder reopens from its address, with every control changed."""

import pytest

from tests.toy_links import controls, lost, reopens

MAP = {"map": "PCA", "clusters": "k-means"}
LAB = {"query_sample": "lab"}


@pytest.fixture
def opened(app):
    return lambda page, query: app(page=page, **query)


@pytest.mark.parametrize(
    "view",
    [
        {"view": "Map", **MAP},
        {"view": "Map", "map": "PCA", "clusters": "HDBSCAN", "dims": "3D"},
        {"view": "Anisotropy"},
        {"view": "Labels"},
        {"view": "Hubs"},
        {"view": "Outliers"},
        {"view": "Outliers", "threshold": "value"},
    ],
)
def test_geometry(opened, view):
    reopens(opened, "geometry", view, choose={"count": 3, "pairs": 50_000})


def test_sidebar(opened):
    """Prompts go by the encoder, so they travel with it; nothing has to be encoded to see that they do."""
    at = opened("geometry", {"corpus": "Paste", "encoder": "static MiniLM, 128 d (packaged)"}).page
    prompts = [name for name in controls(at) if "_prompt_" in name]
    assert len(prompts) == 2
    address = {"corpus": "Paste", "encoder": "static MiniLM, 128 d (packaged)", **dict.fromkeys(prompts, "search: ")}
    again = opened("geometry", address).page
    assert again.query_params == address
    assert {controls(again)[name][0] for name in prompts} == {"search: "}


@pytest.mark.parametrize("view", [{"view": "Build-up"}, {"view": "Heads"}, {"view": "Heads", "head_text": "typed"}])
def test_layers(opened, view):
    reopens(opened, "layers", view, keep=["heads_texts"])


@pytest.mark.parametrize(
    "view",
    [
        {"view": "Quality"},
        {"view": "Hard negatives"},
        {"view": "Search"},
        {"view": "Comparison"},
        {"view": "Reranking"},
        {"view": "Sizes"},
        {"view": "Late interaction"},
        {"view": "Late interaction", "late_texts": "This query set"},
        {"view": "Late interaction", "late_texts": "My own"},
        {"view": "Prompts", "prompts_of": "my own"},
        {"view": "Chunks"},
    ],
)
def test_retrieval(opened, view):
    reopens(opened, "retrieval", view | LAB, keep=["compare_with"])


@pytest.mark.parametrize(
    "view",
    [
        {"view": "Drift"},
        {"view": "Space"},
        {"view": "Ranks"},
        {"view": "Texts"},
        {"view": "Monitor"},
        {"view": "Train"},
        {"view": "Train", "tune_settings": "my own"},
    ],
)
def test_finetune_diff(opened, view):
    reopens(opened, "finetune_diff", view | LAB, keep=["tuned", "tune_data"])  # without a file, nothing else is asked


def test_overview(opened):
    reopens(opened, "overview", {}, keep=["beside"])


def test_a_button_that_leads_to_another_view_takes_its_choices_into_the_address(app):
    shown = app(page="retrieval", view="Search", **LAB)
    next(button for button in shown.page.button if button.key == "search_why").click()
    shown.run()
    assert not lost(shown.page)
    assert shown.page.query_params["view"] == "Faithfulness"
    assert shown.page.query_params["faithfulness_part"] == "Why this document"
