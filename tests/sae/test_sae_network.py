"""The co-activation network: every measure by a slow reference, chance by shuffling, planted pairs, what is refused."""

import json

import numpy as np
import pytest
from scipy import stats

from lib.errors import InputError, Stopped
from lib.sae.coactivation import activation_products
from lib.sae.network import MEASURES, network
from lib.sae.network.chance import log10_chance
from lib.sae.network.shuffled import shuffled
from lib.sae.network.sums import correlations, feature_sums, narrowed, npmi, pairs_of
from tests.toy_sae import codes_of


def made_up(texts=120, width=14, *, seed=0):
    """Activations of features that fire on 5 to 60 % of the texts; 3 follows 2, 5 follows 4 on the whole."""
    generator = np.random.default_rng(seed)
    rates = generator.uniform(0.05, 0.6, width)
    fires = generator.random((texts, width)) < rates
    fires[:, 3] = fires[:, 2]
    fires[:, 5] = np.where(generator.random(texts) < 0.8, fires[:, 4], fires[:, 5])
    return np.where(fires, generator.uniform(0.2, 2.0, fires.shape), 0.0).astype(np.float32)


def reference(x, a, b):
    """Every measure of one pair, from the dense arrays."""
    n, one, other = len(x), x[:, a] > 0, x[:, b] > 0
    both = float((one & other).sum())
    lift = both * n / (one.sum() * other.sum())
    return {
        "frequency": both / n,
        "jaccard": both / (one | other).sum(),
        "lift": lift,
        "npmi": np.log(lift) / -np.log(both / n) if both else -1.0,
        "correlation": np.corrcoef(x[:, a].astype(float), x[:, b].astype(float))[0, 1],
    }


@pytest.mark.parametrize("measure", MEASURES)
def test_every_measure_equals_a_slow_reference(measure):
    x = made_up()
    threshold = 1.05 if measure == "lift" else 0.08
    found = network(codes_of(x), most=14, measure=measure, threshold=threshold, hide_everywhere=False, shuffles=0)
    told = {
        tuple(sorted((int(found.features[a]), int(found.features[b])))): row
        for row, (a, b) in enumerate(zip(found.a, found.b, strict=True))
    }
    expected = set()
    for a in range(14):
        for b in range(a + 1, 14):
            values = reference(x, a, b)
            both = int(((x[:, a] > 0) & (x[:, b] > 0)).sum())
            if values[measure] < threshold or both < 2:
                continue
            expected.add((a, b))
            row = told[a, b]
            assert found.both[row] == both
            assert found.weight[row] == pytest.approx(values[measure])
            for name, column in (("frequency", "co_frequency"), *((other, other) for other in MEASURES[1:])):
                assert getattr(found, column)[row] == pytest.approx(values[name], abs=1e-9)
    assert set(told) == expected
    assert found.passed == found.edges == len(expected) > 0
    assert (np.diff(found.weight) <= 0).all()


def test_features_are_those_of_the_largest_total_activation():
    x = made_up()
    x[:, 0] = 9.0
    found = network(codes_of(x), most=5, shuffles=0)
    total = x.sum(axis=0)
    total[(x > 0).mean(axis=0) >= 0.5] = 0
    assert found.features.tolist() == np.argsort(-total, kind="stable")[:5].tolist()
    assert found.hidden == int(((x > 0).mean(axis=0) >= 0.5).sum())
    assert found.shown_of == found.active - found.hidden
    assert not found.everywhere.any()
    np.testing.assert_allclose(found.frequency, (x > 0).mean(axis=0)[found.features])
    np.testing.assert_allclose(
        found.mean_activation, total[found.features] / (x > 0).sum(axis=0)[found.features], rtol=1e-5
    )
    every = network(codes_of(x), most=5, shuffles=0, hide_everywhere=False)
    assert every.features[0] == 0
    assert every.everywhere[0]
    assert every.correlation[(every.a == 0) | (every.b == 0)].size == 0  # always the same: it moves with nothing


