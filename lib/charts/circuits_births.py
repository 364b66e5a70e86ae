"""Figures of births: at which depth features appear, what becomes of them, and the curve of one."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from lib.charts.circuits_lens import depth_axis
from lib.charts.layout import figure, hover_texts, safe
from lib.charts.palette import CATEGORIES, GREY, HIGH, INK, LOW
from lib.numerals import count

if TYPE_CHECKING:
    from lib.sae.circuits.births import Births

LOOKS = {
    "from the start": (CATEGORIES[0], "square", "/"),
    "structural": (CATEGORIES[2], "circle", ""),
    "late-binding": (CATEGORIES[1], "triangle-up", "\\"),
    "transient": (CATEGORIES[5], "x", "x"),
    "mixed": (CATEGORIES[3], "diamond", "-"),
    "silent": (GREY, "circle-open", "."),
}
"""Colour, shape and hatching of each verdict, in the order in which they are drawn."""
_SHARES = [step * 10.0**power for power in range(-5, 1) for step in (1, 2, 5) if step * 10.0**power <= 1]
_HALF = 0.5
_SPREAD = 0.38  # how far points of one depth lie from its middle
_ACTIVATION, _RECALL, _BASE = (
    "mean activation, relative to the output",
    "share of its own texts on which it fires",
    "share of all texts (chance)",
)


def birth_map(births: "Births", names: Sequence[str], shown: NDArray[np.bool_], *, chosen: int | None) -> go.Figure:
    """Every feature at the depth where it is born; above them how many there are, by verdict.

    `names` are those of `births.features`; of these, `shown` are drawn as points; `chosen` is one to be ringed. A
    point's place to the left or right within its depth means nothing.
    """
    fig = figure(height=560)
    verdicts = np.array(births.verdicts)
    heights = births.firing / max(births.texts, 1)
    places = births.birth + _jitter(births)
    for verdict, (colour, _, hatch) in LOOKS.items():
        here = (verdicts == verdict) & shown
        if not here.any():
            continue
        fig.add_bar(
            x=list(range(len(births.depths))), y=np.bincount(births.birth[here], minlength=len(births.depths)),
            name=f"{verdict} ({count(int((here).sum()))})", legendgroup=verdict, yaxis="y2", width=0.76,
            marker={"color": colour, "pattern": {"shape": hatch, "size": 6, "solidity": 0.2, "fillmode": "overlay",
                                                   "fgcolor": "#FFFFFF", "fgopacity": 0.55}},
            customdata=[[depth] for depth in births.depths],
            hovertemplate=f"%{{y}} {verdict} features born at %{{customdata[0]}}<extra></extra>",
        )  # fmt: skip
        fig.add_trace(_points(births, names, np.flatnonzero(here), (places, heights), verdict=verdict))
    if chosen is not None and chosen in births.features:
        row = int(np.flatnonzero(births.features == chosen)[0])
        fig.add_scatter(
            x=[places[row]], y=[heights[row]], mode="markers", hoverinfo="skip", showlegend=False,
            marker={"symbol": "circle-open", "size": 17, "color": INK, "line": {"width": 2.5}},
        )  # fmt: skip
    fig.update_layout(
        barmode="stack",
        yaxis={
            "domain": [0, 0.68],
            "type": "log",
            "title": "share of texts on which it fires",
            "tickformat": "~%",
            "tickvals": _SHARES,
        },
        yaxis2={"domain": [0.74, 1], "title": "features", "anchor": "x"},
        margin={"t": 48},
    )
    fig.update_xaxes(
        **depth_axis(births.depths, "born at"), anchor="y", range=[-0.55, len(births.depths) - 0.45], showgrid=False,
    )  # fmt: skip
    return fig


def feature_curve(births: "Births", feature: int) -> go.Figure:
    """One feature over depth: its mean activation against that at the output, and on which texts it fires."""
    row = int(np.flatnonzero(births.features == feature)[0])
    fig = figure(height=340, y="share", x=None)
    depths = list(range(len(births.depths)))
    relative = relative_curves(births)
    low, middle, high = np.nanquantile(relative, [0.25, 0.5, 0.75], axis=0)
    fig.add_scatter(
        x=[*depths, *depths[::-1]], y=[*high, *low[::-1]], fill="toself", fillcolor=f"{INK}2e", mode="lines",
        line={"width": 0}, hoverinfo="skip", name="activation of half of all features",
    )  # fmt: skip
    fig.add_scatter(
        x=depths, y=middle, mode="lines", line={"color": INK, "dash": "dot", "width": 1.5}, name="their median",
        hovertemplate="median of all features %{y:.2f}<extra></extra>",
    )  # fmt: skip
    lines: tuple[tuple[str, Any, dict[str, Any], str], ...] = (
        (_ACTIVATION, relative[row], {"color": HIGH, "width": 3.5}, "circle"),
        (_RECALL, births.recall[row], {"color": LOW, "width": 2}, "square"),
        (_BASE, births.base[row], {"color": LOW, "width": 1.5, "dash": "dash"}, "diamond-open"),
    )
    for name, values, line, shape in lines:
        fig.add_scatter(
            x=depths, y=values, mode="lines+markers", name=name, line=line, marker={"symbol": shape, "size": 9},
            hovertemplate=f"{name} %{{y:.2f}}<extra></extra>",
        )  # fmt: skip
    birth = int(births.birth[row])
    fig.add_vrect(
        x0=int(births.earliest[row]) - 0.12, x1=int(births.latest[row]) + 0.12, fillcolor=HIGH, opacity=0.12,
        line_width=0,
    )  # fmt: skip
    fig.add_vline(x=birth, line={"color": INK, "dash": "dash", "width": 1}, annotation_text="born")
    fig.update_xaxes(**depth_axis(births.depths), range=[-0.3, len(depths) - 0.7])
    fig.update_yaxes(rangemode="tozero")
    return fig


def relative_curves(births: "Births") -> NDArray[np.float64]:
    """Every feature's mean activation at each depth over that at the output, shape (m, L + 1); 1 at the last depth."""
    curves = np.asarray(births.curves, dtype=np.float64)
    return curves / curves[:, -1:]


