"""Results become plain JSON."""

import json
from dataclasses import dataclass

import numpy as np
import pytest

from lib.results import Result, to_json


@dataclass(frozen=True)
class Inner(Result):
    share: float


@dataclass(frozen=True)
class Outer(Result):
    inner: Inner | None
    values: np.ndarray
    names: tuple[str, ...]
    by_count: dict[int, float]
    items: int


class Bare(Result):
    pass


def test_fields_are_the_keys_and_values_are_plain():
    found = Outer(Inner(np.float32(0.5)), np.array([[1, 2], [3, 4]]), ("a", "b"), {2: 0.25}, np.int64(7)).to_dict()
    assert found == {
        "inner": {"share": 0.5},
        "values": [[1, 2], [3, 4]],
        "names": ["a", "b"],
        "by_count": {"2": 0.25},
        "items": 7,
    }
    assert list(found) == ["inner", "values", "names", "by_count", "items"]
    json.dumps(found, allow_nan=False)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), np.float32("nan"), np.float16("inf")])
def test_what_json_cannot_say_is_none(value):
    assert to_json(value) is None
    assert to_json([value, {"a": value}, np.array([1.0, value])]) == [None, {"a": None}, [1.0, None]]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.bool_(True), True),
        (np.array([True, False]), [True, False]),
        (np.array(3), 3),
        (np.array(np.nan), None),
        (np.empty((0, 3)), []),
        (np.array(["a", "ü"]), ["a", "ü"]),
        (np.array([1, "a", None], dtype=object), [1, "a", None]),
        (None, None),
        (True, True),
        ("text", "text"),
        (2**70, 2**70),
        ((), []),
        (Inner(0.5), {"share": 0.5}),
        ([Inner(0.5)], [{"share": 0.5}]),
    ],
)
def test_every_kind(value, expected):
    found = to_json(value)
    assert found == expected
    assert type(found) is type(expected)
    json.dumps(found, allow_nan=False)


def test_a_memory_mapped_array(tmp_path):
    mapped = np.memmap(tmp_path / "a", dtype=np.float32, mode="w+", shape=(2, 2))
    assert to_json(mapped) == [[0.0, 0.0], [0.0, 0.0]]


def test_none_stays():
    assert Outer(None, np.empty(0), (), {}, 0).to_dict()["inner"] is None


def test_a_result_has_fields():
    with pytest.raises(TypeError, match="Bare is no dataclass"):
        Bare().to_dict()
