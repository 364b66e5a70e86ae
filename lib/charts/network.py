"""The co-activation network as a still figure: for PNG, SVG, reports, and where no script may run."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from lib.charts.layout import figure, safe
from lib.charts.network_picture import Colouring, header, network_picture
from lib.charts.palette import INK
from lib.sae.network.graph import Network

_WIDTHS = 4  # steps of line width: a trace each
_WIDE = 1.75  # pixels across a node, of its radius in the moving picture
_NAMED = 80  # features that carry their number: above, only the largest


def network_figure(
    network: Network,
    names: Sequence[str],
    *,
    colour_by: Colouring = "frequency",
    clusters: Sequence[str] = (),
    height: int = 620,
) -> go.Figure:
    """Features as dots, edges as lines, where the layout put them: size, colour and width as in the moving picture."""
    picture = network_picture(network, names, colour_by=colour_by, clusters=clusters)
    fig = figure(height=height, legend=True)
    if network.edges:
        _lines(fig, network, picture)
    _dots(fig, picture)
    _colours(fig, picture["legend"])
    fig.update_xaxes(visible=False)
    fig.update_yaxes(visible=False, autorange="reversed")
    fig.update_layout(
        margin={"l": 8, "r": 8, "t": 56, "b": 8},
        title={
            "text": " · ".join([*header(network), picture["legend"]["size"]]),
            "font": {"size": 14},
            "x": 0,
            "xanchor": "left",
        },
        hovermode="closest",
        legend={"y": 0, "yanchor": "top"},
    )
    return fig


def _colours(fig: go.Figure, legend: dict[str, Any]) -> None:
    """What colours mean, as entries of the legend without a point."""
    ramp = legend.get("ramp")
    kinds = (
        [(ramp["colours"][-1], ramp["high"]), (ramp["colours"][0], ramp["low"])]
        if ramp
        else [(kind["colour"], kind["text"]) for kind in legend.get("categories", ())]
    )
    for colour, text in kinds:
        fig.add_scatter(
            x=[None], y=[None], mode="markers", marker={"size": 11, "color": colour}, name=safe(text), hoverinfo="skip"
        )


def _places(picture: dict[str, Any]) -> NDArray[np.float64]:
    return np.array([[node["x"], node["y"]] for node in picture["nodes"]]).reshape(-1, 2)


def _lines(fig: go.Figure, network: Network, picture: dict[str, Any]) -> None:
    """Edges by steps of width, those of chance dashed: few traces, however many edges."""
    places, widths = _places(picture), np.array([edge[2] for edge in picture["edges"]])
    low, high = float(widths.min()), float(widths.max())
    step = np.minimum(((widths - low) / max(high - low, 1e-9) * _WIDTHS).astype(int), _WIDTHS - 1)
    told: set[bool] = set()
    for chance in (True, False):
        for at in range(_WIDTHS):
            rows = np.flatnonzero((network.chance == chance) & (step == at))
            if not len(rows):
                continue
            ends = np.full((len(rows), 3, 2), np.nan)
            ends[:, 0], ends[:, 1] = places[network.a[rows]], places[network.b[rows]]
            fig.add_scatter(
                x=ends[:, :, 0].ravel(),
                y=ends[:, :, 1].ravel(),
                mode="lines",
                line={"color": INK, "width": float(widths[rows].mean()), "dash": "dot" if chance else "solid"},
                opacity=0.35 if chance else 0.55,
                hoverinfo="skip",
                name="chance alone would give it" if chance else "co-activation",
                legendgroup=str(chance),
                showlegend=chance not in told,
            )
            told.add(chance)


def _dots(fig: go.Figure, picture: dict[str, Any]) -> None:
    nodes, places = picture["nodes"], _places(picture)
    named = set(np.argsort([-node["r"] for node in nodes], kind="stable")[:_NAMED].tolist())
    fig.add_scatter(
        x=places[:, 0],
        y=places[:, 1],
        mode="markers+text",
        text=[str(node["id"]) if at in named else "" for at, node in enumerate(nodes)],
        textposition="middle center",
        textfont={"size": 10, "color": ["#FFFFFF" if _dark(node["fill"]) else "#22252B" for node in nodes]},
        customdata=[[safe(node["name"]), node["tip"]] for node in nodes],
        hovertemplate="%{customdata[0]}<br>%{customdata[1]}<extra></extra>",
        marker={
            "size": [_WIDE * node["r"] for node in nodes],
            "color": [node["fill"] for node in nodes],
            "symbol": ["square" if node["square"] else "circle" for node in nodes],
            "line": {"width": 1, "color": "rgba(128,128,128,.5)"},
            "opacity": 1,
        },
        name="node size = mean activation",
        showlegend=False,
    )


def _dark(colour: str) -> bool:
    """Whether white is read better on it than ink."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return 0.299 * red + 0.587 * green + 0.114 * blue < 140
