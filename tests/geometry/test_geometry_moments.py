"""Moments: equal to numpy's on the whole, and the same however the rows are cut."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from lib.errors import InputError
from lib.geometry import Moments, moments, vectors

RNG = np.random.default_rng(2)


def units(x):
    x = np.asarray(x, dtype=np.float64)
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def same(one: Moments, other: Moments, **tolerance):
    assert one.n == other.n
    assert one.total == pytest.approx(other.total, **tolerance)
    assert one.scatter == pytest.approx(other.scatter, **tolerance)


def test_equal_the_sums_over_all_rows():
    x = RNG.normal(size=(300, 6)) + 1
    u, found = units(x), moments(x)
    assert found.n == 300
    assert found.mean == pytest.approx(u.mean(axis=0), abs=1e-7)
    assert found.total == pytest.approx(u.sum(axis=0), abs=1e-4)
    assert found.outer == pytest.approx(u.T @ u, abs=1e-4)
    assert found.scatter / 300 == pytest.approx(np.cov(u.T, bias=True), abs=1e-7)


def test_parts_add_up_to_the_whole():
    x = RNG.normal(size=(301, 5)) + 0.5
    parts = [moments(part) for part in np.array_split(x, [10, 11, 200])]
    same(parts[0] + parts[1] + parts[2] + parts[3], moments(x), abs=1e-4)
    same(parts[3] + (parts[1] + parts[0]) + parts[2], moments(x), abs=1e-4)


def test_sorted_rows_give_what_shuffled_rows_give(monkeypatch):
    monkeypatch.setattr(vectors, "BLOCK_ROWS", 16)  # the first block is far from the mean of the whole
    x = np.vstack([RNG.normal(size=(100, 4)) + centre for centre in ([9, 0, 0, 0], [0, -9, 0, 0], [0, 0, 9, 0])])
    same(moments(x), moments(RNG.permutation(x)), abs=1e-4)


@pytest.mark.parametrize("rows", [1, 7, 100, 1000])
def test_block_boundaries_change_nothing(monkeypatch, rows):
    x = RNG.normal(size=(100, 5))
    whole = moments(x)
    monkeypatch.setattr(vectors, "BLOCK_ROWS", rows)
    same(moments(x), whole, abs=1e-5)


def test_memory_mapped_rows_give_the_same(tmp_path):
    x = RNG.normal(size=(5_000, 8)).astype(np.float32)
    np.save(tmp_path / "x.npy", x)
    same(moments(np.load(tmp_path / "x.npy", mmap_mode="r")), moments(x), rel=0, abs=0)


def test_the_spectrum_is_that_of_principal_components():
    x = RNG.normal(size=(200, 10)) * np.arange(1, 11)
    fitted = PCA().fit(units(x))
    assert moments(x).spectrum == pytest.approx(fitted.explained_variance_ * 199 / 200, abs=1e-7)


def test_the_raw_spectrum_sums_to_one():
    x = RNG.normal(size=(200, 10)) + 2
    assert moments(x).raw_spectrum.sum() == pytest.approx(1, abs=1e-6)
    assert moments(x).raw_spectrum == pytest.approx(np.linalg.svd(units(x))[1] ** 2 / 200, abs=1e-6)


def test_a_tight_cone_keeps_its_digits():
    """Beside a mean of length 1 the spread is 1e-4: float32 products of the rows themselves would drown it."""
    x = np.float32([10, 0, 0]) + RNG.normal(size=(5_000, 3)).astype(np.float32) * np.float32([0, 1e-3, 2e-3])
    truth = np.linalg.eigvalsh(np.cov(units(x).T, bias=True))[::-1]
    assert moments(x).spectrum[:2] == pytest.approx(truth[:2], rel=1e-3)


@pytest.mark.parametrize("n", [1, 3, 5_000])
def test_copies_of_one_vector_do_not_vary(n):
    found = moments(np.outer(np.arange(1, n + 1), RNG.normal(size=60)))
    assert found.spectrum.sum() < 1e-12
    assert np.linalg.norm(found.mean) == pytest.approx(1, abs=1e-6)


def test_refuses_nothing_at_all():
    with pytest.raises(InputError, match="at least 1 embeddings, got 0"):
        moments(np.ones((0, 3)))
