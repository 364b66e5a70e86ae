"""Round trips, every kind of broken file, and writing whole or not at all."""

import errno
import json
import os
import pickle
import resource
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.tensors import BrokenFileError, read_tensors, sweep, write_tensors

REPOSITORY = Path(__file__).parents[1]
DTYPES = ["f8", "f4", "f2", "i8", "i4", "i2", "i1", "u8", "u4", "u2", "u1", "?"]


def crafted(path: Path, header: object, data: bytes = b"") -> Path:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)
    return path


@pytest.fixture(scope="module")
def sound(tmp_path_factory) -> bytes:
    path = tmp_path_factory.mktemp("sound") / "a.safetensors"
    tensors = {"x": np.arange(6, dtype=np.float32).reshape(2, 3), "n": np.arange(3), "none": np.empty((0, 4))}
    write_tensors(path, tensors, {"note": "é\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16")})
    return path.read_bytes()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (1,), (7,), (3, 4), (0,), (0, 5), (2, 0, 3)])
def test_comes_back_as_it_was(tmp_path, dtype, shape):
    array = np.random.default_rng(1).integers(0, 2, shape).astype(dtype)
    write_tensors(tmp_path / "a", {"a": array, "b": np.ones(3)}, {"k": "v"})
    tensors, metadata = read_tensors(tmp_path / "a")
    assert metadata == {"k": "v"}
    assert tensors["a"].dtype == np.dtype(dtype)
    assert tensors["a"].shape == shape
    np.testing.assert_array_equal(tensors["a"], array)


