"""Lenses: the ridge against scikit-learn, figures by closed form, files, and the lens that ships."""

import json
from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score

from lib.encoders import PACKAGED, PACKAGED_STATIC, Policy, describe, open_encoder
from lib.errors import InputError, Stopped
from lib.sae import About
from lib.sae.circuits.lens import Lens, check_lens, raw_lens
from lib.sae.circuits.lens_file import known_lens, load_lens, save_lens
from lib.sae.circuits.lens_fit import fit_lens, measure_lens
from lib.sae.circuits.lens_measure import LensSums
from lib.sae.circuits.lens_sums import CrossSums, best_penalty, ridge_map
from lib.sae.circuits.states import States, pooled_states
from lib.sae.sources import open_sae
from tests.toy_sae import orthogonal_sae, random_sae

DEPTHS = ("embedding", "layer 1", "layer 2")


@pytest.fixture(scope="module")
def checkpoint():
    return describe(PACKAGED, policy=Policy())


@pytest.fixture(scope="module")
def encoder():
    return open_encoder(PACKAGED, policy=Policy())


@pytest.fixture(scope="module")
def sae(checkpoint):
    about = About(encoder=checkpoint.source, fingerprint=checkpoint.fingerprint)
    return random_sae(d=384, n=256, k=24, about=about)


def words(n, seed=0):
    """Short texts of random words."""
    some = ["patient", "drug", "court", "contract", "bank", "rate", "dose", "judge", "loan", "pain", "law", "market"]
    generator = np.random.default_rng(seed)
    return [f"{' '.join(generator.choice(some, 4))} {number}" for number in range(n)]


def made_states(n=200, seed=0):
    """States of three depths, of 5 dimensions, and outputs of 4 of which each depth tells more."""
    generator = np.random.default_rng(seed)
    pooled = generator.normal(size=(3, n, 5)) + 3
    output = pooled[0, :, :4] + generator.normal(size=(n, 4))
    pooled[2, :, :4] = output
    vectors = np.stack([pooled[0, :, 1:], pooled[1, :, 1:], output])
    return States(DEPTHS, np.arange(n), pooled.astype(np.float32), vectors.astype(np.float32))


@pytest.mark.parametrize("penalty", [0.0, 0.01, 3.0])
def test_ridge_equals_scikit_learns(penalty):
    states = made_states()
    h, x = states.pooled[0].astype(float), states.vectors[-1].astype(float)
    parts = [CrossSums.of(h[a:b], x[a:b]) for a, b in ((0, 1), (1, 70), (70, 200))]
    slope, offset = ridge_map(parts[0] + parts[1] + parts[2], penalty)
    expected = Ridge(alpha=200 * penalty * h.var(axis=0).mean()).fit(h, x)
    np.testing.assert_allclose(slope, expected.coef_.T, atol=1e-9)
    np.testing.assert_allclose(offset, expected.intercept_, atol=1e-9)


def test_the_penalty_is_the_one_that_predicts_best():
    generator = np.random.default_rng(0)
    h, x = generator.normal(size=(60, 40)), generator.normal(size=(60, 3))
    x += h @ generator.normal(size=(40, 3)) * 0.3
    fitted, checked = CrossSums.of(h[:45], x[:45]), CrossSums.of(h[45:], x[45:])
    penalties = (1e-4, 1e-2, 0.1, 1.0, 10.0)
    errors = []
    for penalty in penalties:
        slope, offset = ridge_map(fitted, penalty)
        errors.append(np.sum((h[45:] @ slope + offset - x[45:]) ** 2))
    assert best_penalty(fitted, checked, penalties) == penalties[int(np.argmin(errors))]


def test_states_that_never_vary_map_to_the_mean():
    slope, offset = ridge_map(CrossSums.of(np.ones((4, 3)), np.arange(8.0).reshape(4, 2)), 0.1)
    assert not slope.any()
    np.testing.assert_allclose(offset, [3, 4])


