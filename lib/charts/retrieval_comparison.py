"""Figures of the Retrieval page's comparison: quality, differences, quality against speed, wins and losses."""

import math
from collections.abc import Sequence

import plotly.graph_objects as go

from lib.charts.layout import figure, safe
from lib.charts.palette import CATEGORIES, GREY, HIGH, INK, LOW
from lib.numerals import THIN, spelt
from lib.retrieval.bootstrap import PairedTest, Summary
from lib.retrieval.comparison import Comparison, Contender

_ROW, _FRAME = 34, 96  # pixels: of a system, and of axis, legend and margins together
_SMALLEST, _LARGEST = 11, 34  # pixels across a mark that stands for bytes
_SPEEDS = [digit * 10**power for power in range(-1, 7) for digit in (1, 3)]
_SPEED_NAMES = [f"{speed:,.6g}".replace(",", THIN) for speed in _SPEEDS]
_UNITS = ((1e6, "MB"), (1e3, "kB"), (1, "bytes"))


def quality_forest(result: Comparison, metrics: Sequence[str]) -> go.Figure:
    """Mean and interval of each of `metrics` (side by side) for every system (rows); the baseline is hollow."""
    from plotly.subplots import make_subplots

    fig = make_subplots(
        cols=len(metrics), shared_yaxes=True, horizontal_spacing=0.03, column_titles=list(map(spelt, metrics))
    )
    fig.update_layout(figure(legend=False, height=_height(result)).layout)
    for column, metric in enumerate(metrics, start=1):
        found = [contender.summary(metric) for contender in result.contenders]
        line = found[result.names.index(result.baseline)].mean
        fig.add_scatter(
            x=[summary.mean for summary in found],
            y=list(range(len(found))),
            error_x=_arms(found),
            mode="markers",
            marker=_marks(result),
            customdata=[[safe(name), _span(one.low, one.high)] for name, one in zip(result.names, found, strict=True)],
            hovertemplate=f"%{{customdata[0]}}: {spelt(metric)} %{{x:.3f}}%{{customdata[1]}}<extra></extra>",
            row=1,
            col=column,
        )
        fig.add_vline(x=line, line={"color": INK, "dash": "dash", "width": 1}, row=1, col=column)
    _name_rows(fig, result.names)
    fig.update_xaxes(zeroline=False, nticks=5, automargin=True)
    fig.update_yaxes(zeroline=False)
    return fig


def difference_forest(result: Comparison) -> go.Figure:
    """Each system's mean difference to the baseline with its interval: amber where it is better beyond doubt, violet
    where worse, a hollow grey mark where 0 lies inside.
    """  # noqa: D205
    fig = figure(
        x=f"{spelt(result.metric)} less that of {safe(result.baseline)}", legend=False, height=_height(result, 1)
    )
    fig.add_vline(x=0, line={"color": INK, "dash": "dash"})
    shown = _tested(result)
    for row, (name, test) in enumerate(shown):
        clear = test.low > 0 or test.high < 0
        colour = GREY if not clear else HIGH if test.difference > 0 else LOW
        fig.add_scatter(
            x=[test.difference],
            y=[row],
            error_x=_arm(test.difference, test.low, test.high, colour),
            mode="markers",
            marker={"color": colour, "size": 11, "symbol": _symbol(test.difference, clear=clear)},
            customdata=[[safe(name), _span(test.low, test.high), f"{test.p_value:.2g}"]],
            hovertemplate="%{customdata[0]}: %{x:+.3f}%{customdata[1]}, p = %{customdata[2]}<extra></extra>",
        )
    _name_rows(fig, [name for name, _ in shown])
    return fig


def outcome_bars(result: Comparison) -> go.Figure:
    """Queries that each system wins, ties and loses against the baseline."""
    shown = _tested(result)
    fig = figure(x=f"queries, against {safe(result.baseline)}", height=_height(result, 1) + 30)
    for name, colour, field in (("won", HIGH, "wins"), ("equal", GREY, "ties"), ("lost", LOW, "losses")):
        counts = [getattr(test, field) for _, test in shown]
        fig.add_bar(
            x=counts,
            y=list(range(len(shown))),
            name=name,
            orientation="h",
            marker={"color": colour, "line": {"width": 0}},
            text=[str(count) if count else "" for count in counts],
            textposition="inside",
            insidetextanchor="middle",
            insidetextfont={"color": "#FFFFFF" if colour == LOW else "#121317"},
            customdata=[safe(name) for name, _ in shown],
            hovertemplate="%{customdata}: %{x} queries " + name + "<extra></extra>",
        )
    fig.update_layout(barmode="stack", bargap=0.35, legend_traceorder="normal")
    _name_rows(fig, [name for name, _ in shown])
    return fig