def test_parts_of_a_corpus_add_up_and_the_order_of_texts_changes_nothing():
    x = made_up()
    whole = network(codes_of(x), most=10)
    parts = network([codes_of(x[:50]), codes_of(x[50:])], most=10)
    order = np.random.default_rng(3).permutation(len(x))
    mixed = network(codes_of(x[order]), most=10)
    for other in (parts, mixed):
        for name in ("features", "a", "b", "both", "clusters", "positions", "chance"):
            np.testing.assert_array_equal(getattr(whole, name), getattr(other, name))
        np.testing.assert_allclose(whole.correlation, other.correlation, atol=1e-12)
    assert whole.null_edges == parts.null_edges
    assert json.dumps(whole.to_dict()) == json.dumps(network(codes_of(x), most=10).to_dict())


def test_products_equal_the_dense_ones_for_any_order_of_pairs():
    x = made_up()
    a, b = np.array([7, 0, 13, 7]), np.array([2, 1, 12, 7])
    expected = (x[:, a].astype(float) * x[:, b].astype(float)).sum(axis=0)
    np.testing.assert_allclose(activation_products(codes_of(x), a, b), expected, rtol=1e-12)
    halves = [codes_of(x[:11]), codes_of(x[11:])]
    np.testing.assert_allclose(activation_products(halves, a, b), expected, rtol=1e-12)
    assert activation_products(codes_of(np.zeros((3, 14))), a, b).tolist() == [0, 0, 0, 0]


def test_chance_of_shared_texts_is_the_hypergeometric_tail():
    x = made_up()
    codes = codes_of(x)
    pairs, sums = pairs_of([codes]), feature_sums([codes])
    expected = stats.hypergeom.sf(pairs.both - 1, pairs.texts, pairs.count_a, pairs.count_b)
    for measure in ("frequency", "jaccard", "lift", "npmi"):
        found = log10_chance(measure, pairs, pairs.lift, sums)
        np.testing.assert_allclose(10**found, expected, rtol=1e-8, atol=1e-300)


def test_chance_of_a_correlation_is_that_of_shuffling():
    x = made_up(texts=60)
    codes = codes_of(x)
    pairs, sums = pairs_of([codes]), feature_sums([codes])
    weight = correlations([codes], pairs, sums)
    found = 10 ** log10_chance("correlation", pairs, weight, sums)
    generator = np.random.default_rng(0)
    for row in np.flatnonzero(np.minimum(pairs.count_a, pairs.count_b) >= 5)[::9]:
        one, other = x[:, pairs.a[row]].astype(float), x[:, pairs.b[row]].astype(float)
        turned = generator.permuted(np.tile(other, (4_000, 1)), axis=1)
        scale = len(one) * one.std() * other.std()
        drawn = (turned @ one - len(one) * one.mean() * other.mean()) / scale
        assert found[row] == pytest.approx((drawn >= weight[row] - 1e-9).mean(), abs=0.03)


def test_what_fires_together_is_told_from_chance():
    x = made_up(texts=300)
    found = network(codes_of(x), most=14, hide_everywhere=False, measure="frequency", threshold=0.02)
    pairs = {
        (min(pair), max(pair)): chance
        for *pair, chance in zip(
            found.features[found.a].tolist(), found.features[found.b].tolist(), found.chance.tolist(), strict=True
        )
    }
    assert not pairs[2, 3]
    assert not pairs[4, 5]
    assert np.mean([chance for pair, chance in pairs.items() if pair not in {(2, 3), (4, 5)}]) > 0.9
    assert found.null_edges_low <= found.null_edges <= found.null_edges_high
    strict = network(codes_of(x), most=14, hide_everywhere=False, threshold=0.3)
    assert strict.null_edges < 1 < strict.passed  # planted pairs only


def test_shuffling_keeps_each_feature_and_parts_company():
    codes = codes_of(made_up(texts=400))
    drawn = shuffled(codes, np.random.default_rng(0))
    assert len(drawn) == len(codes)
    for feature in range(codes.width):
        np.testing.assert_array_equal(np.sort(drawn.firing(feature)[1]), np.sort(codes.firing(feature)[1]))
    assert correlations([drawn], pairs_of([drawn]), feature_sums([drawn])).max() < 0.25


