"""Bad files by the dozen: each is refused with one sentence that says where and what to do."""

import gzip
import io
import zipfile

import pytest

from lib.corpora import ColumnChoice, read_corpus, read_pasted, read_table
from lib.errors import InputError


def archive(*names):
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as file:
        for name in names:
            file.writestr(name, "x" * 100)
    return sink.getvalue()


BROKEN_LINE_17 = b'{"text": "good"}\n' * 16 + b'{"text": "bad" "label": 1}\n' + b'{"text": "good"}\n'

BAD = {
    # CSV and TSV
    "too many fields": (b"text,label\na,x\nb,y,z,w\n", "a.csv", r"a\.csv, line 3: expected 2 fields.*got 4.*'z'"),
    "too few fields": (b"id,text,label\n1,a,x\n2\n", "a.csv", r"line 3: expected 3 fields.*got 1.*'text' is missing"),
    "count after a field of many lines": (b'text,n\n"a\nb\nc",1\nd\n', "a.csv", r"line 5: expected 2 fields.*got 1"),
    "unclosed quote": (
        b'text,n\na,1\nb,"never\nc,3\n',
        "a.csv",
        r"line 3: the double quote at column 3 .*never closes",
    ),
    "unclosed quote after a closed one": (b'text,n\n"a\nb","c\nd\n', "a.csv", r"line 3: the double quote at column 4 "),
    "text after a quote": (b'text,n\n"a" b,1\n', "a.csv", r"line 2: a field goes on after its closing double quote"),
    "header only": (b"text,label\n", "a.csv", r"only a header \('text, label'\) and no rows"),
    "same column twice": (b"text,label,text\na,x,b\n", "a.csv", r"line 1: columns 1 and 3 are both named 'text'"),
    "too many fields in TSV": (b"text\tlabel\na\tx\ty\n", "a.tsv", r"line 2: expected 2 fields.*got 3.*tab"),
    "numbers only": (b"n,m\n1,2\n3,4\n", "a.csv", r"no column holds text \(columns: n, m\)"),
    # JSON Lines
    "broken JSON": (BROKEN_LINE_17, "a.jsonl", r"line 17: broken JSON at column 16 "),
    "cut JSON": (b'{"text": "a"}\n{"text": "b', "a.jsonl", r"line 2: broken JSON at column 10.*cut in the middle"),
    "JSON list": (b'[{"text": "a"}]', "a.jsonl", r"line 1: expected an object a line.*JSON list"),
    "JSON over many lines": (b'{\n "text": "a"\n}\n', "a.jsonl", r"line 1: .*not JSON over many lines"),
    "list of objects over many lines": (b'[\n{"text": "a"}\n]\n', "a.jsonl", r"line 1: .*not JSON over many lines"),
    "a text is no object": (b'{"text": "a"}\n"b"\n', "a.jsonl", r"line 2: expected an object .*got the text 'b'"),
    "a number is no object": (b'{"text": "a"}\n42\n', "a.jsonl", r"line 2: expected an object .*got the number 42"),
    "null is no object": (b"null\n", "a.jsonl", r"line 1: expected an object .*got nothing"),
    "a list on a later line": (b'{"text": "a"}\n[1]\n', "a.jsonl", r"line 2: expected an object .*got a list"),
    "one key twice": (b'{"text": "a", "text": "b"}', "a.jsonl", r"line 1: the key 'text' stands twice"),
    "empty objects": (b"{}\n{}\n", "a.jsonl", r"the objects are empty"),
    "deep nesting": (b'{"text": ' + b"[" * 100_000, "a.jsonl", r"line 1: .*nested too deeply"),
    "rather deep nesting": (b'{"text": ' + b"[" * 60 + b"]" * 60 + b"}", "a.jsonl", r"line 1: .*nested more than 50"),
    "a giant number": (b'{"text": ' + b"9" * 5_000 + b"}", "a.jsonl", r"line 1: a number has too many digits"),
    "a number for a text": (b'{"text": "a"}\n{"text": 7}', "a.jsonl", r"line 2: column 'text': .*the number 7"),
    "a truth value for a text": (b'{"text": "a"}\n{"text": true}', "a.jsonl", r"line 2: .*the truth value true"),
    "a list for a text": (
        b'{"text": "a"}\n{"text": ["b"]}',
        "a.jsonl",
        r"line 2: column 'text': expected text, got a list",
    ),
    "an object for a text": (b'{"text": "a"}\n{"text": {}}', "a.jsonl", r"line 2: .*expected text, got an object"),
    "only numbers": (b'{"n": 1}\n{"n": 2}', "a.jsonl", r"no column holds text"),
    "a list for a label": (b'{"text": "a", "label": [1]}', "a.jsonl", None),
    # plain text and encodings
    "empty file": (b"", "a.txt", r"a\.txt: the file is empty"),
    "white space only": (b" \n\t\r\n", "a.csv", r"the file is empty"),
    "a mark alone": (b"\xef\xbb\xbf", "a.txt", r"the file is empty"),
    "zero bytes": (b"good\nba\0d\n", "a.txt", r"binary file \(a zero byte on line 2, column 3\)"),
    "control bytes": (
        b"a\x01\x02\x03\nb",
        "a.txt",
        r"binary file \(3 control characters, the first on line 1, column 2\)",
    ),
    "cut UTF-8": ("größe é".encode()[:-1], "a.txt", r"last character on line 1, column 7 is incomplete.*cut"),
    "broken UTF-8": (
        "ö ö ö\nö \xff ö".encode().replace(b"\xc3\xbf", b"\xff"),
        "a.txt",
        r"byte 0xFF on line 2, column 3",
    ),
    "cut UTF-16": (b"\xff\xfea\x00b\x00c", "a.txt", r"UTF-16 text ends inside a character"),
    "broken UTF-16": (b"\xff\xfea\x00\n\x00\x00\xdca\x00", "a.txt", r"line 2: broken UTF-16"),
    # binary files
    "PNG": (b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "a.csv", r"looks like a PNG picture"),
    "JPEG": (b"\xff\xd8\xff\xe0" + bytes(50), "a.txt", r"looks like a JPEG picture"),
    "PDF": (b"%PDF-1.7\n%\xe2\xe3", "a.txt", r"looks like a PDF document"),
    "gzip": (gzip.compress(b"text\na\n"), "a.csv", r"looks like a gzip archive: unpack it first"),
    "zip": (archive("a.txt"), "a.txt", r"looks like a zip archive: unpack it first"),
    "xlsx": (archive("xl/workbook.xml"), "a.csv", r"looks like an Excel workbook \(\.xlsx\): save the sheet as CSV"),
    "docx": (archive("word/document.xml"), "a.txt", r"looks like a Word document"),
    "old xls": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(50), "a.csv", r"\.xls"),
    "Parquet as CSV": (b"PAR1" + bytes(50) + b"PAR1", "a.csv", r"looks like a Parquet file: .*\.parquet"),
    "array as text": (b"\x93NUMPY\x01\x00" + bytes(50), "a.txt", r"looks like a NumPy array .*precomputed"),
    # suffixes
    "JSON": (b'{"text": "a"}', "a.json", r"got '\.json': write one object a line and name it \.jsonl"),
    "no suffix": (b"a", "README", r"got 'no suffix'"),
    "workbook suffix": (archive("xl/workbook.xml"), "a.xlsx", r"got '\.xlsx'; it looks like an Excel workbook"),
    "archive suffix": (gzip.compress(b"a"), "a.csv.gz", r"got '\.gz'; it looks like a gzip archive: unpack"),
    # Parquet
    "empty Parquet": (b"", "a.parquet", r"the file is empty"),
    "CSV as Parquet": (b"text,label\na,b\n", "a.parquet", r"expected a Parquet file .*check the suffix"),
    "PNG as Parquet": (b"\x89PNG\r\n\x1a\n" + bytes(50), "a.parquet", r"expected a Parquet file.*PNG picture"),
    "four bytes": (b"PAR1", "a.parquet", r"footer is missing.*cut in the middle"),
    "no metadata": (b"PAR1" + bytes(30) + b"PAR1", "a.parquet", r"broken Parquet file"),
    "encrypted": (b"PARE" + bytes(30) + b"PARE", "a.parquet", r"encrypted"),
    # blank
    "no text at all": (b'{"text": " "}\n{"text": null}', "a.jsonl", None),
    "blank chosen": (b"text,other\n,a\n ,b\n", "a.csv", None),
}


