"""`python -m lib sae circuit`: the numbers of the page as JSON."""

import json

import numpy as np
import pytest

from lib.encoders import PACKAGED, PACKAGED_STATIC, Policy, open_encoder
from lib.sae.circuits.lens import raw_lens
from lib.sae.circuits.states import pooled_states
from lib.sae.circuits.trace import trace
from lib.sae.sources import PACKAGED_STATIC_SAE
from tests.toy_cli import refused, written

TEXT = "the patient was given aspirin"


def test_a_trace_under_both_lenses(capsys, small_sae, small_sae_folder):
    encoder = open_encoder(PACKAGED, policy=Policy())
    expected = trace(small_sae, raw_lens(encoder.checkpoint), pooled_states(encoder, [TEXT]), text=TEXT, feature=7)
    raw = written(capsys, "circuit", "--sae", small_sae_folder, "--text", TEXT, "--feature", 7, "--lens", "raw")
    np.testing.assert_allclose(raw["trace"]["activations"], expected.activations, atol=1e-6)
    assert raw["trace"]["coactive"] == expected.coactive.tolist()
    assert raw["trace"]["verdict"] == expected.verdict
    assert raw["trace"]["peak_depth"] == expected.depths[expected.peak]
    tuned = written(capsys, "circuit", "--sae", small_sae_folder, "--text", TEXT, "--feature", 7)
    assert tuned["lens"]["kind"] == "tuned"
    assert "maps" not in tuned["lens"]
    assert tuned["trace"]["activations"][-1] == pytest.approx(raw["trace"]["activations"][-1])
    assert tuned["trace"]["pre_activations"][:-1] != raw["trace"]["pre_activations"][:-1]


def test_births_of_a_corpus_and_a_lens_that_is_kept(capsys, small_sae_folder, tmp_path):
    corpus = tmp_path / "texts.jsonl"
    corpus.write_text("\n".join(json.dumps({"words": f"{TEXT} {number}"}) for number in range(12)))
    out = tmp_path / "lens"
    result = written(
        capsys, "circuit", "--sae", small_sae_folder, "--text", TEXT, "--feature", 7, "--corpus", corpus,
        "--column", "words", "--most-texts", 8, "--least", 3, "--lens-out", out,
    )  # fmt: skip
    assert (result["births"]["texts"], result["births"]["of_texts"], result["corpus"]["texts"]) == (8, 12, 12)
    assert len(result["births"]["labels"]) == len(result["births"]["features"]) > 0
    assert "at least half" in result["births"]["birth_rule"]
    again = written(capsys, "circuit", "--sae", small_sae_folder, "--text", TEXT, "--feature", 7, "--lens-folder", out)
    assert again["trace"] == result["trace"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--feature", 256), "features 0 to 255"),
        (("--feature", 7, "--seed", -1), "seed"),
        (("--feature", 7, "--lens-folder", "/nowhere"), "no tuned lens"),
        (("--feature", 7, "--corpus", "sample:topics", "--least", 0), "--least is a number"),
    ],
)
def test_what_is_refused(capsys, small_sae_folder, arguments, message):
    assert message in refused(capsys, "circuit", "--sae", small_sae_folder, "--text", TEXT, *arguments)


def test_an_encoder_without_layers_is_refused(capsys):
    arguments = ("--sae", PACKAGED_STATIC_SAE, "--encoder", PACKAGED_STATIC, "--text", TEXT, "--feature", 7)
    assert "static encoder" in refused(capsys, "circuit", *arguments)


def test_an_encoder_without_a_lens_asks_for_a_corpus(capsys, small_sae_folder, monkeypatch):
    monkeypatch.setattr("lib.cli.sae_circuit.known_lens", lambda *_: None)
    said = refused(capsys, "circuit", "--sae", small_sae_folder, "--text", TEXT, "--feature", 7)
    assert "--corpus" in said
    assert "--lens raw" in said
