"""Property tests: what is written reads back equal, and whatever bytes come, only an InputError is raised."""

import csv
import io
import json
import re

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lib.corpora import ColumnChoice, Limits, build_corpus, read_corpus, read_table, read_vectors
from lib.errors import InputError

LIMITS = Limits(max_bytes=2_000_000, max_rows=1_000, max_chars=10_000)
OPTIONS = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
CONTROL = [chr(c) for c in range(32) if chr(c) not in "\t\n\r"] + ["\x7f"]
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters=CONTROL), max_size=40)
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)  # JSON escapes control characters
LABEL = st.one_of(st.none(), TEXT)
ROWS = st.lists(st.tuples(TEXT, LABEL), min_size=1, max_size=12)


NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*", re.ASCII)


def result_or_sentence(read):
    """What `read` returns; None where it refuses, in one line, what it was given."""
    try:
        return read()
    except InputError as error:
        sentence = str(error)
    assert "\n" not in sentence
    return None


def is_blank(text):
    return text is None or not text.strip()


@OPTIONS
@given(rows=ROWS, delimiter=st.sampled_from([",", "\t"]), end=st.sampled_from(["\n", "\r\n"]))
def test_csv_round_trip(rows, delimiter, end):
    sink = io.StringIO()
    writer = csv.writer(sink, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerows([("text", "label"), *rows])
    table = read_table(sink.getvalue().encode(), name="a.csv" if delimiter == "," else "a.tsv")
    assert list(table.frame["text"]) == [text or None for text, _ in rows]
    assert list(table.frame["label"]) == [label or None for _, label in rows]


@OPTIONS
@given(rows=st.lists(st.tuples(ANY_TEXT, LABEL), min_size=1, max_size=12), ascii_only=st.booleans())
def test_jsonl_round_trip(rows, ascii_only):
    lines = [json.dumps({"text": t, "label": label}, ensure_ascii=ascii_only) for t, label in rows]
    table = read_table("\n".join(lines).encode(), name="a.jsonl")
    assert list(table.frame["text"]) == [text for text, _ in rows]
    assert list(table.frame["label"]) == [label for _, label in rows]


@OPTIONS
@given(rows=st.lists(st.tuples(ANY_TEXT, LABEL), min_size=1, max_size=12), dictionary=st.booleans())
def test_parquet_round_trip(rows, dictionary, parquet):
    import pyarrow as pa

    columns = {name: pa.array([row[i] for row in rows], pa.string()) for i, name in enumerate(("text", "label"))}
    table = read_table(parquet(columns, use_dictionary=dictionary), name="a.parquet")
    assert list(table.frame["text"]) == [text for text, _ in rows]
    assert list(table.frame["label"]) == [label for _, label in rows]


@OPTIONS
@given(rows=ROWS)
def test_a_corpus_holds_every_text_that_is_not_blank(rows):
    data = "\n".join(json.dumps({"text": t, "label": label}) for t, label in rows).encode()
    table = read_table(data, name="a.jsonl")
    choice = ColumnChoice("text", label="label")
    kept = [(t, None if is_blank(label) else label) for t, label in rows if not is_blank(t)]
    if not kept:
        with pytest.raises(InputError):
            build_corpus(table, choice)
        return
    if all(NUMBER.fullmatch(text) for text, _ in kept):
        with pytest.raises(InputError, match="only numbers"):
            build_corpus(table, choice)
        return
    corpus = build_corpus(table, choice)
    assert corpus.texts == tuple(t for t, _ in kept)
    assert corpus.labels == (tuple(label for _, label in kept) if any(label for _, label in kept) else None)
    assert corpus.blank == len(rows) - len(kept)
    assert corpus.duplicates == len(kept) - len(set(corpus.texts))
    assert len(corpus.ids) == len(set(corpus.ids)) == len(kept)


@OPTIONS
@given(
    array=st.lists(
        st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=3, max_size=3), min_size=1
    )
)
def test_npy_round_trip(array, npy):
    expected = np.array(array, dtype=np.float32)
    np.testing.assert_array_equal(read_vectors(npy(expected)), expected)


SUFFIXES = st.sampled_from([".txt", ".csv", ".tsv", ".jsonl", ".ndjson", ".parquet", ".json", ""])
SYNTAX = st.lists(st.sampled_from(list('{}[]",:;\t\n\r\\u d8a0.é"text"nul-1e9')), max_size=60).map("".join)


@settings(OPTIONS, max_examples=600)
@given(
    data=st.one_of(st.binary(max_size=300), SYNTAX.map(str.encode), SYNTAX.map(lambda s: s.encode("utf-16"))),
    suffix=SUFFIXES,
)
def test_any_bytes_give_a_corpus_or_an_input_error(data, suffix):
    corpus = result_or_sentence(lambda: read_corpus(data, name=f"a{suffix}", limits=LIMITS))
    assert corpus is None or (len(corpus) >= 1 and len(corpus.key) == 64)


@OPTIONS
@given(cells=st.lists(st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), ANY_TEXT),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(ANY_TEXT, inner, max_size=3)),
    max_leaves=6,
), min_size=1, max_size=8))  # fmt: skip
def test_any_json_in_any_column(cells):
    lines = [json.dumps({"text": "words", "label": cell, "other": cell, "id": cell}) for cell in cells]
    corpus = result_or_sentence(lambda: read_corpus("\n".join(lines).encode(), name="a.jsonl"))
    if corpus is None:
        return
    assert len(corpus) == len(cells)
    assert len(corpus.key) == 64
    json.dumps([corpus.ids, corpus.labels], allow_nan=False)
    corpus.columns.to_json()


@pytest.fixture(scope="module")
def whole_files(parquet, npy):
    columns = {"text": ["some words", "more words"] * 20, "v": [[1.0, 2.0]] * 40, "s": [{"a": 1}] * 40}
    return {
        "a.parquet": parquet(columns),
        "a.csv": b'id,text\n1,"some, words"\n2,more\n',
        "a.jsonl": b'{"id": 1, "text": "some words", "v": [1, 2]}\n{"id": 2, "text": "more"}\n',
        "a.npy": npy(np.ones((4, 3))),
    }


@settings(OPTIONS, max_examples=800)
@given(which=st.sampled_from(["a.parquet", "a.parquet", "a.csv", "a.jsonl", "a.npy"]), draw=st.data())
def test_damaged_files_give_a_result_or_an_input_error(which, draw, whole_files):
    data = bytearray(whole_files[which])
    for _ in range(draw.draw(st.integers(1, 4))):
        at = draw.draw(st.integers(0, len(data) - 1))
        data[at] = draw.draw(st.integers(0, 255))
    data = bytes(data[: draw.draw(st.one_of(st.none(), st.integers(0, len(data))))])
    if which == "a.npy":
        vectors = result_or_sentence(lambda: read_vectors(data, limits=LIMITS))
        assert vectors is None or np.isfinite(vectors).all()
    else:
        corpus = result_or_sentence(lambda: read_corpus(data, name=which, limits=LIMITS))
        assert corpus is None or len(corpus.key) == 64
