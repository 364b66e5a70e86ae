"""`python -m lib overview`: the numbers of the page as JSON."""

import json

import pytest

from lib.cli import main
from lib.encoders import PACKAGED_STATIC

SAMPLE = ("overview", "--corpus", "sample:topics", "--queries", "sample:topics")


def measured(capsys, *arguments):
    """The JSON that the command writes."""
    assert main(list(arguments)) == 0
    return json.loads(capsys.readouterr().out)


@pytest.fixture
def pairs(tmp_path):
    """A corpus of four texts and a query set over them."""
    (tmp_path / "texts.txt").write_text("a red fox\na blue whale\na green tree\na grey stone\n")
    rows = [{"query": f"which is {colour}", "document": f"a {colour} {thing}"}
            for colour, thing in (("red", "fox"), ("blue", "whale"), ("green", "tree"))]  # fmt: skip
    (tmp_path / "pairs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path


def test_the_sample_has_all_eight_and_the_numbers_of_the_other_commands(capsys):
    found = measured(capsys, *SAMPLE)
    assert all(signal["value"] is not None for signal in found["signals"])
    assert (found["texts"], found["questions"]) == (402, 156)
    retrieval = measured(capsys, "retrieval", "--queries", "sample:topics", "--bm25")
    facts = found["facts"]
    assert facts["ndcg@10"] == retrieval["metrics"]["ndcg@10"]
    assert [facts["ndcg@10.low"], facts["ndcg@10.high"]] == retrieval["intervals"]["ndcg@10"]
    assert facts["bm25.ndcg@10"] == pytest.approx(retrieval["bm25"]["metrics"]["ndcg@10"])
    geometry = measured(capsys, "geometry", "--corpus", "sample:topics")
    assert facts["anisotropy"] == geometry["anisotropy"]["mean_cosine"]
    assert facts["purity"] == geometry["labels"]["purity"]
    assert facts["components_95"] == geometry["dimension"]["components_95"]


def test_a_second_encoder_beside(capsys, pairs):
    found = measured(
        capsys, "overview", "--corpus", str(pairs / "texts.txt"), "--queries", str(pairs / "pairs.jsonl"),
        "--encoder", PACKAGED_STATIC, "--beside", PACKAGED_STATIC, "--no-layers",
    )  # fmt: skip
    said = {one["name"]: one for one in found["differences"]}
    assert said["ranks"]["difference"] == 0
    assert said["heads"]["verdict"] == "not compared"
    assert [one["source"] for one in found["encoders"]] == [PACKAGED_STATIC] * 2
    needs = {signal["name"]: signal["needs"] for signal in found["first"]["signals"]}
    assert "without --no-layers" in needs["layers"]


def test_without_queries_it_says_what_is_missing(capsys, pairs):
    found = measured(capsys, "overview", "--corpus", str(pairs / "texts.txt"), "--encoder", PACKAGED_STATIC)
    needs = {signal["name"]: signal["needs"] for signal in found["signals"]}
    assert needs["ranks"] == "Choose a query set to have this signal."
    assert "choose a transformer" in needs["layers"]
    assert needs["anisotropy"] is None


def test_vectors_without_an_encoder_have_nothing_beside(capsys, tmp_path):
    rows = [{"text": f"text {i}", "embedding": [float(i), 1.0, 2.0]} for i in range(4)]
    path = tmp_path / "own.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = measured(capsys, "overview", "--corpus", str(path))
    assert found["encoder"]["source"] == "precomputed"
    assert main(["overview", "--corpus", str(path), "--beside", PACKAGED_STATIC]) == 2
    assert "leave out --beside" in capsys.readouterr().err
    assert main(["overview", "--corpus", str(path), "--seed", "-1"]) == 2
    assert "whole number" in capsys.readouterr().err
