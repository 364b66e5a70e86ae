"""Figures of late interaction: which tokens match, and what each adds to the score."""

import html

import numpy as np
import plotly.graph_objects as go

from lib.charts.layout import figure
from lib.charts.palette import CATEGORIES, HIGH, INK, RAMP
from lib.retrieval.late import MaxSim

ROW = 32
"""Document tokens in one row of the grid; a longer document goes on in the next row."""
MOST_TOKENS = 160
"""Document tokens that are drawn."""
MOST_QUERY_TOKENS = 48
"""Query tokens that are drawn."""
_MARK_PAPER, _MARK_INK = "#FFFFFF", "#16181D"
_TOKEN_CHARACTERS = 13
_HEAD, _NAMES = 70, 100  # pixels: above the first row, beneath each row


def maxsim_grid(
    result: MaxSim, query: list[str], document: list[str], *, span: tuple[float, float] | None = None
) -> go.Figure:
    """Query tokens down, document tokens across, in rows as a text is set; each query token's best match marked.

    `span` holds the similarities at the ends of the colour scale, so that two documents can share one.
    """
    from plotly.subplots import make_subplots

    query = [label(token) for token in query[:MOST_QUERY_TOKENS]]
    document = [label(token) for token in document[:MOST_TOKENS]]
    a, b = len(query), len(document)
    rows = max(1, -(-b // ROW))
    fig = make_subplots(rows=rows, cols=1, vertical_spacing=_gap(rows, a))
    for row in range(rows):
        columns = range(row * ROW, min(b, (row + 1) * ROW))
        _add_row(fig, result, query, document, columns, row=row + 1)
    low, high = span or similarity_span(result)
    fig.update_layout(
        height=_HEAD + rows * (19 * a + _NAMES),
        margin={"l": 8, "r": 8, "t": _HEAD, "b": 8},
        showlegend=True,
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.0, "x": 0},
        coloraxis={
            "colorscale": RAMP, "cmin": low, "cmax": high,
            "colorbar": {
                "title": {"text": "similarity", "side": "top"}, "thickness": 10, "orientation": "h", "len": 0.35,
                "x": 1, "xanchor": "right", "y": 1, "yanchor": "bottom", "ypad": 4,
            },
        },
    )  # fmt: skip
    return fig


def similarity_span(*results: MaxSim) -> tuple[float, float]:
    """The lowest and the highest similarity of all grids; never one number."""
    values = np.concatenate([result.grid.ravel() for result in results])
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    return low, max(high, low + 1e-3)


def _gap(rows: int, query_tokens: int) -> float:
    """Share of the height between two rows: room for the names of the tokens beneath the upper one."""
    return min(0.9 * _NAMES / (rows * (19 * query_tokens + _NAMES)), 0.9 / max(rows - 1, 1)) if rows > 1 else 0.0


def _add_row(
    fig: go.Figure, result: MaxSim, query: list[str], document: list[str], columns: range, *, row: int
) -> None:
    a, width = len(query), len(columns)
    names = document[columns.start : columns.stop]
    fig.add_heatmap(
        z=result.grid[:a, columns.start : columns.stop], x=list(range(width)), y=list(range(a)), coloraxis="coloraxis",
        customdata=np.broadcast_to(np.array(names, dtype=object), (a, width)),
        text=np.broadcast_to(np.array(query, dtype=object)[:, None], (a, width)),
        hovertemplate="%{text} with %{customdata}: %{z:.2f}<extra></extra>", row=row, col=1,
    )  # fmt: skip
    here = [(i, int(best) - columns.start) for i, best in enumerate(result.best[:a]) if int(best) in columns]
    fig.add_scatter(
        x=[column for _, column in here], y=[i for i, _ in here], name="best match of the query token", mode="markers",
        marker={"symbol": "diamond", "size": 8, "color": _MARK_PAPER, "line": {"color": _MARK_INK, "width": 1}},
        hoverinfo="skip", showlegend=row == 1, legendgroup="best", row=row, col=1,
    )  # fmt: skip
    fig.update_xaxes(
        tickvals=list(range(width)), ticktext=names, tickangle=-90, range=[-0.5, ROW - 0.5], showgrid=False,
        zeroline=False, tickfont={"size": 11}, row=row, col=1,
    )  # fmt: skip
    fig.update_yaxes(
        tickvals=list(range(a)), ticktext=query, range=[a - 0.5, -0.5], showgrid=False, zeroline=False, automargin=True,
        tickfont={"size": 11}, row=row, col=1,
    )  # fmt: skip


def token_margins(first: MaxSim, second: MaxSim, query: list[str], names: tuple[str, str]) -> go.Figure:
    """Each query token's best similarity in both documents; the distance between its two marks is its part."""
    tokens = [label(token) for token in query[:MOST_QUERY_TOKENS]]
    places = list(range(len(tokens)))
    fig = figure(x="similarity of the best match", height=100 + 26 * len(tokens))
    one, two = (side.best_similarity[: len(tokens)] for side in (first, second))
    fig.add_scatter(
        x=np.column_stack([one, two, np.full(len(tokens), np.nan)]).ravel(), y=np.repeat(places, 3), mode="lines",
        line={"color": INK, "width": 2}, hoverinfo="skip", showlegend=False,
    )  # fmt: skip
    for values, name, colour, symbol in (
        (two, names[1], HIGH, "square-open"),
        (one, names[0], CATEGORIES[0], "circle"),
    ):
        fig.add_scatter(
            x=values,
            y=places,
            name=name,
            mode="markers",
            marker={"color": colour, "symbol": symbol, "size": 11, "line": {"width": 2, "color": colour}},
            customdata=tokens,
            hovertemplate="%{customdata}: %{x:.2f}<extra>" + name + "</extra>",
        )
    fig.update_yaxes(tickvals=places, ticktext=tokens, range=[len(tokens) - 0.5, -0.5])
    fig.update_layout(legend={"traceorder": "reversed"})
    low = float(min(one.min(initial=0), two.min(initial=0)))
    fig.update_xaxes(range=[low - 0.04, max(1.0, float(max(one.max(initial=0), two.max(initial=0)))) + 0.04])
    return fig


def label(token: str) -> str:
    """A token for an axis: cut, escaped."""
    return html.escape(token if len(token) <= _TOKEN_CHARACTERS else token[: _TOKEN_CHARACTERS - 1] + "…") or "·"
