"""Rows come back as they were or not at all, whatever happens to the files, and whoever else uses them."""

import hashlib
import json
import logging
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lib.store
from lib.errors import InputError
from lib.store import EmbeddingStore, default_store, row_keys
from lib.tensors import write_tensors

REPOSITORY = Path(__file__).parents[1]
SPACE = "fingerprint/float32/"
D = 32


def vectors_of(texts) -> np.ndarray:
    digests = b"".join(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest() for text in texts)
    return np.frombuffer(digests, np.uint8).reshape(-1, D).astype(np.float32) / 255


def flags_of(texts) -> np.ndarray:
    return np.array([len(text) % 2 == 1 for text in texts], dtype=bool)


def texts_of(n: int, name: str = "text") -> list[str]:
    return [f"{name} {number}" for number in range(n)]


def keep(store: EmbeddingStore, texts, space: str = SPACE) -> None:
    store.put(space, row_keys(texts), vectors_of(texts), flags_of(texts))


def check(store: EmbeddingStore, texts, space: str = SPACE) -> np.ndarray:
    rows = store.get(space, row_keys(texts))
    np.testing.assert_array_equal(rows.vectors, vectors_of(texts))
    np.testing.assert_array_equal(rows.truncated, flags_of(texts))
    return rows.vectors


def kept(store: EmbeddingStore, texts, space: str = SPACE) -> bool:
    """Whether all of the texts are kept; each one that is must come back as it was."""
    missing = {texts[row] for row in store.missing(space, row_keys(texts))}
    found = [text for text in texts if text not in missing]
    if found:
        check(store, found, space)
    return not missing


def files(store: EmbeddingStore) -> list[Path]:
    return sorted(path for path in store.root.rglob("*") if path.is_file())


def aged(path: Path, seconds: float) -> None:
    os.utime(path, ns=(time.time_ns() - int(seconds * 1e9), path.stat().st_mtime_ns))


@pytest.fixture
def store(tmp_path) -> EmbeddingStore:
    return EmbeddingStore(tmp_path / "store")


def again(store: EmbeddingStore, **changes) -> EmbeddingStore:
    """The same folder seen by a new process."""
    return EmbeddingStore(store.root, **{"capacity": store.capacity, "shipped": store.shipped, **changes})


# Round trips


def test_rows_come_back_in_any_order_with_duplicates(store):
    texts = texts_of(50)
    keep(store, texts[:20])
    keep(store, texts[20:])
    rng = np.random.default_rng(2)
    for seen in (store, again(store)):
        check(seen, [texts[row] for row in rng.integers(0, 50, 200)])
        check(seen, texts)
        check(seen, texts[::-1])
        check(seen, texts[7:8])


def test_rows_that_lie_together_are_mapped(store):
    texts = texts_of(50)
    keep(store, texts)
    for part in (texts, texts[10:30], texts[49:]):
        vectors = check(again(store), part)
        assert isinstance(vectors, np.memmap)
        with pytest.raises(ValueError, match="read-only"):
            vectors[0, 0] = 1
    assert not isinstance(check(store, texts[::2]), np.memmap)


def test_mapped_rows_outlive_their_file(store):
    texts = texts_of(50)
    keep(store, texts)
    vectors = check(store, texts)
    shutil.rmtree(store.root)
    np.testing.assert_array_equal(vectors, vectors_of(texts))
    assert not kept(store, texts)


def test_many_scattered_rows_are_gathered_on_disk(store, monkeypatch):
    monkeypatch.setattr(lib.store, "_IN_MEMORY_BYTES", 1000)
    texts = texts_of(50)
    keep(store, texts)
    before = files(store)
    vectors = check(store, texts[::-1])
    assert isinstance(vectors, np.memmap)
    assert files(store) == before, "the file has no name"


def test_where_there_is_no_disk_rows_are_gathered_in_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(lib.store, "_IN_MEMORY_BYTES", 1000)
    texts = texts_of(50)
    shipped = EmbeddingStore(tmp_path / "shipped")
    keep(shipped, texts)
    (tmp_path / "file").write_text("")
    check(EmbeddingStore(tmp_path / "file", shipped=shipped.root), texts[::-1])


def test_missing_names_the_first_of_each(store):
    keep(store, ["a", "b"])
    assert store.missing(SPACE, row_keys(["c", "a", "d", "c", "b", "d", "e"])).tolist() == [0, 2, 6]


