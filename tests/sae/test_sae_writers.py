"""What writes a feature: sums, parts left out, what is usual, and when the two ways agree."""

import json

import numpy as np
import pytest

from lib.encoders import PACKAGED, Policy, open_encoder
from lib.errors import InputError, Stopped
from lib.sae.autoencoder import About
from lib.sae.circuits.agreement import agreement
from lib.sae.circuits.background import background
from lib.sae.circuits.corpus_writers import corpus_writers
from lib.sae.circuits.mean_terms import difference_of, mean_of
from lib.sae.circuits.writers import writers
from tests.toy_sae import random_sae

TEXT = "The patient presented with acute chest pain and elevated troponin levels."
CORPUS = ["A court heard the appeal.", TEXT, "Interest rates fell.", "", "The bank raised its forecast for the year."]


@pytest.fixture(scope="module")
def encoder():
    return open_encoder(PACKAGED, policy=Policy())


@pytest.fixture(scope="module")
def sae(encoder):
    about = About(name="small", encoder=PACKAGED, fingerprint=encoder.checkpoint.fingerprint)
    return random_sae(d=384, n=64, k=6, about=about)


@pytest.fixture(scope="module")
def fires(encoder, sae):
    """The strongest feature of the text."""
    codes = sae.encode(encoder.encode([TEXT]).vectors)
    return int(codes.features[codes.activations.argmax()])


@pytest.fixture(scope="module")
def beside(encoder, sae, fires):
    return background(encoder, sae, CORPUS, feature=fires)


def test_terms_and_constant_are_the_pre_activation(encoder, sae, fires):
    found = writers(encoder, sae, TEXT, feature=fires)
    vector = encoder.encode([TEXT]).vectors
    assert found.pre_activation == pytest.approx(float(sae.pre_activations(vector)[0, fires]), abs=1e-5)
    assert found.direct.sum() + found.constant == pytest.approx(found.pre_activation, abs=1e-5)
    assert abs(found.rest) < 1e-5
    assert found.activation == pytest.approx(found.pre_activation, abs=1e-6)  # it fires
    assert len(found.parts) == 13
    assert (found.kinds[0], found.parts[-1]) == ("embedding", "layer 6 feed-forward")
    assert found.usual is None
    json.dumps(found.to_dict(), allow_nan=False)


def test_a_part_is_left_out_as_by_hand(encoder, sae, fires):
    """The last feed-forward part without its output: what the norm after it makes of the stream before it."""
    import torch

    found = writers(encoder, sae, TEXT, feature=fires)
    dense = encoder.modules[0].model.encoder.layer[5].output.dense
    handle = dense.register_forward_hook(lambda _module, _args, output: torch.zeros_like(output))
    try:
        vector = encoder.encode([TEXT]).vectors
    finally:
        handle.remove()
    without = float(sae.pre_activations(vector)[0, fires])
    assert found.left_out[-1] == pytest.approx(found.pre_activation - without, abs=1e-5)
    activation = float(sae.encode(vector).matrix[0, fires])
    assert found.left_out_activation[-1] == pytest.approx(found.activation - activation, abs=1e-5)
    assert np.isnan(found.left_out[0])


def test_what_is_usual_is_the_mean_over_the_corpus(encoder, sae, fires, beside):
    assert (beside.texts, beside.of, beside.direct.shape) == (5, 5, (5, 13))
    each = [writers(encoder, sae, text, feature=fires) for text in CORPUS]
    np.testing.assert_allclose(beside.direct.mean(axis=0), np.mean([one.direct for one in each], axis=0), atol=1e-5)
    assert beside.constants.mean() == pytest.approx(np.mean([one.constant for one in each]), abs=1e-5)
    found = writers(encoder, sae, TEXT, feature=fires, beside=beside)
    np.testing.assert_array_equal(found.usual, beside.direct.mean(axis=0))
    assert (found.usual_low <= found.usual_high).all()
    fewer = [background(encoder, sae, CORPUS, feature=fires, most=2, seed=3) for _ in range(2)]
    assert fewer[0].texts == 2
    np.testing.assert_array_equal(fewer[0].direct, fewer[1].direct)


def test_another_value_in_its_place(encoder, sae, fires, beside):
    zero = writers(encoder, sae, TEXT, feature=fires, beside=beside)
    mean = writers(encoder, sae, TEXT, feature=fires, beside=beside, replacement="mean")
    np.testing.assert_array_equal(zero.direct, mean.direct)
    assert np.abs(zero.left_out - mean.left_out)[1:].max() > 1e-4
    assert mean.replacement == "mean"


def test_over_its_texts_the_means_are_those_of_the_texts(encoder, sae, fires, beside):
    """Two texts on which it fires and three on which it does not, each followed alone, and again with repetitions."""
    on = np.isin(np.arange(len(CORPUS)), [1, 3])
    told = []
    found = corpus_writers(
        encoder, sae, [*CORPUS, TEXT], feature=fires, fires=np.append(on, True), progress=lambda *now: told.append(now)
    )
    assert (found.firing, found.of_firing, found.silents, found.of_silent, found.left_out_texts) == (2, 2, 3, 3, 2)
    assert told[0] == (0, 5 + 5 * 13)
    assert told[-1] == (5 + 5 * 13,) * 2
    each = [writers(encoder, sae, text, feature=fires) for text in CORPUS]
    for name in ("direct", "left_out", "pre_activation", "constant"):
        values = np.array([getattr(one, name) for one in each])
        np.testing.assert_allclose(getattr(found, name), values[on].mean(axis=0), atol=1e-5)
    np.testing.assert_allclose(found.silent, np.mean([one.direct for one in np.array(each)[~on]], axis=0), atol=1e-5)
    gap = found.pre_activation - found.pre_activation_silent
    assert found.difference.sum() + found.constant - found.constant_silent == pytest.approx(gap, abs=1e-5)
    np.testing.assert_allclose(found.left_out_difference, found.left_out - found.left_out_silent)
    assert found.strongest.sum() == pytest.approx(1)
    mean = corpus_writers(encoder, sae, CORPUS, feature=fires, fires=on, beside=beside, replacement="mean")
    assert np.abs(found.left_out - mean.left_out)[1:].max() > 1e-4
    json.dumps(found.to_dict() | {"verdict": found.agreement.verdict}, allow_nan=False)


