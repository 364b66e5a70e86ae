"""Figures of a contrast: two texts feature by feature, and what each feature adds to their cosine."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from lib.charts.layout import figure, safe
from lib.charts.palette import CATEGORIES, GREY, HIGH, INK, LOW
from lib.charts.sae_decompose import axis_name
from lib.sae.decomposition import Attribution, Contrast

_HATCH = "rgba(255,255,255,0.6)"
BIAS, ERROR = "decoder bias", "error: not in any feature"


def mirrored_activations(
    result: Contrast, rows: NDArray[np.integer], names: Sequence[str], *, texts: tuple[str, str] = ("A", "B")
) -> go.Figure:
    """Activations of the features at `rows` of the result, in that order: A's to the left, B's to the right."""
    a, b = result.activations_a[rows], result.activations_b[rows]
    fig = figure(x=f"activation in {safe(texts[0])} ← | → in {safe(texts[1])}", height=max(220, 26 * len(rows) + 110))
    sides = ((texts[0], -a, a, CATEGORIES[0], ""), (texts[1], b, b, CATEGORIES[1], "/"))
    for text, lengths, activations, colour, shape in sides:
        fig.add_bar(
            name=safe(text),
            y=list(range(len(rows))),
            x=lengths,
            orientation="h",
            marker={"color": colour, "line": {"width": 0}, "pattern": _pattern(shape)},
            customdata=[
                [str(result.features[row]), safe(names[row]), f"{activation:.3f}" if activation else "silent"]
                for row, activation in zip(rows.tolist(), activations.tolist(), strict=True)
            ],
            hovertemplate=f"%{{customdata[1]}}<br>{safe(text)}: %{{customdata[2]}}<extra></extra>",
        )
    most = 1.08 * max(float(a.max(initial=0)), float(b.max(initial=0)), 1e-9)
    ticks = _ticks(most)
    fig.update_xaxes(range=[-most, most], tickvals=ticks, ticktext=[f"{abs(tick):g}" for tick in ticks])
    fig.update_yaxes(
        tickvals=list(range(len(rows))),
        ticktext=[axis_name(names[row]) for row in rows.tolist()],
        range=[len(rows) - 0.4, -0.6],
        showgrid=False,
    )
    fig.add_vline(x=0, line={"color": INK, "width": 1.5})
    fig.update_layout(barmode="overlay", bargap=0.25)
    return fig


def cosine_parts(result: Contrast, parts: Attribution, names: Sequence[str], *, shown: int = 15) -> go.Figure:
    """What adds up to the cosine: the features that weigh most, all others in one bar, the bias and the error."""
    order = np.argsort(-np.abs(parts.contributions), kind="stable")
    first, others = order[:shown], order[shown:]
    first = first[np.argsort(-parts.contributions[first], kind="stable")]
    bars = [(names[row], str(result.features[row]), float(parts.contributions[row])) for row in first.tolist()]
    if len(others):
        bars.append((f"{len(others)} other features", "", float(parts.contributions[others].sum())))
    bars += [(BIAS, "", parts.bias), (ERROR, "", parts.error)]
    values = [value for _, _, value in bars]
    own = [bool(feature) for _, feature, _ in bars]
    fig = figure(x="contribution to the cosine similarity", height=max(220, 26 * len(bars) + 90), legend=False)
    fig.add_bar(
        y=list(range(len(bars))),
        x=values,
        orientation="h",
        marker={
            "color": [(HIGH if value >= 0 else LOW) if one else GREY for value, one in zip(values, own, strict=True)],
            "line": {"width": 0},
            "pattern": _pattern(["" if one else "/" for one in own]),
        },
        customdata=[[feature, safe(name)] for name, feature, _ in bars],
        text=[f"{value:+.3f}" for value in values],
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{customdata[1]}: %{x:+.4f}<extra></extra>",
    )
    low, high = min(0.0, *values), max(0.0, *values)
    room = 0.14 * ((high - low) or 1.0)
    fig.update_xaxes(range=[low - (room if low < 0 else room / 4), high + room])
    fig.update_yaxes(
        tickvals=list(range(len(bars))),
        ticktext=[axis_name(name) for name, _, _ in bars],
        range=[len(bars) - 0.4, -0.6],
        showgrid=False,
    )
    fig.add_vline(x=0, line={"color": INK, "width": 1.5})
    return fig


def _pattern(shape: str | list[str]) -> dict[str, object]:
    """Hatching over a bar's own colour; no hatching where the shape is empty."""
    return {"shape": shape, "fillmode": "overlay", "fgcolor": _HATCH, "solidity": 0.25, "size": 7}


def _ticks(most: float) -> list[float]:
    """Two to four round numbers on either side of 0, up to `most`."""
    power = 10.0 ** np.floor(np.log10(most))
    step = next(power * factor for factor in (0.2, 0.25, 0.5, 1.0, 2.0, 2.5, 5.0) if most / (power * factor) <= 4)
    reach = int(most / step)
    return [round(step * place, 10) for place in range(-reach, reach + 1)]
