"""The figures of a fine-tune: of one step, of many, of a torn log; findings have shapes, and no HTML comes through."""

import numpy as np
import pytest

from lib.charts import finetune_monitor as charts
from lib.finetune.monitor import findings, read_log
from tests.toy_monitor import events


def drawn(log, sent):
    found = findings(log)
    made = [charts.learning(log), charts.pairs(log, found), charts.pace(log)]
    return [sent(fig) for fig in [*made, *(charts.gradients(log, found, side=side) for side in ("adapter", "base"))]]


@pytest.mark.parametrize("steps", [1, 2, 40, 2_000])
def test_each_asks_a_question_and_names_its_axes(steps, sent):
    log = read_log(events(steps))
    for figure in drawn(log, sent):
        assert "?" in figure["layout"]["title"]["text"]
        axes = [
            axis["title"]["text"]
            for name, axis in figure["layout"].items()
            if name.startswith("xaxis") and "title" in axis
        ]
        assert set(axes) == {"training step"}
    figure = sent(charts.pairs(log))
    assert figure["layout"]["yaxis"]["title"]["text"] == "mean cosine similarity"
    names = [trace.get("name") for trace in figure["data"]]
    assert [name for name in names if name] == [
        "positive pairs",
        "negative pairs",
        "closest negative",
        "the gap",
        "gap",
    ]


@pytest.mark.parametrize("kept", [[], ["begin"], ["begin", "evaluation"]])
def test_nothing_to_draw_yet(kept, sent):
    log = read_log([event for event in events(10) if event["event"] in kept])
    assert len(drawn(log, sent)) == 5


def test_many_steps_are_thinned_and_it_is_said():
    log = read_log(events(7_000))
    found = findings(log)
    for fig in (charts.learning(log), charts.pairs(log, found), charts.pace(log)):
        assert all(len(trace.x) <= 2 * 1_500 for trace in fig.data)
    assert charts.gradients(log, found, side="adapter").data[0].z.shape[1] <= 400
    assert "mean of 5" in charts.thinning(log)
    assert "median of 18 steps" in charts.thinning(log)
    assert charts.thinning(read_log(events(40))) is None


def test_what_was_found_is_marked_by_its_shape():
    made = events(200, gap=lambda step: 0.4 if step < 100 else 0.05)
    for event in made:
        if event["event"] == "step":
            adapter = event["gradients"]["adapter"]
            event["negative"] += 0.5 * (event["step"] >= 100)
            adapter[1] *= 1e-6 if event["step"] > 120 else 1.0
            adapter[2] *= 500 if event["step"] == 60 else 1.0
    log = read_log(made)
    found = findings(log)
    assert {item.kind for item in found.items} == {"collapse", "dead", "spike"}
    fig = charts.pairs(log, found)
    (mark,) = [trace for trace in fig.data if trace.name == "collapses from here"]
    assert mark.marker.symbol == "x"
    assert 95 <= mark.x[0] <= 105
    assert len(fig.layout.shapes) == 3  # the stretch in both panels, and zero
    marks = {trace.name: (trace.marker.symbol, trace.x[0], trace.y[0]) for trace in
             charts.gradients(log, found, side="adapter").data if trace.name}  # fmt: skip
    assert marks == {"died": ("x", 121, "layer 1"), "spiked": ("triangle-up", 60, "layer 2")}
    assert not [trace for trace in charts.gradients(log, found, side="base").data if trace.name]


def test_gradients_are_drawn_as_logarithms_and_zero_apart():
    made = [{"event": "begin", "layers": ["embeddings", "layer 1"]}]
    made += [{"event": "step", "step": n, "gradients": {"base": [0.0, 10.0**n]}} for n in (1, 2, 3)]
    zero, heat = charts.gradients(read_log(made)).data
    np.testing.assert_allclose(heat.z[1], [1, 2, 3])
    assert np.isnan(heat.z[0]).all()
    np.testing.assert_array_equal(zero.z, [[1, 1, 1], [np.nan] * 3])


def test_best_resumed_and_lost():
    made = events(20)
    made[12]["not_finite"], made[12]["loss"] = ["loss"], None
    resumed = [{"event": "begin", "resumes": True}]
    log = read_log([*made[:-1], *resumed, {"event": "step", "step": 21, "loss": 1.0}])
    fig = charts.learning(log)
    symbols = {trace.name: trace.marker.symbol for trace in fig.data if trace.mode == "markers"}
    assert symbols == {"best": "diamond-open", "not a number": "x"}
    assert [shape.x0 for shape in fig.layout.shapes] == [20.5, 20.5]


def test_names_of_others_reach_no_page_as_html(wild, sent):
    made = events(20)
    made[0]["layers"] = [wild, "layer 1", "layer 2", wild]
    for event in made:
        if event["event"] == "step":
            event["gradients"]["base"] = [1.0, 2.0, 3.0, 4.0]
        if event["event"] == "evaluation":
            event["metrics"] = {wild: 0.5}
    log = read_log(made)
    assert log.metric == wild
    assert "<script" not in str(drawn(log, sent))