def test_empty_input(store):
    keys = row_keys([])
    assert keys.shape == (0, 16)
    assert store.missing(SPACE, keys).tolist() == []
    store.put(SPACE, keys, np.empty((0, D)), np.empty(0, bool))
    store.merge(SPACE, keys)
    assert files(store) == []
    with pytest.raises(InputError, match="no keys"):
        store.get(SPACE, keys)


def test_a_row_that_is_not_kept(store):
    keep(store, ["a"])
    with pytest.raises(KeyError, match="2 of 3 rows"):
        store.get(SPACE, row_keys(["a", "b", "c"]))


def test_spaces_do_not_mix(store):
    keep(store, ["a", "b"])
    assert not kept(store, ["a", "b"], "other")
    store.put("other", row_keys(["a"]), np.ones((1, 3)), [True])
    assert store.get("other", row_keys(["a"])).vectors.shape == (1, 3)
    check(store, ["a", "b"])


@pytest.mark.parametrize("space", ["", "\ud800", "ü/é\0", "../../x", "x" * 5000, "\U0001f600 query: "])
def test_any_space_name(store, space):
    keep(store, ["a", "b"], space)
    check(again(store), ["a", "b"], space)
    assert all(path.is_relative_to(store.root) for path in files(store))


@given(st.lists(st.text(st.characters(exclude_categories=()), max_size=5), min_size=1, max_size=8))
@settings(max_examples=25, deadline=None)
def test_any_text(texts):
    with tempfile.TemporaryDirectory() as folder:
        store = EmbeddingStore(Path(folder))
        keep(store, texts)
        check(again(store), texts)
        assert len(row_keys(texts)) == len(texts)
        assert len({key.tobytes() for key in row_keys(texts)}) == len(set(texts))


@pytest.mark.parametrize(
    "change",
    [
        lambda v: v.astype(np.float64),
        lambda v: np.asfortranarray(v),
        lambda v: np.repeat(v, 2, axis=1)[:, ::2],
        lambda v: v[::-1][::-1],
        lambda v: v.astype(">f4"),
        lambda v: v.tolist(),
    ],
    ids=["float64", "fortran", "strided", "reversed", "big-endian", "list"],
)
def test_vectors_of_any_layout(store, change):
    texts = texts_of(9)
    keys = np.repeat(row_keys(texts), 2, axis=0)[::2]
    store.put(SPACE, keys, change(vectors_of(texts)), flags_of(texts).tolist())
    vectors = check(again(store), texts)
    assert vectors.dtype == np.float32
    assert store.missing(SPACE, np.asfortranarray(keys)).tolist() == []


def test_vectors_of_no_dimensions(store):
    store.put(SPACE, row_keys(["a", "b"]), np.empty((2, 0)), [False, True])
    assert again(store).get(SPACE, row_keys(["b", "a"])).vectors.shape == (2, 0)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_not_kept(store, bad):
    vectors = vectors_of(texts_of(5))
    vectors[3, 2] = bad
    with pytest.raises(InputError, match=r"1 of 5 vectors are not finite in float32, the first of them row 3"):
        store.put(SPACE, row_keys(texts_of(5)), vectors, np.zeros(5, bool))
    assert files(store) == []


@pytest.mark.parametrize(
    ("keys", "vectors", "flags", "message"),
    [
        (row_keys("ab"), np.ones((3, 2)), [True] * 2, "2 keys, 3 vectors, 2 flags"),
        (row_keys("ab"), np.ones((2, 2)), [True] * 3, "2 keys, 2 vectors, 3 flags"),
        (row_keys("ab")[:, :8], np.ones((2, 2)), [True] * 2, r"Expected keys \(n, 16\)"),
        (row_keys("ab"), np.ones(2), [True] * 2, r"vectors \(n, d\), got \(2, 16\), \(2,\)"),
    ],
)
def test_rows_that_do_not_match_are_refused(store, keys, vectors, flags, message):
    with pytest.raises(InputError, match=message):
        store.put(SPACE, keys, vectors, flags)


# float16


