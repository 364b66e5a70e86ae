"""A corpus: what is dropped, counted, converted and hashed."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from lib.corpora import ColumnChoice, Corpus, Limits, build_corpus, read_corpus, read_pasted, read_table
from lib.errors import InputError


def test_blank_rows_are_dropped_and_duplicates_kept_both_counted():
    corpus = build_corpus(read_pasted("a\n\nb\n \na\na"))
    assert corpus.texts == ("a", "b", "a", "a")
    assert corpus.ids == ("1", "3", "5", "6")
    assert (corpus.blank, corpus.duplicates, len(corpus)) == (2, 2, 4)
    assert "2 rows without a text dropped." in corpus.notices
    assert "2 texts kept that repeat an earlier one." in corpus.notices


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, 2, None], ("1", "2", None)),
        ([1.0, 2.0, float("nan")], ("1", "2", None)),
        ([1.5, 2.0, 3], ("1.5", "2.0", "3")),
        ([True, False, None], ("true", "false", None)),
        (["x", "", " "], ("x", None, None)),
        (["x", 1, None], ("x", "1", None)),
        ([None, "", None], None),
        ([float("inf"), 1.0, 2.0], ("inf", "1", "2")),
    ],
)
def test_labels_are_text_or_none(jsonl, values, expected):
    data = jsonl([{"text": f"t{i}", "label": value} for i, value in enumerate(values)])
    assert read_corpus(data, name="a.jsonl", choice=ColumnChoice("text", label="label")).labels == expected


def test_ids_of_numbers_become_text(jsonl):
    data = jsonl([{"id": 10, "text": "a"}, {"id": 11, "text": "b"}])
    assert read_corpus(data, name="a.jsonl").ids == ("10", "11")


def test_other_columns_are_numbers_truth_values_or_text():
    data = b"text,whole,part,code,truth,mixed,gap\na,1,0.5,007,true,1,1\nb,-2,1e3,008,False,x,\n"
    columns = read_corpus(data, name="a.csv", choice=ColumnChoice("text")).columns
    assert list(columns["whole"]) == [1, -2]
    assert list(columns["part"]) == [0.5, 1000.0]
    assert list(columns["code"]) == ["007", "008"]
    assert list(columns["truth"]) == [True, False]
    assert list(columns["mixed"]) == ["1", "x"]
    assert columns["gap"].isna().tolist() == [False, True]
    assert columns["whole"].dtype == np.int64


def test_nested_columns_are_kept_as_json_text(jsonl):
    rows = [{"text": "a", "x": {"k": [1, "é"]}, "y": [1.5] * 3, "z": [0.5] * 8}]
    corpus = read_corpus(jsonl(rows), name="a.jsonl")
    assert list(corpus.columns["x"]) == ['{"k": [1, "é"]}']
    assert list(corpus.columns["y"]) == ["[1.5, 1.5, 1.5]"]
    assert "z" not in corpus.columns
    assert "'z' holds vectors" in corpus.notices[-1]


def test_columns_follow_the_kept_rows():
    corpus = read_corpus(b"text,n\na,1\n,2\nc,3\n", name="a.csv")
    assert list(corpus.columns["n"]) == [1, 3]
    assert list(corpus.columns.index) == [0, 1]


def test_a_text_that_is_too_long_names_its_line():
    data = b"text,n\nshort,1\n" + b"x" * 11 + b",2\n"
    with pytest.raises(InputError, match="line 3: column 'text': a text of 11 characters, the most is 10"):
        read_corpus(data, name="a.csv", limits=Limits(max_chars=10))


def test_subset_takes_everything_along():
    corpus = read_corpus(b'text,label,n,v\na,x,1,"[1,2]"\nb,,2,"[3,4]"\na,y,3,"[5,6]"\n', name="a.csv",
                         choice=ColumnChoice("text", "label", vector="v"))  # fmt: skip
    part = corpus.subset([2, 1])
    assert (part.texts, part.ids, part.labels) == (("a", "b"), ("3", "2"), ("y", None))
    assert list(part.columns["n"]) == [3, 2]
    assert part.embeddings.tolist() == [[5, 6], [3, 4]]
    assert part.duplicates == 0
    assert corpus.subset(np.array([True, False, True])).duplicates == 1
    assert corpus.subset([1]).labels is None
    assert len(corpus.subset([])) == 0
    with pytest.raises(IndexError):
        corpus.subset([3])


def test_parts_of_different_length_are_refused():
    with pytest.raises(ValueError, match="labels should be as many as the 2 texts, got 1"):
        Corpus("c", ("a", "b"), ("1", "2"), labels=("x",))
    with pytest.raises(ValueError, match="all be different"):
        Corpus("c", ("a", "b"), ("1", "1"))


BASE = Corpus("c", ("a", "b"), ("1", "2"), ("x", None), pd.DataFrame({"n": [1, 2]}), np.eye(2, dtype=np.float32))


def test_the_key_is_stable():
    assert BASE.key == dataclasses.replace(BASE, name="other", notices=("hello",)).key
    assert BASE.key == BASE.subset([0, 1]).key
    assert Corpus("c", ("a",), ("1",)).key == "1653df74745a58dfb8f610787d2f6afc8be81a384577b9cc74d65d4da1a89293"


@pytest.mark.parametrize(
    "change",
    [
        {"texts": ("a", "c")},
        {"texts": ("b", "a")},
        {"ids": ("1", "3")},
        {"labels": ("x", "x")},
        {"labels": ("x", "")},
        {"labels": None},
        {"columns": pd.DataFrame({"n": [1, 3]})},
        {"columns": pd.DataFrame({"n": [1.0, 2.0]})},
        {"columns": pd.DataFrame({"n": ["1", "2"]})},
        {"columns": pd.DataFrame({"m": [1, 2]})},
        {"columns": pd.DataFrame()},
        {"embeddings": None},
        {"embeddings": np.zeros((2, 2), dtype=np.float32)},
    ],
)
def test_the_key_changes_with_every_part(change):
    assert dataclasses.replace(BASE, **change).key != BASE.key


def test_no_text_can_imitate_two():
    keys = {Corpus("c", texts, ("1", "2")).key for texts in [("ab", "c"), ("a", "bc"), ("abc", ""), ("a\0b", "c")]}
    assert len(keys) == 4


def test_missing_cells_hash_alike_whatever_their_bits():
    other = np.array([0x7FF8000000000001], dtype="<u8").view("<f8")
    one, two = (Corpus("c", ("a",), ("1",), columns=pd.DataFrame({"n": n})) for n in ([np.nan], other))
    assert one.key == two.key


def test_truth_values_with_gaps_can_be_hashed(jsonl):
    data = jsonl([{"text": "a", "ood": True}, {"text": "b"}])
    corpus = read_corpus(data, name="a.jsonl")
    assert corpus.columns["ood"].isna().tolist() == [False, True]
    assert len(corpus.key) == 64


def test_importing_and_reading_loads_no_heavy_library():
    import subprocess
    import sys

    code = (
        "import sys, lib.corpora; lib.corpora.load_sample('topics');"
        "print([m for m in ('torch', 'sklearn', 'streamlit', 'pyarrow.parquet') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_read_table_and_build_agree_with_read_corpus():
    data = b"text,label\na,x\nb,y\n"
    assert build_corpus(read_table(data, name="a.csv")).key == read_corpus(data, name="a.csv").key
