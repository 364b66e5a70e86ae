"""Metrics: pytrec_eval on random runs, hand-computed cases, scikit-learn's gain, degenerate sets, refusals."""

import json
import math

import numpy as np
import pytest
import pytrec_eval
from sklearn.metrics import ndcg_score

from lib.corpora import QuerySet, load_query_set
from lib.errors import InputError
from lib.retrieval import JudgedRanks, Run, judged_ranks, query_metrics
from lib.retrieval.exports import run_from_scores

CUTOFFS = (1, 3, 5, 10, 37, 500)
THEIRS = {
    "recall": "recall",
    "hit": "success",
    "precision": "P",
    "ndcg": "ndcg_cut",
    "mrr": "recip_rank",
    "map": "map",
}
ODD_IDS = [
    "10",
    "9",
    "09",
    "1",
    "a",
    "aa",
    "a b",
    "A",
    "\xe9",
    "e\u0301",
    "\ufb00",
    "\U0001d518",
    "\uffff",
    "~",
    "-1",
    "\u03a9",
]


def judged(*triples, queries=None):
    """Ranks from (query, relevance, rank)."""
    query, relevance, rank = (np.array(column, dtype=np.int64) for column in zip(*sorted(triples), strict=True))
    return JudgedRanks(query, relevance, rank, int(query.max()) + 1 if queries is None else queries)


def random_set(rng, q, document_ids, *, most, grades=4):
    """A query set with up to `most` judgements a query, graded 0 to grades - 1."""
    n = len(document_ids)
    rows = [(row, d) for row in range(q) for d in np.sort(rng.permutation(n)[: rng.integers(0, most + 1)])]
    query, document = np.array(rows, dtype=np.int64).T
    return QuerySet(
        name="made up",
        queries=tuple(f"query {row}" for row in range(q)),
        query_ids=tuple(f"q{row}" for row in range(q)),
        documents=tuple(f"text {row}" for row in range(n)),
        document_ids=tuple(document_ids),
        judged_query=query,
        judged_document=document,
        relevance=rng.integers(0, grades, size=len(query)),
    )


def random_scores(rng, queries, *, depth, values):
    """Scores of a different number of documents a query, drawn from few or many `values`."""
    answers = {}
    for name in queries.query_ids:
        found = rng.permutation(len(queries.documents))[: rng.integers(0, depth + 1)]
        answers[name] = {queries.document_ids[d]: float(rng.choice(values)) for d in found}
    return answers


def compare(queries, scores):
    """Both sides' values, metric by metric."""
    metrics = query_metrics(judged_ranks(queries, run_from_scores(queries, scores, system="x")), cutoffs=CUTOFFS)
    listed = ",".join(map(str, CUTOFFS))
    wanted = {f"{THEIRS[name]}.{listed}" for name in ("recall", "hit", "precision", "ndcg")} | {"map", "recip_rank"}
    theirs = pytrec_eval.RelevanceEvaluator(queries.qrels(), wanted).evaluate(scores)
    for name in metrics.names:
        if name.startswith("mrr@"):
            continue  # trec_eval has it of a run cut at k alone: see below
        kind, *k = name.split("@")
        expected = [theirs[queries.query_ids[row]]["_".join([THEIRS[kind], *k])] for row in metrics.query]
        assert metrics.column(name) == pytest.approx(np.array(expected), abs=1e-9, rel=0), name
    return metrics


@pytest.mark.parametrize("seed", range(8))
def test_equals_trec_eval_with_grades_ties_and_short_runs(seed):
    rng = np.random.default_rng(seed)
    queries = random_set(rng, 60, [f"d{row}" for row in range(80)], most=30)
    values = [rng.normal(size=200), np.array([0.1, 0.2, 0.3]), np.array([1.0])][seed % 3]
    metrics = compare(queries, random_scores(rng, queries, depth=60, values=values))
    assert len(metrics.query) + metrics.skipped == 60
    assert metrics.skipped >= 1


@pytest.mark.parametrize("seed", range(6))
def test_ties_go_by_id_as_in_trec_eval_whatever_the_ids(seed):
    rng = np.random.default_rng(seed)
    queries = random_set(rng, 40, ODD_IDS, most=10)
    compare(queries, random_scores(rng, queries, depth=20, values=np.array([0.5, 0.25])))


def test_scores_are_told_apart_as_trec_eval_does_in_single_precision():
    queries = random_set(np.random.default_rng(0), 50, [f"d{row}" for row in range(40)], most=10)
    near = 1 + np.array([0, 1e-9, 2e-8, 1e-7, 2e-7, -1e-9])  # some of them are one float32
    compare(queries, random_scores(np.random.default_rng(1), queries, depth=40, values=near))


