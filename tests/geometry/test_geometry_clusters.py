"""Clusters of known blobs, k-means and agreement against scikit-learn, assignment, few and equal texts."""

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score, silhouette_score

from lib.errors import InputError
from lib.geometry import clusters as module
from lib.geometry.clusters import agreement, cluster

RNG = np.random.default_rng(8)
D = 16
CENTRES = np.linalg.qr(RNG.normal(size=(D, D)))[0][:4]
TRUTH = np.repeat([0, 1, 2, 3], [60, 50, 40, 30])
X = CENTRES[TRUTH] + 0.1 * RNG.normal(size=(180, D))
STRAY = -CENTRES.sum(axis=0, keepdims=True)
METHODS = ("hdbscan", "kmeans")


def cosine_distance(a, b):
    return 1 - (a @ b) / np.linalg.norm(a, axis=-1) / np.linalg.norm(b)


@pytest.mark.parametrize("method", METHODS)
def test_blobs_are_found_and_numbered_by_size(method):
    result = cluster(X, method=method)
    assert adjusted_rand_score(TRUTH, result.labels) == 1
    np.testing.assert_array_equal(result.labels, TRUTH)
    np.testing.assert_array_equal(result.sizes, [60, 50, 40, 30])
    assert (result.count, result.unclustered, result.fitted, result.assigned) == (4, 0, 180, 0)
    assert ((result.strength >= 0) & (result.strength <= 1)).all()


def test_one_seed_one_answer():
    assert cluster(X, seed=5).to_dict() == cluster(X, seed=5).to_dict()


@pytest.mark.parametrize("method", METHODS)
def test_lengths_change_nothing(method):
    longer = X * RNG.uniform(0.1, 9, size=(180, 1))
    np.testing.assert_array_equal(cluster(longer, method=method).labels, cluster(X, method=method).labels)


def test_k_means_tries_counts_and_takes_the_best_silhouette():
    result = cluster(X, method="kmeans")
    assert max(result.tried, key=result.tried.get) == 4
    assert result.silhouette == pytest.approx(silhouette_score(X, TRUTH, metric="cosine"), abs=1e-5)
    assert result.tried[4] == pytest.approx(result.silhouette)


def test_k_means_makes_as_many_as_asked():
    result = cluster(X, method="kmeans", count=7)
    assert (result.count, result.tried, result.min_size) == (7, {}, None)


def test_k_means_cannot_part_equal_texts():
    result = cluster(np.repeat(X[:2], 5, axis=0), method="kmeans", count=4)
    assert result.count == 2
    assert result.notices == ("k-means made 2 clusters: there are no more different texts.",)


@pytest.mark.parametrize("method", METHODS)
def test_distance_is_to_the_nearest_centroid_without_the_text_itself(method):
    x = X / np.linalg.norm(X, axis=1, keepdims=True)
    result = cluster(X, method=method)
    for row in (0, 75, 179):
        rest = [x[(group == TRUTH) & (np.arange(180) != row)].sum(axis=0) for group in range(4)]
        expected = min(cosine_distance(x[row], centroid) for centroid in rest)
        assert result.distance[row] == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_a_stray_is_far(method):
    result = cluster(np.vstack([X, STRAY]), method=method, count=4 if method == "kmeans" else None)
    assert result.far[180]
    assert result.far[:180].mean() < 0.1
    assert result.distance.argmax() == 180


def test_two_topics_that_lie_near_each_other_are_told_apart():
    near = np.vstack([CENTRES[0] + 0.5 * CENTRES[1], CENTRES[0] - 0.5 * CENTRES[1], -CENTRES[0]])
    x = near[np.repeat([0, 1, 2], 60)] + 0.05 * RNG.normal(size=(180, D))
    assert cluster(x).count == 3


@pytest.mark.parametrize("method", METHODS)
def test_above_the_limit_the_rest_joins_its_nearest_cluster(method, monkeypatch):
    monkeypatch.setattr(module, "FIT_ON", 100)
    result = cluster(X, method=method)
    assert (result.fitted, result.assigned) == (100, 80)
    assert result.notices[-1] == "Fitted on 100 of 180 texts; each of the others joined its nearest cluster."
    np.testing.assert_array_equal(result.labels, TRUTH)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 12, 25])
@pytest.mark.parametrize("same", [False, True])
def test_few_texts_have_an_answer(method, n, same):
    result = cluster(np.ones((n, D)) if same else X[::7][:n], method=method)
    assert result.labels.shape == result.strength.shape == result.distance.shape == (n,)
    assert np.isfinite(result.distance).all()
    assert result.sizes.sum() + result.unclustered == n
    if same:
        assert result.count <= 1
        assert not result.far.any()


def test_too_few_texts_for_a_cluster_say_so():
    result = cluster(X[:4], min_size=5)
    assert (result.count, result.unclustered) == (0, 4)
    assert result.notices == ("No cluster was found: distances are to the centroid of all texts.",)


def test_agreement_equals_scikit_learn_and_passes_over_missing_labels():
    result = cluster(X, method="kmeans", count=3)
    labels = [None if row % 5 == 0 else f"topic {group}" for row, group in enumerate(TRUTH)]
    known = np.arange(180) % 5 != 0
    found = agreement(result, labels)
    assert found.adjusted_rand == pytest.approx(adjusted_rand_score(TRUTH[known], result.labels[known]))
    assert found.normalised_mutual_information == pytest.approx(
        normalized_mutual_info_score(TRUTH[known], result.labels[known])
    )
    assert found.items == 144


def test_perfect_agreement_is_1():
    found = agreement(cluster(X), [str(group) for group in TRUTH])
    assert (found.adjusted_rand, found.normalised_mutual_information) == (1.0, pytest.approx(1.0))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"method": "dbscan"}, "one of hdbscan, kmeans, got 'dbscan'"),
        ({"method": "kmeans", "count": 0}, "between 1 and 180 clusters of 180 texts, got 0"),
        ({"method": "kmeans", "count": 181}, "got 181"),
        ({"min_size": 1}, "at least 2 texts, got min_size=1"),
    ],
)
def test_says_which_setting_is_wrong(arguments, message):
    with pytest.raises(InputError, match=message):
        cluster(X, **arguments)


def test_agreement_says_what_is_wrong():
    result = cluster(X, method="kmeans", count=2)
    with pytest.raises(InputError, match="180 texts were clustered, but 2 labels"):
        agreement(result, ["a", "b"])
    with pytest.raises(InputError, match="every one is missing"):
        agreement(result, [None] * 180)
