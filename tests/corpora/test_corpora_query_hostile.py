"""Whatever comes in as a query set, it is read or refused in one sentence; what is written reads back the same."""

import gzip
import io
import json
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lib.corpora import (
    Limits,
    QuerySet,
    beir_files,
    load_query_set,
    open_query_files,
    pairs_jsonl,
    read_query_files,
    read_query_set,
)
from lib.errors import InputError

LIMITS = Limits(max_bytes=1_000_000, max_rows=1_000, max_chars=10_000)
OPTIONS = settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
WORD = st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"]), min_size=1, max_size=12).filter(str.strip)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30).filter(str.strip)


def zipped(files, **options):
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", **{"compression": zipfile.ZIP_DEFLATED, **options}) as archive:
        for name, data in files:
            archive.writestr(name, data)
    return sink.getvalue()


def made_or_refused(read):
    """What `read` returns; None where it refuses, in one line, what it was given."""
    try:
        queries = read()
    except InputError as error:
        sentence = str(error)
    else:
        sentence = ""
    assert "\n" not in sentence
    if sentence:
        return None
    assert (queries.relevance > 0).any()
    assert len(queries.key) == 64
    return queries


@st.composite
def query_sets(draw):
    """Sets with every oddity that can be written: unjudged queries and documents, equal texts, missing topics."""
    query_ids, document_ids = (draw(st.lists(WORD, min_size=1, max_size=6, unique=True)) for _ in range(2))
    q, n = len(query_ids), len(document_ids)
    places = draw(st.sets(st.tuples(st.integers(0, q - 1), st.integers(0, n - 1)), min_size=1))
    grades = draw(st.lists(st.integers(0, 3), min_size=len(places), max_size=len(places)))
    texts = [draw(st.lists(TEXT, min_size=size, max_size=size)) for size in (q, n)]
    topics = draw(st.lists(st.none() | TEXT, min_size=q, max_size=q))
    rows = sorted((*place, grade) for place, grade in zip(places, [1, *grades[1:]], strict=True))
    return QuerySet("drawn", tuple(texts[0]), tuple(query_ids), tuple(texts[1]), tuple(document_ids),
                    *(columns(rows, at) for at in range(3)),
                    tuple(topics) if any(topics) else None)  # fmt: skip


def columns(rows, at):
    import numpy as np

    return np.array([row[at] for row in rows], dtype=np.int64)


@OPTIONS
@given(queries=query_sets())
def test_beir_files_read_back_the_same(queries):
    files = beir_files(queries)
    assert list(files) == ["corpus.jsonl", "queries.jsonl", "qrels/test.tsv"]
    assert read_query_files(files).key == queries.key
    assert read_query_set(zipped(files.items()), name="a.zip").key == queries.key


@OPTIONS
@given(queries=query_sets())
def test_pairs_read_back_the_same(queries):
    back = read_query_set(pairs_jsonl(queries), name="a.jsonl")
    assert back.qrels() == queries.qrels()
    assert back.query_ids == queries.query_ids
    assert back.queries == queries.queries
    assert back.topics == queries.topics
    assert dict(zip(back.document_ids, back.documents, strict=True)) == dict(
        zip(queries.document_ids, queries.documents, strict=True)
    )


def test_the_sample_reads_back_the_same():
    queries = load_query_set("topics")
    assert read_query_files(beir_files(queries, split="dev")).key == queries.key
    assert read_query_set(pairs_jsonl(queries), name="a.jsonl").key == queries.key


@pytest.mark.parametrize("given_id", ["a\tb", " a", "a\n", ""])
def test_ids_that_a_qrels_file_cannot_hold(given_id):
    queries = load_query_set("lab")
    ids = (given_id, *queries.document_ids[1:])
    with pytest.raises(InputError, match="is blank or has white space that a qrels file cannot hold: rename it"):
        beir_files(QuerySet("x", queries.queries, queries.query_ids, queries.documents, ids, queries.judged_query,
                            queries.judged_document, queries.relevance))  # fmt: skip