def quality_against_speed(result: Comparison) -> go.Figure:
    """Mean of the metric against documents a second (logarithmic); the larger the mark, the more bytes a document."""
    timed = [contender for contender in result.contenders if contender.documents_per_second]
    ends = [math.log10(contender.documents_per_second or 1) for contender in timed] or [0.0]
    middle = 10 ** ((min(ends) + max(ends)) / 2)
    fig = figure(x="documents a second, on this machine", y=f"mean {spelt(result.metric)}", legend=False, height=420)
    for contender in timed:
        found, base = contender.summary(result.metric), contender.name == result.baseline
        speed = float(contender.documents_per_second or 0)
        colour = INK if base else CATEGORIES[0]
        fig.add_scatter(
            x=[speed],
            y=[found.mean],
            error_y=_arm(found.mean, found.low, found.high, colour),
            mode="markers+text",
            marker={
                "color": colour,
                "size": _size(contender, timed),
                "symbol": "circle-open" if base else "circle",
                "line": {"width": 2, "color": colour},
            },
            text=[f" {safe(contender.name)} "],
            textposition="middle left" if speed > middle else "middle right",
            cliponaxis=False,
            customdata=[[size_of(contender.bytes_per_document), _span(found.low, found.high)]],
            hovertemplate="%{text}: %{x:.3g} documents/s, mean %{y:.3f}%{customdata[1]}, "
            "%{customdata[0]} a document<extra></extra>",
        )
    fig.update_xaxes(type="log", range=[min(ends) - 0.5, max(ends) + 0.5], tickvals=_SPEEDS, ticktext=_SPEED_NAMES)
    return fig


def size_of(size: float) -> str:
    """Bytes in words: 1 536 bytes is 1.54 kB."""
    factor, unit = next(((factor, unit) for factor, unit in _UNITS if size >= factor), _UNITS[-1])
    return f"{size / factor:.3g} {unit}"


def _tested(result: Comparison) -> list[tuple[str, PairedTest]]:
    """All systems but the baseline, with their tests."""
    return [(contender.name, contender.test) for contender in result.contenders if contender.test is not None]


def _height(result: Comparison, fewer: int = 0) -> int:
    return _FRAME + _ROW * (len(result.names) - fewer) + 20


def _name_rows(fig: go.Figure, names: Sequence[str]) -> None:
    """Names at 0, 1, ... from the top down: as values, plotly would merge equal ones."""
    fig.update_yaxes(range=[len(names) - 0.5, -0.5])
    fig.update_layout(yaxis={"tickvals": list(range(len(names))), "ticktext": [safe(name) for name in names]})
    fig.update_yaxes(automargin=True)


def _marks(result: Comparison) -> dict[str, object]:
    base = [name == result.baseline for name in result.names]
    return {
        "color": [INK if own else CATEGORIES[0] for own in base],
        "symbol": ["circle-open" if own else "circle" for own in base],
        "size": 10,
        "line": {"width": 2, "color": [INK if own else CATEGORIES[0] for own in base]},
    }


def _symbol(difference: float, *, clear: bool) -> str:
    if not clear:
        return "circle-open"
    return "triangle-right" if difference > 0 else "triangle-left"


def _arms(found: Sequence[Summary]) -> dict[str, object]:
    """Intervals as plotly draws them; one query has none."""
    ends = [(one.mean, one.low, one.high) for one in found]
    return {
        "type": "data",
        "symmetric": False,
        "array": [high - mean if math.isfinite(high) else 0 for mean, _, high in ends],
        "arrayminus": [mean - low if math.isfinite(low) else 0 for mean, low, _ in ends],
        "color": INK,
        "thickness": 1.5,
        "width": 4,
    }


def _arm(mean: float, low: float, high: float, colour: str) -> dict[str, object]:
    reach = (high - mean, mean - low) if math.isfinite(low) else (0, 0)
    return {
        "type": "data", "symmetric": False, "array": [reach[0]], "arrayminus": [reach[1]], "color": colour,
        "thickness": 1.5, "width": 4,
    }  # fmt: skip


def _span(low: float, high: float) -> str:
    return f" ({low:.3f} to {high:.3f})" if math.isfinite(low) else ""


def _size(contender: Contender, among: Sequence[Contender]) -> float:
    """Area in proportion to bytes, between marks that can still be seen and ones that still fit."""
    most = max(one.bytes_per_document for one in among) or 1.0
    return max(_SMALLEST, _LARGEST * math.sqrt(contender.bytes_per_document / most))