def test_equals_trec_eval_on_the_sample():
    queries = load_query_set("topics")
    rng = np.random.default_rng(0)
    compare(queries, random_scores(rng, queries, depth=300, values=np.round(rng.normal(size=50), 2)))


@pytest.mark.parametrize("k", [1, 3, 10, 37])
def test_mrr_at_k_is_trec_evals_of_a_run_cut_at_k(k):
    rng = np.random.default_rng(k)
    queries = random_set(rng, 60, [f"d{row}" for row in range(80)], most=5)
    scores = {name: {f"d{d}": float(s) for d, s in enumerate(rng.random(80))} for name in queries.query_ids}
    whole = run_from_scores(queries, scores, system="x")
    metrics = query_metrics(judged_ranks(queries, whole), cutoffs=[k])
    cut = {q: dict(sorted(found.items(), key=lambda pair: -pair[1])[:k]) for q, found in scores.items()}
    theirs = pytrec_eval.RelevanceEvaluator(queries.qrels(), {"recip_rank"}).evaluate(cut)
    expected = [theirs[queries.query_ids[row]]["recip_rank"] for row in metrics.query]
    assert metrics.column(f"mrr@{k}") == pytest.approx(np.array(expected), abs=1e-9)
    assert (metrics.column(f"mrr@{k}") <= metrics.column("mrr")).all()
    assert (metrics.column("mrr") > 0).all()


def test_mrr_at_k_ends_exactly_at_k():
    depths = [1, 2, 3, 7, 49, 93, 1_000]
    metrics = query_metrics(judged(*((row, 1, rank) for row, rank in enumerate(depths))), cutoffs=depths)
    for k in depths:
        assert metrics.column(f"mrr@{k}").tolist() == [1 / rank if rank <= k else 0 for rank in depths]
    assert metrics.column("mrr@1").tolist() == metrics.column("hit@1").tolist()


def test_a_query_that_the_run_does_not_answer_counts_as_zero():
    queries = random_set(np.random.default_rng(0), 10, ["a", "b", "c"], most=3, grades=2)
    metrics = query_metrics(judged_ranks(queries, run_from_scores(queries, {}, system="x")))
    assert len(metrics.query)
    assert not metrics.values.any()


def test_by_hand():
    # Four relevant documents of grades 3, 2, 1, 1: at ranks 2, 4, not retrieved, 11; one judged 0 at rank 1.
    metrics = query_metrics(judged((0, 3, 2), (0, 2, 4), (0, 1, 0), (0, 1, 11), (0, 0, 1)), cutoffs=[5, 1])
    found = 3 / math.log2(3) + 2 / math.log2(5)
    ideal = 3 + 2 / math.log2(3) + 1 / math.log2(4) + 1 / math.log2(5)
    expected = {"recall@1": 0, "recall@5": 0.5, "hit@1": 0, "hit@5": 1, "precision@1": 0, "precision@5": 0.4,
                "ndcg@1": 0, "ndcg@5": found / ideal, "mrr": 0.5, "map": (1 / 2 + 2 / 4 + 3 / 11) / 4,
                "mrr@1": 0, "mrr@5": 0.5}  # fmt: skip
    assert metrics.names == tuple(expected)
    assert metrics.cutoffs == (1, 5)
    assert metrics.means == pytest.approx(expected)


def test_the_two_recalls_differ_where_a_query_has_several_relevant_documents():
    metrics = query_metrics(judged((0, 1, 1), (0, 1, 7), (1, 1, 2)), cutoffs=[2])
    assert metrics.column("recall@2").tolist() == [0.5, 1]
    assert metrics.column("hit@2").tolist() == [1, 1]


@pytest.mark.parametrize("gain", ["linear", "exponential"])
def test_gains_equal_those_of_scikit_learn(gain):
    rng = np.random.default_rng(3)
    n, grades = 30, rng.integers(0, 5, size=(40, 30))
    grades[:, 0] = 1  # at least one relevant document each
    scores = rng.permutation(np.arange(40 * n)).reshape(40, n)
    rank = (-scores).argsort(axis=1).argsort(axis=1) + 1
    query = np.repeat(np.arange(40), n)
    metrics = query_metrics(JudgedRanks(query, grades.ravel(), rank.ravel(), 40), cutoffs=[1, 10, n], gain=gain)
    worth = grades if gain == "linear" else 2.0**grades - 1
    for k in (1, 10, n):
        assert metrics.means[f"ndcg@{k}"] == pytest.approx(ndcg_score(worth, scores, k=k), abs=1e-12)
    assert metrics.gain == gain