def test_lenses_read_and_leave_the_output_as_it_is():
    states = made_states()
    maps = np.random.default_rng(1).normal(size=(2, 5, 4)).astype(np.float32)
    plain = Lens("tuned", "me", DEPTHS, maps, np.ones((2, 4), np.float32))
    guesses = plain.apply(states)
    np.testing.assert_allclose(guesses[1], states.pooled[1] @ maps[1] + 1, rtol=1e-5)
    unit = replace(plain, unit=True).apply(states)
    np.testing.assert_allclose(np.linalg.norm(unit[:2], axis=2), 1, rtol=1e-5)
    np.testing.assert_allclose(unit[0] * np.linalg.norm(guesses[0], axis=1, keepdims=True), guesses[0], rtol=1e-4)
    for lens in (plain, replace(plain, unit=True), Lens("raw", "me", DEPTHS)):
        assert np.array_equal(lens.apply(states)[-1], states.vectors[-1])
    assert np.array_equal(Lens("raw", "me", DEPTHS).apply(states), states.vectors)
    with pytest.raises(InputError, match="1 layers and the states have 2"):
        Lens("raw", "me", DEPTHS[:2]).apply(states)
    with pytest.raises(InputError, match="3 dimensions to 4 and the states go from 5 to 4"):
        replace(plain, maps=maps[:, :3]).apply(states)


def test_figures_by_closed_form():
    states, sae = made_states(), orthogonal_sae(4, bias=0.5)
    readings = states.vectors
    sums = LensSums.none(replace(sae, about=About()), 3)
    sums.strongest = 2
    for part in (slice(0, 50), slice(50, 200)):
        sums.add(sae, readings[:, part], readings[:, part])
    output = readings[-1]
    for depth in range(3):
        reading = readings[depth]
        assert sums.r2[depth] == pytest.approx(r2_score(output, reading, multioutput="variance_weighted"), abs=1e-5)
        left = np.sum((reading - sae.reconstruct(reading)) ** 2) / np.sum((reading - reading.mean(axis=0)) ** 2)
        assert sums.fvu[depth] == pytest.approx(left, rel=1e-4)
        shared = [
            len(set(np.argsort(-mine)[:2]) & set(np.argsort(-last)[:2]))
            for mine, last in zip(reading, output, strict=True)
        ]
        assert sums.overlap[depth] == pytest.approx(np.mean(shared) / 2)
    assert (sums.r2[-1], sums.overlap[-1], sums.texts) == (1, 1, 200)
    assert np.all(np.abs(sums.by_chance - 0.5) < 0.1)  # two of four


def test_a_fitted_lens_reads_more_than_the_raw_one(encoder, sae):
    told = []
    texts = words(60)
    lens = fit_lens(
        encoder, [*texts, texts[0]], sae=sae, corpus="words", seed=3, progress=lambda done, of: told.append((done, of))
    )
    assert lens.depths == ("embedding", *(f"layer {layer}" for layer in range(1, 7)))
    assert (lens.fitted, lens.held_out, lens.corpus, lens.seed, lens.unit) == (48, 12, "words", 3, True)
    assert (lens.maps.shape, lens.offsets.shape, lens.ridge.shape) == ((6, 384, 384), (6, 384), (6,))
    assert told[0] == (0, 60)
    assert told[-1] == (60, 60)
    raw = measure_lens(raw_lens(encoder.checkpoint), encoder, words(30, seed=9), sae=sae, corpus="others")
    assert np.all(lens.r2[:-1] > raw.r2[:-1])
    assert (lens.r2[-1], raw.r2[-1], raw.corpus, raw.held_out) == (pytest.approx(1), pytest.approx(1), "others", 30)
    states = pooled_states(encoder, texts[:3])
    np.testing.assert_allclose(states.vectors[-1], encoder.encode(texts[:3]).vectors, atol=1e-6)
    assert np.array_equal(lens.apply(states)[-1], states.vectors[-1])


