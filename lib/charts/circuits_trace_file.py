"""The circuit graph as a file that tells by itself what it shows: heading, graph, legend, on light paper."""

import html
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from lib.charts.circuits_trace import NO_REACH, Reach, drawn_columns, drawn_gutter, height, width
from lib.charts.circuits_trace_marks import AREA, GUTTER, MARKS, PAPER, svg

if TYPE_CHECKING:
    from lib.sae.circuits.trace import Trace

_HEADING = 92
_NARROWEST = 760  # so that the heading has room
_LINE = 22
_SIGN = 22  # a mark of the legend and the room after it
_EDGE = 12
_LETTER = 6.6  # width of a letter of 12 pixels, rather too wide than too narrow
_LARGER = 8.0  # of the first line


def trace_svg(trace: "Trace", names: Mapping[int, str], *, reach: Reach = NO_REACH, encoder: str = "") -> str:
    """The whole picture. `names` are the features' labels, `encoder` is named where it is given."""
    wide, graph = max(width(trace) + GUTTER, _NARROWEST), height(reach)
    legend = list(_legend(wide))
    high = _HEADING + graph + _LINE * (1 + legend[-1][1]) + _EDGE
    drawn = [
        f'<rect width="{wide}" height="{high}" fill="{PAPER}"/>',
        *_heading(trace, names, encoder, wide),
        f'<g transform="translate(0 {_HEADING})">{drawn_gutter(trace, reach)}<g transform="translate({GUTTER} 0)">'
        f"{drawn_columns(trace, names, chosen=None, reach=reach)}</g></g>",
        *(
            f'<g transform="translate({x} {_HEADING + graph + 6 + _LINE * line})">{mark}'
            f'<text x="{_SIGN if mark else 0}" y="11">{name}</text></g>'
            for x, line, mark, name in legend
        ),
    ]
    return svg("".join(drawn), wide, high)


def summary(trace: "Trace") -> str:
    """Where the activation is highest, what it gains in how many steps, and the verdict, in one line."""
    steps = f"{trace.growth_steps} growth step{'' if trace.growth_steps == 1 else 's'}"
    if not trace.activations.any():
        return "fires at no depth"
    peak = f"peak {trace.depths[trace.peak]} · {trace.activations[trace.peak]:.3f}"
    return f"{peak}   total gain {trace.total_gain:+.3f}   {steps} of {len(trace.growth)}   {trace.verdict}"


def title(name: str, layers: int, *, most: int | None = None) -> str:
    """The feature, and through how many layers it is followed; a long name is cut so that `most` characters remain."""
    called = name if name.startswith("feature ") else f"feature {name}"
    ending = f" — activation through {layers} layer{'' if layers == 1 else 's'}"
    kept = called if most is None else _cut(called, most - len(ending))
    return f"{kept[0].upper()}{kept[1:]}{ending}"


def _heading(trace: "Trace", names: Mapping[int, str], encoder: str, wide: int) -> Iterator[str]:
    room = int((wide - 2 * _EDGE) / _LETTER)
    named = names.get(trace.feature, f"feature {trace.feature}")
    heading = title(named, len(trace.depths) - 1, most=int((wide - 2 * _EDGE) / _LARGER))
    below = "   ".join(part for part in (summary(trace), f"{trace.lens} lens", encoder) if part)
    lines = (
        (26, 'style="font-size:15px;font-weight:600"', heading),
        (48, 'style="font-style:italic"', f"“{_cut(' '.join(trace.text.split()), room - 2)}”"),
        (70, 'class="quiet" xml:space="preserve"', _cut(below, room)),
    )
    for y, look, said in lines:
        yield f'<text x="{_EDGE}" y="{y}" {look}>{html.escape(said)}</text>'


def _legend(wide: int) -> Iterator[tuple[float, int, str, str]]:
    """Each mark's place from the left, its line, the mark and its name."""
    x, line = float(_EDGE), 0
    for mark, name in (*MARKS, ("", AREA)):
        room = (_SIGN if mark else 0) + _LETTER * len(name) + 14
        if x + room > wide and x > _EDGE:
            x, line = float(_EDGE), line + 1
        yield x, line, mark, name
        x += room


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: max(most - 1, 1)].rstrip() + "…"
