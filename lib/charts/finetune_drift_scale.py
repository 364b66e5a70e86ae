"""Figures of drift as one number: where a pair lies on the scale of known cases, and what its parts add."""

import plotly.graph_objects as go

from lib.charts.layout import figure, safe
from lib.charts.palette import GREY, HIGH, INK, LOW, NEUTRAL
from lib.finetune.diff.drift import Drift, DriftPart

COLOURS = {"good": HIGH, "bad": LOW, "neutral": GREY}
"""A change for the better, for the worse, or neither: as differences are coloured on every page."""
SYMBOLS = {"good": "triangle-up", "bad": "triangle-down", "neutral": "diamond"}
"""The same as shapes."""
_HEIGHT = 430
_GAP = 0.062  # of the axis: a line of text
_BAR, _NAMES = 0.0, 0.34  # where the ruler stands, and where the names of its cases begin
_HALF = 0.05  # of its width
_STEPS = 60
_ROOMY = 0.6  # a bar from which on its text stands in it


def drift_scale(result: Drift) -> go.Figure:
    """A ruler from 0 to 1: known cases hollow and named at the right, this pair solid.

    Each by the shape of its direction: up better, down worse, a diamond neither.
    """
    fig = figure(height=_HEIGHT, y="drift", legend=False)
    edges = [at / _STEPS for at in range(_STEPS + 1)]
    fig.add_heatmap(
        x=[_BAR - _HALF, _BAR + _HALF], y=edges, z=[[edge] for edge in edges[:-1]], showscale=False, hoverinfo="skip",
        colorscale=[[0, NEUTRAL], [1, HIGH]],
    )  # fmt: skip
    marks = sorted(result.scale, key=lambda mark: mark.composite)
    for mark, place in zip(marks, spread_apart([mark.composite for mark in marks], gap=_GAP), strict=True):
        fig.add_scatter(
            x=[_BAR + 0.07, 0.17, _NAMES - 0.03], y=[mark.composite, mark.composite, place], mode="lines",
            line={"color": INK, "width": 1, "dash": "dot"}, hoverinfo="skip",
        )  # fmt: skip
        fig.add_annotation(
            x=_NAMES, y=place, text=f"{safe(mark.name)}  <b>{mark.composite:.2f}</b>", showarrow=False, xanchor="left",
            font={"size": 12},
        )  # fmt: skip
        fig.add_scatter(
            x=[_BAR], y=[mark.composite], mode="markers", cliponaxis=False,
            marker={"symbol": f"{SYMBOLS[mark.direction]}-open", "size": 10, "color": INK, "line": {"width": 1.5}},
            customdata=[[safe(mark.name), safe(mark.explanation)]],
            hovertemplate="%{customdata[0]}: %{y:.3f}<br>%{customdata[1]}<extra></extra>",
        )  # fmt: skip
    if result.composite is not None:
        _this_pair(fig, result.composite, result.verdict.direction)
    fig.update_yaxes(range=[-0.04, 1.04], tickvals=[0, 0.25, 0.5, 0.75, 1], showgrid=False)
    fig.update_xaxes(range=[-0.55, 1.5], visible=False)
    return fig


def _this_pair(fig: go.Figure, composite: float, direction: str) -> None:
    fig.add_scatter(
        x=[_BAR - 0.13], y=[composite], mode="markers", cliponaxis=False,
        marker={"symbol": SYMBOLS[direction], "size": 16, "color": COLOURS[direction]},
        hovertemplate="this pair: %{y:.3f}<extra></extra>",
    )  # fmt: skip
    fig.add_annotation(
        x=_BAR - 0.21, y=composite, text=f"this<br>pair<br><b>{composite:.2f}</b>", showarrow=False, xanchor="right",
        align="right",
        font={"size": 12},
    )  # fmt: skip


def spread_apart(values: list[float], *, gap: float) -> list[float]:
    """Places for labels of the ascending `values` in [0, 1], at least `gap` apart and as near to them as may be."""
    places: list[float] = []
    for value in values:
        places.append(value if not places else max(value, places[-1] + gap))
    ceiling = 1.0
    for at in range(len(places) - 1, -1, -1):
        places[at] = min(places[at], ceiling)
        ceiling = places[at] - gap
    return places


def drift_parts(result: Drift) -> go.Figure:
    """Each part scaled to [0, 1] as a bar, as thick as its weight is large, with what was measured beside it."""
    fig = figure(x="scaled: 0 nothing changed, 1 as far as it goes", height=44 * len(result.parts) + 90, legend=False)
    heaviest = max((part.weight for part in result.parts), default=0) or 1
    for row, part in enumerate(result.parts):
        if part.scaled is None:
            fig.add_annotation(x=0, y=row, text="cannot be had", showarrow=False, xanchor="left", font={"color": INK})
            continue
        counted, inside = part.weight > 0, part.weight > 0 and part.scaled > _ROOMY
        fig.add_bar(
            x=[part.scaled], y=[row], orientation="h", width=[0.16 + 0.5 * part.weight / heaviest],
            marker={
                "color": HIGH if counted else "rgba(0,0,0,0)",
                "line": {"color": HIGH if counted else GREY, "width": 0 if counted else 1.5},
            },
            text=f" {measured(part)} ", cliponaxis=False, textfont={"color": "white"} if inside else None,
            textposition="inside" if inside else "outside", insidetextanchor="end", constraintext="none",
            customdata=[[part.name, part.weight]],
            hovertemplate="%{customdata[0]}: %{x:.3f}, weight %{customdata[1]:.2f}<extra></extra>",
        )  # fmt: skip
    fig.update_yaxes(
        tickvals=list(range(len(result.parts))), ticktext=[part.name for part in result.parts], showgrid=False,
        range=[len(result.parts) - 0.45, -0.55],
    )  # fmt: skip
    fig.update_xaxes(range=[0, 1.0], tickvals=[0, 0.25, 0.5, 0.75, 1])
    return fig


def measured(part: DriftPart) -> str:
    """What was measured, with its interval and unit."""
    if part.raw is None:
        return "–"
    factor, digits, unit = {
        "of queries": (100, 0, " % of queries"), "°": (1, 1, "°"),
    }.get(part.unit, (1, 3, f" {part.unit}"))  # fmt: skip
    sign = "+" if part.name == "anisotropy" else ""
    value = f"{factor * part.raw:{sign}.{digits}f}{unit}"
    if part.low is not None and part.high is not None and part.low != part.high:
        value += f" ({factor * part.low:{sign}.{digits}f} to {factor * part.high:{sign}.{digits}f})"
    return value.replace("-", "\N{MINUS SIGN}")
