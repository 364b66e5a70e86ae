"""`python -m lib retrieval` beyond the metrics: each section says what the library says of the same query set."""

import json

import numpy as np
import pytest

from lib.cli import main
from lib.corpora import pairs_jsonl
from tests import toy_colbert, toy_reranking


@pytest.fixture(autouse=True)
def roots(tmp_path_factory, monkeypatch):
    """Local checkpoints may lie where tests write them."""
    monkeypatch.setenv("EMBEDSCOPE_MODEL_ROOTS", str(tmp_path_factory.getbasetemp()))


@pytest.fixture
def run(capsys):
    """Run the command; what it wrote to stdout as JSON (None if nothing), its status, and stderr's lines."""

    def ran(*arguments):
        status = main(["retrieval", *map(str, arguments)])
        out, err = capsys.readouterr()
        return (json.loads(out) if out else None), status, err.splitlines()

    return ran


@pytest.fixture(scope="module")
def static(tmp_path_factory):
    """The folder of a static encoder of 16 dimensions."""
    return toy_colbert.write_static(tmp_path_factory.mktemp("static") / "letters")


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    """The file of a task that words cannot solve, and the folder of a cross-encoder that learnt it."""
    folder = tmp_path_factory.mktemp("toy")
    (folder / "pairs.jsonl").write_bytes(pairs_jsonl(toy_reranking.toy_set()))
    return folder / "pairs.jsonl", toy_reranking.save(toy_reranking.trained(), folder / "judge")


def test_without_flags_no_section_is_written(run):
    result, status, _ = run("--queries", "sample:lab")
    assert status == 0
    sections = {"bm25", "comparison", "sizes", "reranking", "late", "prompts", "chunks", "triplets"}
    assert not sections & set(result)


def test_the_full_size_is_the_plain_search(run):
    result, _, _ = run("--queries", "sample:late", "--sizes", 32)
    points = {(point["dims"], point["precision"]): point for point in result["sizes"]["sizes"]["points"]}
    assert {dims for dims, _ in points} == {32, 384}
    whole = points[384, "float32"]
    assert whole["ndcg"] == pytest.approx(result["metrics"]["ndcg@10"])
    assert (whole["bytes_per_document"], points[32, "binary"]["bytes_per_document"]) == (1536, 4)
    prefixes = result["sizes"]["prefixes"]
    assert prefixes["ndcg"][-1] == pytest.approx(whole["ndcg"])
    assert prefixes["verdict"] == "unclear"  # of so few queries


def test_another_encoder_a_cut_and_bm25_side_by_side(run, static):
    result, status, _ = run(
        "--queries", "sample:lab", "--bm25", "--compare", static, "--cuts", 64, "--metric", "precision@3"
    )  # fmt: skip
    assert status == 0
    made = result["comparison"]
    names = [part["name"] for part in made["contenders"]]
    own = result["encoder"]["source"]
    assert names[:3] == ["BM25", own, f"{own}, first 64"]
    assert names[3].endswith(static.name)
    assert (made["baseline"], made["contenders"][0]["test"]) == ("BM25", None)
    assert [part["bytes_per_document"] for part in made["contenders"][1:]] == [1536, 256, 64]
    for part in made["contenders"][1:]:
        test = part["test"]
        assert test["wins"] + test["ties"] + test["losses"] == len(made["query_ids"]) == 4
        means = {summary["metric"]: summary["mean"] for summary in part["summaries"]}
        assert np.mean(made["values"][part["name"]]) == pytest.approx(means["precision@3"])
    means = {summary["metric"]: summary["mean"] for summary in made["contenders"][1]["summaries"]}
    assert means["recall@10"] == pytest.approx(result["metrics"]["recall@10"])


def test_without_bm25_the_first_encoder_is_the_baseline(run, static):
    result, _, _ = run("--queries", "sample:lab", "--compare", static)
    assert result["comparison"]["baseline"] == result["encoder"]["source"]
    assert result["comparison"]["metric"] == "ndcg@10"


def test_a_cross_encoder_reorders_what_it_learnt(run, toy):
    pairs, judge = toy
    result, status, _ = run("--queries", pairs, "--rerank", judge, "--top", 50, "--negatives", "mined")
    assert status == 0
    made = result["reranking"]
    changes = {change["metric"]: change for change in made["changes"]}
    ndcg = changes["ndcg@10"]
    assert ndcg["before"]["mean"] == pytest.approx(result["metrics"]["ndcg@10"])
    assert ndcg["before"]["mean"] < ndcg["after"]["mean"] <= ndcg["ceiling"] == pytest.approx(1)
    assert ndcg["test"]["wins"] > ndcg["test"]["losses"]
    assert (made["top"], made["pairs"], made["cross_encoder"]["max_tokens"]) == (50, 25 * 50, toy_reranking.MAX_TOKENS)
    assert made["seconds_per_query"] > 0
    negatives = result["hard_negatives"]
    assert negatives["asked"] == sum(negatives["suspicious"])


