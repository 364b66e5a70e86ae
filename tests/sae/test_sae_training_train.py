"""A training from vectors to a dictionary, on toys."""

from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
import torch

from lib.errors import InputError, Stopped
from lib.sae.training import TrainingSettings, train
from lib.sae.training.rows import Batches
from lib.sae.training.state import State
from tests.toy_sae import planted

TOY = TrainingSettings(
    start="random", features=32, k=3, rule="topk", steps=60, batch_size=64, precision="float32", patience=None
)


@pytest.fixture(scope="module")
def toy():
    return planted(1_000, 16, 24, 3)


def weights(trained):
    sae = trained.sae
    held = (sae.encoder_weights, sae.encoder_bias, sae.decoder_weights, sae.decoder_bias, sae.thresholds)
    return [array for array in held if array is not None]


def same(one, other):
    return all(np.array_equal(a, b) for a, b in zip(weights(one), weights(other), strict=True))


@pytest.mark.parametrize("start", ["texts", "random"])
@pytest.mark.parametrize("rule", ["topk", "batchtopk", "jumprelu"])
def test_a_planted_dictionary_is_found(rule, start):
    known = planted(4_000, 16, 24, 3)
    found = train(known.vectors, replace(TOY, rule=rule, start=start, steps=500, batch_size=256))
    cosines = (known.directions @ found.sae.decoder_weights.T).max(axis=1)
    assert cosines.mean() >= 0.9
    assert found.figures.fvu < 0.15
    assert found.figures.mean_active == pytest.approx(3, abs=0.5)


@pytest.mark.parametrize("rule", ["topk", "batchtopk", "jumprelu"])
def test_what_comes_out(toy, rule):
    told = []
    found = train(toy.vectors, replace(TOY, rule=rule, evaluate_every=20), report=told.append)
    sae, figures = found.sae, found.figures
    assert np.allclose(np.linalg.norm(sae.decoder_weights, axis=1), 1, atol=1e-5)
    assert (sae.rule, sae.k, sae.features, sae.dimensions) == (rule, 3, 32, 16)
    assert tuple(told) == found.history
    assert [event.step for event in found.history] == [20, 40, 60]
    assert found.history[-1].fvu == pytest.approx(figures.fvu)
    assert found.history[0].loss > found.history[-1].loss
    assert found.samples == 60 * 64
    assert found.training_texts == 950
    assert not found.stopped_early
    assert found.resumed_at is None
    assert figures.held_out_texts == 50
    assert figures.census_texts == 1_000
    assert figures.density.sum() == (figures.frequencies > 0).sum()
    assert figures.dead_share == np.mean(figures.frequencies == 0)
    assert found.to_dict()["figures"]["fvu"] == figures.fvu
    assert sae.about.settings["learning_rate"] == found.settings.learning_rate
    assert sae.about.figures["fvu"] == figures.fvu


def test_the_figures_are_those_of_the_dictionary_that_comes_out(toy):
    outside = planted(200, 16, 24, 3, seed=0).vectors
    found = train(toy.vectors, replace(TOY, rule="batchtopk"), held_out=outside)
    error = np.square(found.sae.reconstruct(outside) - outside).sum()
    assert found.figures.fvu == pytest.approx(error / np.square(outside - outside.mean(axis=0)).sum(), rel=1e-4)
    assert found.figures.mean_active == pytest.approx(found.sae.encode(outside).active.mean())
    assert found.figures.held_out_texts == 200
    assert found.training_texts == 1_000


def test_scale_and_place_of_the_vectors_do_not_matter(toy):
    plain = train(toy.vectors, TOY)
    moved = train(100 * toy.vectors + 7, TOY)
    assert moved.figures.fvu == pytest.approx(plain.figures.fvu, rel=0.02)
    assert np.allclose(moved.sae.decoder_weights, plain.sae.decoder_weights, atol=0.05)


def test_directions_start_at_texts(toy):
    found = train(toy.vectors, replace(TOY, start="texts", steps=1, learning_rate=1e-6))
    centred = toy.vectors - found.sae.decoder_bias
    cosines = found.sae.decoder_weights @ centred.T / np.linalg.norm(centred, axis=1)
    assert cosines.max(axis=1).min() > 0.99
    few = train(toy.vectors[:30], replace(TOY, start="texts", steps=1, learning_rate=1e-6, batch_size=8))
    assert few.sae.features == 32  # two more than texts that train: random ones make up the number


def test_seeds(toy):
    assert same(train(toy.vectors, replace(TOY, start="texts")), train(toy.vectors, replace(TOY, start="texts")))
    assert same(train(toy.vectors, TOY), train(toy.vectors, TOY))
    assert not same(train(toy.vectors, TOY), train(toy.vectors, replace(TOY, seed=1)))


