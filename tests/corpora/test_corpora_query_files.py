"""Corpus, queries and qrels: as files, a folder or a zip; every layout, and the sentence for what is wrong."""

import gzip
import io
import zipfile

import pytest

from lib.corpora import Limits, MissingFilesError, ThreeTables, open_query_files, read_query_files, read_query_set
from lib.errors import InputError

CORPUS = [
    {"_id": "d1", "title": "Cats", "text": "They purr."},
    {"_id": "d2", "title": "", "text": "A car has wheels."},
    {"_id": "d3", "title": "Empty", "text": ""},
]
QUERIES = [{"_id": "q1", "text": "what purrs", "topic": "pets"}, {"_id": "q2", "text": "what rolls", "topic": "wheels"}]
QRELS = "query-id\tcorpus-id\tscore\nq1\td1\t2\nq2\td2\t1\nq1\td2\t0\n"


@pytest.fixture
def three(jsonl):
    """The three files, some of them replaced."""

    def made(**others):
        files = {"corpus.jsonl": jsonl(CORPUS), "queries.jsonl": jsonl(QUERIES), "qrels/test.tsv": QRELS.encode()}
        given = {name.replace("__", ".").replace("_of_", "/"): data for name, data in others.items()}
        return {name: data for name, data in (files | given).items() if data is not None}

    return made


def zipped(files, **options):
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", **{"compression": zipfile.ZIP_DEFLATED, **options}) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return sink.getvalue()


def written(folder, files):
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def judgements(queries):
    return list(zip(queries.judged_query.tolist(), queries.judged_document.tolist(), queries.relevance.tolist()))  # noqa: B905


def test_three_files_make_a_set(three):
    queries = read_query_files(three())
    assert queries.name == "uploaded files"
    assert queries.queries == ("what purrs", "what rolls")
    assert queries.query_ids == ("q1", "q2")
    assert queries.documents == ("Cats They purr.", "A car has wheels.", "Empty")
    assert queries.document_ids == ("d1", "d2", "d3")
    assert judgements(queries) == [(0, 0, 2), (0, 1, 0), (1, 1, 1)]
    assert queries.topics == ("pets", "wheels")
    assert queries.notices == ()


def test_files_folder_and_zip_are_the_same(three, tmp_path):
    files = three()
    folder = written(
        tmp_path / "mine", {**files, "README.md": b"words", ".hidden.jsonl": b"x", "notes/corpus.txt": b"x"}
    )
    packed = zipped({f"mine/{name}": data for name, data in files.items()} | {"__MACOSX/mine/._corpus.jsonl": b"x"})
    sets = [
        read_query_files(files),
        read_query_files(folder),
        read_query_set(folder),
        read_query_set(packed, name="mine.zip"),
        read_query_files({"mine.zip": packed}),
    ]
    assert len({queries.key for queries in sets}) == 1
    assert [queries.name for queries in sets] == ["uploaded files", "mine", "mine", "mine.zip", "mine.zip"]
    assert read_query_files(files, name="cats").name == "cats"


@pytest.mark.parametrize(
    "qrels",
    [
        "q1\td1\t2\nq2\td2\t1\nq1\td2\t0",
        "q1 0 d1 2\nq2 0 d2 1\n\nq1 0 d2 0\n",
        "q1\t0\td1\t2\r\nq2\t0\td2\t1\r\nq1\t0\td2\t0\r\n",
        "score\tquery_id\tdoc_id\n2\tq1\td1\n1\tq2\td2\n0\tq1\td2\n",
        "Query-ID\tIter\tCorpus-ID\tScore\nq1\t0\td1\t2\nq2\t0\td2\t1\nq1\t0\td2\t0\n",
    ],
    ids=["no header", "TREC", "TREC with tabs", "columns in another order", "a header with more columns"],
)
@pytest.mark.parametrize("name", ["qrels/test.tsv", "qrels.txt", "qrels.test", "set.qrels"])
def test_qrels_as_text(three, qrels, name):
    files = {**three(qrels_of_test__tsv=None), name: qrels.encode()}
    assert read_query_files(files).key == read_query_files(three()).key


