"""Figures of prompts: how far they move the vectors."""

import numpy as np
import plotly.graph_objects as go

from lib.charts.layout import figure
from lib.charts.palette import CATEGORIES, HIGH
from lib.retrieval.prompts import PromptShift

_BINS = 40
_LOOKS = {"query": ("queries", CATEGORIES[0], ""), "document": ("documents", HIGH, "/")}


def shift_histogram(shifts: tuple[PromptShift, ...]) -> go.Figure:
    """Cosine of each text's vector with prompt to the one without; roles without a prompt are left out."""
    drawn = [shift for shift in shifts if shift.prompt]
    fig = figure(x="cosine of a text with its prompt to the same text without", y="share of the texts (%)", height=320)
    low = min((float(shift.cosine.min()) for shift in drawn), default=0.0)
    edges = np.linspace(min(low, 0.999), 1, _BINS + 1)
    for shift in drawn:
        name, colour, pattern = _LOOKS[shift.role]
        counts, _ = np.histogram(np.clip(shift.cosine, edges[0], 1), edges)
        fig.add_bar(
            x=(edges[:-1] + edges[1:]) / 2,
            y=100 * counts / len(shift.cosine),
            width=edges[1] - edges[0],
            name=name,
            opacity=0.75,
            marker={
                "color": colour,
                "line": {"width": 0},
                "pattern": {"shape": pattern, "fillmode": "overlay", "fgopacity": 0.5},
            },
            hovertemplate="cosine %{x:.3f}: %{y:.1f} %<extra>" + name + "</extra>",
        )
        fig.add_vline(x=shift.mean, line={"color": colour, "width": 1.5, "dash": "dash"})
    fig.update_layout(barmode="overlay")
    fig.update_xaxes(range=[float(edges[0]) - 0.005, 1.003])
    return fig
