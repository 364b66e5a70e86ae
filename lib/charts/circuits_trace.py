"""The circuit graph of one feature in one text: a column a depth, arcs for what it grows from one to the next.

It is SVG without any script, every text escaped, and each column is a group that says in `data-column` which depth it
is, so that a page can let it be clicked.
"""

import html
from collections.abc import Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from lib.charts.circuits_trace_marks import (
    ARC,
    AREA,
    COVER,
    FALL,
    FIRST,
    GUTTER,
    HEAD,
    LARGEST,
    MARKS,
    OTHER,
    PALE,
    RANKS,
    ROW,
    SILENT,
    TARGET,
    label,
    radius,
    signed,
    svg,
    width_of_column,
    written,
)
from lib.charts.palette import HIGH, INK, LOW

if TYPE_CHECKING:
    from lib.sae.circuits.trace import Trace

Reach = Mapping[str, Sequence[float]]
"""How far each depth can be read: names of measures, and their values at each depth."""
NO_REACH: Reach = MappingProxyType({})
FVU = "FVU"
UNREADABLE = 1.0
"""From this fraction of variance unexplained on (measures whose name ends in FVU) nothing can be read at a depth."""


def gutter(trace: "Trace", reach: Reach = NO_REACH) -> str:
    """What the rows are called: a narrow picture that stays where the columns are scrolled."""
    return svg(drawn_gutter(trace, reach), GUTTER, height(reach))


def columns(trace: "Trace", names: Mapping[int, str], *, chosen: int | None = None, reach: Reach = NO_REACH) -> str:
    """The columns: the target with its activation, what else fires, arcs between, how far each depth can be read.

    `names` are the features' labels for the tooltips; `chosen` is the place of the column that is marked; `reach`
    stands below.
    """
    return svg(drawn_columns(trace, names, chosen=chosen, reach=reach), width(trace), height(reach))


def legend() -> str:
    """What the marks are, as HTML."""
    items = "".join(
        f'<span><svg width="16" height="14" aria-hidden="true">{mark}</svg>{name}</span>' for mark, name in MARKS
    )
    return f"{items}<span>{AREA}</span>"


def width(trace: "Trace") -> int:
    """Pixels of all columns."""
    return width_of_column(len(trace.depths)) * len(trace.depths)


def height(reach: Reach) -> int:
    """Pixels of the picture."""
    return FIRST + ROW * len(RANKS) + 20 * len(reach)


def drawn_gutter(trace: "Trace", reach: Reach) -> str:
    """What stands in the gutter, to be put into a picture."""
    rows = [(TARGET, f"#{trace.feature}", "value")]
    rows += [(FIRST + ROW * rank, name, "quiet") for rank, name in enumerate(RANKS)]
    rows += [(place, html.escape(name), "quiet") for place, (name, _) in _foot(reach)]
    return "".join(f'<text x="4" y="{y + 4}" class="{kind}">{name}</text>' for y, name, kind in rows)


def drawn_columns(trace: "Trace", names: Mapping[int, str], *, chosen: int | None, reach: Reach) -> str:
    """What stands in the columns, to be put into a picture. Arcs lie above the columns and let clicks through."""
    most = max(float(trace.activations.max(initial=0)), float(trace.coactive_activations.max(initial=0))) or 1.0
    places = range(len(trace.depths))
    boxes = "".join(_column(trace, names, place, chosen=place == chosen, reach=reach, most=most) for place in places)
    return f'{_threads(trace)}{boxes}<g class="over">{_arcs(trace, most)}</g>'


