"""Decomposition and contrast: parts that add up, by hand and by chance."""

import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from lib.errors import InputError
from lib.sae.decomposition import contrast, decompose
from tests.toy_sae import orthogonal_sae, planted, random_sae


def biased(sae, *, seed=0, scale=0.2):
    """The same dictionary with biases that are not zero."""
    generator = np.random.default_rng(seed)
    bias = scale * generator.normal(size=sae.dimensions)
    return replace(sae, decoder_bias=bias, encoder_bias=0.05 * generator.normal(size=sae.features))


def permuted(sae, order):
    """The same dictionary with its features in another order."""
    return replace(
        sae,
        encoder_weights=sae.encoder_weights[:, order],
        encoder_bias=sae.encoder_bias[order],
        decoder_weights=sae.decoder_weights[order],
    )


SAES = {
    "topk": lambda: biased(random_sae()),
    "one feature": lambda: biased(random_sae(k=1)),
    "jumprelu": lambda: replace(orthogonal_sae(16, bias=0.3), decoder_bias=np.full(16, 0.1)),
    "silent": lambda: replace(orthogonal_sae(16, bias=99.0), decoder_bias=np.full(16, 0.1)),
}


@pytest.fixture(params=list(SAES))
def sae(request):
    return SAES[request.param]()


@pytest.fixture(params=[1.0, 7.5], ids=["unit", "longer"])
def vectors(request):
    found = planted(8, seed=3, noise=0.2).vectors
    return request.param * found / np.linalg.norm(found, axis=1, keepdims=True)


def test_shares_add_up_to_one(sae, vectors):
    for vector in vectors:
        found = decompose(sae, vector)
        assert found.shares.sum() + found.bias_share + found.error_share == pytest.approx(1, abs=1e-12)
        assert found.features_share == pytest.approx(found.shares.sum())


def test_it_is_what_the_dictionary_says(sae, vectors):
    codes, rebuilt = sae.encode(vectors), sae.reconstruct(vectors).astype(np.float64)
    for row, vector in enumerate(vectors):
        found = decompose(sae, vector)
        features, activations = codes.of(row)
        assert dict(zip(found.features.tolist(), found.activations.tolist(), strict=True)) == dict(
            zip(features.tolist(), activations.tolist(), strict=True)
        )
        assert (np.diff(found.activations) <= 0).all()
        error = vector - rebuilt[row]
        assert found.error_norm == pytest.approx(np.linalg.norm(error), abs=1e-5)
        assert found.fvu == pytest.approx(error @ error / ((vector - sae.decoder_bias) ** 2).sum(), rel=1e-4)
        assert found.norm == pytest.approx(np.linalg.norm(vector))
        assert found.dictionary == sae.features


def test_by_hand():
    sae = orthogonal_sae(3, bias=0.5)
    found = decompose(sae, np.array([3.0, 0.4, 4.0], dtype=np.float32))
    square = 9 + 0.16 + 16
    assert found.features.tolist() == [2, 0]
    assert found.activations.tolist() == [4, 3]
    assert found.shares == pytest.approx([16 / square, 9 / square])
    assert found.bias_share == 0
    assert found.error_share == pytest.approx(0.16 / square)
    assert found.fvu == pytest.approx(0.16 / square)
    assert found.error_norm == pytest.approx(0.4)
    assert found.cosine == pytest.approx(5 / np.sqrt(square))


def test_shares_do_not_depend_on_the_length():
    """With no bias and no threshold, a longer vector has longer parts and the same shares."""
    sae, vector = random_sae(), planted(1).vectors[0]
    short, long = decompose(sae, vector), decompose(sae, 4 * vector)
    assert short.features.tolist() == long.features.tolist()
    assert long.shares == pytest.approx(short.shares, abs=1e-6)
    assert (long.cosine, long.fvu) == pytest.approx((short.cosine, short.fvu), abs=1e-6)


