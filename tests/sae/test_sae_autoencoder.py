"""The dictionary itself: what fires, and what adds up."""

import numpy as np
import pytest

from lib.errors import InputError
from lib.sae import SparseAutoencoder
from tests.toy_sae import orthogonal_sae, planted, random_sae


def _by_hand(rule="topk", **given):
    """Two features over two dimensions, b_dec = (1, 0), b_enc = (0, -0.5)."""
    return SparseAutoencoder(
        np.array([[1.0, 0.0], [0.0, 2.0]]),
        np.array([0.0, -0.5]),
        np.eye(2),
        np.array([1.0, 0.0]),
        rule,
        **given,
    )


def test_pre_activations_are_the_formula_s():
    np.testing.assert_allclose(_by_hand(k=1).pre_activations(np.array([[3.0, 1.0]])), [[2.0, 1.5]])


def test_topk_keeps_the_largest():
    codes = _by_hand(k=1).encode(np.array([[3.0, 1.0], [1.5, 2.0]]))
    assert codes.features.tolist() == [0, 1]
    np.testing.assert_allclose(codes.activations, [2.0, 3.5])


def test_topk_keeps_nothing_below_zero():
    codes = _by_hand(k=2).encode(np.array([[0.0, 0.0], [2.0, 0.0]]))
    assert codes.active.tolist() == [0, 1]


def test_topk_gives_a_tie_to_the_first():
    sae = random_sae(d=4, n=6, k=2)
    same = SparseAutoencoder(
        np.tile(sae.encoder_weights[:, :1], (1, 6)),
        sae.encoder_bias,
        sae.decoder_weights,
        sae.decoder_bias,
        "topk",
        k=2,
    )
    vector = sae.encoder_weights[:, 0][None]
    assert same.encode(vector).features.tolist() == [0, 1]


def test_topk_ranks_by_what_it_is_told_to():
    sae = SparseAutoencoder(np.eye(2), np.zeros(2), np.eye(2), np.zeros(2), "topk", k=1, ranking=np.array([1.0, 3.0]))
    codes = sae.encode(np.array([[2.0, 1.0]]))
    assert codes.features.tolist() == [1]
    np.testing.assert_allclose(codes.activations, [1.0])


def test_jumprelu_fires_above_its_thresholds_only():
    sae = _by_hand("jumprelu", thresholds=np.array([1.0, 1.5]))
    assert sae.encode(np.array([[3.0, 1.0]])).features.tolist() == [0]  # 1.5 is not above 1.5


def test_a_threshold_below_zero_lets_nothing_below_zero_through():
    sae = _by_hand("batchtopk", k=1, thresholds=np.array([-5.0, -5.0]))
    assert sae.encode(np.array([[0.0, 0.0]])).active.tolist() == [0]


def test_codes_equal_a_dense_reference():
    sae, vectors = random_sae(), planted(m=200).vectors
    pre = np.maximum(sae.pre_activations(vectors), 0)
    kept = np.where(np.argsort(np.argsort(-pre, axis=1, kind="stable"), axis=1) < 4, pre, 0)
    np.testing.assert_allclose(sae.encode(vectors).matrix.toarray(), kept, atol=1e-6)


def test_reconstruction_is_decoded_codes_and_the_formula_s():
    sae, vectors = random_sae(), planted(m=50).vectors
    codes = sae.encode(vectors)
    np.testing.assert_array_equal(sae.reconstruct(vectors), sae.decode(codes))
    np.testing.assert_allclose(
        sae.decode(codes), codes.matrix.toarray() @ sae.decoder_weights + sae.decoder_bias, atol=1e-5
    )


def test_orthogonal_features_take_apart_exactly():
    vectors = np.abs(np.random.default_rng(0).normal(size=(9, 6))).astype(np.float32)
    np.testing.assert_allclose(orthogonal_sae().reconstruct(vectors), vectors, atol=1e-6)


def test_blocks_do_not_show(monkeypatch):
    sae, vectors = random_sae(), planted(m=100).vectors
    whole = sae.encode(vectors)
    monkeypatch.setattr("lib.sae.autoencoder._BLOCK", 48 * 7)
    told = []
    parts = sae.encode(vectors, progress=lambda done, of: told.append((done, of)))
    np.testing.assert_array_equal(parts.features, whole.features)
    np.testing.assert_allclose(parts.activations, whole.activations, rtol=1e-5)
    assert told[0] == (7, 100)
    assert told[-1] == (100, 100)


def test_no_texts_give_no_codes():
    codes = random_sae().encode(np.empty((0, 16), dtype=np.float32))
    assert len(codes) == 0
    assert random_sae().decode(codes).shape == (0, 16)


def test_codes_are_looked_at_by_text_and_by_feature():
    sae, vectors = random_sae(), planted(m=60).vectors
    codes = sae.encode(vectors)
    dense = codes.matrix.toarray()
    for feature in range(48):
        rows, values = codes.firing(feature)
        np.testing.assert_array_equal(rows, np.flatnonzero(dense[:, feature]))
        np.testing.assert_array_equal(values, dense[rows, feature])
    features, values = codes.of(7)
    np.testing.assert_array_equal(features, np.flatnonzero(dense[7]))
    np.testing.assert_array_equal(values, dense[7, features])


def test_a_selection_of_texts_keeps_their_codes():
    codes = random_sae().encode(planted(m=60).vectors)
    np.testing.assert_array_equal(codes.select(np.array([5, 2])).matrix.toarray(), codes.matrix.toarray()[[5, 2]])


def test_keys_part_dictionaries():
    assert random_sae(seed=0).key == random_sae(seed=0).key
    assert random_sae(seed=0).key != random_sae(seed=1).key
    assert random_sae(k=4).key != random_sae(k=5).key


@pytest.mark.parametrize(
    ("vectors", "sentence"),
    [
        (np.zeros((2, 5), np.float32), "16 dimensions apart, got 5"),
        (np.full((1, 16), np.nan, np.float32), "NaN or infinite"),
    ],
)
def test_vectors_that_do_not_fit_are_refused(vectors, sentence):
    with pytest.raises(InputError, match=sentence):
        random_sae().encode(vectors)


def test_codes_of_another_dictionary_are_refused():
    with pytest.raises(InputError, match="of 48 features; this dictionary has 6"):
        orthogonal_sae().decode(random_sae().encode(planted(m=3).vectors))


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"rule": "topk", "k": 0}, "keeps 1 to 2 of them, got k = 0"),
        ({"rule": "topk", "k": None}, "got k = None"),
        ({"rule": "topk", "k": 1, "thresholds": np.zeros(2)}, "has none of the thresholds"),
        ({"rule": "jumprelu"}, "needs the thresholds"),
        ({"rule": "jumprelu", "thresholds": np.zeros(3)}, r"thresholds of this SAE should have the shape \(2,\)"),
    ],
)
def test_a_dictionary_that_cannot_be_is_refused(given, sentence):
    with pytest.raises(InputError, match=sentence):
        _by_hand(**given)
