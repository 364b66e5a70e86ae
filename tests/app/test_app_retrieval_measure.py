"""One similarity for the whole Retrieval page: above every view, followed by all, asked about where it is slow."""

import dataclasses

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from lib.corpora import load_query_set
from lib.encoders import PACKAGED, Policy, open_encoder
from lib.retrieval import exact_ranks, query_metrics, search
from lib.ui.retrieval import cached, searches
from lib.ui.retrieval.quality_cached import quality
from lib.ui.retrieval.searches import Cost
from tests.query_spaces import made_set, made_space

VIEWS = (
    "Quality", "Hard negatives", "Search", "Comparison", "Reranking", "Sizes", "Late interaction", "Prompts", "Chunks",
)  # fmt: skip
MINILM = "all-MiniLM-L6-v2"


@pytest.fixture(scope="module")
def encoder():
    return open_encoder(PACKAGED, policy=Policy())


def said(shown):
    return shown.captions.replace("\\", "")


@pytest.mark.parametrize("view", VIEWS)
def test_the_choice_stands_above_every_view_once(app, view):
    shown = app(page="retrieval", view=view, query_sample="lab", measure="l2")
    (choice,) = [group for group in shown.page.button_group if group.key == "measure"]
    assert choice.value == "l2"
    assert "straight-line distance" in choice.help
    assert "chosen under Search" not in said(shown)
    assert ("By cosine here, not by l2" in said(shown)) == (view in ("Sizes", "Late interaction"))


def test_the_choice_is_kept_from_view_to_view_and_changes_what_is_shown(app, encoder):
    shown = app(page="retrieval", view="Comparison", query_sample="lab", compare_cuts="64")
    assert float(shown.table("won / equal / lost").set_index("system").loc[MINILM, "Precision@3"]) > 0
    shown.page.session_state["view"] = "Quality"
    shown.choose("measure", "manhattan")
    shown.page.session_state["view"] = "Comparison"
    table = shown.run().table("BM25")
    queries = load_query_set("lab")
    asked, documents = encoder.encode(queries.queries, role="query").vectors, encoder.encode(queries.documents).vectors
    for name, kept in ((MINILM, 384), (f"{MINILM}, first 64", 64)):
        sides = asked[:, :kept], documents[:, :kept]
        run = search(*sides, measure="manhattan", tie_order=queries.tie_order)
        metrics = query_metrics(exact_ranks(queries, run, *sides, measure="manhattan"), cutoffs=(3,))
        assert np.allclose(table[name][:-1].astype(float), metrics.column("precision@3"))


def spread(space, factors):
    """Documents of other lengths: measures differ."""
    size = np.linspace(*factors, len(space.document_vectors))[:, None].astype(np.float32)
    return dataclasses.replace(space, document_vectors=space.document_vectors * size, key=f"{space.key}/{factors}")


def test_systems_by_another_measure_are_other_entries():
    from lib.ui.retrieval.contenders import of_space

    space = spread(made_space(made_set(12, 40)), (9, 1))
    by = {measure: of_space(space, [6], measure) for measure in ("cosine", "dot", "l2", "manhattan")}
    assert len({entry.key for entries in by.values() for entry in entries}) == 8
    for measure, entries in by.items():
        sides = space.query_vectors, space.document_vectors
        ranks = exact_ranks(space.queries, cached.run(space, measure), *sides, measure=measure)
        assert np.array_equal(
            entries[0].system.metrics.column("mrr"), query_metrics(ranks, cutoffs=(10,)).column("mrr")
        )
    assert not np.array_equal(*(by[name][1].system.run.documents for name in ("cosine", "dot")))


def test_linear_gain_is_said_where_the_other_is_chosen(app):
    said_so = "NDCG has linear gain here"
    assert said_so in said(app(page="retrieval", view="Comparison", quality_gain="exponential"))
    assert said_so in said(app(page="retrieval", view="Sizes", quality_gain="exponential"))
    assert said_so not in said(app(page="retrieval", view="Comparison"))
    graded_01 = app(page="retrieval", view="Comparison", quality_gain="exponential", query_sample="lab")
    assert said_so not in said(graded_01)


# Searches that take long

SPACES = {"plain": lambda: made_space(made_set(12, 130), noise=4)}


def page():
    """Two views on a made-up space."""
    from lib.ui.retrieval import comparison, quality
    from lib.ui.retrieval.cached import once_searched
    from lib.ui.views import show_views
    from tests.app.test_app_retrieval_measure import SPACES

    show_views({"Quality": once_searched(quality.show), "Comparison": comparison.show}, SPACES["plain"]())


@pytest.fixture
def slow(monkeypatch):
    """Every search takes long, and none was made."""
    monkeypatch.setattr(searches, "AT_ONCE", 0)
    for kept in (searches._held, cached._run, cached._ranks):
        kept.clear()


