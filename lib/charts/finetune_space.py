"""Figures of a space before and after a fine-tune: the base is dashed and hollow, the tuned one solid."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from lib.charts.layout import figure, safe
from lib.charts.palette import CATEGORIES, GREY, HIGH, INK, LOW
from lib.finetune.diff.alignment import Rotation
from lib.finetune.diff.distributions import SimilarityShift
from lib.finetune.diff.shape import DimensionChange
from lib.numerals import count

MOST_ROWS = 15
"""Rows that `dumbbells` draws: those that changed most."""
_ROW, _FRAME = 36, 104  # pixels: of a row, and of axis, legend and margins together
_FAINT = "33"
_KEPT = [1, 3, 10, 30, 100, 300, 1000, 3000]
_FAR = [digit * 10.0**power for power in range(-6, 1) for digit in (1, 3)]
_NOTHING, _WIDE = 1e-6, 10.0  # a cosine distance that is one, and a range from which on an axis is logarithmic
_SHOWN = 0.0005  # share of the pairs in a bin from which on it is drawn


@dataclass(frozen=True, eq=False)
class Change:
    """Something before and after, one row a thing, as `dumbbells` draws it."""

    names: Sequence[str]
    """What each row is."""
    before: NDArray[np.float64]
    """On the base."""
    after: NDArray[np.float64]
    """After tuning."""
    low: NDArray[np.float64]
    """Lower end of the change's 95 % interval; NaN where there is none."""
    high: NDArray[np.float64]
    """Its upper end."""

    def most_changed(self, most: int = MOST_ROWS) -> "Change":
        """The rows that changed most, in their order."""
        order = np.sort(np.argsort(-np.abs(self.after - self.before), kind="stable")[:most])
        names = [self.names[at] for at in order]
        return Change(names, self.before[order], self.after[order], self.low[order], self.high[order])

    @property
    def rose(self) -> NDArray[np.bool_]:
        """Where the whole interval lies above 0."""
        return np.nan_to_num(self.low, nan=-1.0) > 0

    @property
    def fell(self) -> NDArray[np.bool_]:
        """Where it lies below 0."""
        return np.nan_to_num(self.high, nan=1.0) < 0


def dumbbells(change: Change, *, x: str) -> go.Figure:
    """Before (hollow) and after (solid) on one row each, with the interval of the change around the latter.

    Amber and pointing right where the whole interval lies above 0, violet and pointing left below it, else grey.
    """
    m = len(change.names)
    fig = figure(x=x, height=_ROW * m + _FRAME)
    rows = np.arange(m)
    for at in range(m):
        fig.add_scatter(
            x=[change.before[at], change.after[at]], y=[at, at], mode="lines", hoverinfo="skip", showlegend=False,
            line={"color": INK, "width": 1.5, "dash": "dot"},
        )  # fmt: skip
    fig.add_scatter(
        x=change.before, y=rows, mode="markers", name="base", hoverinfo="skip",
        marker={"symbol": "circle-open", "size": 11, "color": INK, "line": {"width": 2}},
    )  # fmt: skip
    for name, mine, colour, symbol in (
        ("tuned: higher (95 %)", change.rose, HIGH, "triangle-right"),
        ("tuned: lower (95 %)", change.fell, LOW, "triangle-left"),
        ("tuned: no clear change", ~change.rose & ~change.fell, GREY, "circle"),
    ):
        part = np.flatnonzero(mine)
        if not len(part):
            continue
        moved = change.after[part] - change.before[part]
        fig.add_scatter(
            x=change.after[part], y=rows[part], mode="markers", name=name,
            marker={"symbol": symbol, "size": 12, "color": colour},
            error_x={
                "type": "data", "symmetric": False, "color": colour, "thickness": 1.5, "width": 4,
                "array": np.nan_to_num(np.maximum(change.high[part] - moved, 0)),
                "arrayminus": np.nan_to_num(np.maximum(moved - change.low[part], 0)),
            },
            customdata=[
                [safe(change.names[at]), change.before[at], by] for at, by in zip(part.tolist(), moved, strict=True)
            ],
            hovertemplate="%{customdata[0]}: %{customdata[1]:.3f} to %{x:.3f} (%{customdata[2]:+.3f})<extra></extra>",
        )  # fmt: skip
    fig.update_yaxes(
        tickvals=rows, ticktext=[safe(name) for name in change.names], range=[m - 0.4, -0.6], showgrid=False
    )
    return fig


