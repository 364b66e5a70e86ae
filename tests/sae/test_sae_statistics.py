"""What features do on a corpus: against dense numpy, closed forms, rankings, label lift, examples, neighbours."""

import numpy as np
import pytest
from scipy.stats import fisher_exact

from lib.errors import InputError
from lib.sae.examples import activation_histogram, examples
from lib.sae.label_lift import label_counts, label_lift, specificity_to
from lib.sae.neighbours import nearest_features, neighbour_table
from lib.sae.statistics import RANKINGS, feature_statistics, rank_features
from tests.toy_sae import codes_of, orthogonal_sae, random_sae


@pytest.fixture
def dense():
    generator = np.random.default_rng(3)
    made = generator.gamma(2, size=(200, 30)) * (generator.random((200, 30)) < generator.random(30) * 0.4)
    made[:, 7] = 0
    return made.astype(np.float32)


@pytest.fixture
def labels():
    return [None if row % 7 == 0 else "abc"[row % 3] for row in range(200)]


def test_statistics_are_those_of_the_dense_array(dense):
    found = feature_statistics(codes_of(dense))
    active = dense > 0
    assert found.texts == 200
    np.testing.assert_array_equal(found.count, active.sum(axis=0))
    np.testing.assert_allclose(found.frequency, active.mean(axis=0))
    np.testing.assert_allclose(found.total, dense.sum(axis=0), rtol=1e-5)
    np.testing.assert_allclose(found.maximum, dense.max(axis=0))
    alive = active.any(axis=0)
    np.testing.assert_allclose(found.mean[alive], dense.sum(axis=0)[alive] / active.sum(axis=0)[alive], rtol=1e-5)
    assert np.isnan(found.mean[7])
    assert found.dead == (~alive).sum()
    assert 7 not in found.fires
    assert found.labels is None
    assert np.isnan(found.specificity).all()


def test_label_counts_are_those_of_the_dense_array(dense, labels):
    found = label_counts(codes_of(dense), labels)
    assert found.names == ("a", "b", "c")
    membership = np.array([[label == name for name in "abc"] for label in labels])
    expected = (dense > 0).T.astype(int) @ membership.astype(int)
    made = np.zeros_like(expected)
    for feature in range(30):
        at, counts = found.of(feature)
        made[feature, at] = counts
    np.testing.assert_array_equal(made, expected)
    np.testing.assert_array_equal(found.sizes, membership.sum(axis=0))
    np.testing.assert_array_equal(found.fires, expected.sum(axis=1))


def test_lift_against_fishers_exact_test(dense, labels):
    counts = label_counts(codes_of(dense), labels)
    found = label_lift(counts, 4)
    for name, both, size, lift, p in zip(
        found.names, found.counts, found.sizes, found.lift, found.p_value, strict=True
    ):
        rest = counts.labelled - size - (found.fires - both)
        table = [[both, found.fires - both], [size - both, rest]]
        assert p == pytest.approx(fisher_exact(table, alternative="greater").pvalue)
        assert lift == pytest.approx((both / found.fires) / (counts.sizes["abc".index(name)] / counts.labelled))
    assert (found.low <= found.lift).all()
    assert (found.lift <= found.high + 1e-12).all()


def test_one_text_of_a_rare_label_does_not_top_the_list():
    dense = np.zeros((1_000, 1), dtype=np.float32)
    labels = ["common" if row < 300 else "other" for row in range(1_000)]
    labels[0] = "rare"
    dense[:101, 0] = 1
    found = label_lift(label_counts(codes_of(dense), labels), 0)
    assert found.names[0] == "common"
    assert found.lift[found.names.index("rare")] > found.lift[0]


def test_specificity_is_0_at_chance_and_nears_1_for_one_label():
    dense = np.zeros((2_000, 3), dtype=np.float32)
    labels = ["yes" if row % 2 else "no" for row in range(2_000)]
    dense[:, 0] = 1  # on everything
    dense[1::2, 1] = 1  # on all of one label
    dense[1, 2] = 1  # on one text of it
    found = feature_statistics(codes_of(dense), labels=labels).specificity
    assert found[0] == pytest.approx(0, abs=1e-9)
    assert found[1] > 0.99
    assert found[2] < 0.1
    to = specificity_to(feature_statistics(codes_of(dense), labels=labels).labels, "no")
    assert to[1] == 0