def test_half_precision_takes_half_the_room(tmp_path):
    texts = texts_of(40)
    half, full = EmbeddingStore(tmp_path / "h", dtype="float16"), EmbeddingStore(tmp_path / "f")
    keep(half, texts)
    keep(full, texts)
    rows = again(half, dtype="float16").get(SPACE, row_keys(texts)).vectors
    assert isinstance(rows, np.memmap)
    assert rows.dtype == np.float16
    np.testing.assert_array_equal(rows, vectors_of(texts).astype(np.float16))
    assert half.size() < 0.65 * full.size()
    assert full.size() <= full.bytes_for(40, D)
    assert half.size() <= half.bytes_for(40, D)


def test_rounded_rows_never_serve_a_full_store(store):
    texts = texts_of(10)
    half = again(store, dtype="float16")
    keep(half, texts)
    assert not kept(store, texts)
    keep(store, texts)
    check(store, texts)
    assert len(files(store)) == 2


def test_full_rows_serve_a_half_store(store):
    texts = texts_of(10)
    keep(store, texts)
    half = again(store, dtype="float16")
    for part in (texts, texts[::-1]):
        rows = half.get(SPACE, row_keys(part)).vectors
        assert rows.dtype == np.float16
        np.testing.assert_array_equal(rows, vectors_of(part).astype(np.float16))


def test_merging_in_a_half_store_rounds_nobody_elses_rows(store):
    texts = texts_of(10)
    keep(store, texts[:5])
    keep(store, texts[5:])
    again(store, dtype="float16").merge(SPACE, row_keys(texts))
    check(again(store), texts)


def test_too_large_for_half_precision(tmp_path):
    with pytest.raises(InputError, match="not finite in float16"):
        EmbeddingStore(tmp_path, dtype="float16").put(SPACE, row_keys(["a"]), np.full((1, 2), 1e6), [False])


def test_other_precisions_are_refused(tmp_path):
    with pytest.raises(InputError, match="float32 or float16, not int8"):
        EmbeddingStore(tmp_path, dtype="int8")


# Broken files


@pytest.fixture
def one_file(store) -> tuple[EmbeddingStore, Path, bytes, list[str]]:
    texts = texts_of(5)
    keep(store, texts)
    (path,) = files(store)
    return store, path, path.read_bytes(), texts


def test_a_byte_flipped_anywhere_serves_no_other_numbers(one_file):
    store, path, sound, texts = one_file
    for position in range(0, len(sound), 3):
        changed = bytearray(sound)
        changed[position] ^= 1 << (position % 8)
        path.write_bytes(changed)
        assert kept(again(store), texts) == path.exists()
        assert path.exists() == (changed == sound) or position < 1000, "only blanks in the header may change"


def test_a_file_cut_anywhere_is_removed(one_file):
    store, path, sound, texts = one_file
    for length in range(0, len(sound), 11):
        path.write_bytes(sound[:length])
        assert len(again(store).missing(SPACE, row_keys(texts))) == len(texts)
        assert not path.exists()


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_any_damage_to_any_file(data):
    with tempfile.TemporaryDirectory() as folder:
        store, texts = EmbeddingStore(Path(folder)), texts_of(6)
        for part in (texts[:1], texts[1:3], texts[3:]):
            keep(store, part)
        path = data.draw(st.sampled_from(files(store)))
        sound = path.read_bytes()
        at = data.draw(st.integers(0, len(sound) - 1))
        damage = data.draw(st.sampled_from(["flip", "cut", "insert", "zeros", "swap"]))
        if damage == "flip":
            path.write_bytes(sound[:at] + bytes([sound[at] ^ data.draw(st.integers(1, 255))]) + sound[at + 1 :])
        elif damage == "cut":
            path.write_bytes(sound[:at])
        elif damage == "insert":
            path.write_bytes(sound[:at] + data.draw(st.binary(min_size=1, max_size=30)) + sound[at:])
        elif damage == "zeros":
            path.write_bytes(sound[:at] + bytes(len(sound) - at))
        else:
            path.write_bytes(sound[at:] + sound[:at])
        if not kept(again(store), texts):
            keep(store, texts)
        assert kept(again(store), texts)


def test_damage_is_noticed_by_who_has_the_file_open(one_file):
    store, path, sound, texts = one_file
    check(store, texts)
    changed = bytearray(sound)
    changed[-1] ^= 1
    path.write_bytes(changed)
    os.utime(path, (1, 1))
    assert not kept(store, texts)


