"""Figures of absorption: flagged pairs by how sure and how surprising they are, and labels by rate."""

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go

from lib.charts.layout import figure, safe
from lib.charts.palette import CATEGORIES, GREY, HIGH
from lib.numerals import count
from lib.sae.diagnostics import Absorption, AbsorptionByLabel

MOST_POINTS = 3_000
"""Pairs that `pairs_map` draws: the first ones."""
MOST_LABELS = 40
"""Labels that `label_rates` draws: those with the highest rates."""
_LIFTS = (1, 1.5, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000)


def pairs_map(result: Absorption, names: Mapping[int, str], *, chosen: int | None = None) -> go.Figure:
    """Flagged pairs: P(absorbed | absorber) against its lift. `names` are those to draw, place to words.

    `chosen` is the place of one of them. A click gives the pair's words as custom data.
    """
    fig = figure(x="lift: times as often as independent features would (logarithmic)", y="P(absorbed | absorber) (%)")
    drawn = np.zeros(len(result), dtype=bool)
    drawn[list(names)[:MOST_POINTS]] = True
    for kept, name, colour, symbol in (
        (drawn & result.chance, "chance could bring it about", GREY, "x-thin-open"),
        (drawn & ~result.chance & ~result.mutual, "one way: a part of the absorbed", CATEGORIES[0], "circle"),
        (drawn & ~result.chance & result.mutual, "both ways: one concept twice", HIGH, "diamond"),
    ):
        rows = np.flatnonzero(kept).tolist()
        if not len(rows):
            continue
        fig.add_scatter(
            x=result.lift[rows],
            y=100 * result.conditional[rows],
            mode="markers",
            name=f"{name} ({len(rows)})",
            customdata=[
                [names[row], safe(names[row]), int(result.both[row]), int(result.count_absorber[row])] for row in rows
            ],
            marker={"color": colour, "symbol": symbol, "size": 10, "opacity": 0.8, "line": {"width": 1}},
            hovertemplate="%{customdata[1]}<br>%{customdata[2]} of %{customdata[3]} texts: %{y:.0f} %, "
            "lift %{x:.3g}<extra></extra>",
        )
    if chosen is not None:
        fig.add_scatter(
            x=[result.lift[chosen]],
            y=[100 * result.conditional[chosen]],
            mode="markers",
            name="chosen",
            marker={"color": "rgba(0,0,0,0)", "size": 18, "line": {"color": HIGH, "width": 2}},
            hoverinfo="skip",
            showlegend=False,
        )
    lifts = result.lift[drawn]
    low, high = (float(lifts.min()), float(lifts.max())) if len(lifts) else (1.0, 10.0)
    ticks = [tick for tick in _LIFTS if low / 2 <= tick <= high * 2]
    fig.update_xaxes(
        type="log", tickvals=ticks, ticktext=[count(tick) for tick in ticks],
        range=[np.log10(low / 1.3), np.log10(high * 1.3)],
    )  # fmt: skip
    fig.update_yaxes(range=[100 * result.threshold - 2, 102])
    return fig


def label_rates(result: AbsorptionByLabel) -> go.Figure:
    """The share of each label's texts on which another feature has taken its place, highest on top."""
    rows = [one for one in result.labels[:MOST_LABELS] if np.isfinite(one.rate)][::-1]
    fig = figure(
        x="texts where another feature takes the label's place (%)", height=max(180, 30 * len(rows) + 90), legend=False
    )
    fig.add_scatter(
        x=[100 * one.rate for one in rows],
        y=list(range(len(rows))),
        error_x={
            "type": "data", "symmetric": False, "color": CATEGORIES[0], "thickness": 1.5, "width": 5,
            "array": [100 * (one.high - one.rate) for one in rows],
            "arrayminus": [100 * (one.rate - one.low) for one in rows],
        },
        customdata=[[safe(one.label), one.absorbed, one.known] for one in rows],
        mode="markers",
        marker={"color": CATEGORIES[0], "size": 11},
        hovertemplate="%{customdata[0]}: %{customdata[1]} of %{customdata[2]} texts<extra></extra>",
    )  # fmt: skip
    fig.update_yaxes(
        tickvals=list(range(len(rows))), ticktext=[safe(one.label) for one in rows], range=[-0.6, len(rows) - 0.4],
        showgrid=False,
    )  # fmt: skip
    fig.update_xaxes(range=[-2, max([20.0, *(105 * one.high for one in rows)])])
    return fig
