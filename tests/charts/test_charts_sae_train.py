"""The curves of a training: what they draw of a log that is empty, short, resumed, torn, or full."""

import numpy as np
import pytest

from lib.charts import sae_train as charts
from lib.sae.training_log import read_log


def evaluation(step, **changed):
    found = {"event": "evaluation", "step": step, "steps": 100, "samples": 64 * step, "loss": 0.5 / step,
             "fvu": 0.6 / step, "mean_active": 7.5, "dead_share": 0.1, "learning_rate": 1e-3,
             "samples_per_second": 900.0, "seconds_left": 4.0}  # fmt: skip
    return found | changed


BEGIN = {"event": "begin", "k": 8, "resumes": False}


def test_four_panels_over_the_texts_seen(sent):
    log = read_log([BEGIN, *(evaluation(step) for step in range(1, 40))])
    drawn = sent(charts.curves(log))
    names = [trace.get("name") for trace in drawn["data"]]
    assert names[:4] == [
        "Error on training texts",
        "Error on held-out texts",
        "Active features a text",
        "Dead features",
    ]
    titles = [text["text"] for text in drawn["layout"]["annotations"]]
    assert titles[0] == "Error on training texts<br>share of variance not explained"
    assert titles[3] == "Dead features<br>% of the dictionary"
    assert drawn["layout"]["yaxis"]["range"] == drawn["layout"]["yaxis2"]["range"]  # both errors on one scale
    assert drawn["data"][4]["marker"]["symbol"] == "diamond-open"
    assert len(drawn["layout"]["shapes"]) == 1  # the k that was asked for
    assert (log.step, log.steps, log.k, log.samples_per_second, log.seconds_left) == (39, 100, 8, 900.0, 4.0)


def test_how_often_features_fire(sent):
    edges = np.arange(-4.25, 0.1, 0.25)
    counts = np.arange(len(edges) - 1)
    drawn = sent(charts.density(counts, edges, silent=7))
    (bar,) = drawn["data"]
    assert bar["customdata"][0] == "no text"
    assert bar["customdata"][-1] == "56\u202f% to 100\u202f% of the texts"
    assert drawn["layout"]["xaxis"]["ticktext"] == [
        "never", "0.01\u202f%", "0.1\u202f%", "1\u202f%", "10\u202f%", "100\u202f%"
    ]  # fmt: skip
    fig = charts.density(counts, edges, silent=7)
    assert list(fig.data[0].y) == [7, *counts]
    assert fig.data[0].marker.pattern.shape[:2] == ("/", "")  # silent ones differ by more than colour
    assert fig.data[0].x[0] + fig.data[0].width[0] / 2 < edges[0]


@pytest.mark.parametrize(("counts", "edges"), [([3], [-0.25, 0.0]), ([], [0.0])])
def test_how_often_features_fire_on_few_texts(counts, edges, sent):
    assert sent(charts.density(np.array(counts, dtype=np.int64), np.array(edges), silent=0))["data"]


def test_what_a_resumption_did_again_is_drawn_once():
    first = [evaluation(step) for step in (10, 20, 30)]
    log = read_log([BEGIN, *first, BEGIN | {"resumes": True}, evaluation(20, fvu=0.01), evaluation(30)])
    assert log.samples.tolist() == [640, 1280, 1920]
    assert log.fvu[1] == 0.01
    assert log.resumed.tolist() == [640]
    assert len(charts.curves(log).layout.shapes) == 5


@pytest.mark.parametrize("events", [[], [BEGIN], [BEGIN, {"event": "doing", "what": "encoding"}], [{"odd": 1}]])
def test_nothing_to_draw_yet(events, sent):
    log = read_log(events)
    assert sent(charts.curves(log))["data"]
    assert (log.step, log.steps) == (0, 0)
    assert log.seconds_left != log.seconds_left


def test_one_point_and_missing_numbers(sent):
    drawn = sent(charts.curves(read_log([BEGIN, evaluation(5, loss=None, fvu=None)])))
    assert drawn["data"][2]["mode"] == "lines+markers"
    assert len(drawn["data"]) == 4  # no lowest point to mark


def test_a_high_beginning_does_not_flatten_the_rest():
    log = read_log([BEGIN, evaluation(1, loss=900.0, fvu=900.0), *(evaluation(step) for step in range(2, 30))])
    assert charts.curves(log).layout.yaxis.range[1] < 1
    assert np.isfinite(log.fvu).all()
