"""The figure of what writes a feature: every part drawn twice, baselines, and flags where signs differ."""

import numpy as np

from lib.charts.circuits_writers import DIRECT, LEFT_OUT, writers_figure
from lib.charts.palette import HIGH, LOW
from lib.sae.circuits.agreement import agreement
from lib.sae.circuits.writers import Writers


def made(layers=2, *, usual=True):
    """Direct terms 1, -1, 1, ...; left out all above 0, so that every second part is opposed."""
    parts = ["embedding", *(f"layer {i} {k}" for i in range(1, layers + 1) for k in ("attention", "feed-forward"))]
    p = len(parts)
    direct = np.where(np.arange(p) % 2, -1.0, 1.0)
    left_out = np.concatenate([[np.nan], np.arange(1.0, p)])
    beside = {"usual": direct / 2, "usual_low": direct / 2 - 1, "usual_high": direct / 2 + 1} if usual else {}
    empty = dict.fromkeys(("usual", "usual_low", "usual_high", "others", "others_low", "others_high"))
    return Writers(
        feature=3, text="a text", parts=tuple(parts), layers=np.array([0, *np.repeat(np.arange(1, layers + 1), 2)]),
        kinds=tuple(part.split()[-1] for part in parts), direct=direct, left_out=left_out, left_out_activation=left_out,
        **{**empty, **beside}, others_count=0, pre_activation=1.0, activation=1.0, constant=0.0,
        dictionary_constant=0.0, rest=0.0, replacement="zero", usual_constant=None, usual_texts=5,
        agreement=agreement(direct[1:], left_out[1:], first=1), truncated=False,
    )  # fmt: skip


def test_every_part_is_drawn_by_both_measures():
    result = made()
    fig = writers_figure(result)
    bars = [trace for trace in fig.data if trace.type == "bar"]
    drawn = [(str(name), float(y)) for bar in bars for (name, _), y in zip(bar.customdata, bar.y, strict=True)]
    expected = [
        *zip(result.parts, result.direct, strict=True),
        *zip(result.parts[1:], result.left_out[1:], strict=True),
    ]
    assert sorted(drawn) == sorted((name, float(y)) for name, y in expected)  # nothing where there is no number
    assert list(fig.layout.xaxis2.ticktext) == ["embedding", "1", "2"]
    named = {trace.name for trace in fig.data}
    assert {DIRECT, LEFT_OUT, "different signs"} <= named


def test_signs_that_differ_are_flagged_and_colours_follow_signs():
    result = made(3)
    fig = writers_figure(result)
    flags = [t for t in fig.data if t.type == "scatter" and t.marker.symbol == "diamond-open" and t.x[0] is not None]
    assert sum(len(trace.x) for trace in flags) == len(result.agreement.opposed) == 3
    colours = {
        colour: np.sign(y)
        for trace in fig.data
        if trace.type == "bar"
        for colour, y in zip(trace.marker.line.color, trace.y, strict=True)
    }
    assert colours == {HIGH: 1, LOW: -1}


def test_without_a_baseline_nothing_is_called_usual():
    fig = writers_figure(made(usual=False))
    assert not any("usual" in (trace.name or "") for trace in fig.data)