def everywhere(births: "Births") -> NDArray[np.bool_]:
    """Whether each feature, where it is born, fires on half of all texts or more, its own or not, shape (m,)."""
    return births.base[np.arange(len(births.features)), births.birth] >= _HALF


def _points(
    births: "Births",
    names: Sequence[str],
    rows: NDArray[np.intp],
    at: tuple[NDArray[np.float64], NDArray[np.float64]],
    *,
    verdict: str,
) -> go.Scattergl:
    colour, shape, _ = LOOKS[verdict]
    told = hover_texts([names[row] for row in rows])
    return go.Scattergl(
        x=at[0][rows], y=at[1][rows], mode="markers", name=verdict, legendgroup=verdict, showlegend=False,
        marker={
            "color": colour, "size": 7, "line": {"width": 1.5, "color": colour}, "opacity": 0.75,
            "symbol": np.where(everywhere(births)[rows], f"{shape}-open", shape),
        },
        customdata=[
            [f"#{births.features[row]}", name, safe(births.depths[births.birth[row]]), int(births.firing[row])]
            for row, name in zip(rows.tolist(), told, strict=True)
        ],
        hovertemplate="%{customdata[1]}<br>born at %{customdata[2]}, fires on %{customdata[3]} texts<br>"
        f"{verdict}<extra></extra>",
    )  # fmt: skip


def _jitter(births: "Births") -> NDArray[np.float64]:
    """Places within a depth, spread evenly by the features' order: the same features always give the same picture."""
    golden = (np.arange(len(births.features)) * 0.618034) % 1.0
    return np.asarray((2 * golden - 1) * _SPREAD, dtype=np.float64)
