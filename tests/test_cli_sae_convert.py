"""`python -m lib sae convert` and `sae match`."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lib.cli import main
from lib.sae import About, save
from lib.sae.formats import read_sae
from tests.toy_sae import random_sae

FIXTURES = Path(__file__).parent / "sae" / "fixtures"


def told(capsys, *arguments):
    assert main(["sae", *map(str, arguments)]) == 0
    return json.loads(capsys.readouterr().out)


def refused(capsys, *arguments):
    assert main(["sae", *map(str, arguments)]) == 2
    return capsys.readouterr().err.strip().splitlines()[-1]


def test_to_saelens_and_back(capsys, tmp_path):
    save(random_sae(), tmp_path / "own")
    result = told(capsys, "convert", "--sae", tmp_path / "own", "--to", "saelens", "--out", tmp_path / "lens")
    assert (tmp_path / "lens" / "sae_weights.safetensors").is_file()
    assert result["written"]["key"] == result["sae"]["key"] == random_sae().key
    assert result["written"]["largest_difference"] == 0
    back = told(capsys, "convert", "--sae", tmp_path / "lens", "--to", "embedscope", "--out", tmp_path / "back")
    assert back["written"]["key"] == random_sae().key


def test_from_other_formats(capsys, tmp_path):
    source = FIXTURES / "dictionary_learning" / "MatryoshkaBatchTopKSAE"
    result = told(capsys, "convert", "--sae", source, "--to", "embedscope", "--out", tmp_path / "own")
    assert result["written"]["largest_difference"] < 1e-6
    assert read_sae(tmp_path / "own").prefixes == (4, 8, 16)
    half = told(capsys, "convert", "--sae", source, "--to", "embedscope", "--half", "--out", tmp_path / "half")
    assert half["written"]["bytes"] < result["written"]["bytes"]


def test_what_convert_refuses(capsys, tmp_path):
    save(random_sae(), tmp_path / "own")
    there = ("convert", "--sae", tmp_path / "own", "--to", "saelens", "--out")
    assert "is no empty folder" in refused(capsys, *there, tmp_path / "own")
    assert "--half is for --to embedscope" in refused(capsys, *there, tmp_path / "new", "--half")
    (tmp_path / "file").write_text("x")
    assert "cannot be written" in refused(capsys, *there, tmp_path / "file" / "below")
    gated = FIXTURES / "saelens" / "gated"
    assert "'gated'" in refused(capsys, "convert", "--sae", gated, "--to", "saelens", "--out", tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_match(capsys, tmp_path):
    sae = random_sae()
    order = np.random.default_rng(0).permutation(48)
    shuffled = replace(sae, encoder_weights=sae.encoder_weights[:, order], decoder_weights=sae.decoder_weights[order])
    save(sae, tmp_path / "a")
    save(shuffled, tmp_path / "b")
    found = told(capsys, "match", "--sae", tmp_path / "a", "--other", tmp_path / "b")["matching"]
    assert [order[feature] for feature in found["match"]] == list(range(48))
    assert found["shared"] == 1
    assert 0 < found["null"] < 1
    assert found["method"] == "hungarian"


def test_what_match_refuses(capsys, tmp_path):
    for name, about, d in (("a", "1", 16), ("b", "2", 16), ("c", "1", 8)):
        save(random_sae(d=d, about=About(encoder=f"encoder {about}", fingerprint=about * 64)), tmp_path / name)
    a = ("match", "--sae", tmp_path / "a", "--other")
    assert "two encoders apart (encoder 1 and encoder 2" in refused(capsys, *a, tmp_path / "b")
    assert "16 dimensions, the other 8" in refused(capsys, *a, tmp_path / "c")
    assert "got a threshold of 7" in refused(capsys, *a, tmp_path / "a", "--threshold", 7)
    with pytest.raises(SystemExit):
        main(["sae", "match", "--sae", str(tmp_path / "a")])