def test_qrels_as_tables(three, jsonl, parquet):
    rows = [("q1", "d1", 2), ("q2", "d2", 1), ("q1", "d2", 0)]
    csv = "query-id,corpus-id,score\n" + "".join(f"{q},{d},{s}\n" for q, d, s in rows)
    tables = {
        "qrels.jsonl": jsonl([{"query_id": q, "doc_id": d, "score": s} for q, d, s in rows]),
        "qrels.ndjson": jsonl([{"_id": q, "corpus-id": d, "relevance": s} for q, d, s in rows]),
        "qrels.csv": csv.encode(),
        "qrels.parquet": parquet({name: [row[i] for row in rows] for i, name in enumerate(("qid", "docid", "rel"))}),
    }
    key = read_query_files(three()).key
    for name, data in tables.items():
        assert read_query_files({**three(qrels_of_test__tsv=None), name: data}).key == key, name


def test_corpus_and_queries_as_other_tables(three, parquet):
    corpus = "doc_id\ttitle\tcontents\n" + "".join(f"{row['_id']}\t{row['title']}\t{row['text']}\n" for row in CORPUS)
    queries = parquet({"id": [row["_id"] for row in QUERIES], "query": [row["text"] for row in QUERIES],
                       "category": [row["topic"] for row in QUERIES]})  # fmt: skip
    files = {"corpus.tsv": corpus.encode(), "my-queries.parquet": queries, "test.tsv": QRELS.encode()}
    assert read_query_files(files).key == read_query_files(three()).key


def test_gzip_is_unpacked(three):
    packed = {f"{name}.gz": gzip.compress(data) for name, data in three().items()}
    assert read_query_files(packed).key == read_query_files(three()).key


def test_ids_that_are_numbers_are_the_same_in_every_file(three, jsonl):
    files = three(
        corpus__jsonl=jsonl([{"_id": 1, "text": "x"}, {"_id": "2", "text": "y"}]),
        queries__jsonl=jsonl([{"_id": 10, "text": "a"}]),
        qrels_of_test__tsv=b"10\t1\t1\n10\t2\t1\n",
    )
    queries = read_query_files(files)
    assert (queries.query_ids, queries.document_ids, queries.relevant.tolist()) == (("10",), ("1", "2"), [2])


def test_of_several_splits_test_is_taken_and_said(three, jsonl):
    more = [*QUERIES, {"_id": "q3", "text": "of dev"}]
    files = three(
        queries__jsonl=jsonl(more),
        qrels_of_dev__tsv=b"q3\td1\t1\n",
        qrels_of_train__tsv=b"q3\td2\t1\n",
    )
    queries = read_query_files(files)
    assert queries.query_ids == ("q1", "q2")
    assert queries.notices == (
        "Judgements taken from qrels/test.tsv; also there: qrels/dev.tsv, qrels/train.tsv.",
        "1 query left out that qrels/test.tsv does not judge.",
    )
    assert read_query_files(files, split="train").query_ids == ("q3",)
    assert read_query_files(files, split="qrels/dev.tsv").query_ids == ("q3",)
    del files["qrels/test.tsv"]
    assert "taken from qrels/dev.tsv" in read_query_files(files).notices[0]
    with pytest.raises(InputError, match=r"no qrels are named 'test': choose from qrels/dev\.tsv, qrels/train\.tsv"):
        read_query_files(files, split="test")


def test_queries_without_judgements_are_kept_where_there_is_one_split(three, jsonl):
    queries = read_query_files(three(queries__jsonl=jsonl([*QUERIES, {"_id": "q3", "text": "new"}])))
    assert queries.query_ids == ("q1", "q2", "q3")
    assert queries.notices == ("1 query without a judgement: kept, and left out of the means as trec_eval does.",)