GOOD = {"keys": row_keys("ab"), "truncated": np.zeros(2, bool), "vectors": np.ones((2, 3), np.float32)}
METADATA = {"version": "1", "space": json.dumps(SPACE)}


@pytest.mark.parametrize(
    ("metadata", "tensors"),
    [
        ({**METADATA, "space": json.dumps("other")}, {}),
        ({**METADATA, "version": "0"}, {}),
        ({**METADATA, "version": "2"}, {}),
        ({}, {}),
        (METADATA, {"keys": row_keys("abc")}),
        (METADATA, {"vectors": np.ones((3, 3), np.float32)}),
        (METADATA, {"truncated": np.zeros(1, bool)}),
        (METADATA, {"truncated": np.zeros(2, np.uint8)}),
        (METADATA, {"truncated": np.zeros((2, 1), bool)}),
        (METADATA, {"keys": row_keys("ab")[:, :8]}),
        (METADATA, {"keys": row_keys("ab").view("u8")}),
        (METADATA, {"keys": np.ones((2, 16), np.float32)}),
        (METADATA, {"vectors": np.ones(2, np.float32)}),
        (METADATA, {"vectors": np.float32(1)}),
        (METADATA, {"vectors": np.ones((2, 3), np.int32)}),
        (METADATA, {"vectors": np.ones((2, 3, 1), np.float32)}),
        (METADATA, {name: tensor[:0] for name, tensor in GOOD.items()}),
        (METADATA, {"more": np.ones(2)}),
    ],
)
def test_whole_files_of_another_kind_are_removed(store, metadata, tensors):
    path = store._folder(store.root, SPACE) / "crafted.safetensors"
    write_tensors(path, {**GOOD, **tensors}, metadata)
    assert store.missing(SPACE, row_keys("ab")).tolist() == [0, 1]
    assert not path.exists()
    write_tensors(path, GOOD, METADATA)
    assert store.missing(SPACE, row_keys("ab")).tolist() == []


def test_foreign_safetensors_are_removed(store):
    from safetensors.numpy import save_file

    keep(store, ["a"])
    path = store._folder(store.root, SPACE) / "foreign.safetensors"
    for metadata in (None, METADATA, {**METADATA, "crc32": "0"}):
        save_file(GOOD, path, metadata=metadata)
        assert not kept(again(store), ["a", "b"])
        assert not path.exists()
    assert kept(store, ["a"])


def test_rows_around_a_broken_file_stay(store, caplog):
    texts = texts_of(9)
    for part in (texts[:3], texts[3:6], texts[6:]):
        keep(store, part)
    files(store)[1].write_bytes(b"")
    assert store.missing(SPACE, row_keys(texts)).tolist() == [3, 4, 5]
    assert "is broken" in caplog.text
    keep(store, texts[3:6])
    check(again(store), texts)


def test_an_unreadable_file_is_passed_over_and_left(one_file, monkeypatch, caplog):
    store, path, _, texts = one_file

    def busy(*_args, **_kwargs):
        raise OSError(24, "Too many open files")

    monkeypatch.setattr("lib.segments.read_tensors", busy)
    assert len(again(store).missing(SPACE, row_keys(texts))) == len(texts)
    assert "cannot be read" in caplog.text
    monkeypatch.undo()
    assert path.exists()
    check(again(store), texts)


def test_a_folder_that_may_only_be_read_still_serves(one_file, monkeypatch):
    store, path, _, texts = one_file

    def refuse(*_args, **_kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "utime", refuse)
    monkeypatch.setattr("pathlib.Path.unlink", refuse)
    check(again(store), texts)
    path.write_bytes(b"broken")
    assert not kept(again(store), texts)


# What ships


@pytest.fixture
def layered(tmp_path) -> tuple[EmbeddingStore, Path]:
    shipped = EmbeddingStore(tmp_path / "shipped")
    keep(shipped, texts_of(10))
    (path,) = files(shipped)
    os.utime(path, (1, 1))
    return EmbeddingStore(tmp_path / "store", capacity=1, shipped=shipped.root), path


def test_what_shipped_is_read_and_never_written(layered):
    store, path = layered
    content = path.read_bytes()
    assert isinstance(check(store, texts_of(10)), np.memmap)
    assert not store.root.exists()
    keep(store, texts_of(12))
    keep(store, ["more"])  # evicts all but itself
    store.merge(SPACE, row_keys([*texts_of(10), "more"]))
    check(store, [*texts_of(10), "more"])
    assert files(EmbeddingStore(path.parent.parent)) == [path]
    assert path.read_bytes() == content
    assert path.stat().st_mtime == 1


