"""`python -m lib sae evaluate`: the figures as JSON, and what is refused before anything is encoded."""

import json

import numpy as np
import pytest

from lib.cli import main
from lib.sae import About, save
from tests.toy_sae import orthogonal_sae, planted, random_sae


@pytest.fixture
def given(tmp_path):
    """A corpus of 40 texts in two labels, vectors for them, and a dictionary of their width."""
    rows = [f"{kind} text number {i},{kind}" for kind in ("red", "blue") for i in range(20)]
    (tmp_path / "texts.csv").write_text("text,label\n" + "\n".join(rows) + "\n")
    np.save(tmp_path / "v.npy", planted(40).vectors)
    save(random_sae(), tmp_path / "sae")
    return tmp_path


def told(capsys, *arguments):
    assert main(["sae", *map(str, arguments)]) == 0
    return json.loads(capsys.readouterr().out)


def refused(capsys, *arguments):
    assert main(["sae", *map(str, arguments)]) == 2
    return capsys.readouterr().err.strip().splitlines()[-1]


def test_of_vectors(capsys, given):
    from lib.sae.evaluation import evaluate_sae

    result = told(
        capsys, "evaluate", "--sae", given / "sae", "--corpus", given / "texts.csv", "--embeddings", given / "v.npy"
    )
    found = result["evaluation"]
    assert found["fvu"] == pytest.approx(evaluate_sae(random_sae(), planted(40).vectors).fvu, abs=1e-6)
    assert (found["labels"], found["label_texts"]) == (["blue", "red"], [20, 20])
    assert (found["texts"], found["features"], len(found["frequency"])) == (40, 48, 48)
    assert result["sae"]["rule"] == "topk"
    assert result["corpus"]["trained_on"] is None
    assert result["retrieval"] == []


def test_of_the_packaged_encoder_and_query_sets(capsys, tmp_path):
    rows = [{"query": f"where is number {i}", "document": f"here is number {i} of all"} for i in range(12)]
    (tmp_path / "pairs.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    (tmp_path / "texts.csv").write_text("text\n" + "\n".join(f"a text about {i} things" for i in range(9)) + "\n")
    save(random_sae(d=384, n=512, k=16), tmp_path / "sae")
    result = told(
        capsys,
        *("evaluate", "--sae", tmp_path / "sae", "--corpus", tmp_path / "texts.csv"),
        *("--queries", tmp_path / "pairs.jsonl", tmp_path / "pairs.jsonl", "--cutoff", 5),
    )
    first, second = result["retrieval"]
    assert first == second
    kept = first["kept"]
    assert (kept["metric"], kept["queries"], kept["items"]) == ("ndcg@5", 12, 12)
    assert kept["both"]["share"] == pytest.approx(kept["both"]["ndcg"] / kept["raw"])
    assert 0 <= kept["both"]["test"]["p_value"] <= 1
    assert first["fvu"]["documents"] > 0
    assert result["encoder"]["dimensions"] == 384


def test_refusals(capsys, given, tmp_path):
    corpus = ("--corpus", given / "texts.csv")
    assert "takes vectors of 16 dimensions apart" in refused(capsys, "evaluate", "--sae", given / "sae", *corpus)
    narrow = ("evaluate", *corpus, "--embeddings", given / "v.npy")
    save(orthogonal_sae(6), tmp_path / "six")
    assert "and the embeddings given have 16" in refused(capsys, *narrow, "--sae", tmp_path / "six")
    assert "neither the packaged sparse autoencoder" in refused(capsys, *narrow, "--sae", "no_such")
    for name in ("~no_such_user/sae", "x" * 400, "a/../b"):
        assert refused(capsys, *narrow, "--sae", name)
    assert "A seed is a whole number" in refused(capsys, *narrow, "--seed", -1)
    other = About(encoder="an-encoder", fingerprint="0" * 64)
    save(random_sae(d=384, n=400, about=other), tmp_path / "foreign")
    assert "is another encoder" in refused(capsys, "evaluate", *corpus, "--sae", tmp_path / "foreign")
