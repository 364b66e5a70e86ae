"""Figures of the Retrieval page's quality: a metric by topic, and the rank of the closest true document."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from lib.charts.layout import figure, hover_texts, safe
from lib.charts.palette import CATEGORIES, HIGH, INK
from lib.numerals import count
from lib.retrieval import Summary
from lib.retrieval.ranks import FirstRanks

MOST_TOPICS = 40
"""Topics that `metric_by_topic` draws: those with the lowest mean."""
_RANK_TICKS = (1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 100_000, 1_000_000)


def metric_by_topic(summaries: Sequence[Summary], *, title: str, bounded: bool = True) -> go.Figure:
    """The metric called `title` over all queries and by topic, lowest on top: each mean with its interval.

    One that is not `bounded` by 0 and 1 has the axis that its values need, 0 among them.
    """
    whole = next(summary for summary in summaries if summary.group is None)
    topics = sorted((s for s in summaries if s.group is not None), key=lambda s: s.mean)[:MOST_TOPICS]
    rows = [*topics, whole][::-1]
    fig = figure(x=f"{title}, mean and 95 % interval", height=max(200, 34 * len(rows) + 90), legend=False)
    for chosen, colour, symbol in ((topics, CATEGORIES[0], "circle"), ([whole], HIGH, "diamond")):
        fig.add_scatter(
            x=[summary.mean for summary in chosen],
            y=[rows.index(summary) for summary in chosen],
            error_x={
                "type": "data", "symmetric": False, "thickness": 1.5, "width": 5,
                "array": [_reach(summary.high - summary.mean) for summary in chosen],
                "arrayminus": [_reach(summary.mean - summary.low) for summary in chosen],
            },
            customdata=[[name, interval] for name, interval in zip(_names(chosen), _intervals(chosen), strict=True)],
            mode="markers",
            marker={"color": colour, "symbol": symbol, "size": 11},
            hovertemplate="%{customdata[0]}: %{x:.3f}%{customdata[1]}<extra></extra>",
        )  # fmt: skip
    fig.add_vline(x=whole.mean, line={"color": INK, "width": 1, "dash": "dash"})
    fig.update_yaxes(
        tickvals=list(range(len(rows))), ticktext=_names(rows), range=[-0.6, len(rows) - 0.4], showgrid=False
    )
    if bounded:
        fig.update_xaxes(range=[-0.02, 1.03])
    else:
        fig.update_xaxes(rangemode="tozero")
        fig.add_vline(x=0, line={"color": INK, "width": 1.5})
    return fig


def _reach(length: float) -> float:
    return length if np.isfinite(length) else 0.0


def _names(summaries: Sequence[Summary]) -> list[str]:
    return [f"{'all queries' if s.group is None else safe(s.group)} ({s.queries})" for s in summaries]


def _intervals(summaries: Sequence[Summary]) -> list[str]:
    return [f" ({s.low:.3f} to {s.high:.3f})" if np.isfinite(s.low) else ", one query" for s in summaries]


def rank_histogram(result: FirstRanks) -> go.Figure:
    """How many queries have their closest true document at which rank."""
    fig = figure(x="rank of the closest true document", y="queries", height=300, legend=False)
    names = [str(low) if low == high else f"{low}–{high}" for low, high in result.bins]
    counts = result.counts.tolist()
    if result.not_retrieved:
        names, counts = [*names, "not found"], [*counts, result.not_retrieved]
    fig.add_bar(
        x=list(range(len(names))),
        y=counts,
        customdata=hover_texts(names),
        marker={"color": CATEGORIES[0], "line": {"width": 0}},
        text=counts,
        textposition="outside",
        cliponaxis=False,
        hovertemplate="rank %{customdata}: %{y} queries<extra></extra>",
    )
    fig.update_xaxes(tickvals=list(range(len(names))), ticktext=names)
    fig.update_yaxes(range=[0, 1.12 * max([1, *counts])])
    return fig


def rank_curve(result: FirstRanks, *, marked: Sequence[int] = (1, 10, 100)) -> go.Figure:
    """Share of queries whose closest true document has a rank or a better one; some ranks are marked."""
    fig = figure(x="rank r (logarithmic)", y="queries with rank r or better (%)", height=300, legend=False)
    if not len(result.curve_rank):
        return fig
    last = max(int(result.curve_rank[-1]), 10)
    steps = np.concatenate([[1], result.curve_rank, [last]])
    shares = np.concatenate([[result.share_within(1)], result.curve_share, result.curve_share[-1:]])
    fig.add_scatter(
        x=steps,
        y=100 * shares,
        mode="lines",
        line={"color": CATEGORIES[0], "width": 2.5, "shape": "hv"},
        hovertemplate="rank %{x} or better: %{y:.1f} % of queries<extra></extra>",
    )
    shown = [rank for rank in marked if rank <= last]
    at = [100 * result.share_within(rank) for rank in shown]
    fig.add_scatter(
        x=shown,
        y=at,
        mode="markers+text",
        marker={"color": HIGH, "size": 9},
        text=[f"{share:.0f} %" for share in at],
        textposition=["top right" if share < 85 else "bottom right" for share in at],
        hoverinfo="skip",
    )
    ticks = [tick for tick in _RANK_TICKS if tick <= last]
    fig.update_xaxes(type="log", tickvals=ticks, ticktext=[count(tick) for tick in ticks])
    fig.update_yaxes(range=[0, 104])
    return fig
