"""The figures of what writes a feature: attention above, feed-forward below, a column a layer, each part told twice.

Solid bars are direct contribution, hollow ones what leaving the part out takes away. Thin lines are baselines in one
text, and intervals over many. An open diamond marks parts in which the two have different signs.
"""

from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from lib.charts.layout import figure
from lib.charts.palette import FLAG, HIGH, INK, LOW
from lib.sae.circuits.corpus_writers import CorpusWriters
from lib.sae.circuits.writers import Writers

DIRECT, LEFT_OUT = "direct contribution", "lost when left out"
_ROWS = (("embedding", "attention"), ("feed-forward",))
_TITLES = ("embedding layer and attention", "feed-forward")
_BAR = 0.36
_GAP = 0.2


@dataclass(frozen=True, eq=False)
class _Told:
    """One measure of every part."""

    name: str
    values: NDArray[np.float64]
    centre: NDArray[np.float64] | None  # of the thin lines
    low: NDArray[np.float64] | None
    high: NDArray[np.float64] | None
    notes: list[str]  # what hovering adds

    @property
    def hollow(self) -> bool:
        return self.name == LEFT_OUT


def writers_figure(result: Writers) -> go.Figure:
    """Both measures of every part in one text, with what is usual for each."""
    told = [
        _Told(DIRECT, result.direct, result.usual, result.usual_low, result.usual_high, _usual(result, result.usual)),
        _Told(
            LEFT_OUT, result.left_out, result.others, result.others_low, result.others_high,
            _usual(result, result.others),
        ),
    ]  # fmt: skip
    return _drawn(result, told, lines="usual (5 to 95 %)", axis="pre-activation")


def corpus_writers_figure(result: CorpusWriters) -> go.Figure:
    """Both measures of every part over the texts on which the feature fires, less those on which it does not."""
    less = result.difference is not None
    told = []
    for name, own, silent, (mean, low, high) in (
        (DIRECT, result.direct, result.silent, result.shown("direct")),
        (LEFT_OUT, result.left_out, result.left_out_silent, result.shown("left_out")),
    ):
        notes = [""] * len(own)
        if silent is not None:
            notes = [f"<br>{on:+.3f} where it fires, {off:+.3f} where not" for on, off in zip(own, silent, strict=True)]
        told.append(_Told(name, mean, mean, low, high, notes))
    return _drawn(result, told, lines="95 % interval", axis="difference" if less else "mean")


def _usual(result: Writers, mean: NDArray[np.float64] | None) -> list[str]:
    return [""] * len(result.parts) if mean is None else [f"<br>usual {value:+.3f}" for value in mean]


def _drawn(result: Writers | CorpusWriters, told: list[_Told], *, lines: str, axis: str) -> go.Figure:
    fig = make_subplots(rows=2, cols=1, shared_xaxes=True, shared_yaxes=True, vertical_spacing=0.11)
    fig.update_layout(figure(height=520).layout)
    fig.update_layout(margin={"t": 64}, barmode="overlay")
    reach = _reach(told, flags=bool(result.agreement.opposed))
    for row, kinds in enumerate(_ROWS, start=1):
        places = np.array([place for place, kind in enumerate(result.kinds) if kind in kinds])
        for one in told:
            _bars(fig, result, one, places[np.isfinite(one.values[places])], row)
        _flags(fig, result, places, row, reach[1])
    _legend(fig, result, lines if any(_has_lines(one) for one in told) else None)
    layers = np.unique(result.layers)
    fig.update_xaxes(
        tickvals=layers, ticktext=["embedding" if not layer else str(layer) for layer in layers],
        range=[-0.6, layers[-1] + 0.6], showgrid=False, automargin=True, zeroline=False,
    )  # fmt: skip
    fig.update_xaxes(title="layer", row=2, col=1)
    fig.update_yaxes(automargin=True, zeroline=True, zerolinecolor=INK, zerolinewidth=1, range=reach)
    for row, title in enumerate(_TITLES, start=1):
        fig.update_yaxes(title=f"{title}<br>{axis}", row=row, col=1, title_font_size=12)
    return fig


def _has_lines(told: _Told) -> bool:
    return told.low is not None and bool(np.isfinite(told.low).any())


def _bars(fig: go.Figure, result: Writers | CorpusWriters, told: _Told, here: NDArray[np.int64], row: int) -> None:
    """The bars of the parts at the places `here`, and their thin lines."""
    x, y = result.layers[here] + (_GAP if told.hollow else -_GAP), told.values[here]
    colours = [HIGH if value >= 0 else LOW for value in y]
    fig.add_bar(
        x=x, y=y, width=_BAR, showlegend=False, row=row, col=1,
        marker={
            "color": "rgba(0,0,0,0)" if told.hollow else colours,
            "line": {"color": colours, "width": 2},
        },
        customdata=[[result.parts[place], told.notes[place]] for place in here],
        hovertemplate=f"%{{customdata[0]}}<br>{told.name} %{{y:+.3f}}%{{customdata[1]}}<extra></extra>",
    )  # fmt: skip
    if told.centre is not None and told.low is not None and told.high is not None:
        centre = told.centre[here]
        fig.add_scatter(
            x=x, y=centre, mode="markers", showlegend=False, hoverinfo="skip", row=row, col=1,
            marker={"symbol": "line-ew-open", "size": 9, "color": INK, "line": {"width": 2}},
            error_y={
                "type": "data", "symmetric": False, "array": told.high[here] - centre,
                "arrayminus": centre - told.low[here], "color": INK, "thickness": 1.5, "width": 3,
            },
        )  # fmt: skip


def _flags(fig: go.Figure, result: Writers | CorpusWriters, places: NDArray[np.int64], row: int, top: float) -> None:
    opposed = np.intersect1d(places, np.array(result.agreement.opposed, dtype=np.int64))
    if len(opposed):
        fig.add_scatter(
            x=result.layers[opposed], y=np.full(len(opposed), 0.92 * top), mode="markers", showlegend=False,
            marker={"symbol": "diamond-open", "size": 10, "color": FLAG, "line": {"width": 2}}, row=row, col=1,
            hovertemplate="the two have different signs here<extra></extra>",
        )  # fmt: skip


def _legend(fig: go.Figure, result: Writers | CorpusWriters, lines: str | None) -> None:
    """What the marks mean; bars have the colour of their sign, so that they cannot name themselves."""
    marks = [
        (DIRECT, "square", INK),
        (LEFT_OUT, "square-open", INK),
        ("above 0: writes the feature", "square", HIGH),
        ("below 0: against it", "square", LOW),
    ]
    if lines is not None:
        marks.append((lines, "line-ns-open", INK))
    if result.agreement.opposed:
        marks.append(("different signs", "diamond-open", FLAG))
    for name, symbol, colour in marks:
        fig.add_scatter(
            x=[None], y=[None], mode="markers", name=name, row=1, col=1,
            marker={"symbol": symbol, "size": 11, "color": colour, "line": {"width": 2}},
        )  # fmt: skip


def _reach(told: list[_Told], *, flags: bool) -> list[float]:
    """The range of both vertical axes, with room for flags."""
    series = [array for one in told for array in (one.values, one.low, one.high) if array is not None]
    values = np.concatenate(series)
    low, high = min(0.0, float(np.nanmin(values))), max(0.0, float(np.nanmax(values)))
    room = 0.08 * (high - low) or 1.0
    return [low - room, high + (2.5 * room if flags else room)]
