"""The choice of a query set: samples by address, uploads of every kind, columns, and what is said when it fails."""

import io
import json
import zipfile

import pytest
from streamlit.testing.v1 import AppTest

from lib.corpora import beir_files, load_query_set, pairs_jsonl
from lib.ui.messages import plain


def script():
    import streamlit as st

    from lib.ui.query_choice import choose_query_set

    with st.sidebar:
        chosen = choose_query_set()
    st.session_state["chosen"] = chosen


class Sidebar:
    """The choice alone, run once."""

    def __init__(self, **query):
        """Open it at the address with these query parameters."""
        self.page = AppTest.from_function(script, default_timeout=30)
        self.page.query_params.update(query)
        self.run()

    def run(self):
        """Run it again; there must be no exception."""
        self.page.run()
        assert not self.page.exception, [fault.value for fault in self.page.exception]
        return self

    def upload(self, **files):
        """Put these files into the uploader, all at once; `__` stands for the dot, `_of_` for a slash."""
        named = [(name.replace("__", ".").replace("_of_", "/"), data, "") for name, data in files.items()]
        self.page.file_uploader(key="query_files").set_value(named)
        return self.run()

    def select(self, label, value):
        """Choose in the box of that label."""
        next(box for box in self.page.selectbox if box.label == label).set_value(value)
        return self.run()

    @property
    def chosen(self):
        """What `choose_query_set` returned."""
        return self.page.session_state["chosen"]

    @property
    def captions(self):
        """All captions as one text, thin spaces made plain."""
        return "\n".join(caption.value for caption in self.page.caption).replace("\u202f", " ")

    @property
    def labels(self):
        """Labels of the select boxes."""
        return [box.label for box in self.page.selectbox]


@pytest.fixture(scope="module")
def lab():
    return load_query_set("lab")


@pytest.fixture(scope="module")
def topics():
    return load_query_set("topics")


def jsonl(rows):
    return "\n".join(map(json.dumps, rows)).encode()


def upload(**files):
    return Sidebar(queries="Upload").upload(**files)


def test_the_sample_comes_first(topics):
    sidebar = Sidebar()
    assert sidebar.chosen.query_set.key == topics.key
    assert "156 queries · 643 documents · 666 judgements · 3 topics" in sidebar.captions


def test_the_address_names_a_sample(lab):
    assert Sidebar(query_sample="lab").chosen.query_set.key == lab.key
    assert "4 queries · 15 documents · 9 judgements · no topics" in Sidebar(query_sample="lab").captions
    assert Sidebar(query_sample="nothing").chosen.query_set.name == "topics (sample)"


def test_without_files_it_says_what_to_upload():
    sidebar = Sidebar(queries="Upload")
    assert sidebar.chosen.query_set is None
    assert sidebar.chosen.todo.startswith("Upload a query set in the sidebar: one file of pairs")


def test_a_file_of_pairs_is_read_and_the_guess_is_said(topics):
    sidebar = upload(mine__jsonl=pairs_jsonl(topics))
    assert sidebar.chosen.query_set.key == topics.key
    assert plain("queries from 'query', documents from 'document', relevance from 'relevance'") in sidebar.captions
    assert not sidebar.page.expander[0].proto.expanded


def test_three_files_and_a_zip_are_read(topics):
    files = {name.rsplit("/", 1)[-1]: data for name, data in beir_files(topics).items()}
    sidebar = upload(**{name.replace(".", "__"): data for name, data in files.items()})
    assert sidebar.chosen.query_set.key == topics.key
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    assert upload(mine__zip=sink.getvalue()).chosen.query_set.key == topics.key


def test_what_is_missing_of_three_files_is_to_do_and_no_fault(lab):
    files = beir_files(lab)
    alone = upload(corpus__jsonl=files["corpus.jsonl"]).chosen
    assert (alone.query_set, alone.fault) == (None, None)
    assert "holds the corpus alone: give the other two files as well" in alone.todo.replace("\\", "")
    two = upload(corpus__jsonl=files["corpus.jsonl"], queries__jsonl=files["queries.jsonl"]).chosen
    assert (two.query_set, two.fault) == (None, None)
    assert "no file is named qrels" in two.todo.replace("\\", "")


