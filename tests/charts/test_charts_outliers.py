"""Scores with their threshold, and the ROC curve."""

import numpy as np
import pytest

from lib import geometry
from lib.charts import outliers as charts


@pytest.mark.parametrize("scores", [np.linspace(0, 1, 50), np.zeros(5), np.array([0.3]), np.array([1e-9, 2.0])])
def test_every_score_is_in_a_bar(scores, sent):
    fig = charts.score_histogram(scores, 0.9, name="distance")
    assert sent(fig)["data"]
    assert sum(fig.data[0].y) == len(scores)
    assert fig.layout.shapes[0].x0 == 0.9
    assert "0.900" in fig.layout.annotations[0].text
    assert not fig.layout.showlegend


@pytest.mark.parametrize("marked", [0, 7, 50])
def test_those_marked_out_stand_on_top(marked, sent):
    scores = np.linspace(0, 1, 50)
    fig = charts.score_histogram(scores, 0.5, name="distance", out=np.arange(50) >= 50 - marked)
    assert sent(fig)["data"]
    assert [sum(trace.y) for trace in fig.data] == [50 - marked, marked]
    assert fig.layout.barmode == "stack"
    assert fig.data[0].marker.color != fig.data[1].marker.color


def test_the_threshold_may_lie_beyond_the_scores(sent):
    assert sent(charts.score_histogram(np.linspace(0, 1, 5), 7.0, name="distance"))["data"]


@pytest.mark.parametrize("scores", [[0.1, 0.2, 0.8, 0.9], [0.9, 0.8, 0.2, 0.1], [0.5, 0.5, 0.5, 0.5]])
def test_the_curve_ends_in_both_corners(scores, sent):
    result = geometry.detection(np.array(scores), [False, False, True, True])
    fig = charts.roc_curve(result)
    assert sent(fig)["data"]
    curve, point = fig.data[1], fig.data[2]
    assert (curve.x[0], curve.y[0]) == (0, 0)
    assert (curve.x[-1], curve.y[-1]) == (100, 100)
    assert point.x[0] == pytest.approx(100 * result.fpr_at_95_recall)
    assert f"{100 * result.fpr_at_95_recall:.1f} %" in point.text[0]
