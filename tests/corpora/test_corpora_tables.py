"""Every format and every encoding, read back value by value."""

import codecs

import numpy as np
import pytest

from lib.corpora import read_corpus, read_pasted, read_table
from lib.errors import InputError


def texts(data, name):
    return list(read_corpus(data, name=name).texts)


def test_txt_is_a_text_a_line():
    table = read_table(b"first\nsecond\r\n\n  third \rfourth", name="a.txt")
    assert list(table.frame["text"]) == ["first", "second", "", "  third ", "fourth"]
    assert table.lines.tolist() == [1, 2, 3, 4, 5]


def test_a_line_ends_only_at_line_ends():
    line = "one\u2028two\x0bthree\x85four"
    assert texts(f"{line}\nfive".encode(), "a.txt") == [line, "five"]


def test_pasted_text_is_read_like_a_txt():
    table = read_pasted("première\n\nдва\r\n三")
    assert list(table.frame["text"]) == ["première", "", "два", "三"]
    assert table.name == "pasted text"


def test_csv_fields_may_hold_commas_quotes_and_line_ends():
    table = read_table(b'text,label\n"a, ""b""\nc",x\nplain,y\n', name="a.csv")
    assert list(table.frame["text"]) == ['a, "b"\nc', "plain"]
    assert table.lines.tolist() == [2, 4]


def test_an_empty_field_is_missing_and_the_word_na_is_text():
    table = read_table(b"text,label\nNA,null\nNaN,None\n,n/a\n", name="a.csv")
    assert list(table.frame["text"]) == ["NA", "NaN", None]
    assert list(table.frame["label"]) == ["null", "None", "n/a"]


@pytest.mark.parametrize(("mark", "word"), [(";", "semicolon"), ("\t", "tab"), ("|", "bar")])
def test_csv_with_another_delimiter_is_split_there_and_says_so(mark, word):
    table = read_table(f"text{mark}label\none, two{mark}x\n".encode(), name="a.csv")
    assert list(table.frame["text"]) == ["one, two"]
    assert word in table.notices[0]


def test_csv_of_one_column_keeps_semicolons_of_the_texts():
    assert texts(b'text\n"a; b"\nc\n', "a.csv") == ["a; b", "c"]


def test_blank_lines_in_csv_are_no_rows_but_count_as_lines():
    table = read_table(b"\ntext,n\n\na,1\n\nb,2\n", name="a.csv")
    assert list(table.frame["text"]) == ["a", "b"]
    assert table.lines.tolist() == [4, 6]


def test_a_column_without_a_name_is_called_by_its_place():
    assert list(read_table(b",text\n0,a\n", name="a.csv").frame.columns) == ["column 1", "text"]


def test_tsv_takes_tabs():
    assert list(read_table(b"text\tlabel\na, b\tx\n", name="a.tsv").frame["text"]) == ["a, b"]


def test_tsv_with_quotes_that_are_no_field_marks():
    table = read_table(b'text\tlabel\n"Hello," he said\tx\n5" pipe\ty\n', name="a.tsv")
    assert list(table.frame["text"]) == ['"Hello," he said', '5" pipe']
    assert "plain characters" in table.notices[-1]


@pytest.mark.parametrize("name", ["a.jsonl", "a.ndjson", "A.JSONL"])
def test_jsonl_rows_may_lack_keys_and_lines_may_be_blank(name):
    table = read_table(b'{"text": "a", "n": 1}\n\n{"text": "b", "m": [1, "x"]}\r\n', name=name)
    assert list(table.frame.columns) == ["text", "n", "m"]
    assert list(table.frame["n"]) == [1, None]
    assert list(table.frame["m"]) == [None, [1, "x"]]
    assert table.lines.tolist() == [1, 3]


def test_half_a_surrogate_pair_is_replaced_and_a_whole_one_kept():
    table = read_table(b'{"text": "\\ud83d\\ude00 \\ud83d!"}', name="a.jsonl")
    assert list(table.frame["text"]) == ["😀 �!"]
    assert "U+FFFD" in table.notices[0]