def test_some_queries_are_reranked_alone(run, toy):
    pairs, judge = toy
    result, _, _ = run("--queries", pairs, "--rerank", judge, "--top", 5, "--rerank-queries", 3)
    assert len(result["reranking"]["query"]) == 3
    assert result["reranking"]["pairs"] == 15


def test_one_document_reranked_stays_where_it_is(run):
    result, _, _ = run("--queries", "sample:late", "--late", 1)
    for change in result["late"]["changes"]:
        assert change["after"] == change["before"]
    assert result["late"]["special"] is False
    assert result["late"]["bytes_per_document"] == pytest.approx(result["late"]["document_tokens"] * 384 * 4)


def test_tokens_of_a_colbert_checkpoint(run, tmp_path):
    folder = toy_colbert.write_colbert(tmp_path / "colbert")
    result, status, _ = run("--queries", "sample:lab", "--late", 5, "--late-checkpoint", folder)
    assert status == 0
    assert (result["late"]["dimensions"], result["late"]["special"]) == (8, True)


def test_empty_prompts_change_nothing(run):
    result, _, _ = run("--queries", "sample:lab", "--prompts", "", "")
    assert [part["name"] for part in result["prompts"]["arrangements"]] == ["neither"]
    assert result["prompts"]["arrangements"][0]["means"]["mrr"] == pytest.approx(result["metrics"]["mrr"])
    assert all(shift["mean"] == 1 for shift in result["prompts"]["shifts"])


def test_prompts_are_put_before_their_texts(run):
    result, _, _ = run("--queries", "sample:lab", "--prompts", "query: ", "passage: ")
    assert [part["name"] for part in result["prompts"]["arrangements"]] == ["neither", "queries", "documents", "both"]
    assert all(0 < shift["mean"] < 1 for shift in result["prompts"]["shifts"])


def test_own_prompts_are_the_default(run):
    result, _, _ = run("--queries", "sample:lab", "--prompts")
    assert (result["prompts"]["query_prompt"], result["prompts"]["document_prompt"]) == ("", "")


def test_passages_as_long_as_documents_change_nothing(run):
    result, _, _ = run("--queries", "sample:lab", "--chunks")
    made = result["chunks"]
    assert (made["split"], made["chunks"], made["lengths"]["cut"]) == (0, made["documents"], 0)
    assert all(test["difference"] == 0 for test in made["tests"])


def test_passages_of_a_size(run):
    result, _, _ = run("--queries", "sample:late", "--chunks", 16, 4)
    made = result["chunks"]
    assert (made["size"], made["overlap"]) == (16, 4)
    assert made["chunks"] > made["documents"]


def test_explicit_negatives_were_judged(run):
    mined, _, _ = run("--queries", "sample:late")
    explicit, _, _ = run("--queries", "sample:late", "--negatives", "explicit")
    assert explicit["hard_negatives"]["source"] == "explicit"
    assert all(explicit["hard_negatives"]["explicit"])
    gap = explicit["hard_negatives"]["gap"]
    assert explicit["metrics"]["hard_negative_gap"] == pytest.approx(np.mean(gap))
    assert all(own >= other - 1e-6 for own, other in zip(gap, mined["hard_negatives"]["gap"], strict=True))


def test_negatives_of_bm25_score_as_the_encoder_says(run):
    result, status, _ = run("--queries", "sample:late", "--negatives", "BM25")
    assert status == 0
    assert result["hard_negatives"]["source"] == "BM25"
    mined, _, _ = run("--queries", "sample:late")
    best = dict(zip(mined["hard_negatives"]["query"], mined["hard_negatives"]["negative_score"], strict=True))
    made = result["hard_negatives"]
    for query, score in zip(made["query"], made["negative_score"], strict=True):
        assert score <= best[query] + 1e-6


def test_triplets_are_written(run, tmp_path):
    out = tmp_path / "triplets.jsonl"
    result, _, _ = run("--queries", "sample:late", "--triplets", out, "--triplet-negatives", 2)
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert len(lines) == result["triplets"]["triplets"] > 0
    assert all(set(line) == {"anchor", "positive", "negative"} for line in lines)


