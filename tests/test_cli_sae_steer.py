"""`python -m lib sae steer`: the numbers of the page as JSON, and the vector as a file."""

import json

import numpy as np
import pytest

from lib.cli import main
from lib.encoders import PACKAGED, Policy, describe, open_encoder
from lib.sae import About, save
from lib.sae.steering import apply_push, dose_response, parse_recipe, push_of, rerank, steer
from tests.toy_sae import random_sae

TEXT = "the patient was given aspirin"


@pytest.fixture(scope="module")
def sae():
    checkpoint = describe(PACKAGED, policy=Policy())
    about = About(name="small", encoder=checkpoint.source, fingerprint=checkpoint.fingerprint)
    return random_sae(d=384, n=64, k=6, about=about)


@pytest.fixture(scope="module")
def folder(sae, tmp_path_factory):
    made = tmp_path_factory.mktemp("sae")
    save(sae, made)
    return made


@pytest.fixture(scope="module")
def vector():
    return open_encoder(PACKAGED, policy=Policy()).encode([TEXT]).vectors[0]


def written(capsys, *arguments):
    """The JSON that the command writes."""
    assert main(["sae", "steer", "--text", TEXT, *map(str, arguments)]) == 0
    return json.loads(capsys.readouterr().out)


def refused(capsys, *arguments):
    """The sentence with which it refuses."""
    assert main(["sae", "steer", "--text", TEXT, *map(str, arguments)]) == 2
    captured = capsys.readouterr()
    assert not captured.out
    return captured.err


def test_it_writes_what_the_library_finds(capsys, sae, folder, vector, sample, tmp_path):
    corpus, vectors = sample
    out = tmp_path / "push.npy"
    made = written(
        capsys, "--sae", folder, "--feature", 7, "--delta", 4, "--feature", 9, "--delta", -2, "--corpus",
        "sample:topics", "--steer", "documents", "--top", 3, "--dose", "--vector", out,
    )  # fmt: skip
    codes = sae.encode(np.asarray(vectors))
    push = push_of(sae, parse_recipe("7:+4,9:-2", 64), codes=codes)
    expected = steer(sae, vector, push)
    assert made["recipe"]["recipe"] == "7:+4,9:-2"
    assert made["cosine_shift"] == pytest.approx(expected.cosine_shift, abs=1e-5)
    assert [one["feature"] for one in made["targets"]] == [7, 9]
    assert [one["feature"] for one in made["changes"]] == expected.features[:3].tolist()
    assert made["changed"] == len(expected.features)
    ranking = rerank(np.asarray(vectors), vector, push, side="documents")
    assert [one["text"] for one in made["retrieval"]["after"]] == [corpus.texts[row] for row in ranking.after[:3]]
    assert [one["other_rank"] for one in made["retrieval"]["before"]] == ranking.before_now[:3].tolist()
    assert made["retrieval"]["kept"] == ranking.kept(3)
    dose = dose_response(sae, codes, np.asarray(vectors), vector=vector, feature=7, unit=push.units[0])
    assert made["dose"]["verdict"] == dose.verdict
    assert made["dose"]["mean_rank"] == pytest.approx(dose.mean_rank.tolist(), abs=0.1)
    assert made["dose"]["label_score"] is None
    assert apply_push(vector[None], push)[0] - vector == pytest.approx(expected.vector - vector)
    assert np.load(out) == pytest.approx(push.vector, abs=1e-6)


def test_zero_changes_nothing(capsys):
    made = written(capsys, "--feature", 3, "--delta", 0)  # the packaged dictionary tells its own mean active values
    assert (made["cosine_shift"], made["changed"]) == (0, 0)
    assert made["recipe"]["features"][0]["unit_from"] == "training"


def test_bad_input_is_one_sentence(capsys, folder, tmp_path):
    for said, arguments in {
        "Say what to steer": (),
        "takes one --delta, got 1 and 0": ("--feature", 3),
        "not both": ("--feature", 3, "--delta", 1, "--recipe", "3:1"),
        "features 0 to 63, got 64": ("--recipe", "64:1"),
        "from -10 to 10, got 11": ("--feature", 3, "--delta", 11),
        "is not known": ("--recipe", "3:1"),
        "give one with --corpus": ("--recipe", "3:1", "--dose"),
        "ends in .npy or .safetensors": ("--recipe", "3:1", "--vector", tmp_path / "a.txt"),
        "at least 1, got 0": ("--recipe", "3:1", "--top", 0),
    }.items():
        assert said in refused(capsys, "--sae", folder, *arguments)
