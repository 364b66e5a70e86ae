"""The Chunks view: nothing cut, documents that are cut, an encoder without end, sizes that cannot be."""

import json

import pytest

from lib.corpora import read_query_set
from lib.encoders import PACKAGED, Policy, open_encoder
from lib.retrieval.chunking import chunk_documents, cut_documents
from lib.retrieval.pooled import compare_chunks
from lib.ui import resources
from tests.toy_colbert import write_static

FILLER = "The committee met again and adjourned without a decision. "
FACTS = {
    "What does aspirin do to blood?": "Aspirin thins the blood.",
    "Who repairs the roof?": "The tenant must repair the roof.",
    "How much does the bond pay?": "The bond pays four percent a year.",
    "What lends money?": "Banks lend money.",
}


def long_set():
    """Three answers at the end of long documents, one in a short one, as an uploaded file has them."""
    rows = []
    for i, (query, fact) in enumerate(FACTS.items()):
        rows.append({"query": query, "document": (FILLER * (40 + i) if i < 3 else "") + fact, "relevance": 1})
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


@pytest.fixture
def chunks(app):
    """Open the view on an uploaded set of long documents."""

    def opened(**query):
        return app(page="retrieval", view="Chunks", queries="Upload", **query).upload(
            "long.jsonl", long_set(), into="query_files"
        )

    return opened


@pytest.fixture(scope="module")
def encoder():
    return open_encoder(PACKAGED, policy=Policy())


def test_what_is_lost_is_what_the_library_finds(chunks, encoder):
    shown = chunks()
    documents = read_query_set(long_set(), name="long.jsonl").documents
    found = cut_documents(documents, encoder)
    assert shown.numbers["Documents cut"] == "3 (75.0 %)"
    assert shown.numbers["Tokens lost"] == f"{100 * found.lost_share:.1f} %"
    assert shown.numbers["Longest"] == f"{found.tokens.max()}"
    table = shown.table("unread from here")
    assert list(table["lost"]) == sorted(found.lost[found.lost > 0], reverse=True)
    assert [trace["name"] for trace in shown.charts["chunks_lengths"]["data"]] == ["read whole", "cut"]
    assert "254 of the document's own" in shown.captions


def test_passages_are_compared_when_asked_for(chunks, encoder):
    shown = chunks(chunk_size=64, chunk_overlap=16)
    if "Encode them" in shown.buttons:
        shown.press("Encode them")
    queries = read_query_set(long_set(), name="long.jsonl")
    made = chunk_documents(queries.documents, encoder, size=64, overlap=16)
    result = compare_chunks(
        queries, made, cut_documents(queries.documents, encoder).lost > 0,
        query_vectors=encoder.encode(queries.queries, role="query").vectors,
        document_vectors=encoder.encode(queries.documents).vectors, chunk_vectors=encoder.encode(made.texts).vectors,
    )  # fmt: skip
    assert shown.numbers["NDCG@10, whole"] == f"{result.tests[0].mean_a:.3f}"
    assert shown.numbers["NDCG@10, passages"] == f"{result.tests[0].mean_b:.3f}"
    assert shown.numbers["Cut answers"] == f"↑ {result.closer} ↓ {result.further}"
    assert list(shown.table("compared")["compared"].unique()) == [
        "all queries", "the answer is cut", "the answer is read whole",
    ]  # fmt: skip
    assert f"{len(made.texts)} vectors instead of 4" in shown.captions
    assert "chunks_effect" in shown.charts


def test_encoding_that_was_stopped_waits_to_be_asked_for(chunks):
    shown = chunks(chunk_size=47, chunk_overlap=11)
    (begin,) = (button.key for button in shown.page.button if button.label == "Encode them")
    shown.page.session_state[f"_work_{begin.removesuffix('_begin')}"] = "stopped"
    assert shown.run().page.info[0].value.startswith("Stopped. ")
    assert "chunks_effect" not in shown.charts
    assert "chunks_effect" in shown.press("Encode them").charts


def test_passages_are_searched_by_the_chosen_similarity(chunks, encoder):
    shown = chunks(chunk_size=64, chunk_overlap=16, measure="manhattan")
    if "Encode them" in shown.buttons:
        shown.press("Encode them")
    queries = read_query_set(long_set(), name="long.jsonl")
    made = chunk_documents(queries.documents, encoder, size=64, overlap=16)
    result = compare_chunks(
        queries, made, cut_documents(queries.documents, encoder).lost > 0,
        query_vectors=encoder.encode(queries.queries, role="query").vectors,
        document_vectors=encoder.encode(queries.documents).vectors, chunk_vectors=encoder.encode(made.texts).vectors,
        measure="manhattan",
    )  # fmt: skip
    assert shown.numbers["NDCG@10, passages"] == f"{result.tests[0].mean_b:.3f}"
    assert shown.numbers["Cut answers"] == f"↑ {result.closer} ↓ {result.further}"


def test_a_size_beyond_the_maximum_is_lowered_and_said(chunks):
    assert "Passages have 254 tokens instead of 256" in chunks().captions


def test_sizes_that_cannot_be_are_refused(chunks):
    shown = chunks(chunk_size=50, chunk_overlap=50)
    assert "an overlap below it" in "".join(shown.refusals)
    assert "Documents cut" in shown.numbers  # what stands above stays


def test_nothing_is_cut_in_the_sample(app):
    shown = app(page="retrieval", view="Chunks", query_sample="late")
    assert shown.numbers["Documents cut"] == "0 (0.0 %)"
    assert any("every passage would be a whole document" in info.value for info in shown.page.info)
    assert "nothing is lost here" in shown.captions


def test_an_encoder_without_a_maximum(chunks, tmp_path, monkeypatch):
    folder = write_static(tmp_path / "static")
    monkeypatch.setenv("EMBEDSCOPE_MODEL_ROOTS", str(tmp_path))
    resources.policy.clear()
    resources.described.clear()
    shown = chunks(encoder=str(folder), chunk_size=100, chunk_overlap=10)
    assert "has no maximum length" in shown.captions
    assert shown.numbers["Documents cut"] == "0 (0.0 %)"
    if "Encode them" in shown.buttons:
        shown.press("Encode them")
    assert "NDCG@10, passages" in shown.numbers
    assert "Cut answers" not in shown.numbers
    resources.policy.clear()
    resources.described.clear()