def similarities(result: SimilarityShift, *, by_topic: bool) -> go.Figure:
    """Cosines of pairs of texts on both sides, all of them or within and between topics."""
    fig = figure(x="cosine similarity of two texts", y="share of the pairs (%)")
    width = float(result.edges[1] - result.edges[0])
    kinds = [
        ("two topics", result.base_between, result.tuned_between, CATEGORIES[0]),
        ("one topic", result.base_within, result.tuned_within, HIGH),
    ]  # fmt: skip
    if not by_topic:
        kinds = [("all pairs", result.base, result.tuned, CATEGORIES[0])]
    reach = np.zeros(len(result.base), dtype=bool)
    for name, base, tuned, colour in kinds:
        if base is None or tuned is None:
            continue
        reach |= (base > _SHOWN) | (tuned > _SHOWN)
        for values, side, dash, fill in ((base, "base", "dash", False), (tuned, "tuned", "solid", True)):
            fig.add_scatter(
                x=(result.edges[:-1] + result.edges[1:]) / 2, y=100 * values, mode="lines", name=f"{name}, {side}",
                line={"color": colour, "width": 2.5 if fill else 2, "dash": dash, "shape": "spline", "smoothing": 0.6},
                fill="tozeroy" if fill else None, fillcolor=f"{colour}{_FAINT}" if fill else None,
                hovertemplate=f"{name}, {side}: %{{y:.1f}} % near %{{x:.2f}}<extra></extra>",
            )  # fmt: skip
    seen = np.flatnonzero(reach)
    if len(seen):
        fig.update_xaxes(range=[result.edges[seen[0]] - width, result.edges[seen[-1] + 1] + width])
    fig.update_yaxes(rangemode="tozero")
    return fig


def variance_kept(result: DimensionChange) -> go.Figure:
    """Share of the variance in the first components on both sides, with what 90 % of it takes marked."""
    fig = figure(x="principal components kept (logarithmic)", y="share of the variance (%)")
    for side, name, dash, symbol in (
        (result.base, "base", "dash", "circle-open"),
        (result.tuned, "tuned", "solid", "circle"),
    ):
        kept = np.arange(1, len(side.cumulative) + 1)
        fig.add_scatter(
            x=kept, y=100 * side.cumulative, mode="lines", name=name,
            line={"color": CATEGORIES[0], "width": 2.5, "dash": dash},
            hovertemplate=f"{name}: the first %{{x}} hold %{{y:.1f}} %<extra></extra>",
        )  # fmt: skip
        if side.components_90:
            fig.add_scatter(
                x=[side.components_90], y=[100 * side.cumulative[side.components_90 - 1]], mode="markers",
                showlegend=False, marker={"symbol": symbol, "size": 11, "color": HIGH, "line": {"width": 2}},
                hovertemplate=f"{name}: 90 % takes %{{x}} components<extra></extra>",
            )  # fmt: skip
    fig.add_hline(y=90, line={"color": INK, "width": 1, "dash": "dot"})
    fig.update_xaxes(type="log", tickvals=_KEPT, ticktext=[count(kept) for kept in _KEPT])
    fig.update_yaxes(range=[0, 104])
    return fig


def rotation_bar(result: Rotation) -> go.Figure:
    """How far texts are from themselves: as they stand (hollow), after the best rotation (solid), and by chance."""
    fig = figure(x="cosine distance of a text from itself, mean", height=190)
    stands = result.distance
    if stands is not None:
        fig.add_scatter(
            x=[result.distance_aligned, stands], y=[0, 0], mode="lines", showlegend=False, hoverinfo="skip",
            line={"color": INK, "width": 1.5, "dash": "dot"},
        )  # fmt: skip
    for value, name, symbol, colour, size in (
        (stands, "as they stand", "circle-open", CATEGORIES[0], 14),
        (result.distance_aligned, "after the best rotation: what a search can see", "circle", CATEGORIES[0], 14),
        (result.distance_chance, "unrelated texts, after the best rotation", "line-ns-open", INK, 22),
    ):
        if value is None:
            continue
        fig.add_scatter(
            x=[value], y=[0], mode="markers", name=name,
            marker={"symbol": symbol, "size": size, "color": colour, "line": {"width": 2.5}},
            hovertemplate=f"{name}: %{{x:.3f}}<extra></extra>",
        )  # fmt: skip
    fig.update_yaxes(visible=False, range=[-0.6, 0.6])
    drawn = [one for one in (stands, result.distance_aligned, result.distance_chance) if one is not None]
    low, high = min(drawn), max(drawn)
    if low > _NOTHING and high > _WIDE * low:
        fig.update_xaxes(type="log", tickvals=_FAR, ticktext=[f"{far:g}" for far in _FAR])
        fig.update_xaxes(range=[np.log10(low) - 0.2, np.log10(high) + 0.2])
    else:
        fig.update_xaxes(rangemode="tozero")
    return fig
