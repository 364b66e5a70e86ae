"""`python -m lib sae decompose` and `sae contrast`: the numbers of the pages as JSON."""

import json

import pytest

from lib.cli import main
from lib.encoders import PACKAGED, Policy, open_encoder
from lib.sae import About, save
from lib.sae.decomposition import contrast, decompose
from tests.toy_cli import refused, written
from tests.toy_sae import random_sae

TEXT, OTHER = "the patient was given aspirin", "interest rates fell"


@pytest.fixture(scope="module")
def vectors():
    return open_encoder(PACKAGED, policy=Policy()).encode([TEXT, OTHER]).vectors


def test_texts_are_taken_apart(capsys, small_sae, small_sae_folder, vectors):
    result = written(capsys, "decompose", "--sae", small_sae_folder, "--text", TEXT, "--text", OTHER)
    assert result["sae"]["features"] == 256
    assert result["encoder"]["source"] == PACKAGED
    assert [found["text"] for found in result["texts"]] == [TEXT, OTHER]
    for found, vector in zip(result["texts"], vectors, strict=True):
        expected = decompose(small_sae, vector)
        assert [one["feature"] for one in found["features"]] == expected.features.tolist()
        assert sum(one["share"] for one in found["features"]) == pytest.approx(found["features_share"])
        assert found["features_share"] + found["bias_share"] + found["error_share"] == pytest.approx(1)
        assert (found["active"], found["fvu"]) == (24, pytest.approx(expected.fvu, abs=1e-5))
        assert not found["truncated"]
        assert "tokens" not in found


def test_only_the_strongest_and_their_tokens(capsys, small_sae, small_sae_folder, vectors):
    strongest = int(decompose(small_sae, vectors[0]).features[0])
    result = written(
        capsys,
        "decompose",
        "--sae",
        small_sae_folder,
        "--text",
        TEXT,
        "--top",
        2,
        "--feature",
        strongest,
        "--feature",
        7,
    )
    (found,) = result["texts"]
    assert len(found["features"]) == 2
    tokens = found["tokens"]
    assert tokens["features"] == [strongest, 7]
    assert tokens["exact"]
    assert sum(tokens["shares"][0]) + tokens["constants"][0] == pytest.approx(tokens["pre_activations"][0], abs=1e-6)
    assert tokens["pre_activations"][0] == pytest.approx(found["features"][0]["activation"], abs=1e-6)


def test_it_is_written_to_a_file(capsys, small_sae_folder, tmp_path):
    out = tmp_path / "out.json"
    assert main(["sae", "decompose", "--sae", str(small_sae_folder), "--text", "a " * 400, "--json", str(out)]) == 0
    assert json.loads(out.read_text())["texts"][0]["truncated"]


def test_two_texts_are_contrasted(capsys, small_sae, small_sae_folder, vectors):
    result, expected = (
        written(capsys, "contrast", "--sae", small_sae_folder, "--text", TEXT, "--text", OTHER),
        contrast(small_sae, *vectors),
    )
    assert result["cosine"] == pytest.approx(expected.cosine, abs=1e-6)
    for parts in result["parts"].values():
        assert parts["features"] + parts["bias"] + parts["error"] == pytest.approx(result["cosine"], abs=1e-6)
    differing = expected.differing()
    assert [one["feature"] for one in result["features"]] == expected.features[differing].tolist()
    assert result["features_not_written"] == (~differing).sum()
    whole = written(capsys, "contrast", "--sae", small_sae_folder, "--text", TEXT, "--text", OTHER, "--shared")
    assert len(whole["features"]) == len(expected.features)
    assert sum(one["contribution"] for one in whole["features"]) == pytest.approx(whole["parts"]["both"]["features"])
    assert whole["features_not_written"] == 0


def test_the_same_text_twice(capsys, small_sae_folder):
    result = written(capsys, "contrast", "--sae", small_sae_folder, "--text", TEXT, "--text", TEXT)
    assert result["features"] == []
    assert result["cosine"] == pytest.approx(1)


def test_bad_input_is_one_sentence(capsys, small_sae_folder, tmp_path):
    assert "takes two texts" in refused(capsys, "contrast", "--sae", small_sae_folder, "--text", TEXT)
    assert "factor above 1" in refused(
        capsys, "contrast", "--sae", small_sae_folder, "--text", TEXT, "--text", OTHER, "--times", 1
    )
    assert "at least 1, got 0" in refused(capsys, "decompose", "--sae", small_sae_folder, "--text", TEXT, "--top", 0)
    assert "got 256" in refused(capsys, "decompose", "--sae", small_sae_folder, "--text", TEXT, "--feature", 256)
    other = random_sae(d=384, n=8, k=2, about=About(name="other", encoder="another", fingerprint="0" * 64))
    save(other, tmp_path / "other")
    assert "trained on another" in refused(capsys, "decompose", "--sae", tmp_path / "other", "--text", TEXT)
