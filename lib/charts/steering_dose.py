"""Figures of a dose-response: how far the vector moves, where the feature's texts stand, and whether they rise."""

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from lib.charts.layout import figure, safe
from lib.charts.palette import CATEGORIES, GREY, INK
from lib.sae.steering import Dose

FEATURE, OTHERS, RANDOM = CATEGORIES[0], CATEGORIES[5], GREY
_X = "delta (mean active values)"


def shift_curve(result: Dose, name: str) -> go.Figure:
    """The cosine shift over delta, with the bands of random directions and other features."""
    fig = figure(x=_X, y="cosine shift, 1 − cos(x, x′)", height=360)
    _bands(fig, result, result.shift_random, result.shift_others)
    _curve(fig, result, result.shift, name, "cosine shift %{y:.3f}")
    fig.update_yaxes(rangemode="tozero")
    return fig


def rank_curve(result: Dose, name: str) -> go.Figure:
    """The mean rank of the feature's texts over delta, the top of the ranking on top, with the same bands."""
    fig = figure(x=_X, y=f"mean rank of its {'text' if result.firing == 1 else f'{result.firing:,} texts'}", height=360)
    _bands(fig, result, result.rank_random, result.rank_others)
    _curve(fig, result, result.mean_rank, name, "mean rank %{y:.1f}")
    lines = ((result.best_rank, "all of them first", "top right"), (result.chance_rank, "anywhere", "bottom right"))
    for at, words, place in lines:
        fig.add_hline(
            y=at, line={"color": INK, "width": 1, "dash": "dash"}, annotation_text=words, annotation_position=place,
            annotation_font={"color": INK, "size": 11},
        )  # fmt: skip
    drawn = np.concatenate([result.mean_rank, result.rank_random.ravel(), result.rank_others.ravel()])
    low, high = min(float(np.nanmin(drawn)), result.best_rank), max(float(np.nanmax(drawn)), result.chance_rank)
    room = 0.08 * max(1.0, high - low)
    fig.update_yaxes(range=[high + room, low - room])
    return fig


def rise_strip(result: Dose, name: str) -> go.Figure:
    """AUROC of the feature's texts by ranks risen: its own push with interval, and those of all other directions."""
    fig = figure(x="AUROC: its texts rise more than silent ones", height=230, legend=False)
    rows = (
        ("random directions", result.rise_random, RANDOM, "x"),
        ("other features", result.rise_others, OTHERS, "diamond-open"),
    )
    for at, (what, values, colour, symbol) in enumerate(rows):
        spread = 0.28 * np.sin(np.arange(len(values)) * 2.4)  # so that equal ones can be told apart
        counts = result.other_counts.tolist() if what == "other features" else [None] * len(values)
        numbers = result.others.tolist() if what == "other features" else [None] * len(values)
        fig.add_scatter(
            x=values, y=at + spread, mode="markers", name=what,
            marker={"color": colour, "symbol": symbol, "size": 7},
            text=[
                what if feature is None else f"feature {feature}, fires on {count} texts"
                for feature, count in zip(numbers, counts, strict=True)
            ],
            hovertemplate="%{text}<br>AUROC %{x:.3f}<extra></extra>",
        )  # fmt: skip
    if result.rise is not None:
        value, low, high = result.rise
        fig.add_scatter(
            x=[value], y=[2], mode="markers", name=safe(name),
            error_x={"type": "data", "symmetric": False, "array": [high - value], "arrayminus": [value - low],
                     "color": FEATURE, "thickness": 2, "width": 6},
            marker={"color": FEATURE, "size": 12},
            hovertemplate=f"{safe(name)}<br>AUROC {value:.3f} ({low:.3f} to {high:.3f})<extra></extra>",
        )  # fmt: skip
    fig.add_vline(x=0.5, line={"color": INK, "width": 1, "dash": "dash"})
    fig.update_yaxes(
        tickvals=[0, 1, 2], ticktext=["random directions", "other features", "this feature"], range=[-0.5, 2.5],
        showgrid=False,
    )  # fmt: skip
    fig.update_xaxes(range=[0, 1.02])
    return fig


def _bands(fig: go.Figure, result: Dose, random: NDArray[np.float64], others: NDArray[np.float64]) -> None:
    kinds = (("random directions", random, RANDOM, "dot"), ("other features", others, OTHERS, "dash"))
    for name, band, colour, dash in kinds:
        if np.isnan(band).all():
            continue
        x, (low, middle, high) = result.deltas, band
        fig.add_scatter(
            x=[*x, *x[::-1]], y=[*high, *low[::-1]], fill="toself", fillcolor=f"rgba({_rgb(colour)},0.18)",
            line={"width": 0}, mode="lines", hoverinfo="skip", showlegend=False, legendgroup=name,
        )  # fmt: skip
        fig.add_scatter(
            x=x, y=middle, mode="lines", name=name, legendgroup=name,
            line={"color": colour, "width": 1.5, "dash": dash},
            customdata=np.stack([low, high], axis=1),
            hovertemplate=f"{name}: %{{y:.3g}} (%{{customdata[0]:.3g}} to %{{customdata[1]:.3g}})<extra></extra>",
        )  # fmt: skip


def _curve(fig: go.Figure, result: Dose, values: NDArray[np.float64], name: str, said: str) -> None:
    fig.add_scatter(
        x=result.deltas, y=values, mode="lines+markers", name=safe(name),
        line={"color": FEATURE, "width": 3}, marker={"size": 7},
        hovertemplate=f"delta %{{x:+g}}: {said}<extra></extra>",
    )  # fmt: skip
    reach = int(np.abs(result.deltas).max())
    ticks = [at for at in range(-reach, reach + 1) if at % (4 if reach > 4 else 1) == 0]
    fig.update_xaxes(tickvals=ticks, ticktext=[f"{at:+d}".replace("-", "−") if at else "0" for at in ticks])
    fig.add_vline(x=0, line={"color": INK, "width": 1})
    fig.add_vline(x=result.probe, line={"color": INK, "width": 1, "dash": "dot"})


def _rgb(colour: str) -> str:
    return ",".join(str(int(colour[at : at + 2], 16)) for at in (1, 3, 5))
