"""The figures of a contrast: mirrored activations, and parts that add up to the cosine."""

import numpy as np
import pytest

from lib.charts import sae_contrast as charts
from lib.charts.score_parts import BIAS, ERROR
from lib.sae.decomposition import contrast
from tests.toy_sae import orthogonal_sae, planted, random_sae


@pytest.fixture
def result():
    return contrast(random_sae(k=12), *planted(2).vectors)


def names(result, label="label"):
    return [f"{feature} · {label}" for feature in result.features]


def test_activations_are_mirrored(result, sent):
    rows = np.flatnonzero(result.differing())[:7]
    fig = charts.mirrored_activations(result, rows, names(result))
    assert sent(fig)["data"]
    left, right = fig.data
    assert [-x for x in left.x] == result.activations_a[rows].tolist()
    assert list(right.x) == result.activations_b[rows].tolist()
    assert [row[0] for row in left.customdata] == [str(feature) for feature in result.features[rows]]
    assert left.marker.pattern.shape != right.marker.pattern.shape
    low, high = fig.layout.xaxis.range
    assert low == -high
    assert "-" not in "".join(fig.layout.xaxis.ticktext)
    assert fig.layout.yaxis.range[0] > fig.layout.yaxis.range[1]


@pytest.mark.parametrize("shown", [1, 5, 100])
@pytest.mark.parametrize("way", ["both", "through_a", "through_b"])
def test_bars_add_up_to_the_cosine(result, shown, way, sent):
    fig = charts.cosine_parts(result, getattr(result, way), names(result), shown=shown)
    assert sent(fig)["data"]
    (bars,) = fig.data
    assert sum(bars.x) == pytest.approx(result.cosine, abs=1e-9)
    drawn = min(shown, len(result.features))
    labels = fig.layout.yaxis.ticktext
    assert len(labels) == drawn + 2 + (drawn < len(result.features))
    assert list(labels[-2:]) == [BIAS, ERROR]
    assert list(np.diff(bars.x[:drawn]) <= 0) == [True] * (drawn - 1)
    colours = {"#D97706" if value >= 0 else "#6A5ED2" for value in bars.x[:drawn]}
    assert set(bars.marker.color[:drawn]) == colours
    assert set(bars.marker.color[drawn:]) == {"#909090"}


def test_no_name_is_html(result, wild):
    for fig in (
        charts.mirrored_activations(result, np.arange(3), names(result, wild), texts=(wild, "B")),
        charts.cosine_parts(result, result.both, names(result, wild)),
    ):
        assert "<script>" not in fig.to_json().replace("\\u003c", "<")


def test_nothing_and_no_difference(sent):
    same = contrast(orthogonal_sae(3), np.ones(3, np.float32), np.ones(3, np.float32))
    assert sent(charts.mirrored_activations(same, np.empty(0, int), names(same)))["data"]
    silent = contrast(orthogonal_sae(3, bias=9), np.ones(3, np.float32), np.ones(3, np.float32))
    (bars,) = charts.cosine_parts(silent, silent.both, []).data
    assert list(bars.x) == pytest.approx([0, 1])


@pytest.mark.parametrize("most", [1e-9, 0.003, 0.07, 0.1, 0.99, 1.0, 3.3, 480.0])
def test_ticks_are_few_and_even(most):
    ticks = charts._ticks(most)
    assert 3 <= len(ticks) <= 9
    assert ticks == sorted(ticks)
    assert -most <= ticks[0] < ticks[-1] <= most
