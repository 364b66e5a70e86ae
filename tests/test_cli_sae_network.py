"""`python -m lib sae network`: the planted corpus with its planted dictionary, its files, and what is refused."""

import json

import networkx
import pandas as pd
import pytest

from lib.cli import main
from lib.sae.network import network
from tests.toy_diagnostics import ALWAYS, dictionary, jsonl, planted, save_folder


@pytest.fixture
def run(tmp_path, capsys):
    """Run the command on the planted corpus."""

    def ran(*options):
        corpus = tmp_path / "planted.jsonl"
        corpus.write_bytes(jsonl())
        sae = save_folder(tmp_path / "sae")
        status = main(["sae", "network", "--corpus", str(corpus), "--sae", str(sae), *options])
        told = capsys.readouterr()
        return json.loads(told.out) if status == 0 else (status, told.err.strip().splitlines()[-1])

    return ran


def test_it_says_what_the_library_finds(run, tmp_path):
    found = network(dictionary().encode(planted()[0]))
    out = {name: tmp_path / name for name in ("page.html", "net.graphml", "edges.csv", "nodes.csv")}
    result = run(
        "--html", str(out["page.html"]), "--graphml", str(out["net.graphml"]), "--edges", str(out["edges.csv"]),
        "--nodes", str(out["nodes.csv"]),
    )  # fmt: skip
    assert (result["features"], result["edges_kept"]) == (len(found), found.edges)
    assert [node["feature"] for node in result["nodes"]] == found.features.tolist()
    assert ALWAYS not in found.features
    assert [edge["both"] for edge in result["edges"]] == found.both.tolist()
    assert len(result["clusters"]) == found.groups
    assert result["null_edges"] == pytest.approx(found.null_edges)
    assert len(pd.read_csv(out["edges.csv"])) == found.edges
    assert len(pd.read_csv(out["nodes.csv"])) == len(found)
    assert networkx.read_graphml(out["net.graphml"]).number_of_edges() == found.edges
    assert f"{len(found)} features" in out["page.html"].read_text(encoding="utf-8")


def test_the_options_and_what_is_refused(run):
    result = run(
        "--measure", "frequency", "--threshold", ".02", "--features", "4", "--show-everywhere", "--shuffles", "0"
    )
    assert (result["measure"], result["threshold"], result["features"], result["hidden"]) == ("frequency", 0.02, 4, 0)
    assert result["null_edges"] is None
    assert ALWAYS in {node["feature"] for node in result["nodes"]}
    chosen = run("--feature", "0", "--feature", "1", "--shuffles", "0")
    assert sorted(node["feature"] for node in chosen["nodes"]) == [0, 1]
    status, told = run("--threshold", "3")
    assert status == 2
    assert "at most 1, got 3" in told
