"""Distance concentration: a slow reference, noise that concentrates, copies that do not count."""

import json

import numpy as np
import pytest

from lib.errors import InputError
from lib.geometry import concentration

RNG = np.random.default_rng(10)


def slow(x, step):
    """Median relative contrast in the leading `step` components of the centred unit rows."""
    u = x / np.linalg.norm(x, axis=1, keepdims=True)
    u = u - u.mean(axis=0)
    axes = np.linalg.svd(u)[2][:step]
    contrasts = []
    for row in u @ axes.T:
        distances = np.linalg.norm(u @ axes.T - row, axis=1)
        others = distances[distances > 1e-6]
        contrasts.append((others.max() - others.min()) / others.min())
    return np.median(contrasts)


def test_equals_a_slow_loop():
    x = RNG.normal(size=(80, 20)) * np.linspace(2, 0.1, 20)
    result = concentration(x)
    assert result.dimensions.tolist() == [2, 4, 8, 16, 20]
    assert result.contrast == pytest.approx([slow(x, step) for step in result.dimensions], rel=1e-4)


@pytest.mark.parametrize(("d", "steps"), [(1, [1]), (2, [2]), (3, [2, 3]), (8, [2, 4, 8]), (9, [2, 4, 8, 9])])
def test_steps_end_at_every_dimension(d, steps):
    result = concentration(RNG.normal(size=(30, d)))
    assert result.dimensions.tolist() == steps
    assert len(result.contrast) == len(result.noise) == len(steps)


def test_contrast_falls_with_dimensions():
    result = concentration(RNG.normal(size=(500, 256)))
    assert (np.diff(result.contrast) < 0).all()
    assert (np.diff(result.noise) < 0).all()
    assert result.contrast[-1] == pytest.approx(result.noise[-1], rel=0.5)


def test_low_intrinsic_dimension_keeps_contrast():
    plane = RNG.normal(size=(300, 3)) @ RNG.normal(size=(3, 128))
    result = concentration(plane)
    assert result.contrast[-1] > 10 * result.noise[-1]
    assert result.contrast[-1] == pytest.approx(result.contrast[1], rel=1e-3)  # nothing beyond 3 components


@pytest.mark.parametrize("d", [384, 4_096])
def test_a_point_is_not_its_own_nearest_in_many_dimensions(d):
    result = concentration(RNG.normal(size=(100, d)))
    assert 0 < result.noise[-1] < 1
    assert 0 < result.contrast[-1] < 1


def test_copies_do_not_count_as_the_nearest():
    x = RNG.normal(size=(60, 10))
    one, two = concentration(x), concentration(np.vstack([x, x]))
    assert two.contrast == pytest.approx(one.contrast, rel=1e-4)


@pytest.mark.parametrize("n", [3, 50])
def test_all_the_same_vector_has_no_contrast(n):
    result = concentration(np.outer(np.arange(1, n + 1), RNG.normal(size=8)))
    assert np.isnan(result.contrast).all()
    assert np.isfinite(result.noise).all()
    assert json.loads(json.dumps(result.to_dict(), allow_nan=False))["contrast"] == [None] * 3


def test_three_texts():
    result = concentration(np.array([[1.0, 0], [0, 1], [-1, 0]]))
    assert result.contrast == pytest.approx([np.sqrt(2) - 1])  # two of three see 2 against the root of 2


def test_rotation_order_and_scale_change_nothing():
    x = RNG.normal(size=(100, 6)) * np.arange(1, 7)
    rotation, _ = np.linalg.qr(RNG.normal(size=(6, 6)))
    plain = concentration(x)
    for other in (x @ rotation, RNG.permutation(x), 5 * x):
        assert concentration(other).contrast == pytest.approx(plain.contrast, rel=1e-3)


def test_a_sample_hangs_on_the_seed():
    x = RNG.normal(size=(300, 6))
    first, again, other = (concentration(x, points=50, seed=seed) for seed in (1, 1, 2))
    assert (first.points, first.items, first.seed) == (50, 300, 1)
    assert first.to_dict() == again.to_dict()
    assert not np.array_equal(first.contrast, other.contrast)


def test_memory_mapped_rows_give_the_same(tmp_path):
    x = RNG.normal(size=(300, 6)).astype(np.float32)
    np.save(tmp_path / "x.npy", x)
    mapped = concentration(np.load(tmp_path / "x.npy", mmap_mode="r"), points=100)
    assert mapped.to_dict() == concentration(x, points=100).to_dict()


def test_refuses():
    with pytest.raises(InputError, match="Distance concentration needs at least 3 embeddings, got 2"):
        concentration(np.ones((2, 3)))
    with pytest.raises(InputError, match="at least 3 points, got points=2"):
        concentration(np.ones((5, 3)), points=2)
    x = np.ones((50, 3))
    x[31] = 0
    with pytest.raises(InputError, match="Embedding 31 has zero length"):
        concentration(x)
