"""Figures of a fine-tune as it runs: loss and evaluations, pairs and their gap, gradients, and the pace."""

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from lib.charts.finetune_gradients import gradients
from lib.charts.finetune_steps import (
    MOST_COLUMNS,
    MOST_POINTS,
    add_curve,
    add_resumptions,
    dress,
    each,
    panels,
    thinned,
)
from lib.charts.layout import safe
from lib.charts.palette import CATEGORIES, FLAG, GREY
from lib.finetune.monitor import Findings, FinetuneLog
from lib.finetune.monitor.metrics import lower_is_better
from lib.numerals import count, spelt

__all__ = ["QUESTIONS", "gradients", "learning", "pace", "pairs", "thinning"]

QUESTIONS = {
    "learning": "Does the loss fall, and do held-out queries gain?",
    "pairs": "Do positive pairs part from negative ones?",
    "gradients": "Does every layer learn?",
    "pace": "How fast does it go, and at which learning rate?",
    "rate": "At which learning rate does it learn?",
    "loss": "Does the loss fall?",
}
"""What each figure is asked; also its title (that of the gradients says of which weights)."""
_POSITIVE, _NEGATIVE = CATEGORIES[0], CATEGORIES[1]
_BAND, _STRETCH = "rgba(68, 119, 170, 0.14)", "rgba(217, 119, 6, 0.12)"
_METRICS = 4
_SYMBOLS = ("circle", "square", "triangle-up", "cross")
_FLAGS = {"narrowing": ("diamond-open", "narrows from here"), "collapse": ("x", "collapses from here")}


def learning(log: FinetuneLog) -> go.Figure:
    """Loss of each step above, the evaluations below, the best one marked; one panel where there is only one."""
    parts = [part for part, known in (("loss", len(log.step)), ("metrics", len(log.evaluation_step))) if known]
    titles = {"loss": "", "metrics": "On queries held out" if len(parts) > 1 else ""}
    fig = panels(
        [titles[part] for part in parts] or [""],
        question=QUESTIONS["loss" if parts == ["loss"] else "learning"],
        height=300 + 110 * len(parts),
    )
    for row, part in enumerate(parts, 1):
        (_loss if part == "loss" else _metrics)(fig, log, row)
    add_resumptions(fig, log.resumed, rows=max(1, len(parts)))
    fig.update_xaxes(title="training step", row=max(1, len(parts)), col=1)
    return fig


def pairs(log: FinetuneLog, found: Findings | None = None) -> go.Figure:
    """Similarity of positive and of negative pairs with the gap as a band; the gap alone below it, findings marked."""
    fig = panels(["", "The gap: positive less negative"], question=QUESTIONS["pairs"], height=520, heights=[0.66, 0.34])
    x = thinned(log.step.astype(np.float64), most=MOST_POINTS)
    positive, negative, hardest, gap = (
        thinned(values, most=MOST_POINTS) for values in (log.positive, log.negative, log.hardest, log.gap)
    )
    top = add_curve(fig, x, positive, name="positive pairs", colour=_POSITIVE)
    low = add_curve(fig, x, negative, name="negative pairs", colour=_NEGATIVE, dash="dash")
    if np.isfinite(hardest).any():
        add_curve(fig, x, hardest, name="closest negative", colour=GREY, dash="dot")
    _band(fig, x, top, low)
    course = add_curve(fig, x, gap, name="gap", colour=CATEGORIES[2], row=2, shown=False)
    fig.add_hline(y=0, line={"color": GREY, "width": 1}, row=2, col=1)
    _flags(fig, found, x, course)
    add_resumptions(fig, log.resumed, rows=2)
    fig.update_yaxes(title="mean cosine similarity", row=1, col=1)
    fig.update_yaxes(title="cosine", row=2, col=1)
    fig.update_xaxes(title="training step", row=2, col=1)
    return fig


def pace(log: FinetuneLog) -> go.Figure:
    """Learning rate and examples a second, two small panels side by side; the rate alone where no time is told."""
    timed = bool(np.isfinite(log.samples_per_second).any())
    fig = make_subplots(rows=1, cols=2 if timed else 1, horizontal_spacing=0.12)
    dress(fig, question=QUESTIONS["pace" if timed else "rate"], height=290)
    x = thinned(log.step.astype(np.float64), most=MOST_POINTS)
    rate, speed = (thinned(values, most=MOST_POINTS) for values in (log.learning_rate, log.samples_per_second))
    hover = "step %{x:,.0f}: %{y:.3g}<extra></extra>"
    mode = "lines" if len(x) > 2 else "lines+markers"
    fig.add_scatter(
        x=x, y=rate, mode=mode, line={"color": CATEGORIES[5], "width": 2.5}, showlegend=False, hovertemplate=hover,
        row=1, col=1,
    )  # fmt: skip
    if timed:
        add_curve(fig, x, speed, name="examples a second", colour=CATEGORIES[0], column=2, shown=False)
        fig.update_yaxes(title="examples a second", rangemode="tozero", row=1, col=2)
    fig.update_xaxes(title="training step")
    fig.update_yaxes(title="learning rate", exponentformat="power", rangemode="tozero", row=1, col=1)
    fig.update_layout(margin={"t": 60})
    return fig


