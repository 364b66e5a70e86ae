"""Figures of the ranks of a diff: metrics before and after, the rank of every query, one query's two rankings."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from lib.charts.finetune_lists import sign
from lib.charts.layout import figure, safe
from lib.charts.palette import CATEGORIES, GREY, HIGH, INK, LOW
from lib.finetune.diff.ranks import MetricChange, RankDiff
from lib.finetune.diff.topic_ranks import TopicChange
from lib.numerals import minus, spelt

MOST_QUERIES = 200
"""Queries that `rank_slopes` draws: a random draw, where there are more."""
LOOKS = {1: ("improved", HIGH, "triangle-up"), 0: ("same", GREY, "circle"), -1: ("worse", LOW, "triangle-down")}
"""Name, colour and shape of what became of a query."""
_ROW = 46
_TICKS = [digit * 10**power for power in range(8) for digit in (1, 2, 3, 5)]
_FEW_RANKS = 10  # as many have each a mark
_ALPHA = 0.05


def metric_changes(changes: Sequence[MetricChange]) -> go.Figure:
    """Each metric before (hollow) and after (solid) with its interval; an arrow's colour tells a sure difference."""
    fig = figure(x="mean over the queries, with its 95 % interval", height=_ROW * len(changes) + 110)
    rows = np.arange(len(changes))
    for tuned, name, symbol, dash in ((False, "base", "circle-open", "dash"), (True, "tuned", "circle", "solid")):
        sides = [one.tuned if tuned else one.base for one in changes]
        place = (rows + (0.15 if tuned else -0.15)).tolist()
        for side, at in zip(sides, place, strict=True):
            if math.isfinite(side.low):
                fig.add_scatter(
                    x=[side.low, side.high], y=[at, at], mode="lines", showlegend=False, hoverinfo="skip",
                    line={"color": CATEGORIES[0] if tuned else INK, "width": 2, "dash": dash},
                )  # fmt: skip
        fig.add_scatter(
            x=[side.mean for side in sides],
            y=place,
            mode="markers",
            name=name,
            marker={
                "symbol": symbol,
                "size": 11,
                "color": CATEGORIES[0] if tuned else INK,
                "line": {"width": 2, "color": CATEGORIES[0] if tuned else INK},
            },
            customdata=[[spelt(side.metric), _span(side.low, side.high)] for side in sides],
            hovertemplate=f"{name}: %{{customdata[0]}} %{{x:.3f}}%{{customdata[1]}}<extra></extra>",
        )
    for row, one in enumerate(changes):
        fig.add_annotation(
            x=1, xref="paper", xanchor="left", xshift=10, y=row, text=_verdict(one.test.difference, one.corrected),
            showarrow=False, align="left",
        )  # fmt: skip
    fig.update_yaxes(
        tickvals=rows.tolist(), ticktext=[spelt(one.metric) for one in changes], range=[len(changes) - 0.5, -0.5],
        showgrid=False,
    )  # fmt: skip
    ends = [value for one in changes for side in (one.base, one.tuned) for value in (side.low, side.high, side.mean)]
    known = [value for value in ends if math.isfinite(value)]
    low, high = min(known), max(known)
    room = max(0.04 * (high - low), 0.01)
    fig.update_xaxes(range=[low - room, high + room])
    fig.update_layout(margin={"r": 118})
    return fig


def topic_changes(topics: Sequence[TopicChange], metric: str) -> go.Figure:
    """The difference of one metric, topic by topic, with its interval: amber where tuning surely helped."""
    fig = figure(x=f"change of {spelt(metric)}, with its 95 % interval", height=34 * len(topics) + 100, legend=False)
    fig.add_vline(x=0, line={"color": INK, "dash": "dash"})
    for row, topic in enumerate(topics):
        test, p_value = topic.test(metric), topic.p_value(metric)
        sure = p_value <= _ALPHA
        colour = _colour(test.difference, p_value)
        reach = (test.high - test.difference, test.difference - test.low) if math.isfinite(test.low) else (0, 0)
        fig.add_scatter(
            x=[test.difference],
            y=[row],
            error_x={
                "type": "data", "symmetric": False, "array": [reach[0]], "arrayminus": [reach[1]], "color": colour,
                "thickness": 1.5, "width": 4,
            },
            mode="markers",
            marker={
                "color": colour, "size": 11, "line": {"width": 2, "color": colour},
                "symbol": ("triangle-right" if test.difference > 0 else "triangle-left") if sure else "circle-open",
            },
            customdata=[[safe(topic.topic), _span(test.low, test.high), f"{p_value:.2g}", topic.queries]],
            hovertemplate="%{customdata[0]} (%{customdata[3]} queries): %{x:+.3f}%{customdata[1]}, "
            "p = %{customdata[2]}<extra></extra>",
        )  # fmt: skip
    fig.update_yaxes(
        tickvals=list(range(len(topics))), ticktext=[f"{safe(one.topic)} ({one.queries})" for one in topics],
        range=[len(topics) - 0.5, -0.5], showgrid=False,
    )  # fmt: skip
    return fig


