"""Lists of a diff as HTML, text escaped: one checkpoint's ranking, and texts that changed, beside one another."""

import html
from collections.abc import Sequence
from dataclasses import dataclass

from lib.charts.palette import CATEGORIES, GREY, HIGH, INK, LOW
from lib.numerals import count

_DOCUMENT, _TEXT = 150, 260  # characters


@dataclass(frozen=True)
class Listed:
    """One document of a ranking that is listed."""

    rank: int
    """Where it stands here."""
    other: int
    """Where it stands with the other checkpoint; 0 where further down than is known."""
    relevance: int
    """Its grade; 0 where it is not relevant, or was not judged."""
    text: str
    """What it says."""


def ranking_list(documents: Sequence[Listed], *, tuned: bool) -> str:
    """The first documents of one checkpoint as HTML, each with where the other checkpoint has it; text escaped."""
    rows = [_document(one, tuned=tuned) for one in documents]
    return f'<ol style="list-style:none;padding:0;margin:0;font-size:.9rem">{"".join(rows)}</ol>'


def side_by_side(*lists: tuple[str, str]) -> str:
    """Lists as HTML, each with its title (plain text), beside each other, or under one another where it is narrow."""
    parts = "".join(
        '<div style="flex:1 1 22rem;min-width:0"><p style="margin:0 0 .3rem">'
        f"<b>{html.escape(title)}</b></p>{made}</div>"
        for title, made in lists
    )
    return f'<div style="display:flex;flex-wrap:wrap;gap:1rem 2rem">{parts}</div>'


def _document(one: Listed, *, tuned: bool) -> str:
    before, after = (one.other, one.rank) if tuned else (one.rank, one.other)
    edge = f"border-left:3px {'solid' if tuned else 'dashed'} {CATEGORIES[2] if one.relevance > 0 else 'transparent'};"
    grade = "<b>◆ relevant</b> " if one.relevance > 0 else ""
    return (
        f'<li style="margin:.35rem 0;padding-left:.5rem;display:flex;gap:.6rem;align-items:baseline;{edge}">'
        f'<b style="flex:none;width:2rem;text-align:right;font-variant-numeric:tabular-nums">{one.rank}</b>'
        f'<span style="flex:none;width:5.4rem;font-variant-numeric:tabular-nums">{_move(before, after, tuned=tuned)}'
        f'</span><span style="overflow-wrap:anywhere">{grade}{html.escape(_cut(one.text, _DOCUMENT))}</span></li>'
    )


def _move(before: int, after: int, *, tuned: bool) -> str:
    """What the other side has: where it goes to (base), or where it came from (tuned)."""
    if not before or not after:
        return f"{sign('▲', HIGH)} from &gt;100" if tuned else f"{sign('▼', LOW)} to &gt;100"
    if before == after:
        return f"{sign('=', GREY)} same"
    up = after < before
    where = f"from {count(before)}" if tuned else f"to {count(after)}"
    return f"{sign('▲', HIGH) if up else sign('▼', LOW)} {where}"


def changed_texts(
    texts: Sequence[str],
    activations: Sequence[tuple[float, float]],
    labels: Sequence[str | None] | None = None,
    *,
    most: float,
) -> str:
    """Texts under one another, each with its activation before (hollow bar) and after (solid), as HTML, text escaped.

    `most` is the activation that fills the width.
    """
    rows = []
    for number, (text, (before, after)) in enumerate(zip(texts, activations, strict=True)):
        label = labels[number] if labels is not None else None
        told = f' <span style="opacity:.65">{html.escape(_cut(label, 60))}</span>' if label is not None else ""
        bars = _bar(before / most if most else 0.0, f"border:1.5px dashed {INK}") + _bar(
            after / most if most else 0.0, f"background:{HIGH if after > before else LOW}"
        )
        rows.append(
            '<li style="margin:.4rem 0;display:flex;gap:.7rem;align-items:baseline">'
            f'<span style="flex:none;width:7.4rem;font-variant-numeric:tabular-nums">{_activation(before)} → '
            f"{_activation(after)}{bars}</span>"
            f'<span style="overflow-wrap:anywhere">{html.escape(_cut(text, _TEXT))}{told}</span></li>'
        )
    return f'<ol style="list-style:none;padding:0;margin:0;font-size:.9rem">{"".join(rows)}</ol>'


def _bar(share: float, look: str) -> str:
    width = 6.5 * min(max(share, 0), 1)
    if not width:
        return ""
    place = f"display:block;height:.4rem;margin:.15rem 0;border-radius:2px;width:{width:.2f}rem"
    return f'<span style="{place};{look}"></span>'


def _activation(value: float) -> str:
    return f"{value:.3f}" if value else "–"


def sign(sign: str, colour: str) -> str:
    """A sign in its colour; the words beside it keep the page's ink, which can be read on either paper."""
    return f'<span style="color:{colour}">{sign}</span>'


def _cut(text: str, characters: int) -> str:
    line = " ".join(text[: 4 * characters].split())
    return line if len(line) <= characters else line[: characters - 1].rstrip() + "…"