def test_matryoshka_prefixes_reconstruct_by_themselves(toy):
    longer = replace(TOY, steps=200)
    plain, nested = train(toy.vectors, longer), train(toy.vectors, replace(longer, prefixes=(12, 20)))
    assert nested.sae.prefixes == (12, 20)
    assert prefix_error(nested.sae, toy.vectors, 12) < 0.8 * prefix_error(plain.sae, toy.vectors, 12)
    assert [event.loss for event in plain.history] == [event.objective for event in plain.history]
    last = nested.history[-1]
    assert last.objective > 1.2 * last.loss  # the smaller dictionaries explain less
    assert last.loss == pytest.approx(nested.figures.fvu_training, rel=0.15)  # what the curve beside it shows


def prefix_error(sae, vectors, size):
    codes = sae.encode(vectors).matrix.toarray()
    made = codes[:, :size] @ sae.decoder_weights[:size] + sae.decoder_bias
    return float(np.square(made - vectors).sum() / np.square(vectors - vectors.mean(axis=0)).sum())


def test_memory_mapped_vectors_train_the_same(toy, tmp_path):
    np.save(tmp_path / "vectors.npy", toy.vectors)
    mapped = np.load(tmp_path / "vectors.npy", mmap_mode="r")
    assert same(train(mapped, TOY), train(toy.vectors, TOY))


@pytest.mark.parametrize("rule", ["topk", "batchtopk", "jumprelu"])
@pytest.mark.parametrize("stop_at", [1, 7, 33])
def test_a_resumed_training_ends_as_one_without_a_break(toy, tmp_path, rule, stop_at):
    settings = replace(TOY, rule=rule, prefixes=(10,), dead_after=300, evaluate_every=10, steps=50)
    asked = iter(range(1_000))
    kept = tmp_path / "training.safetensors"
    with pytest.raises(Stopped):
        train(toy.vectors, settings, checkpoint=kept, should_stop=lambda: next(asked) >= stop_at)
    whole, resumed = train(toy.vectors, settings), train(toy.vectors, settings, checkpoint=kept)
    assert resumed.resumed_at == stop_at
    assert same(whole, resumed)
    assert [event.fvu for event in resumed.history] == [event.fvu for event in whole.history]
    assert [event.loss for event in resumed.history] == [event.loss for event in whole.history]
    assert [event.objective for event in resumed.history] == [event.objective for event in whole.history]
    assert list(tmp_path.iterdir()) == [kept]
    again = train(toy.vectors, settings, checkpoint=kept)
    assert again.resumed_at == 50
    assert same(whole, again)


def test_checkpoints_of_other_trainings_and_broken_ones_are_refused(toy, tmp_path):
    kept = tmp_path / "training.safetensors"
    train(toy.vectors, TOY, checkpoint=kept)
    with pytest.raises(InputError, match="left by a training with other settings or vectors"):
        train(toy.vectors, replace(TOY, seed=5), checkpoint=kept)
    with pytest.raises(InputError, match="left by a training with other settings or vectors"):
        train(toy.vectors[::-1].copy(), TOY, checkpoint=kept)
    kept.write_bytes(kept.read_bytes()[:-100])
    with pytest.raises(InputError, match="no readable checkpoint"):
        train(toy.vectors, TOY, checkpoint=kept)


@pytest.mark.parametrize("decay", [0.0, 0.01])
def test_it_winds_up_when_held_out_figures_stop_improving(toy, decay):
    settings = replace(TOY, steps=2_000, learning_rate=1e-9, evaluate_every=10, patience=3, warmup=0.0, decay=decay)
    found = train(toy.vectors, settings)
    assert found.stopped_early
    last = 40 + round(2_000 * decay)  # the first look, three that bring nothing, and the decay
    assert found.samples == last * 64
    assert found.history[3].learning_rate == 1e-9
    assert found.history[-1].step == found.history[-1].steps == last
    assert found.history[-1].learning_rate == pytest.approx(1e-9 / 20 if decay else 1e-9)
    assert found.sae.about.settings["stopped_early"]


def test_no_dictionary_is_left_undecayed_by_default(toy, tmp_path):
    """It stalls at once, skips to a decay of full length, and does the same when it is resumed on either side."""
    settings = TrainingSettings(
        features=32, k=3, batch_size=64, steps=200, evaluate_every=5, patience=2, learning_rate=1e-9, device="cpu",
        precision="float32",
    )  # fmt: skip
    assert settings.decay == 0.5
    whole = train(toy.vectors, settings)
    assert whole.stopped_early
    assert [event.step for event in whole.history] == list(range(5, 116, 5))
    assert [event.steps for event in whole.history] == [200, 200, *[115] * 21]  # two looks that bring nothing
    rates = [event.learning_rate for event in whole.history]
    assert rates[2:] == sorted(rates[2:], reverse=True)
    assert rates[-1] == pytest.approx(1e-9 / 100)
    for stop_at in (12, 16, 60):
        asked, kept = iter(range(1_000)), tmp_path / f"{stop_at}.safetensors"
        with pytest.raises(Stopped):
            train(toy.vectors, settings, checkpoint=kept, should_stop=lambda left=asked, at=stop_at: next(left) >= at)
        resumed = train(toy.vectors, settings, checkpoint=kept)
        assert same(whole, resumed)
        assert [event.steps for event in resumed.history] == [event.steps for event in whole.history]


