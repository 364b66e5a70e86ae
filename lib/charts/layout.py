"""What all figures share: margins, quiet axes, and text made safe for plotly's small HTML."""

import html
import textwrap
from collections.abc import Iterable

import plotly.graph_objects as go

HEIGHT = 380
MAP_HEIGHT = 600
_HOVER_CHARACTERS = 220
_HOVER_WIDTH = 60


def figure(*, height: int = HEIGHT, x: str | None = None, y: str | None = None, legend: bool = True) -> go.Figure:
    """An empty figure with titled axes; the theme gives paper, ink and font."""
    fig = go.Figure()
    fig.update_layout(
        height=height,
        margin={"l": 8, "r": 8, "t": 24, "b": 8},
        showlegend=legend,
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.01, "x": 0, "title": None},
        hoverlabel={"align": "left"},
        bargap=0.03,
    )
    fig.update_xaxes(title=x, automargin=True, zeroline=False)
    fig.update_yaxes(title=y, automargin=True, zeroline=False)
    return fig


def hover_texts(texts: Iterable[str], *, characters: int = _HOVER_CHARACTERS) -> list[str]:
    """Texts for a hover box: cut, wrapped, and with every character of HTML escaped."""
    return [_hover(text, characters) for text in texts]


def _hover(text: str, characters: int) -> str:
    cut = text if len(text) <= characters else text[: characters - 1].rstrip() + "…"
    return "<br>".join(html.escape(line, quote=False) for line in textwrap.wrap(cut, _HOVER_WIDTH)) or " "


def safe(name: object) -> str:
    """A name from the user's data for a legend, an axis or a hover box: cut at 60 characters, escaped."""
    text = str(name)
    return html.escape(text if len(text) <= 60 else text[:59] + "…", quote=False)
