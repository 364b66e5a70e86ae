"""One file of pairs: every format, how rows merge, and the sentence for everything that is wrong."""

import json

import numpy as np
import pytest

from lib.corpora import Limits, PairColumns, build_query_set, guess_pair_columns, read_query_set, read_table
from lib.errors import InputError

ROWS = [
    {"query": "what is a cat", "document": "A cat is an animal.", "relevance": 2, "topic": "pets"},
    {"query": "what is a cat", "document": "A car is a vehicle.", "relevance": 0, "topic": "pets"},
    {"query": "what is a car", "document": "A car is a vehicle.", "relevance": 1, "topic": "wheels"},
]


@pytest.fixture
def read(jsonl):
    """Rows to a query set, by way of a JSON Lines file."""
    return lambda rows, **options: read_query_set(jsonl(rows), name="pairs.jsonl", **options)


def judgements(queries):
    return list(zip(queries.judged_query.tolist(), queries.judged_document.tolist(), queries.relevance.tolist()))  # noqa: B905


def as_file(suffix, jsonl, parquet):
    lines = [[str(value) for value in row.values()] for row in ROWS]
    if suffix in ("csv", "tsv"):
        mark = "," if suffix == "csv" else "\t"
        return "\n".join(mark.join(cells) for cells in [list(ROWS[0]), *lines]).encode()
    if suffix == "parquet":
        return parquet({name: [row[name] for row in ROWS] for name in ROWS[0]})
    return jsonl(ROWS)


@pytest.mark.parametrize("suffix", ["jsonl", "ndjson", "csv", "tsv", "parquet"])
def test_rows_with_the_same_query_or_document_merge(suffix, jsonl, parquet):
    queries = read_query_set(as_file(suffix, jsonl, parquet), name=f"pairs.{suffix}")
    assert queries.name == f"pairs.{suffix}"
    assert queries.queries == ("what is a cat", "what is a car")
    assert queries.query_ids == ("q1", "q2")
    assert queries.documents == ("A cat is an animal.", "A car is a vehicle.")
    assert queries.document_ids == ("d1", "d2")
    assert judgements(queries) == [(0, 0, 2), (0, 1, 0), (1, 1, 1)]
    assert queries.judged_query.dtype == queries.relevance.dtype == np.int64
    assert queries.topics == ("pets", "wheels")
    assert queries.notices == ()


def test_every_format_reads_the_same(jsonl, parquet):
    formats = ("jsonl", "csv", "tsv", "parquet")
    assert len({read_query_set(as_file(s, jsonl, parquet), name=f"a.{s}").key for s in formats}) == 1


def test_a_path_is_read_and_named(tmp_path, jsonl):
    path = tmp_path / "mine.jsonl"
    path.write_bytes(jsonl(ROWS))
    assert read_query_set(path).name == "mine.jsonl"
    assert read_query_set(path, name="other").name == "other"


def test_without_a_relevance_every_pair_is_relevant(read):
    queries = read([{"query": row["query"], "document": row["document"]} for row in ROWS])
    assert queries.relevance.tolist() == [1, 1, 1]
    assert queries.topics is None
    assert queries.notices == ()


def test_a_pair_that_lacks_its_relevance_is_relevant_and_counted(read):
    queries = read([ROWS[0], {"query": "b", "document": "x"}, {"query": "b", "document": "y", "relevance": None}])
    assert queries.relevance.tolist() == [2, 1, 1]
    assert queries.notices == ("2 pairs without a relevance: taken as relevant (1).",)


@pytest.mark.parametrize(
    ("cell", "grade"),
    [(1, 1), (3.0, 3), ("2", 2), ("2.0", 2), (" 1 ", 1), (True, 1), (False, 0), ("True", 1), ("false", 0), (999, 999)],
)  # fmt: skip
def test_whole_numbers_in_any_clothes_are_grades(read, cell, grade):
    queries = read([{"query": "a", "document": "x", "relevance": cell}, {"query": "b", "document": "y"}])
    assert queries.relevance.tolist() == [grade, 1]


