"""`python -m lib diff`: the numbers of the page as JSON, tables, and what is refused before anything is encoded."""

import json

import pandas as pd
import pytest

from lib.cli import main
from lib.encoders import PACKAGED, PACKAGED_STATIC

SAMPLE = ("--corpus", "sample:topics", "--queries", "sample:topics")


@pytest.fixture
def run(capsys):
    """Run the command; what it wrote to stdout as JSON."""

    def ran(*arguments):
        assert main(["diff", *map(str, arguments)]) == 0
        return json.loads(capsys.readouterr().out)

    return ran


def test_encoders_of_other_widths_are_compared_by_what_needs_no_common_space(run, tmp_path):
    topics, queries = tmp_path / "topics.csv", tmp_path / "queries.parquet"
    tables = ("--topics-table", topics, "--queries-table", queries)
    found = run("--base", PACKAGED, "--tuned", PACKAGED_STATIC, *SAMPLE, *tables, "--weights", 5, 2, 1)
    assert (found["base"]["dimensions"], found["tuned"]["dimensions"]) == (384, 128)
    assert found["space"]["centroids"] is None
    assert found["space"]["neighbours"]["mean"] > 0
    parts = found["drift"]["parts"]
    assert [part["weight"] for part in parts] == pytest.approx([0, 2 / 3, 1 / 3])
    weighed = sum(part["weight"] * part["scaled"] for part in parts[1:])
    assert found["drift"]["composite"] == pytest.approx(weighed)
    assert found["drift"]["verdict"]["sentence"]
    assert found["ranks"]["queries"] == 156 == len(pd.read_parquet(queries))
    assert [row["topic"] for row in found["topics"]] == list(pd.read_csv(topics)["topic"])
    assert {"finance", "legal", "medical"} <= {row["topic"] for row in found["topics"]}


def test_a_checkpoint_against_itself_and_without_queries(run):
    found = run("--base", PACKAGED, "--tuned", PACKAGED, "--corpus", "sample:topics")
    assert found["drift"]["composite"] == 0
    assert found["drift"]["verdict"]["code"] == "unchanged"
    assert found["ranks"] is found["queries"] is None
    assert found["space"]["neighbours"]["mean"] == 1


def test_queries_alone(run):
    found = run("--base", PACKAGED, "--tuned", PACKAGED, "--queries", "sample:late")
    assert found["space"] is found["corpus"] is None
    assert found["drift"]["composite"] == 0
    assert found["ranks"]["same"] == found["ranks"]["queries"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "A diff needs --corpus, --queries or both"),
        ((*SAMPLE, "--weights", 0, 0, 0), "three weights of 0 or more"),
        ((*SAMPLE, "--weights", 1, -1, 1), "three weights of 0 or more"),
        ((*SAMPLE, "--seed", -1), "A seed is a whole number"),
        ((*SAMPLE, "--topics-table", "out.txt"), "ends in .csv or .parquet"),
        (("--corpus", "sample:topics", "--queries-table", "out.csv"), "without --queries"),
        (("--corpus", "sample:topics", "--split", "dev"), "--split says how to read --queries"),
        ((*SAMPLE, "--tuned", "run:nobody-has-this"), "run"),
    ],
)
def test_what_makes_no_sense_is_refused_at_once(capsys, arguments, sentence):
    assert main(["diff", *map(str, arguments)]) == 2
    captured = capsys.readouterr()
    assert not captured.out
    assert sentence in captured.err
    assert captured.err.count("\n") == 1


def test_a_corpus_with_vectors_of_its_own_is_refused(capsys, tmp_path):
    file = tmp_path / "own.jsonl"
    rows = [{"text": f"text {i}", "embedding": [float(i), 1.0, 2.0]} for i in range(4)]
    file.write_text("\n".join(map(json.dumps, rows)))
    assert main(["diff", "--base", PACKAGED, "--tuned", PACKAGED, "--corpus", str(file)]) == 2
    assert "brought its own embeddings" in capsys.readouterr().err
