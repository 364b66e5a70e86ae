"""Figures of reranking: metrics and ranks before and after. Before is dashed and hollow, after is solid."""

import numpy as np
import plotly.graph_objects as go

from lib.charts.layout import figure
from lib.charts.palette import CATEGORIES, GREY, HIGH, INK
from lib.numerals import spelt
from lib.retrieval.reranking_effect import RerankingEffect

_BEFORE, _AFTER = "as searched", "reranked"


def metric_changes(effect: RerankingEffect) -> go.Figure:
    """Each metric before and after with its 95 % interval, and the ceiling that no order of the candidates passes."""
    names = [spelt(change.metric) for change in effect.changes]
    places = np.arange(len(names))[::-1].astype(float)
    fig = figure(x="mean over the queries (0 to 1, higher is better)", height=90 + 56 * len(names))
    sides = (
        (_BEFORE, [change.before for change in effect.changes], 0.13, INK, "dash", "circle-open"),
        (_AFTER, [change.after for change in effect.changes], -0.13, CATEGORIES[0], "solid", "circle"),
    )
    for name, summaries, shift, colour, dash, symbol in sides:
        ends: list[float | None] = []
        heights: list[float | None] = []
        for place, summary in zip(places + shift, summaries, strict=True):
            if np.isfinite(summary.low):
                ends += [summary.low, summary.high, None]
                heights += [place, place, None]
        fig.add_scatter(
            x=ends, y=heights, mode="lines", line={"color": colour, "width": 2, "dash": dash}, hoverinfo="skip",
            showlegend=False,
        )  # fmt: skip
        fig.add_scatter(
            x=[summary.mean for summary in summaries],
            y=places + shift,
            name=name,
            mode="markers",
            marker={"color": colour, "size": 11, "symbol": symbol, "line": {"width": 2, "color": colour}},
            customdata=[
                f"{metric} {name}: {summary.mean:.3f}"
                + (f"<br>95 % interval {summary.low:.3f} to {summary.high:.3f}" if np.isfinite(summary.low) else "")
                for metric, summary in zip(names, summaries, strict=True)
            ],
            hovertemplate="%{customdata}<extra></extra>",
        )
    fig.add_scatter(
        x=[change.ceiling for change in effect.changes],
        y=places,
        name=f"best order of these {effect.top}",
        mode="markers",
        marker={"color": HIGH, "size": 20, "symbol": "line-ns", "line": {"width": 3, "color": HIGH}},
        customdata=names,
        hovertemplate="%{customdata}, the first " + str(effect.top) + " in the best order: %{x:.3f}<extra></extra>",
    )
    fig.update_yaxes(tickvals=places, ticktext=names, range=[-0.6, len(names) - 0.4], showgrid=False)
    fig.update_xaxes(range=[-0.02, 1.03])
    return fig


def rank_distribution(effect: RerankingEffect) -> go.Figure:
    """At which rank the first relevant document stands, for how many queries."""
    bins = effect.bins
    queries = max(len(effect.query), 1)
    fig = figure(x="rank of the first relevant document", y="queries", height=340)
    fig.add_bar(
        x=list(bins.names),
        y=bins.after,
        name=_AFTER,
        marker={"color": CATEGORIES[0], "line": {"width": 0}},
        customdata=100 * bins.after / queries,
        hovertemplate="rank %{x}: %{y} queries (%{customdata:.1f} %)<extra>" + _AFTER + "</extra>",
    )
    fig.add_scatter(
        x=list(bins.names),
        y=bins.before,
        name=_BEFORE,
        mode="lines+markers",
        line={"color": INK, "dash": "dash", "width": 2, "shape": "hvh"},
        marker={"symbol": "circle-open", "size": 10, "color": INK, "line": {"width": 2}},
        customdata=100 * bins.before / queries,
        hovertemplate="rank %{x}: %{y} queries (%{customdata:.1f} %)<extra>" + _BEFORE + "</extra>",
    )
    fig.update_xaxes(type="category")
    fig.update_layout(bargap=0.25)
    return fig


def rank_moves(effect: RerankingEffect) -> go.Figure:
    """Each query's first relevant document: its rank as searched against its rank reranked."""
    found = (effect.rank_before > 0) & (effect.rank_after > 0)
    before, after = effect.rank_before[found], effect.rank_after[found]
    places, counts = np.unique(np.stack([before, after], axis=1), axis=0, return_counts=True)
    was, now = places.reshape(-1, 2).T
    fig = figure(x="rank as searched", y="rank reranked", height=420)
    last = float(max(before.max(initial=1), after.max(initial=1))) * 1.15
    fig.add_scatter(
        x=[1, last], y=[1, last], mode="lines", line={"color": INK, "dash": "dash", "width": 1}, hoverinfo="skip",
        showlegend=False,
    )  # fmt: skip
    kinds = (
        ("earlier", now < was, CATEGORIES[0], "triangle-up"),
        ("as before", now == was, GREY, "circle-open"),
        ("later", now > was, HIGH, "triangle-down"),
    )
    for name, chosen, colour, symbol in kinds:
        number = int(counts[chosen].sum())
        fig.add_scatter(
            x=was[chosen],
            y=now[chosen],
            name=f"{name} ({number})",
            mode="markers",
            marker={"color": colour, "symbol": symbol, "size": 6 + 3 * np.sqrt(counts[chosen]), "opacity": 0.85},
            customdata=counts[chosen],
            hovertemplate="from rank %{x} to %{y}: %{customdata} queries<extra></extra>",
        )
    ticks = [tick for tick in (1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1000, 10_000) if tick <= last]
    for update in (fig.update_xaxes, fig.update_yaxes):
        update(type="log", tickvals=ticks, ticktext=[str(tick) for tick in ticks])
    fig.update_yaxes(autorange="reversed")
    return fig
