"""The circuit graph of one feature in one text: a column a depth, arcs for what it grows from one to the next.

It is SVG that stands alone: no script, every text escaped, ink inherited from the page (`color`), and each column a
group that says in `data-column` which depth it is, so that a page can let it be clicked.
"""

import html
from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import sqrt
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from lib.charts.palette import HIGH, INK, LOW

if TYPE_CHECKING:
    from lib.sae.circuits.trace import Trace

RANKS = ("1st", "2nd", "3rd", "4th", "5th")
Reach = Mapping[str, Sequence[float]]
"""How far each depth can be read: names of measures, and their values at each depth."""
NO_REACH: Reach = MappingProxyType({})
FVU = "FVU"
UNREADABLE = 1.0
"""From this fraction of variance unexplained on (measures whose name ends in FVU) nothing can be read at a depth."""
_GUTTER = 64
_HEAD, _TARGET, _FIRST, _ROW = 20, 132, 212, 54
_LARGEST, _SMALLEST = 20.0, 3.5
_ARC = 62  # how high an arc rises above the nodes' centres
_PAPER = "#FFFDF9"
_TEXT = "#22252B"
_STYLE = """
text{font:12px var(--st-font,system-ui,sans-serif);fill:currentColor}
.quiet{opacity:.72;font-size:11px}
.value{font-weight:600;font-size:13px}
.halo{paint-order:stroke;stroke:var(--paper,#FFFDF9);stroke-width:4px;stroke-linejoin:round}
.box{fill:transparent;stroke:transparent;rx:8}
.column{cursor:pointer;outline:none}
.column:hover .box,.column:focus-visible .box{fill:currentColor;fill-opacity:.05;stroke:currentColor;stroke-opacity:.35}
.column.chosen .box{fill:currentColor;fill-opacity:.07;stroke:currentColor;stroke-opacity:.6;stroke-width:1.5}
"""


