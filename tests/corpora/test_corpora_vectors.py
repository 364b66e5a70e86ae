"""Precomputed embeddings: NumPy files and vector columns, good and bad."""

import io
import pickle
import struct

import numpy as np
import pytest

from lib.corpora import ColumnChoice, Limits, read_corpus, read_vectors
from lib.errors import InputError

X = np.random.default_rng(3).normal(size=(4, 3))


@pytest.mark.parametrize("dtype", ["<f2", "<f4", "<f8", ">f4", ">f8"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_of_every_width_and_order(npy, dtype, order):
    array = np.asarray(X, dtype=dtype, order=order)
    result = read_vectors(npy(array))
    assert result.dtype == np.float32
    assert result.flags.c_contiguous
    np.testing.assert_array_equal(result, array.astype(np.float32))


def test_a_file_on_disk(tmp_path, npy):
    (tmp_path / "e.npy").write_bytes(npy(X))
    assert read_vectors(tmp_path / "e.npy").shape == (4, 3)


def header(text):
    body = text.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(body)) + body


def with_value(value):
    array = X.copy()
    array[2, 1] = value
    return array


def bad_arrays():
    def npy(array, **options):
        sink = io.BytesIO()
        np.save(sink, array, **options)
        return sink.getvalue()

    archive = io.BytesIO()
    np.savez(archive, a=X)
    good = npy(X)
    giant = header("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000, 60000), }")
    return {
        "empty": (b"", "the file is empty"),
        "text": (b"1,2\n3,4\n", r"expected a NumPy array \(\.npy\), got something else"),
        "archive": (archive.getvalue(), r"got an archive \(\.npz\)"),
        "pickle": (pickle.dumps(X), "pickles are never opened"),
        "objects": (
            npy(np.array([[1, "a"]], dtype=object), allow_pickle=True),
            "Python objects, which are never opened",
        ),
        "whole numbers": (npy(np.ones((2, 2), dtype=int)), "expected float16, float32 or float64 numbers, got 'int64'"),
        "complex numbers": (npy(np.ones((2, 2), dtype=complex)), "got 'complex128'"),
        "long double": (npy(np.ones((2, 2), dtype=np.longdouble)), "expected float16"),
        "fields": (npy(np.zeros(2, dtype=[("a", "f4")])), "expected float16"),
        "one dimension": (npy(np.ones(3)), r"expected an array of shape \(texts, dimensions\), got shape '\(3,\)'"),
        "three dimensions": (npy(np.ones((2, 2, 2))), r"got shape '\(2, 2, 2\)'"),
        "no rows": (npy(np.ones((0, 3))), "1 or more rows"),
        "no columns": (npy(np.ones((3, 0))), "1 or more rows of 1 to 65,536"),
        "negative": (header("{'descr': '<f4', 'fortran_order': False, 'shape': (-1, 4), }"), "1 or more rows"),
        "cut": (good[:-1], "takes 96 bytes, got 95: the file seems cut in the middle"),
        "longer": (good + b"x", "takes 96 bytes, got 97: something follows the array"),
        "giant": (giant, "takes 240,000,000,000 bytes, got 0"),
        "too many rows": (
            header("{'descr': '<f4', 'fortran_order': False, 'shape': (10**9, 4), }"),
            "header .* is broken",
        ),
        "a billion rows": (
            header("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000, 4), }"),
            "1,000,000,000 rows, the most",
        ),
        "broken header": (header("{'descr': '<f4', 'fortran_order'"), "header of the .npy file is broken"),
        "code in the header": (header("{'descr': __import__('os'), 'shape': (1, 1)}"), "header .* is broken"),
        "short": (b"\x93NUMPY\x01", "header .* is broken"),
        "version": (b"\x93NUMPY\x09\x00" + bytes(20), "header .* is broken|version 9"),
        "NaN": (npy(with_value(np.nan)), r"row 3: number 2 of the vector is not a number \(NaN\)"),
        "infinite": (npy(with_value(-np.inf)), "row 3: number 2 of the vector is infinite"),
        "beyond float32": (npy(with_value(1e300)), "row 3: .*too large for float32"),
    }


BAD = bad_arrays()


@pytest.mark.parametrize("case", BAD)
def test_bad_arrays(case):
    data, message = BAD[case]
    with pytest.raises(InputError, match=message):
        read_vectors(data, name="e.npy")


def test_the_size_limit_holds_for_arrays(npy):
    with pytest.raises(InputError, match=r"the most that this server reads is 0.0 MB"):
        read_vectors(npy(X), limits=Limits(max_bytes=100))


def test_rows_are_matched_before_blank_ones_are_dropped():
    corpus = read_corpus(b"a\n\nb\nc\n", name="a.txt", embeddings=X)
    np.testing.assert_array_equal(corpus.embeddings, X[[0, 2, 3]].astype(np.float32))
    with pytest.raises(InputError, match=r"4 rows \(blank ones counted\), but the embeddings have shape '\(3, 3\)'"):
        read_corpus(b"a\n\nb\nc\n", name="a.txt", embeddings=X[:3])


def test_given_embeddings_must_be_finite():
    with pytest.raises(InputError, match="not finite"):
        read_corpus(b"a\nb\nc\nd\n", name="a.txt", embeddings=with_value(np.nan))


def test_given_embeddings_come_before_a_vector_column():
    data = b'text,embedding\na,"[9]"\nb,"[8]"\n'
    assert read_corpus(data, name="a.csv", embeddings=np.array([[1.0], [2.0]])).embeddings.tolist() == [[1], [2]]


def vectors_in(name, parquet, jsonl):
    rows = [list(map(float, row)) for row in X.astype(np.float32)]
    if name.endswith("jsonl"):
        return jsonl([{"text": f"t{i}", "embedding": row} for i, row in enumerate(rows)])
    if name.endswith("csv"):
        return ("text,embedding\n" + "".join(f't{i},"{row}"\n' for i, row in enumerate(rows))).encode()
    return parquet({"text": [f"t{i}" for i in range(4)], "embedding": rows})


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.parquet"])
def test_a_vector_column_in_every_format(name, parquet, jsonl):
    corpus = read_corpus(vectors_in(name, parquet, jsonl), name=name)
    np.testing.assert_array_equal(corpus.embeddings, X.astype(np.float32))
    assert "embedding" not in corpus.columns


def test_fixed_size_lists_and_tensors(parquet):
    import pyarrow as pa

    flat = pa.array(X.astype(np.float32).ravel())
    fixed = pa.FixedSizeListArray.from_arrays(flat, 3)
    tensor = pa.ExtensionArray.from_storage(pa.fixed_shape_tensor(pa.float32(), [3]), fixed)
    for column in (fixed, tensor):
        corpus = read_corpus(parquet({"text": list("abcd"), "embedding": column}), name="a.parquet")
        np.testing.assert_array_equal(corpus.embeddings, X.astype(np.float32))


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("[1]", "line 3: column 'v': expected 2 numbers as in the first vector, got 1"),
        ("[1, NaN]", r"line 3: column 'v': number 2 of the vector is not a number \(NaN\)"),
        ("[1, Infinity]", "line 3: column 'v': number 2 of the vector is infinite"),
        ("[1, 1e300]", "line 3: .*too large for float32"),
        ("[1, 1" + "0" * 400 + "]", "line 3: .*too large for float32"),
        ("[1, null]", r"line 3: column 'v': expected a list of numbers, got a list with nothing"),
        ("[1, true]", "line 3: .*a list with the truth value true in it"),
        ('[1, "2"]', "line 3: .*a list with the text '2' in it"),
        ("[]", "line 3: .*an empty list"),
        ("null", "line 3: .*got nothing"),
        ("7", "line 3: .*got the number 7"),
        ("{}", "line 3: .*got an object"),
        ('"no list"', "line 3: .*got the text 'no list'"),
    ],
)
def test_bad_cells_name_their_line(cell, message):
    data = f'{{"text": "a", "v": [1, 2]}}\n\n{{"text": "b", "v": {cell}}}\n'.encode()
    with pytest.raises(InputError, match=message):
        read_corpus(data, name="a.jsonl", choice=ColumnChoice("text", vector="v"))


def test_a_vector_of_too_many_dimensions(jsonl):
    data = jsonl([{"text": "a", "v": [0.5] * 70_000}])
    with pytest.raises(InputError, match="70,000 dimensions, the most is 65,536"):
        read_corpus(data, name="a.jsonl")


def test_a_blank_row_needs_no_vector():
    data = b'{"text": "a", "v": [1, 2]}\n{"text": ""}\n'
    assert read_corpus(data, name="a.jsonl", choice=ColumnChoice("text", vector="v")).embeddings.shape == (1, 2)
