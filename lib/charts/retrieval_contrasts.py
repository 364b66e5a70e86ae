"""Figure of paired differences: one system against another, metric by metric, for several cases."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from lib.charts.layout import figure, safe
from lib.charts.palette import CATEGORIES, INK
from lib.numerals import spelt
from lib.retrieval import PairedTest

_SYMBOLS = ("circle", "square", "diamond", "triangle-up")


def difference_forest(cases: Sequence[tuple[str, Sequence[PairedTest]]], *, x: str) -> go.Figure:
    """The mean difference of each metric with its 95 % interval, one mark a case; filled where p < 0.05.

    `cases` are up to four names, each with its tests, of the same metrics in the same order; `x` names the difference.
    """
    metrics = [spelt(test.metric) for test in cases[0][1]]
    places = np.arange(len(metrics))[::-1].astype(float)
    step = 0.7 / max(len(cases), 1)
    fig = figure(x=x, height=110 + max(54, 26 * len(cases)) * len(metrics), legend=len(cases) > 1)
    fig.add_vline(x=0, line={"color": INK, "width": 1.5, "dash": "dash"})
    for number, (name, tests) in enumerate(cases):
        heights = places + 0.35 - step * (number + 0.5)
        colour, symbol = CATEGORIES[number], _SYMBOLS[number]
        sure = [test.p_value < 0.05 for test in tests]
        known = np.isfinite([test.low for test in tests])
        fig.add_scatter(
            x=[test.difference for test in tests],
            y=heights,
            name=safe(name),
            mode="markers",
            error_x={
                "type": "data", "symmetric": False, "color": colour, "thickness": 2, "width": 0,
                "array": [test.high - test.difference if ok else 0 for test, ok in zip(tests, known, strict=True)],
                "arrayminus": [test.difference - test.low if ok else 0 for test, ok in zip(tests, known, strict=True)],
            },
            marker={
                "color": colour, "size": 11, "line": {"width": 2, "color": colour},
                "symbol": [symbol if clear else f"{symbol}-open" for clear in sure],
            },
            customdata=[_hover(name, test) for test in tests],
            hovertemplate="%{customdata}<extra></extra>",
        )  # fmt: skip
    fig.update_yaxes(tickvals=places, ticktext=metrics, range=[-0.6, len(metrics) - 0.4], showgrid=False)
    return fig


def _hover(name: str, test: PairedTest) -> str:
    interval = f"<br>95 % interval {test.low:+.3f} to {test.high:+.3f}" if np.isfinite(test.low) else ""
    return (
        f"{spelt(test.metric)}, {safe(name)}: {test.mean_a:.3f} → {test.mean_b:.3f} ({test.difference:+.3f}){interval}"
        f"<br>p = {test.p_value:.2g}; better on {test.wins}, worse on {test.losses}, same on {test.ties} queries"
    )
