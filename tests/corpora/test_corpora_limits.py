"""Limits: what is too large is refused before it takes memory."""

import contextlib
import dataclasses
import resource

import numpy as np
import pytest

from lib.corpora import Limits, read_corpus, read_pasted, read_table
from lib.corpora.parquet_pages import count_pages, read_footer
from lib.errors import InputError

SMALL = Limits(max_bytes=1_000, max_rows=5, max_chars=50)


@pytest.mark.parametrize("name", ["a.txt", "a.csv", "a.jsonl", "a.parquet"])
def test_too_many_bytes(name):
    with pytest.raises(InputError, match=r"0\.0 MB, the most that this server reads is .*EMBEDSCOPE_MAX_UPLOAD_MB"):
        read_table(b"x" * 1_001, name=name, limits=SMALL)


def test_a_path_is_measured_before_it_is_read(tmp_path):
    path = tmp_path / "big.txt"
    with path.open("wb") as file:
        file.truncate(10**12)  # a sparse file: it takes no room on the disk
    with pytest.raises(InputError, match=r"big\.txt: 953,674\.3 MB, the most"):
        read_table(path)


def test_too_much_pasted_text():
    with pytest.raises(InputError, match=r"pasted text: .*the most that this server reads"):
        read_pasted("é" * 600, limits=SMALL)


def test_too_many_rows(parquet, jsonl):
    files = {
        "a.txt": b"a\n" * 6,
        "a.csv": b"text,n\n" + b"a,1\n" * 6,
        "a.tsv": b"text\tn\n" + b"a\t1\n" * 6,
        "a.jsonl": jsonl([{"text": "a"}] * 6),
        "a.parquet": parquet({"text": ["a"] * 6}),
    }
    for name, data in files.items():
        with pytest.raises(InputError, match=r"more than 5 rows, the most .*EMBEDSCOPE_MAX_ROWS"):
            read_table(data, name=name, limits=SMALL)


def test_rows_at_the_limit_are_read():
    assert len(read_table(b"a\n" * 5, name="a.txt", limits=SMALL)) == 5


def test_too_many_columns(jsonl):
    with pytest.raises(InputError, match="different columns are more than is read"):
        read_table(jsonl([{f"c{i}-{j}": "x" for j in range(100)} for i in range(20)]), name="a.jsonl")


def test_a_field_longer_than_the_csv_modules_own_limit():
    assert len(read_corpus(b"text\n" + b"x" * 90_000 + b"\n", name="a.csv").texts[0]) == 90_000
    with pytest.raises(InputError, match="a text of 200,000 characters"):
        read_corpus(b"text\n" + b"x" * 200_000 + b"\n", name="a.csv")


def test_from_the_environment():
    given = {"EMBEDSCOPE_MAX_UPLOAD_MB": "2", "EMBEDSCOPE_MAX_ROWS": " 10 ", "EMBEDSCOPE_MAX_CHARS": ""}
    assert Limits.from_environment(given) == Limits(max_bytes=2 * 1024 * 1024, max_rows=10)
    assert Limits.from_environment({}) == Limits() == Limits(200 * 1024 * 1024, 1_000_000, 100_000)


def test_the_environment_of_the_process_is_the_default(monkeypatch):
    monkeypatch.setenv("EMBEDSCOPE_MAX_ROWS", "12")
    assert Limits.from_environment().max_rows == 12


@pytest.mark.parametrize("value", ["abc", "0", "-1", "1.5", "9" * 40, "²"])
def test_a_bad_environment_is_named(value):
    with pytest.raises(InputError, match="EMBEDSCOPE_MAX_ROWS should be a whole number above 0"):
        Limits.from_environment({"EMBEDSCOPE_MAX_ROWS": value})


def repeated(rows, length):
    import pyarrow as pa

    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, dtype=np.int32)), ["x" * length])


def bombs(parquet):
    import pyarrow as pa

    words = {"text": ["a"]}
    inner = pa.ListArray.from_arrays(pa.array([0, 100_000], pa.int32()), repeated(100_000, 5_000))
    return {
        "one text, repeated": parquet({"text": repeated(500_000, 5_000)}, compression="zstd"),
        "one text, repeated in a list": parquet({**words, "tags": inner}, compression="zstd"),
        "zeros in a list": parquet({**words, "v": pa.array([np.zeros(6_000_000, dtype="f4")])}, compression="zstd"),
        "well compressed": parquet({"text": ["x" * 9_000] * 3_000}, use_dictionary=False, compression="zstd"),
        "small differences": parquet(
            {"text": ["x" * 9_000] * 3_000},
            use_dictionary=False,
            column_encoding="DELTA_BYTE_ARRAY",
            compression="zstd",
        ),
    }


def test_parquet_bombs_are_refused_without_unpacking_them(parquet):
    files = bombs(parquet)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for case, data in files.items():
        assert len(data) < 100_000, case
        with pytest.raises(InputError, match=r"unpacks to .* MB or more, the most that this server reads is 20 MB"):
            read_table(data, name="bomb.parquet", limits=Limits(max_bytes=10 * 1024 * 1024))
    taken = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert taken < 100  # MB, of 26 MB to 2.5 GB


def test_a_footer_that_declares_too_many_rows(parquet):
    with pytest.raises(InputError, match="more than 1,000,000 rows"):
        read_table(parquet({"text": repeated(1_000_001, 1)}), name="a.parquet")


def test_a_footer_that_understates_is_caught_by_the_page_headers(parquet):
    data = parquet({"n": np.zeros(100_000)}, compression="zstd", use_dictionary=False)
    honest = read_footer(data).groups[0][0]
    liar = dataclasses.replace(honest, values=1, unpacked=1)
    pages = count_pages(data, [liar])
    assert pages.values >= 20_000
    assert pages.unpacked >= 8 * pages.values


@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_footer_and_page_headers_agree_with_what_arrow_reads(parquet, version):
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {"text": [f"word {i % 500}" for i in range(5_000)], "v": [[float(i)] * 3 for i in range(5_000)]}
    data = parquet(columns, data_page_version=version, row_group_size=2_000)
    metadata = pq.read_metadata(pa.BufferReader(data))
    footer = read_footer(data)
    assert footer.rows == metadata.num_rows == 5_000
    for i, group in enumerate(footer.groups):
        for j, chunk in enumerate(group):
            column = metadata.row_group(i).column(j)
            assert chunk.values == column.num_values
            assert chunk.length == column.total_compressed_size
            assert chunk.unpacked == column.total_uncompressed_size
    chunks = [chunk for group in footer.groups for chunk in group]
    pages = count_pages(data, chunks)
    assert pages.values == sum(chunk.values for chunk in chunks) == 20_000
    assert pages.unpacked <= sum(chunk.unpacked for chunk in chunks)


def test_a_broken_footer_is_no_end_of_the_process(parquet):
    """Arrow's own call for the column of a row group ends the process on some of these."""
    data = parquet({"text": ["a", None], "tags": [["x"], None]}, compression="none")
    for at in range(len(data) - 600, len(data) - 8):
        for value in (0, 1, 127, 255):
            damaged = data[:at] + bytes([value]) + data[at + 1 :]
            with contextlib.suppress(InputError):
                read_table(damaged, name="a.parquet")
