"""Anisotropy: closed forms, a slow mean over every pair, invariances, the uniform-sphere law."""

import json

import numpy as np
import pytest

from lib.errors import InputError
from lib.geometry import anisotropy, vectors

RNG = np.random.default_rng(4)


def every_cosine(x):
    u = x / np.linalg.norm(x, axis=1, keepdims=True)
    return (u @ u.T)[np.triu_indices(len(x), k=1)]


def centred(x):
    u = x / np.linalg.norm(x, axis=1, keepdims=True)
    return u - u.mean(axis=0)


def test_orthogonal_axes_are_isotropic():
    result = anisotropy(np.eye(8))
    assert result.mean_cosine == pytest.approx(0)
    assert result.mean_cosine_centred == pytest.approx(-1 / 7)  # a simplex
    assert result.top_direction_share == pytest.approx(1 / 8)
    assert result.top_direction_share_centred == pytest.approx(1 / 7)


def test_two_opposite_vectors_reach_the_lower_end():
    result = anisotropy(np.array([[1.0, 2.0], [-2.0, -4.0]]))
    assert result.mean_cosine == pytest.approx(-1)
    assert result.mean_cosine >= -1
    assert result.top_direction_share_centred == pytest.approx(1)


@pytest.mark.parametrize("n", [2, 3, 5_000])
def test_one_direction_is_collapsed_whatever_the_norms(n):
    result = anisotropy(np.outer(np.arange(1, n + 1), RNG.normal(size=50)))
    assert result.mean_cosine == pytest.approx(1, abs=1e-6)
    assert result.mean_cosine <= 1
    assert result.mean_cosine_centred == 0
    assert result.top_direction_share == pytest.approx(1)
    assert result.top_direction_share_centred == 0
    assert result.histogram[-1] == 1
    assert result.deviation == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("shift", [0, 1, 10])
def test_equals_the_mean_over_every_pair(shift):
    x = RNG.normal(size=(40, 6)) + shift
    result = anisotropy(x)
    assert result.mean_cosine == pytest.approx(every_cosine(x).mean(), abs=1e-6)
    assert result.mean_cosine_centred == pytest.approx(every_cosine(centred(x)).mean(), abs=1e-5)
    assert result.deviation == pytest.approx(every_cosine(x).std(), abs=1e-6)


def test_histograms_hold_every_pair_where_they_are_few():
    x = RNG.normal(size=(40, 6)) + 1
    result = anisotropy(x, bins=20)
    for found, cosines in ((result.histogram, every_cosine(x)), (result.histogram_centred, every_cosine(centred(x)))):
        assert np.abs(found - np.histogram(cosines, result.bin_edges)[0] / 780).sum() <= 2 / 780
        assert found.sum() == pytest.approx(1)
    assert result.every_pair
    assert result.pairs == 780


def test_histograms_of_a_tight_cone_after_centering():
    x = np.float32([5, 0, 0]) + RNG.normal(size=(60, 3)).astype(np.float32) * np.float32([0, 0.05, 0.05])
    result = anisotropy(x, bins=10)
    expected = np.histogram(every_cosine(centred(x.astype(float))), result.bin_edges)[0] / 1770
    assert result.mean_cosine > 0.999
    assert np.abs(result.histogram_centred - expected).max() < 0.01


def test_a_sample_of_pairs_says_so_and_hangs_on_the_seed():
    x = RNG.normal(size=(200, 6))
    result = anisotropy(x, max_pairs=1_000, seed=3)
    assert (result.pairs, result.every_pair, result.seed) == (1_000, False, 3)
    assert np.array_equal(result.histogram, anisotropy(x, max_pairs=1_000, seed=3).histogram)
    assert not np.array_equal(result.histogram, anisotropy(x, max_pairs=1_000, seed=4).histogram)
    assert result.mean_cosine == anisotropy(x).mean_cosine