def test_one_shared_text_is_no_edge_and_firing_always_is_chance():
    x = np.zeros((10, 4), np.float32)
    x[0, [0, 1]] = 1
    x[:, [2, 3]] = 1
    found = network(codes_of(x), most=4, measure="npmi", threshold=1e-9, hide_everywhere=False, shuffles=0)
    assert found.edges == 0
    assert np.isnan(found.modularity)
    assert np.isnan(found.null_edges)
    assert found.clusters.tolist() == [-1] * 4
    assert npmi(pairs_of([codes_of(x)])).tolist() == [0.0]
    always = network(codes_of(x), most=4, measure="frequency", hide_everywhere=False, shuffles=0)
    assert (always.edges, always.chance.tolist(), always.p_value.tolist()) == (1, [True], [1.0])


def test_features_can_be_named_and_edges_capped():
    x = made_up()
    found = network(codes_of(x), chosen=[5, 4, 9], measure="frequency", threshold=0.01, shuffles=0)
    assert sorted(found.features.tolist()) == [4, 5, 9]
    assert found.place(9) is not None
    assert found.place(1) is None
    whole = network(codes_of(x), most=14, threshold=0.01, shuffles=0)
    capped = network(codes_of(x), most=14, threshold=0.01, shuffles=0, most_edges=4)
    assert (capped.edges, capped.passed) == (4, whole.passed)
    np.testing.assert_array_equal(capped.weight, whole.weight[:4])
    assert narrowed(codes_of(x), np.array([9, 4])).matrix.toarray() == pytest.approx(x[:, [9, 4]])


def test_positions_are_the_same_again_apart_and_within_the_frame():
    codes = codes_of(made_up(width=40))
    one = network(codes, most=40, threshold=0.1, shuffles=0)
    np.testing.assert_array_equal(one.positions, network(codes, most=40, threshold=0.1, shuffles=0).positions)
    assert np.abs(one.positions).max() == pytest.approx(1)
    away = np.linalg.norm(one.positions[:, None] - one.positions[None], axis=2)
    assert away[np.triu_indices(len(one), 1)].min() > 0.02


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"most": 1}, "2 to 1,000 features, got 1"),
        ({"measure": "cosine"}, "got 'cosine'"),
        ({"threshold": 0.0}, "threshold of correlation is above 0 and at most 1, got 0"),
        ({"threshold": 2.0}, "got 2"),
        ({"measure": "lift", "threshold": -1.0}, "threshold of lift is above 0, got -1"),
        ({"everywhere": 1.5}, "got 1.5"),
        ({"false_discovery": 0.0}, "false discoveries is above 0"),
        ({"shuffles": -1}, "0 to 1,000, got -1"),
        ({"seed": -1}, "got -1"),
        ({"most_edges": 0}, "at least 1 edge, got 0"),
        ({"chosen": [3]}, "got 1"),
        ({"chosen": [3, 99]}, "features 0 to 13, got 99"),
        ({"chosen": [3, 3]}, "Feature 3 was chosen twice"),
    ],
)
def test_what_cannot_be_is_refused(options, told):
    with pytest.raises(InputError, match=told):
        network(codes_of(made_up()), **options)


def test_a_corpus_with_nothing_to_show_is_refused():
    with pytest.raises(InputError, match="has none"):
        network(codes_of(np.zeros((0, 5))))
    with pytest.raises(InputError, match="two features that fire, and has 0: choose a corpus of more"):
        network(codes_of(np.zeros((4, 5))))
    with pytest.raises(InputError, match="5 are left out as they fire on 50 % of the 1 texts"):
        network(codes_of(np.ones((1, 5))))
    with pytest.raises(InputError, match="dictionaries of 4 and 5 features"):
        network([codes_of(np.ones((2, 4))), codes_of(np.ones((2, 5)))])


def test_it_tells_how_far_it_is_and_stops():
    told = []
    codes = codes_of(made_up())
    network(codes, shuffles=3, progress=lambda done, of: told.append((done, of)))
    assert told == [(1, 3), (2, 3), (3, 3)]
    with pytest.raises(Stopped):
        network(codes, should_stop=lambda: True)
