"""The split, the mean, and the order of texts."""

from itertools import islice

import numpy as np
import pytest

from lib.sae.training.rows import Batches, mean_and_scale, split


def test_the_split_parts_rows_and_keeps_groups_together():
    groups = np.repeat([f"document {number}" for number in range(50)], 4)
    parts = split(200, 0.1, 1_000, groups=groups, seed=0)
    assert sorted([*parts.training, *parts.held_out]) == list(range(200))
    assert len(parts.held_out) == 20
    assert not set(groups[parts.training]) & set(groups[parts.held_out])
    assert split(200, 0.1, 8, groups=groups, seed=0).held_out.tolist() == sorted(
        set(split(200, 0.04, 1_000, groups=groups, seed=0).held_out.tolist())
    )


def test_another_seed_is_another_split():
    first, second = (split(1_000, 0.05, 100, groups=None, seed=seed).held_out for seed in (0, 1))
    assert len(first) == len(second) == 50
    assert len(set(first) & set(second)) < 15


def test_mean_and_scale_of_the_training_rows():
    vectors = np.random.default_rng(0).normal(size=(500, 6)).astype(np.float32) + 100
    rows = np.arange(0, 500, 3)
    mean, scale = mean_and_scale(vectors, rows)
    np.testing.assert_allclose(mean, vectors[rows].astype(np.float64).mean(axis=0), rtol=1e-12)
    assert scale == pytest.approx(np.sqrt(vectors[rows].var(axis=0, dtype=np.float64).sum()))


@pytest.mark.parametrize("buffer_bytes", [2**28, 4 * 400])
def test_a_pass_sees_each_text_once_and_passes_differ(buffer_bytes):
    vectors = np.arange(1_030, dtype=np.float32)[:, None]
    rows = np.flatnonzero(np.arange(1_030) % 10 != 3)
    batches = Batches(vectors, rows, 50, seed=0, buffer_bytes=buffer_bytes)
    seen = [np.concatenate(list(islice(batches.after(step), batches.a_pass))).ravel() for step in (0, batches.a_pass)]
    assert batches.a_pass == 18
    for one in seen:
        assert len(set(one)) == 900
        assert set(one) <= set(vectors[rows].ravel())
        assert np.abs(np.corrcoef(one, np.arange(900))[0, 1]) < 0.5
    assert not np.array_equal(*seen)


@pytest.mark.parametrize("buffer_bytes", [2**28, 4 * 400])
@pytest.mark.parametrize("step", [1, 8, 17, 18, 25, 40])
def test_batches_go_on_from_any_step(buffer_bytes, step):
    vectors = np.arange(930, dtype=np.float32)[:, None]
    batches = Batches(vectors, np.arange(930), 50, seed=3, buffer_bytes=buffer_bytes)
    whole = list(islice(batches.after(0), 60))
    for resumed, expected in zip(batches.after(step), whole[step:], strict=False):
        np.testing.assert_array_equal(resumed, expected)


def test_larger_vectors_than_the_buffer_are_held_a_buffer_at_a_time():
    class Counted(np.ndarray):
        most = 0

        def __getitem__(self, key):
            found = np.asarray(super().__getitem__(key))
            Counted.most = max(Counted.most, found.nbytes)
            return found

    vectors = np.zeros((5_000, 8), dtype=np.float32).view(Counted)
    batches = Batches(vectors, np.arange(5_000), 16, seed=0, buffer_bytes=32 * 640)
    assert len(list(islice(batches.after(0), 312))) == 312
    assert 0 < Counted.most <= 32 * 640