def test_the_order_of_features_does_not_matter(vectors):
    sae = SAES["topk"]()
    order = np.random.default_rng(1).permutation(sae.features)
    other = permuted(sae, order)
    for a, b in pairwise(vectors):
        one, two = decompose(sae, a), decompose(other, a)
        assert order[two.features].tolist() == one.features.tolist()
        assert two.shares == pytest.approx(one.shares, abs=1e-6)
        assert two.error_share == pytest.approx(one.error_share, abs=1e-6)
        first, second = contrast(sae, a, b), contrast(other, a, b)
        of_first = dict(zip(first.features.tolist(), first.both.contributions, strict=True))
        of_second = dict(zip(order[second.features].tolist(), second.both.contributions, strict=True))
        assert of_first.keys() == of_second.keys()
        assert [of_first[f] for f in of_first] == pytest.approx([of_second[f] for f in of_first], abs=1e-6)
        assert second.meetings.same == pytest.approx(first.meetings.same, abs=1e-6)


def test_equals_stand_by_their_number():
    assert decompose(orthogonal_sae(5), np.ones(5, np.float32)).features.tolist() == [0, 1, 2, 3, 4]


def test_where_no_feature_fires_all_is_bias_and_error(vectors):
    found = decompose(SAES["silent"](), vectors[0])
    assert len(found.features) == len(found.shares) == 0
    assert found.bias_share + found.error_share == pytest.approx(1)
    assert found.fvu == pytest.approx(1)


def test_the_bias_itself_has_no_fvu():
    sae = replace(orthogonal_sae(4, bias=5.0), decoder_bias=np.ones(4))
    found = decompose(sae, np.ones(4, np.float32))
    assert found.fvu is None
    assert found.cosine == pytest.approx(1)
    assert found.bias_share == pytest.approx(1)


def test_a_reconstruction_of_zero_has_no_direction():
    assert decompose(orthogonal_sae(4, bias=5.0), np.ones(4, np.float32)).cosine == 0


@pytest.mark.parametrize("measure", [decompose, lambda sae, x: contrast(sae, x, np.ones(16, np.float32))])
def test_what_cannot_be_taken_apart_is_refused(measure):
    sae = random_sae()
    with pytest.raises(InputError, match="embedding is zero"):
        measure(sae, np.zeros(16, np.float32))
    with pytest.raises(InputError, match="16 dimensions apart, got 5"):
        measure(sae, np.ones(5, np.float32))
    with pytest.raises(InputError, match="NaN"):
        measure(sae, np.full(16, np.nan, np.float32))


def test_contributions_add_up_to_the_cosine(sae, vectors):
    for a, b in pairwise(vectors):
        found = contrast(sae, a, b)
        wide_a, wide_b = a.astype(np.float64), b.astype(np.float64)
        cosine = wide_a @ wide_b / np.linalg.norm(wide_a) / np.linalg.norm(wide_b)
        assert found.cosine == pytest.approx(cosine, abs=1e-12)
        for way in (found.through_a, found.through_b, found.both):
            assert way.contributions.sum() + way.bias + way.error == pytest.approx(cosine, abs=1e-9)
        met = found.meetings
        assert met.same + met.different + met.bias + met.error == pytest.approx(cosine, abs=1e-9)


def test_attribution_is_that_of_the_definition(vectors):
    """q . d = sum_f a_f(q) (direction_f . d) + b_dec . d + error(q) . d, by a loop."""
    sae = SAES["topk"]()
    q, d = vectors[0].astype(np.float64), vectors[1].astype(np.float64)
    found = contrast(sae, vectors[0], vectors[1])
    features, activations = sae.encode(vectors[:1]).of(0)
    error, length = q - sae.decoder_bias, np.linalg.norm(q) * np.linalg.norm(d)
    expected = dict.fromkeys(found.features.tolist(), 0.0)
    for feature, activation in zip(features.tolist(), activations, strict=True):
        expected[feature] = activation * (sae.decoder_weights[feature] @ d) / length
        error = error - activation * sae.decoder_weights[feature]
    assert found.through_a.contributions == pytest.approx(list(expected.values()), abs=1e-6)
    assert found.through_a.bias == pytest.approx(sae.decoder_bias @ d / length, abs=1e-6)
    assert found.through_a.error == pytest.approx(error @ d / length, abs=1e-6)