@pytest.mark.parametrize(
    ("cell", "sentence"),
    [
        ("high", "line 2: column 'relevance': expected a relevance (a whole number: 0 not relevant, 1 and above "
                 "relevant), got the text 'high'."),
        ([1], "got a list."),
        (float("inf"), "got the number inf."),
        (0.5, "line 2: column 'relevance': the relevance 0.5 is a fraction: scale them to whole numbers"),
        ("0.25", "the relevance '0.25' is a fraction"),
        (-1, "the relevance -1 is below 0: write 0 for what was judged not relevant, or leave the row out."),
        (1001, "the relevance 1001 is above 1,000, the most: scale them down."),
        ("1e300", "is above 1,000"),
        (10**400, "got the number 1000"),
    ],
)  # fmt: skip
def test_a_relevance_that_is_none_is_named_with_its_line(read, cell, sentence):
    with pytest.raises(InputError) as error:
        read([ROWS[0], {"query": "b", "document": "x", "relevance": cell}])
    assert sentence in str(error.value)
    assert str(error.value).startswith("pairs.jsonl, line 2")


def test_the_same_pair_again_is_merged_and_counted(read):
    queries = read([*ROWS, ROWS[0], ROWS[0], ROWS[2]])
    assert judgements(queries) == [(0, 0, 2), (0, 1, 0), (1, 1, 1)]
    assert queries.notices == ("3 judgements merged with an equal one of the same pair.",)


def test_the_same_pair_with_another_grade_names_both_lines(read):
    with pytest.raises(InputError) as error:
        read([*ROWS, {**ROWS[2], "relevance": 3}, {**ROWS[0], "relevance": 1}])
    assert str(error.value) == (
        "pairs.jsonl, line 4: query 'what is a car' and document 'A car is a vehicle.' have relevance 3 here and 1 on "
        "line 3: keep one of the two."
    )


def test_the_place_is_a_row_in_parquet(parquet):
    data = parquet({"query": ["a", "a"], "document": ["x", "x"], "relevance": [1, 2]})
    with pytest.raises(InputError, match=r"a\.parquet, row 2: .* have relevance 2 here and 1 on row 1"):
        read_query_set(data, name="a.parquet")


@pytest.mark.parametrize("name", ["negative", "negatives", "hard_negative", "neg", "negative_1", "Hard Negatives"])
def test_explicit_negatives_have_relevance_0(read, name):
    queries = read([{"query": "a", "positive": "x", name: ["y", "z"]}, {"query": "b", "positive": "y", name: "x"}])
    assert queries.documents == ("x", "y", "z")
    assert judgements(queries) == [(0, 0, 1), (0, 1, 0), (0, 2, 0), (1, 0, 0), (1, 1, 1)]


def test_negatives_of_several_columns_and_lists_in_every_format(parquet):
    csv = b'anchor,positive,negative_1,negative_2\na,x,y,"[""z"", ""w""]"\nb,y,x,\n'
    listed = {"anchor": ["a", "b"], "positive": ["x", "y"], "negatives": [["y", "z", "w"], ["x"]]}
    from_csv = read_query_set(csv, name="a.csv")
    assert from_csv.documents == ("x", "y", "z", "w")
    assert from_csv.key == read_query_set(parquet(listed), name="a.parquet").key


def test_positives_may_be_a_list(read):
    queries = read([{"query": "a", "pos": ["x", "y"], "neg": ["z"]}])
    assert judgements(queries) == [(0, 0, 1), (0, 1, 1), (0, 2, 0)]


def test_a_text_that_only_begins_like_a_list_is_a_text(read):
    queries = read([{"query": "a", "document": "[sic] a note"}, {"query": "a", "document": "[1, 2]"}])
    assert queries.documents == ("[sic] a note", "[1, 2]")


def test_a_document_cannot_be_its_own_querys_negative(read):
    with pytest.raises(InputError) as error:
        read([{"query": "a", "document": "x", "negative": "x"}])
    assert str(error.value) == (
        "pairs.jsonl, line 1: query 'a' and document 'x' have relevance 0 here and 1 on the same line (0 is an "
        "explicit negative): keep one of the two."
    )
    with pytest.raises(InputError, match=r"line 2: .* have relevance 0 here and 1 on line 1 \(0 is an explicit"):
        read([{"query": "a", "document": "x"}, {"query": "a", "document": "y", "negative": ["z", "x"]}])


