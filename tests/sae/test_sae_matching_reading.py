"""What vectors tell of features: against scikit-learn, and with concepts that are there or not."""

import numpy as np
import pytest

from lib.errors import Stopped
from lib.sae.matching import read_features, reading
from tests.toy_sae import codes_of


@pytest.fixture(scope="module")
def concepts():
    """300 texts of twelve concepts each in four; vectors are sums of one direction a concept."""
    generator = np.random.default_rng(0)
    sparse = (generator.random((300, 12)) < 0.3) * generator.uniform(0.5, 1.5, (300, 12))
    return sparse, (sparse @ generator.normal(size=(12, 24))).astype(np.float32)


@pytest.mark.parametrize("width", [5, 80])
def test_estimates_are_those_of_scikit_learn(width):
    from sklearn.linear_model import Ridge

    generator = np.random.default_rng(0)
    x, y = generator.normal(size=(60, width)).astype(np.float32), generator.random((60, 7)) > 0.6
    out, kept = np.arange(20), np.arange(20, 60)
    fold = reading._Fold(x, out)
    found = fold.estimates(codes_of(y).matrix, 0.3)
    slow = Ridge(alpha=0.3 * fold.mean_variance).fit(x[kept].astype(float), y[kept]).predict(x[out])
    assert found == pytest.approx(slow, abs=1e-4)


def test_correlations_are_numpys():
    generator = np.random.default_rng(1)
    x, y = (
        generator.normal(size=(50, 6)).astype(np.float32),
        generator.random((50, 4)) * (generator.random((50, 4)) > 0.5),
    )
    folds = [reading._Fold(x, part) for part in np.array_split(np.arange(50), 5)]
    codes = codes_of(y).matrix
    guessed = np.concatenate([fold.estimates(codes, 1.0) for fold in folds])
    slow = [np.corrcoef(guessed[:, one], y[:, one])[0, 1] for one in range(4)]
    assert reading._held_out(folds, codes, 1.0) == pytest.approx(slow, abs=1e-5)


def test_vectors_tell_what_is_in_them(concepts):
    sparse, vectors = concepts
    turned = vectors @ np.linalg.qr(np.random.default_rng(2).normal(size=(24, 24)))[0].astype(np.float32)
    partly = (sparse[:, :8] @ np.random.default_rng(3).normal(size=(8, 10))).astype(np.float32)
    codes = codes_of(sparse)
    same, rotated, less = (read_features(codes, (vectors, other), fewest=5) for other in (vectors, turned, partly))
    assert same.told.all()
    assert np.array_equal(same.own, same.other)
    assert (same.kept == 1).all()
    assert rotated.read.all()
    assert rotated.other == pytest.approx(same.other, abs=1e-3)
    assert less.read.tolist() == [True] * 8 + [False] * 4
    assert (less.kept[8:] < 0.2).all()
    assert not less.by_chance.any()
    assert less.texts == same.texts == len(np.unique(sparse, axis=0))


def test_texts_that_are_equal_count_once_and_too_few_tell_nothing(concepts):
    sparse, vectors = concepts
    twice = read_features(codes_of(np.repeat(sparse, 2, axis=0)), (np.repeat(vectors, 2, axis=0),) * 2, fewest=5)
    assert twice.texts == len(np.unique(sparse, axis=0))
    few = read_features(codes_of(sparse[:19]), (vectors[:19], vectors[:19]), fewest=2)
    assert np.isnan(few.own).all()
    assert np.isnan(few.chance)
    assert not few.told.any()
    rare = read_features(codes_of(sparse), (vectors, vectors), fewest=200)
    assert np.isnan(rare.own).all()


def test_more_texts_than_are_needed_are_drawn_from(concepts, monkeypatch):
    sparse, vectors = concepts
    monkeypatch.setattr(reading, "MOST_TEXTS", 120)
    found = read_features(codes_of(sparse), (vectors, vectors), fewest=5, seed=3)
    assert found.texts == 120
    assert np.array_equal(found.own, read_features(codes_of(sparse), (vectors, vectors), fewest=5, seed=3).own)


def test_it_tells_how_far_it_is_and_stops(concepts):
    sparse, vectors = concepts
    heard = []
    read_features(codes_of(sparse), (vectors, vectors), fewest=5, progress=lambda *step: heard.append(step))
    assert (heard[0], heard[-1]) == ((0, 15), (15, 15))
    with pytest.raises(Stopped):
        read_features(codes_of(sparse), (vectors, vectors), fewest=5, should_stop=lambda: True)