@pytest.fixture
def odd(tmp_path):
    """Pairs under other names than usual, with a column that would be guessed as the grades."""
    rows = [
        {"asked": "how are roses pruned", "told": "Roses are pruned in spring.", "kind": "garden", "rel": 3, "mark": 1},
        {"asked": "how are roses pruned", "told": "Bread rises overnight.", "kind": "garden", "rel": 3, "mark": 0},
        {"asked": "how is bread baked", "told": "Bread is baked hot.", "kind": "kitchen", "rel": 3, "mark": 2},
    ]  # fmt: skip
    path = tmp_path / "odd.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_one_query_has_no_intervals(run, tmp_path):
    path = tmp_path / "one.jsonl"
    path.write_text('{"query": "roses", "document": "Roses are red."}\n{"document": "Bread is baked."}\n')
    result, status, _ = run(
        "--queries", path, "--bm25", "--cuts", 64, "--sizes", 64, "--late", 2, "--prompts", "a ", "b ", "--chunks", 3, 1
    )  # fmt: skip
    assert status == 0
    assert result["bm25"]["intervals"]["mrr"] == [None, None]
    assert len(result["comparison"]["contenders"]) == 3


def test_columns_by_name(run, odd):
    columns = ("--query", "asked", "--document", "told", "--relevance", "mark", "--topic", "kind")
    result, status, _ = run("--queries", odd, *columns)
    assert status == 0
    assert result["queries"]["topics"] == ["garden", "kitchen"]
    assert result["queries"]["graded"]
    ungraded, _, _ = run("--queries", odd, *columns[:4], "--relevance", "", "--topic", "")
    assert (ungraded["queries"]["topics"], ungraded["queries"]["graded"]) == ([], False)
    guessed, _, _ = run("--queries", odd, *columns[:4])
    named, _, _ = run("--queries", odd, *columns[:4], "--relevance", "rel")
    assert guessed["queries"]["key"] == named["queries"]["key"] != result["queries"]["key"]


def test_a_split_is_chosen(run, tmp_path):
    from lib.corpora import beir_files, load_query_set

    for name, data in beir_files(load_query_set("lab")).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    judged = (tmp_path / "qrels" / "test.tsv").read_text().splitlines()
    (tmp_path / "qrels" / "dev.tsv").write_text("\n".join(judged[:2]) + "\n")
    test, _, _ = run("--queries", tmp_path)
    dev, _, _ = run("--queries", tmp_path, "--split", "dev")
    assert (test["queries"]["judgements"], dev["queries"]["judgements"]) == (len(judged) - 1, 1)
    _, status, err = run("--queries", tmp_path, "--split", "validation")
    assert (status, "validation" in err[-1]) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--top", "0"], "--top"),
        (["--late", "0"], "--late"),
        (["--late-tokens", "all"], "--late N"),
        (["--late", "2", "--late-checkpoint", "no/such"], "no/such"),
        (["--rerank", "no/such"], "no/such"),
        (["--rerank", "all-MiniLM-L6-v2 (packaged)"], "cross-encoder"),
        (["--compare", "no/such"], "no/such"),
        (["--compare", "all-MiniLM-L6-v2 (packaged)"], "compared already"),
        (["--cuts", "384"], "--cuts"),
        (["--cuts", "8", "--metric", "beauty"], "beauty"),
        (["--cuts", "8", "--metric", "ndcg@0"], "0"),
        (["--cuts", "8", "--baseline", "nobody"], "nobody"),
        (["--sizes", "1000"], "1000"),
        (["--prompts", "only one: "], "--prompts"),
        (["--chunks", "16"], "--chunks"),
        (["--chunks", "16", "16"], "overlap"),
        (["--triplets", "out.csv"], ".jsonl"),
        (["--triplet-negatives", "0"], "--triplet-negatives"),
        (["--triplet-margin", "nan"], "--triplet-margin"),
        (["--triplet-margin", "inf"], "--triplet-margin"),
        (["--triplets", "no/such/folder/out.jsonl"], "cannot be written"),
        (["--query", "asked"], "--query"),
        (["--split", "dev"], "--split"),
    ],
)
def test_bad_input_is_one_sentence(run, arguments, words):
    result, status, err = run("--queries", "sample:lab", *arguments)
    doing = ("Encoding ", "Indexing ", "Searching ", "Scoring ", "Cutting ")
    said = [line for line in err if not line.startswith(doing)]
    assert (result, status, len(said)) == (None, 2, 1)
    assert words in said[0]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--query", "nobody", "--document", "told"], "nobody"),
        (["--query", "asked", "--document", "asked"], "asked"),
        (["--query", "asked"], "document"),
        (["--split", "dev", "--query", "asked", "--document", "told"], "--split"),
    ],
)
def test_columns_that_are_not_there(run, odd, arguments, words):
    result, status, err = run("--queries", odd, *arguments)
    assert (result, status, len(err)) == (None, 2, 1)
    assert words in err[0]
