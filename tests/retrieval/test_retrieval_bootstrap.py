"""Bootstrap and paired test: scipy's, coverage, exact enumeration, degenerate input, refusals."""

import dataclasses
import itertools
import json
import math

import numpy as np
import pytest
from scipy.stats import bootstrap, permutation_test

from lib.errors import InputError
from lib.retrieval import QueryMetrics, paired_test, summarise
from lib.retrieval import bootstrap as module
from lib.retrieval.bootstrap import interval, sign_flip_p

RNG = np.random.default_rng(11)


def metrics(values, *, name="mrr", query=None, skipped=0):
    """One metric's values."""
    rows = np.arange(len(values)) if query is None else np.array(query)
    return QueryMetrics((name,), np.array(values, dtype=float)[:, None], rows, skipped, "linear", (10,))


# Intervals


@pytest.mark.parametrize("values", [RNG.random(40), RNG.random(80) < 0.9, 1 / RNG.integers(1, 9, size=60)])
def test_equals_scipy(values):
    values = values.astype(float)
    theirs = bootstrap((values,), np.mean, n_resamples=40_000, method="BCa", rng=np.random.default_rng(0))
    (low,), (high,) = interval(values[:, None], resamples=40_000, seed=1)
    tolerance = 0.04 * (high - low)  # of two different sets of resamples
    assert low == pytest.approx(theirs.confidence_interval.low, abs=tolerance)
    assert high == pytest.approx(theirs.confidence_interval.high, abs=tolerance)


def test_a_symmetric_sample_has_the_normal_interval():
    values = np.random.default_rng(0).normal(size=2_000)
    (low,), (high,) = interval(values[:, None], resamples=20_000)
    half = 1.96 * values.std() / math.sqrt(2_000)
    assert (low, high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.06 * half)


def test_most_intervals_hold_the_truth():
    rng, held = np.random.default_rng(0), 0
    for seed in range(200):
        (low,), (high,) = interval((rng.random((100, 1)) < 0.9).astype(float), resamples=500, seed=seed)
        held += low <= 0.9 <= high
    assert 0.9 <= held / 200 <= 0.99


def test_shifts_and_scales_with_the_values():
    values = RNG.random((50, 3))
    low, high = interval(values)
    moved = interval(2 * values + 1)
    assert moved[0] == pytest.approx(2 * low + 1)
    assert moved[1] == pytest.approx(2 * high + 1)
    flipped = interval(-values)
    assert flipped[0] == pytest.approx(-high, abs=0.01)


def test_same_seed_same_interval_and_columns_do_not_depend_on_each_other():
    values = RNG.random((50, 3))
    assert np.array_equal(interval(values, seed=3), interval(values, seed=3))
    assert not np.array_equal(interval(values, seed=3), interval(values, seed=4))
    assert interval(values, seed=3)[0][1] == pytest.approx(interval(values[:, 1:2], seed=3)[0][0])


def test_blocks_do_not_show(monkeypatch):
    values = RNG.random((30, 2))
    whole = interval(values, resamples=100), sign_flip_p(values[:, 0] - 0.4, resamples=100)
    monkeypatch.setattr(module, "_BLOCK", 70)
    parts = interval(values, resamples=100), sign_flip_p(values[:, 0] - 0.4, resamples=100)
    assert np.allclose(whole[0], parts[0])
    assert parts[1] == pytest.approx(whole[1], abs=1e-12)


def test_a_level_of_80_lies_within_one_of_95():
    values = RNG.random((50, 1))
    (low,), (high,) = interval(values, level=0.8)
    (lower,), (higher,) = interval(values, level=0.95)
    assert lower < low < values.mean() < high < higher


@pytest.mark.parametrize("value", [0.0, 0.1, 1.0, 1 / 3])
def test_where_all_are_equal_the_interval_is_that_value(value):
    (low,), (high,) = interval(np.full((7, 1), value))
    assert (low, high) == pytest.approx((value, value), abs=1e-15)


def test_one_query_has_no_interval():
    assert np.isnan(interval(np.array([[0.5, 1.0]]))).all()
    (only,) = summarise(metrics([0.5]))
    assert (only.mean, only.queries) == (0.5, 1)
    assert json.loads(json.dumps(only.to_dict(), allow_nan=False))["low"] is None


@pytest.mark.parametrize("values", [[0, 1], [0, 0, 0, 1], [1] * 300 + [0], [0] * 300 + [1]])
def test_extreme_samples_stay_within_their_range(values):
    (low,), (high,) = interval(np.array(values, dtype=float)[:, None])
    assert 0 <= low <= np.mean(values) <= high <= 1


def test_summaries_go_over_all_and_then_each_group_by_name():
    values = np.arange(6) / 10
    made = summarise(metrics(values, query=[0, 2, 3, 4, 6, 7]), groups=["b", "x", "a", "b", None, "x", "a", "a"])
    assert [(s.group, s.queries) for s in made] == [(None, 6), ("a", 3), ("b", 2)]
    assert [s.mean for s in made] == pytest.approx([values.mean(), values[[1, 4, 5]].mean(), values[[0, 2]].mean()])
    assert all(s.low < s.mean < s.high for s in made)


