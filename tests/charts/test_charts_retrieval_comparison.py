"""The figures of the comparison: what stands where, which colour, one query, hostile names."""

import dataclasses
import json

import numpy as np
import pytest

from lib.charts import retrieval_comparison as charts
from lib.charts.palette import GREY, HIGH, LOW
from lib.retrieval import JudgedRanks, Run, query_metrics
from lib.retrieval.comparison import System, compare

Q = 40


def system(name, ranks, *, size=1536.0, speed=None):
    """A system whose first relevant document stands at these ranks."""
    rows = np.arange(len(ranks))
    judged = JudgedRanks(rows, np.ones(len(ranks), np.int64), np.asarray(ranks), len(ranks))
    run = Run(name, np.zeros((len(ranks), 1), np.int64), np.zeros((len(ranks), 1), np.float32), 1)
    return System(name, run, query_metrics(judged, cutoffs=(10,)), 384, size, speed)


def made(q=Q, names=("BM25", "better", "worse", "equal")):
    rng = np.random.default_rng(0)
    middle = rng.integers(3, 9, q)
    ranks = (middle, np.ones(q, int), np.full(q, 10), rng.permutation(middle))
    speeds, sizes = (9_000.0, 30.0, 300.0, None), (200.0, 1536.0, 256.0, 1536.0)
    return compare(
        [system(*one, size=size, speed=speed) for *one, size, speed in zip(names, ranks, sizes, speeds, strict=True)]
    )


def test_quality_has_a_panel_for_each_metric_and_the_baseline_is_hollow(sent):
    result = made()
    fig = charts.quality_forest(result, ["ndcg@10", "mrr"])
    assert sent(fig)["data"]
    assert len(fig.data) == 2
    for trace, metric in zip(fig.data, ("ndcg@10", "mrr"), strict=True):
        found = [contender.summary(metric) for contender in result.contenders]
        assert list(trace.x) == [one.mean for one in found]
        np.testing.assert_allclose(np.array(trace.x) + trace.error_x.array, [one.high for one in found])
        np.testing.assert_allclose(np.array(trace.x) - trace.error_x.arrayminus, [one.low for one in found])
        assert list(trace.marker.symbol) == ["circle-open", "circle", "circle", "circle"]
    assert [shape.x0 for shape in fig.layout.shapes] == [
        result.contenders[0].summary(metric).mean for metric in ("ndcg@10", "mrr")
    ]
    assert list(fig.layout.yaxis.ticktext) == ["BM25", "better", "worse", "equal"]


def test_differences_are_marked_by_shape_and_colour(sent):
    result = made()
    fig = charts.difference_forest(result)
    assert sent(fig)["data"]
    assert [trace.marker.symbol for trace in fig.data] == ["triangle-right", "triangle-left", "circle-open"]
    assert [trace.marker.color for trace in fig.data] == [HIGH, LOW, GREY]
    assert [trace.x[0] for trace in fig.data] == [one.test.difference for one in result.contenders[1:]]
    assert list(fig.layout.yaxis.ticktext) == ["better", "worse", "equal"]


def test_outcomes_add_up_to_all_queries(sent):
    result = made()
    fig = charts.outcome_bars(result)
    assert sent(fig)["data"]
    assert [trace.name for trace in fig.data] == ["won", "equal", "lost"]
    assert (np.sum([trace.x for trace in fig.data], axis=0) == Q).all()
    assert fig.data[0].x[0] == Q


def test_speed_leaves_out_what_was_not_timed_and_sizes_marks_by_bytes(sent):
    result = made()
    fig = charts.quality_against_speed(result)
    assert sent(fig)["data"]
    assert [trace.text[0].strip() for trace in fig.data] == ["BM25", "better", "worse"]
    sizes = [trace.marker.size for trace in fig.data]
    assert sizes[1] == max(sizes)
    assert all(size >= 11 for size in sizes)
    low, high = fig.layout.xaxis.range
    assert all(low < np.log10(trace.x[0]) < high for trace in fig.data)
    none = dataclasses.replace(
        result,
        contenders=tuple(dataclasses.replace(one, documents_per_second=None) for one in result.contenders),
    )
    assert not charts.quality_against_speed(none).data


@pytest.mark.parametrize("q", [1, 2])
def test_few_queries(q, sent):
    result = made(q)
    for fig in (
        charts.quality_forest(result, ["ndcg@10"]),
        charts.difference_forest(result),
        charts.outcome_bars(result),
        charts.quality_against_speed(result),
    ):
        assert sent(fig)["data"]


def test_names_are_escaped(wild, sent):
    result = made(names=("BM25", wild, "worse", wild + "2"))
    for fig in (
        charts.quality_forest(result, ["mrr"]),
        charts.difference_forest(result),
        charts.outcome_bars(result),
        charts.quality_against_speed(result),
    ):
        assert "<script" not in json.dumps(sent(fig))


@pytest.mark.parametrize(
    ("size", "words"), [(0, "0 bytes"), (93, "93 bytes"), (1536, "1.54 kB"), (368_000, "368 kB"), (2.5e6, "2.5 MB")]
)
def test_bytes_in_words(size, words):
    assert charts.size_of(size) == words