def test_zip_bombs_are_refused_without_unpacking_them():
    big = b'{"query": "a"}\n' * 4_000_000  # 60 MB
    packed = zipped([("pairs.jsonl", big)], compresslevel=9)
    assert len(packed) < 200_000
    with pytest.raises(InputError, match=r"bomb\.zip: unpacks to more than 2 MB, the most .* EMBEDSCOPE_MAX_UPLOAD_MB"):
        read_query_set(packed, name="bomb.zip", limits=LIMITS)
    many = zipped([(f"{i}/corpus.jsonl", big[:600_000]) for i in range(20)])
    with pytest.raises(InputError, match="unpacks to more than 2 MB"):
        read_query_set(many, name="bomb.zip", limits=LIMITS)
    with pytest.raises(InputError, match=r"pairs\.jsonl\.gz: unpacks to more than 2 MB"):
        read_query_set(gzip.compress(big), name="pairs.jsonl.gz", limits=LIMITS)


def test_a_zip_of_very_many_files_is_refused():
    packed = zipped([(f"{i}.txt", b"") for i in range(10_001)], compression=zipfile.ZIP_STORED)
    with pytest.raises(InputError, match=r"a\.zip: more than 10,000 files in one zip: keep corpus, queries and qrels"):
        read_query_set(packed, name="a.zip")


@pytest.mark.parametrize(
    "name", ["../corpus.jsonl", "../../etc/pairs.jsonl", "./.hidden.jsonl", "__MACOSX/pairs.jsonl"]
)
def test_files_that_climb_or_hide_are_not_read(name):
    with pytest.raises(InputError, match="no file of a query set"):
        read_query_set(zipped([(name, b'{"query": "a", "document": "x"}')]), name="a.zip")


def test_zips_that_cannot_be_read():
    pair = b'{"query": "a", "document": "x"}\n'
    whole = zipped([("pairs.jsonl", pair)])
    locked = bytearray(whole)
    locked[6] |= 1
    locked[whole.rindex(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(InputError, match=r"a\.zip: pairs\.jsonl in it is encrypted: pack it again without a password"):
        read_query_set(bytes(locked), name="a.zip")
    for method in (zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2):
        with pytest.raises(
            InputError, match=r"pairs\.jsonl in it is packed in an unusual way: pack it again with Deflate"
        ):
            read_query_set(zipped([("pairs.jsonl", pair)], compression=method), name="a.zip")
    with pytest.warns(UserWarning, match="Duplicate name"):
        twice = zipped([("pairs.jsonl", pair), ("pairs.jsonl", pair)])
    with pytest.raises(InputError, match=r"two files in it are named pairs\.jsonl: keep one of them"):
        read_query_set(twice, name="a.zip")
    for data in (b"", b"PK\x03\x04", whole[:-10], whole[:40], pair, whole.replace(pair[:4], b"zzzz")):
        made_or_refused(lambda data=data: read_query_set(data, name="a.zip"))
    with pytest.raises(InputError, match=r"a\.zip: expected a zip, got a file that is none, is cut, or is damaged"):
        read_query_set(pair, name="a.zip")
    with pytest.raises(InputError, match=r"a\.jsonl\.gz: expected gzip, got a file that is none"):
        read_query_set(pair, name="a.jsonl.gz")
    with pytest.raises(InputError, match=r"a\.jsonl\.gz: expected gzip, got a file that is none, is cut"):
        read_query_set(gzip.compress(pair)[:-9], name="a.jsonl.gz")


@pytest.mark.parametrize("junk", [b"\x89PNG\r\n\x1a\n" + bytes(50), bytes(range(256)) * 4, b"\xff\xfe\x00", b""])
@pytest.mark.parametrize(
    "name", ["a.jsonl", "a.csv", "a.tsv", "a.parquet", "a.zip", "a.jsonl.gz", "qrels.txt", "a", "a.json"]
)
def test_binary_junk_is_refused(junk, name):
    assert made_or_refused(lambda: read_query_set(junk, name=name)) is None
    pair = {"corpus.jsonl": b'{"_id": "d", "text": "x"}', "queries.jsonl": b'{"_id": "q", "text": "a"}'}
    assert made_or_refused(lambda: read_query_files({**pair, "qrels.tsv": junk})) is None


def test_odd_characters_stay_as_they_are():
    odd = [
        "\u202egnp.exe",
        "\U0001f9ec\u200d",
        "e\u0301 \u00e9",
        "\ufeffmark",
        "a\u2028b\u0085c",
        "\ufdd0 \U0010ffff",
        "\x7f\x01 del" * 2,
    ]
    rows = [
        {"query": text, "query_id": text, "document": text[::-1], "document_id": text, "topic": text} for text in odd
    ]
    queries = read_query_set("\n".join(json.dumps(row) for row in rows).encode(), name="a.jsonl")
    assert list(queries.queries) == list(queries.query_ids) == list(queries.topics) == odd
    assert list(queries.documents) == [text[::-1] for text in odd]
    assert len(queries.key) == 64
    assert read_query_set(b'{"query": "\\ud800 half", "document": "x"}', name="a.jsonl").queries == ("\ufffd half",)


def test_names_of_files_cannot_break_a_sentence():
    name = "evil\n\u202ename" + "x" * 500 + ".jsonl"
    with pytest.raises(InputError) as error:
        read_query_files({name: b"{}"})
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 300
    files = {"corpus\n.jsonl": b'{"_id": "d", "text": "x"}', "queries.jsonl": b'{"_id": "q", "text": "a"}',
             "qrels\n.tsv": b"q\td9\t1\n"}  # fmt: skip
    with pytest.raises(InputError, match=r"line 1: a judgement of document 'd9', which corpus \.jsonl does not hold"):
        read_query_files(files)


NAMES = st.sampled_from([
    "a.jsonl", "a.csv", "a.tsv", "a.parquet", "a.zip", "a.jsonl.gz", "corpus.jsonl", "queries.tsv", "qrels.tsv",
    "qrels.txt", "qrels/dev.tsv", "test.tsv", "qrels.jsonl", "a.txt", "\0", "\udc80.csv", "..", "", "/", "qrels",
])  # fmt: skip
PIECES = st.lists(st.sampled_from([
    '{"query": "a", ', '"document": "x"', '"_id": "d1", "text": "t"', "}", "{", "\n", ", ", "query\tdocument\n", "\r",
    "q1\td1\t1\n", "q1 0 d1 2\n", "query-id\tcorpus-id\tscore\n", '"relevance": 1', '"relevance": "x"',
    '"negatives": [1]', "\\ud800", '"',
]), max_size=14).map(lambda parts: "".join(parts).encode())  # fmt: skip


@settings(OPTIONS, max_examples=400)
@given(files=st.dictionaries(NAMES, PIECES | st.binary(max_size=60), min_size=1, max_size=4), split=st.none() | NAMES)
def test_any_files_give_a_set_or_a_sentence(files, split):
    made_or_refused(lambda: read_query_files(files, limits=LIMITS, split=split))


CELLS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORD, inner, max_size=2),
    max_leaves=4,
)
COLUMNS = ("query", "document", "relevance", "topic", "query_id", "document_id", "negatives")


