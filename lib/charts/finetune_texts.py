"""Figures of single texts before and after a fine-tune: how many neighbours they kept, and which."""

import html
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from lib.charts.layout import figure, safe
from lib.charts.palette import CATEGORIES, GREY, HIGH, INK, LOW, MOST_CATEGORIES, category_colours
from lib.finetune.diff.neighbours import NeighboursKept, TextNeighbours

_CHARACTERS = 130
_OTHER, _NONE = "other topics", "no topic"


def neighbours_kept(result: NeighboursKept, topics: Sequence[str | None]) -> go.Figure:
    """How many texts kept how many of their k neighbours, stacked by topic, with what chance gives.

    `topics` has one name for each of `result.rows`; topics after the seventh are one grey group.
    """
    fig = figure(x=f"of its {result.k} nearest texts, how many a text kept", y="texts")
    kept = np.rint(result.kept * result.k).astype(int)
    names = result.names[:MOST_CATEGORIES]
    colours = category_colours(names)
    grouped = {name: np.zeros(result.k + 1, dtype=np.int64) for name in [*names, _OTHER, _NONE]}
    for topic, own in zip(topics, kept, strict=True):
        grouped[_NONE if topic is None else topic if topic in colours else _OTHER][own] += 1
    for name, counts in grouped.items():
        if counts.any():
            fig.add_bar(
                x=np.arange(result.k + 1), y=counts, name=safe(name),
                marker={"color": colours.get(name, GREY), "line": {"width": 0}},
                hovertemplate="%{y} texts kept %{x}<extra>" + safe(name) + "</extra>",
            )  # fmt: skip
    for value, told, dash, where in (
        (result.chance * result.k, "chance", "dot", "left"),
        (result.mean * result.k, "mean", "dash", "right" if result.mean > 0.5 else "left"),
    ):
        fig.add_vline(x=value, line={"color": INK, "width": 1.5, "dash": dash})
        fig.add_annotation(
            x=value, y=1, yref="paper", text=f" {told} {value:.1f} ", showarrow=False, xanchor=where, yanchor="top",
            font={"color": INK},
        )  # fmt: skip
    fig.update_layout(barmode="stack", bargap=0.15)
    fig.update_yaxes(range=[0, 1.13 * max(int(np.bincount(kept).max(initial=0)), 1)])
    fig.update_xaxes(range=[-0.6, result.k + 0.6], dtick=1 if result.k <= 20 else None)
    return fig


@dataclass(frozen=True)
class Neighbour:
    """A neighbour as it is drawn."""

    text: str
    """Its text."""
    topic: str | None
    """Its topic."""


def neighbour_lists(found: TextNeighbours, before: Sequence[Neighbour], after: Sequence[Neighbour]) -> str:
    """The neighbours on the base beside those after tuning, nearest first, as HTML; texts are escaped.

    Lost ones are hollow with a violet cross, new ones have an amber plus, those that stayed tell where they stand now.
    """
    places = {row: place for place, row in enumerate(found.after.tolist(), start=1)}
    stood = {row: place for place, row in enumerate(found.before.tolist(), start=1)}
    left = [
        _item(place, one, similarity, _lost() if lost else _moved(place, places.get(row, place)), faint=bool(lost))
        for place, (one, row, similarity, lost) in enumerate(
            zip(before, found.before.tolist(), found.before_similarity.tolist(), found.lost.tolist(), strict=True), 1
        )
    ]
    right = [
        _item(place, one, similarity, _new() if new else _moved(stood.get(row, place), place), faint=False)
        for place, (one, row, similarity, new) in enumerate(
            zip(after, found.after.tolist(), found.after_similarity.tolist(), found.gained.tolist(), strict=True), 1
        )
    ]
    return (
        '<div style="display:flex;flex-wrap:wrap;gap:1.2rem;font-size:.9rem">'
        f"{_column('◌ Before: nearest with the base', left, 'dashed')}"
        f"{_column('● After: nearest with the tuned one', right, 'solid')}</div>"
    )


def _column(title: str, items: list[str], border: str) -> str:
    return (
        f'<div style="flex:1 1 20rem;min-width:0;border:1.5px {border} {INK};border-radius:.5rem;padding:.7rem .9rem">'
        f'<div style="font-weight:600;margin-bottom:.4rem">{title}</div>'
        f'<ol style="list-style:none;padding:0;margin:0">{"".join(items)}</ol></div>'
    )


def _item(place: int, one: Neighbour, similarity: float, sign: str, *, faint: bool) -> str:
    topic = f' <span style="opacity:.8">{html.escape(_cut(one.topic, 40))}</span>' if one.topic is not None else ""
    return (
        f'<li style="margin:.4rem 0;display:flex;gap:.6rem;align-items:baseline{";opacity:.9" if faint else ""}">'
        f'<span style="flex:none;width:1.2rem;text-align:right;opacity:.8">{place}</span>'
        f'<span style="flex:none;width:4.2rem">{sign}</span>'
        f'<span style="flex:none;font-variant-numeric:tabular-nums;opacity:.8">{similarity:.2f}</span>'
        f'<span style="overflow-wrap:anywhere">{html.escape(_cut(one.text, _CHARACTERS))}{topic}</span></li>'
    )


def _lost() -> str:
    return f'<span style="font-weight:600"><span style="color:{LOW}">✕</span> lost</span>'


def _new() -> str:
    return f'<span style="font-weight:600"><span style="color:{HIGH}">+</span> new</span>'


def _moved(before: int, after: int) -> str:
    if before == after:
        return f'<span style="color:{CATEGORIES[0]}">=</span> kept'
    return f'{before} <span style="color:{CATEGORIES[0]}">→</span> {after}'


def _cut(text: str, characters: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= characters else line[: characters - 1].rstrip() + "…"
