"""The fit of labels: scikit-learn's silhouette, slow purity, labels of one text, texts of none."""

import json

import numpy as np
import pytest
from sklearn.metrics import silhouette_samples, silhouette_score

from lib.errors import InputError
from lib.geometry import label_fit, neighbours, vectors
from lib.geometry.similarity import label_groups

RNG = np.random.default_rng(9)


def topics(n, *, d=8, spread=1.0):
    """Texts about three topics, and their labels."""
    labels = [("law", "money", "health")[i % 3] for i in range(n)]
    centres = {"law": np.eye(d)[0], "money": np.eye(d)[1], "health": np.eye(d)[2]}
    return np.array([centres[label] * 3 for label in labels]) + RNG.normal(size=(n, d)) * spread, labels


@pytest.mark.parametrize("spread", [0.01, 1.0, 5.0])
def test_silhouette_equals_scikit_learn(spread):
    x, labels = topics(120, spread=spread)
    result, each = label_fit(x, labels), silhouette_samples(x, labels, metric="cosine")
    assert result.silhouette == pytest.approx(silhouette_score(x, labels, metric="cosine"), abs=1e-5)
    for row, name in enumerate(result.names):
        assert result.silhouette_by_label[row] == pytest.approx(each[np.array(labels) == name].mean(), abs=1e-5)


def test_a_label_with_one_text_counts_as_zero_as_in_scikit_learn():
    x, labels = topics(31)
    labels[7] = "alone"
    result = label_fit(x, labels)
    assert result.silhouette == pytest.approx(silhouette_score(x, labels, metric="cosine"), abs=1e-5)
    assert result.silhouette_by_label[result.names.index("alone")] == 0
    assert result.purity_by_label[result.names.index("alone")] == 0
    assert result.chance_by_label[result.names.index("alone")] == 0


def test_purity_equals_a_slow_count():
    x, labels = topics(60, spread=3)
    result, near = label_fit(x, labels, k=4), neighbours(x, 4).indices
    slow = np.array([np.mean([labels[j] == labels[i] for j in near[i]]) for i in range(60)])
    assert result.purity == pytest.approx(slow.mean())
    for row, name in enumerate(result.names):
        assert result.purity_by_label[row] == pytest.approx(slow[np.array(labels) == name].mean())
    assert (result.k, result.asked, result.items) == (4, 60, 60)


def test_labels_apart_and_labels_at_random():
    x, labels = topics(300, spread=0.001)
    apart = label_fit(x, labels)
    assert (apart.silhouette, apart.purity) == pytest.approx((1, 1), abs=1e-3)
    mixed = label_fit(x, RNG.permutation(labels).tolist())
    assert mixed.silhouette == pytest.approx(0, abs=0.05)
    assert mixed.purity_by_label == pytest.approx(mixed.chance_by_label, abs=0.1)
    assert mixed.chance_by_label == pytest.approx(np.full(3, 99 / 299))


def test_unlabelled_texts_take_no_part():
    x, labels = topics(90, spread=3)
    known = [label if i % 4 else None for i, label in enumerate(labels)]
    kept = [i for i in range(90) if known[i] is not None]
    result, alone = label_fit(x, known).to_dict(), label_fit(x[kept], [labels[i] for i in kept]).to_dict()
    assert (result.pop("unlabelled"), alone.pop("unlabelled")) == (90 - len(kept), 0)
    assert result.pop("silhouette_by_label") == pytest.approx(alone.pop("silhouette_by_label"), abs=1e-6)
    assert result.pop("silhouette") == pytest.approx(alone.pop("silhouette"), abs=1e-6)
    assert result == alone


def test_given_groups_and_neighbours_are_used_where_they_fit():
    x, labels = topics(60, spread=3)
    plain = label_fit(x, labels, k=4).to_dict()
    assert label_fit(x, labels, k=4, groups=label_groups(x, labels), nearest=neighbours(x, 9)).to_dict() == plain
    assert label_fit(x, labels, k=4, nearest=neighbours(x, 2)).to_dict() == plain
    assert label_fit(x, labels, k=4, nearest=neighbours(x, 4, among=np.arange(30))).to_dict() == plain


