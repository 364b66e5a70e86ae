"""Figures of a dictionary's health: how often features fire, what is left unexplained, stability, directions."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from lib.charts.layout import figure, safe
from lib.charts.palette import CATEGORIES, GREY, HIGH, INK, LOW
from lib.numerals import count, counted, short_share
from lib.sae.diagnostics import Duplicates, Health, Unexplained
from lib.sae.matching import SHARED

MOST_LABELS = 40
"""Labels that `unexplained_by_label` draws: those with the highest FVU."""
_BINS = 40


def density(result: Health) -> go.Figure:
    """How many features fire on how many texts, in doubling steps; silent ones and always-on ones apart."""
    fig = figure(x="share of the texts (each bar twice the one before)", y="features")
    low, high = result.bin_edges[:-1], result.bin_edges[1:] - 1
    used = int(np.flatnonzero(result.histogram)[-1]) + 1 if result.histogram.any() else len(low)
    spans = [_span(int(a), int(b)) for a, b in zip(low, high, strict=True)]
    always = low > result.most_share * result.texts
    shares = ["never", *(short_share(a / result.texts) for a in low[:used])]
    texts = ["no text", *spans[:used]]
    counts = np.concatenate([[result.silent], result.histogram[:used]])
    colours = [GREY, *(HIGH if on else CATEGORIES[0] for on in always[:used])]
    fig.add_bar(
        x=list(range(len(counts))),
        y=counts,
        marker={"color": colours, "line": {"width": 0}, "pattern": {"shape": ["/", *[""] * used]}},
        customdata=texts,
        text=[str(one) if one else "" for one in counts],
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{y} features fire on %{customdata}<extra></extra>",
        showlegend=False,
    )
    fig.update_xaxes(tickvals=list(range(len(counts))), ticktext=shares)
    fig.update_yaxes(range=[0, 1.12 * max(1, int(counts.max()))])
    return fig


def unexplained_by_label(result: Unexplained) -> go.Figure:
    """FVU of each label with its interval, the highest on top, and of all texts."""
    rows = list(range(min(len(result.names), MOST_LABELS)))[::-1]
    fig = figure(
        x="fraction of variance unexplained, with 95 % interval", height=max(200, 30 * len(rows) + 110), legend=False
    )
    values = result.by_label[rows]
    fig.add_scatter(
        x=values,
        y=list(range(len(rows))),
        error_x={
            "type": "data", "symmetric": False, "color": CATEGORIES[0], "thickness": 1.5, "width": 5,
            "array": np.nan_to_num(result.label_high[rows] - values),
            "arrayminus": np.nan_to_num(values - result.label_low[rows]),
        },
        customdata=[[safe(result.names[row]), int(result.texts[row])] for row in rows],
        mode="markers",
        marker={"color": CATEGORIES[0], "size": 11},
        hovertemplate="%{customdata[0]} (%{customdata[1]} texts): %{x:.3f}<extra></extra>",
    )  # fmt: skip
    fig.add_vline(x=result.total, line={"color": INK, "width": 1.5, "dash": "dash"})
    fig.add_annotation(
        x=result.total, y=1, yref="paper", text=f"all texts {result.total:.3f} ", showarrow=False, xanchor="right",
        yanchor="bottom", font={"color": INK},
    )  # fmt: skip
    fig.update_yaxes(
        tickvals=list(range(len(rows))),
        ticktext=[f"{safe(result.names[row])} ({int(result.texts[row])})" for row in rows],
        range=[-0.6, len(rows) - 0.4],
        showgrid=False,
    )
    fig.update_xaxes(rangemode="tozero")
    return fig


def nearest_directions(result: Duplicates) -> go.Figure:
    """How near the nearest other direction is, feature by feature, against random directions and the duplicates."""
    marks = [(result.random, "random directions"), (result.threshold, "duplicates from here")]
    return _cosines(result.nearest, "cosine, nearest other one", marks)


def alignment(values: NDArray[np.floating]) -> go.Figure:
    """How far features read along the direction that they write."""
    return _cosines(values, "cosine, encoder to decoder", [])


def stability(values: NDArray[np.floating]) -> go.Figure:
    """How near each feature's match in a second training is."""
    return _cosines(values, "cosine with its match in a second training", [(SHARED, f"returns: {SHARED:g} and more")])


def _cosines(values: NDArray[np.floating], title: str, marks: Sequence[tuple[float, str]]) -> go.Figure:
    fig = figure(x=title, y="features", height=280, legend=False)
    known = values[np.isfinite(values)]
    low = min(0.0, float(known.min(initial=0.0)))
    counts, edges = np.histogram(known, np.linspace(low, 1, _BINS + 1))
    fig.add_bar(
        x=(edges[:-1] + edges[1:]) / 2,
        y=counts,
        width=np.diff(edges),
        marker={"color": LOW, "line": {"width": 0}},
        customdata=np.column_stack([edges[:-1], edges[1:]]),
        hovertemplate="%{customdata[0]:.2f} to %{customdata[1]:.2f}: %{y} features<extra></extra>",
    )
    for place, (at, text) in enumerate(marks):
        if not np.isfinite(at):
            continue
        fig.add_vline(x=at, line={"color": INK, "width": 1.5, "dash": "dash"})
        fig.add_annotation(
            x=at, y=1 - 0.12 * place, yref="paper", text=f"{text} ", showarrow=False, xanchor="right", yanchor="top",
            font={"color": INK},
        )  # fmt: skip
    fig.update_xaxes(range=[low - 0.02, 1.02])
    return fig


def _span(low: int, high: int) -> str:
    return counted(low, "text") if low == high else f"{count(low)} to {counted(high, 'text')}"