@pytest.mark.parametrize("case", [case for case, (_, _, message) in BAD.items() if message is not None])
def test_is_refused_with_the_place_and_the_reason(case):
    data, name, message = BAD[case]
    with pytest.raises(InputError, match=message) as caught:
        read_corpus(data, name=name)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    ("data", "name", "choice", "message"),
    [
        (b"text,n\na,1\n", "a.csv", ColumnChoice("words"), r"no column is named 'words': choose the text from text, n"),
        (b"text,n\na,1\n", "a.csv", ColumnChoice("text", label="text"), r"'text' is chosen as text and as label"),
        (b"text,n\na,1\nb,2\n", "a.csv", ColumnChoice("n"), r"line 2: column 'n': .*only numbers such as '1'"),
        (b'{"t": "a", "n": 1.5}', "a.jsonl", ColumnChoice("n"), r"line 1: column 'n': .*the number 1\.5"),
        (b"text,other\n,a\n ,b\n", "a.csv", ColumnChoice("text"), r"column 'text': all 2 rows are blank"),
        (
            b'{"t": "a", "y": [1]}',
            "a.jsonl",
            ColumnChoice("t", label="y"),
            r"line 1: column 'y': expected a label.*a list",
        ),
        (
            b"id,t\n1,a\n2,b\n1,c\n",
            "a.csv",
            ColumnChoice("t", id="id"),
            r"line 4: column 'id': the id '1' stands on line 2",
        ),
        (b"id,t\n1,a\n,b\n", "a.csv", ColumnChoice("t", id="id"), r"line 3: column 'id': the id is missing"),
        (
            b'{"t": "a", "id": {}}',
            "a.jsonl",
            ColumnChoice("t", id="id"),
            r"line 1: column 'id': expected an id.*an object",
        ),
    ],
)
def test_a_choice_that_does_not_fit(data, name, choice, message):
    with pytest.raises(InputError, match=message):
        read_corpus(data, name=name, choice=choice)


