"""Figures of the Geometry page's numbers; the map has a module of its own."""

import itertools

import numpy as np
import plotly.graph_objects as go

from lib.charts.layout import HEIGHT, figure, hover_texts, safe
from lib.charts.palette import CATEGORIES, DIVERGING, HIGH, INK, LOW
from lib.geometry import (
    Anisotropy,
    Concentration,
    Hubness,
    IntrinsicDimension,
    LabelFit,
    LabelSimilarity,
    TextSimilarity,
)

MOST_HEATMAP_LABELS = 60
"""Labels that `label_heatmap` draws: those with the most texts."""
MOST_BAR_LABELS = 40
"""Labels that `label_bars` draws: those with the lowest silhouette."""

_LOG_TICKS = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
_MOST_NAMES = 40  # labels on an axis beyond which their names would overlap


def cosine_histogram(result: Anisotropy) -> go.Figure:
    """Cosines of pairs, as they are and after centering, against the uniform-sphere law."""
    fig = figure(x="cosine similarity of two texts", y="share of pairs (%)")
    middles = (result.bin_edges[:-1] + result.bin_edges[1:]) / 2
    fig.add_bar(
        x=middles,
        y=100 * result.histogram,
        name="as the encoder gives them",
        marker={"color": CATEGORIES[0], "line": {"width": 0}},
        hovertemplate="cosine %{x:.2f}: %{y:.2f} % of pairs<extra></extra>",
    )
    for share, name, colour, dash in (
        (result.histogram_centred, "after mean-centering", HIGH, "solid"),
        (result.uniform_sphere, f"uniform on the sphere, {result.dimensions} d", INK, "dash"),
    ):
        fig.add_scatter(
            x=middles,
            y=100 * share,
            name=name,
            mode="lines",
            line={"color": colour, "width": 2, "dash": dash, "shape": "hvh"},
            hovertemplate="cosine %{x:.2f}: %{y:.2f} %<extra></extra>",
        )
    fig.add_vline(x=result.mean_cosine, line={"color": LOW, "width": 1.5})
    fig.add_annotation(
        x=result.mean_cosine, y=1, yref="paper", text=f" mean {result.mean_cosine:.3f}", showarrow=False,
        xanchor="left", yanchor="top", font={"color": INK},
    )  # fmt: skip
    low, high = _span(result)
    fig.update_xaxes(range=[low, high])
    # The tallest real bin sets the scale: the uniform law is far narrower and would flatten everything else.
    tallest = 100 * max(result.histogram.max(), result.histogram_centred.max())
    fig.update_yaxes(range=[0, 1.25 * tallest])
    return fig


def _span(result: Anisotropy) -> tuple[float, float]:
    """Cosines between which something is to be seen."""
    seen = np.flatnonzero((result.histogram > 0) | (result.histogram_centred > 1e-4) | (result.uniform_sphere > 1e-4))
    return float(result.bin_edges[seen[0]]) - 0.02, float(result.bin_edges[seen[-1] + 1]) + 0.02


def dominant_dimensions(result: Anisotropy, *, top: int = 15) -> go.Figure:
    """The dimensions with the largest part of the mean cosine, before and after centering."""
    order = np.argsort(-np.abs(result.contributions))[:top]
    fig = figure(x="dimension of the embedding", y="part of the mean cosine", height=300)
    for values, name, colour in (
        (result.contributions, "as the encoder gives them", CATEGORIES[0]),
        (result.contributions_centred, "after mean-centering", HIGH),
    ):
        fig.add_bar(
            x=[str(dimension) for dimension in order],
            y=values[order],
            name=name,
            marker={"color": colour},
            hovertemplate="dimension %{x}: %{y:.4f}<extra></extra>",
        )
    fig.update_xaxes(type="category")
    return fig


def cumulative_variance(result: IntrinsicDimension) -> go.Figure:
    """Share of the variance in the first components, with 90, 95 and 99 % marked."""
    fig = figure(x="principal components kept", y="share of the variance (%)", legend=False)
    count = np.arange(1, result.dimensions + 1)
    fig.add_scatter(
        x=count,
        y=100 * result.cumulative,
        mode="lines",
        line={"color": CATEGORIES[0], "width": 2.5},
        hovertemplate="%{x} components: %{y:.1f} %<extra></extra>",
    )
    if result.components_90:
        at = [result.components_90, result.components_95, result.components_99]
        fig.add_scatter(
            x=at,
            y=[100 * result.cumulative[c - 1] for c in at],
            mode="markers+text",
            marker={"color": HIGH, "size": 9},
            text=[f"{share} %: {c}" for share, c in zip((90, 95, 99), at, strict=True)],
            textposition="bottom right",
            cliponaxis=False,
            hoverinfo="skip",
        )
    fig.update_xaxes(range=[0, result.dimensions * 1.08])
    fig.update_yaxes(range=[0, 104])
    return fig


def occurrence_histogram(result: Hubness) -> go.Figure:
    """How many texts turn up how often among the neighbours of others."""
    counts = np.bincount(result.occurrence)
    fig = figure(x=f"times among the {result.k} nearest neighbours of others", y="texts", legend=False)
    fig.add_bar(
        x=np.arange(len(counts)),
        y=counts,
        marker={"color": CATEGORIES[0], "line": {"width": 0}},
        hovertemplate="%{y} texts turn up %{x} times<extra></extra>",
    )
    fig.add_vline(x=result.k, line={"color": INK, "dash": "dash"})
    fig.add_annotation(
        x=result.k, y=1, yref="paper", text=f" mean {result.k}", showarrow=False, xanchor="left", yanchor="top",
        font={"color": INK},
    )  # fmt: skip
    return fig


