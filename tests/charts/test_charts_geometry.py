"""The figures of the numbers: each builds from results small and degenerate, and says what they say."""

import dataclasses

import numpy as np
import pytest

from lib import geometry
from lib.charts import geometry as charts
from lib.charts.layout import hover_texts, safe

SPACES = {
    "some": lambda rng: rng.normal(size=(30, 5)),
    "two": lambda rng: rng.normal(size=(2, 4)),
    "three": lambda rng: rng.normal(size=(3, 4)),
    "copies": lambda rng: np.ones((8, 4)),
    "copies of two": lambda rng: np.repeat(np.eye(2, 4), 5, axis=0),
    "opposites": lambda rng: np.array([[1.0, 0], [-1, 0], [1, 0], [-1, 0]]),
    "one dimension": lambda rng: rng.random((6, 1)) + 0.1,
}


@pytest.fixture(params=SPACES)
def space(request):
    """Embeddings, ordinary and degenerate."""
    return SPACES[request.param](np.random.default_rng(0)).astype(np.float32)


def test_cosine_histogram_builds(space, sent):
    result = geometry.anisotropy(space)
    fig = charts.cosine_histogram(result)
    assert sent(fig)["data"]
    bars, centred, law = fig.data
    assert sum(bars.y) == pytest.approx(100)
    assert sum(centred.y) == pytest.approx(100)
    assert sum(law.y) == pytest.approx(100)
    low, high = fig.layout.xaxis.range
    assert low < result.mean_cosine < high
    assert fig.layout.yaxis.range[1] > max(bars.y)


def test_the_mean_is_marked(vectors):
    result = geometry.anisotropy(vectors)
    fig = charts.cosine_histogram(result)
    assert fig.layout.shapes[0].x0 == result.mean_cosine
    assert f"mean {result.mean_cosine:.3f}" in fig.layout.annotations[0].text


def test_dominant_dimensions_builds(space, sent):
    result = geometry.anisotropy(space)
    fig = charts.dominant_dimensions(result, top=3)
    assert sent(fig)["data"]
    assert len(fig.data[0].x) == min(3, space.shape[1])
    assert all(isinstance(name, str) for name in fig.data[0].x)
    sizes = np.abs(fig.data[0].y)
    assert (np.diff(sizes) <= 0).all()


def test_cumulative_variance_builds(space, sent):
    result = geometry.intrinsic_dimension(space)
    fig = charts.cumulative_variance(result)
    assert sent(fig)["data"]
    assert len(fig.data[0].x) == space.shape[1]
    if result.components_90:
        assert list(fig.data[1].x) == [result.components_90, result.components_95, result.components_99]
        assert all(y >= share - 1e-6 for y, share in zip(fig.data[1].y, (90, 95, 99), strict=True))
    else:
        assert len(fig.data) == 1  # nothing varies


def test_occurrence_histogram_builds(space, sent):
    result = geometry.hubness(space, k=10)
    fig = charts.occurrence_histogram(result)
    assert sent(fig)["data"]
    assert sum(fig.data[0].y) == len(space)
    assert sum(x * y for x, y in zip(fig.data[0].x, fig.data[0].y, strict=True)) == result.k * len(space)


@pytest.mark.parametrize("name", [name for name in SPACES if name != "two"])  # contrast needs three texts
def test_contrast_by_dimension_builds(name, sent):
    space = SPACES[name](np.random.default_rng(0)).astype(np.float32)
    fig = charts.contrast_by_dimension(geometry.concentration(space))
    assert sent(fig)["data"]
    assert len(fig.data) == 2


def test_label_heatmap_builds(vectors, labels, sent):
    result = geometry.label_similarity(vectors, labels)
    fig = charts.label_heatmap(result)
    assert sent(fig)["data"]
    np.testing.assert_array_equal(fig.data[0].z, result.means)
    assert list(fig.layout.xaxis.ticktext) == list(fig.layout.yaxis.ticktext) == ["a", "b", "c"]
    assert (fig.data[0].text[0][2], fig.data[0].customdata[0][2]) == ("a", "c")  # the row, then the column
    assert fig.data[0].zmin == -fig.data[0].zmax


@pytest.mark.parametrize("names", [["one"] * 40, ["lone", *[None] * 39], [f"label {n}" for n in range(40)]])
def test_label_heatmap_of_few_and_of_single_texts(vectors, sent, names):
    """A label with one text has no pair within: its cell is empty."""
    fig = charts.label_heatmap(geometry.label_similarity(vectors, names))
    assert sent(fig)["data"]


def test_a_heatmap_of_many_labels_drops_their_names(sent):
    vectors = np.random.default_rng(0).normal(size=(120, 4)).astype(np.float32)
    fig = charts.label_heatmap(geometry.label_similarity(vectors, [f"label {n % 60}" for n in range(120)]))
    assert fig.layout.xaxis.showticklabels is False
    assert fig.data[0].texttemplate is None
    assert fig.layout.height <= 1_000


