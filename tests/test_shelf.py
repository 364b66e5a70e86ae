"""Results come back equal or not at all."""

import logging
import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pytest

import lib.shelf
from lib.results import Result
from lib.shelf import Shelf, default_shelf

INPUTS = {"vectors": "abc", "method": "umap", "seed": 0, "min_dist": 0.1, "labels": None}


@dataclass(frozen=True)
class Map(Result):
    coordinates: np.ndarray
    rows: np.ndarray
    far: np.ndarray
    explained: np.ndarray | None
    method: str
    neighbours: int | None
    trust: float | None
    tried: dict[Any, float]
    notices: tuple[Any, ...]


@dataclass(frozen=True)
class Text(Result):
    text: str


class Bare(Result):
    pass


def made(**changes) -> Map:
    rng = np.random.default_rng(3)
    values = {
        "coordinates": rng.normal(size=(20, 2)).astype(np.float32),
        "rows": np.arange(20),
        "far": rng.random(20) > 0.5,
        "explained": None,
        "method": "umap",
        "neighbours": 15,
        "trust": 0.93,
        "tried": {2: 0.25, 10: 0.5},
        "notices": ("a sentence", ("nested", (1, None))),
    }
    return Map(**{**values, **changes})


def same(one: Result, other: Result) -> bool:
    def equal(a: Any, b: Any) -> bool:
        if isinstance(a, np.ndarray):
            return (
                isinstance(b, np.ndarray) and a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
            )
        return a == b and type(a) is type(b)

    return type(one) is type(other) and all(equal(getattr(one, f.name), getattr(other, f.name)) for f in fields(one))


def files(shelf: Shelf) -> list:
    return sorted(shelf.root.glob("*"))


@pytest.fixture
def shelf(tmp_path) -> Shelf:
    return Shelf(tmp_path / "results")


def test_same_inputs_give_an_equal_result(shelf):
    assert shelf.get(Map, INPUTS) is None
    shelf.put(made(), INPUTS)
    assert same(shelf.get(Map, dict(reversed(INPUTS.items()))), made())
    assert same(Shelf(shelf.root).get(Map, INPUTS), made())


@pytest.mark.parametrize(
    ("name", "change"),
    [("vectors", "abd"), ("method", "pca"), ("seed", 1), ("min_dist", 0.2), ("labels", "x"), ("more", 1)],
)
def test_a_changed_input_finds_nothing(shelf, name, change):
    shelf.put(made(), INPUTS)
    assert shelf.get(Map, {**INPUTS, name: change}) is None
    assert shelf.get(Map, {key: value for key, value in INPUTS.items() if key != "seed"}) is None


def test_a_class_with_other_fields_finds_nothing(shelf):
    @dataclass(frozen=True)
    class Map(Result):
        coordinates: np.ndarray

    shelf.put(made(), INPUTS)
    assert shelf.get(Map, INPUTS) is None
    assert shelf.get(Text, INPUTS) is None
    assert len(files(shelf)) == 1


@pytest.mark.parametrize("dtype", ["f8", "f4", "f2", "i8", "i4", "i2", "i1", "u8", "u4", "u2", "u1", "?"])
def test_arrays_of_every_kind(shelf, dtype):
    for array in (np.array([[0, 1], [1, 1]], dtype), np.empty((0, 3), dtype), np.array(1, dtype)):
        result = made(coordinates=array)
        shelf.put(result, INPUTS)
        found = shelf.get(Map, INPUTS)
        assert same(found, result)
        assert found.coordinates.flags.writeable


@pytest.mark.parametrize(
    "changes",
    [
        {"tried": {}},
        {"tried": {"pairs": 1.0, (1, 2): 0.5, None: 0.1}},
        {"trust": None, "neighbours": None},
        {"trust": float("inf")},
        {"explained": np.array([0.5, np.nan])},
        {"notices": ()},
        {"notices": ({"a": (1, 2)},)},
        {"method": "\ud800 \0 \U0001f600 ü"},
    ],
    ids=str,
)
def test_values_come_back_with_their_types(shelf, changes):
    shelf.put(made(**changes), INPUTS)
    assert same(shelf.get(Map, INPUTS), made(**changes))


def test_numpy_numbers_come_back_as_plain_ones(shelf):
    shelf.put(made(trust=np.float32(0.5), neighbours=np.int64(3)), INPUTS)
    assert same(shelf.get(Map, INPUTS), made(trust=0.5, neighbours=3))


@pytest.mark.parametrize("value", [Text("nested"), ["list"], {1, 2}, b"bytes"], ids=str)
def test_what_would_come_back_otherwise_is_refused(shelf, value):
    with pytest.raises(TypeError, match="cannot be kept"):
        shelf.put(made(notices=(value,)), INPUTS)
    assert not files(shelf)


def test_a_result_without_fields_is_refused(shelf):
    with pytest.raises(TypeError, match="Bare is no dataclass"):
        shelf.put(Bare(), INPUTS)


def test_any_unicode_in_the_inputs(shelf):
    for text in ("", "\ud800", "ü", "a/../../b", "\0"):
        shelf.put(Text(text), {"vectors": text})
        assert shelf.get(Text, {"vectors": text}) == Text(text)
    assert len(files(shelf)) == 5


