"""Figures of the training of a sparse autoencoder: its curves, four small ones over the texts seen."""

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from lib.charts.layout import figure
from lib.charts.palette import CATEGORIES, FLAG, GREY, HIGH, INK
from lib.numerals import short_share
from lib.sae.training_log import TrainingLog

_PANELS = ("Error on training texts", "Error on held-out texts", "Active features a text", "Dead features")
_UNITS = (
    "share of variance not explained",
    "share of variance not explained (FVU)",
    "on held-out texts",
    "% of the dictionary",
)
_COLOURS = (CATEGORIES[0], HIGH, CATEGORIES[2], CATEGORIES[5])
_HEIGHT = 540
_SILENT_BELOW = 0.6  # how far left of the first bar, in powers of ten, those that never fire stand


def curves(log: TrainingLog, *, kept: bool = True) -> go.Figure:
    """The curves of a training so far. Both errors have the same scale; `kept` marks the lowest held-out one."""
    fig = _panels()
    values = (log.loss, log.fvu, log.mean_active, 100 * log.dead_share)
    for place, (y, colour, name) in enumerate(zip(values, _COLOURS, _PANELS, strict=True)):
        row, column = place // 2 + 1, place % 2 + 1
        fig.add_scatter(
            x=log.samples,
            y=y,
            mode="lines+markers" if len(y) < 3 else "lines",
            line={"color": colour, "width": 2.5},
            name=name,
            hovertemplate="%{x:,.0f} texts seen: %{y:.3g}<extra></extra>",
            row=row,
            col=column,
        )
        for at in log.resumed:
            fig.add_vline(x=at, line={"color": INK, "width": 1, "dash": "dot"}, row=row, col=column)
    if log.k is not None:
        fig.add_hline(y=log.k, line={"color": INK, "width": 1, "dash": "dash"}, row=2, col=1)
    if kept and np.isfinite(log.fvu).any():
        best = int(np.nanargmin(log.fvu))
        fig.add_scatter(
            x=log.samples[[best]], y=log.fvu[[best]], mode="markers",
            marker={"color": FLAG, "symbol": "diamond-open", "size": 11, "line": {"width": 2}},
            hovertemplate="lowest: %{y:.3f}<extra></extra>", row=1, col=2,
        )  # fmt: skip
    _scale(fig, log)
    return fig


def density(counts: NDArray[np.int64], edges: NDArray[np.float64], *, silent: int) -> go.Figure:
    """How many features fire how often: `counts` between `edges` of log10(share of the texts), and those that never do.

    Args:
        counts: features in each bar, shape (bars,).
        edges: ascending, shape (bars + 1,).
        silent: features that fire on no text; they stand apart, hatched.
    """
    fig = figure(x="share of the texts on which a feature fires (logarithmic)", y="features", height=300, legend=False)
    at_never = float(edges[0]) - _SILENT_BELOW
    lows, highs = (_percent(100 * 10**ends) for ends in (edges[:-1], edges[1:]))
    fig.add_bar(
        x=[at_never, *(edges[:-1] + edges[1:]) / 2],
        y=[silent, *counts],
        width=[2 / 3 * _SILENT_BELOW, *np.diff(edges)],
        marker={
            "color": [GREY, *[CATEGORIES[0]] * len(counts)],
            "pattern": {"shape": ["/", *[""] * len(counts)]},
            "line": {"width": 0},
        },
        customdata=["no text", *(f"{low} to {high} of the texts" for low, high in zip(lows, highs, strict=True))],
        hovertemplate="%{y} features fire on %{customdata}<extra></extra>",
    )
    powers = np.arange(np.ceil(edges[0]), 1)
    fig.update_xaxes(tickvals=[at_never, *powers], ticktext=["never", *_percent(100 * 10**powers)])
    return fig


def _percent(values: NDArray[np.float64]) -> list[str]:
    return [short_share(value / 100) for value in values]


def _panels() -> go.Figure:
    """Four empty panels with titles and units."""
    titles = [f"{name}<br>{unit}" for name, unit in zip(_PANELS, _UNITS, strict=True)]
    base = figure(height=_HEIGHT, legend=False)
    fig = make_subplots(rows=2, cols=2, subplot_titles=titles, vertical_spacing=0.24, horizontal_spacing=0.11)
    fig.update_layout(base.layout)
    fig.update_layout(margin={"l": 8, "r": 8, "t": 70, "b": 8})
    fig.update_yaxes(zeroline=False, automargin=True)
    fig.update_xaxes(zeroline=False, automargin=True)
    fig.update_xaxes(title="training texts seen", row=2)
    fig.update_annotations(font={"size": 13})
    return fig


def _scale(fig: go.Figure, log: TrainingLog) -> None:
    """One range for both errors, in which the first, high points do not flatten the others; zero at the bottom."""
    both = np.concatenate([log.loss, log.fvu])
    both = both[np.isfinite(both)]
    top = 1.0 if not len(both) else min(float(both.max()), 4 * float(np.median(both))) * 1.08
    fig.update_yaxes(range=[0, max(top, 1e-6)], row=1)
    most = max([*_finite(log.mean_active), log.k or 0, 1.0])
    fig.update_yaxes(range=[0, 1.1 * most], row=2, col=1)
    fig.update_yaxes(range=[0, max(5.0, min(100.0, 1.1 * max([*_finite(100 * log.dead_share), 0.0])))], row=2, col=2)
    if len(log.samples):
        fig.update_xaxes(range=[0, 1.02 * float(log.samples[-1])])


def _finite(values: NDArray[np.float64]) -> list[float]:
    found: list[float] = values[np.isfinite(values)].tolist()
    return found