def test_parquet_values_of_many_types(parquet):
    import pyarrow as pa

    data = parquet(
        {
            "text": ["a", None, "c"],
            "cat": pa.array(["u", "v", "u"]).dictionary_encode(),
            "vector": pa.array([[1.0, 2.0], None, [3.0, 4.0]], pa.list_(pa.float32(), 2)),
            "tags": [["x", "y"], [], None],
            "object": [{"a": 1}, None, {"a": 2}],
            "day": pa.array([0, 1, 2], pa.date32()),
            "price": pa.array([1, 2, 3], pa.decimal128(10, 2)),
            "a.b": [1, 2, 3],
            "raw": [b"1", b"2", b"3"],
        }
    )
    table = read_table(data, name="a.parquet")
    frame = table.frame
    assert list(frame["text"]) == ["a", None, "c"]
    assert list(frame["cat"]) == ["u", "v", "u"]
    assert [None if v is None else v.tolist() for v in frame["vector"]] == [[1, 2], None, [3, 4]]
    assert list(frame["tags"]) == [["x", "y"], [], None]
    assert list(frame["object"]) == [{"a": 1}, None, {"a": 2}]
    assert list(frame["day"]) == ["1970-01-01", "1970-01-02", "1970-01-03"]
    assert list(frame["price"]) == [1.0, 2.0, 3.0]
    assert list(frame["a.b"]) == [1, 2, 3]
    assert "raw" not in frame
    assert "'raw' holds raw bytes" in table.notices[0]
    assert table.place == "row"


@pytest.mark.parametrize("encoding", ["DELTA_BYTE_ARRAY", "DELTA_LENGTH_BYTE_ARRAY", "PLAIN"])
def test_parquet_text_in_every_encoding(parquet, encoding):
    words = [f"word {i}" for i in range(10_000)]
    data = parquet({"text": words}, use_dictionary=False, column_encoding=encoding)
    assert texts(data, "a.parquet") == words


@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_parquet_with_many_row_groups_and_pages(parquet, version):
    words = [f"word {i % 100}" for i in range(9_000)]
    data = parquet({"text": words}, row_group_size=1_000, data_page_version=version, data_page_size=512)
    assert texts(data, "a.parquet") == words


SENTENCES = "Größe, naïve café\n日本語の文\nПривет 😀\n"


@pytest.mark.parametrize(
    ("data", "notice"),
    [
        (SENTENCES.encode(), None),
        (codecs.BOM_UTF8 + SENTENCES.encode(), None),
        (codecs.BOM_UTF16_LE + SENTENCES.encode("utf-16-le"), "UTF-16"),
        (codecs.BOM_UTF16_BE + SENTENCES.encode("utf-16-be"), "UTF-16"),
        (codecs.BOM_UTF32_LE + SENTENCES.encode("utf-32-le"), "UTF-32"),
        (codecs.BOM_UTF32_BE + SENTENCES.encode("utf-32-be"), "UTF-32"),
    ],
)
def test_unicode_encodings(data, notice):
    table = read_table(data, name="a.txt")
    assert list(table.frame["text"]) == SENTENCES.splitlines()
    assert (notice is None) == (table.notices == ())
    assert notice is None or notice in table.notices[0]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf16_without_mark_where_it_is_evident(encoding):
    assert texts("text,label\nsome words – here,a\n".encode(encoding), "a.csv") == ["some words – here"]


@pytest.mark.parametrize(("encoding", "word"), [("cp1252", "Windows-1252"), ("latin-1", "Latin-1")])
def test_single_byte_text_is_read_with_a_notice(encoding, word):
    text = "Größe “naïve”" if encoding == "cp1252" else "Größe \x81"
    table = read_table(f"text\n{text}\ncafé".encode(encoding), name="a.csv")
    assert list(table.frame["text"]) == [text, "café"]
    assert word in table.notices[0]


def test_the_mark_of_utf8_is_no_part_of_the_first_column():
    assert list(read_table(codecs.BOM_UTF8 + b"text\na\n", name="a.csv").frame.columns) == ["text"]


def test_a_path_gives_its_own_name(tmp_path):
    path = tmp_path / "talks.txt"
    path.write_text("hello\n")
    assert read_table(path).name == "talks.txt"
    assert read_table(path).lines.dtype == np.int64


@pytest.mark.parametrize("name", ["missing.txt", "folder.txt"])
def test_a_path_that_is_no_file(tmp_path, name):
    (tmp_path / "folder.txt").mkdir()
    with pytest.raises(InputError, match=r"does not exist|is a folder"):
        read_table(tmp_path / name)