def test_a_broken_file_is_removed_and_never_served(shelf, caplog):
    shelf.put(made(), INPUTS)
    (path,) = files(shelf)
    sound = path.read_bytes()
    for position in range(0, len(sound), 7):
        changed = bytearray(sound)
        changed[position] ^= 0x15
        path.write_bytes(changed)
        found = shelf.get(Map, INPUTS)
        assert found is None or same(found, made())
        assert path.exists() == (found is not None)
    for content in (b"", b"garbage", sound[:-1], sound[: len(sound) // 2], bytes(len(sound))):
        path.write_bytes(content)
        assert shelf.get(Map, INPUTS) is None
        assert not path.exists()
    assert "cannot be used" in caplog.text
    shelf.put(made(), INPUTS)
    assert same(shelf.get(Map, INPUTS), made())


def test_a_file_of_another_result_is_broken(shelf):
    shelf.put(Text("a"), INPUTS)
    (text,) = files(shelf)
    shelf.put(made(), INPUTS)
    (kept,) = set(files(shelf)) - {text}
    kept.write_bytes(text.read_bytes())
    assert shelf.get(Map, INPUTS) is None
    assert files(shelf) == [text]


def test_what_shipped_is_read_and_left_alone(shelf, tmp_path):
    shipped = Shelf(tmp_path / "shipped")
    shipped.put(made(), INPUTS)
    (path,) = files(shipped)
    os.utime(path, (1, 1))
    layered = Shelf(shelf.root, shipped=shipped.root)
    assert same(layered.get(Map, INPUTS), made())
    assert path.stat().st_mtime == 1
    path.write_bytes(b"broken")
    assert layered.get(Map, INPUTS) is None
    assert path.read_bytes() == b"broken"
    layered.put(made(), INPUTS)
    assert same(layered.get(Map, INPUTS), made())
    assert files(shipped) == [path]
    assert len(files(shelf)) == 1


def test_a_shelf_that_is_its_own_shipped_layer_removes_nothing(shelf):
    shelf.put(made(), INPUTS)
    (path,) = files(shelf)
    path.write_bytes(b"broken")
    assert Shelf(shelf.root, shipped=shelf.root).get(Map, INPUTS) is None
    assert path.exists()


def test_the_unused_go_first_and_foreign_files_stay(shelf, monkeypatch):
    monkeypatch.setattr(lib.shelf, "_MOST_FILES", 3)
    shelf.root.mkdir()
    foreign = shelf.root / "model.safetensors"
    foreign.write_bytes(b"x")
    os.utime(foreign, (0, 0))
    for number in range(3):
        shelf.put(Text(str(number)), {"n": number})
        (path,) = [p for p in files(shelf) if p != foreign and p.stat().st_mtime > 1e6]
        os.utime(path, (number + 1, number + 1))
    assert shelf.get(Text, {"n": 0}) is not None  # used now
    shelf.put(Text("3"), {"n": 3})
    assert [shelf.get(Text, {"n": number}) is not None for number in range(4)] == [True, False, True, True]
    assert foreign.exists()


def test_forgotten_temporary_files_are_removed(shelf):
    shelf.put(made(), INPUTS)
    (path,) = files(shelf)
    old, young = path.with_name(f"{path.name}.1234abcd.part"), path.with_name(f"{path.name}.4321abcd.part")
    for part in (old, young):
        part.write_bytes(b"half")
    os.utime(old, (time.time() - 3700,) * 2)
    shelf.put(made(), INPUTS)
    assert files(shelf) == [path, young]


def test_a_folder_that_cannot_be_written_only_warns(tmp_path, caplog):
    (tmp_path / "file").write_text("")
    shelf = Shelf(tmp_path / "file")
    with caplog.at_level(logging.WARNING):
        shelf.put(made(), INPUTS)
    assert "Results cannot be kept" in caplog.text
    assert shelf.get(Map, INPUTS) is None


def test_a_folder_that_may_only_be_read_still_serves(shelf, monkeypatch, caplog):
    shelf.put(made(), INPUTS)
    (path,) = files(shelf)

    def refuse(*_args, **_kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "utime", refuse)
    monkeypatch.setattr("pathlib.Path.unlink", refuse)
    assert same(shelf.get(Map, INPUTS), made())
    path.write_bytes(b"broken")
    assert shelf.get(Map, INPUTS) is None
    assert "cannot be removed" in caplog.text


def test_threads_may_share_it(shelf, monkeypatch):
    monkeypatch.setattr(lib.shelf, "_MOST_FILES", 4)

    def work(seed: int) -> None:
        rng = np.random.default_rng(seed)
        for number in rng.integers(0, 8, 40).tolist():
            shelf.put(made(neighbours=number), {"n": number})
            found = shelf.get(Map, {"n": number})
            assert found is None or same(found, made(neighbours=number))

    with ThreadPoolExecutor(5) as pool:
        list(pool.map(work, range(5)))
    assert len(files(shelf)) <= 8


def test_the_environment_chooses_the_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("EMBEDSCOPE_RESULTS", str(tmp_path / "here"))
    assert default_shelf().root == tmp_path / "here"
    monkeypatch.delenv("EMBEDSCOPE_RESULTS")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_shelf().root == tmp_path / ".cache" / "embedscope" / "results"
