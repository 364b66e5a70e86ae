"""Sums over states: merging, weights, and the likeness that follows from them."""

import itertools

import numpy as np
import pytest

from lib.layers.similarity import cka_between, cka_with_output, neighbour_overlap, varies
from lib.layers.sums import state_sums, tally

RNG = np.random.default_rng(2)


def unit(array):
    return array / np.linalg.norm(array, axis=1, keepdims=True)


def some_states(n=30, sizes=(5, 7, 4)):
    """Unit states at three depths of different sizes, the later built on the earlier."""
    first = unit(RNG.normal(size=(n, sizes[0])) + 0.5)
    second = unit(first @ RNG.normal(size=(sizes[0], sizes[1])))
    return first, second, unit(second @ RNG.normal(size=(sizes[1], sizes[2])) + 0.1 * RNG.normal(size=(n, sizes[2])))


def some_counts(n=30, labels=3):
    return RNG.integers(0, 3, size=(n, labels + 1)) + np.eye(n, labels + 1, dtype=np.int64)


def flat(sums):
    """All arrays of sums."""
    parts = [array for moments in sums.moments for array in (moments.total, moments.scatter)]
    return [*parts, *sums.cross, *sums.by_label, sums.label_counts]


@pytest.mark.parametrize("cuts", [(10,), (1, 2, 29), (7, 14, 21)])
def test_parts_add_up_to_the_whole_in_any_order(cuts):
    states, counts = some_states(), some_counts()
    counts[:, 0] += counts.sum(axis=1) == 0  # every text at least once
    whole = state_sums(states, counts)
    parts = [
        state_sums(tuple(state[start:stop] for state in states), counts[start:stop])
        for start, stop in itertools.pairwise((0, *cuts, 30))
    ]
    forwards, backwards = parts[0], parts[-1]
    for part in parts[1:]:
        forwards = forwards + part
    for part in parts[-2::-1]:
        backwards = backwards + part
    for merged in (forwards, backwards):
        assert merged.n == whole.n
        for ours, theirs in zip(flat(merged), flat(whole), strict=True):
            np.testing.assert_allclose(ours, theirs, atol=1e-10)


def test_counts_are_repetitions():
    states, counts = some_states(), some_counts()
    counts[:, 0] += counts.sum(axis=1) == 0
    weighted = state_sums(states, counts)
    times = counts.sum(axis=1)
    columns = np.concatenate([np.repeat(np.arange(4), row) for row in counts])
    repeated = state_sums(tuple(np.repeat(state, times, axis=0) for state in states), np.eye(4, dtype=int)[columns])
    for ours, theirs in zip(flat(weighted), flat(repeated), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-10)


def test_tally_counts_every_text_under_its_label():
    place = np.array([0, 1, 0, 2, 2, 2, 0])
    codes = np.array([1, -1, 1, 0, 1, 0, -1])
    counted = tally(place, codes, 2)
    assert counted.of(np.array([0, 1, 2])).tolist() == [[1, 0, 2], [1, 0, 0], [0, 2, 1]]
    assert counted.of(np.array([2, 0])).tolist() == [[0, 2, 1], [1, 0, 2]]
    assert tally(place, np.full(7, -1), 0).of(np.array([0, 2])).tolist() == [[3], [3]]


def gram_cka(x, y):
    """Linear CKA of centred Gram matrices (HSIC), the independent way."""
    centre = np.eye(len(x)) - 1 / len(x)
    k, m = centre @ x @ x.T @ centre, centre @ y @ y.T @ centre
    return (k * m).sum() / np.sqrt((k * k).sum() * (m * m).sum())


def test_cka_from_sums_equals_hsic():
    states = some_states()
    cka, _ = cka_with_output(state_sums(states, np.ones((30, 1), dtype=int)))
    np.testing.assert_allclose(cka, [gram_cka(state, states[-1]) for state in states], atol=1e-10)
    assert cka[-1] == pytest.approx(1)


def test_cka_of_a_sample_equals_hsic():
    states = some_states(n=300)  # more rows than one block
    expected = [[gram_cka(one, other) for one in states] for other in states]
    found = cka_between([state.astype(np.float32) for state in states], [True] * 3)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_the_baseline_is_the_mean_over_all_pairings():
    states = some_states(n=6)
    _, chance = cka_with_output(state_sums(states, np.ones((6, 1), dtype=int)))
    for depth, state in enumerate(states):
        every = [gram_cka(state, states[-1][list(order)]) for order in itertools.permutations(range(6))]
        assert chance[depth] == pytest.approx(np.mean(every))


def test_rotation_changes_no_cka():
    first, _, last = some_states()
    rotation, _ = np.linalg.qr(RNG.normal(size=(4, 4)))
    ones = np.ones((30, 1), dtype=int)
    plain, _ = cka_with_output(state_sums((first, last), ones))
    turned, _ = cka_with_output(state_sums((first, last @ rotation), ones))
    np.testing.assert_allclose(plain, turned, atol=1e-10)
    assert cka_with_output(state_sums((last, last @ rotation), ones))[0][0] == pytest.approx(1)


def test_states_that_are_all_the_same_have_no_cka():
    states = some_states()
    same = np.repeat(states[0][:1], 30, axis=0)
    sums = state_sums((same, *states), np.ones((30, 1), dtype=int))
    assert [varies(moments) for moments in sums.moments] == [False, True, True, True]
    cka, chance = cka_with_output(sums)
    assert np.isnan([cka[0], chance[0]]).all()
    assert np.isfinite(cka[1:]).all()
    alone, _ = cka_with_output(state_sums((*states, same), np.ones((30, 1), dtype=int)))
    assert np.isnan(alone).all()


def test_neighbour_overlap_counts_shared_neighbours():
    states = [state.astype(np.float32) for state in some_states(n=60)]
    result = neighbour_overlap(states, [True] * 3, k=5)
    lists = []
    for state in states:
        cosines = state.astype(float) @ state.T
        np.fill_diagonal(cosines, -2)
        lists.append(np.argsort(-cosines, axis=1)[:, :5])
    expected = [np.mean([len(set(a) & set(b)) / 5 for a, b in zip(found, lists[-1], strict=True)]) for found in lists]
    np.testing.assert_allclose(result.overlap, expected)
    assert (result.k, result.chance) == (5, pytest.approx(5 / 59))


@pytest.mark.parametrize(("m", "k"), [(2, 1), (3, 1), (5, 1), (9, 2), (41, 10), (400, 10)])
def test_few_texts_lower_k(m, k):
    state = unit(RNG.normal(size=(m, 4))).astype(np.float32)
    result = neighbour_overlap([state, state], [True, True], k=10)
    assert (result.k, result.chance) == (k, pytest.approx(k / (m - 1)))
    np.testing.assert_allclose(result.overlap, 1)


def test_one_text_has_no_neighbours():
    result = neighbour_overlap([np.ones((1, 3), np.float32)] * 2, [False, False], k=10)
    assert result.k == 0
    assert np.isnan([*result.overlap, result.chance]).all()
    assert result.nearest == (None, None)


def test_unrelated_states_agree_as_chance_does():
    ones = np.ones((400, 1), dtype=int)
    states = tuple(unit(RNG.normal(size=(400, 50))) for _ in range(2))
    cka, chance = cka_with_output(state_sums(states, ones))
    assert cka[0] == pytest.approx(chance[0], rel=0.05)
    assert chance[0] > 0.1  # far from 0: that is why it is shown
    found = neighbour_overlap([state.astype(np.float32) for state in states], [True, True], k=10)
    assert found.overlap[0] == pytest.approx(found.chance, abs=0.015)
