"""Figures of concepts before and after a fine-tune: the strongest changes, frequencies, topics, pairs."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from lib.charts.layout import figure, safe
from lib.charts.palette import DIVERGING, GREY, HIGH, INK, LOW
from lib.charts.sae_decompose import axis_name
from lib.charts.score_parts import hatching
from lib.finetune.concepts import KINDS, ConceptDiff, OwnDiff

LOOKS = {
    "gained": (HIGH, "star", "+"),
    "strengthened": (HIGH, "triangle-up", "▲"),
    "weakened": (LOW, "triangle-down", "▼"),
    "lost": (LOW, "x", "✕"),
}
"""Colour, marker and sign of each kind of change."""
MOST_POINTS = 3_000
"""Unchanged features that `frequencies` draws: those that fire on most texts."""
_Z = 1.959964
_FREQUENCY_TICKS = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1)


def strongest_changes(result: ConceptDiff, features: NDArray[np.integer], names: Sequence[str]) -> go.Figure:
    """Change of the mean activation of `features`, in their order, with its interval; hatched: gained or lost.

    A click gives the feature as custom data.
    """
    kinds = [KINDS[result.kind[feature]] for feature in features.tolist()]
    change, error = result.change[features], _Z * np.nan_to_num(result.error[features])
    fig = figure(
        x="change of the mean activation, 95 % interval", height=max(240, 26 * len(kinds) + 96),
        legend=False,
    )  # fmt: skip
    fig.add_bar(
        y=list(range(len(kinds))),
        x=change,
        orientation="h",
        error_x={"type": "data", "array": error, "color": INK, "thickness": 1.5, "width": 4},
        marker={
            "color": [HIGH if value > 0 else LOW for value in change.tolist()],
            "line": {"width": 0},
            "pattern": hatching(["/" if kind in ("gained", "lost") else "" for kind in kinds]),
        },
        customdata=[
            [
                str(feature), safe(name), kind, f"{100 * result.frequency_base[feature]:.3g}",
                f"{100 * result.frequency_tuned[feature]:.3g}",
            ]
            for feature, name, kind in zip(features.tolist(), names, kinds, strict=True)
        ],
        hovertemplate="%{customdata[1]}<br>%{customdata[2]}: %{x:+.4f}<br>fires on %{customdata[3]} % → "
        "%{customdata[4]} % of the texts<extra></extra>",
    )  # fmt: skip
    for row, kind in enumerate(kinds):
        fig.add_annotation(
            x=1, xref="paper", xanchor="left", xshift=8, y=row, showarrow=False,
            text=f"{LOOKS[kind][2]} {kind}" if kind in LOOKS else kind,
        )  # fmt: skip
    fig.update_yaxes(
        tickvals=list(range(len(kinds))), ticktext=[axis_name(name) for name in names], showgrid=False,
        range=[len(kinds) - 0.4, -0.6],
    )  # fmt: skip
    fig.add_vline(x=0, line={"color": INK, "width": 1.5})
    fig.update_layout(margin={"r": 112}, bargap=0.3)
    return fig


def frequencies(result: ConceptDiff, names: Sequence[str], *, chosen: int | None = None) -> go.Figure:
    """How often each feature fires before and after, both logarithmic; the line is no change.

    `names` has one for each changed feature, in the order of `result.changed`. "Never" stands at the lower end. A click
    gives the feature as custom data.
    """
    floor = 0.5 / max(result.texts, 1)
    fig = figure(x="texts on which it fires with the base (%)", y="with the tuned checkpoint (%)", height=520)
    fig.add_scatter(
        x=[100 * floor, 100], y=[100 * floor, 100], mode="lines", hoverinfo="skip", showlegend=False,
        line={"color": INK, "dash": "dash", "width": 1},
    )  # fmt: skip
    total = result.frequency_base + result.frequency_tuned
    quiet = np.flatnonzero((result.kind == 0) & (total > 0))
    shown = quiet[np.argsort(-total[quiet], kind="stable")][:MOST_POINTS]
    thinned = f", {len(shown)} drawn" if len(shown) < len(quiet) else ""
    _frequency_points(
        fig, result, shown, [f"feature {one}" for one in shown.tolist()],
        (f"unchanged ({len(quiet)}{thinned})", GREY, "circle"),
    )  # fmt: skip
    named = dict(zip(result.changed.tolist(), names, strict=True))
    for kind, (colour, symbol, _) in LOOKS.items():
        part = result.of_kind(kind)
        look = f"{kind} ({len(part)})", colour, symbol
        _frequency_points(fig, result, part, [named[one] for one in part.tolist()], look)
    if chosen is not None:
        fig.add_scatter(
            x=[100 * max(result.frequency_base[chosen], floor)], y=[100 * max(result.frequency_tuned[chosen], floor)],
            mode="markers", showlegend=False, hoverinfo="skip",
            marker={"color": "rgba(0,0,0,0)", "size": 22, "line": {"color": INK, "width": 2}},
        )  # fmt: skip
    _frequency_axes(fig, floor)
    fig.update_layout(hovermode="closest")
    return fig


def _frequency_axes(fig: go.Figure, floor: float) -> None:
    """Logarithmic axes in percent, with "never" at `floor`."""
    ticks = [tick for tick in _FREQUENCY_TICKS if tick > 1.5 * floor]
    for axis in (fig.update_xaxes, fig.update_yaxes):
        axis(
            type="log", range=[np.log10(70 * floor), np.log10(140)],
            tickvals=[100 * floor, *(100 * one for one in ticks)],
            ticktext=["never", *(f"{100 * one:g}" for one in ticks)],
        )  # fmt: skip


def _frequency_points(
    fig: go.Figure,
    result: ConceptDiff,
    features: NDArray[np.integer],
    names: Sequence[str],
    look: tuple[str, str, str],
) -> None:
    if not len(features):
        return
    told, colour, symbol = look
    floor, plain = 0.5 / max(result.texts, 1), colour == GREY
    fig.add_scattergl(
        x=100 * np.maximum(result.frequency_base[features], floor),
        y=100 * np.maximum(result.frequency_tuned[features], floor),
        mode="markers",
        name=told,
        marker={
            "color": colour, "symbol": symbol, "size": 4 if plain else 10, "opacity": 0.35 if plain else 0.9,
            "line": {"width": 0},
        },
        customdata=[
            [str(feature), safe(name), f"{100 * result.frequency_base[feature]:.3g}",
             f"{100 * result.frequency_tuned[feature]:.3g}"]
            for feature, name in zip(features.tolist(), names, strict=True)
        ],
        hovertemplate="%{customdata[1]}<br>%{customdata[2]} % → %{customdata[3]} %<extra></extra>",
    )  # fmt: skip


def pair_frequencies(result: OwnDiff, names: Sequence[str]) -> go.Figure:
    """How often each concept that both dictionaries hold fires before and after, both logarithmic.

    `names` are those of the base's features, in the order of the result.
    """
    floor = 0.5 / max(result.texts, 1)
    fig = figure(x="texts on which it fires with the base (%)", y="its counterpart, tuned (%)", height=460)
    fig.add_scatter(
        x=[100 * floor, 100], y=[100 * floor, 100], mode="lines", hoverinfo="skip", showlegend=False,
        line={"color": INK, "dash": "dash", "width": 1},
    )  # fmt: skip
    looks = (
        (0, "as often", GREY, "circle"),
        (1, "more often", HIGH, "triangle-up"),
        (-1, "less often", LOW, "triangle-down"),
    )
    for change, told, colour, symbol in looks:
        part = np.flatnonzero(result.change == change)
        if not len(part):
            continue
        fig.add_scattergl(
            x=100 * np.maximum(result.frequency_base[part], floor),
            y=100 * np.maximum(result.frequency_tuned[part], floor),
            mode="markers",
            name=f"{told} ({len(part)})",
            marker={"color": colour, "symbol": symbol, "size": 10 if change else 5, "opacity": 0.8},
            customdata=[
                [safe(names[at]), int(result.tuned[at]), f"{result.similarity[at]:.2f}"] for at in part.tolist()
            ],
            hovertemplate="%{customdata[0]}<br>with feature %{customdata[1]} of the other, alike %{customdata[2]}<br>"
            "%{x:.3g} % → %{y:.3g} %<extra></extra>",
        )
    _frequency_axes(fig, floor)
    return fig


def changes_by_topic(result: ConceptDiff, places: NDArray[np.integer], names: Sequence[str]) -> go.Figure:
    """Change of the mean activation by topic for the changed features at `places` of `result.changed`."""
    values = result.topic_change[places]
    reach = float(np.abs(values).max(initial=0)) or 1.0
    fig = figure(height=max(260, 26 * len(places) + 120), legend=False)
    fig.add_heatmap(
        z=values,
        x=list(range(len(result.topics))),
        y=list(range(len(places))),
        colorscale=DIVERGING,
        zmin=-reach,
        zmax=reach,
        xgap=2,
        ygap=2,
        colorbar={"title": {"text": "change"}, "thickness": 12, "tickformat": "+.2g"},
        text=[[f"{value:+.3f}" for value in row] for row in values.tolist()] if len(result.topics) <= 8 else None,
        texttemplate="%{text}" if len(result.topics) <= 8 else None,
        customdata=[
            [
                [str(result.changed[place]), safe(name), safe(topic), f"{100 * result.topic_base[place, at]:.3g}",
                 f"{100 * result.topic_tuned[place, at]:.3g}"]
                for at, topic in enumerate(result.topics)
            ]
            for place, name in zip(places.tolist(), names, strict=True)
        ],
        hovertemplate="%{customdata[1]}<br>%{customdata[2]}: %{z:+.4f}<br>fires on %{customdata[3]} % → "
        "%{customdata[4]} % of its texts<extra></extra>",
    )  # fmt: skip
    fig.update_xaxes(
        tickvals=list(range(len(result.topics))),
        ticktext=[f"{safe(name)} ({of})" for name, of in zip(result.topics, result.topic_texts.tolist(), strict=True)],
        showgrid=False, side="top",
    )  # fmt: skip
    fig.update_yaxes(
        tickvals=list(range(len(places))), ticktext=[axis_name(name) for name in names], autorange="reversed",
        showgrid=False,
    )  # fmt: skip
    fig.update_layout(margin={"t": 40})
    return fig
