"""Figures of what carries retrieval: drops feature by feature, against activation, and cumulative curves."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from lib.charts.layout import figure, safe
from lib.charts.palette import CATEGORIES, GREY, HIGH, INK, LOW
from lib.charts.sae_decompose import axis_name
from lib.numerals import count
from lib.sae.faithfulness import MEANINGS, VERDICTS, Curves, Faithfulness
from lib.sae.faithfulness.significance import ALPHA

_MARKS = {
    "essential": (HIGH, "diamond", 13),
    "ordinary": (HIGH, "diamond-open", 12),
    "harmful": (LOW, "x", 11),
    "redundant": (CATEGORIES[0], "circle", 9),
    "uncertain": (GREY, "circle-open", 9),
    "rare": (GREY, "triangle-up-open", 8),
}
_ROW, _FRAME = 27, 130  # pixels
_BAND = "rgba(138,143,152,0.30)"
_SECOND = CATEGORIES[5]


def drops(result: Faithfulness, places: NDArray[np.integer], names: Sequence[str], *, chosen: int | None) -> go.Figure:
    """What NDCG loses without each of the features at `places`, in that order, with intervals and both controls.

    `names` are those of these features, `chosen` the feature that is looked at. Above them: all features kept, and what
    is in none of them taken out.
    """
    rows = list(range(len(places)))
    fig = figure(x=f"drop of NDCG@{result.k} without it", height=_ROW * (len(rows) + 1) + _FRAME)
    fig.add_vline(x=0, line={"color": INK, "width": 1.5})
    _controls(fig, result, places)
    _error(fig, result)
    for verdict in VERDICTS:
        here = [row for row in rows if result.verdict[places[row]] == verdict]
        if not here:
            continue
        at = places[here]
        colour, symbol, size = _MARKS[verdict]
        fig.add_scatter(
            x=result.drop[at],
            y=here,
            name=verdict,
            mode="markers",
            marker={"color": colour, "symbol": symbol, "size": size, "line": {"width": 2, "color": colour}},
            error_x=_reach(result.drop[at], result.low[at], result.high[at], colour),
            customdata=[_told(result, place, names[row]) for row, place in zip(here, at.tolist(), strict=True)],
            hovertemplate="%{customdata[1]}<br>drop %{x:+.4f} (%{customdata[2]})<br>%{customdata[3]}<extra>"
            f"{verdict}</extra>",
        )
    labels = [
        f"▸ {axis_name(name)}" if result.features[place] == chosen else axis_name(name)
        for name, place in zip(names, places.tolist(), strict=True)
    ]
    fig.update_yaxes(
        tickvals=[-1, *rows], ticktext=["what is in no feature", *labels], range=[len(rows) - 0.4, -1.6], showgrid=False
    )
    fig.update_layout(legend={"y": 1, "yref": "paper"})
    return fig


def _error(fig: go.Figure, result: Faithfulness) -> None:
    """A row of its own: queries replaced by their reconstructions."""
    drop, low, high = (
        np.array([value])
        for value in (result.reconstruction_loss, result.reconstruction_low, result.reconstruction_high)
    )
    fig.add_scatter(
        x=drop,
        y=[-1],
        name="reconstruction alone",
        mode="markers",
        marker={"color": INK, "symbol": "square-open", "size": 9, "line": {"width": 2, "color": INK}},
        error_x=_reach(drop, low, high, INK),
        hovertemplate="queries replaced by what their features add up to: %{x:+.4f}<extra>reconstruction alone</extra>",
    )
    fig.add_hline(y=-0.5, line={"color": GREY, "width": 1, "dash": "dot"})


def _reach(
    drop: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64], colour: str
) -> dict[str, object]:
    """Bars from drops to the ends of their intervals; none where there is one query."""
    return {
        "type": "data", "symmetric": False, "color": colour, "thickness": 1.5, "width": 4,
        "array": np.nan_to_num(high - drop), "arrayminus": np.nan_to_num(drop - low),
    }  # fmt: skip


def _controls(fig: go.Figure, result: Faithfulness, places: NDArray[np.integer]) -> None:
    """The range of the matched control as a grey band behind each row, the mean of the random one as a tick."""
    known = [row for row, place in enumerate(places.tolist()) if np.isfinite(result.matched[place]).all()]
    if not known:
        return
    at = places[known]
    low, high = result.matched[at].min(axis=1), result.matched[at].max(axis=1)
    fig.add_bar(
        x=high - low,
        base=low,
        y=known,
        orientation="h",
        width=0.62,
        name="other features of the same queries, least to most",
        marker={"color": _BAND, "line": {"width": 0}},
        customdata=np.column_stack([low, high, result.matched[at].mean(axis=1)]),
        hovertemplate="as much taken out along other features: %{customdata[2]:+.4f} "
        "(%{customdata[0]:+.4f} to %{customdata[1]:+.4f})<extra></extra>",
    )
    fig.add_scatter(
        x=result.random[at].mean(axis=1),
        y=known,
        mode="markers",
        name="random direction, mean",
        marker={"color": _SECOND, "symbol": "line-ns-open", "size": 13, "line": {"width": 2}},
        hovertemplate="as much taken out along random directions: %{x:+.4f}<extra></extra>",
    )


def _told(result: Faithfulness, place: int, name: str) -> list[str]:
    span = "one query: no interval" if np.isnan(result.low[place]) else (
        f"{result.low[place]:+.4f} to {result.high[place]:+.4f}"
    )  # fmt: skip
    q = "not tested" if np.isnan(result.q_value[place]) else f"q = {result.q_value[place]:.2g}"
    moved = (
        f"fires on {result.fires[place]} queries, hurts {result.hurt[place]}, helps {result.helped[place]} where it "
        f"is out; {q}"
    )
    if result.q_value[place] > ALPHA and np.isfinite(result.needed[place]):
        moved += f"; about {count(result.needed[place])} queries would call it"
    return [str(result.features[place]), safe(name), span, moved]


def drop_by_activation(result: Faithfulness, names: Sequence[str]) -> go.Figure:
    """Every feature: how much of it the queries have, and what NDCG loses without it; `names` (f,) are all names."""
    fig = figure(x="total activation over the queries (logarithmic)", y=f"drop of NDCG@{result.k}", height=340)
    total = result.activation * result.fires
    kinds = np.array(result.verdict, dtype=object)
    for verdict in reversed(VERDICTS):
        here = np.flatnonzero(kinds == verdict)
        if not len(here):
            continue
        colour, symbol, size = _MARKS[verdict]
        fig.add_scattergl(
            x=total[here],
            y=result.drop[here],
            name=f"{verdict} ({len(here)})",
            mode="markers",
            marker={"color": colour, "symbol": symbol, "size": max(5, size - 3), "opacity": 0.8},
            customdata=[[str(result.features[place]), safe(names[place])] for place in here.tolist()],
            hovertemplate="%{customdata[1]}<br>activation %{x:.3g}, drop %{y:+.4f}<extra>"
            f"{MEANINGS[verdict]}</extra>",
        )  # fmt: skip
    fig.add_hline(y=0, line={"color": INK, "width": 1})
    fig.update_xaxes(type="log", dtick=1)
    return fig


def curves(result: Curves, *, topic: str | None = None) -> go.Figure:
    """NDCG as features are taken out (solid) and kept alone (dotted), in three orders; in two of them for one topic."""
    fig = figure(x="features taken out, or kept (logarithmic)", y=f"NDCG@{result.k}", height=400)
    x = np.where(result.steps > 0, result.steps, 0.6).astype(float)  # 0 has a place of its own on the axis
    lines = [("by drop", HIGH, result.removed, result.kept)]
    if topic is None:
        _band(fig, x, result.removed_low, result.removed_high)
        _band(fig, x, result.kept_low, result.kept_high)
        lines += [
            ("by activation", CATEGORIES[0], result.removed_by_activation, result.kept_by_activation),
            ("at random", GREY, result.removed_at_random.mean(axis=0), result.kept_at_random.mean(axis=0)),
        ]
    else:
        row = result.topics.index(topic)
        sizes = result.topic_removed_by_activation[row], result.topic_kept_by_activation[row]
        lines = [
            ("by drop", HIGH, result.topic_removed[row], result.topic_kept[row]),
            ("by activation", CATEGORIES[0], *sizes),
        ]
    for name, colour, removed, kept in lines:
        for what, values, dash, symbol in (("taken out", removed, "solid", "circle"), ("kept", kept, "dot", "diamond")):
            fig.add_scatter(
                x=x, y=values, mode="lines+markers", name=f"{what} {name}", customdata=result.steps,
                line={"color": colour, "width": 2, "dash": dash}, marker={"symbol": symbol, "size": 5},
                hovertemplate=f"%{{customdata}} {what} {name}: %{{y:.3f}}<extra></extra>",
            )  # fmt: skip
    levels = (lines[0][2][0], "all features", "bottom"), (lines[0][3][0], "bias and error alone", "top")
    for level, text, anchor in levels:
        fig.add_hline(y=float(level), line={"color": INK, "width": 1, "dash": "dash"})
        fig.add_annotation(
            x=0, xref="paper", y=float(level), text=f"{text} {level:.3f}", showarrow=False, xanchor="left",
            yanchor=anchor, font={"color": INK, "size": 12},
        )  # fmt: skip
    fig.add_vline(x=result.few, line={"color": INK, "width": 1, "dash": "dot"})
    fig.add_annotation(
        x=float(np.log10(result.few)), y=0.0, yref="paper", text=f"first {result.few}: 10 %", showarrow=False,
        xanchor="right", yanchor="bottom", font={"color": INK, "size": 12},
    )  # fmt: skip
    ticks = [0, *(10**power * digit for power in range(6) for digit in (1, 3) if 10**power * digit <= result.features)]
    fig.update_xaxes(
        type="log",
        tickvals=[tick or 0.6 for tick in ticks],
        ticktext=[count(tick) for tick in ticks],
        range=[np.log10(0.5), np.log10(max(result.features, 2) * 1.15)],
    )
    fig.update_yaxes(rangemode="tozero")
    return fig


def _band(fig: go.Figure, x: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64]) -> None:
    fig.add_scatter(
        x=np.concatenate([x, x[::-1]]), y=np.concatenate([high, low[::-1]]), fill="toself", mode="lines",
        fillcolor="rgba(217,119,6,0.14)", line={"width": 0}, hoverinfo="skip", showlegend=False,
    )  # fmt: skip


def topic_drops(result: Faithfulness, places: NDArray[np.integer], names: Sequence[str]) -> go.Figure:
    """What each topic loses without each of the features at `places`: amber where it loses, violet where it gains."""
    values = result.topic_drop[places]
    most = float(np.abs(values).max(initial=1e-9))
    fig = figure(height=24 * len(places) + 120, legend=False)
    fig.add_heatmap(
        z=values,
        x=[f"{safe(topic)} ({n})" for topic, n in zip(result.topics, result.topic_queries.tolist(), strict=True)],
        y=list(range(len(places))),
        colorscale=[[0, LOW], [0.5, "rgba(207,203,198,0.25)"], [1, HIGH]],
        zmin=-most,
        zmax=most,
        xgap=2,
        ygap=2,
        colorbar={"title": "drop", "thickness": 10, "tickformat": "+.3f"},
        customdata=[[safe(name)] * len(result.topics) for name in names],
        hovertemplate="%{customdata}<br>%{x}: %{z:+.4f}<extra></extra>",
    )
    fig.update_yaxes(
        tickvals=list(range(len(places))), ticktext=[axis_name(name) for name in names], autorange="reversed"
    )
    fig.update_xaxes(side="top")
    return fig