def test_a_sample_of_texts_behind_the_purity_says_so():
    x, labels = topics(90, spread=3)
    result = label_fit(x, [*labels[:-1], "rare"], nearest=neighbours(x, 10, exact_up_to=10, sample=30, seed=1))
    assert (result.asked, result.items) == (30, 90)
    asked = neighbours(x, 10, exact_up_to=10, sample=30, seed=1).rows
    assert np.isnan(result.purity_by_label[result.names.index("rare")]) == (89 not in asked)
    json.dumps(result.to_dict(), allow_nan=False)


def test_rotation_order_and_scale_change_nothing():
    x, labels = topics(90, spread=2)
    rotation, _ = np.linalg.qr(RNG.normal(size=(8, 8)))
    order = RNG.permutation(90)
    plain = label_fit(x, labels)
    for other in (label_fit(x @ rotation * 9, labels), label_fit(x[order], [labels[i] for i in order])):
        assert other.silhouette_by_label == pytest.approx(plain.silhouette_by_label, abs=1e-5)
        assert other.purity == pytest.approx(plain.purity)


def test_blocks_and_memory_maps_change_nothing(monkeypatch, tmp_path):
    x, labels = topics(300, spread=2)
    np.save(tmp_path / "x.npy", x.astype(np.float32))
    whole = label_fit(x.astype(np.float32), labels)
    monkeypatch.setattr(vectors, "BLOCK_ROWS", 17)
    mapped = label_fit(np.load(tmp_path / "x.npy", mmap_mode="r"), labels)
    assert mapped.silhouette_by_label == pytest.approx(whole.silhouette_by_label, abs=1e-6)
    assert mapped.purity == whole.purity


def test_three_thousand_labels_equal_a_slow_loop():
    x, codes = RNG.normal(size=(4_000, 3)), np.arange(4_000) % 3_000  # the first thousand labels have two texts
    result = label_fit(x, [f"{code:04}" for code in codes])
    u = x / np.linalg.norm(x, axis=1, keepdims=True)
    means = np.array([u[codes == code].mean(axis=0) for code in range(3_000)])
    for code in (0, 1, 500, 999):
        widths = []
        for i, j in ((code, code + 3_000), (code + 3_000, code)):
            within, nearest = 1 - u[i] @ u[j], min(1 - u[i] @ np.delete(means, code, axis=0).T)
            widths.append((nearest - within) / max(within, nearest))
        assert result.silhouette_by_label[code] == pytest.approx(np.mean(widths), abs=1e-3)
    assert not result.silhouette_by_label[1_000:].any()
    assert result.silhouette == pytest.approx(2 * result.silhouette_by_label[:1_000].sum() / 4_000)


@pytest.mark.parametrize("labels", [["a", "b"], ["a", "b", "b"], ["a", "b", "a", "b"], list("aabb") * 100])
def test_all_the_same_vector_tells_nothing(labels):
    for vector in (np.ones(3), RNG.normal(size=384)):
        result = label_fit(np.tile(vector, (len(labels), 1)), labels)
        assert result.silhouette == 0
        assert not result.silhouette_by_label.any()


def test_copies_within_two_labels_are_perfect():
    result = label_fit(np.repeat(RNG.normal(size=(2, 50)), 4, axis=0), list("aaaabbbb"))
    assert result.silhouette == pytest.approx(1, abs=1e-5)
    assert result.k == 7


@pytest.mark.parametrize("d", [1, 2])
def test_few_dimensions(d):
    x = RNG.normal(size=(20, d))
    result = label_fit(x, ["a", "b"] * 10)
    expected = silhouette_score(x, ["a", "b"] * 10, metric="cosine")
    assert result.silhouette == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["a", "a", "a"], "at least two different labels, got 1"),
        ([None, None, None], "at least two different labels, got 0"),
        (["a", None, "a"], "at least two different labels, got 1"),
        (["a", "b"], "one label for each of 3 embeddings, got 2"),
    ],
)
def test_says_what_is_wrong_with_labels(labels, message):
    with pytest.raises(InputError, match=message):
        label_fit(np.eye(3), labels)


def test_refuses():
    with pytest.raises(InputError, match="The fit of labels needs at least 2 embeddings, got 1"):
        label_fit(np.ones((1, 3)), ["a"])
    with pytest.raises(InputError, match="k of at least 1, got 0"):
        label_fit(np.eye(3), ["a", "b", "b"], k=0)
    with pytest.raises(InputError, match="Embedding 1 has zero length"):
        label_fit(np.array([[1.0, 0], [0, 0]]), ["a", "b"])
