"""Figures of one score taken apart: what each feature of the query adds, and which features lost a place."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from lib.charts.layout import figure, safe
from lib.charts.palette import GREY, HIGH, INK, LOW
from lib.charts.sae_decompose import axis_name
from lib.sae.faithfulness import Why

BIAS, ERROR = "decoder bias", "error: in no feature"


def score_parts(result: Why, names: Sequence[str], *, row: int = 0, shown: int = 15, title: str) -> go.Figure:
    """What adds up to a score or a lead: the parts that weigh most, all others in one bar, the bias and the error.

    `names` are those of the features of `result` in their order. Features without which a lead is lost have a diamond.
    """
    parts, turns = result.parts[row], result.turns(row)
    order = np.argsort(-np.abs(parts), kind="stable")
    first, others = order[:shown], order[shown:]
    first = first[np.argsort(-parts[first], kind="stable")]
    bars = [(names[at], str(result.features[at]), float(parts[at]), bool(turns[at])) for at in first.tolist()]
    if len(others):
        bars.append((f"{len(others)} other features", "", float(parts[others].sum()), False))
    bars += [(BIAS, "", float(result.bias[row]), False), (ERROR, "", float(result.error[row]), False)]
    values = [value for _, _, value, _ in bars]
    own = [bool(feature) for _, feature, _, _ in bars]
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
        text=[f"{value:+.3f}{' ◆' if turn else ''}" for _, _, value, turn in bars],
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{customdata[1]}: %{x:+.4f}<extra></extra>",
    )
    low, high = min(0.0, *values), max(0.0, *values)
    room = 0.16 * ((high - low) or 1.0)
    fig.update_xaxes(range=[low - room if low < 0 else 0, high + room])
    fig.update_yaxes(
        tickvals=list(range(len(bars))),
        ticktext=[axis_name(name) for name, _, _, _ in bars],
        range=[len(bars) - 0.4, -0.6],
        showgrid=False,
    )
    fig.add_vline(x=0, line={"color": INK, "width": 1.5})
    return fig
