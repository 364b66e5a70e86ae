"""Traces and births: by hand on made-up states, against the dictionary, and over a corpus."""

from dataclasses import replace

import numpy as np
import pytest

from lib.encoders import PACKAGED, Policy, open_encoder
from lib.errors import InputError, Stopped
from lib.sae import About
from lib.sae.circuits import births as births_module
from lib.sae.circuits.births import births
from lib.sae.circuits.lens import Lens, raw_lens
from lib.sae.circuits.shelved import births_inputs, states_inputs
from lib.sae.circuits.states import States, pooled_states
from lib.sae.circuits.trace import trace
from lib.sae.decomposition import decompose
from tests.toy_sae import orthogonal_sae, random_sae

DEPTHS = ("embedding", "layer 1", "layer 2", "layer 3")
TEXT = "the patient was given aspirin"


@pytest.fixture(scope="module")
def encoder():
    return open_encoder(PACKAGED, policy=Policy())


@pytest.fixture(scope="module")
def sae(encoder):
    about = About(encoder=encoder.checkpoint.source, fingerprint=encoder.checkpoint.fingerprint)
    return random_sae(d=384, n=256, k=24, about=about)


def states_of(vectors):
    """States whose readings under the raw lens are `vectors`, shape (depths, texts, d)."""
    array = np.asarray(vectors, dtype=np.float32)
    return States(DEPTHS[: len(array)], np.arange(array.shape[1]), array, array)


def raw(depths=4):
    return Lens("raw", "me", DEPTHS[:depths])


def test_a_trace_by_hand():
    vectors = [
        [[-1, 2, 0.5, 0, 0, 0, 0]],
        [[1, 0, 0, 0, 0, 0, 0]],
        [[2, 1, 1, 2, 3, 4, 5]],
        [[4, 3, 0, 0, 0, 0, -1]],
    ]
    found = trace(orthogonal_sae(7), raw(), states_of(vectors), text="t", feature=0)
    np.testing.assert_allclose(found.activations, [0, 1, 2, 4])
    np.testing.assert_allclose(found.pre_activations, [-1, 1, 2, 4])
    np.testing.assert_allclose(found.growth, [1, 1, 2])
    assert found.coactive.tolist() == [
        [1, 2, -1, -1, -1],
        [-1] * 5,
        [6, 5, 4, 3, 1],  # equals by their number
        [1, -1, -1, -1, -1],
    ]
    np.testing.assert_allclose(found.coactive_activations[2], [5, 4, 3, 2, 1])
    assert found.active.tolist() == [2, 1, 7, 2]
    np.testing.assert_allclose(found.totals, [2.5, 1, 18, 7])
    np.testing.assert_allclose(found.fvu, [1 / 5.25, 0, 0, 1 / 26], atol=1e-6)
    assert (found.peak, found.total_gain, found.growth_steps) == (3, 4, 3)
    assert (found.verdict, found.depths[found.peak]) == ("structural", "layer 3")
    assert found.to_dict()["depths"] == list(DEPTHS)


def test_a_feature_that_is_silent_and_a_reading_that_is_the_bias():
    vectors = [[[0, 0, 0]], [[0, 1, 0]]]
    found = trace(orthogonal_sae(3), raw(2), states_of(vectors), text="t", feature=2)
    assert (found.verdict, found.peak, found.total_gain, found.growth_steps) == ("silent", 0, 0, 0)
    assert np.isnan(found.fvu[0])
    assert found.to_dict()["fvu"] == [None, 0.0]


def test_one_of_several_texts_and_features_that_there_are_not():
    vectors = np.random.default_rng(0).normal(size=(4, 3, 6))
    one = trace(orthogonal_sae(), raw(), states_of(vectors[:, [2]]), text="t", feature=1)
    assert trace(orthogonal_sae(), raw(), states_of(vectors), text="t", feature=1, row=2).to_dict() == one.to_dict()
    with pytest.raises(InputError, match="features 0 to 5, got 6"):
        trace(orthogonal_sae(), raw(), states_of(vectors), text="t", feature=6)


def test_a_verdict_that_hangs_on_the_length_of_the_guesses():
    vectors = np.array([[[0.5, 0, 0]], [[0.6, 0, 0.05]], [[1, 0, 0]]], dtype=np.float32)
    maps, offsets = np.stack([0.4 * np.eye(3, dtype=np.float32)] * 2), np.zeros((2, 3), np.float32)
    lens = Lens("tuned", "me", DEPTHS[:3], maps, offsets, unit=True)
    found = trace(orthogonal_sae(3), lens, states_of(vectors), text="t", feature=0)
    np.testing.assert_allclose(found.lengths, [0.2, 0.4 * np.hypot(0.6, 0.05), 1], rtol=1e-6)
    assert (found.verdict, found.as_guessed) == ("from the start", "late-binding")
    plain = trace(orthogonal_sae(3), replace(lens, unit=False), states_of(vectors), text="t", feature=0)
    assert (plain.lengths, plain.as_guessed, plain.verdict) == (None, None, "late-binding")


