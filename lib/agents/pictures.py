"""Pictures: results as PNG files that a model can look at; what they show is in the answer as numbers too."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from lib.agents.answers import clipped
from lib.agents.canvas import WIDTH, Canvas, Span
from lib.charts.palette import CATEGORIES, GREY, HIGH, INK, LOW, MOST_CATEGORIES, NEUTRAL
from lib.geometry import Projection
from lib.layers import BuildUp
from lib.retrieval import FirstRanks
from lib.sae.circuits.trace import Trace
from lib.sae.network import Network

_MOST_DOTS = 5_000


def map_picture(made: Projection, labels: Sequence[str | None] | None, *, name: str) -> bytes:
    """A corpus's map, a colour for each of the largest labels."""
    xy = np.asarray(made.coordinates)[:, :2]
    rows = np.arange(len(xy))
    if len(rows) > _MOST_DOTS:
        rows = np.sort(np.random.default_rng(0).choice(rows, _MOST_DOTS, replace=False))
    named = [None if labels is None else labels[row] for row in rows.tolist()]
    common = [one for one, _ in Counter(one for one in named if one is not None).most_common(MOST_CATEGORIES)]
    colours = dict(zip(common, CATEGORIES, strict=False))
    about = (
        f"{made.method.upper()}; {made.trustworthiness:.0%} of near neighbours kept (trustworthiness); far distances"
    )
    across = Span.of(xy[:, 0])
    across = Span(across.low, across.high + (0.25 * (across.high - across.low) if common else 0.0))
    canvas = Canvas(f"{name}: where do texts lie?", f"{about} mean little", across, Span.of(xy[:, 1]))
    canvas.axes("", "", grid=False)
    places = [(float(x), float(y)) for x, y in xy[rows]]
    order = sorted(range(len(rows)), key=lambda at: named[at] in colours)  # grey beneath
    for at in order:
        own = named[at]
        canvas.dot(*places[at], colours.get(own, GREY) if own is not None else GREY)
    if common:
        rest = [GREY] if any(one not in colours for one in named) else []
        names = [*common, *(["no or another label"] if rest else [])]
        canvas.legend(names, [*colours.values(), *rest], beside=True)
    return canvas.png()


def bars_picture(names: Sequence[str], values: Sequence[float], *, title: str, about: str, unit: str) -> bytes:
    """Horizontal bars, the first on top; those below 0 in the other colour."""
    room = 330
    span, rows = Span.of(values, zero=True), max(len(values), 6)
    canvas = Canvas(title, about, span, Span(-0.6, rows - 0.4), left=room)
    canvas.axes(unit, "", grid=False)
    for tick in span.ticks(6):
        canvas.write(canvas.place(tick, 0)[0], 540 - 56, f"{tick:g}", anchor="mt", colour=INK)
    for row, (name, value) in enumerate(zip(names, values, strict=True)):
        at = rows - 1 - row
        canvas.bar((0.0, at - 0.36), (float(value), at + 0.36), HIGH if value >= 0 else LOW)
        canvas.write(room - 8, canvas.place(0, at)[1], clipped(name, 46), anchor="rm", size=12)
    return canvas.png()


def layers_picture(made: BuildUp, *, name: str) -> bytes:
    """Mean cosine and agreement with the output at every depth."""
    depths = list(range(len(made.names)))
    lines = {"mean cosine of two texts": made.mean_cosine, "CKA with the output": made.cka_output}
    canvas = Canvas(
        f"{name}: what does each layer add?", "0 = as if drawn on a sphere; CKA 1 = the same geometry as the output",
        Span(-0.5, len(depths) - 0.5), Span.of(*lines.values(), [1.0], zero=True),
    )  # fmt: skip
    canvas.axes("depth", "", x_names=list(made.names))
    for values, colour in zip(lines.values(), (LOW, HIGH), strict=True):
        canvas.line(depths, np.asarray(values, dtype=float).tolist(), colour)
        for depth, value in zip(depths, np.asarray(values, dtype=float).tolist(), strict=True):
            if np.isfinite(value):
                canvas.dot(depth, value, colour, radius=4)
    canvas.legend(list(lines), [LOW, HIGH])
    return canvas.png()


def circuit_picture(found: Trace, label: str | None) -> bytes:
    """A feature's activation at every depth; growth steps stand out."""
    depths = list(range(len(found.depths)))
    heights = found.activations.tolist()
    title = f"Where does feature {found.feature}{f' ({label})' if label else ''} appear?"
    canvas = Canvas(
        title, f"“{clipped(found.text, 70)}” through the {found.lens} lens: {found.verdict}",
        Span(-0.5, len(depths) - 0.5), Span.of(heights, zero=True),
    )  # fmt: skip
    canvas.axes("depth", "activation", x_names=list(found.depths))
    canvas.line(depths, heights, LOW)
    steps = [False, *found.steps.tolist()]
    for depth, height in zip(depths, heights, strict=True):
        canvas.dot(depth, height, HIGH if steps[depth] else LOW, radius=6 if steps[depth] else 4)
    canvas.legend(["growth step", "other depth"], [HIGH, LOW])
    return canvas.png()


def ranks_picture(found: FirstRanks, *, name: str) -> bytes:
    """How many queries find their first true document at which rank."""
    counts = [*found.counts.tolist(), found.not_retrieved] if found.not_retrieved else found.counts.tolist()
    names = [str(low) if low == high else f"{low}-{high}" for low, high in found.bins]
    names += ["none"] if found.not_retrieved else []
    canvas = Canvas(
        f"{name}: at which rank is the right document?",
        f"{len(found.query):,} queries; median rank {found.median:g}; 1 is best",
        Span(-0.6, len(counts) - 0.4), Span.of(counts, zero=True),
    )  # fmt: skip
    canvas.axes("rank of the closest true document", "queries", x_names=names)
    for row, count in enumerate(counts):
        canvas.bar((row - 0.38, 0), (row + 0.38, count), HIGH if names[row] == "1" else NEUTRAL)
    return canvas.png()


def network_picture(found: Network, names: Sequence[str], *, name: str) -> bytes:
    """Features as dots, clusters as colours, edges as lines; the largest named."""
    xy = np.asarray(found.positions, dtype=float)
    canvas = Canvas(
        f"{name}: which features fire on the same texts?",
        f"{len(found):,} features, {found.edges:,} edges of {found.measure} {found.threshold:g} or more",
        Span.of(xy[:, 0], around=0.1), Span.of(xy[:, 1], around=0.08),
    )  # fmt: skip
    canvas.axes("", "", grid=False)
    places = [(float(x), float(y)) for x, y in xy]
    for a, b in zip(found.a.tolist(), found.b.tolist(), strict=True):
        (x, y), (u, v) = places[a], places[b]
        canvas.line([x, u], [y, v], NEUTRAL, width=1)
    sizes = np.sqrt(np.asarray(found.frequency, dtype=float))
    sizes = 4 + 7 * sizes / max(float(sizes.max()), 1e-9)
    for row, place in enumerate(places):
        cluster = int(found.clusters[row])
        canvas.dot(*place, CATEGORIES[cluster] if 0 <= cluster < MOST_CATEGORIES else GREY, radius=float(sizes[row]))
    for row in np.argsort(-sizes)[:10].tolist():
        x, y = canvas.place(*places[row])
        anchor = "lm" if x < WIDTH - 180 else "rm"
        canvas.write(x + (9 if anchor == "lm" else -9), y, clipped(names[row], 26), anchor=anchor, size=11)
    return canvas.png()
