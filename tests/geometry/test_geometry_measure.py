"""All numbers at once: equal to each alone, without labels, memory-mapped, as JSON, in bounded memory."""

import json
import tracemalloc

import numpy as np
import pytest

from lib.errors import InputError
from lib.geometry import (
    anisotropy,
    concentration,
    hubness,
    intrinsic_dimension,
    label_fit,
    label_similarity,
    measure,
    uniformity,
)

RNG = np.random.default_rng(11)


def some(n, d=12):
    return (RNG.normal(size=(n, d)) + 0.5).astype(np.float32), [("a", "b", "c")[i % 3] for i in range(n)]


def test_shared_work_changes_no_number():
    x, labels = some(300)
    whole = measure(x, labels, seed=4).to_dict()
    assert whole["anisotropy"] == anisotropy(x, seed=4).to_dict()
    assert whole["dimension"] == intrinsic_dimension(x, seed=4).to_dict()
    assert whole["uniformity"] == uniformity(x, labels, seed=4).to_dict()
    assert whole["hubness"] == hubness(x, seed=4).to_dict()
    assert whole["concentration"] == concentration(x, seed=4).to_dict()
    assert whole["labels"] == label_fit(x, labels).to_dict()
    assert whole["similarity"] == label_similarity(x, labels).to_dict()


def test_settings_reach_their_measures():
    x, labels = some(200)
    result = measure(x, labels, max_pairs=500, k=4, seed=9)
    assert (result.anisotropy.pairs, result.uniformity.pairs) == (500, 500)
    assert (result.hubness.k, result.labels.k) == (4, 4)
    assert {result.anisotropy.seed, result.dimension.seed, result.hubness.seed, result.concentration.seed} == {9}
    assert result.to_dict() == measure(x, labels, max_pairs=500, k=4, seed=9).to_dict()


@pytest.mark.parametrize(
    ("labels", "fit", "similar"),
    [
        (None, False, False),
        ([None] * 12, False, False),
        (["a"] * 12, False, True),
        (["a", None] * 6, False, True),
        (["a", "b", None] * 4, True, True),
        (["a"] * 11 + ["b"], True, True),
        (tuple("abcdefghijkl"), True, True),
    ],
)
def test_labels_of_every_kind(labels, fit, similar):
    result = measure(some(12)[0], labels)
    assert (result.labels is not None, result.similarity is not None) == (fit, similar)
    json.dumps(result.to_dict(), allow_nan=False)


def test_thousands_of_labels_leave_out_their_square_alone():
    x, labels = some(3_500, 3)[0], [str(i % 3_000) for i in range(3_500)]
    result = measure(x, labels)
    assert result.similarity is None
    assert result.uniformity.alignment == uniformity(x, labels).alignment
    assert result.labels.to_dict() == label_fit(x, labels).to_dict()
    with pytest.raises(InputError, match="At most 2,000 different labels can be compared with each other, got 3,000"):
        label_similarity(x, labels)


@pytest.mark.parametrize("n", [3, 4, 11, 12, 40])
@pytest.mark.parametrize("d", [1, 2, 5])
def test_small_sets_have_defined_numbers(n, d):
    varied = RNG.normal(size=(n, d))
    for x in (varied, np.ones((n, d)), varied[np.arange(n) % 3], np.sign(varied)):
        json.dumps(measure(x, [str(i % 2) for i in range(n)]).to_dict(), allow_nan=False)


@pytest.mark.filterwarnings("error")
def test_odd_sets_raise_no_warnings():
    for x in (np.ones((12, 3)), np.eye(12), -np.ones((4, 1)), np.repeat(np.eye(4), 5, axis=0)):
        measure(x, ["a", "b"] * (len(x) // 2))


def test_memory_mapped_embeddings_give_the_same(tmp_path):
    x, labels = some(11_000, 8)  # beyond the size up to which every row is asked
    np.save(tmp_path / "x.npy", x)
    mapped = measure(np.load(tmp_path / "x.npy", mmap_mode="r"), labels)
    assert mapped.to_dict() == measure(x, labels).to_dict()
    assert not mapped.dimension.every_row
    assert mapped.labels.asked == 1_000


def test_one_unlabelled_text_costs_no_copy_of_the_corpus(tmp_path):
    n, d = 40_000, 64
    rows = np.lib.format.open_memmap(tmp_path / "x.npy", mode="w+", dtype=np.float64, shape=(n, d))
    rows[:] = RNG.normal(size=(n, d))
    labels = [None] + ["a", "b"] * (n // 2 - 1) + ["a"]
    corpus = np.load(tmp_path / "x.npy", mmap_mode="r")
    label_fit(corpus[:100], labels[:100])  # imports
    tracemalloc.start()
    label_fit(corpus, labels)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    small = 1_024 * 8_192 * 4 + 30e6  # a block of scores, and what each text needs
    assert peak < small + 0.5 * rows.nbytes


@pytest.mark.parametrize(
    ("embeddings", "labels", "message"),
    [
        (np.ones((2, 3)), None, "The Geometry page needs at least 3 embeddings, got 2"),
        (np.ones(3), None, r"got \(3,\)"),
        (np.diag([1.0, 1, 0, 1]), None, "Embedding 2 has zero length"),
        (np.diag([1.0, 1, np.nan, 1]), None, "Embedding 2 holds a value that is not finite"),
        (np.eye(4), ["a", "b"], "one label for each of 4 embeddings, got 2"),
        (np.eye(4), [], "one label for each of 4 embeddings, got 0"),
    ],
)
def test_says_what_is_wrong(embeddings, labels, message):
    with pytest.raises(InputError, match=message):
        measure(embeddings, labels)


def test_refuses_no_neighbours():
    with pytest.raises(InputError, match="k of at least 1, got 0"):
        measure(np.eye(4), k=0)
