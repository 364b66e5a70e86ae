"""The map of a corpus: points coloured by a group or a number, flags, and where a new text lands.

A browser draws up to 20,000 points well. Above that the picture shows density, and a sample of the points.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from lib.charts.layout import MAP_HEIGHT, figure, hover_texts, safe
from lib.charts.palette import FLAG, GREY, LANDING, MOST_CATEGORIES, NEUTRAL, RAMP, category_colours
from lib.geometry import Projection

MOST_POINTS = 20_000
_POINTS_OVER_DENSITY = 4_000
_SVG_POINTS = 3_000  # SVG is crisper, WebGL faster
_AXIS_NAMES = {"umap": "UMAP", "pca": "principal component", "tsne": "t-SNE"}
_BINS = 160


@dataclass(frozen=True)
class Colouring:
    """What the colour of a point stands for."""

    name: str
    """Title of the legend or the colour bar."""
    groups: Sequence[str | None] | None = None
    """A group for each text; None is drawn grey and hollow."""
    numbers: NDArray[np.floating] | None = None
    """Or a number for each text, shape (n,), violet = low, amber = high; NaN is grey."""

    @property
    def without(self) -> str:
        """What a text without a group is called."""
        return f"no {safe(self.name)}"


@dataclass(frozen=True)
class Landing:
    """Where new texts land on the map."""

    coordinates: NDArray[np.float32]
    """Shape (m, dimensions)."""
    texts: Sequence[str]
    """The m texts."""


def shown_rows(n: int, *, seed: int = 0) -> NDArray[np.int64]:
    """The rows of n that are drawn as points: all, or a uniform sample over a density picture."""
    if n <= MOST_POINTS:
        return np.arange(n)
    return np.sort(np.random.default_rng(seed).choice(n, _POINTS_OVER_DENSITY, replace=False))


def corpus_map(
    projection: Projection,
    texts: Sequence[str],
    colouring: Colouring,
    *,
    flagged: NDArray[np.bool_] | None = None,
    landing: Landing | None = None,
) -> go.Figure:
    """The map; each point carries its row as text in `customdata[0]`, for the selection to name it."""
    rows = shown_rows(projection.items, seed=projection.seed)
    fig = _canvas(projection)
    if len(rows) < projection.items and projection.coordinates.shape[1] == 2:
        _add_density(fig, projection.coordinates)
    if colouring.numbers is not None:
        _add_numbers(fig, projection, rows, texts, colouring.name, colouring.numbers)
    else:
        _add_groups(fig, projection, rows, texts, colouring)
    if flagged is not None and flagged.any():
        _add_flags(fig, projection, rows[flagged[rows]], int(flagged.sum()))
    if landing is not None:
        _add_landing(fig, landing)
    return fig


def mark_selected(fig: go.Figure, rows: Sequence[int]) -> None:
    """Draw the points of `rows` as selected: the others are dimmed."""
    chosen = set(rows)
    for trace in fig.data:
        if trace.customdata is not None:
            trace.selectedpoints = [at for at, (row,) in enumerate(trace.customdata) if int(row) in chosen]


def _canvas(projection: Projection) -> go.Figure:
    fig = figure(height=MAP_HEIGHT)
    name = _AXIS_NAMES[projection.method]
    titles = [f"{name} {axis + 1}" for axis in range(projection.coordinates.shape[1])]
    if projection.explained_variance is not None:
        titles = [
            f"{title} ({100 * part:.1f} % of variance)"
            for title, part in zip(titles, projection.explained_variance, strict=True)
        ]
    if len(titles) == 3:
        axes = {
            f"{axis}axis": {"title": title, "showticklabels": False} for axis, title in zip("xyz", titles, strict=True)
        }
        fig.update_layout(scene=axes | {"aspectmode": "cube"}, legend={"itemsizing": "constant"})
    else:
        ticks = projection.method == "pca"  # the scale of the others means nothing
        fig.update_xaxes(title=titles[0], showticklabels=ticks)
        fig.update_yaxes(title=titles[1], showticklabels=ticks)
        fig.update_layout(dragmode="lasso", legend={"itemsizing": "constant"})
    return fig


def _points(projection: Projection, rows: NDArray[np.int64], *, drawn: int, **settings: object) -> go.Scatter:
    """Points of `rows` as the fitting kind of trace; `drawn` points in all decide between SVG and WebGL."""
    at = projection.coordinates[rows]
    if at.shape[1] == 3:
        return go.Scatter3d(x=at[:, 0], y=at[:, 1], z=at[:, 2], mode="markers", **settings)
    kind = go.Scatter if drawn <= _SVG_POINTS else go.Scattergl
    dim = {"marker": {"opacity": 0.25, "color": GREY}}
    return kind(x=at[:, 0], y=at[:, 1], mode="markers", unselected=dim, **settings)


def _size(n: int, dimensions: int) -> float:
    size = 8.0 if n <= 1_000 else 6.0 if n <= 5_000 else 4.0
    return size / 2 if dimensions == 3 else size


def _add_groups(
    fig: go.Figure,
    projection: Projection,
    rows: NDArray[np.int64],
    texts: Sequence[str],
    colouring: Colouring,
) -> None:
    groups = colouring.groups if colouring.groups is not None else [None] * projection.items
    counts = Counter(group for group in groups if group is not None)
    named = [name for name, _ in counts.most_common(MOST_CATEGORIES)]
    named.sort()
    colours = category_colours(named)
    of_row = [groups[row] for row in rows]
    parts: list[tuple[str, str, str, NDArray[np.int64]]] = []
    for name in named:
        mine = rows[[group == name for group in of_row]]
        parts.append((f"{safe(name)} ({counts[name]})", colours[name], "circle", mine))
    others = len(counts) - len(named)
    if others:
        mine = rows[[group is not None and group not in colours for group in of_row]]
        parts.append((f"{others} more", GREY, "circle", mine))
    without = rows[[group is None for group in of_row]]
    if len(without):
        total = sum(group is None for group in groups)
        parts.append((f"{colouring.without} ({total})", GREY, "circle-open", without))
    size = _size(len(rows), projection.coordinates.shape[1])
    for name, colour, symbol, mine in parts:
        hovers = hover_texts(texts[row] for row in mine)
        titles = [safe(groups[row]) if groups[row] is not None else colouring.without for row in mine]
        fig.add_trace(
            _points(
                projection,
                mine,
                drawn=len(rows),
                name=name,
                marker={"color": colour, "symbol": symbol, "size": size, "opacity": 0.85},
                customdata=[[str(row)] for row in mine],
                text=[f"<b>{title}</b><br>{hover}" for title, hover in zip(titles, hovers, strict=True)],
                hovertemplate="%{text}<extra></extra>",
            )
        )


def _add_numbers(
    fig: go.Figure,
    projection: Projection,
    rows: NDArray[np.int64],
    texts: Sequence[str],
    name: str,
    numbers: NDArray[np.floating],
) -> None:
    values = numbers[rows]
    titles = [f"{safe(name)}: {value:.3g}" if np.isfinite(value) else f"no {safe(name)}" for value in values]
    hovers = hover_texts(texts[row] for row in rows)
    fig.add_trace(
        _points(
            projection,
            rows,
            drawn=len(rows),
            showlegend=False,
            marker={
                "color": values,
                "colorscale": RAMP,
                "size": _size(len(rows), projection.coordinates.shape[1]),
                "opacity": 0.9,
                "colorbar": {"title": {"text": safe(name)}, "thickness": 12, "outlinewidth": 0},
            },
            customdata=[[str(row)] for row in rows],
            text=[f"<b>{title}</b><br>{hover}" for title, hover in zip(titles, hovers, strict=True)],
            hovertemplate="%{text}<extra></extra>",
        )
    )


def _add_flags(fig: go.Figure, projection: Projection, rows: NDArray[np.int64], total: int) -> None:
    solid = projection.coordinates.shape[1] == 3
    fig.add_trace(
        _points(
            projection,
            rows,
            drawn=len(rows),
            name=f"flagged ({total})",
            marker={
                "symbol": "diamond-open",
                "color": FLAG,
                "size": _size(projection.items, projection.coordinates.shape[1]) * (1.6 if solid else 1.9),
                "line": {"width": 1.5, "color": FLAG},
            },
            hoverinfo="skip",
        )
    )


def _add_landing(fig: go.Figure, landing: Landing) -> None:
    at = landing.coordinates
    style = {
        "name": "your text",
        "mode": "markers",
        "marker": {"symbol": "star", "size": 18, "color": LANDING, "line": {"width": 1, "color": "white"}},
        "text": hover_texts(landing.texts),
        "hovertemplate": "<b>your text</b><br>%{text}<extra></extra>",
    }
    if at.shape[1] == 3:
        style["marker"] = {"symbol": "cross", "size": 7, "color": LANDING}
        fig.add_trace(go.Scatter3d(x=at[:, 0], y=at[:, 1], z=at[:, 2], **style))
    else:
        fig.add_trace(go.Scatter(x=at[:, 0], y=at[:, 1], **style))


def _add_density(fig: go.Figure, coordinates: NDArray[np.float32]) -> None:
    counts, x, y = np.histogram2d(coordinates[:, 0], coordinates[:, 1], bins=_BINS)
    fig.add_heatmap(
        x=(x[:-1] + x[1:]) / 2,
        y=(y[:-1] + y[1:]) / 2,
        z=np.where(counts.T > 0, np.log10(counts.T, where=counts.T > 0, out=np.zeros_like(counts.T)), np.nan),
        colorscale=[[0, "rgba(150,150,150,0.10)"], [1, NEUTRAL]],
        showscale=False,
        hoverinfo="skip",
    )
