"""Figure of a fine-tune's gradients: layers x steps on a logarithmic scale, what died or surged marked by shapes."""

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from lib.charts.finetune_steps import MOST_COLUMNS, dress, each, thinned
from lib.charts.layout import safe
from lib.charts.palette import GREY
from lib.finetune.monitor import Finding, Findings, FinetuneLog

_WHOSE = {"adapter": "Does every layer learn? Gradients of the adapters",
          "base": "Does every layer learn? Gradients of the encoder's own weights"}  # fmt: skip
_MARKS = {
    "dead": ("x", "died"),
    "frozen": ("square", "no gradient"),
    "spike": ("triangle-up", "spiked"),
    "exploding": ("diamond", "exploded"),
}
_PAPER, _EDGE = "#FFFFFF", "#1F1F1F"  # seen on every colour of the scale
_ROW = 34
_BELOW, _ABOVE = 6.0, 4.0  # powers of ten about the median that have colours of their own
_NARROW = 0.2
_MOST_MARKS = 200
_DIGITS = "⁰¹²³⁴⁵⁶⁷⁸⁹"


def gradients(log: FinetuneLog, found: Findings | None = None, *, side: str = "base") -> go.Figure:
    """Gradient norms of one side, a row a layer from the embeddings up, a column a step (or several: see `thinning`).

    Colours are logarithmic and grow evenly to the eye; grey is a gradient of exactly zero, blank none to have.
    """
    norms = log.gradients(side)
    known = np.flatnonzero(np.isfinite(norms).any(axis=0))
    names = [safe(log.layers[place]) for place in known]
    fig = dress(go.Figure(), question=_WHOSE[side], height=170 + _ROW * max(3, len(names)))
    x = thinned(log.step.astype(np.float64), most=MOST_COLUMNS)
    z = thinned(norms[:, known], most=MOST_COLUMNS, middle=True).T
    _heat(fig, x, z, names)
    items = [item for item in (found.items if found else ()) if item.side == side and item.kind in _MARKS]
    for kind in _MARKS:
        _mark(fig, _places(log, [item for item in items if item.kind == kind][:_MOST_MARKS], side), kind)
    fig.update_xaxes(title="training step", showgrid=False)
    fig.update_yaxes(showgrid=False, type="category", categoryorder="array", categoryarray=names)
    several = each(len(log.step), most=MOST_COLUMNS) > 1
    fig.update_layout(coloraxis={"colorbar": {"title": {"text": "gradient norm" + (", median" if several else "")}}})
    return fig


def _heat(fig: go.Figure, x: NDArray[np.float64], z: NDArray[np.float64], names: list[str]) -> None:
    logs = np.full(z.shape, np.nan)
    np.log10(z, out=logs, where=z > 0)
    hover = "%{y}, step %{x:,.0f}: "
    if (z == 0).any():
        fig.add_heatmap(
            x=x, y=names, z=np.where(z == 0, 1.0, np.nan), colorscale=[[0, GREY], [1, GREY]], showscale=False,
            opacity=0.5, hovertemplate=hover + "no gradient<extra></extra>", hoverongaps=False,
        )  # fmt: skip
    fig.add_heatmap(
        x=x, y=names, z=logs, coloraxis="coloraxis", customdata=z, hovertemplate=hover + "%{customdata:.3g}"
        "<extra></extra>", hoverongaps=False,
    )  # fmt: skip
    low, high = _range(logs[np.isfinite(logs)])
    ticks = _ticks(low, high)
    fig.update_layout(
        coloraxis={
            "colorscale": "Cividis", "cmin": low, "cmax": high,
            "colorbar": {"tickvals": ticks, "ticktext": [_power(tick) for tick in ticks], "thickness": 14},
        }
    )  # fmt: skip


def _places(log: FinetuneLog, items: list[Finding], side: str) -> list[tuple[Finding, str]]:
    """Findings with the rows they stand in; what concerns several layers stands in every row that has a gradient."""
    norms = log.gradients(side)
    found = []
    for item in items:
        at = norms[np.searchsorted(log.step, item.first_step)]
        rows = [item.layer] if item.layer else [log.layers[place] for place in np.flatnonzero(at > 0)]
        found += [(item, safe(row)) for row in rows]
    return found


def _mark(fig: go.Figure, at: list[tuple[Finding, str]], kind: str) -> None:
    """A shape where it begins, and a line to where it ends."""
    symbol, words = _MARKS[kind]
    if not at:
        return
    lines: list[tuple[int | None, str | None]] = []
    for item, row in at:
        if item.last_step > item.first_step:
            lines += [(item.first_step, row), (item.last_step, row), (None, None)]
    if lines:
        fig.add_scatter(
            x=[step for step, _ in lines], y=[row for _, row in lines], mode="lines", showlegend=False,
            hoverinfo="skip", line={"color": _PAPER, "width": 2, "dash": "dot"},
        )  # fmt: skip
    fig.add_scatter(
        x=[item.first_step for item, _ in at], y=[row for _, row in at], mode="markers", name=words,
        marker={"symbol": symbol, "size": 11, "color": _PAPER, "line": {"color": _EDGE, "width": 1.5}},
        hovertemplate="%{y} " + words + ", step %{x:,.0f}<extra></extra>",
    )  # fmt: skip


def _range(logs: NDArray[np.float64]) -> tuple[float, float]:
    """Lowest and highest power of ten that have colours of their own, about the median."""
    if not len(logs):
        return 0.0, 1.0
    middle = float(np.median(logs))
    low, high = max(float(logs.min()), middle - _BELOW), min(float(logs.max()), middle + _ABOVE)
    return (low, high) if high - low > _NARROW else (low - _NARROW / 2, high + _NARROW / 2)


def _ticks(low: float, high: float) -> list[float]:
    """Powers of ten, as many as can be read; between them 2 and 5 where the range is narrow."""
    if high - low < 1.5:
        parts = [power + np.log10(m) for power in range(int(np.floor(low)), int(np.ceil(high)) + 1) for m in (1, 2, 5)]
        return [float(tick) for tick in parts if low <= tick <= high]
    every = max(1, round((high - low) / 6))
    return [float(tick) for tick in range(int(np.ceil(low)), int(np.floor(high)) + 1, every)]


def _power(tick: float) -> str:
    """10 to a whole power as people write it; numbers about 1 plainly."""
    if -2 <= tick <= 3 or tick != round(tick):
        return f"{10**tick:.2g}" if tick < 2 else f"{10**tick:.0f}"
    whole = round(tick)
    return "10" + ("⁻" if whole < 0 else "") + "".join(_DIGITS[int(digit)] for digit in str(abs(whole)))
