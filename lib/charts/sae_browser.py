"""Figures of the feature browser: features as rows, how strongly one fires, and for which labels of the corpus."""

import html
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from lib.charts.layout import figure, safe
from lib.charts.palette import CATEGORIES, FLAG, HIGH, INK, LOW, NEUTRAL, RAMP
from lib.sae.examples import ActivationHistogram, Examples
from lib.sae.label_lift import LabelLift
from lib.sae.statistics import FeatureStatistics

MOST_LABELS = 12
"""Labels that `lift_by_label` draws: those of the surest lift."""
_ROW, _MARGIN = 30, 44  # pixels
_COLUMNS = ((58, "freq"), (122, "max act"), (200, "score"))  # pixels to the right of the bars
_RIGHT = 206
_LETTER, _LONGEST, _NUMBER = 6.2, 28, 62  # pixels of a letter, letters of a name, pixels of its number
_CHARACTERS = 320  # of an example
_LIFT_TICKS = (0.01, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 10_000)


def feature_rows(
    statistics: FeatureStatistics,
    features: NDArray[np.integer],
    names: Sequence[str],
    *,
    scores: Sequence[str],
    widest: float,
    chosen: int | None = None,
    headed: bool = True,
    longest: int | None = None,
) -> go.Figure:
    """A row for each of `features`: number and label, frequency as a bar, and frequency, maximum and score as numbers.

    `widest` is the frequency that fills the width, and `longest` the letters of the longest name, where several figures
    stand under one another. Every row can be clicked anywhere.
    """
    n = len(features)
    shares, most = 100 * statistics.frequency[features], max(100 * widest, 1e-9)
    ids = [[str(feature)] for feature in features.tolist()]
    fig = figure(height=_ROW * n + (_MARGIN if headed else 16), legend=False)
    fig.add_bar(
        y=list(range(n)),
        x=shares,
        orientation="h",
        width=0.62,
        customdata=ids,
        marker={"color": shares, "colorscale": RAMP, "cmin": 0, "cmax": most, "line": {"width": 0}},
        hoverinfo="skip",
    )
    fig.add_bar(  # over all of it, unseen: what is clicked
        y=list(range(n)),
        x=[most] * n,
        orientation="h",
        width=1,
        customdata=ids,
        marker={"color": "rgba(128,128,128,0.004)", "line": {"width": 0}},
        hovertemplate="%{text}<extra></extra>",
        text=[
            f"#{feature} {safe(name)}<br>on {statistics.count[feature]:,} texts, mean activation there "
            f"{statistics.mean[feature]:.3g}"
            for feature, name in zip(features.tolist(), names, strict=True)
        ],
        textposition="none",
    )
    left = _LETTER * min(max(longest or 0, *(len(name) for name in names), 8), _LONGEST) + _NUMBER
    for row, (feature, name) in enumerate(zip(features.tolist(), names, strict=True)):
        mark = "▾" if feature == chosen else "▸"
        fig.add_annotation(
            x=0, xref="paper", xshift=-left, y=row, text=f"{mark} #{feature} {safe(_cut(name, _LONGEST))}",
            showarrow=False, xanchor="left", captureevents=False,
        )  # fmt: skip
    fig.update_yaxes(showticklabels=False, range=[n - 0.4, -0.6], showgrid=False, automargin=False)
    fig.update_xaxes(range=[0, most], showgrid=False, showticklabels=False, automargin=False)
    margin = {"l": left + 4, "r": _RIGHT, "t": 28 if headed else 0, "b": 4}
    fig.update_layout(barmode="overlay", margin=margin, hovermode="closest")
    columns = (
        [f"{share:.3g} %" for share in shares],
        [f"{statistics.maximum[feature]:.3g}" for feature in features.tolist()],
        scores,
    )
    for (place, title), texts in zip(_COLUMNS, columns, strict=True):
        for row, text in enumerate(texts):
            fig.add_annotation(
                x=1, xref="paper", xshift=place, y=row, text=text, showarrow=False, xanchor="right", captureevents=False
            )
        if headed:
            fig.add_annotation(
                x=1, xref="paper", xshift=place, y=1, yref="paper", yshift=14, text=title, showarrow=False,
                xanchor="right", font={"size": 12, "color": INK},
            )  # fmt: skip
    return fig