def test_is_mapped_and_cannot_be_written(tmp_path):
    write_tensors(tmp_path / "a", {"a": np.ones((4, 2))}, {})
    array = read_tensors(tmp_path / "a")[0]["a"]
    assert isinstance(array, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        array[0, 0] = 2


@pytest.mark.parametrize(
    "array",
    [
        np.arange(12.0).reshape(3, 4).T,
        np.arange(12)[::-2],
        np.arange(5, dtype=">f4"),
        np.array([np.nan, np.inf, -np.inf, -0.0]),
        np.broadcast_to(np.float32(2), (3, 3)),
    ],
    ids=["transposed", "strided", "big-endian", "not finite", "broadcast"],
)
def test_any_layout_comes_back(tmp_path, array):
    write_tensors(tmp_path / "a", {"a": array}, {})
    np.testing.assert_array_equal(read_tensors(tmp_path / "a")[0]["a"], array)


def test_other_programs_can_read_it(tmp_path):
    from safetensors import safe_open
    from safetensors.numpy import load_file

    arrays = {dtype.strip("?") or "bool": np.ones((3, 1), dtype) for dtype in DTYPES}
    write_tensors(tmp_path / "a", {**arrays, "none": np.empty((0, 2)), "one": np.array(1.0)}, {"note": "ü"})
    found = load_file(tmp_path / "a")
    assert {name: found[name].dtype for name in arrays} == {name: array.dtype for name, array in arrays.items()}
    assert all((found[name] == arrays[name]).all() for name in arrays)
    assert (found["none"].shape, found["one"].shape) == ((0, 2), ())
    with safe_open(tmp_path / "a", "numpy") as file:
        assert file.metadata()["note"] == "ü"


def test_arrays_lie_aligned(tmp_path):
    write_tensors(tmp_path / "a", {dtype: np.ones(3, dtype) for dtype in DTYPES}, {"odd": "x"})
    assert all(array.flags.aligned for array in read_tensors(tmp_path / "a")[0].values())


def test_others_may_read_it_as_far_as_the_umask_allows(tmp_path):
    before = os.umask(0o022)
    try:
        write_tensors(tmp_path / "a", {"a": np.ones(3)}, {})
    finally:
        os.umask(before)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o644


def test_no_arrays_at_all(tmp_path):
    write_tensors(tmp_path / "a", {}, {"k": "v"})
    assert read_tensors(tmp_path / "a") == ({}, {"k": "v"})


@pytest.mark.parametrize("array", [np.array(["a"]), np.array([object()]), np.array([1j]), np.array(["2020"], "M8[D]")])
def test_other_than_numbers_is_refused(tmp_path, array):
    with pytest.raises(TypeError, match="only numbers and booleans"):
        write_tensors(tmp_path / "a", {"a": array}, {})
    assert not list(tmp_path.iterdir())


def test_nothing_is_pickled(tmp_path, monkeypatch):
    for owner, name in [(np, "load"), (np, "save"), (pickle, "load"), (pickle, "loads"), (pickle, "dumps")]:
        monkeypatch.setattr(owner, name, None)
    write_tensors(tmp_path / "a", {"a": np.ones(3)}, {})
    assert read_tensors(tmp_path / "a")[0]["a"].sum() == 3


# Broken files


def outcome(path: Path) -> str | None:
    try:
        tensors, metadata = read_tensors(path)
    except BrokenFileError:
        return None
    return repr(sorted((name, t.dtype.str, t.shape, t.tobytes()) for name, t in tensors.items())) + repr(metadata)


def test_every_single_byte_counts(tmp_path, sound):
    path = tmp_path / "a"
    path.write_bytes(sound)
    expected = outcome(path)
    for position in range(len(sound)):
        for flip in (1, 0x20, 0xFF):
            changed = bytearray(sound)
            changed[position] ^= flip
            path.write_bytes(changed)
            assert outcome(path) in (None, expected), (position, flip)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_changes_of_any_kind_are_noticed(tmp_path_factory, sound, data):
    path = tmp_path_factory.getbasetemp() / "changed"
    path.write_bytes(sound)
    expected = outcome(path)
    start = data.draw(st.integers(0, len(sound) - 1))
    end = data.draw(st.integers(start, min(len(sound), start + 40)))
    path.write_bytes(sound[:start] + data.draw(st.binary(max_size=40)) + sound[end:])
    assert outcome(path) in (None, expected)


def test_every_cut_is_noticed(tmp_path, sound):
    for length in range(len(sound)):
        (tmp_path / "a").write_bytes(sound[:length])
        with pytest.raises(BrokenFileError):
            read_tensors(tmp_path / "a")


@given(st.binary(max_size=200))
@settings(max_examples=100, deadline=None)
def test_garbage_is_broken(tmp_path_factory, garbage):
    path = tmp_path_factory.getbasetemp() / "garbage"
    path.write_bytes(garbage)
    assert outcome(path) is None


FULL = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}


@pytest.mark.parametrize(
    "entry",
    [
        {"shape": [2**32, 2**32], "data_offsets": [0, 0]},
        {"shape": [2**62], "data_offsets": [0, 2**64]},
        {"shape": [10**30], "data_offsets": [0, 4 * 10**30]},
        {"shape": [0, 10**30], "data_offsets": [0, 0]},
        {"shape": [2], "data_offsets": [2**70, 2**70 + 8]},
        {"shape": [2], "data_offsets": [-400, -392]},
        {"shape": [-1, -2], "data_offsets": [0, 8]},
        {"shape": [-2], "data_offsets": [8, 0]},
        {"shape": [2.0], "data_offsets": [0, 8]},
        {"shape": "2", "data_offsets": [0, 8]},
        {"shape": [2], "data_offsets": [0.0, 8.0]},
        {"shape": [2], "data_offsets": [0]},
        {"shape": [2], "data_offsets": [1e308, 1e309]},
        {"shape": None},
        {"dtype": "O"},
        {"dtype": ["F32"]},
        {"dtype": "F64"},
    ],
)
def test_impossible_declarations_are_broken(tmp_path, entry):
    header = {"__metadata__": {"crc32": "0"}, "x": {**FULL, **entry}}
    with pytest.raises(BrokenFileError):
        read_tensors(crafted(tmp_path / "a", header, b"\0" * 8))