def test_every_row_blank_leaves_no_text_column():
    with pytest.raises(InputError, match="no column holds text"):
        read_corpus(b'{"text": " "}\n{"text": null}', name="a.jsonl")


@pytest.mark.parametrize("cut", [5, 50, 200, -1, -5, -50])
def test_a_cut_parquet_file(parquet, cut):
    data = parquet({"text": ["some words"] * 50, "n": list(range(50))})
    with pytest.raises(InputError, match="cut in the middle"):
        read_table(data[:cut], name="a.parquet")


def test_parquet_with_one_column_name_twice(parquet):
    import pyarrow as pa

    table = pa.table([pa.array(["a"]), pa.array(["b"])], names=["text", "text"])
    with pytest.raises(InputError, match="columns 1 and 2 are both named 'text'"):
        read_table(parquet(table), name="a.parquet")


def test_parquet_without_rows_or_columns(parquet):
    import pyarrow as pa

    with pytest.raises(InputError, match="columns and no rows"):
        read_table(parquet({"text": pa.array([], pa.string())}), name="a.parquet")
    with pytest.raises(InputError, match="no columns"):
        read_table(parquet(pa.table({})), name="a.parquet")
    with pytest.raises(InputError, match="every column holds raw bytes"):
        read_table(parquet({"image": [b"1"]}), name="a.parquet")


def test_parquet_errors_count_rows(parquet):
    data = parquet({"n": [1, 2], "text": ["a", "b"], "id": ["x", "x"]})
    with pytest.raises(InputError, match=r"a\.parquet, row 1: column 'n': expected text, got the number 1"):
        read_corpus(data, name="a.parquet", choice=ColumnChoice("n"))
    with pytest.raises(InputError, match=r"row 2: .*stands on row 1 already"):
        read_corpus(data, name="a.parquet", choice=ColumnChoice("text", id="id"))


def test_parquet_text_that_is_not_utf8(parquet):
    import pyarrow as pa

    wrong = pa.StringArray.from_buffers(1, pa.py_buffer(b"\0\0\0\0\2\0\0\0"), pa.py_buffer(b"\xff\xfe"))
    with pytest.raises(InputError, match="broken Parquet file"):
        read_table(parquet({"text": wrong}), name="a.parquet")


@pytest.mark.parametrize("text", ["", " \n ", "a\0b"])
def test_pasted_text_that_is_none(text):
    with pytest.raises(InputError, match=r"pasted text: .*(empty|binary)"):
        read_pasted(text)


def test_a_name_cannot_break_the_message():
    with pytest.raises(InputError) as caught:
        read_table(b"", name="a\n\x1b[31m" + "b" * 500 + ".txt")
    assert "\n" not in str(caught.value)
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 200