def example_list(
    texts: Sequence[str], activations: Sequence[float], labels: Sequence[str | None] | None = None, *, most: float
) -> str:
    """Texts under one another with how strongly they fire, as HTML: a bar of `most` at full width, text escaped."""
    rows = []
    for number, (text, value) in enumerate(zip(texts, activations, strict=True)):
        share = min(max(value / most, 0), 1) if most > 0 else 0
        label = labels[number] if labels is not None else None
        told = f' <span style="opacity:.65">{html.escape(_cut(label, 60))}</span>' if label is not None else ""
        rows.append(
            '<li style="margin:.3rem 0;display:flex;gap:.7rem;align-items:baseline">'
            '<span style="flex:none;width:5.6rem">'
            f'<span style="display:inline-block;height:.55rem;width:{2.6 * share:.2f}rem;border-radius:2px;'
            f'background:{_colour(share)}"></span> <span style="font-variant-numeric:tabular-nums">{value:.3f}</span>'
            f'</span><span style="overflow-wrap:anywhere">{html.escape(_cut(text, _CHARACTERS))}{told}</span></li>'
        )
    return f'<ol style="list-style:none;padding:0;margin:0;font-size:.9rem">{"".join(rows)}</ol>'


def _cut(text: str, characters: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= characters else line[: characters - 1].rstrip() + "…"


def _colour(share: float) -> str:
    """A colour of the ramp from violet (0) to amber (1)."""
    stops = (LOW, NEUTRAL, HIGH)
    place = min(int(2 * share), 1)
    near = 2 * share - place
    parts = [
        round((1 - near) * int(stops[place][at : at + 2], 16) + near * int(stops[place + 1][at : at + 2], 16))
        for at in (1, 3, 5)
    ]
    return f"rgb({parts[0]},{parts[1]},{parts[2]})"


def activation_histogram(result: ActivationHistogram, quantiles: Examples | None = None) -> go.Figure:
    """How many texts fire the feature how strongly; dotted lines part its quantiles."""
    fig = figure(x="activation", y="texts", height=260, legend=False)
    middles = (result.edges[:-1] + result.edges[1:]) / 2
    fig.add_bar(
        x=middles,
        y=result.counts,
        width=np.diff(result.edges),
        marker={"color": middles, "colorscale": RAMP, "cmin": 0, "cmax": float(result.edges[-1]), "line": {"width": 0}},
        customdata=np.stack([result.edges[:-1], result.edges[1:]], axis=1),
        hovertemplate="%{customdata[0]:.3f} to %{customdata[1]:.3f}: %{y} texts<extra></extra>",
    )
    for edge in quantiles.edges[1:-1] if quantiles is not None else ():
        fig.add_vline(x=edge, line={"color": INK, "width": 1, "dash": "dot"})
    return fig


def lift_by_label(result: LabelLift) -> go.Figure:
    """How much more often each label stands where the feature fires than anywhere: lift with its interval."""
    shown = min(MOST_LABELS, len(result.names))
    rows = list(range(shown))
    lift, low, high = result.lift[:shown], result.low[:shown], result.high[:shown]
    floor = 0.5 * float(min(low[low > 0].min(initial=1.0), 1.0))
    fig = figure(x="lift over chance, with its 95 % interval (logarithmic)", height=34 * shown + 90, legend=False)
    fig.add_scatter(
        x=np.maximum(lift, floor),
        y=rows,
        error_x={
            "type": "data", "symmetric": False, "color": INK, "thickness": 1.5, "width": 5,
            "array": high - lift, "arrayminus": lift - np.maximum(low, floor),
        },
        mode="markers",
        marker={
            "size": 10,
            "color": [HIGH if sure else CATEGORIES[0] for sure in (low > 1).tolist()],
            "symbol": ["diamond" if sure else "circle" for sure in (low > 1).tolist()],
            "line": {"width": 0},
        },
        customdata=[
            [safe(name), f"{count:,} of {size:,} texts of this label", f"{low:.2g} to {high:.2g}", f"p = {p:.2g}"]
            for name, count, size, low, high, p in zip(
                result.names, result.counts, result.sizes, low, high, result.p_value, strict=False
            )
        ],
        hovertemplate="%{customdata[0]}<br>%{customdata[1]}<br>lift %{x:.2g} (%{customdata[2]})<br>%{customdata[3]}"
        "<extra></extra>",
    )  # fmt: skip
    fig.add_vline(x=1, line={"color": FLAG, "width": 1, "dash": "dash"})
    names = [f"{safe(name)} ({count})" for name, count in zip(result.names, result.counts.tolist(), strict=True)]
    fig.update_yaxes(tickvals=rows, ticktext=names[:shown], range=[shown - 0.4, -0.6], showgrid=False)
    ends = [np.log10(floor), np.log10(max(float(high.max(initial=1.0)), 1.2) * 1.15)]
    ticks = [tick for tick in _LIFT_TICKS if 10 ** ends[0] <= tick <= 10 ** ends[1]]
    fig.update_xaxes(type="log", range=ends, tickvals=ticks, ticktext=[f"{tick:g}" for tick in ticks])
    return fig
