"""The project's own format: what is written is read, and what is broken is refused in a sentence."""

import json

import numpy as np
import pytest

from lib.errors import InputError
from lib.sae import About, load, save
from lib.sae.folder import CONFIG, WEIGHTS
from tests.toy_sae import orthogonal_sae, planted, random_sae

ABOUT = About(
    name="toy",
    encoder="packaged",
    fingerprint="abc",
    trained_on={"name": "planted", "texts": 10},
    settings={"seed": 3},
    figures={"fvu": 0.1, "ndcg": [{"name": "q", "kept": 0.9}]},
    licence="MIT",
)


@pytest.mark.parametrize("sae", [random_sae(about=ABOUT), orthogonal_sae(bias=0.2, about=ABOUT)], ids=["topk", "jump"])
def test_what_is_written_is_read(tmp_path, sae):
    save(sae, tmp_path)
    read = load(tmp_path)
    assert read.key == sae.key
    assert read.about == ABOUT
    np.testing.assert_array_equal(
        read.encode(np.eye(sae.dimensions)).features, sae.encode(np.eye(sae.dimensions)).features
    )


def test_half_the_bytes_keep_unit_directions(tmp_path):
    sae = random_sae()
    save(sae, tmp_path / "half", half=True)
    save(sae, tmp_path / "whole")
    read = load(tmp_path / "half")
    np.testing.assert_allclose(np.linalg.norm(read.decoder_weights, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(
        read.reconstruct(planted(m=20).vectors), sae.reconstruct(planted(m=20).vectors), atol=0.01
    )
    assert (tmp_path / "half" / WEIGHTS).stat().st_size < 0.6 * (tmp_path / "whole" / WEIGHTS).stat().st_size


def test_the_config_says_what_it_is(tmp_path):
    save(random_sae(about=ABOUT), tmp_path)
    config = json.loads((tmp_path / CONFIG).read_text())
    assert (config["dimensions"], config["features"], config["rule"], config["k"]) == (16, 48, "topk", 4)
    assert config["fingerprint"] == "abc"


def _change(folder, **fields):
    config = json.loads((folder / CONFIG).read_text())
    (folder / CONFIG).write_text(json.dumps({name: value for name, value in (config | fields).items() if value != ""}))


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda folder: (folder / CONFIG).unlink(), "holds no config.json"),
        (lambda folder: (folder / WEIGHTS).unlink(), "holds no sae.safetensors"),
        (lambda folder: (folder / CONFIG).write_text("{"), "not valid JSON"),
        (lambda folder: (folder / CONFIG).write_text("[1]"), "should hold a JSON object, got a list"),
        (lambda folder: (folder / CONFIG).write_text("[" * 100_000), "not valid JSON"),
        (lambda folder: (folder / WEIGHTS).write_bytes(b"pickle"), "no readable safetensors file"),
        (lambda folder: _change(folder, format="other"), "names another"),
        (lambda folder: _change(folder, version=9), "written in version 9"),
        (lambda folder: _change(folder, rule=""), "lacks 'rule'"),
        (lambda folder: _change(folder, rule="gated"), "should be one of topk, batchtopk, jumprelu, got 'gated'"),
        (lambda folder: _change(folder, k="many"), "should be a whole number or null, not str"),
        (lambda folder: _change(folder, prefixes=3), "should be a list, not int"),
        (lambda folder: _change(folder, figures=[1]), "should be an object, not list"),
    ],
)
def test_a_folder_that_is_broken_is_refused_in_a_sentence(tmp_path, spoil, sentence):
    save(random_sae(), tmp_path)
    spoil(tmp_path)
    with pytest.raises(InputError, match=sentence):
        load(tmp_path)


@pytest.mark.parametrize(
    ("arrays", "sentence"),
    [
        ({"W_dec": None}, "lacks W_dec"),
        ({"b_enc": np.zeros((48, 1), np.float32)}, "unexpected shapes"),
        ({"b_enc": np.zeros(47, np.float32)}, r"encoder_bias of this SAE should have the shape \(48,\)"),
        ({"b_dec": np.full(16, np.inf, np.float32)}, "NaN or infinite"),
    ],
)
def test_weights_that_do_not_fit_are_refused(tmp_path, arrays, sentence):
    from safetensors.numpy import load_file, save_file

    save(random_sae(), tmp_path)
    held = load_file(tmp_path / WEIGHTS) | arrays
    save_file({name: array for name, array in held.items() if array is not None}, tmp_path / WEIGHTS)
    with pytest.raises(InputError, match=sentence):
        load(tmp_path)
