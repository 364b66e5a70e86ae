"""`python -m lib retrieval`: the numbers of the page, as JSON, a TREC run and a table."""

import json

import pandas as pd
import pytest

from lib.cli import main
from lib.corpora import beir_files, load_query_set

pytrec_eval = pytest.importorskip("pytrec_eval")


@pytest.fixture
def run(capsys):
    """Run the command; what it wrote to stdout as JSON (None if nothing), its status, and stderr's lines."""

    def ran(*arguments):
        status = main(["retrieval", *map(str, arguments)])
        out, err = capsys.readouterr()
        return (json.loads(out) if out else None), status, err.splitlines()

    return ran


def test_the_sample_is_measured_as_trec_eval_does(run, tmp_path):
    queries = load_query_set("topics")
    result, status, _ = run("--queries", "sample:topics", "--trec-run", tmp_path / "run.txt")
    assert status == 0
    assert set(result["metrics"]) >= {"recall@1", "recall@5", "recall@10", "mrr", "ndcg@10", "map", "hit@10"}
    assert set(result["topics"]) == {"finance", "legal", "medical"}
    assert sum(part["queries"] for part in result["topics"].values()) == result["queries_scored"] == 156

    with (tmp_path / "run.txt").open() as file:
        answered = pytrec_eval.parse_run(file)
    measured = pytrec_eval.RelevanceEvaluator(queries.qrels(), {"ndcg_cut.10", "recall.5"}).evaluate(answered)
    for ours, theirs in (("ndcg@10", "ndcg_cut_10"), ("recall@5", "recall_5")):
        mean = sum(values[theirs] for values in measured.values()) / len(measured)
        assert result["metrics"][ours] == pytest.approx(mean, abs=1e-9)
        low, high = result["intervals"][ours]
        assert low < mean < high


def test_the_gap_is_the_mean_of_the_gaps(run):
    result, _, _ = run("--queries", "sample:late")
    gaps = result["hard_negatives"]["gap"]
    assert result["metrics"]["hard_negative_gap"] == pytest.approx(sum(gaps) / len(gaps))


def test_a_beir_folder_reads_as_the_set_that_was_written(run, tmp_path):
    for name, data in beir_files(load_query_set("late")).items():
        (tmp_path / "set" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "set" / name).write_bytes(data)
    from_folder, status, _ = run("--queries", tmp_path / "set")
    sample, _, _ = run("--queries", "sample:late")
    assert status == 0
    assert from_folder["metrics"]["mrr"] == pytest.approx(sample["metrics"]["mrr"])


def test_bm25_is_tested_against(run):
    result, _, _ = run("--queries", "sample:lab", "--bm25", "--cutoffs", 3)
    assert result["bm25"]["metrics"].keys() == result["metrics"].keys() - {"hard_negative_gap"}
    test = result["bm25"]["encoder_against_it"]["precision@3"]
    assert test["difference"] == pytest.approx(
        result["metrics"]["precision@3"] - result["bm25"]["metrics"]["precision@3"]
    )
    assert test["wins"] + test["ties"] + test["losses"] == 4


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_row_per_query(run, tmp_path, suffix):
    out = tmp_path / f"queries{suffix}"
    result, _, _ = run("--queries", "sample:lab", "--table", out)
    table = pd.read_csv(out) if suffix == ".csv" else pd.read_parquet(out)
    assert len(table) == 4
    assert table["ndcg@10"].mean() == pytest.approx(result["metrics"]["ndcg@10"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--queries", "sample:nothing"], "No sample query set"),
        (["--queries", "no/such/file.jsonl"], "file.jsonl"),
        (["--queries", "sample:lab", "--cutoffs", "0"], "0"),
        (["--queries", "sample:lab", "--seed", "-1"], "seed"),
        (["--queries", "sample:lab", "--table", "queries.xlsx"], ".csv or .parquet"),
    ],
)
def test_bad_input_is_one_sentence(run, arguments, words):
    result, status, err = run(*arguments)
    said = [line for line in err if not line.startswith(("Encoding ", "Indexing ", "Searching "))]
    assert (result, status, len(said)) == (None, 2, 1)
    assert words in said[0]


def test_a_faulty_line_is_named(run, tmp_path):
    bad = tmp_path / "pairs.jsonl"
    bad.write_text('{"query": "a", "document": "b"}\n{"query": "a", "document": "c", "relevance": "much"}\n')
    _, status, err = run("--queries", bad)
    assert status == 2
    assert "line 2" in err[-1]
    assert "much" in err[-1]
