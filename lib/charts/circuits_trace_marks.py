"""How the circuit graph is drawn: its measures and style, what its marks look like, how its numbers are written."""

from collections.abc import Sequence
from math import sqrt

from lib.charts.palette import HIGH, INK, LOW

RANKS = ("1st", "2nd", "3rd", "4th", "5th")
GUTTER = 64
"""Pixels to the left, where the rows' names stand."""
HEAD, TARGET, FIRST, ROW = 20, 132, 212, 54
"""Heights of the depths' names, the target and the first co-active feature, and how far the next ones lie below."""
LARGEST, SMALLEST = 20.0, 3.5
"""Radii of nodes."""
ARC = 62
"""How high an arc rises above the nodes' centres."""
PAPER = "#FFFDF9"
_TEXT = "#22252B"
_STYLE = """
text{font:12px var(--st-font,system-ui,sans-serif);fill:currentColor}
.quiet{fill-opacity:.72;font-size:11px}
.value{font-weight:600;font-size:13px}
.halo{paint-order:stroke;stroke:var(--paper,#FFFDF9);stroke-width:4px;stroke-linejoin:round}
.box{fill:transparent;stroke:transparent;rx:8}
.over{pointer-events:none}
.column{cursor:pointer;outline:none}
.column:hover .box,.column:focus-visible .box{fill:currentColor;fill-opacity:.05;stroke:currentColor;stroke-opacity:.35}
.column.chosen .halo{stroke:color-mix(in srgb,currentColor 7%,var(--paper,#FFFDF9))}
.column.chosen .box{fill:currentColor;fill-opacity:.07;stroke:currentColor;stroke-opacity:.6;stroke-width:1.5}
"""
SILENT = f'fill="none" stroke="{INK}" stroke-width="1.5" stroke-dasharray="3 3"'
OTHER = f'fill="{LOW}" fill-opacity=".75"'
COVER = 'style="fill:var(--paper,#FFFDF9)"'
"""Beneath a node, so that no thread is seen through it."""
FALL = f'fill="none" stroke="{INK}" stroke-width="2" stroke-dasharray="4 4"'
PALE = 0.45
"""Opacity of an arc whose rise is no growth step."""
MARKS = (
    (f'<circle cx="8" cy="7" r="6" fill="{HIGH}"/>', "target feature"),
    (f'<circle cx="8" cy="7" r="5" {SILENT}/>', "target silent"),
    (f'<circle cx="8" cy="7" r="5" {OTHER}/>', "co-active feature"),
    (f'<path d="M0 7H16" stroke="{LOW}" stroke-opacity=".55" stroke-width="1.5"/>', "the same one in both columns"),
    (f'<path d="M0 11C4 0 12 0 16 11" fill="none" stroke="{HIGH}" stroke-width="3"/>', "activation growth"),
    (f'<path d="M0 11C4 0 12 0 16 11" {FALL}/>', "fall"),
)
"""What the marks of the picture are, each 16 by 14 pixels, and their names."""
AREA = "node area = activation"


def width_of_column(depths: int) -> int:
    """Pixels of one column: wide where few depths fill a screen, narrow where they scroll."""
    return max(92, min(132, 868 // max(depths, 1)))


def radius(value: float, most: float) -> float:
    """Of a node whose area is an activation; `most` is the largest of the picture."""
    return max(SMALLEST, LARGEST * sqrt(max(value, 0.0) / most))


def label(at: Sequence[float], content: str, kind: str) -> str:
    """Text, escaped before, in the middle of `at`, as x and y."""
    return f'<text x="{at[0]}" y="{at[1]:.1f}" text-anchor="middle" class="{kind}">{content}</text>'


def written(value: float, most: float) -> str:
    """An activation, with as many digits as all of the picture."""
    return f"{value:.{_digits(most)}f}" if value else "0"


def signed(growth: float, most: float) -> str:
    """A growth or a fall."""
    return f"{growth:+.{_digits(most)}f}".replace("-", "\u2212")


def svg(content: str, width: float, height: float) -> str:
    """A picture that stands alone, in ink and font of the page where it is in one."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" color="{_TEXT}" style="color:var(--st-text-color,{_TEXT})">'
        f"<style>{_STYLE}</style>{content}</svg>"
    )


def _digits(most: float) -> int:
    return 2 if most >= 1 else 3
