"""Figures of long documents: how many tokens they have, and where reading ends."""

import numpy as np
import plotly.graph_objects as go

from lib.charts.layout import figure
from lib.charts.palette import CATEGORIES, HIGH, INK
from lib.retrieval.chunking import CutDocuments

_BINS = 48
_WIDE = 20  # times the median beyond which the lengths are drawn on a logarithmic scale


def length_histogram(result: CutDocuments) -> go.Figure:
    """Documents by their number of tokens; those beyond the line are cut there."""
    fig = figure(x="tokens of the document, whole", y="documents", height=320)
    longest = int(result.tokens.max(initial=1))
    wide = longest > _WIDE * max(float(np.median(result.tokens)), 1.0)
    edges = _edges(longest, result.room, wide=wide)
    counts, _ = np.histogram(np.maximum(result.tokens, 1), edges)
    read = edges[1:] <= (result.room or longest) + 1
    for name, chosen, colour, pattern in (
        ("read whole", read, CATEGORIES[0], ""),
        ("cut", ~read, HIGH, "/"),
    ):
        if not chosen.any():
            continue
        fig.add_bar(
            x=((edges[:-1] + edges[1:]) / 2)[chosen],
            y=counts[chosen],
            width=np.diff(edges)[chosen],
            name=name,
            marker={
                "color": colour,
                "line": {"width": 0},
                "pattern": {"shape": pattern, "fillmode": "overlay", "fgopacity": 0.5},
            },
            customdata=np.column_stack([np.ceil(edges[:-1]), np.ceil(edges[1:]) - 1])[chosen],
            hovertemplate="%{customdata[0]:.0f} to %{customdata[1]:.0f} tokens: %{y} documents<extra>"
            + name
            + "</extra>",
        )
    if result.room is not None:
        at = result.room + 1
        fig.add_vline(x=at, line={"color": INK, "width": 1.5, "dash": "dash"})
        fig.add_annotation(
            x=np.log10(at) if wide else at, y=1, yref="paper", text=f" read up to {result.room} ", showarrow=False,
            xanchor="left" if at < longest / 2 else "right", yanchor="top", font={"color": INK},
        )  # fmt: skip
    if wide:
        fig.update_xaxes(type="log")
    return fig


def _edges(longest: int, room: int | None, *, wide: bool) -> np.ndarray:
    """Edges of the bars; one of them is where reading ends."""
    top = max(longest, room or 1) + 1
    edges = np.geomspace(1, top, _BINS + 1) if wide else np.linspace(0, top, min(_BINS, top) + 1)
    if room is None:
        return edges
    edges[np.abs(edges - (room + 1)).argmin()] = room + 1
    return np.unique(edges)