def test_equal_texts_with_different_ids_stay_apart(three, jsonl):
    twin = {"_id": "d4", "title": "Cats", "text": "They purr."}
    queries = read_query_files(three(corpus__jsonl=jsonl([*CORPUS, twin])))
    assert queries.documents[0] == queries.documents[3]
    assert queries.notices == ("1 document with the text of an earlier one under another id: kept apart.",)


def test_a_document_twice_is_one_and_a_document_without_text_is_kept(three, jsonl):
    queries = read_query_files(three(corpus__jsonl=jsonl([*CORPUS, CORPUS[0], {"_id": "d5", "text": None}])))
    assert queries.document_ids == ("d1", "d2", "d3", "d5")
    assert queries.documents[3] == ""
    assert queries.notices == ("1 document without a text kept: judgements may name them.",)


def test_topics_come_from_any_field(three, jsonl):
    rows = [{**row, "kind": f"k{i % 2}", "many": f"m{i}", "tags": ["a"], "year": 2000 + i % 3, "_id": f"q{i}"}
            for i, row in enumerate(QUERIES * 6, 1)]  # fmt: skip
    files = three(queries__jsonl=jsonl(rows))
    tables = open_query_files(files)
    assert isinstance(tables, ThreeTables)
    assert tables.topic_fields == ("topic", "kind", "year")
    assert tables.topic_guess == "topic"
    assert read_query_files(files, topic_field="kind").topics[:3] == ("k1", "k0", "k1")
    assert read_query_files(files, topic_field="year").topics[:2] == ("2001", "2002")
    assert read_query_files(files, topic_field="").topics is None
    with pytest.raises(InputError, match=r"queries\.jsonl: no column is named 'other': choose from _id, text, topic"):
        read_query_files(files, topic_field="other")
    with pytest.raises(InputError, match=r"queries\.jsonl, line 1: column 'tags': expected a topic"):
        read_query_files(files, topic_field="tags")


def test_documents_are_made_of_chosen_fields(three, jsonl):
    rows = [{**row, "table": f"| {i} |"} for i, row in enumerate(CORPUS)]
    files = three(corpus__jsonl=jsonl(rows))
    tables = open_query_files(files)
    assert (tables.usual_fields, tables.text_fields) == (("title", "text"), ("title", "text", "table"))
    assert read_query_files(files).documents[0] == "Cats They purr."
    assert read_query_files(files, document_fields=("title", "text", "table")).documents[0] == "Cats They purr. | 0 |"
    assert read_query_files(files, document_fields=("table",)).documents == ("| 0 |", "| 1 |", "| 2 |")
    with pytest.raises(
        InputError, match=r"corpus\.jsonl: no column is named 'body': choose from _id, title, text, table"
    ):
        read_query_files(files, document_fields=("body",))


@pytest.mark.parametrize(
    ("qrels", "sentence"),
    [
        ("q1\td1\t1\nq9\td1\t1\n", "test.tsv, line 2: a judgement of query 'q9', which queries.jsonl does not hold: "
                                   "add it there, or leave the judgement out."),
        (QRELS + "q1\td9\t1\n", "test.tsv, line 5: a judgement of document 'd9', which corpus.jsonl does not hold"),
        ("q1\td1\tmuch\n", "qrels/test.tsv, line 1: column 'score': expected a relevance (a whole number"),
        ("q1\td1\t1.5\n", "line 1: column 'score': the relevance '1.5' is a fraction: scale them to whole numbers"),
        ("q1\td1\t-1\n", "line 1: column 'score': the relevance '-1' is below 0"),
        ("q1\td1\t1\nq2\td2\nq2\td2\t1\n", "line 2: expected 3 fields (query-id, corpus-id, score) as before, got 2."),
        ("q1 0 d1 1\nq1 0 d1 1 1\n", "line 2: expected 4 fields (query-id, corpus-id, score) as before, got 5."),
        ("q1,d1,1\n", "line 1: expected query-id, corpus-id and score between tabs, or TREC's four columns, got"),
        ("\td1\t1\n", "line 1: column 'query-id': the query id is missing: fill it in."),
        ("query-id\tcorpus-id\tscore\n", "qrels/test.tsv: only a header and no judgement"),
        ("q1\td1\t1\nq1\td2\t0\nq1\td1\t0\n", "line 3: query 'what purrs' and document 'Cats They purr.' have "
                                              "relevance 0 here and 1 on line 1"),
        ("q1\td1\t0\n", "uploaded files: no document is relevant to any query"),
    ],
)  # fmt: skip
def test_judgements_that_cannot_be(three, qrels, sentence):
    with pytest.raises(InputError) as error:
        read_query_files(three(qrels_of_test__tsv=qrels.encode()))
    assert sentence in str(error.value)


