"""The Search view: the sample against the library, typed queries, measures, indexes, odd and hostile sets."""

import dataclasses

import numpy as np
import pytest

from lib.corpora import load_query_set
from lib.embeddings import embed
from lib.encoders import PACKAGED, Policy, describe, open_encoder
from lib.retrieval import exact_ranks, search
from lib.store import default_store
from tests.query_spaces import made_set, made_space

HOSTILE = "<img src=x onerror=alert(1)> :red[hot] **bold** [link](javascript:alert(2)) $math$"


def longer(space):
    """Documents of other lengths than 1, the first the longest."""
    size = np.linspace(9, 1, len(space.document_vectors))[:, None].astype(np.float32)
    return dataclasses.replace(space, document_vectors=space.document_vectors * size, key=f"{space.key}/longer")


def unit(space):
    """Vectors of length 1."""
    q, d = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (space.query_vectors, space.document_vectors))
    return dataclasses.replace(space, query_vectors=q, document_vectors=d, key=f"{space.key}/unit")


SPACES = {
    "plain": lambda: made_space(made_set(12, 30)),
    "unit": lambda: unit(made_space(made_set(12, 30))),
    "longer": lambda: longer(made_space(made_set(12, 30))),
    "one document": lambda: made_space(made_set(1, 1)),
    "nothing relevant": lambda: made_space(made_set(4, 9, grade=0)),
    "hostile": lambda: made_space(made_set(6, 20, word=HOSTILE)),
    "many": lambda: made_space(made_set(60, 400), noise=9),
}


@pytest.fixture
def view(view_alone):
    """Run the view alone on one of SPACES, with query parameters."""
    return lambda space, **query: view_alone("search_box", "tests.app.test_app_retrieval_search", space, **query)


@pytest.fixture(scope="module")
def sample_vectors():
    """The sample set and the vectors of its queries and documents."""
    queries, policy = load_query_set("topics"), Policy.from_environment()
    checkpoint = describe(PACKAGED, policy=policy)
    sides = (("query", queries.queries), ("document", queries.documents))
    made = [
        embed(texts, checkpoint, lambda: open_encoder(checkpoint, policy=policy), default_store(), role=role).vectors
        for role, texts in sides
    ]
    return queries, *made


def tables(at):
    return [frame.value for frame in at.dataframe]


def said(at):
    return "\n".join(text.value for text in (*at.caption, *at.markdown, *at.subheader, *at.error, *at.info))


@pytest.mark.parametrize("measure", ["cosine", "l2"])
def test_the_sample_shows_what_the_library_finds(app, sample_vectors, measure):
    queries, asked, documents = sample_vectors
    shown = app(page="retrieval", view="Search", measure=measure)
    run = search(asked, documents, 100, measure=measure, tie_order=queries.tie_order)
    ranks = exact_ranks(queries, run, asked, documents, measure=measure)
    listed = shown.table("rank")
    assert list(listed["id"]) == [queries.document_ids[row] for row in run.documents[0, :10]]
    name, sign = ("cosine", 1) if measure == "cosine" else ("L2 distance", -1)
    assert list(listed[name]) == pytest.approx(sign * run.scores[0, :10])
    own = (queries.judged_query == 0) & (queries.relevance > 0)
    assert shown.numbers["First relevant"] == f"rank {ranks.rank[own].min()}"
    assert shown.numbers["Relevant in 10"] == f"{(ranks.rank[own] <= 10).sum()} of {own.sum()}"
    late = sorted(ranks.rank[own & (ranks.rank > 10)])
    assert list(shown.page.dataframe[1].value["rank"]) == late
    assert "search_ranks" in shown.charts