def test_ids_tell_texts_apart(read):
    queries = read([
        {"query_id": 7, "query": "a", "doc_id": "x1", "document": "same"},
        {"query_id": 7, "query": "a", "doc_id": "x2", "document": "same"},
        {"query_id": 8, "query": "a", "doc_id": "x1", "document": "same"},
    ])  # fmt: skip
    assert queries.query_ids == ("7", "8")
    assert queries.document_ids == ("x1", "x2")
    assert judgements(queries) == [(0, 0, 1), (0, 1, 1), (1, 0, 1)]
    assert queries.notices == (
        "1 query with the text of an earlier one under another id: kept apart.",
        "1 document with the text of an earlier one under another id: kept apart.",
    )


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ({"query_id": "1", "query": "b", "document": "y"},
         "line 2: column 'query': the query id '1' stands for another text on line 1: give every query an id of its "
         "own."),
        ({"query_id": None, "query": "b", "document": "y"}, "the query id is missing: fill it in, or choose no column"),
        ({"query_id": "2", "query": " ", "document": "y"}, "the query id '2' stands without its query: fill it in."),
        ({"query_id": ["2"], "query": "b", "document": "y"}, "column 'query_id': expected an id (text or a number)"),
        ({"query_id": "2" * 1001, "query": "b", "document": "y"}, "an id of 1,001 characters, the most is 1,000."),
        ({"query_id": "2", "query": 5, "document": "y"}, "column 'query': expected text, got the number 5"),
        ({"query_id": "2", "query": "b", "document": {"a": 1}}, "column 'document': expected text, got an object"),
        ({"query_id": "2", "query": "b", "document": ["x", 1]}, "column 'document': expected text, got the number 1"),
        ({"query_id": "2", "query": "b", "document": "y" * 100_001}, "a text of 100,001 characters, the most is"),
        ({"document": "y", "relevance": 1}, "column 'query': a relevance without a query: fill the query in."),
        ({"query_id": "2", "query": "b", "relevance": 1}, "column 'document': a relevance without a document"),
        ({"document": "y", "negative": "z"}, "column 'query': a negative without a query"),
        ({"query_id": "2", "query": "b", "document": "y", "topic": ["t"]}, "column 'topic': expected a topic (text or"),
    ],
)  # fmt: skip
def test_rows_that_cannot_be(read, row, sentence):
    with pytest.raises(InputError) as error:
        read([{"query_id": "1", "query": "a", "document": "x"}, row])
    assert sentence in str(error.value)
    assert "line 2" in str(error.value)


def test_ids_of_documents_allow_no_nameless_documents(read):
    with pytest.raises(InputError, match=r"line 1: column 'document': 2 texts with one id"):
        read([{"query": "a", "document": ["x", "y"], "doc_id": "1"}])
    with pytest.raises(InputError, match=r"line 1: column 'negative': explicit negatives have no ids"):
        read([{"query": "a", "document": "x", "doc_id": "1", "negative": "y"}])


def test_rows_of_one_side_add_a_query_or_a_document(read):
    rows = [{"document": "distractor"}, ROWS[0], {"query": "unasked"}, {"topic": "pets"}, {"query": " "}]
    queries = read(rows)
    assert queries.documents == ("distractor", "A cat is an animal.")
    assert queries.queries == ("what is a cat", "unasked")
    assert queries.notices == (
        "2 rows without a query and a document left out.",
        "1 query without a judgement: kept, and left out of the means as trec_eval does.",
    )


def test_queries_without_a_relevant_document_are_kept_and_counted(read):
    rows = [ROWS[0], {**ROWS[2], "relevance": 0}, {"query": "third", "document": "x", "relevance": 0}]
    queries = read(rows)
    assert queries.relevant.tolist() == [1, 0, 0]
    assert queries.notices == (
        "2 queries without a relevant document: kept, and left out of the means as trec_eval does.",
    )


@pytest.mark.parametrize(
    "rows", [[{**ROWS[1]}], [{"query": "a", "document": None}], [{"query": None, "document": "x"}]]
)
def test_a_set_without_anything_relevant_is_refused(read, rows):
    with pytest.raises(InputError, match=r"no document is relevant to any query \(no relevance above 0\)"):
        read(rows)


def test_topics_that_differ_between_rows_are_said(read):
    queries = read([{**ROWS[0], "topic": None}, ROWS[1], {**ROWS[0], "topic": "zoo"}, ROWS[2]])
    assert queries.topics == ("pets", "wheels")
    assert "1 query has different topics in different rows: the first is kept." in queries.notices


