"""`python -m lib sae match` on a corpus: one encoder, two encoders, and what is refused."""

import json
from dataclasses import replace

import numpy as np
import pytest

from lib.cli import main
from lib.encoders import PACKAGED, PACKAGED_STATIC, Policy, describe
from lib.sae import About, save
from tests.toy_sae import random_sae


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Dictionaries a and b of the packaged encoder, b being a permuted, and one of the static encoder."""
    made = tmp_path_factory.mktemp("saes")
    checkpoint, static = (describe(name, policy=Policy()) for name in (PACKAGED, PACKAGED_STATIC))
    about, other = (About(encoder=one.source, fingerprint=one.fingerprint) for one in (checkpoint, static))
    a = random_sae(d=384, n=40, k=8, about=about)
    order = np.random.default_rng(0).permutation(40)
    b = replace(a, encoder_weights=a.encoder_weights[:, order], decoder_weights=a.decoder_weights[order])
    small = random_sae(d=static.dimensions, n=30, k=6, about=other)
    for name, sae in (("a", a), ("b", b), ("static", small)):
        save(sae, made / name)
    return made, order


def told(capsys, *arguments):
    assert main(["sae", "match", "--corpus", "sample:topics", *map(str, arguments)]) == 0
    return json.loads(capsys.readouterr().out)


def refused(capsys, *arguments):
    assert main(["sae", "match", *map(str, arguments)]) == 2
    return capsys.readouterr().err


@pytest.mark.parametrize("by", ["cosine", "correlation"])
def test_one_encoder(capsys, folders, by):
    folder, order = folders
    found = told(capsys, "--sae", folder / "a", "--other", folder / "b", "--by", by)["comparison"]
    assert found["verdict"] == "interchangeable"
    assert found["alignment"]["kind"] == "identity"
    assert all(order[pair["match"]] == pair["feature"] for pair in found["ours"]["pairs"])
    assert found["ours"]["matched"] == found["ours"]["judged"] == len(found["ours"]["pairs"])
    assert {one["label"] for one in found["labels"]} == {"medical", "legal", "finance"}


def test_two_encoders(capsys, folders):
    folder, _ = folders
    arguments = ("--sae", folder / "a", "--other", folder / "static", "--other-encoder", PACKAGED_STATIC, "--top", 3)
    result = told(capsys, *arguments)
    found = result["comparison"]
    assert (found["alignment"]["kind"], found["alignment"]["mapped"]) == ("ridge", "theirs")
    assert 0 < found["alignment"]["r2"] < 1
    assert found["threshold"] == 0.5
    assert len(found["ours"]["only"]) <= 3
    assert result["other_encoder"]["source"] == PACKAGED_STATIC


def test_what_is_refused(capsys, folders):
    folder, _ = folders
    a, corpus = ("--sae", folder / "a"), ("--corpus", "sample:topics")
    assert "128 dimensions apart" in refused(capsys, *a, "--other", folder / "static", *corpus)
    assert "--other-encoder to align" in refused(capsys, *a, "--other", folder / "static")
    assert "--top is a number" in refused(capsys, *a, "--other", folder / "b", *corpus, "--top", 0)
    other = ("--other", folder / "static", "--other-encoder", PACKAGED_STATIC)
    assert "do not lie in one space" in refused(capsys, *a, *other, *corpus, "--space", "one")
