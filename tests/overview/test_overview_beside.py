"""Two encoders side by side: differences, their intervals, and what is not compared."""

import numpy as np
import pytest

from lib.errors import InputError
from lib.finetune.diff.space import space_diff
from lib.geometry import anisotropy, intrinsic_dimension
from lib.overview import NAMES, Pair, differences, made_answers
from lib.overview.beside import cosine_change, purity_change
from lib.retrieval import paired_test
from tests.query_spaces import made_set


def pair_of(first, second, labels=None):
    """Both with their dimensions."""
    return Pair((first, second), (intrinsic_dimension(first), intrinsic_dimension(second)), labels)


@pytest.fixture(scope="module")
def vectors():
    """80 texts of two labels, and the same with a common offset and more noise."""
    rng = np.random.default_rng(0)
    first = np.repeat(np.eye(12)[:2], 40, axis=0) + 0.2 * rng.normal(size=(80, 12))
    second = first + 0.6 * rng.normal(size=(80, 12)) + 0.5
    return first.astype("f4"), second.astype("f4")


LABELS = ("a",) * 40 + ("b",) * 40


def test_the_change_of_the_mean_cosine_is_exact_and_its_interval_that_of_the_diff(vectors):
    found = cosine_change(pair_of(*vectors))
    first, second = (anisotropy(side).mean_cosine for side in vectors)
    assert found.difference == pytest.approx(second - first, abs=1e-6)
    known = space_diff(*vectors, LABELS, shared=False).anisotropy.interval
    width = known[1] - known[0]
    assert found.interval == pytest.approx(known, abs=0.2 * width)
    assert found.verdict == "higher"


def test_an_encoder_beside_itself_differs_in_nothing(vectors):
    first, _ = vectors
    queries = made_set(10, 20)
    rng = np.random.default_rng(1)
    documents, asked = rng.normal(size=(20, 6)), rng.normal(size=(10, 6))
    _, answers = made_answers(queries, asked, documents, bm25=False)
    found = differences(pair_of(first, first, LABELS), (answers, answers))
    assert tuple(one.name for one in found) == NAMES
    compared = [one for one in found if one.difference is not None]
    assert [one.name for one in compared] == ["map", "anisotropy", "dimension", "ranks", "hard_negatives"]
    assert all(one.difference == pytest.approx(0, abs=1e-9) for one in compared)
    assert all(one.verdict == "not told apart" for one in compared)
    assert all(one.rule for one in found)


def test_noise_lowers_purity_and_ranking(vectors):
    found = purity_change(pair_of(*vectors, LABELS))
    assert found.verdict == "lower"
    assert found.interval[1] < 0
    rng = np.random.default_rng(2)
    documents = rng.normal(size=(40, 12))
    clear, noisy = documents[:30], documents[:30] + 3 * rng.normal(size=(30, 12))
    queries = made_set(30, 40)
    (_, one), (_, other) = (made_answers(queries, asked, documents, bm25=False) for asked in (clear, noisy))
    said = {difference.name: difference for difference in differences(None, (one, other))}
    test = paired_test(one.metrics, other.metrics, "ndcg@10")
    assert (said["ranks"].difference, said["ranks"].p_value) == (test.difference, test.p_value)
    assert said["ranks"].verdict == "lower"
    assert said["hard_negatives"].verdict == "higher"
    assert said["anisotropy"].verdict == "not compared"
    assert "no common scale" in said["outliers"].rule


def test_other_texts_or_queries_are_refused(vectors):
    first, second = vectors
    with pytest.raises(InputError, match="one has 80 vectors, the other 79"):
        differences(pair_of(first, second[1:]), None)
    rng = np.random.default_rng(0)
    sides = []
    for skip in (0, 2):
        queries = made_set(6, 9, skip=skip)
        sides.append(made_answers(queries, rng.normal(size=(6, 4)), rng.normal(size=(9, 4)), bm25=False)[1])
    with pytest.raises(InputError, match="different queries"):
        differences(None, tuple(sides))
