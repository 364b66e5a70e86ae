"""What the figures of a fine-tune share: steps thinned to what a screen shows, titles, and marks of findings."""

import warnings
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from lib.charts.layout import figure
from lib.charts.palette import INK
from lib.finetune.monitor.smoothing import median_about

MOST_POINTS = 1_500
"""Points of a curve that a screen shows."""
MOST_COLUMNS = 400
"""Columns of a heatmap that a screen shows."""
_SMOOTHED_FROM = 30  # steps from which the course of a noisy curve is drawn as well
_RAW = 0.35  # how visible single steps are then
_TITLE_ROOM = 78


def panels(titles: Sequence[str], *, question: str, height: int, heights: Sequence[float] | None = None) -> go.Figure:
    """Empty panels, one above the other with a common axis of steps; the question above them all."""
    fig = make_subplots(
        rows=len(titles), cols=1, shared_xaxes=True, vertical_spacing=0.1, row_heights=heights,
        subplot_titles=list(titles) if len(titles) > 1 else None,
    )  # fmt: skip
    return dress(fig, question=question, height=height)


def dress(fig: go.Figure, *, question: str, height: int) -> go.Figure:
    """The common look, and the question as title."""
    common = figure(height=height).layout.to_plotly_json()
    common.pop("template", None)  # it is there already, and long to merge
    fig.update_layout(common)
    fig.update_layout(
        title={"text": question, "x": 0, "xref": "paper", "y": 1, "yref": "container", "yanchor": "top",
               "pad": {"t": 10}, "font": {"size": 16}},
        margin={"l": 8, "r": 8, "t": _TITLE_ROOM, "b": 8},
        legend={"yref": "paper", "y": 1, "yanchor": "bottom", "x": 0, "traceorder": "normal"},
    )  # fmt: skip
    fig.update_annotations(font={"size": 13}, x=0, xanchor="left")
    fig.update_xaxes(zeroline=False, automargin=True)
    fig.update_yaxes(zeroline=False, automargin=True)
    return fig


def each(steps: int, *, most: int) -> int:
    """How many steps a point stands for."""
    return max(1, -(-steps // most))


def thinned(values: NDArray[np.float64], *, most: int, middle: bool = False) -> NDArray[np.float64]:
    """Means (or medians) of neighbouring rows, as many as there may be points; NaN where all of them are."""
    k = each(len(values), most=most)
    if k == 1:
        return np.asarray(values, dtype=np.float64)
    whole = np.full((-(-len(values) // k) * k, *values.shape[1:]), np.nan)
    whole[: len(values)] = values
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of rows that are all NaN
        found: NDArray[np.float64] = (np.nanmedian if middle else np.nanmean)(
            whole.reshape(len(whole) // k, k, *values.shape[1:]), axis=1
        )
    return found


def smooth(values: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """The course of a noisy curve: its running median about each point; None for a short one."""
    if len(values) < _SMOOTHED_FROM:
        return None
    return median_about(values, max(5, len(values) // 30))


def add_curve(
    fig: go.Figure, x: NDArray[np.float64], y: NDArray[np.float64], *,
    name: str, colour: str, row: int = 1, column: int = 1, dash: str = "solid", shown: bool = True,
) -> NDArray[np.float64]:  # fmt: skip
    """Draw a curve, a long one as its course over faint single steps; what was drawn as its course."""
    course = smooth(y)
    hover = "step %{x:,.0f}: %{y:.3g}<extra>" + name + "</extra>"
    if course is not None:
        fig.add_scatter(
            x=x, y=y, mode="lines", line={"color": colour, "width": 1}, opacity=_RAW, showlegend=False,
            hoverinfo="skip", row=row, col=column,
        )  # fmt: skip
    drawn = y if course is None else course
    fig.add_scatter(
        x=x, y=drawn, mode="lines" if len(y) > 40 else "lines+markers", name=name, showlegend=shown,
        line={"color": colour, "width": 2.5, "dash": dash}, marker={"size": 5}, hovertemplate=hover,
        row=row, col=column,
    )  # fmt: skip
    return drawn


def add_resumptions(fig: go.Figure, resumed: Sequence[int], *, rows: int) -> None:
    """A dotted line where it was resumed."""
    for at in resumed:
        for row in range(1, rows + 1):
            fig.add_vline(x=at + 0.5, line={"color": INK, "width": 1, "dash": "dot"}, row=row, col=1)
