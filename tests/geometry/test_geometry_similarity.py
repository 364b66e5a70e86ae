"""Similarity of labels and texts: slow means over pairs, labels that lack pairs, even draws."""

import json
from collections import Counter

import numpy as np
import pytest

from lib.errors import InputError
from lib.geometry import label_similarity, similarity, text_similarity, vectors
from lib.geometry.similarity import label_codes, label_groups, label_sums

RNG = np.random.default_rng(8)


def units(x):
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def slow(x, labels, one, other):
    """Mean cosine over every pair of different texts, one of each label."""
    u = units(x)
    rows = [(i, j) for i, a in enumerate(labels) for j, b in enumerate(labels) if a == one and b == other and i != j]
    return np.mean([u[i] @ u[j] for i, j in rows])


def test_equals_slow_loops():
    x, labels = RNG.normal(size=(30, 4)) + 0.5, [["b", "a", None, "c", "a"][i % 5] for i in range(30)]
    result = label_similarity(x, labels)
    assert result.names == ("a", "b", "c")
    assert result.counts.tolist() == [12, 6, 6]
    assert (result.items, result.unlabelled) == (24, 6)
    for row, one in enumerate("abc"):
        for column, other in enumerate("abc"):
            assert result.means[row, column] == pytest.approx(slow(x, labels, one, other), abs=1e-6)
    u, known = units(x), [label is not None for label in labels]
    pairs = [(i, j) for i in range(30) for j in range(i) if known[i] and known[j]]
    within = np.mean([u[i] @ u[j] for i, j in pairs if labels[i] == labels[j]])
    between = np.mean([u[i] @ u[j] for i, j in pairs if labels[i] != labels[j]])
    assert result.mean_within == pytest.approx(within, abs=1e-6)
    assert result.mean_between == pytest.approx(between, abs=1e-6)


def test_orthogonal_labels():
    result = label_similarity(np.repeat(np.eye(3), 5, axis=0), [name for name in "xyz" for _ in range(5)])
    assert result.means == pytest.approx(np.eye(3), abs=1e-6)
    assert (np.abs(result.means) <= 1).all()
    assert (result.mean_within, result.mean_between) == pytest.approx((1, 0), abs=1e-6)


def test_rotation_order_and_scale_change_nothing():
    x, labels = RNG.normal(size=(60, 5)) + 0.5, np.array(["a", "b", "c"] * 20)
    rotation, _ = np.linalg.qr(RNG.normal(size=(5, 5)))
    order = RNG.permutation(60)
    plain = label_similarity(x, labels.tolist())
    for other in (
        label_similarity(x @ rotation * 4, labels.tolist()),
        label_similarity(x[order], labels[order].tolist()),
    ):
        assert other.means == pytest.approx(plain.means, abs=1e-6)


def test_blocks_and_memory_maps_change_nothing(monkeypatch, tmp_path):
    x, labels = RNG.normal(size=(300, 6)).astype(np.float32), ["a", "b", None] * 100
    np.save(tmp_path / "x.npy", x)
    whole = label_similarity(x, labels)
    monkeypatch.setattr(vectors, "BLOCK_ROWS", 17)
    mapped = label_similarity(np.load(tmp_path / "x.npy", mmap_mode="r"), labels)
    assert mapped.means == pytest.approx(whole.means, abs=1e-6)


def test_a_label_with_one_text_has_no_pairs_of_its_own():
    result = label_similarity(np.eye(3), ["a", "b", "b"])
    assert np.isnan(result.means[0, 0])
    assert result.means[1, 1] == pytest.approx(0)
    assert json.loads(json.dumps(result.to_dict(), allow_nan=False))["means"][0][0] is None


@pytest.mark.parametrize(
    ("labels", "within", "between"),
    [(["a", "a", "a"], True, False), (["a", "b", "c"], False, True), (["a", None, None], False, False)],
)
def test_what_has_no_pair_is_none(labels, within, between):
    result = label_similarity(np.ones((3, 2)), labels)
    assert (result.mean_within is not None, result.mean_between is not None) == (within, between)


def test_sums_of_parts_add_up():
    x, codes = RNG.normal(size=(50, 3)), RNG.integers(-1, 4, size=50)
    whole, counts = label_sums(x, codes, 4)
    head, tail = label_sums(x[:20], codes[:20], 4), label_sums(x[20:], codes[20:], 4)
    assert head[0] + tail[0] == pytest.approx(whole, abs=1e-5)
    assert (head[1] + tail[1] == counts).all()
    assert whole[2] == pytest.approx(units(x)[codes == 2].sum(axis=0), abs=1e-5)


def test_codes_number_the_sorted_labels():
    names, codes = label_codes(["pear", None, "apple", "pear"], 4)
    assert names == ("apple", "pear")
    assert codes.tolist() == [1, -1, 0, 1]


def test_groups_spare_a_second_pass():
    x, labels = RNG.normal(size=(20, 3)), ["a", "b"] * 10
    given = label_similarity(x, labels, groups=label_groups(x, labels))
    assert given.to_dict() == label_similarity(x, labels).to_dict()


def test_labels_refuse(monkeypatch):
    with pytest.raises(InputError, match="one label for each of 3 embeddings, got 2"):
        label_similarity(np.ones((3, 2)), ["a", "b"])
    with pytest.raises(InputError, match="no text has one: choose a label column"):
        label_similarity(np.ones((3, 2)), [None] * 3)
    with pytest.raises(InputError, match="Embedding 1 has zero length"):
        label_similarity(np.array([[1.0, 0], [0, 0]]), ["a", "b"])
    monkeypatch.setattr(similarity, "MOST_LABELS", 2)
    with pytest.raises(InputError, match=r"At most 2 different labels .* got 3: choose another column"):
        label_similarity(np.ones((3, 2)), ["a", "b", "c"])


def test_texts_are_ordered_by_label_and_compared():
    x, labels = RNG.normal(size=(9, 4)), ["b", None, "a"] * 3
    result = text_similarity(x, labels)
    assert result.names == ("a",) * 3 + ("b",) * 3 + ("",) * 3
    assert result.rows.tolist() == [2, 5, 8, 0, 3, 6, 1, 4, 7]
    u = units(x)[result.rows]
    assert result.cosines == pytest.approx(u @ u.T, abs=1e-6)
    assert (np.abs(result.cosines) <= 1).all()
    json.dumps(result.to_dict(), allow_nan=False)


def test_labels_share_the_draw_evenly_while_they_last():
    labels = ["a"] * 500 + ["b"] * 40 + ["c"] * 3
    result = text_similarity(RNG.normal(size=(543, 3)), labels, at_most=33, seed=1)
    assert Counter(result.names) == {"a": 15, "b": 15, "c": 3}
    assert len(set(result.rows)) == 33
    assert (result.items, result.seed) == (543, 1)


def test_the_draw_hangs_on_the_seed():
    x = RNG.normal(size=(500, 3))
    first, again, other = (text_similarity(x, at_most=20, seed=seed).rows for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_chosen_rows_are_taken_as_they_are():
    assert text_similarity(np.eye(5), rows=[4, 1]).rows.tolist() == [1, 4]


def test_texts_refuse():
    with pytest.raises(InputError, match="at least 1 embeddings, got 0"):
        text_similarity(np.ones((0, 3)))
    with pytest.raises(InputError, match="one label for each of 3 embeddings, got 1"):
        text_similarity(np.ones((3, 3)), ["a"])
    x = np.ones((6, 2))
    x[4] = 0
    with pytest.raises(InputError, match="Embedding 4 has zero length"):
        text_similarity(x, rows=[5, 4])
