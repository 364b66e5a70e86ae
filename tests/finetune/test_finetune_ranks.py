"""Ranks before and after: against a slow reference, what does not change them, and one query's documents."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binomtest

from lib.errors import InputError
from lib.finetune.diff.query_moves import moves
from lib.finetune.diff.ranks import METRICS, RetrievalSide, rank_diff
from lib.finetune.diff.report import query_table
from lib.retrieval.metrics import query_metrics
from lib.retrieval.run import JudgedRanks
from tests.query_spaces import made_set


def vectors(q, n, *, d=8, noise=0.6, seed=0):
    rng = np.random.default_rng(seed)
    documents = rng.normal(size=(n, d)).astype(np.float32)
    return (documents[:q] + noise * rng.normal(size=(q, d))).astype(np.float32), documents


def diff(queries, base, tuned, **options):
    return rank_diff(
        queries, RetrievalSide("before", *base), RetrievalSide("after", *tuned), **({"resamples": 500} | options)
    )


def slow_ranks(asked, documents, relevant):
    unit = [v / np.linalg.norm(v, axis=1, keepdims=True) for v in (asked.astype(float), documents.astype(float))]
    scores = unit[0] @ unit[1].T
    return np.array([1 + (scores[row] > scores[row, one]).sum() for row, one in enumerate(relevant)])


def test_ranks_and_counts_are_those_of_a_slow_search():
    queries = made_set(40, 300, topics=3)
    base, tuned = vectors(40, 300), vectors(40, 300, d=5, noise=1.2, seed=1)  # ranks need no common width
    found = diff(queries, base, tuned)
    before, after = slow_ranks(*base, range(40)), slow_ranks(*tuned, range(40))
    assert after.max() > 100  # beyond what a run holds
    np.testing.assert_array_equal(found.rank_base, before)
    np.testing.assert_array_equal(found.rank_tuned, after)
    np.testing.assert_array_equal(found.change, np.sign(before - after))
    counts = (found.improved, found.same, found.worse)
    assert counts == ((before > after).sum(), (before == after).sum(), (before < after).sum())
    assert found.changed_share == pytest.approx((before != after).mean())
    assert found.changed_low < found.changed_share < found.changed_high
    assert found.moved == pytest.approx(np.minimum(1, abs(np.log2(after / before))).mean())
    assert found.sign_p == pytest.approx(binomtest(found.improved, found.improved + found.worse).pvalue)
    np.testing.assert_allclose(found.reciprocal_change, 1 / after - 1 / before)


def test_metrics_are_those_of_the_ranks_and_corrected_for_their_number():
    queries = made_set(40, 60)
    found = diff(queries, vectors(40, 60), vectors(40, 60, noise=3, seed=2))
    for change in found.metrics:
        assert change.test.mean_a == pytest.approx(change.base.mean)
        assert change.test.difference == pytest.approx(change.tuned.mean - change.base.mean)
        assert change.test.p_value <= change.corrected <= min(1, len(METRICS) * change.test.p_value)
    judged = JudgedRanks(np.arange(40), np.full(40, 2), found.rank_tuned, 40)
    assert found.metric("ndcg@10").tuned.mean == pytest.approx(query_metrics(judged).means["ndcg@10"])
    assert found.metric("mrr").test.difference == pytest.approx(found.reciprocal_change.mean())
    with pytest.raises(KeyError):
        found.metric("fame")


def test_topics_part_the_queries():
    queries = made_set(41, 60, topics=3)
    queries = replace(queries, topics=(*queries.topics[:-1], None))  # one query has none
    found = diff(queries, vectors(41, 60), vectors(41, 60, noise=3, seed=2))
    assert [change.topic for change in found.topics] == ["topic 0", "topic 1", "topic 2"]
    for number, change in enumerate(found.topics):
        own = np.arange(41) % 3 == number
        own[40] = False
        assert change.queries == own.sum() == change.improved + change.same + change.worse
        assert change.worse == (found.change[own] < 0).sum()
        assert change.test("mrr").difference == pytest.approx(found.reciprocal_change[own].mean())
        assert change.test("mrr").p_value <= change.p_value("mrr") <= 3 * change.test("mrr").p_value


@pytest.mark.parametrize("what", ["itself", "rotated", "scaled"])
def test_what_keeps_every_cosine_changes_no_rank(what):
    queries = made_set(30, 200, topics=2)
    base = vectors(30, 200)
    turn = np.linalg.qr(np.random.default_rng(3).normal(size=(8, 8)))[0]
    tuned = {"itself": base, "rotated": tuple(v @ turn for v in base), "scaled": tuple(7 * v for v in base)}[what]
    found = diff(queries, base, tuned)
    assert (found.improved, found.same, found.worse) == (0, 30, 0)
    assert found.changed_share == found.changed_low == found.moved == 0
    assert not found.came.any()
    assert not found.ndcg_change.any()
    assert found.sign_p == 1
    assert all(change.test.p_value == 1 and change.test.difference == 0 for change in found.metrics)


def test_the_two_sides_are_not_mixed_up():
    queries = made_set(20, 50)
    good, bad = vectors(20, 50, noise=0.01), vectors(20, 50, noise=0.01)[0][::-1].copy()
    found = diff(queries, good, (bad, good[1]))
    assert found.improved == 0
    assert found.worse >= 19
    assert found.metric("ndcg@10").test.difference < -0.5
    back = diff(queries, (bad, good[1]), good)
    np.testing.assert_array_equal(back.change, -found.change)
    np.testing.assert_allclose(back.ndcg_change, -found.ndcg_change)
    assert back.moved == pytest.approx(found.moved)


def test_queries_without_a_relevant_document_are_left_out_and_counted():
    queries = made_set(12, 40, skip=5)
    found = diff(queries, vectors(12, 40), vectors(12, 40, seed=4))
    assert (found.queries, found.skipped) == (7, 5)
    np.testing.assert_array_equal(found.query, np.arange(5, 12))
    table = query_table(queries, found)
    assert list(table["query_id"]) == [f"q{row}" for row in range(5, 12)]
    assert list(table["rank_tuned"]) == list(found.rank_tuned)
    assert set(table["change"]) <= {"improved", "same", "worse"}


def test_one_query_shows_where_the_first_documents_of_both_stand():
    queries = made_set(20, 300)
    base, tuned = vectors(20, 300), vectors(20, 300, noise=4, seed=5)
    found = diff(queries, base, tuned)
    row = int(found.query[found.came.argmax()])
    seen = moves(queries, found, row, top=3)
    assert list(seen.document[:3]) == list(found.run_base.documents[row, :3])
    assert set(found.run_tuned.documents[row, :3]) <= set(seen.document)
    assert len(set(seen.document.tolist())) == len(seen.document)
    assert list(seen.rank_base[:3]) == [1, 2, 3]
    assert list(seen.relevance) == [2 if one == row else 0 for one in seen.document]
    beyond = seen.rank_tuned == 0
    assert np.isnan(seen.score_tuned[beyond]).all()
    assert np.isfinite(seen.score_tuned[~beyond]).all()
    for fault in ({"row": 20}, {"row": -1}, {"row": 0, "top": 0}):
        with pytest.raises(InputError, match="0 to 19"):
            moves(queries, found, **fault)


def test_what_cannot_be_compared_is_refused():
    base = vectors(6, 20)
    with pytest.raises(InputError, match="None of the 6 queries has a relevant document"):
        diff(made_set(6, 20, skip=6), base, base)
    with pytest.raises(InputError, match="after: expected embeddings of 6 queries and 20 documents, got 6 and 19"):
        diff(made_set(6, 20), base, (base[0], base[1][:19]))


def test_one_query_and_one_document():
    found = diff(made_set(1, 1), vectors(1, 1), vectors(1, 1, seed=6))
    assert (found.queries, found.same, found.depth, found.rank_tuned[0]) == (1, 1, 1, 1)
    assert found.to_dict()["metrics"][0]["test"]["low"] is None  # one query has no interval
