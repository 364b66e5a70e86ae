"""Pictures of a steered text: two rankings side by side, and the features that changed.

The rankings are HTML that any page can show: no script, inherited ink, colours that are seen on light and dark paper,
and every text escaped.
"""

import base64
import html
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from lib.charts.layout import figure, safe
from lib.charts.palette import GREY, HIGH, INK, LOW
from lib.charts.sae_decompose import axis_name
from lib.numerals import count
from lib.sae.steering import Reranked, Steered

_ROW = 78  # pixels of a text in a list, with the gap beneath it
_GAP = 6
_CUT = 420  # characters of a text
_SMALL = "font-size:.74rem;opacity:.8"
_COLUMNS = "grid-template-columns:minmax(0,1fr) clamp(24px,6vw,72px) minmax(0,1fr)"
_PILL = f"border-radius:.3rem;padding:.05rem .45rem;background:{HIGH}33;font-size:.84rem"
UP, DOWN, SAME, NEW, GONE = "▲", "▼", "=", "✚", "✕"


@dataclass(frozen=True)
class Card:
    """A text in one of the two lists."""

    rank: int
    """Its rank there."""
    other: int
    """Its rank in the other list."""
    text: str
    """What it says."""
    label: str | None
    """Its label in the corpus."""
    fires: bool
    """Whether the target fires on it."""


def cards(
    result: Reranked, texts: Sequence[str], labels: Sequence[str | None] | None, fires: Collection[int], *, top: int
) -> tuple[list[Card], list[Card]]:
    """The first `top` texts before and after; `fires` are the rows on which the target fires."""
    lists = []
    for rows, other in ((result.before, result.before_now), (result.after, result.after_were)):
        pairs = enumerate(zip(rows[:top].tolist(), other[:top].tolist(), strict=True), 1)
        lists.append(
            [Card(rank, at, texts[row], labels[row] if labels else None, row in fires) for rank, (row, at) in pairs]
        )
    return lists[0], lists[1]


def two_rankings(before: Sequence[Card], after: Sequence[Card], *, text: str, chips: Sequence[str]) -> str:
    """Two lists side by side, as HTML: lines join the texts that are in both, and every move has a mark.

    Above them stand the `text` that asks and the `chips`: what it was pushed along, and how far that moved it.
    """
    top = len(before)
    left = "".join(_card(card, _went(card, top), False) for card in before)
    right = "".join(_card(card, _came(card, top), card.other > top) for card in after)
    titles = "".join(
        f'<div style="font-weight:600;padding-bottom:.35rem">{title}</div>'
        for title in ("retrieval before", "", "retrieval after")
    )
    return (
        f'{_heading(text, chips)}<div style="display:grid;{_COLUMNS}">{titles}'
        f"<div>{left}</div>{_lines(before, top)}<div>{right}</div></div>{_legend()}"
    )


def changed_features(result: Steered, names: Sequence[str], targets: Sequence[str], *, shown: int = 15) -> go.Figure:
    """Activations before (hollow) and after (filled): the targets on top, then the others that changed most.

    `names` are those of `result.features`, `targets` those of `result.targets`, in their order.
    """
    rows = [
        *((f"▸ {axis_name(name)}", name, str(feature), before, after) for name, feature, before, after in zip(
            targets, result.targets, result.target_before, result.target_after, strict=True
        )),
        *((axis_name(name), name, str(feature), before, after) for name, feature, before, after in list(zip(
            names, result.features.tolist(), result.before.tolist(), result.after.tolist(), strict=False
        ))[:shown]),
    ]  # fmt: skip
    fig = figure(x="activation", height=max(220, 26 * len(rows) + 110))
    places = list(range(len(rows)))
    for at, (_, _, _, before, after) in enumerate(rows):
        fig.add_shape(
            type="line", x0=before, x1=after, y0=at, y1=at, layer="below",
            line={"color": HIGH if after > before else LOW, "width": 3},
        )  # fmt: skip
    common = {
        "customdata": [[feature, safe(name), f"{after - before:+.3f}"] for _, name, feature, before, after in rows],
        "hovertemplate": "%{customdata[1]}<br>%{x:.3f} (change %{customdata[2]})<extra></extra>",
        "mode": "markers",
        "y": places,
    }
    fig.add_scatter(
        x=[before for *_, before, _ in rows], name="before",
        marker={"symbol": "circle-open", "size": 10, "color": INK, "line": {"width": 2}}, **common,
    )  # fmt: skip
    for name, symbol, colour, sign in (("after: stronger", "triangle-up", HIGH, 1),
                                       ("after: weaker", "triangle-down", LOW, -1),
                                       ("after: the same", "line-ns", INK, 0)):  # fmt: skip
        of = [at for at, row in enumerate(rows) if (row[4] > row[3]) - (row[4] < row[3]) == sign]
        if of:
            fig.add_scatter(
                x=[rows[at][4] for at in of], y=of, name=name, mode="markers",
                marker={"symbol": symbol, "size": 11, "color": colour, "line": {"width": 0 if sign else 2}},
                customdata=[common["customdata"][at] for at in of],
                hovertemplate=common["hovertemplate"],
            )  # fmt: skip
    fig.update_yaxes(tickvals=places, ticktext=[row[0] for row in rows], range=[len(rows) - 0.4, -0.6], showgrid=False)
    most = 1.06 * max((max(before, after) for *_, before, after in rows), default=0.0) or 1.0
    fig.update_xaxes(range=[-0.02 * most, most])
    if len(targets) and len(rows) > len(targets):
        fig.add_hline(y=len(targets) - 0.5, line={"color": INK, "width": 1, "dash": "dot"})
    return fig