def test_a_label_is_a_grade_where_it_is_a_number_and_a_topic_where_it_is_none(read):
    pair = {"question": "a", "answer": "x"}
    assert read([{**pair, "label": 2}]).relevance.tolist() == [2]
    assert read([{**pair, "label": "news"}]).topics == ("news",)


@pytest.mark.parametrize(
    ("columns", "query", "document"),
    [
        (("query", "document"), "query", "document"),
        (("Question", "Context", "Answer"), "Question", "Context"),
        (("anchor", "positive", "negative"), "anchor", "positive"),
        (("query", "text", "passage"), "query", "passage"),
        (("search query", "doc"), "search query", "doc"),
    ],
)
def test_columns_are_guessed_by_name(columns, query, document):
    guess = guess_pair_columns(
        read_table(f"{','.join(columns)}\n{','.join('abc'[: len(columns)])}\n".encode(), name="a.csv")
    )
    assert (guess.query, guess.document) == (query, document)
    assert f"queries from '{query}', documents from '{document}'" in guess.reason
    assert guess.reason.endswith("every pair is relevant (1).")


@pytest.mark.parametrize(
    ("header", "missing"), [("_id,title,text", "query"), ("query,other", "document"), ("a,b", "query and document")]
)
def test_columns_that_cannot_be_guessed(header, missing):
    cells = ",".join("x" for _ in header.split(","))
    with pytest.raises(InputError) as error:
        read_query_set(f"{header}\n{cells}\n".encode(), name="a.csv")
    assert str(error.value) == (
        f"a.csv: no column is named {missing} (columns: {header.replace(',', ', ')}): expected pairs with columns "
        "query and document, or three files: corpus, queries, qrels."
    )


def test_columns_can_be_chosen(jsonl):
    data = jsonl([{"Frage": "a", "Antwort": "x", "Falsch": "y", "Note": 2, "Fach": "f", "nr": 1}])
    columns = PairColumns("Frage", "Antwort", "Note", "Fach", "nr", negatives=("Falsch",))
    queries = read_query_set(data, name="a.jsonl", columns=columns)
    assert (queries.query_ids, queries.topics, judgements(queries)) == (("1",), ("f",), [(0, 0, 2), (0, 1, 0)])
    other = read_query_set(data, name="a.jsonl", columns=columns, topic_field="Falsch")
    assert other.topics == ("y",)
    assert read_query_set(data, name="a.jsonl", columns=columns, topic_field="").topics is None
    with pytest.raises(InputError, match=r"no column is named 'Thema': choose from Frage, Antwort"):
        read_query_set(data, name="a.jsonl", columns=columns, topic_field="Thema")
    with pytest.raises(InputError, match=r"column 'Frage' is chosen as query and as document: choose two columns"):
        build_query_set(read_table(data, name="a.jsonl"), columns=PairColumns("Frage", "Frage"))


def test_other_encodings_are_read_with_a_notice():
    queries = read_query_set("query,document\nwo,größe\n".encode("utf-16"), name="a.csv")
    assert queries.documents == ("größe",)
    assert queries.notices == ("The file was read as UTF-16.",)


def test_limits_hold(jsonl):
    with pytest.raises(InputError, match="more than 2 rows"):
        read_query_set(jsonl(ROWS), name="a.jsonl", limits=Limits(max_rows=2))
    with pytest.raises(InputError, match="a text of 13 characters, the most is 5"):
        read_query_set(jsonl(ROWS), name="a.jsonl", limits=Limits(max_chars=5))
    with pytest.raises(InputError, match=r"0\.0 MB, the most that this server reads is"):
        read_query_set(jsonl(ROWS), name="a.jsonl", limits=Limits(max_bytes=50))


def test_the_order_is_that_of_first_sight(jsonl):
    rows = [{"query": f"q{i % 7}", "document": f"d{i % 11}"} for i in range(77)]
    queries = read_query_set("\n".join(map(json.dumps, rows)).encode(), name="a.jsonl")
    assert queries.queries == tuple(f"q{i}" for i in range(7))
    assert queries.documents == tuple(f"d{i}" for i in range(11))
    assert judgements(queries) == [(q, d, 1) for q in range(7) for d in range(11)]
