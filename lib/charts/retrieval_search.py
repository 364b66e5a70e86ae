"""Figures of the Retrieval page's search: what one query's ranking looks like."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from lib.charts.layout import figure, hover_texts
from lib.charts.palette import GREY, HIGH, INK, LOW
from lib.numerals import count
from lib.retrieval.ranking import Ranking

_TICKS = (1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 100_000, 1_000_000)
_KINDS = (
    ("not judged", GREY, "circle-open", 7),
    ("judged not relevant", LOW, "x", 9),
    ("relevant", HIGH, "diamond", 12),
)


def value_by_rank(
    ranking: Ranking, values: NDArray[np.floating], texts: Sequence[str], *, name: str, shown: int
) -> go.Figure:
    """How the `values` (called `name`) fall with the rank, and where judged documents stand; `shown` are listed."""
    fig = figure(x="rank (logarithmic)", y=name, height=300)
    hovers = np.array(hover_texts(texts), dtype=object)
    kinds = np.clip(ranking.grade, -1, 1) + 1
    for kind, (what, colour, symbol, size) in enumerate(_KINDS):
        chosen = kinds == kind
        if not chosen.any():
            continue
        fig.add_scatter(
            x=ranking.rank[chosen],
            y=values[chosen],
            customdata=[[text] for text in hovers[chosen]],
            name=f"{what} ({int(chosen.sum())})",
            mode="markers",
            marker={"color": colour, "symbol": symbol, "size": size},
            hovertemplate=f"rank %{{x}}, {name} %{{y:.4f}}<br>%{{customdata[0]}}<extra>{what}</extra>",
        )
    last = int(ranking.rank.max(initial=1))
    fig.add_vline(x=shown + 0.5, line={"color": INK, "width": 1, "dash": "dash"})
    ticks = [tick for tick in _TICKS if tick <= last]
    fig.update_xaxes(
        type="log",
        tickvals=ticks,
        ticktext=[count(tick) for tick in ticks],
        range=[-0.05, np.log10(max(last, shown + 1)) + 0.05],
    )
    return fig
