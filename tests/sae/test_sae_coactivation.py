"""Features that fire together: exact against a dense product, in parts, and with nothing to count."""

import numpy as np
import pytest

from lib.errors import InputError
from lib.sae import coactivation_blocks
from lib.sae.coactivation import coactivation_pairs, firing_counts
from tests.toy_sae import codes_of


def random_firings(m=300, n=40, seed=0):
    """Features of very different frequencies: some never fire, one always does."""
    rng = np.random.default_rng(seed)
    share = rng.beta(0.5, 3, size=n)
    share[:3], share[3] = 0, 1
    return (rng.random((m, n)) < share) * rng.uniform(0.1, 2, size=(m, n))


def dense_pairs(fires, *, min_support=1, min_both=1, min_conditional=0.0):
    """The slow way: every ordered pair, one at a time."""
    both = fires.T.astype(np.int64) @ fires
    counts = np.diag(both)
    return {
        (a, b): both[a, b]
        for a in range(len(counts))
        for b in range(len(counts))
        if a != b and counts[a] >= min_support and both[a, b] >= max(min_both, 1)
        if both[a, b] / counts[a] >= min_conditional
    }


def as_dict(found):
    return {(int(a), int(b)): int(both) for a, b, both in zip(found.a, found.b, found.both, strict=True)}


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"min_conditional": 0.8},
        {"min_support": 25, "min_conditional": 0.5},
        {"min_both": 7},
        {"min_conditional": 1},
    ],
)
@pytest.mark.parametrize("rows", [1, 3, 1_024])
def test_counts_are_those_of_a_dense_product(asked, rows, monkeypatch):
    monkeypatch.setattr(coactivation_blocks, "_MOST_ROWS", rows)
    activations = random_firings()
    found = coactivation_pairs(codes_of(activations), **asked)
    assert as_dict(found) == dense_pairs(activations > 0, **asked)
    assert found.texts == 300
    counts = (activations > 0).sum(axis=0)
    assert found.count_a.tolist() == counts[found.a].tolist()
    assert found.count_b.tolist() == counts[found.b].tolist()
    assert np.array_equal(np.lexsort((found.b, found.a)), np.arange(len(found)))


def test_shares_of_a_pair():
    activations = np.zeros((10, 3))
    activations[:4, 0] = activations[:5, 1] = 1
    activations[9, 1] = 1
    found = coactivation_pairs(codes_of(activations))
    assert as_dict(found) == {(0, 1): 4, (1, 0): 4}
    assert found.conditional.tolist() == [1, 4 / 6]
    assert found.reverse.tolist() == [4 / 6, 1]
    assert found.lift == pytest.approx([1 / 0.6, (4 / 6) / 0.4])
    assert found.jaccard == pytest.approx([4 / 6, 4 / 6])


def test_parts_of_a_corpus_add_up_to_the_whole():
    activations = random_firings()
    whole = coactivation_pairs(codes_of(activations), min_conditional=0.4)
    parts = [codes_of(activations[:1]), codes_of(activations[1:120]), codes_of(activations[120:])]
    assert coactivation_pairs(parts, min_conditional=0.4).to_dict() == whole.to_dict()
    assert firing_counts(parts).tolist() == firing_counts(codes_of(activations)).tolist()


def test_unordered_pairs_stand_once_where_either_direction_passes():
    activations = random_firings()
    passed = dense_pairs(activations > 0, min_conditional=0.7)
    found = coactivation_pairs(codes_of(activations), min_conditional=0.7, ordered=False)
    assert as_dict(found) == {(min(p), max(p)): both for p, both in passed.items()}


def test_only_some_features_take_part():
    activations = random_firings()
    firsts, seconds = np.arange(40) % 2 == 0, np.arange(40) % 3 == 0
    found = coactivation_pairs(codes_of(activations), firsts=firsts, seconds=seconds)
    every = dense_pairs(activations > 0)
    assert as_dict(found) == {p: both for p, both in every.items() if firsts[p[0]] and seconds[p[1]]}
    counts = (activations > 0).sum(axis=0) > 0
    assert found.looked_at == sum(
        bool(counts[a] and firsts[a] and counts[b] and seconds[b]) for a in range(40) for b in range(40) if a != b
    )


def test_the_order_of_texts_and_the_strength_change_nothing():
    activations = random_firings()
    shuffled = activations[np.random.default_rng(1).permutation(300)] * 7
    assert coactivation_pairs(codes_of(shuffled)).to_dict() == coactivation_pairs(codes_of(activations)).to_dict()


@pytest.mark.parametrize(
    ("activations", "pairs"),
    [
        (np.zeros((0, 5)), 0),
        (np.zeros((4, 5)), 0),
        (np.eye(5), 0),
        (np.ones((1, 5)), 20),
        (np.ones((4, 5)), 20),
        (np.ones((4, 1)), 0),
    ],
)
def test_degenerate_codes(activations, pairs):
    found = coactivation_pairs(codes_of(activations), min_conditional=0.8)
    assert len(found) == pairs
    assert np.all(found.conditional == 1)


def test_progress_is_told_to_the_end(monkeypatch):
    monkeypatch.setattr(coactivation_blocks, "_MOST_ROWS", 10)
    said = []
    coactivation_pairs(codes_of(np.ones((3, 35))), progress=lambda done, of: said.append((done, of)))
    assert said == [(10, 35), (20, 35), (30, 35), (35, 35)]


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"min_support": 0}, "at least 1 text"),
        ({"min_conditional": 1.2}, "between 0 and 1, got 1.2"),
        ({"most_pairs": 3}, "More than 3 pairs"),
    ],
)
def test_what_cannot_be_asked(asked, sentence):
    with pytest.raises(InputError, match=sentence):
        coactivation_pairs(codes_of(np.ones((4, 3))), **asked)


def test_parts_of_two_dictionaries():
    with pytest.raises(InputError, match="dictionaries of 3 and 4 features"):
        coactivation_pairs([codes_of(np.ones((2, 3))), codes_of(np.ones((2, 4)))])
    with pytest.raises(InputError, match="without codes"):
        coactivation_pairs([])