def test_columns_of_unknown_names_are_asked_for():
    sidebar = upload(mine__csv=b"Frage,Antwort,Note\na,x,2\na,y,0\n")
    assert sidebar.page.expander[0].proto.expanded
    assert sidebar.chosen.todo == "Choose in the sidebar which columns hold the queries and the documents."
    sidebar.select("Query", "Frage").select("Document", "Antwort")
    assert sidebar.chosen.query_set.relevance.tolist() == [1, 1]
    sidebar.select("Relevance", "Note")
    assert sidebar.chosen.query_set.relevance.tolist() == [2, 0]


def test_topics_and_fields_of_documents_can_be_chosen():
    rows = [{"_id": f"q{i}", "text": f"query {i}", "kind": f"k{i % 2}"} for i in range(6)]
    sidebar = upload(
        corpus__jsonl=jsonl([{"_id": "d1", "title": "a", "text": "b", "table": "c"}]),
        queries__jsonl=jsonl(rows),
        qrels__tsv=b"q0\td1\t1\n",
    )
    assert sidebar.chosen.query_set.topics is None
    assert sidebar.chosen.query_set.documents == ("a b",)
    assert "5 queries without a judgement: kept" in sidebar.captions.replace("\\", "")
    sidebar.select("Topic", "kind")
    assert sidebar.chosen.query_set.topic_names == ["k0", "k1"]
    sidebar.page.multiselect[0].set_value(["title", "text", "table"])
    assert sidebar.run().chosen.query_set.documents == ("a b c",)
    sidebar.page.multiselect[0].set_value([])
    assert sidebar.run().chosen.query_set.documents == ("a b",)


def test_of_several_splits_one_is_chosen():
    sidebar = upload(
        corpus__jsonl=jsonl([{"_id": "d1", "text": "x"}]),
        queries__jsonl=jsonl([{"_id": "q1", "text": "a"}, {"_id": "q2", "text": "b"}]),
        test__tsv=b"q1\td1\t1\n",
        train__tsv=b"q2\td1\t1\n",
    )
    assert sidebar.chosen.query_set.query_ids == ("q1",)
    assert "Judgements" in sidebar.labels
    assert sidebar.select("Judgements", "train.tsv").chosen.query_set.query_ids == ("q2",)
    assert sidebar.select("Judgements", "test.tsv").chosen.query_set.query_ids == ("q1",)


def test_what_is_wrong_is_said_in_one_sentence():
    sidebar = upload(mine__csv=b"query,document,relevance\na,x,much\n")
    assert sidebar.chosen.query_set is None
    assert sidebar.chosen.fault.startswith("mine.csv, line 2: column 'relevance': expected a relevance")
    assert sidebar.select("Relevance", "(none)").chosen.query_set.relevance.tolist() == [1]


def test_two_files_of_one_name_are_refused():
    sidebar = Sidebar(queries="Upload")
    pair = b"query,document\na,x\n"
    sidebar.page.file_uploader(key="query_files").set_value([("a.csv", pair, ""), ("a.csv", pair, "")])
    assert sidebar.run().chosen.fault == "Two files are named 'a.csv': give one of them, or rename it."


def test_an_upload_is_read_once_and_let_go_with_the_sample(monkeypatch, lab):
    import lib.ui.query_upload as view

    reads = []
    opened = view.open_query_files
    monkeypatch.setattr(
        view, "open_query_files", lambda *given, **options: reads.append(1) or opened(*given, **options)
    )
    sidebar = upload(mine__jsonl=pairs_jsonl(lab))
    first = sidebar.chosen.query_set
    assert sidebar.run().chosen.query_set is first
    assert len(reads) == 1
    assert sidebar.page.session_state["_remembered_queries"]
    sidebar.page.button_group(key="queries").set_value("Sample")
    assert sidebar.run().chosen.query_set.name == "topics (sample)"
    assert not sidebar.page.session_state["_remembered_queries"]
