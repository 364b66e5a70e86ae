"""One figure for what adds up to a score: each feature's part, all smaller ones in one bar, the bias and the error."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from lib.charts.layout import figure, safe
from lib.charts.palette import GREY, HIGH, INK, LOW
from lib.charts.sae_decompose import axis_name
from lib.numerals import counted, minus

BIAS, ERROR = "decoder bias", "error: in no feature"
_HATCH = "rgba(255,255,255,0.6)"


def parts_figure(
    parts: NDArray[np.floating],
    names: Sequence[str],
    *,
    features: NDArray[np.integer],
    rest: tuple[float, float],
    title: str,
    shown: int = 15,
    turns: NDArray[np.bool_] | None = None,
    chosen: int | None = None,
) -> go.Figure:
    """The `shown` largest `parts` (m,) of a sum, those of `features` (m,) called `names`, and the others in one bar.

    `rest` is what the bias and the error add. Arrows mark parts that are `turns` (m,). The feature `chosen` is always
    shown, with a triangle before its name.
    """
    turned = np.zeros(len(parts), dtype=bool) if turns is None else turns
    order = np.argsort(-np.abs(parts), kind="stable")
    if chosen is not None:
        order = np.concatenate([order[features[order] == chosen], order[features[order] != chosen]])
    first, others = order[:shown], order[shown:]
    first = first[np.argsort(-parts[first], kind="stable")]
    bars = [(names[at], str(features[at]), float(parts[at]), bool(turned[at])) for at in first.tolist()]
    if len(others):
        bars.append((counted(len(others), "other feature"), "", float(parts[others].sum()), False))
    bars += [(BIAS, "", rest[0], False), (ERROR, "", rest[1], False)]
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
            "pattern": hatching(["" if one else "/" for one in own]),
        },
        customdata=[[feature, safe(name)] for name, feature, _, _ in bars],
        text=[minus(f"{value:+.3f}{' ⇄' if turn else ''}") for _, _, value, turn in bars],
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{customdata[1]}: %{x:+.4f}<extra></extra>",
    )
    low, high = min(0.0, *values), max(0.0, *values)
    room, most = 0.22 * ((high - low) or 1.0), 1.4 if turned.any() else 1.0  # for the numbers beside the bars
    fig.update_xaxes(range=[low - room if low < 0 else 0, high + most * room])
    fig.update_yaxes(
        tickvals=list(range(len(bars))),
        ticktext=[f"{'▸ ' if feature == str(chosen) else ''}{axis_name(name)}" for name, feature, _, _ in bars],
        range=[len(bars) - 0.4, -0.6],
        showgrid=False,
    )
    fig.add_vline(x=0, line={"color": INK, "width": 1.5})
    return fig


def hatching(shape: str | list[str]) -> dict[str, object]:
    """Lines over a bar's own colour; none where the shape is empty."""
    return {"shape": shape, "fillmode": "overlay", "fgcolor": _HATCH, "solidity": 0.25, "size": 7}
