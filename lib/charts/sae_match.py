"""Figures of two models side by side: coverage label by label, similarities against chance, and pair by pair."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from lib.charts.layout import figure, safe
from lib.charts.palette import CATEGORIES, GREY, HIGH, INK
from lib.sae.matching import Coverage, ModelMatch, Side
from lib.sae.matching.sides import DIFFERENT, INTERCHANGEABLE

MOST_LABELS = 40
"""Labels that `coverages` draws: the least covered ones."""
MOST_POINTS = 3_000
"""Pairs that `agreement` draws: the heaviest on the corpus."""
_BINS = 50
_MIDDLE = 0.6


def coverages(result: ModelMatch, *, ours: str, theirs: str) -> go.Figure:
    """Share of each model's activation that the other knows: the whole corpus on top, then its labels.

    Hollow, without an interval: the part of it in features with a counterpart.
    """
    labels = result.labels[:MOST_LABELS]
    names = ["whole corpus", *(safe(one.label) for one in labels)]
    height = 46 * len(names) + 130
    fig = figure(x="activation in features that the other model knows, too (%)", height=height)
    known = [result.ours.known, *(one.ours for one in labels)], [result.theirs.known, *(one.theirs for one in labels)]
    paired = (
        [result.ours.domain, *(one.ours_paired for one in labels)],
        [result.theirs.domain, *(one.theirs_paired for one in labels)],
    )
    for at, (name, symbol) in enumerate(((ours, "circle"), (theirs, "diamond"))):
        look = CATEGORIES[at], symbol, 0.3 * at - 0.15
        _intervals(fig, known[at], names, (f"{safe(name)}, known to the other", *look))
        _hollow(fig, paired[at], names, (f"{safe(name)}, paired", *look))
    for value in (DIFFERENT, INTERCHANGEABLE):
        fig.add_vline(x=100 * value, line={"color": INK, "width": 1.5, "dash": "dash"})
    fig.update_yaxes(tickvals=list(range(len(names))), ticktext=names, range=[len(names) - 0.4, -0.6], showgrid=False)
    fig.update_xaxes(range=[-2, 102])
    return fig


def _intervals(
    fig: go.Figure, shares: Sequence[Coverage], names: Sequence[str], look: tuple[str, str, str, float]
) -> None:
    name, colour, symbol, shift = look
    kept = [place for place, one in enumerate(shares) if np.isfinite(one.share)]
    fig.add_scatter(
        x=[100 * shares[place].share for place in kept],
        y=[place + shift for place in kept],
        error_x={
            "type": "data", "symmetric": False, "color": colour, "thickness": 1.5, "width": 5,
            "array": [np.nan_to_num(100 * (shares[place].high - shares[place].share)) for place in kept],
            "arrayminus": [np.nan_to_num(100 * (shares[place].share - shares[place].low)) for place in kept],
        },
        mode="markers",
        name=name,
        marker={"color": colour, "symbol": symbol, "size": 11},
        customdata=[[names[place], shares[place].texts] for place in kept],
        hovertemplate="%{customdata[0]} (%{customdata[1]} texts): %{x:.1f} %<extra></extra>",
    )  # fmt: skip


def _hollow(
    fig: go.Figure, shares: Sequence[Coverage], names: Sequence[str], look: tuple[str, str, str, float]
) -> None:
    name, colour, symbol, shift = look
    kept = [place for place, one in enumerate(shares) if np.isfinite(one.share)]
    fig.add_scatter(
        x=[100 * shares[place].share for place in kept],
        y=[place + shift for place in kept],
        mode="markers",
        name=name,
        marker={"color": colour, "symbol": f"{symbol}-open", "size": 10, "line": {"width": 2}},
        customdata=[[names[place], 100 * shares[place].low, 100 * shares[place].high] for place in kept],
        hovertemplate="%{customdata[0]}, paired: %{x:.1f} % (%{customdata[1]:.1f} to %{customdata[2]:.1f})"
        "<extra></extra>",
    )


def similarities(side: Side, *, by: str, threshold: float) -> go.Figure:
    """How similar features are to their counterparts, against what chance gives the best candidate."""
    fig = figure(x=f"{by} with the counterpart", y="share of the features (%)")
    values = side.value[np.isfinite(side.value)]
    low = min([0.0, *(float(part.min()) for part in (values, side.null) if len(part))])
    edges = np.linspace(np.floor(20 * low) / 20, 1.0, _BINS + 1)
    for part, name, colour, filled in (
        (side.null, "chance: the best candidate after shuffling", GREY, False),
        (values, "these two models", HIGH, True),
    ):
        if not len(part):
            continue
        counts, _ = np.histogram(np.clip(part, edges[0], 1), bins=edges)
        fig.add_scatter(
            x=np.repeat(edges, 2)[1:-1],
            y=np.repeat(100 * counts / len(part), 2),
            mode="lines",
            name=name,
            line={"color": colour, "width": 2, "dash": "solid" if filled else "dash"},
            fill="tozeroy" if filled else None,
            fillcolor=f"{colour}40" if filled else None,
            hovertemplate="%{y:.1f} % near %{x:.2f}<extra></extra>",
        )
    fig.add_vline(x=threshold, line={"color": INK, "width": 1.5, "dash": "dot"})
    where = "right" if threshold > _MIDDLE else "left"  # of the line, where there is room
    fig.add_annotation(
        x=threshold, y=1, yref="paper", text=f" the same from {threshold:.2f} ", showarrow=False, xanchor=where,
        yanchor="top", font={"color": INK},
    )  # fmt: skip
    fig.update_xaxes(range=[float(edges[0]), 1.02])
    return fig


def agreement(side: Side, rows: NDArray[np.integer], names: Sequence[str], *, chosen: int | None = None) -> go.Figure:
    """Pairs by cosine of direction and correlation of activation; `names` are those of the features `rows`.

    A click gives the feature as custom data.
    """
    fig = figure(x="cosine of the directions", y="correlation of the activations")
    known = [at for at, row in enumerate(rows.tolist()) if np.isfinite(side.correlation[row])][:MOST_POINTS]
    weights = np.sqrt(side.weight[rows] / max(float(side.weight.max(initial=0)), 1e-12))
    for matched, name, colour, symbol in (
        (False, "no counterpart by the rule", GREY, "x-thin-open"),
        (True, "the same feature", CATEGORIES[0], "circle"),
    ):
        part = [at for at in known if bool(side.matched[rows[at]]) is matched]
        if not part:
            continue
        fig.add_scatter(
            x=side.cosine[rows[part]],
            y=side.correlation[rows[part]],
            mode="markers",
            name=f"{name} ({len(part)})",
            customdata=[[str(rows[at]), safe(names[at]), int(side.match[rows[at]])] for at in part],
            marker={
                "color": colour, "symbol": symbol, "opacity": 0.7, "line": {"width": 1},
                "size": [5 + 11 * float(weights[at]) for at in part],
            },
            hovertemplate="%{customdata[1]}<br>with feature %{customdata[2]} of the other<br>cosine %{x:.2f}, "
            "correlation %{y:.2f}<extra></extra>",
        )  # fmt: skip
    if chosen is not None and np.isfinite(side.correlation[chosen]):
        fig.add_scatter(
            x=[side.cosine[chosen]], y=[side.correlation[chosen]], mode="markers", showlegend=False, hoverinfo="skip",
            marker={"color": "rgba(0,0,0,0)", "size": 22, "line": {"color": HIGH, "width": 2.5}},
        )  # fmt: skip
    return fig
