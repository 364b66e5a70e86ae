"""Lengths, blocks, samples and pairs: what every analysis of embeddings stands on."""

import numpy as np
import pytest

from lib.errors import InputError
from lib.geometry import vectors
from lib.geometry.vectors import blocks, check, pairs, sample_rows, unit, unit_blocks, unit_rows

RNG = np.random.default_rng(1)


def test_unit_rows_point_the_same_way_at_length_one():
    x = RNG.normal(size=(50, 7)) * RNG.uniform(0.01, 100, size=(50, 1))
    expected = x / np.linalg.norm(x, axis=1, keepdims=True)
    assert unit(x).dtype == np.float32
    assert unit(x) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("scale", [1e-300, 1e-40, 1e-25, 1e-12, 1.0, 1e12, 1e30, 1e300])
def test_any_length_but_zero_has_a_direction(scale):
    assert unit(np.array([[3.0, 4.0], [1.0, 0.0]]) * [[scale], [1.0]]) == pytest.approx(np.array([[0.6, 0.8], [1, 0]]))


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64, np.int32])
def test_kinds_of_number(kind):
    assert unit(np.array([[3, 4]], dtype=kind)) == pytest.approx(np.array([[0.6, 0.8]]), abs=1e-6)


def test_unit_leaves_its_input_alone():
    x = np.array([[3.0, 4.0], [0.0, 1e-30]], dtype=np.float32)
    before = x.copy()
    unit(x)
    assert np.array_equal(x, before)


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ([0.0, 0.0], "has zero length"),
        ([np.nan, 1.0], "holds a value that is not finite"),
        ([np.inf, 1.0], "holds a value that is not finite"),
        ([0.0, -np.inf], "holds a value that is not finite"),
    ],
)
def test_a_row_without_direction_is_named_by_its_number(row, fault):
    x = np.ones((10, 2))
    x[7] = row
    with pytest.raises(InputError, match=f"Embedding 7 {fault}"):
        unit(x)
    with pytest.raises(InputError, match=f"Embedding 107 {fault}"):
        unit(x, first_row=100)
    with pytest.raises(InputError, match=f"Embedding 7 {fault}"):
        unit_rows(x, np.array([9, 8, 7, 6]))


def test_a_bad_row_is_numbered_right_across_blocks(monkeypatch):
    monkeypatch.setattr(vectors, "BLOCK_ROWS", 4)
    x = np.ones((10, 2))
    x[9] = 0
    with pytest.raises(InputError, match="Embedding 9 has zero length"):
        list(unit_blocks(x))


@pytest.mark.parametrize(("n", "rows"), [(0, 3), (1, 3), (3, 3), (10, 3), (10, 1), (10, 100)])
def test_blocks_cover_every_row_once_in_order(n, rows):
    assert [i for span in blocks(n, rows) for i in range(n)[span]] == list(range(n))


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((5,), r"shape \(texts, dimensions\), got \(5,\)"),
        ((5, 0), r"got \(5, 0\)"),
        ((2, 3, 4), r"got \(2, 3, 4\)"),
        ((1, 3), "at least 2 embeddings, got 1"),
        ((0, 3), "at least 2 embeddings, got 0"),
    ],
)
def test_check_tells_what_was_expected_and_what_came(shape, message):
    with pytest.raises(InputError, match=f"A test needs .*{message}"):
        check(np.ones(shape), minimum=2, what="A test")


def test_sample_is_ascending_without_repeats_and_hangs_on_the_seed():
    rows = sample_rows(1000, 50, seed=3)
    assert len(set(rows)) == 50
    assert list(rows) == sorted(rows)
    assert np.array_equal(rows, sample_rows(1000, 50, seed=3))
    assert not np.array_equal(rows, sample_rows(1000, 50, seed=4))
    assert np.array_equal(sample_rows(5, 50, seed=0), np.arange(5))


def test_every_pair_where_they_are_few():
    x = RNG.normal(size=(30, 4))
    drawn = pairs(x, max_pairs=30 * 29 // 2)
    u = x / np.linalg.norm(x, axis=1, keepdims=True)
    assert drawn.every_pair
    assert len(drawn.cosines) == 435
    assert len(set(zip(drawn.left.tolist(), drawn.right.tolist(), strict=True))) == 435
    assert drawn.cosines == pytest.approx((u @ u.T)[drawn.left, drawn.right], abs=1e-6)


def test_a_draw_where_they_are_many():
    x = RNG.normal(size=(30, 4))
    drawn = pairs(x, max_pairs=30 * 29 // 2 - 1)
    assert not drawn.every_pair
    assert len(drawn.cosines) == 434
    assert (drawn.left != drawn.right).all()
    assert {*drawn.left, *drawn.right} <= set(range(30))


def test_the_draw_is_uniform_over_ordered_pairs():
    drawn = pairs(RNG.normal(size=(60, 2)), max_pairs=1_000)  # 1,770 pairs
    counts = np.zeros((60, 60))
    for seed in range(200):
        drawn = pairs(np.ones((60, 1)), max_pairs=1_000, seed=seed)
        np.add.at(counts, (drawn.left, drawn.right), 1)
    expected = 200_000 / (60 * 59)
    off = counts[~np.eye(60, dtype=bool)]
    assert np.square(off - expected).sum() / expected == pytest.approx(60 * 59, rel=0.1)  # chi squared


def test_pairs_hang_on_the_seed_alone():
    x = RNG.normal(size=(100, 3))
    first, again, other = (pairs(x, max_pairs=50, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first.cosines, again.cosines)
    assert not np.array_equal(first.cosines, other.cosines)


def test_pairs_across_block_boundaries(monkeypatch):
    x = RNG.normal(size=(40, 5))
    whole = pairs(x).cosines
    monkeypatch.setattr(vectors, "BLOCK_ROWS", 7)
    assert pairs(x).cosines == pytest.approx(whole, abs=1e-6)


def test_pairs_refuse():
    with pytest.raises(InputError, match="at least 2 embeddings, got 1"):
        pairs(np.ones((1, 3)))
    with pytest.raises(InputError, match="at least 1 pair, got max_pairs=0"):
        pairs(np.ones((5, 3)), max_pairs=0)
    x = np.ones((5, 3))
    x[3] = 0
    with pytest.raises(InputError, match="Embedding 3 has zero length"):
        pairs(x)
