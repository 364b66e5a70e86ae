"""Figures of retrieval quality and hard negatives: what they draw of results small, large, degenerate and hostile."""

import dataclasses

import numpy as np
import pytest

from lib.charts import retrieval_negatives, retrieval_quality
from lib.corpora import QuerySet
from lib.retrieval import JudgedRanks, Summary
from lib.retrieval.exports import run_from_scores
from lib.retrieval.negatives import hard_negatives, with_cross_encoder
from lib.retrieval.ranks import first_ranks


def summary(group, mean, *, low=None, high=None, queries=9):
    low, high = mean - 0.1 if low is None else low, mean + 0.1 if high is None else high
    return Summary("ndcg@10", group, mean, low, high, queries)


def gaps(scores, judgements):
    """Hard negatives of one document judged relevant for each query."""
    q, n = scores.shape
    queries = QuerySet(
        name="x",
        queries=tuple(f"query {row}" for row in range(q)),
        query_ids=tuple(map(str, range(q))),
        documents=tuple(f"text {row}" for row in range(n)),
        document_ids=tuple(map(str, range(n))),
        judged_query=np.arange(q),
        judged_document=np.array(judgements),
        relevance=np.ones(q, dtype=np.int64),
    )
    return hard_negatives(queries, run_from_scores(queries, scores, system="x"))


def ranks(values, *, queries=None):
    rank = np.array(values, dtype=np.int64)
    return first_ranks(JudgedRanks(np.arange(len(rank)), np.ones(len(rank), np.int64), rank, queries or len(rank)))


# A metric by topic


def test_topics_stand_lowest_on_top_with_all_queries_below(sent):
    fig = retrieval_quality.metric_by_topic(
        [summary(None, 0.5, queries=20), summary("b", 0.7), summary("a", 0.2)], title="NDCG@10"
    )
    assert sent(fig)["data"]
    topics, whole = fig.data
    assert dict(zip(topics.y, topics.x, strict=True)) == {2: 0.2, 1: 0.7}
    assert (list(whole.y), list(whole.x)) == ([0], [0.5])
    assert list(fig.layout.yaxis.ticktext) == ["all queries (20)", "b (9)", "a (9)"]
    assert topics.error_x.array == pytest.approx((0.1, 0.1))
    assert "NDCG@10" in fig.layout.xaxis.title.text


def test_one_query_has_no_bar_and_names_are_safe(sent, wild):
    alone = summary(wild, 1.0, low=float("nan"), high=float("nan"), queries=1)
    fig = retrieval_quality.metric_by_topic([summary(None, 0.5), alone], title="MRR")
    assert "<script" not in str(sent(fig))
    assert fig.data[0].error_x.array == (0,)
    assert "one query" in fig.data[0].customdata[0][1]


def test_only_the_lowest_topics_are_drawn():
    many = [summary(f"t{n:03}", n / 100) for n in range(90)]
    fig = retrieval_quality.metric_by_topic([summary(None, 0.5), *many], title="MRR")
    assert len(fig.data[0].x) == retrieval_quality.MOST_TOPICS
    assert max(fig.data[0].x) == pytest.approx(0.39)


def test_what_is_not_bounded_has_the_axis_it_needs(sent):
    below = [summary(None, -0.4), summary("a", -2.0), summary("b", 3.0)]
    fig = retrieval_quality.metric_by_topic(below, title="gap", bounded=False)
    assert sent(fig)["data"]
    assert (fig.layout.xaxis.range, fig.layout.xaxis.rangemode) == (None, "tozero")
    assert {line.x0 for line in fig.layout.shapes} == {-0.4, 0}
    assert retrieval_quality.metric_by_topic(below, title="MRR").layout.xaxis.range == (-0.02, 1.03)


# Ranks


def test_bars_say_how_many_queries_have_which_rank(sent):
    fig = retrieval_quality.rank_histogram(ranks([1, 1, 4, 12, 0]))
    assert sent(fig)["data"]
    assert list(fig.layout.xaxis.ticktext) == ["1", "2", "3", "4–5", "6–10", "11–20", "not found"]
    assert list(fig.data[0].y) == [2, 0, 0, 1, 0, 1, 1]


def test_the_curve_ends_at_the_share_that_was_found(sent):
    result = ranks([1, 1, 4, 120, 0])
    fig = retrieval_quality.rank_curve(result)
    assert sent(fig)["data"]
    line, marks = fig.data
    assert (line.x[-1], line.y[-1]) == (120, 80)
    assert dict(zip(marks.x, marks.y, strict=True)) == {1: 40, 10: pytest.approx(60), 100: pytest.approx(60)}
    assert (np.diff(line.y) >= 0).all()


@pytest.mark.parametrize("values", [[], [0], [1], [1, 1, 1], [1_000_000]])
def test_ranks_of_few_queries_draw(values, sent):
    result = ranks(values, queries=3)
    assert sent(retrieval_quality.rank_histogram(result))["data"]
    sent(retrieval_quality.rank_curve(result))


# Hard negatives


def test_the_histogram_parts_at_0(sent):
    result = gaps(np.array([[0.9, 0.1, 0.2], [0.3, 0.5, 0.1], [0.6, 0.5, 0.1]]), [0, 0, 0])
    fig = retrieval_negatives.gap_histogram(result, unit="cosine")
    assert sent(fig)["data"]
    below, above = fig.data
    assert (sum(below.y), sum(above.y)) == (1, 2)
    assert max(below.x) < 0 < min(above.x)
    assert "cosine" in fig.layout.xaxis.title.text


def test_points_are_flagged_by_shape_and_named(sent, wild):
    result = gaps(np.array([[0.9, 0.1, 0.2], [0.3, 0.5, 0.1], [0.4, 0.6, 0.1]]), [0, 0, 0])
    fig = retrieval_negatives.scores_against(result, [wild] * 3, unit="dot")
    assert "<script" not in str(sent(fig))
    plain, doubtful, _ = fig.data
    assert (plain.name, plain.marker.symbol) == ("nothing suspicious (1)", "circle")
    assert (doubtful.name, doubtful.marker.symbol) == ("negative may be unlabelled (2)", "diamond-open")
    asked = with_cross_encoder(result, np.array([[0, 1], [0, 1], [1, 0]]))
    agreed = retrieval_negatives.scores_against(asked, ["a", "b", "c"], unit="dot").data[2]
    assert (agreed.marker.symbol, list(agreed.x)) == ("diamond", [pytest.approx(0.5)])
    points = sum(len(trace.x) for trace in retrieval_negatives.scores_against(asked, ["a"] * 3, unit="dot").data[:-1])
    assert points == 3


def test_a_large_set_is_thinned_out():
    rng = np.random.default_rng(0)
    result = gaps(rng.random((9_000, 3)), rng.integers(0, 3, size=9_000))
    fig = retrieval_negatives.scores_against(result, ["q"] * 9_000, unit="cosine")
    assert sum(len(trace.x) for trace in fig.data[:-1]) == 3_000


@pytest.mark.parametrize("scores", [np.full((2, 2), 0.5), np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])])
def test_gaps_all_on_one_side_or_all_0_draw(scores, sent):
    result = gaps(scores, [0] * len(scores))
    assert sent(retrieval_negatives.gap_histogram(result, unit="cosine"))["data"]
    assert sent(retrieval_negatives.scores_against(result, ["a"] * len(scores), unit="cosine"))["data"]
    alone = dataclasses.replace(result, low=float("nan"), high=float("nan"))
    assert sent(retrieval_negatives.gap_histogram(alone, unit="cosine"))["data"]