def width_of_column(depths: int) -> int:
    """Pixels of one column: wide where few depths fill a screen, narrow where they scroll."""
    return max(92, min(132, 868 // max(depths, 1)))


def gutter(trace: "Trace", reach: Reach = NO_REACH) -> str:
    """What the rows are called: a narrow picture that stays where the columns are scrolled."""
    rows = [(_TARGET, f"#{trace.feature}", "value")]
    rows += [(_FIRST + _ROW * rank, name, "quiet") for rank, name in enumerate(RANKS)]
    rows += [(place, name, "quiet") for place, (name, _) in _foot(reach)]
    texts = "".join(f'<text x="4" y="{y + 4}" class="{kind}">{name}</text>' for y, name, kind in rows)
    return _svg(texts, _GUTTER, _height(reach))


def columns(trace: "Trace", names: Mapping[int, str], *, chosen: int | None = None, reach: Reach = NO_REACH) -> str:
    """The columns: the target with its activation, what else fires, arcs between, how far each depth can be read.

    `names` are the features' labels for the tooltips; `chosen` is the place of the column that is marked; `reach`
    stands below.
    """
    return _svg(
        _drawn(trace, names, chosen, reach), width_of_column(len(trace.depths)) * len(trace.depths), _height(reach)
    )


def trace_svg(trace: "Trace", names: Mapping[int, str], *, reach: Reach = NO_REACH) -> str:
    """The whole picture as a file: rows' names, columns and legend on light paper."""
    wide = width_of_column(len(trace.depths)) * len(trace.depths) + _GUTTER
    high = _height(reach) + 30
    left = gutter(trace, reach)
    right = _drawn(trace, names, None, reach)
    paper = f'<rect width="{wide}" height="{high}" fill="{_PAPER}"/>'
    return _svg(
        f'{paper}{left}<g transform="translate({_GUTTER} 0)">{right}</g>{_legend_below(_height(reach) + 6)}', wide, high
    )


def legend() -> str:
    """What the marks are, as HTML."""
    items = "".join(
        f'<span style="display:inline-flex;align-items:center;gap:.35rem"><svg width="16" height="14" '
        f'aria-hidden="true">{mark}</svg>{name}</span>'
        for mark, name in _MARKS
    )
    return (
        f'<div style="display:flex;flex-wrap:wrap;gap:.2rem 1.1rem;font-size:.82rem;opacity:.9">{items}'
        "<span>node area = activation</span></div>"
    )


_SILENT = f'fill="none" stroke="{INK}" stroke-width="1.5" stroke-dasharray="3 3"'
_OTHER = f'fill="{LOW}" fill-opacity=".75"'
_COVER = 'style="fill:var(--paper,#FFFDF9)"'  # so that no thread is seen through a node
_FALL = f'fill="none" stroke="{INK}" stroke-width="2" stroke-dasharray="4 4"'
_MARKS = (
    (f'<circle cx="8" cy="7" r="6" fill="{HIGH}"/>', "target feature"),
    (f'<circle cx="8" cy="7" r="5" {_SILENT}/>', "target silent"),
    (f'<circle cx="8" cy="7" r="5" {_OTHER}/>', "co-active feature"),
    (f'<path d="M0 7H16" stroke="{LOW}" stroke-opacity=".55" stroke-width="1.5"/>', "the same one in both columns"),
    (f'<path d="M0 11C4 0 12 0 16 11" fill="none" stroke="{HIGH}" stroke-width="3"/>', "activation growth"),
    (f'<path d="M0 11C4 0 12 0 16 11" {_FALL}/>', "fall"),
)
"""What the marks of the picture are, each 16 by 14 pixels, and their names."""


def _drawn(trace: "Trace", names: Mapping[int, str], chosen: int | None, reach: Reach) -> str:
    most = max(float(trace.activations.max(initial=0)), float(trace.coactive_activations.max(initial=0))) or 1.0
    places = range(len(trace.depths))
    boxes = "".join(_column(trace, names, place, chosen=place == chosen, reach=reach, most=most) for place in places)
    return _threads(trace) + _arcs(trace, most) + boxes


def _column(trace: "Trace", names: Mapping[int, str], place: int, *, chosen: bool, reach: Reach, most: float) -> str:
    wide = width_of_column(len(trace.depths))
    x, depth = _x(trace, place), trace.depths[place]
    target = float(trace.activations[place])
    parts = [
        f'<rect class="box" x="{x - wide / 2 + 2:.0f}" y="1" width="{wide - 4}" height="{_height(reach) - 2}"/>',
        f'<text x="{x}" y="{_HEAD}" text-anchor="middle">{html.escape(depth)}{_peak_mark(trace, place)}</text>',
        _target(trace, names, x, target, most),
        *(_coactive(trace, names, place, rank, most=most) for rank in range(trace.coactive.shape[1])),
        *(
            f'<text x="{x}" y="{y + 4}" text-anchor="middle" class="quiet">{values[place]}</text>'
            for y, (_, values) in _foot(reach)
        ),
    ]
    said = f"{depth}: activation {target:.3g}, {int(trace.active[place])} features active"
    return (
        f'<g class="column{" chosen" if chosen else ""}" data-column="{html.escape(depth)}" role="button" tabindex="0" '
        f'aria-pressed="{"true" if chosen else "false"}" aria-label="{html.escape(said)}">{"".join(parts)}</g>'
    )


def _target(trace: "Trace", names: Mapping[int, str], x: float, value: float, most: float) -> str:
    radius = _radius(value, most)
    look = f'fill="{HIGH}"' if value > 0 else _SILENT
    title = f"<title>{_named(names, trace.feature)}: {value:.4g}</title>"
    circle = f'<circle cx="{x}" cy="{_TARGET}" r="{radius if value > 0 else 6:.1f}" {look}>{title}</circle>'
    return circle + _label(x, _TARGET + _LARGEST + 17, _value(value, most), "value halo" if value > 0 else "quiet halo")


def _coactive(trace: "Trace", names: Mapping[int, str], place: int, rank: int, *, most: float) -> str:
    feature = int(trace.coactive[place, rank])
    if feature < 0:
        return ""
    x, y, value = _x(trace, place), _FIRST + _ROW * rank, float(trace.coactive_activations[place, rank])
    radius = _radius(value, most)
    title = f"<title>{_named(names, feature)}: {value:.4g}</title>"
    written = f'#{feature} <tspan opacity=".75">{_value(value, most)}</tspan>'
    circle = "".join(f'<circle cx="{x}" cy="{y}" r="{radius:.1f}" {look}/>' for look in (_COVER, _OTHER))
    return f"<g>{title}{circle}{_label(x, y + radius + 13, written, 'halo')}</g>"


def _arcs(trace: "Trace", most: float) -> str:
    """From each column's target to the next one's: amber and as wide as the growth, dashed where it falls."""
    drawn = []
    for place, growth in enumerate(trace.growth.tolist()):
        left, right = _x(trace, place), _x(trace, place + 1)
        before, after = trace.activations[place : place + 2].tolist()
        if not (before or after):
            drawn.append(f'<path d="M{left + 9} {_TARGET}H{right - 9}" stroke="{INK}" stroke-opacity=".35"/>')
            continue
        start, end = (_TARGET - (_radius(value, most) if value else 6) for value in (before, after))
        bend, top = 0.3 * (right - left), _TARGET - _ARC
        path = f"M{left} {start:.1f}C{left + bend:.1f} {top} {right - bend:.1f} {top} {right} {end:.1f}"
        wide = 1.5 + 5.5 * abs(growth) / most
        look = f'fill="none" stroke="{HIGH}" stroke-width="{wide:.1f}" stroke-linecap="round"' if growth > 0 else _FALL
        height = (start + end) / 8 + 0.75 * top  # a cubic's middle
        drawn.append(
            f'<path d="{path}" {look}/>{_label((left + right) / 2, height - 8, _signed(growth, most), "halo")}'
        )
    return "".join(drawn)


def _threads(trace: "Trace") -> str:
    """Thin lines between the places of one co-active feature in two neighbouring columns."""
    drawn = []
    for place, (here, there) in enumerate(pairwise(trace.coactive.tolist())):
        left, right = _x(trace, place), _x(trace, place + 1)
        middle = (left + right) / 2
        for rank, feature in enumerate(here):
            if feature >= 0 and feature in there:
                start, end = _FIRST + _ROW * rank, _FIRST + _ROW * there.index(feature)
                drawn.append(f"M{left} {start}C{middle} {start} {middle} {end} {right} {end}")
    return f'<path d="{"".join(drawn)}" fill="none" stroke="{LOW}" stroke-opacity=".55" stroke-width="1.5"/>'


def _foot(reach: Reach) -> list[tuple[int, tuple[str, list[str]]]]:
    """How far each depth can be read: rows of numbers below the picture, with their heights."""
    rows = [(name, [_reached(name, value) for value in values]) for name, values in reach.items()]
    return [(_FIRST + _ROW * len(RANKS) + 20 * row, entry) for row, entry in enumerate(rows)]


def _reached(name: str, value: float) -> str:
    if not np.isfinite(value):
        return "—"
    return f"{value:.2f}".replace("-", "−") + (" ◇" if name.endswith(FVU) and value >= UNREADABLE else "")


def _height(reach: Reach) -> int:
    return _FIRST + _ROW * len(RANKS) + 20 * len(reach)


def _x(trace: "Trace", place: int) -> float:
    return (place + 0.5) * width_of_column(len(trace.depths))


def _radius(value: float, most: float) -> float:
    return max(_SMALLEST, _LARGEST * sqrt(max(value, 0.0) / most))


def _label(x: float, y: float, content: str, kind: str) -> str:
    return f'<text x="{x}" y="{y:.1f}" text-anchor="middle" class="{kind}">{content}</text>'


def _named(names: Mapping[int, str], feature: int) -> str:
    return html.escape(names.get(feature, f"feature {feature}"))


def _value(value: float, most: float) -> str:
    return f"{value:.{_digits(most)}f}" if value else "0"


def _signed(growth: float, most: float) -> str:
    return f"{growth:+.{_digits(most)}f}".replace("-", "−")


def _digits(most: float) -> int:
    """Digits after the point, the same in the whole picture."""
    return 2 if most >= 1 else 3


def _peak_mark(trace: "Trace", place: int) -> str:
    return f' <tspan fill="{HIGH}">★</tspan>' if place == trace.peak and trace.activations[place] > 0 else ""


def _legend_below(y: int) -> str:
    """The legend within the picture, at the height `y`."""
    marks = enumerate(_MARKS[place] for place in (0, 2, 4))
    return "".join(
        f'<g transform="translate({8 + 140 * place} {y})">{mark}<text x="22" y="11">{name}</text></g>'
        for place, (mark, name) in marks
    )


def _svg(content: str, width: float, height: float) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" color="{_TEXT}" style="color:var(--st-text-color,{_TEXT})">'
        f"<style>{_STYLE}</style>{content}</svg>"
    )