def test_broken_shipped_files_are_left_and_not_served(layered):
    store, path = layered
    path.write_bytes(path.read_bytes()[:-1])
    for seen in (store, again(store)):
        assert len(seen.missing(SPACE, row_keys(texts_of(10)))) == 10
    keep(store, texts_of(10))
    check(again(store), texts_of(10))
    assert path.exists()


@pytest.mark.parametrize("inside", [".", "nested", "a" * 32])
def test_what_shipped_is_safe_inside_the_store_too(tmp_path, inside):
    shipped = EmbeddingStore(tmp_path / inside)
    keep(shipped, texts_of(3))
    (path,) = files(shipped)
    store = EmbeddingStore(tmp_path, capacity=1, shipped=shipped.root)
    keep(store, ["more"])
    keep(store, ["and more"])
    check(again(store), texts_of(3))
    path.write_bytes(b"broken")
    assert not kept(store, texts_of(3))
    assert path.read_bytes() == b"broken"


# Room


def four_files(store: EmbeddingStore) -> list[list[str]]:
    parts = [texts_of(20, name) for name in "abcd"]
    for age, part in enumerate(parts[:3]):
        before = set(files(store))
        keep(store, part)
        (new,) = set(files(store)) - before
        aged(new, 100 - age)
    store.capacity = store.size() + 10
    return parts


def test_the_unused_go_first(store):
    a, b, c, d = four_files(store)
    keep(store, d)
    assert [kept(store, part) for part in (a, b, c, d)] == [False, True, True, True]
    assert store.size() <= store.capacity


@pytest.mark.parametrize("use", ["get", "missing"])
def test_use_counts_and_only_of_the_rows_asked_for(store, use):
    a, b, c, d = four_files(store)
    getattr(again(store), use)(SPACE, row_keys(a[:1]))
    keep(store, d)
    assert [kept(again(store), part) for part in (a, b, c, d)] == [True, False, True, True]


def test_use_is_noted_whatever_the_file_system_does(store):
    keep(store, ["a"])
    (path,) = files(store)
    changed = path.stat().st_mtime_ns
    aged(path, 1000)
    check(store, ["a"])
    assert time.time_ns() - path.stat().st_atime_ns < 100e9
    assert path.stat().st_mtime_ns == changed


def test_what_was_just_written_stays_even_above_the_cap(tmp_path):
    store = EmbeddingStore(tmp_path, capacity=1)
    for part in (texts_of(3, "a"), texts_of(3, "b")):
        keep(store, part)
        check(store, part)
    assert not kept(store, texts_of(3, "a"))
    assert len(files(store)) == 1


def test_eviction_touches_no_file_but_the_stores(tmp_path):
    others = [
        tmp_path / "model" / "model.safetensors",
        tmp_path / "notes.part",
        tmp_path / "a" / "film.mp4.part",
        tmp_path / ("0" * 32) / "model.safetensors",
    ]
    for path in others:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x" * 10_000)
        os.utime(path, (0, 0))
    store = EmbeddingStore(tmp_path, capacity=1)
    keep(store, ["a"])
    keep(store, ["b"])
    assert all(path.exists() for path in others)
    assert store.size() < 10_000


def test_temporary_files_of_the_living_stay_and_of_the_dead_go(store):
    keep(store, ["a"])
    (path,) = files(store)
    old, young = path.with_name(f"{path.name}.1234abcd.part"), path.with_name(f"{path.name}.4321abcd.part")
    for part in (old, young):
        part.write_bytes(b"half")
        aged(part, 7200)
    os.utime(old, (0, 0))
    tiny = again(store, capacity=1)
    keep(tiny, ["b"])
    assert not old.exists()
    assert young.exists()


def test_files_that_vanish_while_room_is_made(store, monkeypatch):
    four_files(store)
    real, gone = Path.stat, files(store)[1]

    def stat(self, **kwargs):
        if self == gone:
            raise FileNotFoundError(2, "gone", str(self))
        return real(self, **kwargs)

    monkeypatch.setattr(Path, "stat", stat)
    keep(store, texts_of(20, "d"))
    kept(store, texts_of(20, "d"))


