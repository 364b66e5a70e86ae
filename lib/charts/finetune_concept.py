"""Figures of one concept of a diff by topic, and of what concepts did to one document's lead."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from lib.charts.layout import figure, safe
from lib.charts.palette import CATEGORIES, HIGH, INK, LOW
from lib.charts.score_parts import parts_figure
from lib.finetune.concepts import FeatureChange, LeadChanges, WhyChanged
from lib.numerals import count

_Z = 1.959964


def feature_by_topic(result: FeatureChange) -> go.Figure:
    """How often one feature fires on the texts of each topic, before (hollow) and after (solid)."""
    rows = np.arange(len(result.topics))
    sizes = np.maximum(result.topic_texts, 1)
    fig = figure(x="texts of the topic on which it fires (%)", height=40 * len(rows) + 110)
    before, after = 100 * result.topic_fires_base / sizes, 100 * result.topic_fires_tuned / sizes
    for row in rows.tolist():
        fig.add_scatter(
            x=[before[row], after[row]], y=[row, row], mode="lines", showlegend=False, hoverinfo="skip",
            line={"color": HIGH if after[row] > before[row] else LOW, "width": 3},
        )  # fmt: skip
    for name, values, symbol, colour in (
        ("base", before, "circle-open", INK),
        ("tuned", after, "circle", CATEGORIES[0]),
    ):
        fig.add_scatter(
            x=values, y=rows, mode="markers", name=name,
            marker={"symbol": symbol, "size": 11, "color": colour, "line": {"width": 2, "color": colour}},
            customdata=[
                [safe(topic), f"{change:+.4f}{_reach(error)}"]
                for topic, change, error in zip(
                    result.topics, result.topic_change.tolist(), result.topic_error.tolist(), strict=True
                )
            ],
            hovertemplate=f"%{{customdata[0]}}, {name}: %{{x:.3g}} %<br>change of the mean activation "
            "%{customdata[1]}<extra></extra>",
        )  # fmt: skip
    fig.update_yaxes(
        tickvals=rows.tolist(),
        ticktext=[f"{safe(name)} ({of})" for name, of in zip(result.topics, result.topic_texts.tolist(), strict=True)],
        range=[len(rows) - 0.5, -0.5], showgrid=False,
    )  # fmt: skip
    fig.update_xaxes(range=[-3, 103])
    return fig


def lead_change(result: WhyChanged, names: Sequence[str], *, shown: int = 15) -> go.Figure:
    """What the fine-tune did to one document's lead over another, feature by feature; all bars sum to it.

    `names` are those of the features of `result` in their order. Arrows mark features without whose change the order
    would be as it was.
    """
    return parts_figure(
        result.parts,
        names,
        features=result.features,
        rest=(result.bias_after - result.bias_before, result.error_after - result.error_before),
        title=f"change of the lead: {result.lead_before:+.4f} → {result.lead_after:+.4f}",
        shown=shown,
        turns=result.decides,
    )


def lead_changes(result: LeadChanges, names: Sequence[str], *, shown: int = 15) -> go.Figure:
    """What each feature did to the leads of all queries that moved one way, on average; all bars sum to it."""
    asked = "1 query" if result.queries == 1 else f"{count(result.queries)} queries"
    fig = parts_figure(
        result.parts,
        names,
        features=result.features,
        rest=(result.bias, result.error),
        title=f"mean change over {asked}: {result.change:+.4f}",
        shown=shown,
    )
    fig.data[0].text = [f"{value:+.2g}" for value in fig.data[0].x]  # means are small
    return fig


def _reach(error: float) -> str:
    return f" ± {_Z * error:.4f}" if np.isfinite(error) else ""