def test_one_whose_rate_falls_already_goes_on_to_its_end(toy):
    settings = replace(TOY, steps=100, evaluate_every=5, patience=12, learning_rate=1e-9, decay=0.5)
    found = train(toy.vectors, settings)  # it stalls at step 65
    assert found.history[-1].step == 100
    assert not found.stopped_early
    assert found.history[-1].learning_rate == pytest.approx(1e-9 / 50)


@pytest.mark.parametrize(("coefficient", "most"), [(0.0, 1.0), (1 / 32, 0.2)])
def test_the_auxiliary_loss_wakes_dead_features(coefficient, most):
    vectors = planted(2_000, 16, 24, 3).vectors
    vectors -= vectors.mean(axis=0)
    settings = replace(TOY, steps=300, dead_after=640, aux_coefficient=coefficient, learning_rate=0.01)
    state = State(settings.settled(dimensions=16, texts=2_000, batches=31), 16)
    state.weights.encoder[16:] *= 0.01  # too quiet to be among the k largest
    with torch.no_grad():
        for batch in islice(Batches(vectors, np.arange(2_000), 64, 0).after(0), 300):
            state.learn(batch)
    still = float((state.idle[16:] >= 640).float().mean())
    assert still <= most
    assert still > 0.5 or coefficient


def test_settings_are_told_as_they_took_effect(toy):
    found = train(toy.vectors, TrainingSettings(features=64, k=4, passes=2, batch_size=5_000, device="cpu"))
    settings = found.settings
    assert settings.batch_size == 950
    assert (settings.steps, settings.passes, found.samples) == (2, 2, 1_900)
    assert (settings.learning_rate, settings.aux_k, settings.dead_after) == (0.01, 8, 9_500)
    assert settings.evaluate_every == 10
    assert found.device == "cpu"
    assert [event.step for event in found.history] == [2]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"k": 33}, "k should lie between 1 and the 32 features, got 33"),
        ({"rule": "relu"}, "one of topk, batchtopk, jumprelu, got 'relu'"),
        ({"prefixes": (40,)}, "below the 32 features"),
        ({"prefixes": (8, 4)}, "ascend"),
        ({"batch_size": 0}, "batch_size should be at least 1, got 0"),
        ({"learning_rate": 0.0}, "learning_rate should be above 0"),
        ({"learning_rate": float("nan")}, "learning_rate should be above 0"),
        ({"warmup": 0.9, "decay": 0.2}, "shares of the steps"),
        ({"held_out": 1.0}, "held_out is a share"),
        ({"betas": (0.9, 1.0)}, "betas"),
        ({"start": "zero"}, "texts, random, got 'zero'"),
        ({"device": "tpu"}, "got 'tpu'"),
        ({"seed": -1}, "seed should be 0 or more"),
    ],
)
def test_settings_that_cannot_be(toy, change, message):
    with pytest.raises(InputError, match=message):
        train(toy.vectors, replace(TOY, **change))


def test_vectors_that_cannot_be():
    good = planted(100).vectors
    broken = good.copy()
    broken[41, 3] = np.nan
    for vectors, message in (
        (np.ones((100, 4), dtype=np.float32), "alike"),
        (broken, "NaN or infinite"),
        (good[:3], "at least 4 vectors, got 3"),
        (good[0], "shape"),
    ):
        with pytest.raises(InputError, match=message):
            train(vectors, TOY)
    for held_out, message in (
        (good[:, :5], "16 dimensions"),
        (broken, "finite"),
        (good[:1], "At least 2"),
        (np.ones_like(good), "alike"),
    ):
        with pytest.raises(InputError, match=message):
            train(good, TOY, held_out=held_out)
    with pytest.raises(InputError, match="one group for each"):
        train(good, TOY, groups=np.arange(99))
    with pytest.raises(InputError, match="nothing to train on"):
        train(good, TOY, groups=np.zeros(100))


def test_a_training_that_diverges_says_so(toy):
    with pytest.raises(InputError, match="lower the learning rate"):
        train(toy.vectors, replace(TOY, learning_rate=1e38, clip=None, warmup=0))
