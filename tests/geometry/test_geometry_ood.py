"""Rules against slow loops and known libraries, invariances, degenerate references, thresholds, detection figures."""

import numpy as np
import pytest
from sklearn.covariance import EmpiricalCovariance, LedoitWolf
from sklearn.metrics import roc_auc_score, roc_curve
from sklearn.neighbors import NearestNeighbors

from lib.errors import InputError
from lib.geometry import ood
from lib.geometry.covariance import shrunk_covariance
from lib.geometry.detection import detection
from lib.geometry.ood import flag, score
from lib.geometry.recommendation import recommend

RULES = ("centroid", "label_centroid", "neighbour", "local_centroid", "mahalanobis")
RNG = np.random.default_rng(11)
N, D = 60, 8
CENTRES = RNG.normal(size=(4, D)) * 2
GROUPS = RNG.integers(4, size=N)
X = CENTRES[GROUPS] + RNG.normal(size=(N, D))
LABELS = [None if row % 9 == 0 else f"label {group}" for row, group in enumerate(GROUPS)]
NEW = RNG.normal(size=(25, D)) + 0.5


def unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def one_centroid(u, reference):
    return 1 - u @ unit(reference.sum(axis=0))


def slow_score(rule, u, reference, labels, k):
    """One text against a reference that it is not part of, by the definition."""
    if rule == "centroid":
        return one_centroid(u, reference)
    if rule == "label_centroid":
        names = {label for label in labels if label is not None}
        return min(one_centroid(u, reference[[own == label for own in labels]]) for label in names)
    cosines = reference @ u
    if rule == "neighbour":
        return 1 - np.sort(cosines)[-k]
    between = reference @ reference.T
    local = [reference[np.argsort(-between[row], kind="stable")[: k + 1]].sum(axis=0) for row in range(len(reference))]
    return 1 - (unit(np.array(local)) @ u).max()


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule != "mahalanobis"])
def test_leaving_one_out_equals_a_slow_loop(rule):
    u = unit(X)
    expected = []
    for row in range(N):
        others = np.delete(np.arange(N), row)
        expected.append(slow_score(rule, u[row], u[others], [LABELS[other] for other in others], 4))
    result = score(X, rule=rule, reference_labels=LABELS, k=4)
    np.testing.assert_allclose(result.scores, expected, atol=2e-6)
    assert result.leave_one_out


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule != "mahalanobis"])
def test_new_texts_equal_a_slow_loop(rule):
    expected = [slow_score(rule, u, unit(X), LABELS, 4) for u in unit(NEW)]
    result = score(NEW, rule=rule, reference=X, reference_labels=LABELS, k=4)
    np.testing.assert_allclose(result.scores, expected, atol=2e-6)
    assert not result.leave_one_out


@pytest.mark.parametrize("rule", RULES)
def test_the_references_own_scores_leave_each_text_out(rule):
    against_new = score(NEW, rule=rule, reference=X, reference_labels=LABELS)
    alone = score(X, rule=rule, reference_labels=LABELS)
    np.testing.assert_allclose(against_new.reference_scores, alone.reference_scores, atol=1e-9)
    judging = [rule != "label_centroid" or label is not None for label in LABELS]
    np.testing.assert_array_equal(alone.reference_scores, np.sort(alone.scores[judging]))


def test_mahalanobis_equals_scikit_learn():
    fitted = LedoitWolf().fit(unit(X))
    result = score(NEW, rule="mahalanobis", reference=X)
    assert result.shrinkage == pytest.approx(fitted.shrinkage_, rel=1e-5)
    np.testing.assert_allclose(np.square(result.scores), fitted.mahalanobis(unit(NEW)), rtol=1e-4)


def test_mahalanobis_leaving_one_out_equals_fitting_anew_at_the_same_shrinkage():
    u = unit(X)
    fitted = shrunk_covariance(X)
    expected = []
    for row in range(N):
        rest = EmpiricalCovariance().fit(np.delete(u, row, axis=0))
        matrix = (1 - fitted.shrinkage) * rest.covariance_ + fitted.shrinkage * fitted.sphere * np.eye(D)
        gap = u[row] - rest.location_
        expected.append(np.sqrt(gap @ np.linalg.solve(matrix, gap)))
    np.testing.assert_allclose(score(X, rule="mahalanobis").scores, expected, rtol=1e-4)