def test_a_sample_is_drawn_by_its_seed_and_one_text_has_no_interval(encoder, sae, fires):
    drawn = [
        corpus_writers(encoder, sae, CORPUS, feature=fires, fires=np.ones(5, bool), most=2, most_left_out=1, seed=seed)
        for seed in (0, 0, 1)
    ]
    assert (drawn[0].firing, drawn[0].of_firing, drawn[0].left_out_texts) == (2, 5, 1)
    np.testing.assert_array_equal(drawn[0].direct, drawn[1].direct)
    assert not np.allclose(drawn[0].direct, drawn[2].direct)
    assert drawn[0].silent is drawn[0].difference is drawn[0].half is None  # it fires on every text
    assert np.isfinite(drawn[0].direct_low).all()
    assert np.isnan(drawn[0].left_out_low).all()


def test_intervals_are_students_and_welchs():
    from scipy.stats import ttest_1samp, ttest_ind

    generator = np.random.default_rng(0)
    a, b = generator.normal(size=(7, 3)), generator.normal(1, 2, size=(9, 3))
    one, two = ttest_1samp(a, 0).confidence_interval(), ttest_ind(a, b, equal_var=False).confidence_interval()
    np.testing.assert_allclose(mean_of(a), [a.mean(axis=0), one.low, one.high])
    np.testing.assert_allclose(difference_of(a, b), [a.mean(axis=0) - b.mean(axis=0), two.low, two.high])
    same = difference_of(np.ones((2, 1)), np.zeros((3, 1)))
    assert [float(end[0]) for end in same] == [1, 1, 1]  # nothing varies


def test_a_feature_that_does_not_fire_loses_no_activation(encoder, sae):
    vector = encoder.encode([TEXT]).vectors
    silent = int(sae.pre_activations(vector)[0].argmin())
    found = writers(encoder, sae, TEXT, feature=silent)
    assert found.activation == 0
    assert (found.left_out_activation[1:] <= 0).all()
    assert found.others_count == 6


def test_the_two_ways_agree_by_the_rule():
    ascending = np.arange(1.0, 7.0)
    same = agreement(ascending, ascending**3, first=1)
    assert (same.correlation, same.verdict, same.opposed) == (pytest.approx(1), "agree", ())
    assert same.same_strongest
    assert same.furthest is None
    assert same.chance == pytest.approx(1 / 720, abs=0.003)  # all orders of six
    turned = agreement(ascending, -ascending, first=1)
    assert (turned.correlation, turned.verdict) == (pytest.approx(-1), "differ")
    assert turned.opposed == (1, 2, 3, 4, 5, 6)
    assert (turned.furthest, turned.furthest_ranks) == (1, (6, 1))
    unsure = agreement(ascending, -ascending, sure=np.arange(6) > 3, first=1)
    assert unsure.opposed == (5, 6)
    assert "intervals of both" in unsure.rule
    small = agreement(np.array([1.0, -0.01, 0.5]), np.array([1.0, 0.5, 0.2]))
    assert small.opposed == ()  # next to nothing has no sign
    flat = agreement(np.ones(4), ascending[:4])
    assert (flat.correlation, flat.chance, flat.verdict) == (None, None, "too few parts to say")


def test_what_cannot_be_asked_is_said(encoder, sae, beside):
    with pytest.raises(InputError, match="features 0 to 63, got 64"):
        writers(encoder, sae, TEXT, feature=64)
    with pytest.raises(InputError, match="no corpus was given"):
        writers(encoder, sae, TEXT, feature=1, replacement="mean")
    with pytest.raises(InputError, match="got 'noise'"):
        writers(encoder, sae, TEXT, feature=1, replacement="noise")
    with pytest.raises(InputError, match="measure them anew"):
        writers(encoder, sae, TEXT, feature=(beside.feature + 1) % 64, beside=beside)
    with pytest.raises(InputError, match="got 0 to draw"):
        background(encoder, sae, [], feature=1)
    with pytest.raises(Stopped, match="Stopped after 0 of 5"):
        background(encoder, sae, CORPUS, feature=1, should_stop=lambda: True)
    with pytest.raises(InputError, match="fires on none of the 5 texts"):
        corpus_writers(encoder, sae, CORPUS, feature=1, fires=np.zeros(5, bool))
    with pytest.raises(InputError, match="at least 1 text"):
        corpus_writers(encoder, sae, CORPUS, feature=1, fires=np.ones(5, bool), most=0)
    with pytest.raises(Stopped, match="Stopped after 0 of 70"):
        corpus_writers(encoder, sae, CORPUS, feature=1, fires=np.ones(5, bool), should_stop=lambda: True)
    with pytest.raises(InputError, match="16 dimensions"):
        writers(encoder, random_sae(), TEXT, feature=1)
