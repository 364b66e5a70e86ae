"""Hubness: planted hubs, scipy's skewness, the law of random neighbours, samples."""

import json

import numpy as np
import pytest
from scipy.stats import binom, skew

from lib.errors import InputError
from lib.geometry import hubness, neighbours

RNG = np.random.default_rng(6)


def star(leaves):
    """One centre and leaves that are all nearer to it than to each other."""
    return np.vstack([np.ones(leaves), 0.3 + 2 * np.eye(leaves)])


def test_the_centre_of_a_star_is_everyones_neighbour():
    result = hubness(star(30), k=1)
    assert (result.hubs[0], result.hub_counts[0]) == (0, 30)
    assert result.antihub_share == pytest.approx(29 / 31)
    assert result.skewness > 5


def test_on_a_ring_nobody_is_a_hub():
    angles = np.arange(40) * 2 * np.pi / 40
    result = hubness(np.column_stack([np.cos(angles), np.sin(angles)]), k=2)
    assert (result.occurrence == 2).all()
    assert (result.skewness, result.antihub_share) == (0, 0)


def test_occurrence_counts_neighbour_lists():
    x = RNG.normal(size=(200, 20))
    result = hubness(x, k=7)
    slow = [int((neighbours(x, 7).indices == row).sum()) for row in range(200)]
    assert result.occurrence.tolist() == slow
    assert result.occurrence.mean() == pytest.approx(7)
    assert result.skewness == pytest.approx(skew(slow))
    assert result.antihub_share == pytest.approx(np.mean(np.array(slow) == 0))
    assert result.hub_counts.tolist() == sorted(slow, reverse=True)[:20]


def test_chance_is_the_skewness_of_random_neighbours():
    assert hubness(RNG.normal(size=(101, 5)), k=10).chance_skewness == pytest.approx(binom(100, 0.1).stats("s"))


def test_it_grows_with_the_dimension_where_there_is_a_middle():
    low, high = hubness(RNG.normal(size=(1_000, 3)) + 1), hubness(RNG.normal(size=(1_000, 100)) + 1)
    assert high.skewness > 2
    assert abs(low.skewness) < 0.5


def test_uniform_directions_have_no_middle_and_no_hubs():
    result = hubness(RNG.normal(size=(1_000, 100)))
    assert result.skewness == pytest.approx(result.chance_skewness, abs=0.3)


def test_rotation_and_scale_change_nothing_and_order_moves_the_rows():
    x = RNG.normal(size=(150, 6))
    rotation, _ = np.linalg.qr(RNG.normal(size=(6, 6)))
    order = RNG.permutation(150)
    plain = hubness(x)
    assert np.array_equal(hubness(3 * x @ rotation).occurrence, plain.occurrence)
    assert np.array_equal(hubness(x[order]).occurrence, plain.occurrence[order])


def test_a_sample_is_searched_among_itself():
    x = RNG.normal(size=(300, 6))
    result = hubness(x, k=5, exact_up_to=100, sample=80, seed=2)
    alone = hubness(x[result.rows], k=5)
    assert (result.items, len(result.rows), result.seed) == (300, 80, 2)
    assert np.array_equal(result.occurrence, alone.occurrence)
    assert np.array_equal(result.hubs, result.rows[alone.hubs])
    assert np.array_equal(result.rows, hubness(x, k=5, exact_up_to=100, sample=80, seed=2).rows)


def test_given_neighbours_are_used_only_where_they_hold_every_row():
    x = RNG.normal(size=(200, 4))
    plain = hubness(x, k=5).to_dict()
    whole, part = neighbours(x, 9), neighbours(x, 9, exact_up_to=10, sample=20)
    among = neighbours(x, 9, among=np.arange(100))
    few = neighbours(x, 4)
    for given in (whole, part, among, few):
        assert hubness(x, k=5, nearest=given).to_dict() == plain


@pytest.mark.parametrize("n", [2, 3, 60])
def test_all_the_same_vector(n):
    result = hubness(np.ones((n, 3)))
    assert result.k == min(10, n - 1)
    assert result.occurrence.sum() == n * result.k
    json.dumps(result.to_dict(), allow_nan=False)


def test_everyone_is_everyones_neighbour():
    result = hubness(RNG.normal(size=(6, 3)), k=10)
    assert (result.k, result.skewness, result.chance_skewness) == (5, 0, 0)


@pytest.mark.parametrize("d", [1, 2])
def test_few_dimensions(d):
    assert hubness(RNG.normal(size=(30, d)), k=3).occurrence.sum() == 90


def test_refuses():
    with pytest.raises(InputError, match="Hubness needs at least 2 embeddings, got 1"):
        hubness(np.ones((1, 3)))
    with pytest.raises(InputError, match="k of at least 1 and a sample of at least 2, got 0 and 5000"):
        hubness(np.ones((4, 3)), k=0)
    x = np.ones((50, 3))
    x[20] = np.nan
    with pytest.raises(InputError, match="Embedding 20 holds a value that is not finite"):
        hubness(x)
    with pytest.raises(InputError, match="Embedding 20 holds a value that is not finite"):
        hubness(x, exact_up_to=10, sample=49)
