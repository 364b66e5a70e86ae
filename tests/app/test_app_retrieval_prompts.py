"""The Prompts view: presets, typed prompts, an encoder with prompts of its own, nothing typed."""

import pytest

from lib.corpora import load_query_set
from lib.encoders import PACKAGED, Policy, open_encoder
from lib.retrieval.prompts import Pair, compare_prompts


@pytest.fixture
def prompts(app):
    """Open the view on the small sample about exact terms."""
    return lambda **query: app(page="retrieval", view="Prompts", query_sample="late", **query)


@pytest.fixture(scope="module")
def encoder():
    return open_encoder(PACKAGED, policy=Policy())


def pair(encoder, query, document):
    queries, under = (
        load_query_set("late"),
        encoder.under(encoder.checkpoint.with_prompts(query=query, document=document)),
    )
    return Pair(under.encode(queries.queries, role="query").vectors, under.encode(queries.documents).vectors)


def expected(encoder, query, document):
    return compare_prompts(
        load_query_set("late"), pair(encoder, "", ""), pair(encoder, query, document),
        query_prompt=query, document_prompt=document,
    )  # fmt: skip


def test_encoding_is_asked_for_and_the_numbers_are_the_librarys(prompts, encoder):
    shown = prompts(prompts_of="Nomic")
    assert "“search\\_query\\:␣”" in shown.captions
    if "Encode them" in shown.buttons:
        shown.press("Encode them")
    result = expected(encoder, "search_query: ", "search_document: ")
    assert shown.numbers["Queries moved"] == f"{result.shifts[0].mean:.3f}"
    assert shown.numbers["Documents moved"] == f"{result.shifts[1].mean:.3f}"
    assert shown.numbers["NDCG@10 without"] == f"{result.arrangements[0].means['ndcg@10']:.3f}"
    assert shown.numbers["NDCG@10 with"] == f"{result.arrangements[3].means['ndcg@10']:.3f}"
    table = shown.table("compared")
    assert list(table["compared"].unique()) == ["before queries", "before documents", "before both"]
    assert list(shown.table("further down")["further down"]) == [part.fallen for part in result.arrangements[1:]]
    assert set(shown.charts) == {"prompts_effect", "prompts_shift"}


def test_a_prompt_for_queries_alone(prompts, encoder):
    shown = prompts(prompts_of="BGE")
    if "Encode them" in shown.buttons:
        shown.press("Encode them")
    assert shown.numbers["Documents moved"] == "—"
    assert list(shown.table("compared")["compared"].unique()) == ["before queries"]
    assert len(shown.charts["prompts_shift"]["data"]) == 1


def test_typed_prompts_stand_in_the_address_and_are_escaped(prompts):
    shown = prompts(prompts_of="my own")
    assert "prompts_effect" not in shown.charts
    assert any("Type a prompt" in info.value for info in shown.page.info)
    hostile = "<b> :red[x] **y** "
    shown = prompts(prompts_of="my own", prompts_query=hostile)
    if "Encode them" in shown.buttons:
        shown.press("Encode them")
    assert "\\:red\\[x\\]" in shown.captions
    assert "\\*\\*y" in shown.captions
    assert "prompts_effect" in shown.charts


def test_an_encoder_with_prompts_is_compared_with_none(prompts, encoder):
    base = encoder.checkpoint.fingerprint[:12]
    shown = prompts(**{f"query_prompt_{base}": "query: ", f"document_prompt_{base}": "passage: "})
    if "Encode them" in shown.buttons:
        shown.press("Encode them")
    result = expected(encoder, "query: ", "passage: ")
    assert "they are compared with none" in shown.captions
    assert shown.numbers["NDCG@10 with"] == f"{result.arrangements[3].means['ndcg@10']:.3f}"


def test_encoding_that_was_stopped_waits_to_be_asked_for(prompts):
    shown = prompts(prompts_of="my own", prompts_query="a prompt that nobody tried: ")
    (begin,) = (button.key for button in shown.page.button if button.label == "Encode them")
    shown.page.session_state[f"_work_{begin.removesuffix('_begin')}"] = "stopped"
    assert shown.run().page.info[0].value.startswith("Stopped. ")
    assert "prompts_effect" not in shown.charts
    shown.press("Encode them")
    assert "prompts_effect" in shown.charts