def test_a_typed_query_has_no_judgements(app, sample_vectors):
    queries, _, documents = sample_vectors
    shown = app(page="retrieval", view="Search", q="  penalty for late payment of tax ")
    assert shown.numbers == {}
    assert "relevance" not in shown.table("rank").columns
    assert "A typed query has no judgements" in shown.captions
    encoder = open_encoder(PACKAGED, policy=Policy.from_environment())
    vector = encoder.encode(["penalty for late payment of tax"], role="query").vectors
    found = search(vector, documents, 10, tie_order=queries.tie_order).documents[0]
    assert list(shown.table("rank")["id"]) == [queries.document_ids[row] for row in found]


def test_a_typed_query_of_the_set_is_that_query(app):
    queries = load_query_set("topics")
    shown = app(page="retrieval", view="Search", q=queries.queries[7])
    assert "relevance" in shown.table("rank").columns
    plain_one = app(page="retrieval", view="Search")
    choice = plain_one.page.selectbox(key="search_query")
    assert choice.options[7].startswith("q8 · ")
    assert plain_one.choose("search_query", choice.options[7]).numbers == shown.numbers


def test_choosing_a_query_forgets_the_typed_one(view):
    at = view("plain", q="query 3 text")
    assert at.markdown[0].value == "**query 3 text**"
    at.selectbox(key="search_query").set_value(at.selectbox(key="search_query").options[5]).run()
    assert at.text_input(key="q").value == ""
    assert at.markdown[0].value == "**query 5 text**"


def test_relevance_and_what_is_missing(view):
    at = view("many", search_top="5")
    grades = list(tables(at)[0]["relevance"])
    assert len(grades) == 5
    assert set(grades) <= {"◆ relevant, grade 2", "✕ judged not relevant", "○ not judged"}
    assert "Which relevant documents are missing?" in said(at)
    assert list(tables(at)[1]["relevance"]) == ["◆ relevant, grade 2"]
    assert tables(at)[1]["rank"][0] > 5


def test_every_relevant_document_shown_and_none_relevant(view):
    assert "is among the first 1." in said(view("one document"))
    at = view("nothing relevant")
    assert "No document was judged relevant to this query" in said(at)
    assert not at.metric


def test_of_unit_vectors_the_measures_agree(view):
    assert "cosine, dot product and L2 give the same order" in said(view("unit"))


def test_long_documents_are_told(view):
    at = view("longer", measure="dot")
    assert "not normalised" in said(at)
    table = next(table for table in tables(at) if "shared with cosine" in table.columns)
    assert list(table["measure"]) == ["cosine", "dot", "l2", "manhattan"]
    assert float(table["length against how often found"][1]) > 0.3
    assert "dot product" in tables(at)[0].columns


def test_indexes_are_built_when_asked_for(view):
    at = view("plain", search_m="8")
    assert "Builds indexes of 30 documents and asks them 12 queries" in said(at)
    next(button for button in at.button if button.label == "Build and measure").click().run()
    table = next(table for table in tables(at) if "index" in table.columns)
    assert list(table["index"]) == ["exact, this page", "faiss, flat (exact)", "faiss, HNSW"]
    assert table.iloc[0, 1] == "100.0\u202f%"
    at.run()
    assert any("index" in table.columns for table in tables(at))  # kept
    assert "choose one of those" in said(view("plain", measure="manhattan"))


@pytest.mark.parametrize("value", ["", "nonsense", "7", "<b>"])
def test_a_parameter_that_makes_no_sense_falls_back(view, value):
    plain_one = view("plain")
    at = view("plain", measure=value, search_top=value, search_query=value, search_m=value, search_ef=value)
    assert tables(at)[0].equals(tables(plain_one)[0])


def test_hostile_texts_are_escaped(view):
    at = view("hostile")
    assert "\\<img" in at.markdown[0].value
    assert "**bold**" not in at.markdown[0].value.strip("*")
    assert "<img" not in str(at.get("plotly_chart")[0].proto.spec)


def test_a_vector_of_another_size_is_refused(view):
    assert "Queries have 384 dimensions and documents 12" in said(view("plain", q="never seen")).replace("\\", "")