@pytest.mark.parametrize(("n", "d"), [(12, 40), (300, 5)])
def test_shrinkage_equals_scikit_learn(n, d):
    x = np.random.default_rng(n).normal(size=(n, d)) + 0.3
    ours, theirs = shrunk_covariance(x), LedoitWolf().fit(unit(x))
    assert ours.shrinkage == pytest.approx(theirs.shrinkage_, rel=1e-4)
    np.testing.assert_allclose(ours.matrix, theirs.covariance_, atol=1e-6)


def test_neighbour_equals_scikit_learn():
    distances, _ = NearestNeighbors(n_neighbors=3, metric="cosine").fit(X).kneighbors(NEW)
    np.testing.assert_allclose(score(NEW, rule="neighbour", reference=X, k=3).scores, distances[:, 2], atol=1e-6)


@pytest.mark.parametrize("rule", RULES)
def test_rotation_lengths_and_order_change_nothing(rule):
    rotation, _ = np.linalg.qr(RNG.normal(size=(D, D)))
    order = RNG.permutation(N)
    lengths = RNG.uniform(0.1, 9, size=(N, 1))
    before = score(X, rule=rule, reference_labels=LABELS).scores
    turned = score(X @ rotation * lengths, rule=rule, reference_labels=LABELS).scores
    moved = score(X[order], rule=rule, reference_labels=[LABELS[row] for row in order]).scores
    np.testing.assert_allclose(turned, before, rtol=2e-4, atol=2e-6)
    np.testing.assert_allclose(moved, before[order], rtol=2e-4, atol=2e-6)


@pytest.mark.parametrize("rule", RULES)
def test_blocks_give_what_one_pass_gives(rule, monkeypatch):
    whole = score(X, rule=rule, reference_labels=LABELS).scores
    monkeypatch.setattr("lib.geometry.vectors.blocks.__defaults__", (7,))
    monkeypatch.setattr("lib.geometry.ood_rules._BLOCK_CELLS", 150)
    np.testing.assert_allclose(score(X, rule=rule, reference_labels=LABELS).scores, whole, rtol=1e-5, atol=2e-6)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("n", [2, 3, 4])
def test_very_few_texts_have_an_answer(rule, n):
    labels = ["a", "b", "a", "b"][:n]
    result = score(X[:n], rule=rule, reference_labels=labels)
    assert np.isfinite(result.scores).all()
    assert np.isfinite(score(NEW, rule=rule, reference=X[:n], reference_labels=labels).scores).all()


@pytest.mark.parametrize("rule", RULES)
def test_equal_texts_are_not_out(rule):
    same = np.tile([3.0, 4.0, 0.0], (6, 1))
    np.testing.assert_allclose(score(same, rule=rule, reference_labels=["a"] * 6).scores, 0, atol=1e-3)


def test_two_opposite_texts_have_no_centroid_and_a_cosine_of_0():
    result = score(np.array([[0.0, 1.0]]), reference=np.array([[1.0, 0.0], [-1.0, 0.0]]))
    assert result.scores[0] == pytest.approx(1.0)
    np.testing.assert_allclose(result.reference_scores, 2.0)  # each sees the other one alone


def test_the_only_text_of_a_label_is_judged_by_the_other_labels():
    x = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    scores = score(x, rule="label_centroid", reference_labels=["lonely", "b", "b"]).scores
    np.testing.assert_allclose(scores, [1.0, 0.0, 0.0], atol=1e-6)


def test_unlabelled_texts_are_scored_but_make_no_centroid():
    x = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    result = score(x, rule="label_centroid", reference_labels=[None, "b", "b"])
    assert result.scores[0] == pytest.approx(1.0)
    assert (result.reference_items, result.reference_total, result.label_centroids) == (2, 3, 1)
    assert result.notices == ("1 reference texts have no label and make no centroid.",)


