"""Figures of hard negatives: the gap's histogram, and the two scores of each query against each other."""

import numpy as np
import plotly.graph_objects as go

from lib.charts.layout import figure, hover_texts
from lib.charts.palette import CATEGORIES, FLAG, HIGH, INK, LOW
from lib.numerals import minus
from lib.retrieval.negatives import HardNegatives

MOST_POINTS = 4_000
"""Queries that `scores_against` draws; of more, every second, third, ... by gap."""


def gap_histogram(result: HardNegatives, *, unit: str) -> go.Figure:
    """How many queries have which gap; those below 0 lose their first place. `unit` names the score."""
    fig = figure(x=f"gap: best true document minus hardest negative ({unit})", y="queries")
    low, high = result.bin_edges[:-1], result.bin_edges[1:]
    middles, below = (low + high) / 2, (low + high) < 0
    for chosen, colour, name in ((below, LOW, "below 0: a negative leads"), (~below, HIGH, "a true document leads")):
        fig.add_bar(
            x=middles[chosen],
            y=result.histogram[chosen],
            width=(high - low)[chosen] * 0.94,
            name=name,
            customdata=np.column_stack([low[chosen], high[chosen]]),
            marker={"color": colour, "line": {"width": 0}},
            hovertemplate="gap %{customdata[0]:.3f} to %{customdata[1]:.3f}: %{y} queries<extra></extra>",
        )
    fig.add_vline(x=0, line={"color": INK, "width": 1.5})
    fig.add_vline(x=result.hard_negative_gap, line={"color": INK, "width": 1.5, "dash": "dash"})
    fig.add_annotation(
        x=result.hard_negative_gap, y=1, yref="paper", text=minus(f" mean {result.hard_negative_gap:.3f}"),
        showarrow=False, xanchor="left", yanchor="top", font={"color": INK},
    )  # fmt: skip
    return fig


def scores_against(result: HardNegatives, queries: list[str], *, unit: str) -> go.Figure:
    """The hardest negative's score and the best true document's, a point for each query; `queries` are their texts."""
    fig = figure(x=f"score of the hardest negative ({unit})", y=f"score of the best true document ({unit})")
    drawn = result.worst[:: -(-len(result.gap) // MOST_POINTS)]
    agreed = result.agreed if result.agreed is not None else np.zeros(len(result.gap), dtype=bool)
    for chosen, name, colour, symbol in (
        (~result.suspicious, "nothing suspicious", CATEGORIES[0], "circle"),
        (result.suspicious & ~agreed, "negative may be unlabelled", FLAG, "diamond-open"),
        (agreed, "and the cross-encoder agrees", FLAG, "diamond"),
    ):
        rows = drawn[chosen[drawn]]
        if not len(rows):
            continue
        fig.add_scattergl(
            x=result.negative_score[rows],
            y=result.positive_score[rows],
            mode="markers",
            name=f"{name} ({int(chosen.sum())})",
            text=hover_texts(queries[row] for row in rows),
            marker={"color": colour, "symbol": symbol, "size": 7 if symbol == "circle" else 11},
            hovertemplate="%{text}<br>true %{y:.3f}, negative %{x:.3f}<extra></extra>",
        )
    both = np.concatenate([result.negative_score, result.positive_score])
    ends = [float(both.min()), float(both.max())]
    fig.add_scatter(
        x=ends, y=ends, mode="lines", line={"color": INK, "dash": "dash", "width": 1.5}, name="equal scores",
        hoverinfo="skip",
    )  # fmt: skip
    return fig
