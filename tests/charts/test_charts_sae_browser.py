"""The Browser's figures: every row can be clicked, user's text is escaped, odd features are drawn."""

import json

import numpy as np
import pytest

from lib.charts import sae_browser as charts
from lib.sae.examples import activation_histogram, examples
from lib.sae.label_lift import label_counts, label_lift
from lib.sae.statistics import feature_statistics
from tests.toy_sae import codes_of

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
def codes():
    generator = np.random.default_rng(0)
    dense = generator.random((80, 6)) * (generator.random((80, 6)) < 0.5)
    dense[:, 5] = 0
    return codes_of(dense.astype(np.float32))


def test_rows_show_what_the_statistics_say(codes):
    found = feature_statistics(codes)
    rows = np.array([3, 0])
    fig = charts.feature_rows(found, rows, [HOSTILE, "second"], scores=["0.91", "◇ 0.52"], widest=0.6, chosen=0)
    assert fig.data[0].x.tolist() == pytest.approx((100 * found.frequency[rows]).tolist())
    notes = [note.text for note in fig.layout.annotations]
    assert notes[:2] == ["▸ #3 &lt;img src=x onerror=alert(1)&gt;", "▾ #0 second"]
    assert [list(ids) for ids in fig.data[-1].customdata] == [["3"], ["0"]]
    assert list(fig.data[-1].x) == [60, 60]  # the whole width
    assert [note for note in notes if note in ("freq", "max act", "score")] == ["freq", "max act", "score"]
    assert {"0.91", "◇ 0.52"} <= set(notes)
    assert "<img" not in fig.to_json()
    below = charts.feature_rows(found, rows, ["", ""], scores=["", ""], widest=0, headed=False)
    assert "freq" not in [note.text for note in below.layout.annotations]


def test_the_histogram_and_its_quantiles(codes):
    fig = charts.activation_histogram(activation_histogram(codes, 1), examples(codes, 1))
    assert sum(fig.data[0].y) == len(codes.firing(1)[0])
    assert len(fig.layout.shapes) == 4
    assert sum(charts.activation_histogram(activation_histogram(codes, 5)).data[0].y) == 0


def test_lift_marks_what_is_sure_by_colour_and_shape():
    dense = np.zeros((200, 1), dtype=np.float32)
    dense[:50, 0] = 1
    labels = [HOSTILE if row < 40 else f"label {row % 20}" for row in range(200)]
    found = label_lift(label_counts(codes_of(dense), labels), 0)
    fig = charts.lift_by_label(found)
    assert fig.data[0].marker.symbol[0] == "diamond"
    assert "circle" in fig.data[0].marker.symbol
    assert len(fig.data[0].x) == min(charts.MOST_LABELS, len(found.names))
    assert "<img" not in fig.to_json()
    assert np.isfinite(fig.data[0].x).all()
    json.loads(fig.to_json())


def test_examples_are_escaped_and_cut():
    made = charts.example_list([HOSTILE, "x" * 5_000], [0.5, 0.25], [HOSTILE, None], most=0.5)
    assert "<img" not in made
    assert made.count("&lt;img") == 2
    assert len(made) < 2_500
    assert "width:2.60rem" in made
    assert "rgb(217,119,6)" in made
    assert charts.example_list([], [], most=0) == (
        '<ol style="list-style:none;padding:0;margin:0;font-size:.9rem"></ol>'
    )