def _went(card: Card, top: int) -> tuple[str, str, str]:
    """Where a text of the list before is now: sign, words, colour."""
    if card.other == card.rank:
        return SAME, "stays", INK
    if card.other > top:
        return GONE, f"now {count(card.other)}", LOW
    return (UP, f"now {card.other}", HIGH) if card.other < card.rank else (DOWN, f"now {card.other}", LOW)


def _came(card: Card, top: int) -> tuple[str, str, str]:
    """Where a text of the list after has been."""
    if card.other == card.rank:
        return SAME, "stayed", INK
    if card.other > top:
        return NEW, f"was {count(card.other)}", HIGH
    return (UP, f"was {card.other}", HIGH) if card.other > card.rank else (DOWN, f"was {card.other}", LOW)


def _heading(text: str, chips: Sequence[str]) -> str:
    pills = "".join(f'<span style="{_PILL}">{safe(chip)}</span>' for chip in chips)
    cut = text if len(text) <= _CUT else text[: _CUT - 1].rstrip() + "…"
    return (
        f'<div style="border:1px solid {INK}66;border-radius:.4rem;padding:.45rem .6rem;margin-bottom:.6rem">'
        f'<div style="{_SMALL}">input text</div><div style="overflow-wrap:anywhere"><i>{html.escape(cut)}</i></div>'
        f'<div style="display:flex;flex-wrap:wrap;gap:.35rem;margin-top:.35rem">{pills}</div></div>'
    )


def _card(card: Card, move: tuple[str, str, str], new: bool) -> str:
    sign, words, colour = move
    text = html.escape(" ".join(card.text[:_CUT].split()))
    label = f'<span style="{_SMALL}">{html.escape(card.label[:40])}</span>' if card.label else ""
    mark = f'<span title="the feature fires on it" style="color:{HIGH}">◆</span>' if card.fires else ""
    border = f"{HIGH}" if new else f"{INK}66"
    return (
        f'<div style="height:{_ROW - _GAP}px;margin-bottom:{_GAP}px;border:1px solid {border};border-radius:.4rem;'
        f'padding:.3rem .5rem;display:flex;gap:.5rem;overflow:hidden;box-sizing:border-box">'
        f'<div style="min-width:1.3rem;font-weight:600;opacity:.75">{card.rank}.</div>'
        f'<div style="min-width:0;flex:1"><div title="{text}" style="font-size:.84rem;line-height:1.2;height:2.4em;'
        f'overflow:hidden;display:-webkit-box;-webkit-line-clamp:2;-webkit-box-orient:vertical">{text}</div>'
        f'<div style="display:flex;gap:.6rem;white-space:nowrap;overflow:hidden"><span style="font-size:.78rem">'
        f'<span style="color:{colour}">{sign}</span> {words}</span>{mark}{label}</div></div></div>'
    )


def _lines(before: Sequence[Card], top: int) -> str:
    """The lines between the lists as a picture; a text that leaves the head ends in a short stump."""
    height = top * _ROW
    paths = []
    for card in before:
        start = (card.rank - 1) * _ROW + (_ROW - _GAP) / 2
        if card.other <= top:
            end = (card.other - 1) * _ROW + (_ROW - _GAP) / 2
            colour = INK if card.other == card.rank else HIGH if card.other < card.rank else LOW
            paths.append(
                f'<path d="M0 {start}C50 {start} 50 {end} 100 {end}" fill="none" stroke="{colour}" stroke-width="2" '
                'vector-effect="non-scaling-stroke"/>'
            )
        else:
            paths.append(
                f'<path d="M0 {start}H30" stroke="{GREY}" stroke-width="2" stroke-dasharray="3 3" '
                'vector-effect="non-scaling-stroke"/>'
            )
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 {height}" width="100" height="{height}" '
        f'preserveAspectRatio="none">{"".join(paths)}</svg>'
    )
    source = base64.b64encode(svg.encode()).decode()
    return (
        f'<img alt="Lines from each text\'s place before to its place after" '
        f'style="width:100%;height:{height}px;display:block" src="data:image/svg+xml;base64,{source}">'
    )


def _legend() -> str:
    signs = ((UP, "rose", HIGH), (DOWN, "fell", LOW), (SAME, "same place", INK), (NEW, "came in", HIGH),
             (GONE, "left this list", LOW), ("◆", "the feature fires on it", HIGH))  # fmt: skip
    shown = " · ".join(f'<span style="color:{colour}">{sign}</span> {words}' for sign, words, colour in signs)
    return f'<div style="font-size:.74rem;padding:.2rem 0 .1rem">{shown}</div>'
