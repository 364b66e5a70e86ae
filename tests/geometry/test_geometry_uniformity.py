"""Uniformity and alignment: slow loops, the law on the uniform sphere, the ends of the range."""

import json

import numpy as np
import pytest

from lib.errors import InputError
from lib.geometry import uniformity, vectors

RNG = np.random.default_rng(7)


def units(x):
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def slow(x, labels):
    """Wang and Isola's two losses and the baseline, pair by pair."""
    u, potential, same, different = units(x), [], [], []
    for i in range(len(u)):
        for j in range(i):
            distance = np.sum((u[i] - u[j]) ** 2)
            potential.append(np.exp(-2 * distance))
            if labels[i] is not None and labels[j] is not None:
                (same if labels[i] == labels[j] else different).append(distance)
    return np.log(np.mean(potential)), np.mean(same), np.mean(different)


def test_equals_slow_loops():
    x, labels = RNG.normal(size=(40, 5)) + 0.3, [["a", "b", "c", None][i % 4] for i in range(40)]
    result = uniformity(x, labels)
    expected = slow(x, labels)
    assert (result.uniformity, result.alignment, result.across) == pytest.approx(expected, abs=1e-5)
    assert (result.every_pair, result.pairs, result.standard_error) == (True, 780, 0)


def test_the_ends_of_the_range():
    assert uniformity(np.ones((5, 3))).uniformity == pytest.approx(0, abs=1e-6)
    assert uniformity(np.array([[1.0, 0], [-1, 0]])).uniformity == pytest.approx(-8)
    assert uniformity(np.array([[1.0, 0], [0, 2]])).uniformity == pytest.approx(-4)


@pytest.mark.parametrize("d", [1, 2, 3, 16, 384])
def test_uniform_directions_reach_the_uniform_sphere(d):
    result = uniformity(RNG.normal(size=(3_000, d)))
    assert result.uniformity == pytest.approx(result.uniform_sphere, abs=5 * result.standard_error + 0.02)


def test_uniform_sphere_closed_forms():
    assert uniformity(np.eye(1)[[0, 0]]).uniform_sphere == pytest.approx(-4 + np.log(np.cosh(4)))  # two points
    x = np.linspace(-1, 1, 2_000_001)
    assert uniformity(np.eye(3)).uniform_sphere == pytest.approx(-4 + np.log(np.exp(4 * x).mean()), abs=1e-5)


def test_the_standard_error_is_that_of_the_draw():
    x = RNG.normal(size=(500, 4))
    results = [uniformity(x, max_pairs=2_000, seed=seed) for seed in range(100)]
    assert not results[0].every_pair
    assert results[0].standard_error == pytest.approx(np.std([r.uniformity for r in results]), rel=0.3)
    assert results[3].to_dict() == uniformity(x, max_pairs=2_000, seed=3).to_dict()


def test_identical_texts_of_a_label_are_perfectly_aligned():
    result = uniformity(np.repeat(np.eye(3), 4, axis=0), [name for name in "abc" for _ in range(4)])
    assert result.alignment == pytest.approx(0, abs=1e-6)
    assert result.alignment >= 0
    assert result.across == pytest.approx(2)


def test_three_thousand_labels_equal_a_slow_loop():
    x = RNG.normal(size=(3_100, 3))  # a hundred pairs among labels with one text
    result = uniformity(x, [str(i % 3_000) for i in range(3_100)])
    u = units(x)
    same = [np.sum((u[i] - u[i + 3_000]) ** 2) for i in range(100)]
    every = sum(np.sum((u[i] - u[:i]) ** 2) for i in range(3_100))
    assert result.alignment == pytest.approx(np.mean(same), abs=1e-6)
    assert result.across == pytest.approx((every - sum(same)) / (3_100 * 3_099 / 2 - 100), abs=1e-6)


def test_rotation_order_and_scale_change_nothing():
    x, labels = RNG.normal(size=(100, 5)), np.array(["a", "b"] * 50)
    rotation, _ = np.linalg.qr(RNG.normal(size=(5, 5)))
    order = RNG.permutation(100)
    plain = uniformity(x, labels.tolist())
    for other in (uniformity(9 * x @ rotation, labels.tolist()), uniformity(x[order], labels[order].tolist())):
        assert other.uniformity == pytest.approx(plain.uniformity, abs=1e-5)
        assert other.alignment == pytest.approx(plain.alignment, abs=1e-5)


def test_blocks_and_memory_maps_change_nothing(monkeypatch, tmp_path):
    x, labels = RNG.normal(size=(300, 6)).astype(np.float32), ["a", "b", None] * 100
    np.save(tmp_path / "x.npy", x)
    whole = uniformity(x, labels)
    monkeypatch.setattr(vectors, "BLOCK_ROWS", 17)
    mapped = uniformity(np.load(tmp_path / "x.npy", mmap_mode="r"), labels)
    assert mapped.uniformity == pytest.approx(whole.uniformity, abs=1e-6)
    assert mapped.alignment == pytest.approx(whole.alignment, abs=1e-6)


@pytest.mark.parametrize(
    ("labels", "aligned", "across"),
    [(None, False, False), ([None] * 4, False, False), (list("aaaa"), True, False), (list("abcd"), False, True)],
)
def test_labels_without_pairs(labels, aligned, across):
    result = uniformity(RNG.normal(size=(4, 3)), labels)
    assert (result.alignment is not None, result.across is not None) == (aligned, across)
    json.dumps(result.to_dict(), allow_nan=False)


def test_refuses():
    with pytest.raises(InputError, match="Uniformity needs at least 2 embeddings, got 1"):
        uniformity(np.ones((1, 3)))
    for labels in (["a"], [None], []):
        with pytest.raises(InputError, match=f"one label for each of 3 embeddings, got {len(labels)}"):
            uniformity(np.ones((3, 3)), labels)
    with pytest.raises(InputError, match="Embedding 1 has zero length"):
        uniformity(np.array([[1.0, 0], [0, 0]]))
