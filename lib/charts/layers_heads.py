"""Figures of attention heads: entropy by layer and head, where a head looks, and its map on one text."""

import html

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from lib.charts.layout import figure
from lib.charts.palette import CATEGORIES, INK, LANDING, RAMP
from lib.layers.attention import HeadEntropy
from lib.layers.attention_map import AttentionMaps
from lib.layers.head_flags import HeadFlags

_MARK_PAPER, _MARK_INK = "#FFFFFF", "#16181D"
"""A mark on a coloured cell: white, outlined in ink, so that it is seen on violet, on amber and between."""
_SHAPES = {"collapsed": "triangle-down", "near uniform": "square", "adds little": "x"}
_SIDES = {"collapsed": 0.3, "near uniform": 0.3, "adds little": -0.3}
"""How far right of its cell's middle a mark stands; the third may come with either of the others."""
_MOST_NUMBERED = (24, 16)
"""Layers, and heads in each, beyond which cells have no room for their numbers."""
_TOKEN_CHARACTERS = 14


def head_heatmap(result: HeadEntropy, flags: HeadFlags, *, chosen: tuple[int, int] | None = None) -> go.Figure:
    """Entropy by layer and head, flags upon it; a point's custom_data is "layer,head", both from 0.

    `chosen` is a head to be framed.
    """
    layers, heads = result.shape
    fig = figure(x="head", y="layer", height=max(260, min(40 * layers, 960) + 120))
    fig.add_heatmap(
        z=result.entropy, x=list(range(heads)), y=list(range(layers)), zmin=0, zmax=1, colorscale=RAMP,
        colorbar={"title": {"text": "entropy"}, "thickness": 12}, hoverinfo="skip", xgap=2, ygap=2,
    )  # fmt: skip
    if layers <= _MOST_NUMBERED[0] and heads <= _MOST_NUMBERED[1]:
        fig.update_traces(texttemplate="%{z:.2f}", textfont={"size": 10}, selector={"type": "heatmap"})
    for name, marked in _marked(flags).items():
        at = np.argwhere(marked)
        fig.add_scatter(
            x=at[:, 1] + _SIDES[name], y=at[:, 0] - 0.34, name=f"{name} ({len(at)})", mode="markers",
            marker={"symbol": _SHAPES[name], "size": 9, "color": _MARK_PAPER, "line": {"color": _MARK_INK, "width": 1}},
            hoverinfo="skip", showlegend=True,
        )  # fmt: skip
    if chosen is not None:
        layer, head = chosen
        fig.add_shape(
            type="rect", x0=head - 0.49, x1=head + 0.49, y0=layer - 0.49, y1=layer + 0.49,
            line={"color": LANDING, "width": 3},
        )  # fmt: skip
    _add_targets_to_click(fig, result, flags)
    _name(fig, "x", [str(head + 1) for head in range(heads)], every=1 + heads // 33)
    _name(fig, "y", [str(layer + 1) for layer in range(layers)])
    fig.update_xaxes(range=[-0.5, heads - 0.5], showgrid=False)
    fig.update_yaxes(range=[layers - 0.5, -0.5], showgrid=False)
    fig.update_layout(hovermode="closest", hoverdistance=40, clickmode="event+select", dragmode=False)
    return fig


def _marked(flags: HeadFlags) -> dict[str, NDArray[np.bool_]]:
    return {"collapsed": flags.collapsed, "near uniform": flags.uniform, "adds little": flags.silent}


def _add_targets_to_click(fig: go.Figure, result: HeadEntropy, flags: HeadFlags) -> None:
    """Cells of a heatmap cannot be selected: lay an invisible point over each."""
    layers, heads = result.shape
    places = [(layer, head) for layer in range(layers) for head in range(heads)]
    fig.add_scatter(
        x=[head for _, head in places],
        y=[layer for layer, _ in places],
        mode="markers",
        marker={"size": 26, "opacity": 0, "symbol": "square"},
        selected={"marker": {"opacity": 0}},
        unselected={"marker": {"opacity": 0}},
        customdata=[[f"{layer},{head}"] for layer, head in places],
        text=[_hover(result, flags, layer, head) for layer, head in places],
        hovertemplate="%{text}<extra></extra>",
        showlegend=False,
    )


def _hover(result: HeadEntropy, flags: HeadFlags, layer: int, head: int) -> str:
    looks = flags.target[layer][head]
    lines = [
        f"layer {layer + 1}, head {head + 1}",
        f"entropy {result.entropy[layer, head]:.3f} ± {result.spread[layer, head]:.3f} over texts",
        f"looks at: {html.escape(looks, quote=False)}" if looks else "looks at no one target for half of the time",
    ]
    if result.output_share is not None:
        lines.append(f"adds {100 * result.output_share[layer, head]:.0f} % of the layer's output length")
    return "<br>".join(lines)


def target_bars(result: HeadEntropy, *, layer: int, head: int) -> go.Figure:
    """Mean attention of a head to each target, beside the mean over all heads."""
    seen = np.isfinite(result.masses[layer, head])
    names = [_label(name) for name, kept in zip(result.targets, seen, strict=True) if kept]
    with np.errstate(invalid="ignore"):
        everyone = np.nanmean(result.masses[:, :, seen], axis=(0, 1))
    fig = figure(x="mean attention (%)", height=44 * len(names) + 110)
    fig.add_bar(
        x=100 * result.masses[layer, head, seen],
        y=list(range(len(names))),
        orientation="h",
        name="this head",
        marker={"color": CATEGORIES[0], "line": {"width": 0}},
        hovertemplate="%{x:.1f} %<extra>this head</extra>",
    )
    fig.add_scatter(
        x=100 * everyone,
        y=list(range(len(names))),
        mode="markers",
        name="mean of all heads",
        marker={"symbol": "line-ns-open", "size": 18, "color": INK, "line": {"width": 2}},
        hovertemplate="%{x:.1f} %<extra>mean of all heads</extra>",
    )
    _name(fig, "y", names)
    fig.update_yaxes(range=[len(names) - 0.5, -0.5])
    fig.update_xaxes(range=[0, 102])
    fig.update_layout(bargap=0.35)
    return fig


def attention_heatmap(maps: AttentionMaps, *, layer: int, head: int) -> go.Figure:
    """Where each token looks: one row a token, one column a token that is looked at. About square where it has room."""
    values = maps.attention[layer, head]
    m = len(values)
    names = [_label(token) for token in maps.tokens]
    fig = figure(x="token that is looked at", y="token that looks", height=max(260, 18 * m + 150), legend=False)
    fig.add_heatmap(
        z=values, x=list(range(m)), y=list(range(m)), zmin=0, zmax=max(float(values.max()), 1e-6), colorscale=RAMP,
        colorbar={
            "title": {"text": "attention"}, "thickness": 12, "lenmode": "pixels", "len": 200, "y": 1, "yanchor": "top",
        },
        customdata=np.broadcast_to(np.array(names, dtype=object), (m, m)),
        text=np.broadcast_to(np.array(names, dtype=object)[:, None], (m, m)),
        hovertemplate="%{text} gives %{z:.3f} to %{customdata}<extra></extra>",
    )  # fmt: skip
    _name(fig, "x", names)
    _name(fig, "y", names)
    fig.update_xaxes(tickangle=-90, showgrid=False)
    fig.update_yaxes(autorange="reversed", showgrid=False)
    fig.update_layout(width=max(420, 20 * m + 240), font={"size": 11 if m > 24 else 12})
    return fig


def _label(token: str) -> str:
    """A token for an axis: cut, escaped; quotes stay, since plotly would show their escapes as they are."""
    cut = token if len(token) <= _TOKEN_CHARACTERS else token[: _TOKEN_CHARACTERS - 1] + "…"
    return html.escape(cut, quote=False) or "·"


def _name(fig: go.Figure, axis: str, names: list[str], *, every: int = 1) -> None:
    """Write `names` at 0, 1, ... of an axis: as values, plotly would merge equal ones."""
    places = list(range(0, len(names), every))
    fig.update_layout({f"{axis}axis": {"tickvals": places, "ticktext": [names[place] for place in places]}})