def test_meetings_by_a_loop(vectors):
    sae = SAES["topk"]()
    found = contrast(sae, vectors[0], vectors[1])
    codes, length = sae.encode(vectors[:2]), np.linalg.norm(vectors[0]) * np.linalg.norm(vectors[1])
    parts = {
        (f, g): of_f * of_g * float(sae.decoder_weights[f] @ sae.decoder_weights[g]) / length
        for f, of_f in zip(*(part.tolist() for part in codes.of(0)), strict=True)
        for g, of_g in zip(*(part.tolist() for part in codes.of(1)), strict=True)
    }
    assert found.meetings.same == pytest.approx(sum(part for (f, g), part in parts.items() if f == g), abs=1e-6)
    assert found.meetings.different == pytest.approx(sum(part for (f, g), part in parts.items() if f != g), abs=1e-6)
    assert len(found.meetings.pairs) == min(20, len(parts))
    for (f, g), part in zip(found.meetings.pairs.tolist(), found.meetings.parts, strict=True):
        assert parts[f, g] == pytest.approx(part, abs=1e-6)
    assert (np.diff(np.abs(found.meetings.parts)) <= 1e-12).all()


def test_it_is_symmetric(vectors):
    sae = SAES["topk"]()
    one, two = contrast(sae, vectors[0], vectors[1]), contrast(sae, vectors[1], vectors[0])
    assert one.features.tolist() == two.features.tolist()
    assert one.activations_a.tolist() == two.activations_b.tolist()
    assert one.both.contributions == pytest.approx(two.both.contributions, abs=1e-12)
    assert one.through_a.contributions == pytest.approx(two.through_b.contributions, abs=1e-12)
    assert one.both.error == pytest.approx(two.both.error, abs=1e-12)


def test_a_text_with_itself_is_its_decomposition(sae, vectors):
    """Nothing differs, the cosine is 1, and contributions are the shares."""
    alone, found = decompose(sae, vectors[0]), contrast(sae, vectors[0], vectors[0])
    assert found.cosine == pytest.approx(1, abs=1e-6)
    assert not found.differing().any()
    assert not (found.only_a | found.only_b).any()
    shares = dict(zip(alone.features.tolist(), alone.shares, strict=True))
    assert found.both.contributions == pytest.approx([shares[f] for f in found.features.tolist()], abs=1e-9)
    assert (found.both.bias, found.both.error) == pytest.approx((alone.bias_share, alone.error_share), abs=1e-9)


def test_what_differs():
    sae = orthogonal_sae(5)
    found = contrast(sae, np.array([1, 2, 0, 1, 0.5], np.float32), np.array([1, 0, 3, 1.5, 1], np.float32))
    assert found.features.tolist() == [2, 1, 3, 4, 0]  # by the difference of activations
    assert found.only_a.tolist() == [False, True, False, False, False]
    assert found.only_b.tolist() == [True, False, False, False, False]
    assert found.shared.tolist() == [False, False, True, True, True]
    assert found.differing().tolist() == [True, True, False, True, False]
    assert found.differing(1.2).tolist() == [True, True, True, True, False]


def test_contrast_does_not_depend_on_lengths():
    sae, (a, b) = random_sae(), planted(2).vectors
    one, two = contrast(sae, a, b), contrast(sae, 3 * a, b / 2)
    assert one.cosine == pytest.approx(two.cosine, abs=1e-6)
    of_one = dict(zip(one.features.tolist(), one.both.contributions, strict=True))
    of_two = dict(zip(two.features.tolist(), two.both.contributions, strict=True))
    assert of_one.keys() == of_two.keys()
    assert all(of_one[f] == pytest.approx(of_two[f], abs=1e-6) for f in of_one)


def test_where_neither_fires(vectors):
    found = contrast(SAES["silent"](), vectors[0], vectors[1])
    assert len(found.features) == 0
    assert found.meetings.pairs.shape == (0, 2)
    assert found.both.bias + found.both.error == pytest.approx(found.cosine)


def test_results_are_json(vectors):
    sae = SAES["topk"]()
    for found in (decompose(sae, vectors[0]), contrast(sae, vectors[0], vectors[1])):
        json.dumps(found.to_dict(), allow_nan=False)
