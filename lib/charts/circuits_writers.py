"""The figure of what writes a feature: attention above, feed-forward below, a column a layer, each part told twice.

Solid bars are direct contribution, hollow ones what leaving the part out takes away. Thin lines are the baselines. An
open diamond marks parts in which the two have different signs.
"""

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from lib.charts.layout import figure
from lib.charts.palette import FLAG, HIGH, INK, LOW
from lib.sae.circuits.writers import Writers

DIRECT, LEFT_OUT = "direct contribution", "lost when left out"
_ROWS = (("embedding", "attention"), ("feed-forward",))
_TITLES = ("embedding layer and attention", "feed-forward")
_BAR = 0.36
_GAP = 0.2


def writers_figure(result: Writers) -> go.Figure:
    """Both measures of every part, with what is usual for each."""
    fig = make_subplots(rows=2, cols=1, shared_xaxes=True, shared_yaxes=True, vertical_spacing=0.11)
    fig.update_layout(figure(height=520).layout)
    fig.update_layout(margin={"t": 64}, barmode="overlay")
    for row, kinds in enumerate(_ROWS, start=1):
        places = np.array([place for place, kind in enumerate(result.kinds) if kind in kinds])
        _bars(fig, result, places, row)
        _flags(fig, result, places, row)
    _legend(fig, result)
    layers = np.unique(result.layers)
    fig.update_xaxes(
        tickvals=layers, ticktext=["embedding" if not layer else str(layer) for layer in layers],
        range=[-0.6, layers[-1] + 0.6], showgrid=False, automargin=True, zeroline=False,
    )  # fmt: skip
    fig.update_xaxes(title="layer", row=2, col=1)
    fig.update_yaxes(automargin=True, zeroline=True, zerolinecolor=INK, zerolinewidth=1, range=_reach(result))
    for row, title in enumerate(_TITLES, start=1):
        fig.update_yaxes(title=f"{title}<br>pre-activation", row=row, col=1, title_font_size=12)
    return fig


def _bars(fig: go.Figure, result: Writers, places: NDArray[np.int64], row: int) -> None:
    shown = (
        (DIRECT, -_GAP, result.direct, result.usual_low, result.usual_high, result.usual),
        (LEFT_OUT, _GAP, result.left_out, result.others_low, result.others_high, result.others),
    )
    for name, shift, values, low, high, mean in shown:
        here = places[np.isfinite(values[places])]
        x, y = result.layers[here] + shift, values[here]
        colours = [HIGH if value >= 0 else LOW for value in y]
        hollow = name == LEFT_OUT
        beside = ["" if mean is None else f"<br>usual {mean[place]:+.3f}" for place in here]
        fig.add_bar(
            x=x, y=y, width=_BAR, showlegend=False, row=row, col=1,
            marker={
                "color": "rgba(0,0,0,0)" if hollow else colours,
                "line": {"color": colours, "width": 2},
            },
            customdata=[[result.parts[place], more] for place, more in zip(here, beside, strict=True)],
            hovertemplate=f"%{{customdata[0]}}<br>{name} %{{y:+.3f}}%{{customdata[1]}}<extra></extra>",
        )  # fmt: skip
        if low is not None and high is not None and mean is not None:
            fig.add_scatter(
                x=x, y=mean[here], mode="markers", showlegend=False, hoverinfo="skip", row=row, col=1,
                marker={"symbol": "line-ew-open", "size": 9, "color": INK, "line": {"width": 2}},
                error_y={
                    "type": "data", "symmetric": False, "array": high[here] - mean[here],
                    "arrayminus": mean[here] - low[here], "color": INK, "thickness": 1.5, "width": 3,
                },
            )  # fmt: skip


def _flags(fig: go.Figure, result: Writers, places: NDArray[np.int64], row: int) -> None:
    opposed = np.intersect1d(places, np.array(result.agreement.opposed, dtype=np.int64))
    if len(opposed):
        top = _reach(result)[1]
        fig.add_scatter(
            x=result.layers[opposed], y=np.full(len(opposed), 0.92 * top), mode="markers", showlegend=False,
            marker={"symbol": "diamond-open", "size": 10, "color": FLAG, "line": {"width": 2}}, row=row, col=1,
            hovertemplate="the two have different signs here<extra></extra>",
        )  # fmt: skip


def _legend(fig: go.Figure, result: Writers) -> None:
    """What the marks mean; bars have the colour of their sign, so that they cannot name themselves."""
    marks = [
        (DIRECT, "square", INK),
        (LEFT_OUT, "square-open", INK),
        ("above 0: writes the feature", "square", HIGH),
        ("below 0: against it", "square", LOW),
    ]
    if result.usual is not None or result.others is not None:
        marks.append(("usual (5 to 95 %)", "line-ns-open", INK))
    if result.agreement.opposed:
        marks.append(("different signs", "diamond-open", FLAG))
    for name, symbol, colour in marks:
        fig.add_scatter(
            x=[None], y=[None], mode="markers", name=name, row=1, col=1,
            marker={"symbol": symbol, "size": 11, "color": colour, "line": {"width": 2}},
        )  # fmt: skip


def _reach(result: Writers) -> list[float]:
    """The range of both vertical axes, with room for flags."""
    series = [
        result.direct,
        result.left_out,
        result.usual_low,
        result.usual_high,
        result.others_low,
        result.others_high,
    ]
    values = np.concatenate([array for array in series if array is not None])
    low, high = min(0.0, float(np.nanmin(values))), max(0.0, float(np.nanmax(values)))
    room = 0.08 * (high - low) or 1.0
    return [low - room, high + (2.5 * room if result.agreement.opposed else room)]
