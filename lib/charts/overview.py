"""The small pictures beside the signals: shapes without words, as SVG in the ink of the page.

Each comes with its text alternative, and holds nothing of a user's. They are drawn without a chart library, so that
eight of them cost nothing; the page behind each signal has the picture in full.
"""

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lib.charts.palette import CATEGORIES, GREY, HIGH, INK, LOW, NEUTRAL, category_colours
from lib.geometry import Anisotropy, IntrinsicDimension, Projection
from lib.layers import BuildUp, HeadEntropy
from lib.layers.head_flags import HeadFlags
from lib.overview.space import Fence
from lib.retrieval import FirstRanks, HardNegatives

WIDTH, HEIGHT = 220, 72
_PAD = 4
_MOST_DOTS = 500
_BARS = 40
_LINE = CATEGORIES[0]


@dataclass(frozen=True)
class Small:
    """A small picture."""

    svg: str
    """Its shapes."""
    about: str
    """What it shows: its text alternative."""


Points = Iterable[tuple[float, float]]


def map_picture(layout: Projection, labels: Sequence[str | None] | None) -> Small:
    """The map, a dot a text, coloured by label; evenly thinned."""
    rows = np.unique(np.linspace(0, layout.items - 1, min(layout.items, _MOST_DOTS)).astype(int))
    x, y = (_scaled(layout.coordinates[rows, axis]) for axis in (0, 1))
    names = sorted({label for label in labels or () if label is not None})
    colours = category_colours(names)
    own = [GREY if labels is None else colours.get(labels[row] or "", GREY) for row in rows]
    dots = "".join(
        f'<circle cx="{_x(a)}" cy="{_y(b)}" r="1.6" fill="{colour}" fill-opacity=".8"/>'
        for a, b, colour in zip(x, y, own if names else [_LINE] * len(rows), strict=True)
    )
    return _svg(dots, f"A map of {layout.items} texts" + (f", coloured by {len(names)} labels." if names else "."))


def cosine_picture(found: Anisotropy) -> Small:
    """Histogram of the cosines of all pairs; the dashed line is the uniform sphere's."""
    seen = (found.bin_edges[1:] > -0.5) & (found.bin_edges[:-1] < 1)
    top = max(float(found.histogram[seen].max()), float(found.uniform_sphere[seen].max()))
    sphere = found.uniform_sphere[seen] / top
    line = _polyline(zip(np.linspace(0, 1, len(sphere)), sphere, strict=True), INK, dashed=True)
    said = f"Histogram of cosines from -0.5 to 1, its mean at {found.mean_cosine:.2f}; dashed: the uniform sphere."
    return _svg(_bars(found.histogram[seen] / top, [LOW] * int(seen.sum())) + line, said)


def dimension_picture(found: IntrinsicDimension) -> Small:
    """Share of the variance in the first components; the mark is where 95 % are reached."""
    d = len(found.cumulative)
    at = np.unique(np.linspace(0, d - 1, min(d, 80)).astype(int))
    curve = _polyline(zip(at / max(d - 1, 1), found.cumulative[at], strict=True), _LINE)
    reached = (found.components_95 - 1) / max(d - 1, 1)
    return _svg(
        _upright(reached) + curve, f"Variance held by the first components; {found.components_95} of {d} hold 95 %."
    )


def outlier_picture(found: Fence) -> Small:
    """Histogram of the distances; those beyond the dashed fence are amber."""
    scores, threshold = found.scores.scores, found.flagged.threshold
    low, high = min(float(scores.min()), threshold), max(float(scores.max()), threshold)
    counts, edges = np.histogram(scores, bins=_BARS, range=(low, high if high > low else low + 1))
    colours = [HIGH if left >= threshold else LOW for left in edges[:-1]]
    at = (threshold - edges[0]) / (edges[-1] - edges[0])
    return _svg(
        _bars(np.sqrt(counts / counts.max()), colours) + _upright(float(at)),
        f"Histogram of distances (square-root counts); {len(found.flagged.rows)} texts lie beyond {threshold:.2f}.",
    )


def build_up_picture(built: BuildUp) -> Small:
    """Mean cosine at every depth, from the embedding layer to the output."""
    cosines = np.clip(built.mean_cosine, 0, 1)
    steps = np.linspace(0, 1, len(cosines))
    dots = "".join(
        f'<circle cx="{_x(a)}" cy="{_y(b)}" r="2.6" fill="{_LINE}"/>' for a, b in zip(steps, cosines, strict=True)
    )
    said = ", ".join(f"{x:.2f}" for x in built.mean_cosine)
    return _svg(_polyline(zip(steps, cosines, strict=True), _LINE) + dots, f"Mean cosine, depth by depth: {said}.")


