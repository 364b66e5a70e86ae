"""Health: what is in use, what is left unexplained, and what is double; closed forms and degenerate dictionaries."""

import importlib
import json
from dataclasses import replace

import numpy as np
import pytest

from lib.errors import InputError
from lib.sae.diagnostics import duplicates, health, unexplained
from lib.sae.diagnostics.health import alignment
from lib.sae.evaluation import evaluate_sae
from tests.toy_sae import codes_of, orthogonal_sae, random_sae


@pytest.fixture
def case():
    rng = np.random.default_rng(0)
    sae = random_sae(16, 48, 4)
    vectors = rng.normal(size=(300, 16)).astype(np.float32)
    return vectors, sae.encode(vectors), sae


def slow_fvu(vectors, sae, rows):
    left = vectors[rows] - sae.reconstruct(vectors[rows])
    return (left**2).sum() / ((vectors[rows] - vectors.mean(axis=0)) ** 2).sum()


def test_unexplained_variance_over_all_and_by_label(case):
    vectors, codes, sae = case
    labels = [None if row % 7 == 0 else "ab"[row % 2] for row in range(300)]
    found = unexplained(vectors, codes, sae, labels)
    assert found.total == pytest.approx(slow_fvu(vectors, sae, np.arange(300)), rel=1e-5)
    assert found.low < found.total < found.high
    for name, value, texts in zip(found.names, found.by_label, found.texts, strict=True):
        rows = [row for row in range(300) if labels[row] == name]
        assert texts == len(rows)
        assert value == pytest.approx(slow_fvu(vectors, sae, rows), rel=1e-5)
    assert list(found.by_label) == sorted(found.by_label, reverse=True)
    assert np.all((found.label_low < found.by_label) & (found.by_label < found.label_high))
    assert found.active == pytest.approx([4, 4])


def test_it_is_what_an_evaluation_says(case):
    vectors, codes, sae = case
    labels = ["ab"[row % 2] for row in range(300)]
    found, evaluated = unexplained(vectors, codes, sae, labels), evaluate_sae(sae, vectors, labels=labels)
    assert found.total == pytest.approx(evaluated.fvu)
    by_name = dict(zip(found.names, found.by_label, strict=True))
    assert [by_name[name] for name in evaluated.labels] == pytest.approx(evaluated.label_fvu)
    measured = health(vectors, codes, sae)
    assert measured.silent / 48 == evaluated.dead_share
    assert sorted(measured.always_on) == evaluated.always_on.tolist()


def test_a_perfect_dictionary_leaves_nothing(case):
    vectors = np.abs(case[0])
    sae = orthogonal_sae(16)
    assert unexplained(vectors, sae.encode(vectors), sae).total == pytest.approx(0, abs=1e-10)


def test_a_dictionary_that_says_nothing_leaves_all():
    vectors = np.random.default_rng(0).normal(size=(50, 6)).astype(np.float32)
    sae = replace(orthogonal_sae(6), decoder_bias=vectors.mean(axis=0))
    assert unexplained(vectors, codes_of(np.zeros((50, 6))), sae).total == pytest.approx(1, rel=1e-5)


def test_a_label_of_one_text_has_no_interval(case):
    vectors, codes, sae = case
    found = unexplained(vectors, codes, sae, ["alone", *["rest"] * 299])
    at = found.names.index("alone")
    assert np.isnan(found.label_low[at])
    assert found.texts[at] == 1


def test_features_in_use():
    activations = np.zeros((8, 5))
    activations[:, 0] = 1
    activations[:5, 1] = 1
    activations[:4, 2] = 1
    activations[0, 3] = 1
    vectors = np.random.default_rng(0).normal(size=(8, 5)).astype(np.float32)
    found = health(vectors, codes_of(activations), orthogonal_sae(5))
    assert found.counts.tolist() == [8, 5, 4, 1, 0]
    assert found.silent == 1
    assert found.always_on.tolist() == [0, 1]
    assert found.bin_edges.tolist() == [1, 2, 4, 8, 16]
    assert found.histogram.tolist() == [1, 0, 2, 1]
    assert found.dead == -1
    assert np.isnan(found.expected_silent)
    assert np.isnan(found.stability).all()
    assert found.mean_active == pytest.approx(18 / 8)
    json.dumps(found.to_dict(), allow_nan=False)


def test_how_many_would_be_silent_on_texts_like_those_of_training(case):
    vectors, codes, sae = case
    frequency = np.linspace(0, 0.1, 48)
    found = health(vectors, codes, sae, frequency=frequency, stability=np.full(48, 0.9))
    assert found.expected_silent == pytest.approx(((1 - frequency) ** 300).sum(), rel=1e-4)
    assert found.dead == 1
    assert found.stability == pytest.approx(np.full(48, 0.9))


def test_duplicates_are_those_of_the_whole_product(monkeypatch):
    monkeypatch.setattr(importlib.import_module("lib.sae.diagnostics.duplicates"), "_BLOCK", 7)
    sae = random_sae(16, 40)
    directions = sae.decoder_weights.copy()
    directions[31], directions[5] = directions[2], -directions[9]
    found = duplicates(replace(sae, decoder_weights=directions), threshold=0.6)
    cosines = directions @ directions.T
    np.fill_diagonal(cosines, -2)
    a, b = np.nonzero(np.triu(cosines >= 0.6))
    assert sorted(zip(found.a.tolist(), found.b.tolist(), strict=True)) == list(zip(a, b, strict=True))
    assert (found.a[0], found.b[0]) == (2, 31)
    assert found.cosine[0] == pytest.approx(1)
    assert np.all(np.diff(found.cosine) <= 0)
    assert found.nearest == pytest.approx(cosines.max(axis=1), abs=1e-6)


def test_random_directions_are_as_near_as_the_law_says():
    sae = random_sae(32, 600)
    found = duplicates(sae)
    assert found.nearest.mean() == pytest.approx(found.random, abs=0.01)
    assert len(found) == 0


def test_one_feature_has_no_neighbour():
    found = duplicates(orthogonal_sae(1))
    assert np.isnan(found.nearest).all()
    assert np.isnan(found.random)


def test_alignment_is_the_cosine_of_reading_and_writing():
    sae = random_sae(16, 48)
    assert alignment(sae) == pytest.approx(np.ones(48), abs=1e-5)
    reads = sae.encoder_weights.copy()
    reads[:, 3], reads[:, 4] = 0, -2 * reads[:, 4]
    found = alignment(replace(sae, encoder_weights=reads))
    assert np.isnan(found[3])
    assert found[4] == pytest.approx(-1)


@pytest.mark.parametrize(
    ("vectors", "asked", "sentence"),
    [
        (np.ones((1, 5)), {}, "at least 2 texts, got 1"),
        (np.ones((4, 5)), {}, "no variance to explain"),
        (np.ones((4, 6)), {}, "5 dimensions apart, got 6"),
        (np.eye(4, 5), {"labels": ["a"]}, "4 vectors do not go with"),
        (np.eye(4, 5), {"frequency": np.ones(3)}, "about 5 features"),
    ],
)
def test_what_cannot_be_measured(vectors, asked, sentence):
    with pytest.raises(InputError, match=sentence):
        health(vectors.astype(np.float32), codes_of(np.ones((len(vectors), 5))), orthogonal_sae(5), **asked)


def test_a_threshold_of_duplicates_that_is_none():
    with pytest.raises(InputError, match="got 0"):
        duplicates(orthogonal_sae(3), threshold=0)