@pytest.mark.parametrize("by", [by for by in RANKINGS if by not in ("score", "stability")])
def test_ranked_by_each(dense, labels, by):
    found = feature_statistics(codes_of(dense), labels=labels)
    order = rank_features(found, by)
    assert sorted(order.tolist()) == found.fires.tolist()
    assert (np.diff(np.nan_to_num(getattr(found, by)[order], nan=-1)) <= 0).all()


def test_ranked_by_what_a_database_brings(dense):
    found = feature_statistics(codes_of(dense))
    score = np.full(30, np.nan)
    score[[4, 9]] = 0.6, 0.9
    assert rank_features(found, "score", score=score)[:2].tolist() == [9, 4]
    with pytest.raises(InputError, match="There are no stabilities to rank features by"):
        rank_features(found, "stability")
    with pytest.raises(InputError, match="Features are ranked by total, frequency"):
        rank_features(found, "luck")


def test_bad_input_is_refused(dense):
    with pytest.raises(InputError, match="There are no texts"):
        feature_statistics(codes_of(np.zeros((0, 3), dtype=np.float32)))
    with pytest.raises(InputError, match="a label for each of the 200 texts, got 2"):
        feature_statistics(codes_of(dense), labels=["a", "b"])
    for feature in (-1, 30):
        with pytest.raises(InputError, match="has the features 0 to 29, got"):
            examples(codes_of(dense), feature)


def test_examples_come_from_every_quantile():
    dense = np.zeros((120, 2), dtype=np.float32)
    dense[:100, 0] = np.random.default_rng(0).permutation(np.arange(1, 101))
    found = examples(codes_of(dense), 0, top=5, quantiles=5, each=3)
    np.testing.assert_array_equal(found.activations, [100, 99, 98, 97, 96])
    assert found.edges == (100, 80, 60, 40, 20, 1)
    for number, values in enumerate(found.quantile_activations):
        assert len(values) == 3
        assert all(80 - 20 * number < value <= 100 - 20 * number for value in values)
        assert values == tuple(sorted(values, reverse=True))
    assert not set(found.rows.tolist()) & {row for rows in found.by_quantile for row in rows}
    again = examples(codes_of(dense), 0, top=5, quantiles=5, each=3)
    assert again.by_quantile == found.by_quantile
    other = examples(codes_of(dense), 0, top=5, quantiles=5, each=3, seed=1)
    assert other.by_quantile != found.by_quantile


def test_duplicates_are_shown_once():
    dense = np.ones((6, 1), dtype=np.float32)
    found = examples(codes_of(dense), 0, texts=["a", "a", "b", "b", "b", "c"], top=5)
    assert found.rows.tolist() == [0, 2, 5]
    assert found.fires == 3


def test_a_feature_that_never_fires_has_no_examples():
    found = examples(codes_of(np.zeros((4, 2), dtype=np.float32)), 1)
    assert found.fires == 0
    assert len(found.rows) == 0
    assert found.edges == ()
    histogram = activation_histogram(codes_of(np.zeros((4, 2), dtype=np.float32)), 1)
    assert histogram.counts.sum() == 0
    assert histogram.silent == 4


def test_the_histogram_counts_every_text(dense):
    found = activation_histogram(codes_of(dense), 4, bins=10)
    assert found.counts.sum() + found.silent == 200
    assert found.edges[0] == 0
    assert found.edges[-1] == pytest.approx(dense[:, 4].max())


def test_nearest_features_are_those_of_the_dense_cosines():
    sae = random_sae(16, 700, 4)
    cosines = sae.decoder_weights @ sae.decoder_weights.T
    np.fill_diagonal(cosines, -np.inf)
    found = nearest_features(sae, 11, 6)
    np.testing.assert_array_equal(found.features, np.argsort(-cosines[11], kind="stable")[:6])
    table = neighbour_table(sae, 6)
    np.testing.assert_array_equal(table, np.argsort(-cosines, axis=1, kind="stable")[:, :6])
    assert neighbour_table(orthogonal_sae(2), 9).shape == (2, 1)
    chosen = np.array([5, 0, 2])
    np.testing.assert_array_equal(neighbour_table(sae, 6, chosen), table[chosen])
    assert neighbour_table(sae, 6, chosen[:0]).shape == (0, 6)
    with pytest.raises(InputError, match="features 0 to 699, got 700"):
        nearest_features(sae, 700)


def test_results_are_json(dense, labels):
    import json

    codes = codes_of(dense)
    found = feature_statistics(codes, labels=labels)
    for result in (found, label_lift(found.labels, 4), examples(codes, 4), activation_histogram(codes, 4)):
        json.dumps(result.to_dict(), allow_nan=False)
