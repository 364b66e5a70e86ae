"""Neighbours: equal to scikit-learn's brute search, for every block size, with copies, among some of the rows."""

import importlib

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from lib.errors import InputError
from lib.geometry import neighbours
from lib.geometry.neighbours import search
from lib.geometry.vectors import unit

RNG = np.random.default_rng(3)
MODULE = importlib.import_module("lib.geometry.neighbours")  # the package gives the function that name


def reference(x, k):
    """Indices and distances between unit vectors of the k nearest other rows, by scikit-learn."""
    cosine, found = NearestNeighbors(n_neighbors=k, metric="cosine", algorithm="brute").fit(x).kneighbors()
    return found, np.sqrt(np.clip(2 * cosine, 0, None))


@pytest.mark.parametrize(("n", "d", "k"), [(500, 16, 10), (70, 3, 1), (40, 8, 39), (1500, 40, 25)])
def test_equal_scikit_learn(n, d, k):
    x = RNG.normal(size=(n, d))
    found, (indices, distances) = neighbours(x, k), reference(x, k)
    assert found.every_row
    assert np.array_equal(found.indices, indices)
    assert found.distances == pytest.approx(distances, abs=1e-6)


@pytest.mark.parametrize(("base", "queries", "group"), [(64, 7, 4), (33, 1000, 32), (1, 3, 2), (10_000, 10, 5)])
def test_block_boundaries_change_nothing(monkeypatch, base, queries, group):
    x = RNG.normal(size=(100, 6))
    monkeypatch.setattr(MODULE, "_BASE_ROWS", base)
    monkeypatch.setattr(MODULE, "_QUERY_ROWS", queries)
    monkeypatch.setattr(MODULE, "_GROUP", group)
    for k in (1, 12, 99):
        assert np.array_equal(neighbours(x, k).indices, reference(x, k)[0])


def test_rows_in_order_of_likeness_are_found_too(monkeypatch):
    """Sorted along an arc: every later block beats all that was kept before."""
    monkeypatch.setattr(MODULE, "_BASE_ROWS", 128)
    angles = np.linspace(0, 3, 2_000)
    found = neighbours(np.column_stack([np.cos(angles), np.sin(angles)]), 4)
    inner = found.rows[2:-2]
    assert np.array_equal(np.sort(found.indices[2:-2], axis=1), inner[:, None] + [-2, -1, 1, 2])


def test_near_ties_are_settled_by_exact_distances():
    """Half a thousandth of a radian apart, float32 cosines round the order of neighbours away."""
    angles = np.sort(RNG.uniform(0, 1, size=2_000))
    found = neighbours(np.column_stack([np.cos(angles), np.sin(angles)]), 2)
    gaps = np.abs(angles[:, None] - angles)
    np.fill_diagonal(gaps, np.inf)
    truth = np.sort(gaps, axis=1)[:, :2]
    assert found.distances == pytest.approx(2 * np.sin(truth / 2), abs=3e-7)


def test_rotation_scale_and_order_change_nothing():
    x = RNG.normal(size=(200, 5))
    rotation, _ = np.linalg.qr(RNG.normal(size=(5, 5)))
    order = RNG.permutation(200)
    plain = neighbours(x, 5)
    assert np.array_equal(neighbours(7 * x @ rotation, 5).indices, plain.indices)
    shuffled = neighbours(x[order], 5)
    assert np.array_equal(order[shuffled.indices], plain.indices[order])


def test_memory_mapped_rows_give_the_same(tmp_path):
    x = RNG.normal(size=(9_000, 4)).astype(np.float32)
    np.save(tmp_path / "x.npy", x)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    one, other = neighbours(mapped, 3, exact_up_to=100), neighbours(x, 3, exact_up_to=100)
    assert np.array_equal(one.indices, other.indices)
    assert np.array_equal(one.distances, other.distances)


def test_a_sample_asks_fewer_rows_against_all():
    x = RNG.normal(size=(400, 5))
    found, (indices, _) = neighbours(x, 3, exact_up_to=399, sample=50, seed=5), reference(x, 3)
    assert not found.every_row
    assert (found.items, len(found.rows), found.seed) == (400, 50, 5)
    assert np.array_equal(found.indices, indices[found.rows])
    assert np.array_equal(found.rows, neighbours(x, 3, exact_up_to=399, sample=50, seed=5).rows)
    assert not np.array_equal(found.rows, neighbours(x, 3, exact_up_to=399, sample=50, seed=6).rows)


def test_among_some_rows_the_others_take_no_part():
    x = RNG.normal(size=(300, 5))
    among = np.sort(RNG.choice(300, size=120, replace=False))
    found, (indices, distances) = neighbours(x, 4, among=among), reference(x[among], 4)
    assert found.every_row
    assert found.items == 120
    assert np.array_equal(found.rows, among)
    assert np.array_equal(found.indices, among[indices])
    assert found.distances == pytest.approx(distances, abs=1e-6)


def test_search_of_new_vectors():
    base, queries = RNG.normal(size=(100, 4)), RNG.normal(size=(7, 4))
    indices, distances = search(unit(queries), base, 100)
    u, q = unit(base).astype(float), unit(queries).astype(float)
    every = np.linalg.norm(q[:, None] - u, axis=2)
    assert np.array_equal(indices, np.argsort(every, axis=1))
    assert distances == pytest.approx(np.sort(every, axis=1), abs=1e-6)


def test_copies_are_neighbours_at_distance_zero():
    found = neighbours(np.repeat(RNG.normal(size=(20, 6)), 3, axis=0), 2)
    assert found.distances.max() < 1e-6
    assert np.array_equal(found.indices // 3, np.repeat(np.arange(20), 3)[:, None] * [1, 1])
    assert (found.indices != found.rows[:, None]).all()
    assert (np.diff(found.indices, axis=1) > 0).all()


@pytest.mark.parametrize("n", [2, 3, 9_000])
def test_all_the_same_vector(n):
    found = neighbours(np.ones((n, 3)), 5, exact_up_to=100, sample=20)
    assert found.indices.shape[1] == min(5, n - 1)
    assert found.distances.max() < 1e-6
    assert (found.indices != found.rows[:, None]).all()


@pytest.mark.parametrize("d", [1, 2])
def test_few_dimensions(d):
    found = neighbours(RNG.normal(size=(30, d)), 3)
    assert (found.indices != found.rows[:, None]).all()
    assert (np.diff(found.distances, axis=1) >= 0).all()


def test_opposite_vectors_are_two_apart():
    assert neighbours(np.array([[1.0, 0], [-3.0, 0]])).distances == pytest.approx(np.array([[2.0], [2.0]]))


def test_refuses():
    with pytest.raises(InputError, match="at least 2 embeddings, got 1"):
        neighbours(np.ones((1, 3)))
    with pytest.raises(InputError, match="at least 2 embeddings, got 1"):
        neighbours(np.ones((5, 3)), among=np.array([2]))
    with pytest.raises(InputError, match="k of at least 1, got 0"):
        neighbours(np.ones((5, 3)), 0)
    x = np.ones((500, 3))
    x[411] = 0
    for sample in (10, 499):  # whether or not it is among those asked
        with pytest.raises(InputError, match="Embedding 411 has zero length"):
            neighbours(x, exact_up_to=10, sample=sample)
