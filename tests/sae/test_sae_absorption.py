"""Absorption on planted data: exactly what was planted is found, and chance and frequent features are set apart."""

import json

import numpy as np
import pytest
from scipy.stats import binomtest, false_discovery_control, hypergeom

from lib.errors import InputError
from lib.sae.diagnostics import default_support, pair_texts, scan_absorption
from lib.sae.diagnostics.significance import log10_false_discovery, log10_tail, wilson
from tests.toy_sae import codes_of, orthogonal_sae


def planted(m=1_000, n=12, seed=0):
    """Independent features on a tenth of the texts each; but 1 is a subset of 0, 3 is 2 again, 4 nearly always on."""
    rng = np.random.default_rng(seed)
    fires = rng.random((m, n)) < 0.1
    wide = rng.random(m) < 0.2
    fires[:, 0] = wide
    fires[:, 1] = wide & (rng.random(m) < 0.3)
    fires[:, 3] = fires[:, 2]
    fires[:, 4] = rng.random(m) < 0.95
    return fires * rng.uniform(0.5, 1.5, size=(m, n))


def pairs(found):
    return list(zip(found.absorber.tolist(), found.absorbed.tolist(), strict=True))


def test_exactly_the_planted_pairs_are_found():
    activations = planted()
    found = scan_absorption(codes_of(activations), orthogonal_sae(12))
    assert sorted(pairs(found)) == [(1, 0), (2, 3)]
    subset = pairs(found).index((1, 0))
    fires = activations > 0
    assert found.conditional[subset] == 1
    assert found.reverse[subset] == pytest.approx(fires[:, 1].sum() / fires[:, 0].sum())
    assert found.expected[subset] == pytest.approx(fires[:, 0].mean())
    assert found.lift[subset] == pytest.approx(1 / fires[:, 0].mean())
    assert found.mutual.tolist() == [pair == (2, 3) for pair in pairs(found)]
    assert not found.chance.any()
    assert found.frequent.tolist() == [4]
    assert found.frequent_share[0] == pytest.approx(fires[:, 4].mean())
    assert found.frequent_follows.tolist() == [11]
    json.dumps(found.to_dict(), allow_nan=False)


def test_a_subset_with_exceptions_is_found_down_to_the_threshold():
    activations = planted()
    inside = np.flatnonzero(activations[:, 1])
    activations[inside[: len(inside) // 10], 0] = 0
    left = 1 - (len(inside) // 10) / len(inside)
    found = scan_absorption(codes_of(activations), orthogonal_sae(12), threshold=left)
    assert (1, 0) in pairs(found)
    assert (1, 0) not in pairs(scan_absorption(codes_of(activations), orthogonal_sae(12), threshold=left + 0.01))
    texts = pair_texts(codes_of(activations), 1, 0)
    assert sorted(texts.silent.tolist()) == inside[: len(inside) // 10].tolist()
    assert sorted([*texts.both.tolist(), *texts.silent.tolist()]) == inside.tolist()
    assert np.all(np.diff(activations[texts.both, 1]) <= 0)


def test_what_chance_could_bring_about_is_said():
    activations = np.zeros((400, 60))
    rng = np.random.default_rng(0)
    activations[:, :30] = rng.random((400, 30)) < 0.4
    for feature in range(30, 60):
        activations[rng.choice(400, 5, replace=False), feature] = 1
    found = scan_absorption(codes_of(activations), orthogonal_sae(60), min_support=5)
    assert len(found)
    assert found.chance.all()


def test_planted_pairs_come_before_those_of_chance():
    activations = planted(400)
    activations[:, 5:] = 0
    activations[np.flatnonzero(activations[:, 0])[:2], 5] = 1
    found = scan_absorption(codes_of(activations), orthogonal_sae(12), min_support=2)
    assert found.chance.tolist() == sorted(found.chance.tolist())
    assert pairs(found)[-1] == (5, 0)
    assert found.chance[-1]


@pytest.mark.parametrize(("share", "apart"), [(0.5, [4]), (1.0, [])])
def test_frequent_features_are_set_apart_by_the_share_asked(share, apart):
    found = scan_absorption(codes_of(planted()), orthogonal_sae(12), most_share=share)
    assert found.frequent.tolist() == apart
    assert len(found) == (2 if apart else 2 + 11)


@pytest.mark.parametrize("activations", [np.zeros((5, 4)), np.ones((5, 4)), np.ones((1, 4)), np.eye(4)])
def test_degenerate_codes_flag_nothing(activations):
    found = scan_absorption(codes_of(activations), orthogonal_sae(4), min_support=1)
    assert len(found) == 0
    assert len(found.frequent) == (4 if activations.all() else 0)
    json.dumps(found.to_dict(), allow_nan=False)


@pytest.mark.parametrize(
    ("codes", "asked", "sentence"),
    [
        (np.ones((0, 4)), {}, "this corpus has none"),
        (np.ones((3, 5)), {}, "of 5 features; this dictionary has 4"),
        (np.ones((3, 4)), {"threshold": 0.0}, "threshold .* got 0"),
        (np.ones((3, 4)), {"most_share": 1.5}, "largest share .* got 1.5"),
        (np.ones((3, 4)), {"min_support": 0}, "at least 1 text"),
    ],
)
def test_what_cannot_be_scanned(codes, asked, sentence):
    with pytest.raises(InputError, match=sentence):
        scan_absorption(codes_of(codes), orthogonal_sae(4), **asked)


def test_a_feature_that_is_none():
    with pytest.raises(InputError, match="features 0 to 3, got 9"):
        pair_texts(codes_of(np.ones((3, 4))), 0, 9)


def test_support_grows_with_the_corpus():
    assert [default_support(texts) for texts in (0, 402, 640, 1_500, 100_000)] == [5, 5, 6, 15, 20]


# The statistics


def test_tails_are_those_of_the_hypergeometric_law():
    rng = np.random.default_rng(0)
    a, b = rng.integers(1, 300, 300), rng.integers(1, 400, 300)
    both = np.array([rng.integers(max(0, x + y - 500), min(x, y) + 1) for x, y in zip(a, b, strict=True)])
    expected = hypergeom.logsf(both - 1, 500, a, b) / np.log(10)
    assert log10_tail(both, a, b, 500) == pytest.approx(expected, abs=1e-9)


def test_a_tail_below_any_float_has_a_logarithm():
    (found,) = log10_tail(np.array([3_000]), np.array([3_000]), np.array([3_000]), 100_000)
    assert -7_000 < found < -5_000


def test_no_tail_at_all():
    assert log10_tail(np.empty(0, int), np.empty(0, int), np.empty(0, int), 10).shape == (0,)


def test_false_discovery_rates_are_scipys():
    p = np.random.default_rng(0).random(60) ** 3
    assert 10 ** log10_false_discovery(np.log10(p), 60) == pytest.approx(false_discovery_control(p))
    some = np.sort(p)[:20]  # the smallest of them, in any order, with the number of all
    assert np.all(10 ** log10_false_discovery(np.log10(some), 60) >= np.sort(false_discovery_control(p))[:20] - 1e-12)


@pytest.mark.parametrize(("some", "of"), [(0, 5), (4, 5), (5, 5), (47, 50)])
def test_intervals_are_wilsons(some, of):
    expected = binomtest(some, of).proportion_ci(method="wilson")
    low, high = wilson(np.array([some]), np.array([of]))
    assert (low[0], high[0]) == pytest.approx((expected.low, expected.high), abs=1e-6)
