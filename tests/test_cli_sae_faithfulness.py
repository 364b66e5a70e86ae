"""`python -m lib sae faithfulness`: the figures as JSON, one score explained, and what is refused at once."""

import json

import numpy as np
import pytest

from lib.cli import main
from lib.sae import save
from tests.toy_sae import random_sae


@pytest.fixture(scope="module")
def given(tmp_path_factory):
    """Twelve pairs in two topics, and a dictionary for the packaged encoder."""
    folder = tmp_path_factory.mktemp("faithfulness")
    things = ("river", "law", "heart", "bank", "tree", "court", "lung", "stock", "cloud", "judge", "vein", "loan")
    rows = [
        {"query": f"what is a {thing}", "document": f"about each {thing} there is", "topic": "ab"[i % 2]}
        for i, thing in enumerate(things)
    ]
    (folder / "pairs.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    save(random_sae(d=384, n=64, k=6), folder / "sae")
    return folder


def arguments(given, *more):
    return ["sae", "faithfulness", "--queries", str(given / "pairs.jsonl"), "--sae", str(given / "sae"), *more]


def refused(capsys, *command):
    assert main(list(command)) == 2
    return capsys.readouterr().err.strip().splitlines()[-1]


def test_features_and_curves(capsys, given):
    assert main(arguments(given, "--cutoff", "3", "--draws", "2", "--csv", str(given / "out.csv"))) == 0
    told = json.loads(capsys.readouterr().out)
    found, curves = told["faithfulness"], told["curves"]
    assert (found["k"], found["documents"], len(found["query"])) == (3, 12, 12)
    assert found["topics"] == ["a", "b"]
    assert sum(found["counts"].values()) == len(found["features"]) == len(found["labels"])
    assert curves["removed"][0] == pytest.approx(found["whole"])
    assert told["why"] == []
    lines = (given / "out.csv").read_text().splitlines()
    assert lines[0].startswith("feature,label,verdict,drop,low,high")
    assert len(lines) == 1 + len(found["features"])


def test_why_one_document_and_not_another(capsys, given):
    from lib.corpora import Limits, build_query_set, guess_pair_columns, open_query_files

    tables = open_query_files({"pairs.jsonl": given / "pairs.jsonl"}, limits=Limits.from_environment())
    queries = build_query_set(tables, columns=guess_pair_columns(tables), limits=Limits.from_environment())
    query, (first, other) = queries.query_ids[0], queries.document_ids[:2]
    command = arguments(given, "--no-curves", "--why", query, first, other, "--why", query, other)
    assert main(command) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["curves"] is None
    both, one = told["why"]
    assert [row["document"] for row in both["documents"]] == [first, other]
    for row in (*both["documents"], *one["documents"], both["lead"]):
        assert row["features"] + row["bias"] + row["error"] == pytest.approx(row["score"])
        assert sum(part["part"] for part in row["strongest"]) == pytest.approx(row["features"])
    lead = both["documents"][0]["score"] - both["documents"][1]["score"]
    assert both["lead"]["score"] == pytest.approx(lead)
    assert "lead" not in one
    assert np.isfinite(lead)


def test_what_is_refused_before_anything_is_encoded(capsys, given, monkeypatch):
    monkeypatch.setattr("lib.cli.inputs.Source.embed", None)
    assert "from 0 to" in refused(capsys, *arguments(given, "--seed", "-1"))
    assert "ids of a query and of one or two documents" in refused(capsys, *arguments(given, "--why", "a"))
    assert "has none of that id" in refused(capsys, *arguments(given, "--why", "nobody", "d1"))
    with pytest.raises(SystemExit):
        main(arguments(given, "--measure", "manhattan"))
    save(random_sae(d=16, n=24), given / "narrow")
    assert "384" in refused(capsys, "sae", "faithfulness", "--queries", "sample:lab", "--sae", str(given / "narrow"))


def test_settings_out_of_range(capsys, given):
    assert "at least 1 draw" in refused(capsys, *arguments(given, "--draws", "0"))
    assert "cut-off of 1 or more" in refused(capsys, *arguments(given, "--cutoff", "0"))


def test_one_query_asked_twice_has_no_curves(capsys, given):
    rows = [{"query": "what is a river", "document": text} for text in ("water that flows", "a court of law")]
    (given / "twice.jsonl").write_text("\n".join(json.dumps(row | {"query_id": f"q{i}"}) for i, row in enumerate(rows)))
    command = ["sae", "faithfulness", "--queries", str(given / "twice.jsonl"), "--sae", str(given / "sae")]
    assert main(command) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["curves"] is None
    assert told["faithfulness"]["low"][0] is None
