"""`python -m lib sae circuit --writers`: the numbers of the Writers view as JSON."""

import json

import numpy as np
import pytest

from lib.encoders import PACKAGED, Policy, open_encoder
from lib.sae.circuits.writers import writers
from tests.toy_cli import refused, written

TEXTS = ["A court heard the appeal.", "Interest rates fell.", "The patient was given aspirin.", "Two doses were given."]


@pytest.fixture(scope="module")
def encoder():
    return open_encoder(PACKAGED, policy=Policy())


def test_writers_in_a_text_and_over_a_corpus(capsys, encoder, small_sae, small_sae_folder, tmp_path):
    codes = small_sae.encode(encoder.encode(TEXTS).vectors)
    fires = np.bincount(codes.features, minlength=codes.width)
    feature = int(np.flatnonzero((fires > 0) & (fires < len(TEXTS)))[0])
    corpus = tmp_path / "texts.jsonl"
    corpus.write_text("\n".join(json.dumps({"text": text}) for text in TEXTS))
    options = ("circuit", "--sae", small_sae_folder, "--text", TEXTS[2], "--writers")
    alone = written(capsys, *options, "--feature", feature)["writers"]
    found = writers(encoder, small_sae, TEXTS[2], feature=feature)
    np.testing.assert_allclose(alone["in_text"]["direct"], found.direct, atol=1e-6)
    np.testing.assert_allclose(alone["in_text"]["left_out"][1:], found.left_out[1:], atol=1e-6)
    assert alone["in_text"]["agreement"]["verdict"] == found.agreement.verdict
    assert alone["background"] is alone["over_texts"] is alone["in_text"]["usual"] is None
    beside = written(
        capsys, *options, "--feature", feature, "--corpus", corpus, "--replacement", "mean", "--writers-texts", 2
    )["writers"]
    assert (beside["background"]["texts"], beside["fires_on"]) == (4, fires[feature])
    np.testing.assert_allclose(beside["in_text"]["usual"], np.mean(beside["background"]["direct"], axis=0), atol=1e-6)
    assert beside["in_text"]["replacement"] == beside["over_texts"]["replacement"] == "mean"
    assert beside["over_texts"]["of_firing"] == fires[feature]
    assert beside["over_texts"]["firing"] == min(2, fires[feature])
    assert {"agreement", "difference", "left_out_difference", "half"} <= beside["over_texts"].keys()
    silent = int(np.flatnonzero(fires == 0)[0])
    none = written(capsys, *options, "--feature", silent, "--corpus", corpus)["writers"]
    assert (none["fires_on"], none["over_texts"]) == (0, None)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--replacement", "mean"), "give --writers too"),
        (("--writers", "--replacement", "mean"), "name one with --corpus"),
        (("--writers", "--writers-texts", 0), "at least 1, got 0"),
    ],
)
def test_what_is_refused(capsys, small_sae_folder, arguments, message):
    options = ("circuit", "--sae", small_sae_folder, "--text", TEXTS[0], "--feature", 7)
    assert message in refused(capsys, *options, *arguments)
