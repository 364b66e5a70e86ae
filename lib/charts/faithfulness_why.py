"""Figures of one score taken apart: what each feature of the query adds, and which features lost a place."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from lib.charts.layout import figure, safe
from lib.charts.palette import GREY, HIGH, INK, LOW
from lib.charts.sae_decompose import axis_name
from lib.sae.faithfulness import Why

BIAS, ERROR = "decoder bias", "error: in no feature"


def score_parts(
    result: Why, names: Sequence[str], *, row: int = 0, shown: int = 15, title: str, chosen: int | None = None
) -> go.Figure:
    """What adds up to a score or a lead: the parts that weigh most, all others in one bar, the bias and the error.

    `names` are those of the features of `result` in their order. Arrows mark features without which a lead is lost.
    The feature `chosen` is always shown, with a triangle before its name.
    """
    parts, turns = result.parts[row], result.turns(row)
    order = np.argsort(-np.abs(parts), kind="stable")
    if chosen is not None:
        order = np.concatenate([order[result.features[order] == chosen], order[result.features[order] != chosen]])
    first, others = order[:shown], order[shown:]
    first = first[np.argsort(-parts[first], kind="stable")]
    bars = [(names[at], str(result.features[at]), float(parts[at]), bool(turns[at])) for at in first.tolist()]
    if len(others):
        bars.append((f"{len(others)} other features", "", float(parts[others].sum()), False))
    bars += [(BIAS, "", float(result.bias[row]), False), (ERROR, "", float(result.error[row]), False)]
    values = [value for _, _, value, _ in bars]
    own = [bool(feature) for _, feature, _, _ in bars]
    marked = [feature == str(chosen) for _, feature, _, _ in bars]
    fig = figure(x=title, height=max(220, 26 * len(bars) + 90), legend=False)
    fig.add_bar(
        y=list(range(len(bars))),
        x=values,
        orientation="h",
        marker={
            "color": [(HIGH if value >= 0 else LOW) if one else GREY for value, one in zip(values, own, strict=True)],
            "line": {"width": 0},
            "pattern": {"shape": ["" if one else "/" for one in own], "fgcolor": "rgba(255,255,255,0.6)", "size": 6},
        },
        customdata=[[feature, safe(name)] for name, feature, _, _ in bars],
        text=[f"{value:+.3f}{' ⇄' if turn else ''}" for _, _, value, turn in bars],
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{customdata[1]}: %{x:+.4f}<extra></extra>",
    )
    low, high = min(0.0, *values), max(0.0, *values)
    room, most = 0.22 * ((high - low) or 1.0), 1.4 if turns.any() else 1.0  # for the numbers beside the bars
    fig.update_xaxes(range=[low - room if low < 0 else 0, high + most * room])
    fig.update_yaxes(
        tickvals=list(range(len(bars))),
        ticktext=[f"{'▸ ' if one else ''}{axis_name(bar[0])}" for bar, one in zip(bars, marked, strict=True)],
        range=[len(bars) - 0.4, -0.6],
        showgrid=False,
    )
    fig.add_vline(x=0, line={"color": INK, "width": 1.5})
    return fig