def test_exponential_gain_by_hand_and_its_effect_on_nothing_else():
    ranks = judged((0, 3, 3), (0, 1, 1))
    linear, exponential = query_metrics(ranks), query_metrics(ranks, gain="exponential")
    assert exponential.means["ndcg@5"] == pytest.approx((1 + 7 / 2) / (7 + 1 / math.log2(3)))
    others = [name for name in linear.names if not name.startswith("ndcg")]
    assert [linear.means[name] for name in others] == [exponential.means[name] for name in others]


def test_binary_grades_make_both_gains_the_same():
    ranks = judged((0, 1, 3), (0, 1, 1), (1, 0, 2), (1, 1, 4))
    assert np.array_equal(query_metrics(ranks).values, query_metrics(ranks, gain="exponential").values)


def test_queries_without_a_relevant_document_are_left_out_and_counted():
    metrics = query_metrics(judged((0, 0, 1), (2, 1, 1), (4, 0, 3), queries=6))
    assert (metrics.query.tolist(), metrics.skipped) == ([2], 5)
    none = query_metrics(judged((0, 0, 1), queries=3))
    assert (none.values.shape, none.skipped, none.means) == ((0, 17), 3, {})


def test_no_judgement_at_all():
    empty = np.zeros(0, dtype=np.int64)
    metrics = query_metrics(JudgedRanks(empty, empty, empty, 4))
    assert (len(metrics.query), metrics.skipped) == (0, 4)


def test_the_order_of_judgements_within_a_query_does_not_matter():
    rng = np.random.default_rng(0)
    query = np.repeat(np.arange(20), 9)
    grades = rng.integers(0, 4, size=180)
    rank = np.concatenate([rng.permutation(30)[:9] for _ in range(20)])
    order = np.lexsort((rng.random(180), query))
    plain = query_metrics(JudgedRanks(query, grades, rank, 20))
    assert plain.values == pytest.approx(query_metrics(JudgedRanks(query, grades[order], rank[order], 20)).values)


def test_values_lie_between_0_and_1_and_grow_with_k():
    rng = np.random.default_rng(5)
    queries = random_set(rng, 80, [f"d{row}" for row in range(50)], most=20)
    metrics = query_metrics(
        judged_ranks(queries, run_from_scores(queries, rng.random((80, 50)), system="x")), cutoffs=[1, 5, 20, 50]
    )
    assert metrics.values.min() >= 0
    assert metrics.values.max() <= 1 + 1e-12
    for kind in ("recall", "hit", "mrr"):
        grown = np.column_stack([metrics.column(f"{kind}@{k}") for k in (1, 5, 20, 50)])
        assert (np.diff(grown, axis=1) >= 0).all()
    assert (metrics.column("recall@50") == 1).all()


def test_a_perfect_ranking():
    metrics = query_metrics(judged((0, 3, 1), (0, 1, 2), (1, 2, 1)), cutoffs=[2])
    assert metrics.means == pytest.approx(
        {"recall@2": 1, "hit@2": 1, "precision@2": 0.75, "ndcg@2": 1, "mrr": 1, "map": 1, "mrr@2": 1}
    )


def test_leaves_as_json():
    assert json.loads(json.dumps(query_metrics(judged((0, 1, 1))).to_dict(), allow_nan=False))["names"][0] == "recall@1"


def test_a_run_of_another_set_is_refused():
    queries = random_set(np.random.default_rng(0), 4, ["a", "b"], most=2)
    with pytest.raises(ValueError, match="The run answers 3 queries and the set has 4"):
        judged_ranks(queries, Run("x", np.zeros((3, 1), np.int64), np.zeros((3, 1), np.float32), 2))


def test_refuses():
    ranks = judged((0, 1, 1))
    with pytest.raises(InputError, match="cut-offs of 1 or more, got 0, 5"):
        query_metrics(ranks, cutoffs=[0, 5])
    with pytest.raises(InputError, match="cut-offs of 1 or more, got none"):
        query_metrics(ranks, cutoffs=[])
    with pytest.raises(InputError, match="linear or exponential, got 'log'"):
        query_metrics(ranks, gain="log")
    with pytest.raises(InputError, match="grades up to 1,000, got 5,000"):
        query_metrics(judged((0, 5000, 1)), gain="exponential")
    with pytest.raises(InputError, match="no metric 'ndcg@7' here; there are recall@1"):
        query_metrics(ranks).column("ndcg@7")
