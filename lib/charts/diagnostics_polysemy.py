"""Figures of polysemy: variance of every feature against random texts, and the examples of one, by sense."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from lib.charts.layout import figure, hover_texts, safe
from lib.charts.palette import CATEGORIES, FLAG, GREY, INK
from lib.numerals import count
from lib.sae.diagnostics import Polysemy, Senses

_TICKS = (5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 1_000_000)
MOST_POINTS = 5_000
"""Features that `variances` draws: of more, all that are flagged first, then every second, third, ... by variance."""


def variances(result: Polysemy, names: Sequence[str], *, chosen: int | None = None) -> go.Figure:
    """Every feature: semantic variance of its examples against the texts on which it fires, and what chance gives.

    `names` are the features in words, in the result's order, `chosen` the place of one. A click gives the feature's
    name as custom data.
    """
    fig = figure(x="texts on which the feature fires (logarithmic)", y="semantic variance (mean cosine distance)")
    _band(fig, result)
    several = result.polysemous
    drawn = _drawn(result, several)
    for kept, name, colour, symbol in (
        (~several & ~result.unspecific, "one sense", CATEGORIES[0], "circle"),
        (~several & result.unspecific, "no tighter than chance", GREY, "x-thin-open"),
        (several, "several senses", FLAG, "diamond-open"),
    ):
        rows = drawn[kept[drawn]].tolist()
        if not rows:
            continue
        fig.add_scattergl(
            x=result.fires[rows],
            y=result.variance[rows],
            mode="markers",
            name=f"{name} ({int(kept.sum())})",
            customdata=[[names[row], safe(names[row]), int(result.senses[row])] for row in rows],
            marker={"color": colour, "symbol": symbol, "size": 6 if symbol == "circle" else 8, "opacity": 0.75},
            hovertemplate="%{customdata[1]}<br>variance %{y:.2f}, senses: %{customdata[2]}, fires on %{x} texts"
            "<extra></extra>",
        )
    if chosen is not None:
        fig.add_scatter(
            x=[result.fires[chosen]], y=[result.variance[chosen]], mode="markers", showlegend=False, hoverinfo="skip",
            marker={"color": "rgba(0,0,0,0)", "size": 18, "line": {"color": FLAG, "width": 2}},
        )  # fmt: skip
    ticks = [tick for tick in _TICKS if not len(result) or tick <= 1.3 * max(result.fires.max(), result.top)]
    fig.update_xaxes(type="log", tickvals=ticks, ticktext=[count(tick) for tick in ticks])
    fig.update_yaxes(rangemode="tozero")
    return fig


def examples_map(result: Senses, texts: Sequence[str]) -> go.Figure:
    """The examples of one feature on the two directions along which they differ most, coloured by sense.

    `texts` are those of the examples, in the result's order.
    """
    fig = figure(x="first principal direction (cosine distance's scale)", y="second", height=340)
    shown = hover_texts(texts)
    parts = [(number, f"sense {number + 1}", CATEGORIES[number % len(CATEGORIES)], "circle") for number in
             range(len(result.senses))]  # fmt: skip
    for number, name, colour, symbol in [*parts, (-1, "strays", GREY, "x-thin-open")]:
        rows = np.flatnonzero(result.sense == number)
        if not len(rows):
            continue
        fig.add_scatter(
            x=result.places[rows, 0],
            y=result.places[rows, 1],
            mode="markers",
            name=f"{name} ({len(rows)})",
            text=[shown[row] for row in rows],
            marker={"color": colour, "symbol": symbol, "size": 11, "line": {"width": 1}},
            hovertemplate="%{text}<extra></extra>",
        )
    fig.update_yaxes(scaleanchor="x", scaleratio=1)
    return fig


def _drawn(result: Polysemy, several: np.ndarray) -> np.ndarray:
    if len(result) <= MOST_POINTS:
        return np.arange(len(result))
    flagged = np.flatnonzero(several)[:MOST_POINTS]
    others = np.flatnonzero(~several)
    room = max(1, MOST_POINTS - len(flagged))
    return np.concatenate([others[:: -(-len(others) // room)], flagged])


def _band(fig: go.Figure, result: Polysemy) -> None:
    """What draws of as many random texts have: the middle nine tenths, and their mean."""
    if not len(result):
        return
    most = float(max(result.fires.max(), result.random_sizes[-1]))
    x = np.concatenate([result.random_sizes, [most * 1.2]])
    keep = x >= max(2, result.fewest - 1)
    low, high = (np.append(ends, ends[-1])[keep] for ends in (result.random_low, result.random_high))
    x = x[keep]
    fig.add_scatter(x=x, y=high, mode="lines", line={"width": 0}, hoverinfo="skip", showlegend=False)
    fig.add_scatter(
        x=x, y=low, mode="lines", line={"width": 0}, fill="tonexty", fillcolor="rgba(138,143,152,0.25)",
        hoverinfo="skip", name="nine of ten draws of random texts",
    )  # fmt: skip
    fig.add_hline(y=result.random_mean, line={"color": INK, "width": 1, "dash": "dash"})
