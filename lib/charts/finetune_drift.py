"""The figure of a fine-tune: where each topic stood and where it stands, in one plane."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from lib.charts.layout import figure, safe
from lib.charts.palette import GREY, INK, MOST_CATEGORIES, category_colours
from lib.finetune.diff.projection import JointProjection

MOST_TOPICS = MOST_CATEGORIES
"""Topics that `centroid_shifts` draws with circles and names: those that moved most in the picture."""
_NAMED = 4  # topics up to which names stand in the picture, and not in the legend
MOST_TEXTS = 600
"""Texts of each side that it draws beneath them."""
_WIDTH, _FRAME, _LOWEST, _HIGHEST = 600, 110, 330, 540  # pixels: of the picture as it is thought, and its height
_AXES = {
    "shift": ("along the shift (distance)", "what else parts topics (distance)"),
    "topics": ("first axis of both checkpoints (distance)", "second axis (distance)"),
}
_MOST_ARROWS = 60  # grey ones
_TURN = np.linspace(0, 2 * np.pi, 73)
_WAYS = np.array(
    [[np.cos(turn), np.sin(turn)] for turn in np.pi * np.array([0.5, 1.5, 0.25, 0.75, 1.25, 1.75, 0.0, 1.0])]
)
"""Where a name may stand about its circle, the most welcome first: above, below, aslant, beside."""
_CLEAR, _ENOUGH = 0.03, 0.05  # of the picture's width: how far off a name is thought, and with how much room it is well
_SHORTEST = 0.012  # the same: an arrow shorter than that is a dot


@dataclass(frozen=True, eq=False)
class _Plane:
    """A projection as it is drawn: the longer way across, a colour for each topic."""

    base: NDArray[np.float64]
    tuned: NDArray[np.float64]
    base_radius: NDArray[np.float64]
    tuned_radius: NDArray[np.float64]
    texts_base: NDArray[np.floating]
    texts_tuned: NDArray[np.floating]
    axes: tuple[str, str]
    colours: list[str]
    extent: float
    aspect: float


def centroid_shifts(
    result: JointProjection, codes: NDArray[np.integer], *, names: Sequence[str], hovers: Sequence[str]
) -> go.Figure:
    """Each topic's circle before (dashed, hollow) and after (solid), and an arrow from centre to centre.

    `codes` (n,) is the topic of each text, -1 for none; `names` are what topics are called in the picture, `hovers`
    tell of each in safe HTML. Where topics are many, those that moved least have a grey arrow without a circle.
    """
    drawn = drawn_topics(result)
    plane = _laid(result, drawn)
    others = [at for at in range(len(result.names)) if at not in drawn]
    height = int(np.clip(_FRAME + 1.25 * _WIDTH * plane.aspect, _LOWEST, _HIGHEST))
    fig = figure(height=height, x=plane.axes[0], y=plane.axes[1])
    _texts(fig, plane, [np.flatnonzero(codes[result.rows] == at) for at in drawn], [plane.colours[at] for at in drawn])
    opacity = 0.3 / max(len(drawn), 3)
    for at in drawn:
        colour = plane.colours[at]
        _circle(fig, plane.base[at], plane.base_radius[at], {"color": colour, "width": 2, "dash": "dash"}, None)
        line = {"color": colour, "width": 2.5}
        _circle(fig, plane.tuned[at], plane.tuned_radius[at], line, _faint(colour, opacity))
    for at in [*others[:_MOST_ARROWS], *drawn]:
        _arrow(fig, plane, at)
    shown = [*others, *drawn]
    colours = [plane.colours[at] for at in shown]
    for side, symbol, where in (("before", "circle-open", plane.base), ("after", "circle", plane.tuned)):
        fig.add_scatter(
            x=where[shown, 0], y=where[shown, 1], mode="markers", showlegend=False,
            marker={"symbol": symbol, "size": 7, "color": colours, "line": {"width": 2, "color": colours}},
            customdata=[[hovers[at], side] for at in shown],
            hovertemplate="%{customdata[0]}<br>centre %{customdata[1]} (%{x:.3f}, %{y:.3f})<extra></extra>",
        )  # fmt: skip
    if len(drawn) <= _NAMED:
        _names(fig, plane, drawn, [f"<b>{safe(name)}</b>" for name in names])
    else:
        for at in drawn:
            line = {"color": plane.colours[at], "width": 3}
            fig.add_scatter(x=[None], y=[None], mode="lines", name=safe(names[at]), line=line)
    for name, dash, width in (("base: dashed, hollow", "dash", 2), ("tuned: solid", "solid", 2.5)):
        fig.add_scatter(x=[None], y=[None], mode="lines", name=name, line={"color": INK, "dash": dash, "width": width})
    fig.update_yaxes(scaleanchor="x", scaleratio=1)
    return fig


def drawn_topics(result: JointProjection) -> list[int]:
    """Numbers of the topics that are drawn, in their order."""
    length = np.linalg.norm(result.tuned - result.base, axis=1)
    return sorted(np.argsort(-length, kind="stable")[:MOST_TOPICS].tolist())


def _laid(result: JointProjection, drawn: Sequence[int]) -> _Plane:
    """The projection with its longer way across; the `drawn` topics coloured, the others grey."""
    centres = np.concatenate([result.base, result.tuned])
    reach = np.concatenate([result.base_radius, result.tuned_radius])[:, None]
    sides = (centres + reach).max(axis=0) - (centres - reach).min(axis=0)
    order = [0, 1] if sides[0] >= sides[1] else [1, 0]
    across, up = (_AXES[result.aim][at] for at in order)
    colours = category_colours([result.names[at] for at in drawn])
    return _Plane(
        base=result.base[:, order],
        tuned=result.tuned[:, order],
        base_radius=result.base_radius,
        tuned_radius=result.tuned_radius,
        texts_base=result.texts_base[:, order],
        texts_tuned=result.texts_tuned[:, order],
        axes=(across, up),
        colours=[colours.get(name, GREY) for name in result.names],
        extent=max(float(sides.max()), 1e-9),
        aspect=float(sides.min() / max(float(sides.max()), 1e-9)),
    )


def _texts(fig: go.Figure, plane: _Plane, rows: Sequence[NDArray[np.intp]], colours: Sequence[str]) -> None:
    """The texts of each drawn topic, faint: hollow before, solid after."""
    step = max(1, -(-sum(map(len, rows)) // MOST_TEXTS))
    for mine, colour in zip(rows, colours, strict=True):
        for where, symbol, thin in ((plane.texts_base, "circle-open", 0.8), (plane.texts_tuned, "circle", 0)):
            fig.add_scatter(
                x=where[mine[::step], 0], y=where[mine[::step], 1], mode="markers", showlegend=False, hoverinfo="skip",
                marker={"symbol": symbol, "size": 4, "color": colour, "line": {"width": thin}}, opacity=0.3,
            )  # fmt: skip


def _circle(
    fig: go.Figure, centre: NDArray[np.float64], radius: float, line: dict[str, object], fill: str | None
) -> None:
    fig.add_scatter(
        x=centre[0] + radius * np.cos(_TURN), y=centre[1] + radius * np.sin(_TURN), mode="lines", line=line,
        fill="toself" if fill else None, fillcolor=fill, hoverinfo="skip", showlegend=False,
    )  # fmt: skip


def _arrow(fig: go.Figure, plane: _Plane, at: int) -> None:
    start, end = plane.base[at], plane.tuned[at]
    if float(np.linalg.norm(end - start)) < _SHORTEST * plane.extent:
        return
    fig.add_annotation(
        x=end[0], y=end[1], ax=start[0], ay=start[1], xref="x", yref="y", axref="x", ayref="y", text="", showarrow=True,
        arrowhead=2, arrowsize=1, arrowwidth=2.5, arrowcolor=plane.colours[at], standoff=2, startstandoff=3,
    )  # fmt: skip


def _names(fig: go.Figure, plane: _Plane, drawn: Sequence[int], names: Sequence[str]) -> None:
    """Each topic's name at its circle where there is room; before or after, wherever topics stand further apart."""
    before = _closest(plane.base[drawn]) > _closest(plane.tuned[drawn])
    where, radius = (plane.base, plane.base_radius) if before else (plane.tuned, plane.tuned_radius)
    for at in drawn:
        spots = where[at] + (radius[at] + _CLEAR * plane.extent) * _WAYS
        room = np.full(len(_WAYS), np.inf)
        for centres, reach in ((plane.base, plane.base_radius), (plane.tuned, plane.tuned_radius)):
            others = [other for other in drawn if other != at or centres is not where]
            gaps = np.linalg.norm(spots[:, None] - centres[None, others], axis=2) - reach[None, others]
            room = np.minimum(room, gaps.min(axis=1, initial=np.inf))
        across, up = _WAYS[int(np.argmax(np.minimum(room, _ENOUGH * plane.extent)))]
        spot = where[at] + radius[at] * np.array([across, up])
        fig.add_annotation(
            x=spot[0], y=spot[1], text=names[at], showarrow=False, font={"size": 14},
            xanchor="left" if across > 0.1 else "right" if across < -0.1 else "center",
            yanchor="bottom" if up > 0.1 else "top" if up < -0.1 else "middle",
        )  # fmt: skip


def _closest(where: NDArray[np.float64]) -> float:
    """Distance of the two points that stand closest."""
    gaps = np.linalg.norm(where[:, None] - where[None], axis=2)
    return float(gaps[~np.eye(len(where), dtype=bool)].min(initial=np.inf))


def _faint(colour: str, opacity: float) -> str:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"