@pytest.mark.parametrize(
    ("corpus", "queries", "sentence"),
    [
        ([{"text": "x"}], None, "corpus.jsonl: expected a column _id with the ids of the documents, got the columns"),
        ([{"_id": "d1"}], None, "corpus.jsonl: expected a column text with the texts of the documents, got the"),
        ([{"_id": "d1", "text": "x"}, {"_id": "d1", "text": "y"}], None,
         "corpus.jsonl, line 2: column 'text': the document id 'd1' stands for another text on line 1"),
        ([{"_id": None, "text": "x"}], None, "corpus.jsonl, line 1: column '_id': the document id is missing"),
        ([{"_id": "d1", "text": ["x"]}], None, "corpus.jsonl, line 1: column 'text': expected text, got a list"),
        ([{"_id": "d1", "title": "t" * 60_000, "text": "x" * 60_000}], None, "a text of 120,001 characters, the"),
        (None, [{"text": "x"}], "queries.jsonl: expected a column _id with the ids of the queries"),
        (None, [{"_id": "q1", "words": "x"}], "queries.jsonl: expected a column text with the texts of the queries"),
        (None, [{"_id": "q1", "text": " "}], "queries.jsonl, line 1: column 'text': the query 'q1' has no text: fill"),
        (None, [{"_id": "q1", "text": "x"}, {"_id": "q1", "text": "y"}],
         "queries.jsonl, line 2: column 'text': the query id 'q1' stands for another text on line 1"),
    ],
)  # fmt: skip
def test_documents_and_queries_that_cannot_be(three, jsonl, corpus, queries, sentence):
    others = {"corpus__jsonl": corpus and jsonl(corpus), "queries__jsonl": queries and jsonl(queries)}
    with pytest.raises(InputError) as error:
        read_query_files(three(**{name: data for name, data in others.items() if data}))
    assert sentence in str(error.value)


def test_qrels_without_ids_are_named(three, jsonl):
    files = three(qrels_of_test__tsv=None) | {"qrels.jsonl": jsonl([{"query": "q1", "score": 1}])}
    with pytest.raises(
        InputError, match=r"qrels\.jsonl: expected qrels with query-id, corpus-id and score, got the columns"
    ):
        read_query_files(files)


@pytest.mark.parametrize(
    ("left", "missing"),
    [(["corpus.jsonl", "queries.jsonl"], "qrels"), (["corpus.jsonl", "qrels/test.tsv"], "queries")],
)
def test_a_file_that_is_missing(three, left, missing):
    files = {name: data for name, data in three().items() if name in left}
    with pytest.raises(MissingFilesError, match=rf"uploaded files: no file is named {missing} \(got "):
        read_query_files(files)


