"""Figures of the build-up: what changes from the embedding layer to the output."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from lib.charts.layout import figure
from lib.charts.palette import CATEGORIES, FLAG, HIGH, INK, LOW, RAMP
from lib.layers.build_up import BuildUp
from lib.layers.findings import Findings

_MOST_TICKS = 14  # depths whose names stand side by side on a narrow screen


def cosine_by_depth(result: BuildUp, read: Findings) -> go.Figure:
    """Mean cosine at each depth, within and between labels; change, settling and collapse are marked."""
    fig = figure(x="depth", y="mean cosine of two texts", height=420)
    fig.add_hline(y=0, line={"color": INK, "width": 1})
    for values, name, colour, symbol, width in (
        (result.between, "different labels", CATEGORIES[1], "square", 1.5),
        (result.within, "same label", CATEGORIES[2], "triangle-up", 1.5),
        (result.mean_cosine, "all pairs", CATEGORIES[0], "circle", 3.0),  # the last lies on top
    ):
        if np.isfinite(values).any():
            _curve(fig, result, values, name=name, colour=colour, symbol=symbol, width=width, shown="%{y:.3f}")
    fig.update_layout(legend_traceorder="reversed")
    _mark_change(fig, result, read)
    _mark_collapse(fig, result, read)
    _mark_settling(fig, result, read)
    _name_depths(fig, result)
    low = float(np.nanmin([result.mean_cosine.min(), *result.within, *result.between]))
    fig.update_yaxes(range=[min(-0.05, low - 0.05), 1.12])
    return fig


def agreement_by_depth(result: BuildUp, read: Findings) -> go.Figure:
    """CKA and neighbour overlap of each depth with the output, beside what chance would give."""
    fig = figure(x="depth", y="agreement with the output")
    for values, name, colour, symbol in (
        (result.cka_output, "linear CKA", CATEGORIES[0], "circle"),
        (result.overlap, f"overlap of {result.k} nearest neighbours", HIGH, "square"),
    ):
        _curve(fig, result, values, name=name, colour=colour, symbol=symbol, width=2.5, shown="%{y:.3f}")
    chance = np.where(np.isfinite(result.overlap), result.overlap_chance, np.nan)
    for values, name, dash in ((result.cka_chance, "CKA by chance", "dash"), (chance, "overlap by chance", "dot")):
        fig.add_scatter(
            x=_places(result),
            y=_gaps(values),
            name=name,
            mode="lines",
            line={"color": INK, "dash": dash, "width": 1.5},
            hovertemplate="%{y:.3f}<extra>" + name + "</extra>",
        )
    for threshold, colour in ((read.settled_cka, CATEGORIES[0]), (read.settled_overlap, HIGH)):
        fig.add_hline(y=threshold, line={"color": colour, "width": 1, "dash": "dashdot"}, opacity=0.6)
    _mark_settling(fig, result, read)
    _name_depths(fig, result)
    fig.update_yaxes(range=[0, 1.12])
    return fig


def dimension_by_depth(result: BuildUp) -> go.Figure:
    """Components for 90, 95 and 99 % of the variance, participation ratio and TwoNN at each depth."""
    fig = figure(x="depth", y="dimensions")
    for values, name, symbol, width in (
        (result.components_99, "99 % of the variance", "triangle-up", 1.0),
        (result.components_95, "95 %", "circle", 2.5),
        (result.components_90, "90 %", "triangle-down", 1.0),
    ):
        _curve(fig, result, values, name=name, colour=CATEGORIES[0], symbol=symbol, width=width, shown="%{y}")
    _curve(
        fig, result, result.participation_ratio,
        name="participation ratio", colour=HIGH, symbol="square", width=2.5, shown="%{y:.1f}",
    )  # fmt: skip
    if np.isfinite(result.two_nn).any():
        _curve(
            fig,
            result,
            result.two_nn,
            name="TwoNN",
            colour=CATEGORIES[2],
            symbol="diamond",
            width=2.5,
            shown="%{y:.1f}",
        )
        low, high = result.two_nn_interval.T
        fig.data[-1].error_y = {
            "array": _gaps(high - result.two_nn),
            "arrayminus": _gaps(result.two_nn - low),
            "thickness": 1,
            "width": 3,
        }
    _name_depths(fig, result)
    fig.update_yaxes(rangemode="tozero")
    return fig


def likeness_of_depths(result: BuildUp) -> go.Figure:
    """Linear CKA of every two depths."""
    fig = figure(legend=False, height=420)
    places = _places(result)
    fig.add_heatmap(
        z=[_gaps(row) for row in result.cka_between],
        x=places,
        y=places,
        colorscale=RAMP,
        zmin=0,
        zmax=1,
        colorbar={"title": {"text": "CKA"}, "thickness": 12},
        customdata=np.broadcast_to(np.array(result.names, dtype=object), (len(places), len(places))),
        text=np.broadcast_to(np.array(result.names, dtype=object)[:, None], (len(places), len(places))),
        hovertemplate="%{text} and %{customdata}: CKA %{z:.3f}<extra></extra>",
    )
    if len(places) <= _MOST_TICKS:
        fig.update_traces(texttemplate="%{z:.2f}")
    _name_depths(fig, result, axes="xy")
    fig.update_yaxes(autorange="reversed", scaleanchor="x", constrain="domain")
    fig.update_xaxes(range=[-0.5, len(places) - 0.5], constrain="domain")
    return fig


def _curve(
    fig: go.Figure,
    result: BuildUp,
    values: NDArray[np.floating] | NDArray[np.integer],
    *,
    name: str,
    colour: str,
    symbol: str,
    width: float,
    shown: str,
) -> None:
    """A curve over the depths. The output is a step after the last layer, not a layer: its mark is hollow."""
    hollow = [f"{symbol}-open" if place == len(result.names) - 1 else symbol for place in _places(result)]
    fig.add_scatter(
        x=_places(result),
        y=_gaps(values),
        name=name,
        mode="lines+markers",
        line={"color": colour, "width": width},
        marker={"symbol": hollow, "size": 8, "line": {"width": 2, "color": colour}},
        customdata=list(result.names),
        hovertemplate="%{customdata}: " + shown + "<extra>" + name + "</extra>",
    )


def _mark_change(fig: go.Figure, result: BuildUp, read: Findings) -> None:
    """A band over the step that changes most, and one over the greatest jump where that is another."""
    if read.change is not None and read.change_size is not None:
        also = read.jump == read.change and read.jump_size is not None
        jump = f"<br>mean cosine {_signed(read.jump_size)}" if also else ""
        _band(fig, result, read.change, f"most changes here<br>1 − CKA {read.change_size:.2f}{jump}", HIGH)
    if read.jump is not None and read.jump != read.change and read.jump_size:
        _band(fig, result, read.jump, f"greatest jump<br>mean cosine {_signed(read.jump_size)}", LOW)


def _band(fig: go.Figure, result: BuildUp, layer: int, text: str, colour: str) -> None:
    """A band over the step into `layer`, with a text at its top that stays within the picture."""
    fig.add_vrect(x0=layer - 1, x1=layer, fillcolor=colour, opacity=0.13, line_width=0, layer="below")
    late = layer > len(result.names) / 2
    fig.add_annotation(
        x=layer if late else layer - 1, xanchor="right" if late else "left", align="right" if late else "left",
        y=1, yref="paper", yanchor="top", text=text, showarrow=False, font={"color": INK, "size": 12},
    )  # fmt: skip


def _signed(value: float | None) -> str:
    return f"{value:+.2f}".replace("-", "−")


def _mark_collapse(fig: go.Figure, result: BuildUp, read: Findings) -> None:
    fig.add_hline(y=read.collapsed_cosine, line={"color": INK, "dash": "dash", "width": 1})
    if read.collapse is not None:
        _flag(fig, read.collapse, float(result.mean_cosine[read.collapse]), "collapse begins")


def _mark_settling(fig: go.Figure, result: BuildUp, read: Findings) -> None:
    if read.settled is None:
        return
    fig.add_vline(x=read.settled, line={"color": INK, "width": 1.5, "dash": "dot"})
    fig.add_annotation(
        x=read.settled, y=0, yref="paper", yanchor="bottom", text="settled ", showarrow=False,
        xanchor="right" if read.settled else "left", font={"color": INK},
    )  # fmt: skip


def _flag(fig: go.Figure, place: int, height: float, text: str) -> None:
    fig.add_scatter(
        x=[place],
        y=[height],
        name=text,
        mode="markers",
        marker={"symbol": "diamond-open", "size": 18, "color": FLAG, "line": {"width": 2.5}},
        hoverinfo="skip",
    )


def _name_depths(fig: go.Figure, result: BuildUp, *, axes: str = "x") -> None:
    """The depths' names: embedding, 1, 2, ... output; every second or third number where they are many."""
    layers = len(result.names) - 2
    step = -(-layers // _MOST_TICKS)
    shown = [0, *(layer for layer in range(1, layers + 1) if layer % step == 0), layers + 1]
    names = ["embedding", *(str(layer) for layer in shown[1:-1]), "output"]
    for axis in axes:
        fig.update_layout({f"{axis}axis": {"tickvals": shown, "ticktext": names}})
    fig.update_xaxes(range=[-0.4, layers + 1.4])


def _places(result: BuildUp) -> list[int]:
    return list(range(len(result.names)))


def _gaps(values: Sequence[float] | NDArray[np.floating] | NDArray[np.integer]) -> list[float | int | None]:
    """Numbers for plotly, None (a gap) for those that are not finite."""
    return [value if np.isfinite(value) else None for value in np.asarray(values).tolist()]