@pytest.mark.parametrize("rule", ["neighbour", "local_centroid"])
def test_a_large_reference_is_sampled_and_says_so(rule, monkeypatch):
    monkeypatch.setattr(ood, "_REFERENCE_ROWS", 20)
    result = score(X, rule=rule, k=3, seed=5)
    assert (result.reference_items, result.reference_total) == (20, N)
    assert result.notices == (f"Compared with a sample of 20 of the {N} reference texts.",)
    kept = np.sort(np.random.default_rng(5).choice(N, size=20, replace=False))
    outside = np.setdiff1d(np.arange(N), kept)
    np.testing.assert_allclose(
        result.scores[outside], score(X[outside], rule=rule, reference=X[kept], k=3).scores, atol=1e-6
    )
    np.testing.assert_allclose(result.scores[kept], score(X[kept], rule=rule, k=3).scores, atol=1e-6)


@pytest.mark.parametrize(("rule", "used"), [("neighbour", 4), ("local_centroid", 3)])
def test_too_many_neighbours_are_lowered_aloud(rule, used):
    result = score(X[:5], rule=rule, k=50)
    assert result.k == used
    assert result.notices == (f"{used} neighbours were used: the reference has no more to offer.",)


def test_quantile_and_value_flag_the_same_rows():
    result = score(X, rule="neighbour")
    by_quantile = flag(result, quantile=0.9)
    by_value = flag(result, value=by_quantile.threshold)
    assert len(by_quantile.rows) == 6
    assert by_quantile.share == pytest.approx(0.1)
    assert by_quantile.rows[0] == result.scores.argmax()
    assert (by_value.quantile, by_quantile.quantile) == (None, 0.9)
    np.testing.assert_array_equal(by_value.rows, by_quantile.rows)
    assert len(flag(result, quantile=1.0).rows) == 0


def test_two_blobs_and_a_stray():
    """A stray between two topics is nearest to their common centroid: only rules that know topics see it."""
    noise = np.random.default_rng(0).normal(scale=0.05, size=(41, 3))
    blobs = np.vstack([np.tile([1.0, 0, 0], (20, 1)), np.tile([0, 1.0, 0], (20, 1)), [[1.0, 1.0, 0]]]) + noise
    labels = ["a"] * 20 + ["b"] * 20 + [None]
    assert score(blobs).scores.argmin() == 40
    for rule in ("label_centroid", "neighbour", "local_centroid"):
        assert score(blobs, rule=rule, reference_labels=labels).scores.argmax() == 40


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"embeddings": X[:1]}, "at least 2 embeddings, got 1"),
        ({"embeddings": NEW, "reference": X[:, :4]}, "reference has 4 dimensions, the texts 8"),
        ({"embeddings": X, "rule": "distance"}, "one of centroid, label_centroid.*got 'distance'"),
        ({"embeddings": X, "rule": "neighbour", "k": 0}, "at least 1 neighbour, got k=0"),
        ({"embeddings": X, "rule": "label_centroid"}, '"nearest label centroid" needs labels'),
        ({"embeddings": X, "rule": "label_centroid", "reference_labels": ["a"]}, "60 texts, but 1 labels"),
        ({"embeddings": X[:3], "rule": "label_centroid", "reference_labels": [None, "a", None]}, "2 labelled.*got 1"),
        ({"embeddings": np.vstack([X[:3], np.zeros((1, D))])}, "Embedding 3 has zero length"),
    ],
)
def test_says_what_is_wrong(arguments, message):
    with pytest.raises(InputError, match=message):
        score(**arguments)


@pytest.mark.parametrize(
    ("arguments", "message"), [({"quantile": 1.2}, "between 0 and 1, got 1.2"), ({"value": np.nan}, "finite number")]
)
def test_a_threshold_that_is_none(arguments, message):
    with pytest.raises(InputError, match=message):
        flag(score(X), **arguments)


