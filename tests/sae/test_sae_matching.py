"""Features of two dictionaries matched by decoder cosine."""

import numpy as np
import pytest

from lib.errors import InputError, Stopped
from lib.sae.matching import assignment as matching
from lib.sae.matching import expected_largest_cosine, match_features
from tests.toy_sae import random_sae


def directions(n, d, seed=0):
    rows = np.random.default_rng(seed).normal(size=(n, d))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(params=["hungarian", "candidates"])
def method(request, monkeypatch):
    if request.param == "candidates":
        monkeypatch.setattr(matching, "_DENSE", 0)
    return request.param


def test_a_permuted_dictionary_is_found_again(method):
    sae = random_sae(d=16, n=48)
    order = np.random.default_rng(1).permutation(48)
    found = match_features(sae, sae.decoder_weights[order])
    assert np.array_equal(order[found.match], np.arange(48))
    assert np.allclose(found.cosine, 1, atol=1e-6)
    assert (found.shared, found.method) == (1.0, method)
    assert found.mean == pytest.approx(1, abs=1e-6)


def test_half_perturbed_half_new(method):
    a = directions(200, 32)
    b = np.concatenate([a[:100] + 0.01 * directions(100, 32, 1), directions(100, 32, 2)])
    found = match_features(a, b)
    assert np.array_equal(found.match[:100], np.arange(100))
    assert (found.cosine[:100] > 0.999).all()
    assert found.shared == 0.5
    assert (found.nearest_cosine >= found.cosine - 1e-6).all()
    assert sorted(found.match) == list(range(200))
    assert found.null < found.nearest_cosine[100:].max() < 0.95


def test_candidates_give_the_best_matching(monkeypatch):
    a, b = directions(150, 12), directions(150, 12, 1)
    best = match_features(a, b)
    monkeypatch.setattr(matching, "_DENSE", 0)
    assert match_features(a, b).cosine.sum() == pytest.approx(best.cosine.sum(), abs=1e-4)
    assert np.array_equal(match_features(a, b).nearest, best.nearest)
    monkeypatch.setattr(matching, "_CANDIDATES", 1)  # widened until everyone is matched
    assert (match_features(a, np.repeat(b[:1], 150, axis=0)).match >= 0).all()


def test_greedy_is_no_matching():
    a = directions(5, 8)
    b = np.concatenate([a[:1], directions(4, 8, 3)])
    found = match_features(np.repeat(a[:1], 5, axis=0), b)
    assert (found.nearest == 0).all()
    assert len(set(found.match)) == 5
    assert (found.cosine > 0.999).sum() == 1


def test_sizes_that_differ(method):
    a, b = directions(30, 10), directions(20, 10, 1)
    found = match_features(a, b)
    assert (found.match >= 0).sum() == 20
    assert np.isnan(found.cosine[found.match < 0]).all()
    assert len(match_features(b, a).match) == 20
    assert (match_features(b, a).match >= 0).all()
    assert found.to_dict()["cosine"].count(None) == 10


def test_scale_and_rotation_change_nothing():
    a, b = directions(40, 6), directions(40, 6, 1)
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(6, 6)))[0]
    plain, turned = match_features(a, b), match_features(3 * a @ turn, 0.2 * b @ turn)
    assert np.array_equal(plain.match, turned.match)
    assert np.allclose(plain.cosine, turned.cosine, atol=1e-5)


def test_zero_directions():
    a = directions(4, 5)
    a[2] = 0
    found = match_features(a, directions(4, 5, 1))
    assert found.cosine[2] == 0
    assert np.isfinite(found.null_shaped)


@pytest.mark.parametrize(("m", "d"), [(50, 8), (1_000, 32)])
def test_the_null_is_what_random_directions_give(m, d):
    generator = np.random.default_rng(0)
    drawn = generator.normal(size=(400, m, d)).astype(np.float32)
    drawn /= np.linalg.norm(drawn, axis=2, keepdims=True)
    assert expected_largest_cosine(m, d) == pytest.approx(drawn[:, :, 0].max(axis=1).mean(), abs=0.04)


def test_the_null_in_closed_form():
    assert expected_largest_cosine(1, 7) == pytest.approx(0, abs=1e-9)
    assert expected_largest_cosine(2, 3) == pytest.approx(1 / 3, abs=1e-6)  # cosines are uniform in three dimensions
    assert expected_largest_cosine(1, 1) == 0
    assert expected_largest_cosine(2, 1) == 0.5


def test_the_shaped_null_knows_the_axes():
    a = directions(300, 16)
    flat = directions(300, 16, 1) * np.r_[np.ones(2), np.full(14, 0.01)]
    found = match_features(flat, flat[::-1])
    assert found.null_shaped > 0.99 > found.null
    assert match_features(a, a).null_shaped == pytest.approx(found.null, abs=0.03)


def test_refusals_and_stops():
    with pytest.raises(InputError, match="one dictionary has 4 dimensions, the other 5"):
        match_features(directions(3, 4), directions(3, 5))
    with pytest.raises(InputError, match="got a threshold of 2"):
        match_features(directions(3, 4), directions(3, 4), threshold=2)
    with pytest.raises(InputError, match="should have the shape"):
        match_features(directions(3, 4), np.empty((0, 4)))
    with pytest.raises(InputError, match="at least one direction"):
        expected_largest_cosine(0, 3)
    with pytest.raises(Stopped):
        match_features(directions(3, 4), directions(3, 4), should_stop=lambda: True)
    heard = []
    match_features(directions(3, 4), directions(5, 4), progress=lambda done, of: heard.append((done, of)))
    assert heard[-1] == (8, 8)
