"""Figures of late interaction, prompts, passages and paired differences: small, long, degenerate, hostile."""

import numpy as np
import pytest

from lib.charts import retrieval_late as late
from lib.charts.retrieval_chunks import length_histogram
from lib.charts.retrieval_contrasts import difference_forest, spelt
from lib.charts.retrieval_prompts import shift_histogram
from lib.retrieval import PairedTest
from lib.retrieval.chunking import CutDocuments
from lib.retrieval.late import maxsim
from lib.retrieval.prompts import shift

RNG = np.random.default_rng(2)
HOSTILE = "<img src=x>"


def meeting(a, b, d=8):
    return maxsim(RNG.normal(size=(a, d)), RNG.normal(size=(b, d)))


def names(n, word="w"):
    return [f"{word}{i}" for i in range(n)]


def heatmaps(fig):
    return [trace for trace in fig.data if trace.type == "heatmap"]


@pytest.mark.parametrize("tokens", [1, 31, 32, 33, 100, 400])
def test_the_grid_is_set_in_rows_and_marks_every_best_match_that_is_drawn(tokens):
    result = meeting(5, tokens)
    fig = late.maxsim_grid(result, names(5, "q"), names(tokens))
    drawn = min(tokens, late.MOST_TOKENS)
    assert len(heatmaps(fig)) == -(-drawn // late.ROW)
    assert np.allclose(np.hstack([trace.z for trace in heatmaps(fig)]), result.grid[:, :drawn])
    marks = [trace for trace in fig.data if trace.type == "scatter"]
    found = {
        (int(y), row * late.ROW + int(x))
        for row, trace in enumerate(marks)
        for x, y in zip(trace.x, trace.y, strict=True)
    }
    assert found == {(i, int(best)) for i, best in enumerate(result.best) if best < drawn}
    assert sum(bool(trace.showlegend) for trace in marks) == 1


def test_equal_tokens_keep_their_places():
    fig = late.maxsim_grid(meeting(2, 3), ["the", "the"], ["of", "of", "of"])
    assert list(fig.layout.xaxis.tickvals) == [0, 1, 2]
    assert list(fig.layout.xaxis.ticktext) == ["of"] * 3
    assert list(fig.layout.yaxis.ticktext) == ["the"] * 2


def test_tokens_are_escaped_and_cut():
    fig = late.maxsim_grid(meeting(1, 2), [HOSTILE], [HOSTILE, "x" * 99])
    shown = fig.to_json()
    assert "<img" not in shown
    assert "x" * 20 not in shown
    assert "<img" not in late.token_margins(meeting(1, 1), meeting(1, 1), [HOSTILE], ("a", "b")).to_json()


def test_two_documents_share_a_scale():
    first, second = meeting(4, 9), meeting(4, 5)
    low, high = late.similarity_span(first, second)
    assert low == min(first.grid.min(), second.grid.min())
    fig = late.maxsim_grid(second, names(4), names(5), span=(low, high))
    assert (fig.layout.coloraxis.cmin, fig.layout.coloraxis.cmax) == (low, high)


def test_no_tokens_at_all():
    nothing = maxsim(np.zeros((0, 3)), np.zeros((0, 3)))
    assert late.similarity_span(nothing) == (0, 1)
    late.maxsim_grid(nothing, [], [])
    late.token_margins(nothing, nothing, [], ("a", "b"))
    empty = maxsim(np.ones((2, 3)), np.zeros((0, 3)))
    late.token_margins(empty, empty, ["a", "b"], ("a", "b"))


def test_long_queries_are_cut():
    result = meeting(100, 4)
    assert len(heatmaps(late.maxsim_grid(result, names(100), names(4)))[0].z) == late.MOST_QUERY_TOKENS


def test_margins_join_the_two_documents():
    first, second = meeting(3, 9), meeting(3, 9)
    fig = late.token_margins(first, second, names(3), ("document 1", "document 2"))
    by_name = {trace.name: trace for trace in fig.data if trace.name}
    assert np.allclose(by_name["document 1"].x, first.best_similarity)
    assert np.allclose(by_name["document 2"].x, second.best_similarity)
    assert by_name["document 1"].marker.symbol != by_name["document 2"].marker.symbol


def paired(metric, difference, p, *, low=None):
    low, high = (difference - 0.1 if low is None else low), (difference + 0.1 if low is None else low)
    return PairedTest(metric, 0.5, 0.5 + difference, difference, low, high, p, 3, 2, 1, 6)


def test_the_forest_fills_what_is_sure():
    cases = [("one", [paired("ndcg@10", 0.2, 0.01), paired("mrr", -0.1, 0.5)]),
             (HOSTILE, [paired("ndcg@10", 0.0, 1.0, low=float("nan")), paired("mrr", 0.1, 0.2)])]  # fmt: skip
    fig = difference_forest(cases, x="difference")
    assert list(fig.data[0].marker.symbol) == ["circle", "circle-open"]
    assert list(fig.data[0].x) == [0.2, -0.1]
    assert list(fig.layout.yaxis.ticktext) == ["NDCG@10", "MRR"]
    assert "<img" not in fig.to_json()
    assert spelt("hit@1") == "Hit rate@1"


def test_shifts_leave_out_a_role_without_prompt():
    plain = RNG.normal(size=(30, 4))
    moved = shift(plain, plain + 0.3, role="query", prompt="query: ")
    still = shift(plain, plain, role="document", prompt="")
    fig = shift_histogram((moved, still))
    assert [trace.name for trace in fig.data] == ["queries"]
    assert sum(fig.data[0].y) == pytest.approx(100)
    same = shift(plain, plain, role="document", prompt="passage: ")
    assert sum(shift_histogram((moved, same)).data[1].y) == pytest.approx(100)
    assert len(shift_histogram((still,)).data) == 0


def lengths(tokens, room):
    tokens = np.array(tokens)
    lost = np.maximum(tokens - room, 0) if room else np.zeros_like(tokens)
    return CutDocuments(tokens, lost, room, room, int((lost > 0).sum()), 0.0, len(tokens))


@pytest.mark.parametrize(
    ("tokens", "room"),
    [
        ([0], 10),
        ([5, 11], 10),
        ([10, 10], 10),
        (list(range(400)), 254),
        ([3] * 50 + [90_000], 254),
        ([1, 7, 900], None),
    ],
)
def test_every_document_is_counted_and_the_cut_ones_lie_beyond_the_line(tokens, room):
    result = lengths(tokens, room)
    fig = length_histogram(result)
    counts = {trace.name: sum(trace.y) for trace in fig.data}
    assert counts.get("read whole", 0) == len(tokens) - result.cut
    assert counts.get("cut", 0) == result.cut