def test_what_no_lens_is_fitted_on(encoder, sae, checkpoint):
    with pytest.raises(InputError, match="at least 20 different texts, got 2"):
        fit_lens(encoder, ["a", "b", "a"] * 9, sae=sae)
    with pytest.raises(InputError, match="got 0 and 20"):
        fit_lens(encoder, words(20), sae=sae, held_out=[])
    with pytest.raises(InputError, match="at least 2 different texts, got 1"):
        measure_lens(raw_lens(checkpoint), encoder, ["a", "a"], sae=sae)
    with pytest.raises(Stopped, match="0 of 30"):
        fit_lens(encoder, words(30), sae=sae, should_stop=lambda: True)
    with pytest.raises(InputError, match="another encoder"):
        check_lens(replace(raw_lens(checkpoint), encoder="other"), checkpoint)
    with pytest.raises(InputError, match="static encoder"):
        raw_lens(describe(PACKAGED_STATIC, policy=Policy()))
    with pytest.raises(InputError, match="at least one text"):
        pooled_states(encoder, [])


def test_a_lens_comes_back_from_its_folder(tmp_path, checkpoint):
    maps = np.random.default_rng(0).normal(size=(2, 5, 4)).astype(np.float32)
    figures = {"r2": np.array([0.1, 0.2, 1.0]), "by_chance": np.array([np.nan, 0.1, 0.1]), "sae": "key"}
    lens = Lens("tuned", "me", DEPTHS, maps, maps[:, 0], unit=True, ridge=np.array([0.1, 1.0]), fitted=9, **figures)
    save_lens(lens, tmp_path / "new")
    back = load_lens(tmp_path / "new", "tuned")
    assert back.to_dict() == lens.to_dict()
    save_lens(lens, tmp_path / "new", half=True)
    np.testing.assert_allclose(load_lens(tmp_path / "new", "tuned").maps, maps, rtol=1e-3)
    save_lens(Lens("raw", "me", DEPTHS), tmp_path)
    assert load_lens(tmp_path, "raw").r2 is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda folder: (folder / "tuned.json").unlink(), "holds no tuned lens"),
        (lambda folder: (folder / "tuned.json").write_text("{"), "not valid JSON"),
        (lambda folder: (folder / "tuned.json").write_text("[]"), "no lens in version 1"),
        (lambda folder: edit(folder, depths=[]), "names no depths"),
        (lambda folder: edit(folder, fitted="x"), "'fitted' in tuned.json"),
        (lambda folder: edit(folder, r2=[1]), "'r2' in tuned.json of .* should be 3 numbers"),
        (lambda folder: edit(folder, fvu=["x", "y", "z"]), "'fvu' in tuned.json of .* should be 3 numbers"),
        (lambda folder: (folder / "tuned.safetensors").unlink(), "lacks tuned.safetensors"),
        (lambda folder: (folder / "tuned.safetensors").write_bytes(b"no"), "cannot be read"),
        (lambda folder: edit(folder, depths=["embedding", "layer 1"], ridge=[1]), "each of 1 depths"),
    ],
)
def test_broken_lens_files_are_refused(tmp_path, change, message):
    maps = np.ones((2, 5, 4), np.float32)
    save_lens(Lens("tuned", "me", DEPTHS, maps, maps[:, 0], ridge=np.ones(2)), tmp_path)
    change(tmp_path)
    with pytest.raises(InputError, match=message):
        load_lens(tmp_path, "tuned")


def edit(folder, **values):
    path = folder / "tuned.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def test_the_shipped_lenses_belong_to_the_packaged_encoder(encoder, checkpoint, sae):
    packaged = open_sae("packaged", policy=Policy()).sae
    tuned, raw = (known_lens(kind, checkpoint, packaged) for kind in ("tuned", "raw"))
    assert np.all(np.diff(tuned.r2) > 0)
    assert np.all(tuned.fvu[:-1] < 0.3)
    assert np.all(raw.fvu[:-1] > tuned.fvu[:-1])
    assert np.all(tuned.overlap > tuned.by_chance)
    for lens in (tuned, raw):
        assert (lens.sae, lens.fvu.shape, lens.r2[-1]) == (packaged.key, (7,), pytest.approx(1))
        assert known_lens(lens.kind, replace(checkpoint, content="other"), packaged) is None
    other = known_lens("tuned", checkpoint, sae)
    assert (other.fvu, other.overlap, other.sae) == (None, None, None)
    assert other.r2 is not None
