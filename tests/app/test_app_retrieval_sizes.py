"""The Sizes view: the sample against the library, storage, asking first, degenerate sets."""

import pytest

from lib.ui.retrieval.sizes_storage import bytes_text
from tests.query_spaces import made_set, made_space

SPACES = {
    "plain": lambda: made_space(made_set(40, 120), noise=1.5, dimensions=32),
    "easy": lambda: made_space(made_set(40, 60), noise=0.01, dimensions=32),
    "few": lambda: made_space(made_set(3, 9)),
    "one query": lambda: made_space(made_set(1, 1)),
    "one dimension": lambda: made_space(made_set(5, 12), dimensions=1),
    "nothing relevant": lambda: made_space(made_set(4, 9, grade=0)),
}


@pytest.fixture
def view(view_alone):
    """Run the view alone on one of SPACES, with query parameters."""
    return lambda space, **query: view_alone("sizes", "tests.app.test_app_retrieval_sizes", space, **query)


def said(at):
    return "\n".join(text.value for text in (*at.caption, *at.markdown, *at.subheader, *at.error, *at.info))


def test_the_sample(app):
    shown = app(page="retrieval", view="Sizes")
    assert shown.numbers["Whole vectors"] == "1.54 kB"
    assert shown.numbers["Order of dimensions"] == "none found"
    assert set(shown.charts) == {"sizes_bytes", "sizes_dims"}
    table = shown.table("stored as")
    assert len(table) == 7 * 6
    first = table.iloc[0]
    assert (first["dims"], first["stored as"], first["bytes a document"]) == (384, "float32", 1536)
    assert first["1\u202f000\u202f000 documents"] == "1.54\u202fGB"
    assert first["643 documents (these)"] == "988\u202fkB"
    assert first["kept"] == "100.0\u202f%"
    binary = table[(table["stored as"] == "binary") & (table["dims"] == 384)].iloc[0]
    assert binary["bytes a document"] == 48
    assert float(binary["NDCG@10"].split()[0]) < float(first["NDCG@10"].split()[0])


def test_the_table_is_for_any_number_of_documents(view):
    at = view("plain", sizes_documents="10000000")
    table = at.dataframe[0].value
    assert table["10\u202f000\u202f000 documents"][0] == "1.28\u202fGB"
    at.number_input(key="sizes_documents").set_value(120).run()
    assert table["120 documents (these)"][0] == at.dataframe[0].value["120 documents"][0] == "15.4\u202fkB"


def test_verdicts(view):
    assert "does not look like a Matryoshka-trained encoder" in said(view("plain"))
    assert "too easy to tell" in said(view("easy"))
    at = view("few")
    assert "only 3 queries have a relevant document, and 20 are needed" in said(at)
    assert {metric.label: metric.value for metric in at.metric}["Order of dimensions"] == "cannot tell"


@pytest.mark.parametrize("space", ["one query", "one dimension"])
def test_next_to_nothing_can_be_drawn(view, space):
    at = view(space)
    assert len(at.dataframe[0].value) >= 6
    assert len(at.get("plotly_chart")) == 2


def test_nothing_relevant_is_told(view):
    at = view("nothing relevant")
    assert "No query has a relevant document" in said(at).replace("\\", "")
    assert not at.metric


def test_long_work_is_asked_about_first(view, monkeypatch):
    from lib.ui.retrieval import sizes_cached

    sizes_cached._holder.clear()
    monkeypatch.setattr(sizes_cached, "_AT_ONCE", 0.0)
    at = view("plain")
    assert "It can be stopped." in at.info[0].value
    assert not at.metric
    next(button for button in at.button if button.label == "Measure sizes").click().run()
    assert at.metric
    monkeypatch.setattr(sizes_cached, "_AT_ONCE", -1.0)
    assert view("plain").metric  # kept


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (1, "1 byte"),
        (999, "999 bytes"),
        (1_000, "1.00 kB"),
        (123_456, "123 kB"),
        (999_600, "1.00 MB"),
        (4 * 256 * 10**6, "1.02 GB"),  # a million documents of 256 dimensions in float32
        (5e13, "50.0 TB"),
    ],
)
def test_bytes_in_words(size, text):
    assert bytes_text(size).replace("\u202f", " ") == text