def rank_slopes(
    result: RankDiff, places: NDArray[np.integer], names: Mapping[int, str], *, chosen: int | None = None
) -> go.Figure:
    """A line for each query at `places` (of the s compared), from its rank before to its rank after; 1 is on top.

    Queries that share both ranks share a line, the wider the more. `names` has the text of each query by its row; a
    click gives the row of a line's first query as custom data. The query in row `chosen` is ringed.
    """
    fig = figure(height=520)
    pairs, first, counts = np.unique(
        np.stack([result.rank_base[places], result.rank_tuned[places]], axis=1), axis=0, return_index=True,
        return_counts=True,
    )  # fmt: skip
    queries = result.query[places][first]
    for change in (0, 1, -1):
        name, colour, symbol = LOOKS[change]
        part = np.flatnonzero(np.sign(pairs[:, 0] - pairs[:, 1]) == change)
        if not len(part):
            continue
        _lines(fig, pairs[part], counts[part], colour)
        for side, x in ((0, "base"), (1, "tuned")):
            fig.add_scatter(
                x=[x] * len(part),
                y=pairs[part, side],
                mode="markers",
                name=f"{name} ({int(counts[part].sum())})",
                showlegend=bool(side),
                marker={
                    "symbol": symbol if side else f"{symbol}-open", "color": colour,
                    "line": {"width": 1.5, "color": colour}, "size": (9 + 3 * np.sqrt(counts[part] - 1)).tolist(),
                },
                customdata=[
                    [str(queries[at]), names[int(queries[at])], _others(int(counts[at])), *pairs[at].tolist()]
                    for at in part.tolist()
                ],
                hovertemplate="%{customdata[1]}%{customdata[2]}<br>rank %{customdata[3]} → %{customdata[4]}"
                "<extra></extra>",
            )  # fmt: skip
    _ring(fig, result, chosen)
    most = int(max(pairs.max(initial=1), 2))
    ticks = [tick for tick in _TICKS if tick <= most] if most > _FEW_RANKS else list(range(1, most + 1))
    fig.update_yaxes(
        type="log", range=[math.log10(most) + 0.08, -0.08], tickvals=ticks, ticktext=[f"{tick:,}" for tick in ticks],
        title="rank of the closest true document (1 is best, logarithmic)", minor={"showgrid": False},
    )  # fmt: skip
    fig.update_xaxes(
        type="category", categoryorder="array", categoryarray=["base", "tuned"], range=[-0.15, 1.15], showgrid=False,
        tickvals=["base", "tuned"], ticktext=["base (hollow)", "tuned (solid)"],
    )  # fmt: skip
    fig.update_layout(hovermode="closest", margin={"t": 30})
    return fig


def drawn_places(places: NDArray[np.integer], *, seed: int = 0) -> NDArray[np.int64]:
    """The places that are drawn: all, or a random MOST_QUERIES of them, ascending."""
    if len(places) <= MOST_QUERIES:
        return np.asarray(places, dtype=np.int64)
    drawn = np.random.default_rng(seed).choice(np.asarray(places, dtype=np.int64), MOST_QUERIES, replace=False)
    return np.sort(drawn)


def _lines(fig: go.Figure, pairs: NDArray[np.integer], counts: NDArray[np.integer], colour: str) -> None:
    """The lines of one colour, in three widths."""
    widths = np.minimum(1 + np.log2(counts), 5).round().astype(int)
    for width in np.unique(widths).tolist():
        part = pairs[widths == width]
        y = np.column_stack([part.astype(float), np.full(len(part), np.nan)]).ravel()
        fig.add_scatter(
            x=["base", "tuned", None] * len(part), y=[None if math.isnan(one) else one for one in y.tolist()],
            mode="lines", line={"color": colour, "width": width}, opacity=0.55, hoverinfo="skip", showlegend=False,
        )  # fmt: skip


def _ring(fig: go.Figure, result: RankDiff, chosen: int | None) -> None:
    here = np.flatnonzero(result.query == (-1 if chosen is None else chosen))
    if not len(here):
        return
    ranks = [int(result.rank_base[here[0]]), int(result.rank_tuned[here[0]])]
    fig.add_scatter(
        x=["base", "tuned"], y=ranks, mode="lines+markers", name="the query below", hoverinfo="skip",
        line={"color": INK, "width": 2, "dash": "dot"},
        marker={"color": "rgba(0,0,0,0)", "size": 20, "symbol": "circle", "line": {"color": INK, "width": 2}},
    )  # fmt: skip


def _verdict(difference: float, p_value: float) -> str:
    if p_value > _ALPHA:
        return minus(f"○ {difference:+.3f}")
    return f"{sign('▲', HIGH) if difference > 0 else sign('▼', LOW)} {minus(f'{difference:+.3f}')}"


def _colour(difference: float, p_value: float) -> str:
    return GREY if p_value > _ALPHA else HIGH if difference > 0 else LOW


def _others(count: int) -> str:
    return "" if count == 1 else f"<br>and {count - 1} more with the same ranks"


def _span(low: float, high: float) -> str:
    return f" ({low:.3f} to {high:.3f})" if math.isfinite(low) else ""
