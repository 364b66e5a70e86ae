"""The figure of what writes a feature: every part drawn twice, baselines, and flags where signs differ."""

import numpy as np

from lib.charts.circuits_writers import DIRECT, LEFT_OUT, corpus_writers_figure, writers_figure
from lib.charts.palette import HIGH, LOW
from lib.sae.circuits.agreement import agreement
from lib.sae.circuits.corpus_writers import CorpusWriters
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


def over(*, silent=True, texts=2):
    """Over some texts every part adds 1; where the feature is silent, 0.5; leaving out costs 2 and 3."""
    parts, p = ("embedding", "layer 1 attention", "layer 1 feed-forward"), 3
    gone = np.array([np.nan, 1.0, 1.0])

    def told(name, value):
        value = np.broadcast_to(value, p).astype(float)
        half = 0.25 if texts > 1 else np.nan
        return {name: value, f"{name}_low": value - half, f"{name}_high": value + half}

    fields = told("direct", 1.0) | told("silent", 0.5) | told("difference", 0.5)
    fields |= told("left_out", 2 * gone) | told("left_out_silent", 3 * gone) | told("left_out_difference", -gone)
    if not silent:
        fields |= {name: None for name in fields if "silent" in name or "difference" in name}
    return CorpusWriters(
        feature=3, parts=parts, layers=np.array([0, 1, 1]), kinds=("embedding", "attention", "feed-forward"),
        strongest=np.array([1.0, 0, 0]), **fields, pre_activation=3.0, constant=0.0,
        pre_activation_silent=1.5 if silent else None, constant_silent=0.0 if silent else None, half=2,
        firing=texts, of_firing=9, silents=2 * silent, of_silent=9 * silent, left_out_texts=texts,
        left_out_silents=2 * silent, replacement="zero", seed=0,
    )  # fmt: skip


def heights(fig):
    """What the bars of each measure show."""
    bars = [trace for trace in fig.data if trace.type == "bar"]
    return {bar.hovertemplate.split("<br>")[1].split(" %")[0]: set(bar.y) for bar in bars if len(bar.y)}


def test_over_many_texts_the_differences_are_drawn_with_their_intervals():
    fig = corpus_writers_figure(over())
    assert heights(fig) == {DIRECT: {0.5}, LEFT_OUT: {-1.0}}
    assert "+1.000 where it fires, +0.500 where not" in str(fig.data[0].customdata)
    lines = [trace for trace in fig.data if trace.error_y.array is not None]
    assert {float(end) for trace in lines for end in trace.error_y.array} == {0.25}
    assert {"95 % interval", "different signs"} <= {trace.name for trace in fig.data}
    everywhere = corpus_writers_figure(over(silent=False))
    assert heights(everywhere) == {DIRECT: {1.0}, LEFT_OUT: {2.0}}
    assert "mean" in everywhere.layout.yaxis.title.text
    assert "95 % interval" not in {trace.name for trace in corpus_writers_figure(over(texts=1)).data}