def thinning(log: FinetuneLog) -> str | None:
    """What a point of these figures stands for where there are more steps than a screen shows; None otherwise."""
    point, cell = each(len(log.step), most=MOST_POINTS), each(len(log.step), most=MOST_COLUMNS)
    cells = f"each cell of a heatmap is the median of {count(cell)} steps; marks stand at the exact step."
    if point > 1:
        return f"Of {count(len(log.step))} steps, each point of a curve is the mean of {count(point)}, and {cells}"
    return cells[0].upper() + cells[1:] if cell > 1 and log.sides else None


def _loss(fig: go.Figure, log: FinetuneLog, row: int) -> None:
    x, y = (thinned(values, most=MOST_POINTS) for values in (log.step.astype(np.float64), log.loss))
    add_curve(fig, x, y, name="training loss", colour=CATEGORIES[0], row=row)
    lost = sorted({step for step, what in log.not_finite if what == "loss"})[:MOST_COLUMNS]
    if lost:
        known = y[np.isfinite(y)]
        fig.add_scatter(
            x=lost, y=[float(known.min()) if len(known) else 0.0] * len(lost), mode="markers", name="not a number",
            marker={"symbol": "x", "size": 9, "color": FLAG}, hovertemplate="step %{x:,.0f}: the loss is no number"
            "<extra></extra>", row=row, col=1,
        )  # fmt: skip
    fig.update_yaxes(title="loss", rangemode="tozero", row=row, col=1)


def _metrics(fig: go.Figure, log: FinetuneLog, row: int) -> None:
    main = log.metric or ""
    alike = [name for name in log.metrics if name != main and lower_is_better(name) == lower_is_better(main)]
    x = log.evaluation_step.astype(np.float64)
    for place, name in enumerate([main, *alike][:_METRICS]):
        shown = safe(spelt(name))
        fig.add_scatter(
            x=x, y=log.metrics[name], mode="lines+markers", name=shown,
            line={"color": CATEGORIES[(2, 5, 3, 6)[place]], "width": 2.5 if not place else 1.5},
            marker={"symbol": _SYMBOLS[place], "size": 7}, hovertemplate="step %{x:,.0f}: %{y:.4f}<extra>" + shown
            + "</extra>", row=row, col=1,
        )  # fmt: skip
    chosen = log.evaluation_step == log.best
    if chosen.any():
        fig.add_scatter(
            x=x[chosen], y=log.metrics[main][chosen], mode="markers", name="best",
            marker={"color": FLAG, "symbol": "diamond-open", "size": 14, "line": {"width": 2.5}},
            hovertemplate="best, after step %{x:,.0f}: %{y:.4f}<extra></extra>", row=row, col=1,
        )  # fmt: skip
    several = "metric, 0 to 1" if _shares(log) else "metric"
    fig.update_yaxes(title=several if alike else safe(spelt(main)), row=row)


def _shares(log: FinetuneLog) -> bool:
    return all(np.nanmin(values) >= 0 and np.nanmax(values) <= 1 for values in log.metrics.values())


def _band(fig: go.Figure, x: NDArray[np.float64], top: NDArray[np.float64], low: NDArray[np.float64]) -> None:
    """The gap as an area, along its upper and back along its lower edge."""
    known = np.isfinite(top) & np.isfinite(low)
    fig.add_scatter(
        x=np.concatenate([x[known], x[known][::-1]]), y=np.concatenate([top[known], low[known][::-1]]), fill="toself",
        fillcolor=_BAND, line={"width": 0}, mode="lines", name="the gap", hoverinfo="skip", row=1, col=1,
    )  # fmt: skip


def _flags(fig: go.Figure, found: Findings | None, x: NDArray[np.float64], course: NDArray[np.float64]) -> None:
    items = [item for item in (found.items if found else ()) if item.kind in _FLAGS]
    for item in items:
        for row in (1, 2):
            fig.add_vrect(x0=item.first_step, x1=item.last_step, fillcolor=_STRETCH, line={"width": 0}, layer="below",
                          row=row, col=1)  # fmt: skip
    for kind, (symbol, words) in _FLAGS.items():
        at = [item.first_step for item in items if item.kind == kind]
        if at:
            nearest = [int(np.argmin(np.abs(x - step))) for step in at]
            fig.add_scatter(
                x=at, y=course[nearest], mode="markers", name=words,
                marker={"color": FLAG, "symbol": symbol, "size": 13, "line": {"width": 2.5}},
                hovertemplate=words.removesuffix(" from here") + " from step %{x:,.0f} on<extra></extra>", row=2, col=1,
            )  # fmt: skip