@pytest.mark.parametrize("ties", [False, True])
def test_detection_equals_scikit_learn(ties):
    rng = np.random.default_rng(3)
    out = rng.random(400) < 0.3
    scores = rng.normal(size=400) + out
    if ties:
        scores = scores.round()
    result = detection(scores, out)
    assert result.auroc == pytest.approx(roc_auc_score(out, scores))
    assert result.auroc_low < result.auroc < result.auroc_high
    wrong, caught, cut = roc_curve(out, scores, drop_intermediate=False)
    at = np.flatnonzero(caught >= 0.95)[0]
    assert result.fpr_at_95_recall == pytest.approx(wrong[at])
    assert result.threshold_at_95_recall == pytest.approx(cut[at])
    passed, kept, _ = roc_curve(~out, -scores, drop_intermediate=False)
    assert result.missed_at_95_kept == pytest.approx(passed[np.flatnonzero(kept >= 0.95)[0]])
    np.testing.assert_allclose(np.trapezoid(result.true_positive_rate, result.false_positive_rate), result.auroc)


def test_detection_thresholds_do_what_they_say():
    rng = np.random.default_rng(4)
    out = np.arange(300) < 100
    scores = rng.normal(size=300) + 2 * out
    result = detection(scores, out)
    assert (scores[out] >= result.threshold_at_95_recall).mean() >= 0.95
    assert (scores[~out] >= result.threshold_at_95_recall).mean() == pytest.approx(result.fpr_at_95_recall)
    assert (scores[~out] <= result.threshold_at_95_kept).mean() >= 0.95
    assert (scores[out] <= result.threshold_at_95_kept).mean() == pytest.approx(result.missed_at_95_kept)


@pytest.mark.parametrize(
    ("scores", "auroc", "wrong"), [([0, 1, 2, 3], 1.0, 0.0), ([3, 2, 1, 0], 0.0, 1.0), ([5, 5, 5, 5], 0.5, 1.0)]
)
def test_detection_at_its_ends(scores, auroc, wrong):
    result = detection(np.array(scores, dtype=float), [False, False, True, True])
    assert result.auroc == auroc
    assert result.fpr_at_95_recall == result.missed_at_95_kept == wrong
    assert (result.false_positive_rate[0], result.false_positive_rate[-1]) == (0, 1)


def test_the_curve_is_thinned_and_the_interval_is_seeded():
    rng = np.random.default_rng(5)
    out = rng.random(5000) < 0.5
    scores = rng.normal(size=5000) + out
    first, again = detection(scores, out, seed=1), detection(scores, out, seed=1)
    assert len(first.false_positive_rate) == 501
    assert (first.auroc_low, first.auroc_high) == (again.auroc_low, again.auroc_high)


def test_the_bootstrap_interval_covers_the_truth():
    """Two normals one deviation apart: AUROC = Phi(1 / sqrt 2) = 0.7602."""
    rng = np.random.default_rng(6)
    out = np.arange(120) < 60
    hits = 0
    for _ in range(100):
        result = detection(rng.normal(size=120) + out, out, resamples=200)
        hits += result.auroc_low <= 0.7602 <= result.auroc_high
    assert 87 <= hits <= 100


@pytest.mark.parametrize(
    ("scores", "out", "message"),
    [
        ([1.0, 2.0], [True], r"scores \(2,\) and truth \(1,\)"),
        ([1.0, np.nan], [True, False], "Score 1 is not finite"),
        ([1.0, 2.0], [True, True], "0 in and 2 out"),
        ([1.0, 2.0], [False, False], "2 in and 0 out"),
    ],
)
def test_detection_says_what_is_wrong(scores, out, message):
    with pytest.raises(InputError, match=message):
        detection(np.array(scores), out)


@pytest.mark.parametrize(
    ("items", "labels", "rule"),
    [
        (10, None, "centroid"),
        (100, None, "local_centroid"),
        (100, ["a", "b"] * 50, "local_centroid"),
        (100, [str(row % 20) for row in range(100)], "label_centroid"),
        (100, [None] * 90 + ["a", "b"] * 5, "local_centroid"),
        (100, ["a"] * 100, "local_centroid"),
    ],
)
def test_recommends_by_what_the_reference_has(items, labels, rule):
    assert recommend(items, reference_labels=labels).rule == rule


def test_recommending_needs_a_label_for_each_text():
    with pytest.raises(InputError, match="30 texts, but 1 labels"):
        recommend(30, reference_labels=["a"])