def opened(**query):
    at = AppTest.from_function(page, default_timeout=60)
    at.query_params.update(query)
    return run(at)


def run(at):
    at.run()
    assert not at.exception, [fault.value for fault in at.exception]
    return at


def press(at, label):
    next(button for button in at.button if button.label == label).click()
    return run(at)


def test_a_long_search_is_asked_for_and_can_be_stopped(slow):
    at = opened(measure="manhattan")
    told = at.info[0].value.replace("\u202f", " ")
    assert told.startswith("12 queries × 130 documents × 12 dimensions by manhattan take about 1 s")
    assert "50 times faster" in told
    assert not at.metric
    key = at.button[0].key.removesuffix("_begin")
    at.session_state[f"_work_{key}"] = "stopped"
    assert run(at).info[0].value.startswith("Stopped.")
    assert not at.metric
    press(at, "Search")
    expected = quality(SPACES["plain"](), "manhattan", "linear", (1, 5, 10)).of("ndcg@10")[0].mean
    assert next(metric.value for metric in at.metric if metric.label == "NDCG@10") == f"{expected:.3f}"
    assert not [button for button in opened(measure="manhattan").button if button.label == "Search"]  # kept for all


def test_pressing_stop_ends_the_search(slow, monkeypatch):
    from streamlit.proto.WidgetStates_pb2 import WidgetStates
    from streamlit.runtime.scriptrunner_utils.script_requests import RerunData
    from streamlit.runtime.scriptrunner_utils.script_run_context import get_script_run_ctx

    real, begun = searches.search, []

    def pressed(*given, progress=None, **options):
        """The search, during whose first step the browser's Stop is pressed."""
        if progress is not None and not begun:
            begun.append(True)
            context = get_script_run_ctx()
            states = WidgetStates()
            button = states.widgets.add()
            keys = context.session_state._state._key_id_mapper
            button.id = next(keys.get_id_from_key(key) for key in keys._key_id_mapping if key.endswith("_stop"))
            button.trigger_value = True
            context.script_requests.request_rerun(
                RerunData(context.query_string, states, page_script_hash=context.page_script_hash)
            )
        return real(*given, progress=progress, **options)

    monkeypatch.setattr(searches, "search", pressed)
    at = press(opened(measure="manhattan"), "Search")
    assert begun
    assert at.info[0].value.startswith("Stopped.")
    assert not at.metric
    assert press(at, "Search").metric


def test_a_deeper_search_is_made_anew_and_a_shallower_one_is_part_of_it(slow):
    space = SPACES["plain"]()
    for depth in (100, 120, 40):
        task = cached._search(space, "manhattan", depth)
        room = task._room()
        if task.held() is None:
            assert depth != 40
            room["made"] = task.found()
        found = cached.run(space, "manhattan", depth)
        expected = search(
            space.query_vectors, space.document_vectors, depth, measure="manhattan", tie_order=space.queries.tie_order
        )
        assert np.array_equal(found.documents, expected.documents)
        assert np.array_equal(found.scores, expected.scores)
    assert np.array_equal(
        cached.ranks(space, "manhattan").rank,
        exact_ranks(space.queries, expected, space.query_vectors, space.document_vectors, measure="manhattan").rank,
    )


def test_the_comparison_asks_for_each_search(slow):
    at = opened(view="Comparison", compare_cuts="8", measure="manhattan")
    assert sum(button.label == "Search" for button in at.button) == 1  # 12 dimensions cannot be cut to 32
    assert not at.get("plotly_chart")
    press(at, "Search")
    assert at.get("plotly_chart")


@pytest.mark.parametrize(("view", "query"), [("Prompts", {"prompts_of": "BGE"}), ("Chunks", {"chunk_size": 8})])
def test_prompts_and_chunks_ask_too(app, slow, view, query):
    from lib.ui.retrieval import chunks_cached, prompts_cached

    for room in (chunks_cached._room, prompts_cached._room):
        room.clear()
    if view == "Chunks":
        query = {**query, "chunk_overlap": 2}
    shown = app(page="retrieval", view=view, query_sample="late", measure="manhattan", **query)
    if "Encode them" in shown.buttons:
        shown.press("Encode them")
    assert "by manhattan take" in shown.page.info[-1].value
    assert "compared" not in [column for frame in shown.page.dataframe for column in frame.value.columns]
    shown.press("Search")
    assert len(shown.table("compared"))


def test_cost_counts_a_difference_as_fifty_products():
    assert Cost("manhattan", 2, 3, 4).products == 50 * Cost("l2", 2, 3, 4).products == 50 * 24
    assert Cost("dot", 2, 3, 4, searches=3).products == 72
    assert "3 searches of" in Cost("dot", 2, 3, 4, searches=3).about
    assert "faster" not in Cost("dot", 2, 3, 4).about