@pytest.mark.parametrize("value", ["much", "nan", "inf", "-1", "0", "1e-12"])
def test_a_size_that_is_none(monkeypatch, value):
    monkeypatch.setenv("EMBEDSCOPE_STORE_GB", value)
    with pytest.raises(InputError, match="EMBEDSCOPE_STORE_GB should be a number of gigabytes above 0"):
        default_store()


def test_the_environment_chooses_folder_and_size(monkeypatch, tmp_path):
    monkeypatch.setenv("EMBEDSCOPE_STORE", "~/here")
    monkeypatch.setenv("EMBEDSCOPE_STORE_GB", "0.5")
    monkeypatch.setenv("HOME", str(tmp_path))
    store = default_store()
    assert (store.root, store.capacity) == (tmp_path / "here", 500_000_000)
    monkeypatch.delenv("EMBEDSCOPE_STORE")
    monkeypatch.delenv("EMBEDSCOPE_STORE_GB")
    assert default_store().root == tmp_path / ".cache" / "embedscope" / "embeddings"
    assert default_store().capacity == lib.store.DEFAULT_CAPACITY


# Writing


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    for root in (tmp_path / "file", tmp_path / "file" / "below"):
        store = EmbeddingStore(root)
        assert not kept(store, ["a"])
        with pytest.raises(InputError, match=r"cannot be written .*EMBEDSCOPE_STORE"):
            keep(store, ["a"])


def test_a_full_disk_is_told(store):
    keep(store, ["a"])
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(InputError, match=r"cannot be written .*File too large.*free some space"):
            keep(store, texts_of(100))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert len(files(store)) == 1
    check(store, ["a"])


def test_death_while_writing_leaves_nothing_that_is_read(store):
    dies = (
        "import os, sys, numpy as np; from pathlib import Path; from lib.store import EmbeddingStore, row_keys;"
        "Path.replace = lambda self, target: os._exit(9);"
        "EmbeddingStore(Path(sys.argv[1])).put(sys.argv[2], row_keys(['a']), np.ones((1, 3)), [True])"
    )
    assert subprocess.run([sys.executable, "-c", dies, str(store.root), SPACE], cwd=REPOSITORY).returncode == 9
    assert len(files(store)) == 1
    assert not kept(store, ["a"])
    assert store.size() == 0
    keep(store, ["a"])
    check(store, ["a"])


# Merging


def test_merging_makes_one_mapped_file(store):
    texts = texts_of(30)
    for start in range(0, 30, 7):
        keep(store, texts[start : start + 7])
    old = check(store, texts)
    store.merge(SPACE, row_keys(texts + texts[:3]))
    assert len(files(store)) == 1
    for seen in (store, again(store)):
        assert isinstance(check(seen, texts), np.memmap)
    np.testing.assert_array_equal(old, vectors_of(texts))


def test_merging_takes_only_files_without_other_rows(store):
    mine, other = texts_of(20), texts_of(20, "other")
    keep(store, mine[:5])
    keep(store, mine[5:10])
    keep(store, mine[10:] + other)
    before, size = set(files(store)), store.size()
    store.merge(SPACE, row_keys(mine))
    assert len(before & set(files(store))) == 1
    assert len(files(store)) == 2
    assert store.size() < size
    check(again(store), mine + other)


@pytest.mark.parametrize("keys", [["text 0"], ["absent"], []], ids=str)
def test_merging_what_is_one_file_or_none_changes_nothing(store, keys):
    keep(store, ["text 0"])
    before = files(store)
    store.merge(SPACE, row_keys(keys))
    assert files(store) == before


def test_merging_what_is_partly_gone_keeps_the_rest(store):
    texts = texts_of(20)
    for start in range(0, 20, 5):
        keep(store, texts[start : start + 5])
    files(store)[0].unlink()
    store.merge(SPACE, row_keys(texts))
    assert len(files(store)) == 1
    assert store.missing(SPACE, row_keys(texts)).tolist() == [0, 1, 2, 3, 4]
    check(store, texts[5:])


