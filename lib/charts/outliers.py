"""Figures of out-of-distribution scores."""

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from lib.charts.layout import figure
from lib.charts.palette import CATEGORIES, HIGH, INK
from lib.geometry import Detection

_BINS = 60


def score_histogram(
    scores: NDArray[np.floating], threshold: float, *, name: str, out: NDArray[np.bool_] | None = None
) -> go.Figure:
    """How the scores of a corpus spread, with the threshold; those marked as out stand on top in their own colour."""
    fig = figure(x=f"{name} (higher = further out)", y="texts", legend=out is not None)
    edges = np.histogram_bin_edges(scores, bins=_BINS)
    middles, width = (edges[:-1] + edges[1:]) / 2, edges[1] - edges[0]
    parts = [("texts", CATEGORIES[0], scores)]
    if out is not None:
        parts = [("marked in", CATEGORIES[0], scores[~out]), ("marked out", HIGH, scores[out])]
    for part, colour, values in parts:
        counts, _ = np.histogram(values, edges)
        fig.add_bar(
            x=middles,
            y=counts,
            width=width,
            name=part,
            marker={"color": colour, "line": {"width": 0}},
            hovertemplate="score %{x:.3f}: %{y} texts<extra>" + part + "</extra>",
        )
    fig.update_layout(barmode="stack")
    fig.add_vline(x=threshold, line={"color": INK, "width": 2, "dash": "dash"})
    fig.add_annotation(
        x=threshold,
        y=1,
        yref="paper",
        text=f" flagged above {threshold:.3f}",
        showarrow=False,
        xanchor="left",
        yanchor="top",
        font={"color": INK},
    )
    return fig


def roc_curve(result: Detection) -> go.Figure:
    """Share of out texts caught against share of in texts flagged by mistake, at every threshold."""
    fig = figure(x="in texts flagged by mistake (%)", y="out texts caught (%)", legend=False)
    fig.add_scatter(
        x=[0, 100], y=[0, 100], mode="lines", line={"color": INK, "dash": "dash", "width": 1}, hoverinfo="skip"
    )
    fig.add_scatter(
        x=100 * result.false_positive_rate,
        y=100 * result.true_positive_rate,
        mode="lines",
        line={"color": CATEGORIES[0], "width": 2.5, "shape": "hv"},
        hovertemplate="%{y:.0f} % caught, %{x:.1f} % by mistake<extra></extra>",
    )
    fig.add_scatter(
        x=[100 * result.fpr_at_95_recall],
        y=[95],
        mode="markers+text",
        marker={"color": HIGH, "size": 10},
        text=[f" 95 % caught at {100 * result.fpr_at_95_recall:.1f} % mistakes"],
        textposition="middle right",
        hoverinfo="skip",
    )
    fig.update_xaxes(range=[-1, 101])
    fig.update_yaxes(range=[-1, 101])
    return fig