def contrast_by_dimension(result: Concentration) -> go.Figure:
    """Relative contrast against the number of components, beside noise."""
    fig = figure(x="principal components kept", y="relative contrast (median)")
    for values, name, colour, dash in (
        (result.contrast, "this corpus", CATEGORIES[0], "solid"),
        (result.noise, "Gaussian noise of the same size", INK, "dash"),
    ):
        fig.add_scatter(
            x=result.dimensions,
            y=values,
            name=name,
            mode="lines+markers",
            line={"color": colour, "dash": dash, "width": 2},
            hovertemplate="%{x} components: %{y:.2f}<extra></extra>",
        )
    fig.update_xaxes(type="log", tickvals=result.dimensions, ticktext=[str(step) for step in result.dimensions])
    fig.update_yaxes(type="log", tickvals=_LOG_TICKS, ticktext=[f"{tick:g}" for tick in _LOG_TICKS])
    return fig


def label_heatmap(result: LabelSimilarity) -> go.Figure:
    """Mean cosine within (diagonal) and between labels, of the MOST_HEATMAP_LABELS largest, sorted by name."""
    drawn = np.sort(np.argsort(-result.counts, kind="stable")[:MOST_HEATMAP_LABELS])
    names = [result.names[i] for i in drawn]
    fig = _heatmap(result.means[np.ix_(drawn, drawn)], hover_texts(names))
    _name_positions(fig, "xy", names)
    if len(names) <= 12:
        fig.update_traces(texttemplate="%{z:.2f}")
    if len(names) > _MOST_NAMES:
        fig.update_xaxes(showticklabels=False)
        fig.update_yaxes(showticklabels=False)
    fig.update_traces(hovertemplate="%{text} with %{customdata}: mean cosine %{z:.3f}<extra></extra>")
    fig.update_layout(height=max(HEIGHT, 26 * min(len(names), 30) + 160))
    return fig


def text_heatmap(result: TextSimilarity, hovers: list[str]) -> go.Figure:
    """Cosine of each two of the chosen texts, in blocks by label; `hovers` are their (safe) texts."""
    m = len(result.rows)
    fig = _heatmap(result.cosines, hovers)
    fig.update_traces(hovertemplate="cosine %{z:.3f}<br><br>%{text}<br>— and —<br>%{customdata}<extra></extra>")
    starts = [0] + [i for i in range(1, m) if result.names[i] != result.names[i - 1]] + [m]
    middles = [(a + b - 1) / 2 for a, b in itertools.pairwise(starts)]
    groups = [safe(result.names[a]) or "no label" for a in starts[:-1]]
    if len(groups) <= _MOST_NAMES:
        for update in (fig.update_xaxes, fig.update_yaxes):
            update(tickvals=middles, ticktext=groups)
    for start in starts[1:-1]:
        fig.add_vline(x=start - 0.5, line={"color": INK, "width": 1})
        fig.add_hline(y=start - 0.5, line={"color": INK, "width": 1})
    fig.update_layout(height=640)
    return fig


def _heatmap(values: np.ndarray, hovers: list[str]) -> go.Figure:
    """A square of `values` by position; a hover box knows its row as %{text}, its column as %{customdata}."""
    m = len(values)
    fig = figure(legend=False)
    limit = float(np.nanmax(np.abs(values))) if np.isfinite(values).any() else 1.0
    fig.add_heatmap(
        z=values, x=list(range(m)), y=list(range(m)), colorscale=DIVERGING, zmin=-limit, zmax=limit,
        colorbar={"title": {"text": "cosine"}, "thickness": 12},
        customdata=np.broadcast_to(np.array(hovers, dtype=object), (m, m)),
        text=np.broadcast_to(np.array(hovers, dtype=object)[:, None], (m, m)),
    )  # fmt: skip
    fig.update_yaxes(autorange="reversed", scaleanchor="x", constrain="domain")
    fig.update_xaxes(constrain="domain")
    return fig


def _name_positions(fig: go.Figure, axes: str, names: list[str]) -> None:
    """Write `names` at 0, 1, ... of the `axes`: as values, plotly would read "10" as a number and merge equal ones."""
    for axis in axes:
        fig.update_layout({f"{axis}axis": {"tickvals": list(range(len(names))), "ticktext": [safe(n) for n in names]}})


def label_bars(result: LabelFit) -> go.Figure:
    """Silhouette and purity of the MOST_BAR_LABELS worst labels, worst on top, with the purity that chance gives."""
    order = np.argsort(result.silhouette_by_label)[::-1][-MOST_BAR_LABELS:]
    names = [result.names[i] for i in order]
    fig = figure(x="silhouette, purity", height=max(220, 34 * len(order) + 110))
    for values, name, colour, symbol in (
        (result.silhouette_by_label, "silhouette", CATEGORIES[0], "circle"),
        (result.purity_by_label, f"purity of {result.k} neighbours", HIGH, "square"),
        (result.chance_by_label, "purity by chance", INK, "line-ns-open"),
    ):
        fig.add_scatter(
            x=values[order],
            y=list(range(len(order))),
            customdata=hover_texts(names),
            name=name,
            mode="markers",
            marker={"color": colour, "symbol": symbol, "size": 11},
            hovertemplate="%{customdata}: %{x:.3f}<extra>" + name + "</extra>",
        )
    _name_positions(fig, "y", names)
    fig.update_yaxes(range=[-0.6, len(order) - 0.4])
    fig.add_vline(x=0, line={"color": INK, "width": 1})
    fig.update_xaxes(range=[min(-0.1, float(result.silhouette_by_label.min()) - 0.05), 1.03])
    return fig