@pytest.mark.parametrize("name", ["corpus.jsonl", "queries.jsonl", "qrels.jsonl", "qrels.txt"])
def test_one_of_the_three_alone(three, jsonl, name):
    files = {"qrels.jsonl": jsonl([{"query-id": "q1", "corpus-id": "d1"}]), "qrels.txt": b"q1 0 d1 1\n"} | three()
    with pytest.raises(MissingFilesError, match=f"{name}: holds the {name.split('.')[0]} alone: give the other two"):
        read_query_files({name: files[name]})


def test_a_name_that_says_corpus_or_test_may_hold_pairs(jsonl):
    data = jsonl([{"query": "a", "document": "x"}])
    for name in ("queries.jsonl", "corpus_pairs.jsonl", "qrels.jsonl", "test.jsonl", "folder/test.jsonl"):
        assert read_query_files({name: data}).queries == ("a",)
    with pytest.raises(InputError, match=r"query\.csv: no column is named query and document"):
        read_query_files({"query.csv": b"a,b\nx,y\n"})


def test_several_of_one_kind(three, jsonl):
    with pytest.raises(
        InputError, match=r"several files hold the corpus \(corpus\.jsonl, corpus\.de\.jsonl\): give one"
    ):
        read_query_files(three() | {"corpus.de.jsonl": jsonl(CORPUS)})
    with pytest.raises(InputError, match=r"several files hold the qrels \(qrels/test\.tsv, qrels\.test\.de\.tsv\)"):
        read_query_files(three() | {"qrels.test.de.tsv": QRELS.encode()})


def test_chosen_files_of_a_folder_of_many(three, jsonl, tmp_path):
    folder = written(tmp_path, three() | {"corpus.de.jsonl": jsonl(CORPUS)})
    with pytest.raises(InputError, match="several files hold the corpus"):
        read_query_files(folder)
    chosen = {name: folder / name for name in ("corpus.de.jsonl", "queries.jsonl", "qrels/test.tsv")}
    assert read_query_files(chosen).key == read_query_files(three()).key


def test_folders_and_files_that_hold_nothing(tmp_path):
    with pytest.raises(InputError, match=r"no file of a query set \(nothing\): expected three files named corpus"):
        read_query_files(tmp_path)
    with pytest.raises(InputError, match=r"nowhere: is no folder: give the folder"):
        read_query_files(tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"uploaded files: no file of a query set \(a\.md, b\.md\)"):
        read_query_files({"a.md": b"x", "b.md": b"y"})
    with pytest.raises(InputError, match=r"a\.zip: no file of a query set \(nothing\)"):
        read_query_files({"a.zip": zipped({"README.md": b"x"})})
    with pytest.raises(InputError, match=r"uploaded files: no file of a query set \(nothing\)"):
        read_query_files({})
    with pytest.raises(InputError, match="does not exist"):
        read_query_set(tmp_path / "nowhere.jsonl")


def test_a_zip_of_one_file_of_pairs(jsonl):
    packed = zipped({"mine/pairs.jsonl": jsonl([{"query": "a", "document": "x"}]), "mine/README.md": b"words"})
    assert read_query_set(packed, name="mine.zip").queries == ("a",)


def test_a_zip_beside_other_files(three):
    with pytest.raises(InputError, match=r"a\.zip: a zip beside other files: give the zip alone"):
        read_query_files(three() | {"a.zip": zipped({})})


def test_notices_of_a_file_name_it(three):
    queries = read_query_files(three(qrels_of_test__tsv=QRELS.encode("utf-16")))
    assert queries.notices == ("qrels/test.tsv: The file was read as UTF-16.",)


def test_limits_hold_for_all_files_together(three):
    files = three()
    total = sum(map(len, files.values()))
    read_query_files(files, limits=Limits(max_bytes=total // 2 + 1))
    with pytest.raises(InputError, match=r"uploaded files: 0\.0 MB together, the most that this server reads is"):
        read_query_files(files, limits=Limits(max_bytes=total // 2 - 1))
    with pytest.raises(InputError, match="more than 2 rows"):
        read_query_files(files, limits=Limits(max_rows=2))
