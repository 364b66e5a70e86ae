"""Exports: what pytrec_eval reads of a TREC run equals our metrics; odd ids; the table with one row per query."""

import io
from urllib.parse import unquote

import numpy as np
import pandas as pd
import pytest
import pytrec_eval

from lib.corpora import QuerySet
from lib.errors import InputError
from lib.retrieval import Run, judged_ranks, query_metrics
from lib.retrieval.exports import id_notices, query_table, run_from_scores, trec_qrels, trec_run
from lib.retrieval.ranks import first_ranks


def made(judgements, *, query_ids, document_ids, topics=None):
    """A query set from {(query, document): relevance}."""
    pairs = sorted(judgements)
    return QuerySet(
        name="made up",
        queries=tuple(f"query {row}" for row in range(len(query_ids))),
        query_ids=tuple(query_ids),
        documents=tuple(f"text {row}" for row in range(len(document_ids))),
        document_ids=tuple(document_ids),
        judged_query=np.array([row for row, _ in pairs], dtype=np.int64),
        judged_document=np.array([row for _, row in pairs], dtype=np.int64),
        relevance=np.array([judgements[pair] for pair in pairs], dtype=np.int64),
        topics=topics,
    )


def plain(rng, *, q=20, n=30):
    judgements = {(row, int(d)): int(rng.integers(0, 4)) for row in range(q) for d in rng.permutation(n)[:5]}
    return made(judgements, query_ids=[f"q{row}" for row in range(q)], document_ids=[f"d{row}" for row in range(n)])


def test_trec_eval_reads_back_what_we_measured():
    rng = np.random.default_rng(0)
    queries = plain(rng)
    scores = rng.choice(rng.normal(size=40) * 1e-3, size=(20, 30))  # close together, many ties
    run = run_from_scores(queries, scores, system="an encoder", k=25)
    held = pytrec_eval.parse_run(io.StringIO(trec_run(queries, run).text))
    qrels = pytrec_eval.parse_qrel(io.StringIO(trec_qrels(queries).text))
    theirs = pytrec_eval.RelevanceEvaluator(qrels, {"ndcg_cut.10", "map"}).evaluate(held)
    metrics = query_metrics(judged_ranks(queries, run))
    for name, other in (("ndcg@10", "ndcg_cut_10"), ("map", "map")):
        expected = [theirs[queries.query_ids[row]][other] for row in metrics.query]
        assert metrics.column(name) == pytest.approx(expected, abs=1e-9)


def test_lines_have_six_columns_and_whole_scores():
    queries = made({(0, 0): 1}, query_ids=["q"], document_ids=["a", "b", "c"])
    run = Run("my own system", np.array([[2, 0, -1]]), np.array([[1 / 3, 1e-30, -np.inf]], dtype=np.float32), 3)
    lines = trec_run(queries, run).text.splitlines()
    assert [line.split()[:4] for line in lines] == [["q", "Q0", "c", "1"], ["q", "Q0", "a", "2"]]
    assert [np.float32(line.split()[4]) for line in lines] == run.scores[0, :2].tolist()
    assert [line.split()[5:] for line in lines] == [["my_own_system"]] * 2
    assert trec_run(queries, run, tag="other name").text.split()[5] == "other_name"
    assert trec_run(queries, run).notices == ()


@pytest.mark.parametrize("odd", ["with blank", "tab\tin it", "line\nbreak", " leading", "", "no\xa0break"])
def test_ids_that_would_break_a_line_are_encoded_and_that_is_said(odd):
    queries = made({(0, 0): 1, (0, 1): 0}, query_ids=["q 1"], document_ids=[odd, "50%", "%20", "é"])
    run = run_from_scores(queries, np.array([[4.0, 3.0, 2.0, 1.0]]), system="x")
    made_text = trec_run(queries, run)
    rows = [line.split() for line in made_text.text.splitlines()]
    assert [len(row) for row in rows] == [6] * 4
    assert [unquote(row[2]) for row in rows][1:] == ["50%", "%20", "é"]
    assert unquote(rows[0][2]) == odd or (odd == "" and rows[0][2] == "%")
    assert len({row[2] for row in rows}) == 4
    assert unquote(rows[0][0]) == "q 1"
    assert made_text.notices == id_notices(queries)
    assert len(made_text.notices) == 2
    assert "all document ids are percent-encoded" in made_text.notices[1]
    judgements = [line.split() for line in trec_qrels(queries).text.splitlines()]
    assert [row[2] for row in judgements] == [rows[0][2], rows[1][2]]


