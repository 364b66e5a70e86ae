"""`python -m lib sae steer`: the numbers of the page as JSON, and the vector as a file."""

import numpy as np
import pytest

from lib.encoders import PACKAGED, Policy, open_encoder
from lib.sae import save
from lib.sae.steering import apply_push, dose_response, parse_recipe, push_of, rerank, steer
from tests.toy_cli import refused, written

TEXT = "the patient was given aspirin"
STEER = ("steer", "--text", TEXT)


@pytest.fixture(scope="module")
def vector():
    return open_encoder(PACKAGED, policy=Policy()).encode([TEXT]).vectors[0]


def test_it_writes_what_the_library_finds(capsys, small_sae, small_sae_folder, vector, sample, tmp_path):
    corpus, vectors = sample
    out = tmp_path / "push.npy"
    made = written(
        capsys, *STEER, "--sae", small_sae_folder, "--feature", 7, "--delta", 4, "--feature", 9, "--delta", -2,
        "--corpus", "sample:topics", "--steer", "documents", "--top", 3, "--dose", "--vector", out,
    )  # fmt: skip
    codes = small_sae.encode(np.asarray(vectors))
    push = push_of(small_sae, parse_recipe("7:+4,9:-2", 256), codes=codes)
    expected = steer(small_sae, vector, push)
    assert made["recipe"]["recipe"] == "7:+4,9:-2"
    assert made["cosine_shift"] == pytest.approx(expected.cosine_shift, abs=1e-5)
    assert [one["feature"] for one in made["targets"]] == [7, 9]
    assert [one["feature"] for one in made["changes"]] == expected.features[:3].tolist()
    assert made["changed"] == len(expected.features)
    ranking = rerank(np.asarray(vectors), vector, push, side="documents")
    assert [one["text"] for one in made["retrieval"]["after"]] == [corpus.texts[row] for row in ranking.after[:3]]
    assert [one["other_rank"] for one in made["retrieval"]["before"]] == ranking.before_now[:3].tolist()
    assert made["retrieval"]["kept"] == ranking.kept(3)
    dose = dose_response(small_sae, codes, np.asarray(vectors), vector=vector, feature=7, unit=push.units[0])
    assert made["dose"]["verdict"] == dose.verdict
    assert made["dose"]["mean_rank"] == pytest.approx(dose.mean_rank.tolist(), abs=0.1)
    assert made["dose"]["label_score"] is None
    assert apply_push(vector[None], push)[0] - vector == pytest.approx(expected.vector - vector)
    assert np.load(out) == pytest.approx(push.vector, abs=1e-6)


@pytest.mark.parametrize("suffix", [".npy", ".safetensors"])
def test_the_vector_and_its_lines_give_what_the_command_says(capsys, small_sae, vector, tmp_path, monkeypatch, suffix):
    monkeypatch.chdir(tmp_path)
    asked = ("--recipe", "7:+4,9:-2", "--corpus", "sample:topics", "--top", 1, "--vector", f"steering{suffix}")
    monkeypatch.setenv("EMBEDSCOPE_MODEL_ROOTS", str(tmp_path))
    save(small_sae, tmp_path / "sae")
    made = written(capsys, *STEER, "--sae", tmp_path / "sae", *asked)
    held = {"vectors": vector[None]}
    exec(made["code"], held)
    (steered,) = held["vectors"]
    assert 1 - float(steered @ vector) == pytest.approx(made["cosine_shift"], abs=1e-6)
    assert made["retrieval"]["cosine_shift"] == pytest.approx(made["cosine_shift"], abs=1e-6)


def test_zero_is_the_identity_with_a_corpus_too(capsys):
    made = written(capsys, *STEER, "--recipe", "160:+0,618:-0", "--corpus", "sample:topics", "--dose", "--probe", 2.5)
    assert (made["cosine_shift"], made["side_effects"], made["retrieval"]["cosine_shift"]) == (0, 0, 0)
    before, after = (made["retrieval"][which] for which in ("before", "after"))
    assert before == after
    assert all(one["rank"] == one["other_rank"] for one in before)
    dose = made["dose"]
    assert (dose["probe"], dose["shift"][dose["deltas"].index(0)]) == (2.5, 0)
    assert all(one["rank"] <= one["was"] for one in dose["rose_most"])


def test_zero_changes_nothing(capsys):
    made = written(
        capsys, *STEER, "--feature", 3, "--delta", 0
    )  # the packaged dictionary tells its own mean active values
    assert (made["cosine_shift"], made["changed"]) == (0, 0)
    assert made["recipe"]["features"][0]["unit_from"] == "training"


def test_bad_input_is_one_sentence(capsys, small_sae_folder, tmp_path):
    for said, arguments in {
        "Say what to steer": (),
        "takes one --delta, got 1 and 0": ("--feature", 3),
        "not both": ("--feature", 3, "--delta", 1, "--recipe", "3:1"),
        "features 0 to 255, got 256": ("--recipe", "256:1"),
        "from -10 to 10, got 11": ("--feature", 3, "--delta", 11),
        "is not known": ("--recipe", "3:1"),
        "give one with --corpus": ("--recipe", "3:1", "--dose"),
        "ends in .npy or .safetensors": ("--recipe", "3:1", "--vector", tmp_path / "a.txt"),
        "above 0 and at most 10, got 0": ("--recipe", "3:1", "--probe", 0),
        "at least 1, got 0": ("--recipe", "3:1", "--top", 0),
    }.items():
        assert said in refused(capsys, *STEER, "--sae", small_sae_folder, *arguments)