def test_a_heatmap_draws_the_largest_labels():
    names = ["rare"] + [f"label {n:03}" for n in range(80) for _ in range(3)]
    vectors = np.random.default_rng(0).normal(size=(len(names), 4)).astype(np.float32)
    result = geometry.label_similarity(vectors, [*names[:-1], "label 000"])
    fig = charts.label_heatmap(result)
    drawn = [f"label {n:03}" for n in range(charts.MOST_HEATMAP_LABELS)]
    assert list(fig.layout.yaxis.ticktext) == drawn
    np.testing.assert_array_equal(fig.data[0].z, result.means[:60, :60])


@pytest.mark.parametrize(
    ("names", "ticks"),
    [
        (("1", "10", "2"), ["1", "10", "2"]),
        (("2024-01-01", "2024-06-01"), ["2024-01-01", "2024-06-01"]),
        (("x" * 60 + "one", "x" * 60 + "two"), ["x" * 59 + "…"] * 2),
    ],
)
def test_labels_stand_at_positions(vectors, names, ticks):
    """Names as values would become numbers or dates, and two that are cut to the same one place."""
    chosen = [names[n % len(names)] for n in range(40)]
    heat, fit = geometry.label_similarity(vectors, chosen), geometry.label_fit(vectors, chosen)
    heatmap, bars, places = charts.label_heatmap(heat), charts.label_bars(fit), list(range(len(names)))
    for axis in (heatmap.layout.xaxis, heatmap.layout.yaxis):
        assert (list(axis.tickvals), list(axis.ticktext)) == (places, ticks)
    assert list(heatmap.data[0].x) == list(heatmap.data[0].y) == list(bars.data[0].y) == places
    worst_last = [fit.names[i] for i in np.argsort(-fit.silhouette_by_label)]
    assert list(bars.layout.yaxis.tickvals) == places
    assert list(bars.layout.yaxis.ticktext) == [safe(name) for name in worst_last]
    assert [hover.replace("<br>", "") for hover in bars.data[0].customdata] == worst_last
    assert len(set(heatmap.data[0].customdata[0])) == len(names)


def test_text_heatmap_builds(vectors, labels, texts, sent):
    result = geometry.text_similarity(vectors, labels, at_most=15)
    hovers = hover_texts(texts[row] for row in result.rows)
    fig = charts.text_heatmap(result, hovers)
    assert sent(fig)["data"]
    heat = fig.data[0]
    assert heat.customdata[2][5] == hovers[5]
    assert heat.text[2][5] == hovers[2]
    assert list(fig.layout.xaxis.ticktext) == ["a", "b", "c", "no label"]


@pytest.mark.parametrize("names", [None, ["one"] * 40, [f"label {n}" for n in range(40)]])
def test_text_heatmap_of_other_labels(vectors, texts, sent, names):
    result = geometry.text_similarity(vectors, names)
    assert sent(charts.text_heatmap(result, hover_texts(texts)))["data"]


def test_text_heatmap_of_one_text(sent):
    result = geometry.text_similarity(np.ones((1, 3), np.float32))
    assert sent(charts.text_heatmap(result, ["a"]))["data"]


def test_label_bars_builds_worst_first(vectors, labels, sent):
    result = geometry.label_fit(vectors, labels)
    fig = charts.label_bars(result)
    assert sent(fig)["data"]
    assert list(fig.data[0].x) == sorted(result.silhouette_by_label, reverse=True)  # the last stands on top
    assert len({trace.marker.symbol for trace in fig.data}) == 3


def test_label_bars_lists_the_forty_worst(sent):
    vectors = np.random.default_rng(0).normal(size=(200, 4)).astype(np.float32)
    result = geometry.label_fit(vectors, [f"label {n % 100}" for n in range(200)])
    fig = charts.label_bars(result)
    assert len(fig.data[0].y) == charts.MOST_BAR_LABELS == 40
    assert min(fig.data[0].x) == result.silhouette_by_label.min()
    assert sent(fig)["data"]


def test_label_bars_without_some_purities(vectors, labels, sent):
    result = geometry.label_fit(vectors, labels)
    purities = result.purity_by_label.copy()
    purities[0] = np.nan
    assert sent(charts.label_bars(dataclasses.replace(result, purity_by_label=purities)))["data"]


def test_names_stay_text(vectors, wild, sent):
    names = [f"{n % 3} {wild}" for n in range(40)]
    hovers = hover_texts([wild] * 40)
    for fig in (
        charts.label_heatmap(geometry.label_similarity(vectors, names)),
        charts.label_bars(geometry.label_fit(vectors, names)),
        charts.text_heatmap(geometry.text_similarity(vectors, names), hovers),
    ):
        assert "<script" not in str(sent(fig))
        assert "&lt;script&gt;" in str(sent(fig))


def test_a_name_is_cut_before_it_is_escaped():
    assert safe("<" * 100) == "&lt;" * 59 + "…"
    assert safe(None) == "None"
    assert hover_texts(["<" * 300], characters=10) == ["&lt;" * 9 + "…"]
    assert hover_texts([""]) == [" "]