def test_a_disk_too_full_to_merge_leaves_all_as_it_is(store, monkeypatch, caplog):
    texts = texts_of(20)
    keep(store, texts[:10])
    keep(store, texts[10:])
    before = files(store)

    def full(*_args, **_kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(lib.store, "write_segment", full)
    with caplog.at_level(logging.WARNING):
        store.merge(SPACE, row_keys(texts))
    assert "stay in 2 files" in caplog.text
    assert files(store) == before
    check(store, texts)


def test_a_removed_file_is_let_go(store):
    texts = texts_of(20)
    keep(store, texts[:10])
    keep(store, texts[10:])
    check(store, texts)
    again(store).merge(SPACE, row_keys(texts))
    check(store, texts)
    mapped = Path("/proc/self/maps")
    if mapped.exists():
        assert f"{store.root}" not in "".join(
            line for line in mapped.read_text().splitlines() if line.endswith("(deleted)")
        )


# Many at once


def test_threads_may_share_it(store):
    texts = texts_of(60)

    def work(seed: int) -> None:
        rng = np.random.default_rng(seed)
        for _ in range(15):
            chosen = [texts[row] for row in rng.integers(0, 60, 20)]
            todo = store.missing(SPACE, row_keys(chosen))
            keep(store, [chosen[row] for row in todo])
            with suppress(KeyError):  # merged away again and again, between listing and reading
                check(store, chosen)
            store.merge(SPACE, row_keys(chosen))

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))
    check(again(store), [text for text in texts if kept(store, [text])])


def test_a_file_merged_while_the_folder_is_read_is_found_where_it_went(store, monkeypatch):
    texts = texts_of(20)
    keep(store, texts[:10])
    keep(store, texts[10:])
    other, real = again(store), lib.store.stamp_of
    check(store, texts)

    def late(path):
        monkeypatch.setattr(lib.store, "stamp_of", real)
        other.merge(SPACE, row_keys(texts))
        return real(path)

    monkeypatch.setattr(lib.store, "stamp_of", late)
    check(store, texts)
    assert len(files(store)) == 1


WORKER = """
import hashlib, sys, time
from pathlib import Path
import numpy as np
from lib.store import EmbeddingStore, row_keys

root, role, seed, capacity, seconds = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5])
rng, store = np.random.default_rng(seed), EmbeddingStore(Path(root), capacity=capacity)
every = [f"text {number}" for number in range(200)]

def vectors_of(texts):
    digests = b"".join(hashlib.sha256(text.encode()).digest() for text in texts)
    return np.frombuffer(digests, np.uint8).reshape(-1, 32).astype(np.float32) / 255

end, found = time.monotonic() + seconds, 0
while time.monotonic() < end:
    texts = [every[row] for row in rng.integers(0, 200, 30)]
    keys = row_keys(texts)
    if role == "writer":
        todo = store.missing("space", keys)
        store.put("space", keys[todo], vectors_of([texts[row] for row in todo]), np.zeros(len(todo), bool))
        if rng.random() < 0.3:
            store.merge("space", keys)
    else:
        keys = np.delete(keys, store.missing("space", keys), axis=0)
        texts = [text for text, key in zip(texts, row_keys(texts)) if (keys == key).all(axis=1).any()]
        keys = row_keys(texts)
    try:
        rows = store.get("space", keys) if len(keys) else None
    except KeyError:
        continue  # evicted meanwhile
    if rows is not None:
        assert np.array_equal(rows.vectors, vectors_of(texts)), "wrong rows"
        found += 1
print(found)
"""


@pytest.mark.parametrize("tiny", [False, True], ids=["room enough", "someone evicts all the time"])
def test_processes_may_share_the_folder(tmp_path, tiny):
    jobs = [("writer", 10**9)] * 4 + [("reader", 10**9)] * 2 + ([("writer", 3_000)] * tiny)
    running = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, str(tmp_path), role, str(seed), str(capacity), "1.5"],
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for seed, (role, capacity) in enumerate(jobs)
    ]
    for (role, _), process in zip(jobs, running, strict=True):
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        assert "broken" not in err
        assert "cannot" not in err
        assert int(out) > 0 or role == "reader"
    store = EmbeddingStore(tmp_path)
    texts = texts_of(200)
    missing = set(store.missing("space", row_keys(texts)).tolist())
    found = [text for row, text in enumerate(texts) if row not in missing]
    assert found
    np.testing.assert_array_equal(store.get("space", row_keys(found)).vectors, vectors_of(found))
    assert not list(tmp_path.rglob("*.part"))