@settings(OPTIONS, max_examples=400)
@given(rows=st.lists(st.dictionaries(st.sampled_from(COLUMNS), CELLS, max_size=7), min_size=1, max_size=5))
def test_any_cells_of_pairs_give_a_set_or_a_sentence(rows):
    rows = [{"query": "a", "document": "x"}, *rows]
    made_or_refused(lambda: read_query_set("\n".join(map(json.dumps, rows)).encode(), name="a.jsonl", limits=LIMITS))


@settings(OPTIONS, max_examples=300)
@given(which=st.sampled_from(["corpus.jsonl", "queries.jsonl", "qrels.jsonl"]), draw=st.data())
def test_any_cells_of_the_three_files_give_a_set_or_a_sentence(which, draw):
    rows = {
        "corpus.jsonl": [{"_id": "d1", "title": "t", "text": "x"}],
        "queries.jsonl": [{"_id": "q1", "text": "a", "topic": "t"}],
        "qrels.jsonl": [{"query-id": "q1", "corpus-id": "d1", "score": 1}],
    }
    rows[which].append({name: draw.draw(CELLS) for name in rows[which][0]})
    files = {name: "\n".join(map(json.dumps, held)).encode() for name, held in rows.items()}
    if made_or_refused(lambda: read_query_files(files, limits=LIMITS)):
        made_or_refused(lambda: read_query_files(files, limits=LIMITS, topic_field="text"))
        open_query_files(files).topic_fields  # noqa: B018


@pytest.fixture(scope="module")
def packed():
    return zipped(beir_files(load_query_set("lab")).items())


@settings(OPTIONS, max_examples=400)
@given(draw=st.data())
def test_damaged_zips_give_a_set_or_a_sentence(draw, packed):
    data = bytearray(packed)
    for _ in range(draw.draw(st.integers(1, 4))):
        data[draw.draw(st.integers(0, len(data) - 1))] = draw.draw(st.integers(0, 255))
    data = bytes(data[: draw.draw(st.none() | st.integers(0, len(data)))])
    made_or_refused(lambda: read_query_set(data, name="a.zip", limits=LIMITS))