def test_only_the_kind_of_id_that_needs_it_is_encoded():
    queries = made({}, query_ids=["50%"], document_ids=["a b"])
    text = trec_run(queries, run_from_scores(queries, np.ones((1, 1)), system="x")).text
    assert text.startswith("50% Q0 a%20b 1 1 x")


def test_a_run_of_another_set_is_refused():
    queries = made({}, query_ids=["q"], document_ids=["a"])
    with pytest.raises(ValueError, match="answers 2 queries and the set has 1"):
        trec_run(queries, Run("x", np.zeros((2, 1), np.int64), np.zeros((2, 1), np.float32), 1))


# Runs out of scores


def test_scores_become_a_run_in_trec_evals_order():
    queries = made({}, query_ids=["p", "q", "r"], document_ids=["a", "b", "c"])
    run = run_from_scores(queries, {"q": {"a": 1.0, "b": 1.0 + 1e-12, "c": 0.5}, "p": {"c": 3}}, system="x")
    assert run.documents.tolist() == [[2, -1, -1], [1, 0, 2], [-1, -1, -1]]
    assert run.scores.tolist() == [[3, -np.inf, -np.inf], [1, 1, 0.5], [-np.inf] * 3]
    assert (run.system, run.items) == ("x", 3)
    assert run_from_scores(queries, {"q": {"a": 1, "b": 2}}, system="x", k=1).documents.tolist() == [[-1], [1], [-1]]


def test_a_matrix_of_scores_is_the_same_run():
    rng = np.random.default_rng(0)
    queries = plain(rng)
    scores = rng.choice([0.1, 0.2, 0.3], size=(20, 30))
    told = {f"q{row}": {f"d{d}": scores[row, d] for d in range(30)} for row in range(20)}
    one, other = run_from_scores(queries, scores, system="x"), run_from_scores(queries, told, system="x")
    assert np.array_equal(one.documents, other.documents)
    assert np.array_equal(one.scores, other.scores)
    scores[0, :], scores[1, 3] = np.nan, -np.inf
    assert (run_from_scores(queries, scores, system="x").documents >= 0).sum(axis=1)[:3].tolist() == [0, 29, 30]


def test_scores_are_checked():
    queries = made({}, query_ids=["q"], document_ids=["a"])
    with pytest.raises(InputError, match="the query 'z', which the query set does not have"):
        run_from_scores(queries, {"z": {}}, system="x")
    with pytest.raises(InputError, match="with the document 'z', which the set does not have"):
        run_from_scores(queries, {"q": {"z": 1}}, system="x")
    with pytest.raises(InputError, match="query 'q' and document 'a' should be a finite number, got nan"):
        run_from_scores(queries, {"q": {"a": float("nan")}}, system="x")
    with pytest.raises(InputError, match=r"the shape \(1, 1\), got \(1, 2\)"):
        run_from_scores(queries, np.ones((1, 2)), system="x")


# Per-query table


def test_the_table_has_a_row_for_every_query():
    judgements = {(0, 1): 2, (0, 0): 1, (1, 0): 0}
    queries = made(judgements, query_ids=["p", "q", "r"], document_ids=["a", "b"], topics=("x", None, "y"))
    run = run_from_scores(queries, {"p": {"a": 2, "b": 1}, "q": {"b": 1}}, system="x")
    judged = judged_ranks(queries, run)
    table = query_table(queries, query_metrics(judged, cutoffs=[1]), first_ranks(judged), run=run)
    assert table["query_id"].tolist() == ["p", "q", "r"]
    assert table["relevant"].tolist() == [2, 0, 0]
    assert table["first_rank"].tolist() == [1, pd.NA, pd.NA]
    assert table["recall@1"].tolist()[0] == 0.5
    assert table["ndcg@1"].isna().tolist() == [False, True, True]
    assert table["top_document_id"].tolist()[:2] == ["a", "b"]
    assert table["top_document"].isna().tolist() == [False, False, True]
    assert table["topic"].tolist()[0] == "x"
    back = pd.read_parquet(io.BytesIO(table.to_parquet()))
    assert back["first_rank"].isna().sum() == 2
    assert len(pd.read_csv(io.StringIO(table.to_csv(index=False)))) == 3


def test_a_run_without_any_document():
    queries = made({(0, 0): 1}, query_ids=["q"], document_ids=["a"])
    run = run_from_scores(queries, {}, system="x")
    judged = judged_ranks(queries, run)
    table = query_table(queries, query_metrics(judged), first_ranks(judged), run=run)
    assert table["first_rank"].isna().all()
    assert table["top_score"].isna().all()
    assert trec_run(queries, run).text == ""
