"""Figures of the Retrieval page's sizes: quality against bytes, and against the dimensions kept."""

import numpy as np
import plotly.graph_objects as go

from lib.charts.layout import figure
from lib.charts.palette import CATEGORIES, GREY, HIGH, INK
from lib.numerals import count
from lib.retrieval.quantisation import SizePoint, SizeQuality
from lib.retrieval.truncation import PrefixQuality

_SYMBOLS = ("circle", "square", "diamond", "diamond-open", "triangle-up", "triangle-up-open")
_BYTES = tuple(2**i for i in range(20))


def quality_by_bytes(result: SizeQuality) -> go.Figure:
    """NDCG@10 against the bytes of a document's vector, a line for each precision, with the whole vector's interval."""
    fig = figure(x="bytes per document (logarithmic)", y="NDCG@10", height=420)
    whole = result.point(result.dims[-1], "float32")
    if np.isfinite(whole.ndcg_low):
        fig.add_hrect(y0=whole.ndcg_low, y1=whole.ndcg_high, fillcolor=INK, opacity=0.15, line_width=0, layer="below")
    fig.add_hline(y=whole.ndcg, line={"color": INK, "width": 1, "dash": "dash"})
    names = list(dict.fromkeys(point.precision for point in result.points))
    for i, name in enumerate(names):
        _line(fig, [point for point in result.points if point.precision == name], CATEGORIES[i % 7], _SYMBOLS[i % 6])
    least, most = (f(point.bytes_per_document for point in result.points) for f in (min, max))
    ticks = [size for size in _BYTES if least <= size <= most]
    fig.update_xaxes(type="log", tickvals=ticks, ticktext=[count(tick) for tick in ticks])
    fig.update_yaxes(rangemode="tozero")
    return fig


def _line(fig: go.Figure, points: list[SizePoint], colour: str, symbol: str) -> None:
    name = points[0].precision
    fig.add_scatter(
        x=[point.bytes_per_document for point in points],
        y=[point.ndcg for point in points],
        error_y={
            "type": "data", "symmetric": False, "thickness": 1, "width": 3,
            "array": [_reach(point.ndcg_high - point.ndcg) for point in points],
            "arrayminus": [_reach(point.ndcg - point.ndcg_low) for point in points],
        },
        customdata=[[f"{point.dims} dimensions", f"{100 * point.kept:.1f}"] for point in points],
        name=name,
        mode="lines+markers",
        line={"color": colour, "width": 2, "dash": "dot" if name.endswith("rescored") else "solid"},
        marker={"color": colour, "symbol": symbol, "size": 9},
        hovertemplate="%{customdata[0]}, " + name + ": %{x} bytes, NDCG@10 %{y:.3f}, %{customdata[1]} % of the whole"
        "<extra></extra>",
    )  # fmt: skip


def _reach(length: float) -> float:
    return length if np.isfinite(length) else 0.0


def quality_by_dims(result: PrefixQuality) -> go.Figure:
    """NDCG@10 of the first dimensions, of random subsets of as many, and of as many principal components."""
    fig = figure(x="dimensions kept (logarithmic)", y="NDCG@10", height=380)
    dims = list(result.dims)
    low, high = result.random.min(axis=0), result.random.max(axis=0)
    fig.add_scatter(
        x=dims + dims[::-1],
        y=[*high, *low[::-1]],
        fill="toself",
        fillcolor=GREY,
        opacity=0.3,
        line={"width": 0},
        mode="lines",
        name=f"{len(result.random)} random subsets, least to most",
        hoverinfo="skip",
    )
    fig.add_scatter(
        x=dims,
        y=result.random.mean(axis=0),
        name="random subsets, mean",
        mode="lines",
        line={"color": GREY, "width": 2, "dash": "dot"},
        hovertemplate="%{x} random dimensions: NDCG@10 %{y:.3f}<extra></extra>",
    )
    fig.add_scatter(
        x=dims,
        y=result.pca,
        name="principal components",
        mode="lines+markers",
        line={"color": HIGH, "width": 2, "dash": "dash"},
        marker={"symbol": "square-open", "size": 8},
        hovertemplate="%{x} principal components: NDCG@10 %{y:.3f}<extra></extra>",
    )
    fig.add_scatter(
        x=dims,
        y=result.ndcg,
        error_y={
            "type": "data", "symmetric": False, "thickness": 1, "width": 4,
            "array": [_reach(gap) for gap in result.ndcg_high - result.ndcg],
            "arrayminus": [_reach(gap) for gap in result.ndcg - result.ndcg_low],
        },
        name="the first dimensions",
        mode="lines+markers",
        line={"color": CATEGORIES[0], "width": 2.5},
        marker={"size": 9},
        hovertemplate="first %{x} dimensions: NDCG@10 %{y:.3f}<extra></extra>",
    )  # fmt: skip
    fig.update_xaxes(type="log", tickvals=dims, ticktext=[str(size) for size in dims])
    fig.update_yaxes(rangemode="tozero")
    return fig
