"""Rank of the closest true document: slow reference, bars, curve, the long tail; scores of judged pairs."""

import itertools
import json

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from lib.corpora import QuerySet
from lib.retrieval import JudgedRanks, exact_ranks, judged_ranks, query_metrics, search
from lib.retrieval.exports import run_from_scores
from lib.retrieval.pairs import judged_scores
from lib.retrieval.ranks import first_ranks, long_tail, rank_bins, topic_ranks


def made(judgements, *, q, n):
    """A query set from {(query, document): relevance}."""
    pairs = sorted(judgements)
    return QuerySet(
        name="made up",
        queries=tuple(f"query {row}" for row in range(q)),
        query_ids=tuple(f"q{row}" for row in range(q)),
        documents=tuple(f"text {row}" for row in range(n)),
        document_ids=tuple(f"d{row:03}" for row in range(n)),
        judged_query=np.array([row for row, _ in pairs], dtype=np.int64),
        judged_document=np.array([row for _, row in pairs], dtype=np.int64),
        relevance=np.array([judgements[pair] for pair in pairs], dtype=np.int64),
    )


def random_set(rng, *, q, n):
    """Up to four judgements a query, graded 0 to 2; the last query has none."""
    pairs = {(row, int(d)) for row in range(q - 1) for d in rng.permutation(n)[: rng.integers(1, 5)]}
    return made({pair: int(rng.integers(0, 3)) for pair in sorted(pairs)}, q=q, n=n)


def vectors(rng, queries, d=6):
    return rng.normal(size=(len(queries.queries), d)), rng.normal(size=(len(queries.documents), d))


def test_equals_a_sorted_list_per_query():
    rng = np.random.default_rng(0)
    queries = random_set(rng, q=40, n=60)
    left, right = vectors(rng, queries)
    judged = exact_ranks(queries, search(left, right, 5), left, right)
    result = first_ranks(judged)
    unit = [v / np.linalg.norm(v, axis=1, keepdims=True) for v in (left, right)]
    order = np.argsort(-unit[0] @ unit[1].T, axis=1)
    expected = {}
    for row, document, grade in zip(queries.judged_query, queries.judged_document, queries.relevance, strict=True):
        if grade > 0:
            rank = order[row].tolist().index(document) + 1
            expected[int(row)] = min(expected.get(int(row), 10**6), rank)
    assert dict(zip(result.query.tolist(), result.rank.tolist(), strict=True)) == expected
    assert result.skipped == 40 - len(expected)
    assert np.array_equal(judged.rank[result.judgement], result.rank)
    assert result.counts.sum() == len(expected)
    assert result.median == np.median(list(expected.values()))


def test_agrees_with_hit_rate_and_reciprocal_rank():
    rng = np.random.default_rng(1)
    queries = random_set(rng, q=50, n=40)
    left, right = vectors(rng, queries)
    judged = exact_ranks(queries, search(left, right, 5), left, right)
    result, metrics = first_ranks(judged), query_metrics(judged, cutoffs=[1, 5])
    assert metrics.column("mrr") == pytest.approx(1 / result.rank)
    for k in (1, 5):
        assert result.share_within(k) == pytest.approx(metrics.means[f"hit@{k}"])
    at = np.searchsorted(result.curve_rank, 5, side="right") - 1
    assert result.curve_share[at] == pytest.approx(metrics.means["hit@5"])
    assert result.curve_share[-1] == 1


@pytest.mark.parametrize("last", [1, 2, 3, 4, 5, 6, 10, 11, 20, 21, 50, 100, 101, 643, 100_000])
def test_bars_cover_every_rank_once(last):
    bins = rank_bins(last)
    assert bins[0][0] == 1
    assert bins[-1][0] <= last <= bins[-1][1]
    assert all(later[0] == earlier[1] + 1 for earlier, later in itertools.pairwise(bins))


def test_bars_widen():
    assert rank_bins(150) == (
        (1, 1), (2, 2), (3, 3), (4, 5), (6, 10), (11, 20), (21, 50), (51, 100), (101, 200)
    )  # fmt: skip


def test_ranks_are_counted_in_their_bars():
    ranks = np.array([1, 1, 2, 5, 6, 10, 11, 0])
    judged = JudgedRanks(np.arange(8), np.ones(8, dtype=np.int64), ranks, 9)
    result = first_ranks(judged)
    assert dict(zip(result.bins, result.counts.tolist(), strict=True)) == {
        (1, 1): 2, (2, 2): 1, (3, 3): 0, (4, 5): 1, (6, 10): 2, (11, 20): 1
    }  # fmt: skip
    assert (result.not_retrieved, result.skipped) == (1, 1)
    assert result.curve_rank.tolist() == [1, 2, 5, 6, 10, 11]
    assert result.curve_share[-1] == pytest.approx(7 / 8)
    assert result.median == 5.5


def test_nothing_relevant_or_nothing_found():
    empty = np.zeros(0, dtype=np.int64)
    none = first_ranks(JudgedRanks(empty, empty, empty, 3))
    assert (none.skipped, none.counts.tolist()) == (3, [0])
    assert np.isnan(none.median)
    assert np.isnan(none.share_within(1))
    lost = first_ranks(JudgedRanks(np.arange(2), np.ones(2, dtype=np.int64), np.zeros(2, dtype=np.int64), 2))
    assert (lost.not_retrieved, lost.median, lost.share_within(10)) == (2, np.inf, 0)
    json.dumps([none.to_dict(), lost.to_dict()], allow_nan=False)