def test_dimensions_share_the_mean_out():
    x = RNG.normal(size=(100, 8)) + 5 * np.eye(8)[0]
    result = anisotropy(x)
    u = x / np.linalg.norm(x, axis=1, keepdims=True)
    slow = [every[np.triu_indices(100, 1)].mean() for every in (np.outer(column, column) for column in u.T)]
    assert result.contributions == pytest.approx(np.array(slow), abs=1e-6)
    assert result.contributions.sum() == pytest.approx(result.mean_cosine)
    assert result.contributions_centred.sum() == pytest.approx(result.mean_cosine_centred)
    assert result.contributions.argmax() == 0


def test_rotation_order_and_scale_change_nothing():
    x = RNG.normal(size=(150, 5)) + 0.5
    rotation, _ = np.linalg.qr(RNG.normal(size=(5, 5)))
    lengths = RNG.uniform(0.1, 9, size=(150, 1))
    plain = anisotropy(x)
    for other in (x @ rotation, RNG.permutation(x), x * lengths):
        result = anisotropy(other)
        for name in ("mean_cosine", "mean_cosine_centred", "top_direction_share", "top_direction_share_centred"):
            assert getattr(result, name) == pytest.approx(getattr(plain, name), abs=1e-5)


def test_a_second_copy_of_the_corpus_keeps_the_spectrum():
    x = RNG.normal(size=(60, 5)) + 0.5
    one, two = anisotropy(x), anisotropy(np.vstack([x, x]))
    assert two.top_direction_share == pytest.approx(one.top_direction_share, abs=1e-6)
    assert two.top_direction_share_centred == pytest.approx(one.top_direction_share_centred, abs=1e-6)
    assert two.mean_cosine == pytest.approx((one.mean_cosine * 60 * 59 * 4 + 2 * 60) / (120 * 119), abs=1e-6)


@pytest.mark.parametrize("d", [2, 3, 16, 100])
def test_gaussian_directions_follow_the_uniform_sphere(d):
    result = anisotropy(RNG.normal(size=(4_000, d)))
    assert np.abs(result.histogram - result.uniform_sphere).max() < 0.005
    assert result.uniform_sphere.sum() == pytest.approx(1)


def test_one_dimension_has_two_directions():
    result = anisotropy(np.array([[2.0], [3.0], [-1.0]]))
    assert result.mean_cosine == pytest.approx(-1 / 3)
    assert result.uniform_sphere[[0, -1]] == pytest.approx([0.5, 0.5])
    assert result.top_direction_share == pytest.approx(1)


def test_blocks_and_memory_maps_change_nothing(monkeypatch, tmp_path):
    x = RNG.normal(size=(300, 6)).astype(np.float32) + 1
    np.save(tmp_path / "x.npy", x)
    whole = anisotropy(x)
    monkeypatch.setattr(vectors, "BLOCK_ROWS", 17)
    mapped = anisotropy(np.load(tmp_path / "x.npy", mmap_mode="r"))
    assert mapped.mean_cosine == pytest.approx(whole.mean_cosine, abs=1e-6)
    assert mapped.mean_cosine_centred == pytest.approx(whole.mean_cosine_centred, abs=1e-6)
    assert np.abs(mapped.histogram_centred - whole.histogram_centred).sum() < 1e-3


def test_result_is_json():
    values = json.loads(json.dumps(anisotropy(np.ones((3, 2))).to_dict(), allow_nan=False))
    assert values["mean_cosine"] == pytest.approx(1)
    assert len(values["histogram"]) == 100


@pytest.mark.parametrize(
    ("embeddings", "message"),
    [
        (np.ones((1, 3)), "Anisotropy needs at least 2 embeddings, got 1"),
        (np.array([[1.0, 0], [0, 0]]), "Embedding 1 has zero length"),
        (np.array([[1.0, np.nan], [0, 1]]), "Embedding 0 holds a value that is not finite"),
        (np.ones(3), r"got \(3,\)"),
    ],
)
def test_says_what_is_wrong(embeddings, message):
    with pytest.raises(InputError, match=message):
        anisotropy(embeddings)
