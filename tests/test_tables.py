"""Tables as files: no cell is a formula, nothing is lost, types are kept."""

import csv as standard
import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lib import tables

SIGNS = "=+-@\t\r＝＋－＠"
BITS = st.lists(st.sampled_from([*SIGNS, "'", '"', ";", ",", "\n", " ", "\u200b", "\ufeff", "a", "1", "."]), max_size=9)


def cells(written, separator=","):
    """The cells as a spreadsheet reads them."""
    lines = io.StringIO(written.decode("utf-8-sig"), newline="")
    return [cell for row in standard.reader(lines, delimiter=separator) for cell in row]


@pytest.mark.parametrize("sign", SIGNS)
def test_no_sign_begins_a_cell(sign):
    text = f"{sign}cmd|' /C calc'!A0"
    [header, cell] = cells(tables.csv(pd.DataFrame({text: [text]})))
    assert header[0] == cell[0] == "'"
    assert tables.restored(cell) == text


@pytest.mark.parametrize(
    "text", ["a;=1+1", 'a;"=1+1"', "a\n=1+1", "a\t=1+1", "a\r=1+1", "  =1+1", '"=1+1', "\u200b=1+1"]
)
def test_nor_one_where_a_spreadsheet_splits_at_other_signs(text):
    found = tables.guarded(text)
    assert "'=1+1" in found
    assert tables.restored(found) == text


@pytest.mark.parametrize(
    "text", ["-5", "+1.5e-3", "-.5", "12 %".replace(" ", ""), "a - b", "x=1", "me@here.org", "−3", ""]
)
def test_what_is_harmless_stays(text):
    assert tables.guarded(text) == text


@given(BITS.map("".join))
@example("'\t=1")
@example("''=1")
def test_every_text_comes_back(text):
    found = tables.guarded(text)
    assert tables.restored(found) == text
    if found[:1] in tuple(SIGNS):
        assert float(found) == float(text)


def test_hostile_runs_take_one_pass():
    for bit in ("\t", ";", "'", "\t'", ";'\t"):
        text = bit * 100_000
        assert tables.restored(tables.guarded(text)) == text  # in well under a second; a second pass would take hours


def test_numbers_stay_numbers():
    table = pd.DataFrame(
        {
            "n": [-1.5, np.nan],
            "i": [-1, 2],
            "yes": [True, False],
            "mixed": [-2.5, "-x"],
            "at": pd.to_datetime(["2026-01-02"] * 2),
        }
    )
    back = pd.read_csv(io.BytesIO(tables.csv(table)))
    assert back["n"].tolist()[0] == -1.5
    assert np.isnan(back["n"][1])
    assert back["i"].tolist() == [-1, 2]
    assert back["yes"].tolist() == [True, False]
    assert back["mixed"].tolist() == ["-2.5", "'-x"]
    assert back["at"].tolist() == ["2026-01-02"] * 2


def test_excel_is_told_that_it_is_utf8_and_a_shell_tool_is_not():
    table = pd.DataFrame({"Größe": ["ä"]})
    assert tables.csv(table).startswith(b"\xef\xbb\xbf")
    assert tables.csv(table, mark=False) == "Größe\nä\n".encode()


def test_odd_tables_are_written():
    table = pd.DataFrame([[1, "=a", [1, 2]]], columns=["x", "x", 3], index=["-row"])
    assert cells(tables.csv(table, index=True)) == ["index", "x", "x", "3", "'-row", "1", "'=a", "[1, 2]"]
    assert list(pd.read_parquet(io.BytesIO(tables.parquet(table))).columns) == ["x", "x_2", "3"]
    assert tables.csv(pd.DataFrame({"a": []})) == b"\xef\xbb\xbfa\n"
    assert tables.csv(pd.DataFrame({"a": ["\ud800"]}, dtype=object)).endswith(b"?\n")


def test_parquet_keeps_types_and_texts_to_the_letter():
    table = pd.DataFrame({"n": np.array([-1], np.int16), "t": ["=1+1"], "mixed": [None]}).astype({"mixed": object})
    table = pd.concat([table, table.assign(mixed="a"), table.assign(mixed=2)])
    back = pd.read_parquet(io.BytesIO(tables.parquet(table)))
    assert back["n"].dtype == np.int16
    assert back["t"].tolist() == ["=1+1"] * 3
    assert back["mixed"].tolist()[1:] == ["a", "2"]
    assert back["mixed"].isna()[0]


def test_the_command_line_writes_the_same(tmp_path):
    table = pd.DataFrame({"text": ["=1+1"]})
    tables.write(table, tmp_path / "t.csv")
    tables.write(table, tmp_path / "t.parquet")
    assert (tmp_path / "t.csv").read_bytes() == b"text\n'=1+1\n"
    assert pd.read_parquet(tmp_path / "t.parquet")["text"].tolist() == ["=1+1"]
