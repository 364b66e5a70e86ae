"""How far a lens reads each depth: a figure."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from lib.charts.layout import figure
from lib.charts.palette import HIGH, INK, LOW

if TYPE_CHECKING:
    from lib.sae.circuits.lens import Lens

_MANY = 14
_TOP = 1.25  # what lies above is drawn there: a raw lens leaves up to twice the variance unexplained


def lens_quality(lens: "Lens", *, own_dictionary: bool) -> go.Figure:
    """R², FVU and shared features at each depth, on texts that the lens was not fitted on.

    The last two belong to the dictionary under which the lens was measured: `own_dictionary` says whether it is the
    one that is looked at, and they are left out where it is not.
    """
    fig = figure(height=320, y="share")
    depths = list(range(len(lens.depths)))
    lines = [("output's variance explained (R²)", lens.r2, HIGH, "solid", "circle")]
    if own_dictionary:
        lines += [
            ("strongest features shared with the output", lens.overlap, LOW, "solid", "square"),
            ("shared with another text's output (chance)", lens.by_chance, LOW, "dot", "square-open"),
            ("left unexplained by the dictionary (FVU)", lens.fvu, INK, "dash", "diamond-open"),
        ]
    for name, values, colour, dash, symbol in lines:
        if values is None:
            continue
        fig.add_scatter(
            x=depths, y=np.clip(values, -0.25, _TOP), customdata=values, name=name, mode="lines+markers",
            line={"color": colour, "dash": dash, "width": 2}, marker={"symbol": symbol, "size": 8},
            hovertemplate=f"{name} %{{customdata:.2f}}<extra></extra>",
        )  # fmt: skip
    fig.update_xaxes(**depth_axis(lens.depths))
    return fig


def depth_axis(depths: Sequence[str], title: str | None = None) -> dict[str, Any]:
    """Settings of an axis of depths, whose names become numbers where they are too many to stand side by side."""
    many = len(depths) > _MANY
    short = [str(place) for place in range(len(depths))]
    numbered = f"{title + ' ' if title else ''}layer (0 = {depths[0]})"
    return {
        "tickvals": list(range(len(depths))),
        "ticktext": short if many else list(depths),
        "title": numbered if many else title,
    }