@pytest.mark.parametrize(
    "header",
    [
        {"x": FULL},
        {"__metadata__": {}, "x": FULL},
        {"__metadata__": None, "x": FULL},
        {"__metadata__": ["crc32"], "x": FULL},
        {"__metadata__": {"crc32": "0"}, "x": FULL},
        {"__metadata__": {"crc32": "0"}, "x": 1},
        [],
        3,
        None,
        b"\xff\xfe{",
        b"[" * 100_000,
        b"1" * 5_000,
        b"",
    ],
    ids=str,
)
def test_headers_of_other_kinds_are_broken(tmp_path, header):
    with pytest.raises(BrokenFileError):
        read_tensors(crafted(tmp_path / "a", header, b"\0" * 8))


def test_foreign_files_are_broken(tmp_path):
    from safetensors.numpy import save_file

    save_file({"x": np.ones(3)}, tmp_path / "a", metadata={"format": "np"})
    with pytest.raises(BrokenFileError):
        read_tensors(tmp_path / "a")
    (tmp_path / "a").write_bytes(pickle.dumps({"x": 1}))
    with pytest.raises(BrokenFileError):
        read_tensors(tmp_path / "a")


def test_a_header_that_claims_the_whole_memory_is_not_read(tmp_path):
    (tmp_path / "a").write_bytes((2**63).to_bytes(8, "little") + b"{}")
    with pytest.raises(BrokenFileError):
        read_tensors(tmp_path / "a")


def test_absent_is_not_broken(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_tensors(tmp_path / "a")


# Writing


def test_a_full_disk_leaves_nothing(tmp_path):
    write_tensors(tmp_path / "a", {"a": np.ones(3)}, {})
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            write_tensors(tmp_path / "a", {"a": np.ones(3000)}, {})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert len(read_tensors(tmp_path / "a")[0]["a"]) == 3


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file") as told:
        write_tensors(tmp_path / "file" / "a", {"a": np.ones(3)}, {})
    assert told.value.errno in (errno.ENOTDIR, errno.EEXIST)


def test_death_while_writing_leaves_one_file_that_is_swept(tmp_path):
    dies = (
        "import os, sys, numpy as np; from pathlib import Path; from lib.tensors import write_tensors;"
        "os.fsync = lambda number: os._exit(9);"
        "write_tensors(Path(sys.argv[1]), {'a': np.ones(100)}, {})"
    )
    assert subprocess.run([sys.executable, "-c", dies, str(tmp_path / "a.st")], cwd=REPOSITORY).returncode == 9
    (left,) = tmp_path.iterdir()
    os.utime(left, (0, 0))
    sweep(tmp_path, "*.st")
    assert not list(tmp_path.iterdir())


def test_death_before_the_rename_shows_nothing_and_is_swept_later(tmp_path):
    dies = (
        "import os, sys, numpy as np; from pathlib import Path; from lib.tensors import write_tensors;"
        "Path.replace = lambda self, target: os._exit(9);"
        "write_tensors(Path(sys.argv[1]), {'a': np.ones(100)}, {})"
    )
    ended = subprocess.run([sys.executable, "-c", dies, str(tmp_path / "a.st")], cwd=REPOSITORY)
    assert ended.returncode == 9
    (left,) = tmp_path.iterdir()
    assert left.suffix == ".part"
    (tmp_path / "other.part").write_text("not ours")
    os.utime(tmp_path / "other.part", (0, 0))
    sweep(tmp_path, "*.st")
    assert left.exists(), "its writer may still be at it"
    os.utime(left, (time.time() - 3700,) * 2)
    sweep(tmp_path, "*.st")
    assert [path.name for path in tmp_path.iterdir()] == ["other.part"]


def test_writers_of_the_same_file_do_not_meet(tmp_path):
    def write(value: int) -> None:
        for _ in range(20):
            write_tensors(tmp_path / "a", {"a": np.full(5_000, value)}, {})
            array = read_tensors(tmp_path / "a")[0]["a"]
            assert (array == array[0]).all()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(write, range(6)))
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
