"""Figures of a contrast: two texts feature by feature, and what each feature adds to their cosine."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from lib.charts.layout import figure, safe
from lib.charts.palette import CATEGORIES, INK
from lib.charts.sae_decompose import axis_name
from lib.charts.score_parts import hatching, parts_figure
from lib.sae.decomposition import Attribution, Contrast


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
            marker={"color": colour, "line": {"width": 0}, "pattern": hatching(shape)},
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
    return parts_figure(
        parts.contributions,
        names,
        features=result.features,
        rest=(parts.bias, parts.error),
        title="contribution to the cosine similarity",
        shown=shown,
    )


def _ticks(most: float) -> list[float]:
    """Two to four round numbers on either side of 0, up to `most`."""
    power = 10.0 ** np.floor(np.log10(most))
    step = next(power * factor for factor in (0.2, 0.25, 0.5, 1.0, 2.0, 2.5, 5.0) if most / (power * factor) <= 4)
    reach = int(most / step)
    return [round(step * place, 10) for place in range(-reach, reach + 1)]