def heads_picture(measured: HeadEntropy, flags: HeadFlags) -> Small:
    """A cell a head, layers downwards: violet is narrow, amber wide; a flagged one is outlined."""
    layers, heads = measured.shape
    wide, tall = (WIDTH - 2 * _PAD) / heads, (HEIGHT - 2 * _PAD) / layers
    cells = []
    for layer, head in np.ndindex(layers, heads):
        flagged = f' stroke="{INK}" stroke-width="1.5"' if flags.flagged[layer, head] else ""
        cells.append(
            f'<rect x="{_PAD + head * wide:.1f}" y="{_PAD + layer * tall:.1f}" width="{max(wide - 1, 0.5):.1f}" '
            f'height="{max(tall - 1, 0.5):.1f}" fill="{_ramp(float(measured.entropy[layer, head]))}"{flagged}/>'
        )
    count = int(flags.flagged.sum())
    return _svg("".join(cells), f"Entropy of {layers} layers by {heads} heads; {count} are flagged.")


def ranks_picture(found: FirstRanks) -> Small:
    """Queries by the rank of their closest true document; the first bar is rank 1."""
    top = max(int(found.counts.max()), 1)
    colours = [_LINE if first == 1 else LOW if last <= 10 else HIGH for first, last in found.bins]
    said = ", ".join(
        f"{count} at {first if first == last else f'{first} to {last}'}"
        for (first, last), count in zip(found.bins, found.counts, strict=True)
    )
    return _svg(_bars(found.counts / top, colours), f"Queries by rank: {said}.")


def gap_picture(found: HardNegatives) -> Small:
    """Histogram of gaps; left of the dashed line, in amber, a false document leads."""
    edges, counts = found.bin_edges, found.histogram
    colours = [HIGH if right <= 0 else LOW for right in edges[1:]]
    at = (0 - edges[0]) / (edges[-1] - edges[0])
    return _svg(
        _bars(counts / max(int(counts.max()), 1), colours) + _upright(float(at)),
        f"Histogram of gaps from {edges[0]:.2f} to {edges[-1]:.2f}; {found.share_below:.0%} lie below 0.",
    )


def _svg(shapes: str, about: str) -> Small:
    label = html.escape(about)
    return Small(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        f'role="img" aria-label="{label}">{shapes}</svg>',
        about,
    )


def _scaled(values: ArrayLike) -> NDArray[np.float64]:
    """Values brought to [0, 1]; .5 where all are the same."""
    held = np.asarray(values, dtype=np.float64)
    span = float(np.ptp(held))
    return (held - held.min()) / span if span else np.full(len(held), 0.5)


def _x(at: float) -> str:
    return f"{_PAD + at * (WIDTH - 2 * _PAD):.1f}"


def _y(at: float) -> str:
    return f"{HEIGHT - _PAD - at * (HEIGHT - 2 * _PAD):.1f}"


def _polyline(points: Points, colour: str, *, dashed: bool = False) -> str:
    drawn = " ".join(f"{_x(float(a))},{_y(float(b))}" for a, b in points)
    dash = ' stroke-dasharray="4 3"' if dashed else ""
    return f'<polyline points="{drawn}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>'


def _upright(at: float) -> str:
    return (
        f'<line x1="{_x(at)}" x2="{_x(at)}" y1="{_PAD}" y2="{HEIGHT - _PAD}" stroke="{INK}" stroke-width="1.5" '
        'stroke-dasharray="4 3"/>'
    )


def _bars(heights: ArrayLike, colours: Sequence[str]) -> str:
    held = np.asarray(heights, dtype=np.float64)
    wide = (WIDTH - 2 * _PAD) / len(held)
    room = HEIGHT - 2 * _PAD
    return "".join(
        f'<rect x="{_PAD + i * wide:.1f}" y="{HEIGHT - _PAD - height * room:.1f}" width="{max(wide - 0.6, 0.5):.1f}" '
        f'height="{height * room:.1f}" fill="{colour}"/>'
        for i, (height, colour) in enumerate(zip(held, colours, strict=True))
        if height > 0
    )


def _ramp(value: float) -> str:
    """Violet at 0, neutral at .5, amber at 1."""
    low, high, part = (LOW, NEUTRAL, value * 2) if value < 0.5 else (NEUTRAL, HIGH, value * 2 - 1)
    mixed = (
        round(int(low[i : i + 2], 16) + part * (int(high[i : i + 2], 16) - int(low[i : i + 2], 16))) for i in (1, 3, 5)
    )
    return "#" + "".join(f"{one:02X}" for one in mixed)