def test_what_births_and_states_depend_on(encoder, sae):
    checkpoint, lens = encoder.checkpoint, raw_lens(encoder.checkpoint)
    given = {"precision": "float32", "sae": sae, "lens": lens}
    usual = births_inputs(["a", "b"], checkpoint, **given)
    assert births_inputs(["a", "b"], checkpoint, **given, most=2) == usual
    tuned = replace(lens, kind="tuned", maps=np.zeros((6, 2, 2), np.float32), offsets=np.zeros((6, 2), np.float32))
    others = [
        births_inputs(["a", "c"], checkpoint, **given),
        births_inputs(["a", "b"], checkpoint.with_prompts(document="d: "), **given),
        births_inputs(["a", "b"], checkpoint, **given | {"precision": "bfloat16"}),
        births_inputs(["a", "b"], checkpoint, **given | {"sae": orthogonal_sae()}),
        births_inputs(["a", "b"], checkpoint, **given | {"lens": tuned}),
        births_inputs(["a", "b"], checkpoint, **given | {"lens": replace(tuned, unit=True)}),
        births_inputs(["a", "b"], checkpoint, **given, least=3),
        births_inputs(["a", "b"], checkpoint, **given, most=1),
        births_inputs(["a", "b"], checkpoint, **given, seed=1),
    ]
    assert usual not in others
    assert states_inputs("a", checkpoint, precision="float32") != states_inputs("b", checkpoint, precision="float32")


def test_the_last_depth_is_the_texts_decomposition(encoder, sae):
    apart = decompose(sae, encoder.encode([TEXT]).vectors[0])
    strongest = int(apart.features[0])
    states = pooled_states(encoder, ["another text, longer than that one", TEXT])
    found = trace(sae, raw_lens(encoder.checkpoint), states, text=TEXT, feature=strongest, row=1)
    assert found.activations[-1] == pytest.approx(apart.activations[0], abs=1e-5)
    assert found.coactive[-1].tolist() == apart.features[1:6].tolist()
    assert found.fvu[-1] == pytest.approx(apart.fvu, abs=1e-5)


def planted(monkeypatch):
    """Twenty texts of which feature 0 is known from layer 1 on, 1 at the output alone, 2 before it alone."""
    vectors = np.zeros((4, 20, 4))
    vectors[1:, :12, 0] = 1.0
    vectors[2, 12:, 0] = 1.0  # also where it does not belong
    vectors[3, :10, 1] = 2.0
    vectors[1, :15, 2] = 1.0
    vectors[3, :3, 3] = 1.0

    def batches(encoder, texts, **options):
        rows = np.array([int(text) for text in texts])
        for some in np.array_split(np.random.default_rng(0).permutation(len(rows)), 3):
            yield replace(states_of(vectors[:, rows[some]]), rows=some)

    monkeypatch.setattr(births_module, "state_batches", batches)
    return [str(number) for number in range(20)]


def test_births_of_planted_features(encoder, monkeypatch):
    texts = planted(monkeypatch)
    sae = orthogonal_sae(4, about=About(fingerprint=encoder.checkpoint.fingerprint))
    monkeypatch.setattr(births_module, "check_fit", lambda *_: None)
    lens = replace(raw(), encoder=encoder.checkpoint.fingerprint)
    told = []
    found = births(
        encoder, [*texts, "3"], sae=sae, lens=lens, least=5, progress=lambda done, of: told.append((done, of))
    )
    assert found.features.tolist() == [0, 1]
    assert found.firing.tolist() == [12, 10]
    assert found.birth.tolist() == [1, 3]
    assert found.verdicts[1] == "late-binding"
    np.testing.assert_allclose(found.curves, [[0, 1, 1, 1], [0, 0, 0, 2]])
    np.testing.assert_allclose(found.recall, [[0, 1, 1, 1], [0, 0, 0, 1]])
    np.testing.assert_allclose(found.precision, [[np.nan, 1, 0.6, 1], [np.nan, np.nan, np.nan, 1]], rtol=1e-6)
    np.testing.assert_allclose(found.base, [[0, 0.6, 1, 0.6], [0, 0, 0, 0.5]], rtol=1e-6)
    assert found.born.tolist() == [0, 1, 0, 1]
    assert (found.passing.tolist(), found.rare, found.texts, found.of_texts) == ([2], 1, 20, 20)
    assert set(found.rules) == set(found.verdicts)
    assert (told[0], told[-1]) == ((0, 20), (20, 20))
    part = births(encoder, texts, sae=sae, lens=lens, least=1, most=8, seed=1)
    assert (part.texts, part.of_texts, part.seed) == (8, 20, 1)
    with pytest.raises(Stopped, match="0 of 20"):
        births(encoder, texts, sae=sae, lens=lens, should_stop=lambda: True)


def test_births_on_an_encoder(encoder, sae):
    texts = [f"{TEXT} {number}" for number in range(12)] + ["interest rates fell", "the court ruled"]
    found = births(encoder, texts, sae=sae, lens=raw_lens(encoder.checkpoint), least=4)
    assert np.all((found.earliest <= found.birth) & (found.birth <= found.latest) & (found.latest <= 6))
    assert found.born.sum() == len(found.features) == len(found.verdicts)
    np.testing.assert_array_equal(found.recall[:, -1], 1)
    codes = sae.encode(encoder.encode(texts).vectors)
    own = [len(codes.firing(feature)[0]) for feature in found.features.tolist()]
    assert found.firing.tolist() == own
    with pytest.raises(InputError, match="at least one text"):
        births(encoder, [], sae=sae, lens=raw_lens(encoder.checkpoint))
    with pytest.raises(InputError, match="another encoder"):
        births(encoder, texts, sae=sae, lens=raw())