def test_the_tail_lists_the_worst_first_with_what_came_instead():
    queries = made({(0, 0): 1, (1, 1): 1, (2, 2): 1, (2, 0): 0, (3, 3): 1}, q=4, n=4)
    scores = np.array([[9, 1, 1, 1], [5, 4, 3, 2], [8, 7, 6, 9], [4, 3, 2, 1.0]])
    judged = judged_ranks(queries, run_from_scores(queries, scores, system="x"))
    short = run_from_scores(queries, scores, system="x", k=2)
    given = scores[queries.judged_query, queries.judged_document] + 100  # told apart from the run's own
    tail = long_tail(queries, short, first_ranks(judged), judged_scores=given)
    assert tail.query.tolist() == [2, 3, 1]
    assert tail.rank.tolist() == [4, 4, 2]
    assert tail.document.tolist() == [2, 3, 1]
    assert tail.first.tolist() == [3, 0, 0]
    assert tail.first_score.tolist() == [9, 4, 5]
    assert tail.score.tolist() == [106, 101, 4]
    assert np.isnan(long_tail(queries, short, first_ranks(judged)).score).tolist() == [True, True, False]
    assert long_tail(queries, short, first_ranks(judged), top=1).query.tolist() == [2]


def test_a_document_that_was_not_retrieved_is_the_worst():
    queries = made({(0, 1): 1, (1, 2): 1}, q=3, n=3)
    run = run_from_scores(queries, {"q1": {"d000": 2.0, "d002": 1.0}}, system="x")
    tail = long_tail(queries, run, first_ranks(judged_ranks(queries, run)))
    assert (tail.query.tolist(), tail.rank.tolist(), tail.first.tolist()) == ([0, 1], [0, 2], [-1, 0])
    assert np.isnan(tail.first_score[0])
    nothing = run_from_scores(queries, {}, system="x")
    assert long_tail(queries, nothing, first_ranks(judged_ranks(queries, nothing))).first.tolist() == [-1, -1]


def test_no_tail_where_every_query_succeeds():
    queries = made({(0, 0): 1}, q=1, n=2)
    run = run_from_scores(queries, np.array([[2.0, 1.0]]), system="x")
    assert not len(long_tail(queries, run, first_ranks(judged_ranks(queries, run))).query)


# Scores of judged pairs


@pytest.mark.parametrize(
    ("measure", "metric", "sign"),
    [("cosine", "cosine", 1), ("l2", "euclidean", -1), ("manhattan", "cityblock", -1)],
)
def test_scores_of_judged_pairs_equal_scipys_distances(measure, metric, sign):
    rng = np.random.default_rng(2)
    queries = random_set(rng, q=20, n=30)
    left, right = vectors(rng, queries)
    distance = cdist(left, right, metric)
    expected = 1 - distance if sign > 0 else -distance
    scores = judged_scores(queries, left, right, measure=measure)
    assert scores == pytest.approx(expected[queries.judged_query, queries.judged_document], rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("measure", ["cosine", "dot", "l2", "manhattan"])
def test_scores_of_judged_pairs_are_those_of_the_search(measure):
    rng = np.random.default_rng(3)
    queries = random_set(rng, q=20, n=30)
    left, right = (v.astype(np.float32) for v in vectors(rng, queries))
    run = search(left, right, 30, measure=measure, tie_order=queries.tie_order)
    rank = judged_ranks(queries, run).rank
    expected = run.scores[queries.judged_query, rank - 1]
    assert np.array_equal(judged_scores(queries, left, right, measure=measure), expected)
    assert judged_scores(made({}, q=2, n=2), left, right).shape == (0,)


# By topic


def test_topics_stand_with_the_latest_on_top():
    rank = np.array([1, 1, 30, 0, 200, 4, 5, 2])
    judged = JudgedRanks(np.arange(8), np.ones(8, np.int64), rank, 9)
    late, middle, early = topic_ranks(first_ranks(judged), ["a", "a", "b", "b", "b", "c", "c", None, "d"])
    assert (late.topic, late.queries, late.median) == ("b", 3, 200)
    assert (late.first, late.within_10, late.beyond_100) == (0, 0, pytest.approx(2 / 3))
    assert (middle.topic, middle.queries, middle.median, middle.within_10) == ("c", 2, 4.5, 1)
    assert (early.topic, early.first, early.beyond_100) == ("a", 1, 0)


def test_one_topic_is_all_queries():
    rng = np.random.default_rng(3)
    queries = random_set(rng, q=30, n=60)
    left, right = vectors(rng, queries)
    found = first_ranks(exact_ranks(queries, search(left, right, 5), left, right))
    (only,) = topic_ranks(found, ["x"] * 30)
    assert (only.queries, only.median) == (len(found.rank), found.median)
    assert (only.first, only.within_10) == (found.share_within(1), found.share_within(10))
    assert topic_ranks(found, [None] * 30) == ()
    lost = topic_ranks(first_ranks(JudgedRanks(np.arange(2), np.ones(2, np.int64), np.zeros(2, np.int64), 2)), "ab")
    assert lost[0].to_dict()["median"] is None
    with pytest.raises(ValueError, match="every query"):
        topic_ranks(found, ["x"])