def _column(trace: "Trace", names: Mapping[int, str], place: int, *, chosen: bool, reach: Reach, most: float) -> str:
    wide = width_of_column(len(trace.depths))
    x, depth = _x(trace, place), trace.depths[place]
    target = float(trace.activations[place])
    parts = [
        f'<rect class="box" x="{x - wide / 2 + 2:.0f}" y="1" width="{wide - 4}" height="{height(reach) - 2}"/>',
        f'<text x="{x}" y="{HEAD}" text-anchor="middle">{html.escape(depth)}{_peak_mark(trace, place)}</text>',
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
    size = radius(value, most)
    look = f'fill="{HIGH}"' if value > 0 else SILENT
    title = f"<title>{_named(names, trace.feature)}: {value:.4g}</title>"
    circle = f'<circle cx="{x}" cy="{TARGET}" r="{size if value > 0 else 6:.1f}" {look}>{title}</circle>'
    return circle + label((x, TARGET + LARGEST + 17), written(value, most), "value halo" if value > 0 else "quiet halo")


def _coactive(trace: "Trace", names: Mapping[int, str], place: int, rank: int, *, most: float) -> str:
    feature = int(trace.coactive[place, rank])
    if feature < 0:
        return ""
    x, y, value = _x(trace, place), FIRST + ROW * rank, float(trace.coactive_activations[place, rank])
    size = radius(value, most)
    title = f"<title>{_named(names, feature)}: {value:.4g}</title>"
    named = f'#{feature} <tspan opacity=".75">{written(value, most)}</tspan>'
    circle = "".join(f'<circle cx="{x}" cy="{y}" r="{size:.1f}" {look}/>' for look in (COVER, OTHER))
    return f"<g>{title}{circle}{label((x, y + size + 13), named, 'halo')}</g>"


def _arcs(trace: "Trace", most: float) -> str:
    """From each column's target to the next one's: amber and as wide as the growth, dashed where it falls.

    Rises too small for a growth step are pale.
    """
    drawn = []
    for place, growth in enumerate(trace.growth.tolist()):
        left, right = _x(trace, place), _x(trace, place + 1)
        before, after = trace.activations[place : place + 2].tolist()
        if not (before or after):
            drawn.append(f'<path d="M{left + 9} {TARGET}H{right - 9}" stroke="{INK}" stroke-opacity=".35"/>')
            continue
        start, end = (TARGET - (radius(value, most) if value else 6) for value in (before, after))
        bend, top = 0.3 * (right - left), TARGET - ARC
        path = f"M{left} {start:.1f}C{left + bend:.1f} {top} {right - bend:.1f} {top} {right} {end:.1f}"
        wide = 1.5 + 5.5 * abs(growth) / most
        step = bool(trace.steps[place])
        rise = f'fill="none" stroke="{HIGH}" stroke-width="{wide:.1f}" stroke-opacity="{1 if step else PALE}"'
        middle = (start + end) / 8 + 0.75 * top  # a cubic's middle
        said = label(((left + right) / 2, middle - 8), signed(growth, most), "halo" if step else "quiet halo")
        drawn.append(f'<path d="{path}" {rise if growth > 0 else FALL}/>{said}')
    return "".join(drawn)


def _threads(trace: "Trace") -> str:
    """Thin lines between the places of one co-active feature in two neighbouring columns."""
    drawn = []
    for place, (here, there) in enumerate(pairwise(trace.coactive.tolist())):
        left, right = _x(trace, place), _x(trace, place + 1)
        middle = (left + right) / 2
        for rank, feature in enumerate(here):
            if feature >= 0 and feature in there:
                start, end = FIRST + ROW * rank, FIRST + ROW * there.index(feature)
                drawn.append(f"M{left} {start}C{middle} {start} {middle} {end} {right} {end}")
    return f'<path d="{"".join(drawn)}" fill="none" stroke="{LOW}" stroke-opacity=".55" stroke-width="1.5"/>'


def _foot(reach: Reach) -> list[tuple[int, tuple[str, list[str]]]]:
    """How far each depth can be read: rows of numbers below the picture, with their heights."""
    rows = [(name, [_reached(name, value) for value in values]) for name, values in reach.items()]
    return [(FIRST + ROW * len(RANKS) + 20 * row, entry) for row, entry in enumerate(rows)]


def _reached(name: str, value: float) -> str:
    if not np.isfinite(value):
        return "—"
    return f"{value:.2f}".replace("-", "−") + (" ◇" if name.endswith(FVU) and value >= UNREADABLE else "")


def _x(trace: "Trace", place: int) -> float:
    return (place + 0.5) * width_of_column(len(trace.depths))


def _named(names: Mapping[int, str], feature: int) -> str:
    return html.escape(names.get(feature, f"feature {feature}"))


def _peak_mark(trace: "Trace", place: int) -> str:
    return f' <tspan fill="{HIGH}">★</tspan>' if place == trace.peak and trace.activations[place] > 0 else ""
