"""Figures of search and sizes: what they draw of results small, degenerate and hostile."""

import numpy as np
import pytest

from lib.charts import retrieval_search, retrieval_sizes
from lib.retrieval.quantisation import SizePoint, SizeQuality
from lib.retrieval.ranking import Ranking
from lib.retrieval.truncation import PrefixQuality


def ranking(ranks, grades):
    ranks = np.array(ranks)
    return Ranking(np.arange(len(ranks)), ranks, -ranks.astype(np.float32), np.array(grades), row=0, items=1_000_000)


def point(dims, precision, size, ndcg, *, low=None, high=None):
    low, high = ndcg - 0.1 if low is None else low, ndcg + 0.1 if high is None else high
    return SizePoint(dims, precision, size, ndcg, low, high, ndcg, ndcg, 0.0, 0.0, 0.0, None)


def prefixes(dims, *, low=0.1):
    p = len(dims)
    ndcg = np.linspace(0.2, 0.8, p)
    return PrefixQuality(
        dims, ndcg, ndcg - low, ndcg + low, ndcg, np.tile(ndcg, (3, 1)), ndcg, ndcg, ndcg, ndcg,
        np.ones(p, bool), np.ones(p, bool), "ordered", 10, 20, 0,
    )  # fmt: skip


def test_judged_documents_have_marks_of_their_own(sent, wild):
    drawn = ranking([1, 2, 3, 40_000], [3, 0, -1, 1])
    fig = retrieval_search.value_by_rank(drawn, drawn.scores, [wild] * 4, name="cosine", shown=10)
    spec = sent(fig)
    assert [trace["name"] for trace in spec["data"]] == ["not judged (1)", "judged not relevant (1)", "relevant (2)"]
    assert [trace["marker"]["symbol"] for trace in spec["data"]] == ["circle-open", "x", "diamond"]
    assert list(fig.data[2].x) == [1, 40_000]
    assert "<script" not in fig.to_json()
    assert spec["layout"]["xaxis"]["range"][1] > np.log10(40_000)


def test_one_document(sent):
    drawn = ranking([1], [-1])
    spec = sent(retrieval_search.value_by_rank(drawn, drawn.scores, [""], name="cosine", shown=1))
    assert len(spec["data"]) == 1


def test_a_line_for_each_precision_and_the_whole_vectors_band(sent):
    points = (point(8, "float32", 32, 0.3), point(8, "binary", 1, 0.1), point(16, "float32", 64, 0.6),
              point(16, "binary", 2, 0.2))  # fmt: skip
    fig = retrieval_sizes.quality_by_bytes(SizeQuality(points, (8, 16), 9, 99, 4, 0))
    spec = sent(fig)
    assert [trace["name"] for trace in spec["data"]] == ["float32", "binary"]
    assert list(fig.data[0].x) == [32, 64]
    assert list(fig.data[1].y) == [0.1, 0.2]
    assert list(fig.data[0].error_y.array) == pytest.approx([0.1, 0.1])
    assert [shape["type"] for shape in spec["layout"]["shapes"]] == ["rect", "line"]
    assert spec["layout"]["xaxis"]["ticktext"][0] == "1"


def test_without_an_interval_there_is_no_band(sent):
    nan = float("nan")
    points = (point(3, "float32", 12, 0.3, low=nan, high=nan),)
    spec = sent(retrieval_sizes.quality_by_bytes(SizeQuality(points, (3,), 1, 1, 4, 0)))
    assert [shape["type"] for shape in spec["layout"]["shapes"]] == ["line"]


@pytest.mark.parametrize("low", [0.1, float("nan")])
@pytest.mark.parametrize("dims", [(8, 16, 32), (1,)])
def test_the_first_dimensions_against_random_ones(sent, dims, low):
    fig = retrieval_sizes.quality_by_dims(prefixes(dims, low=low))
    spec = sent(fig)
    assert [trace["name"] for trace in spec["data"]] == [
        "3 random subsets, least to most", "random subsets, mean", "principal components", "the first dimensions",
    ]  # fmt: skip
    assert list(fig.data[3].x) == list(dims)
    assert spec["layout"]["xaxis"]["ticktext"] == [str(size) for size in dims]