def test_a_group_has_the_interval_that_it_has_alone():
    values = RNG.random(20)
    both = summarise(metrics(values), groups=["a"] * 12 + ["b"] * 8)
    (alone,) = summarise(metrics(values[12:]))
    assert (both[2].low, both[2].high) == (alone.low, alone.high)


def test_refuses_what_has_no_mean():
    with pytest.raises(InputError, match="None of the 3 queries has a relevant document"):
        summarise(metrics([], skipped=3))
    with pytest.raises(InputError, match=r"one resample and a level between 0 and 1, got 2, 0 and 0\.95"):
        summarise(metrics([0, 1]), resamples=0)
    with pytest.raises(InputError, match="got 2, 2000 and 95"):
        summarise(metrics([0, 1]), level=95)
    with pytest.raises(ValueError, match="row 5 too"):
        summarise(metrics([0, 1], query=[2, 5]), groups=["a"] * 5)


# Paired test


def test_equals_scipys_exact_permutation_test():
    for size in (1, 2, 5, 9):
        a, b = RNG.random(size), RNG.random(size)
        theirs = (
            permutation_test((b - a,), np.mean, permutation_type="samples", n_resamples=np.inf) if size > 1 else None
        )
        mine = paired_test(metrics(a), metrics(b), "mrr").p_value
        assert mine == pytest.approx(theirs.pvalue if theirs else 1.0)


def test_equals_every_pattern_of_signs_counted_one_by_one():
    differences = np.array([0.2, -0.1, 0.3, 0.0, 0.1, 0.1, -0.3])
    moved = differences[differences != 0]
    sums = [
        abs(sum(s * d for s, d in zip(signs, moved, strict=True))) for signs in itertools.product((1, -1), repeat=6)
    ]
    expected = np.mean([total >= abs(moved.sum()) - 1e-9 for total in sums])
    assert sign_flip_p(differences) == pytest.approx(expected)


def test_random_signs_come_near_to_all_patterns(monkeypatch):
    differences = RNG.normal(0.2, 0.5, size=12)
    exact = sign_flip_p(differences)
    monkeypatch.setattr(module, "_ENUMERATED", 0)
    assert sign_flip_p(differences, resamples=50_000) == pytest.approx(exact, abs=0.01)


def test_a_p_value_is_never_0():
    assert sign_flip_p(np.ones(40), resamples=999) == pytest.approx(1 / 1_000)


def test_under_the_null_p_values_are_spread_evenly():
    rng = np.random.default_rng(0)
    p = [sign_flip_p(rng.normal(size=30), resamples=500, seed=seed) for seed in range(300)]
    assert np.mean(np.array(p) <= 0.05) == pytest.approx(0.05, abs=0.04)
    assert np.mean(p) == pytest.approx(0.5, abs=0.06)


def test_wins_ties_losses_and_direction():
    test = paired_test(metrics([0.5, 1, 0.2, 0.2]), metrics([1, 1, 0.1, 0.9]), "mrr")
    assert (test.wins, test.ties, test.losses, test.queries) == (2, 1, 1, 4)
    assert test.difference == pytest.approx(test.mean_b - test.mean_a) == pytest.approx(1.1 / 4)
    assert test.low <= test.difference <= test.high


def test_the_other_way_round_mirrors():
    a, b = metrics(RNG.random(60)), metrics(RNG.random(60))
    one, other = paired_test(a, b, "mrr"), paired_test(b, a, "mrr")
    assert other.p_value == one.p_value
    assert (other.difference, other.wins) == (-one.difference, one.losses)
    assert (other.low, other.high) == pytest.approx((-one.high, -one.low), abs=0.005)


def test_a_system_against_itself():
    a = metrics(RNG.random(20))
    test = paired_test(a, a, "mrr")
    assert (test.difference, test.low, test.high, test.p_value, test.ties) == (0, 0, 0, 1, 20)


def test_one_query():
    test = paired_test(metrics([0.0]), metrics([1.0]), "mrr")
    assert (test.difference, test.p_value, test.wins) == (1, 1, 1)
    assert math.isnan(test.low)


def test_a_clear_difference_is_seen():
    a = RNG.random(200) / 2
    test = paired_test(metrics(a), metrics(a + 0.1 + 0.1 * RNG.random(200)), "mrr")
    assert test.p_value < 0.001
    assert test.low > 0.1


def test_a_paired_test_refuses():
    a, none, ndcg = metrics([0.1, 0.2]), metrics([], skipped=2), metrics([0.1], name="ndcg@10")
    with pytest.raises(ValueError, match="needs the same queries"):
        paired_test(a, metrics([0.1, 0.2], query=[0, 2]), "mrr")
    with pytest.raises(ValueError, match="one gain"):
        paired_test(ndcg, dataclasses.replace(ndcg, gain="exponential"), "ndcg@10")
    with pytest.raises(InputError, match="There is no metric 'map' here"):
        paired_test(a, a, "map")
    with pytest.raises(InputError, match="None of the 2 queries"):
        paired_test(none, none, "mrr")
    with pytest.raises(InputError, match="at least one resample, got 0"):
        sign_flip_p(np.ones(3), resamples=0)
