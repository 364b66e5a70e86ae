"""The map: groups, numbers, flags, landing, density; what is sent, and that names stay text."""

import numpy as np
import pytest

from lib import geometry
from lib.charts.maps import MOST_POINTS, Colouring, Landing, corpus_map, shown_rows
from lib.charts.palette import CATEGORIES, FLAG, GREY


def points(fig):
    """Traces that stand for texts."""
    return [trace for trace in fig.data if trace.customdata is not None]


def drawn(fig):
    """Rows of all drawn points, and no row twice."""
    rows = [row for trace in points(fig) for [row] in trace.customdata]
    assert len(rows) == len(set(rows))
    return rows


@pytest.mark.parametrize("dimensions", [2, 3])
def test_every_text_is_a_point_with_its_row_as_text(vectors, texts, labels, sent, dimensions):
    projection = geometry.project(vectors, method="pca", dimensions=dimensions)
    fig = corpus_map(projection, texts, Colouring("label", groups=labels))
    rows = drawn(fig)
    assert all(isinstance(row, str) for row in rows)
    assert sorted(map(int, rows)) == list(range(40))
    for trace in points(fig):
        at = projection.coordinates[[int(row) for [row] in trace.customdata]]
        np.testing.assert_array_equal(trace.x, at[:, 0])
        np.testing.assert_array_equal(trace.y, at[:, 1])
        if dimensions == 3:
            np.testing.assert_array_equal(trace.z, at[:, 2])
        assert all(f"text {int(row)}" in text for [row], text in zip(trace.customdata, trace.text, strict=True))
    assert sent(fig)["data"]


@pytest.mark.parametrize("method", ["pca", "tsne"])
def test_axes_say_what_they_are(vectors, texts, method):
    fig = corpus_map(geometry.project(vectors, method=method, perplexity=5), texts, Colouring("label"))
    title = fig.layout.xaxis.title.text
    assert ("% of variance" in title) == (method == "pca")
    assert fig.layout.xaxis.showticklabels == (method == "pca")


def test_groups_have_their_own_colours_and_counts(flat_map, texts, labels):
    fig = corpus_map(flat_map, texts, Colouring("label", groups=labels))
    assert [trace.name for trace in fig.data] == ["a (12)", "b (12)", "c (12)", "no label (4)"]
    assert [trace.marker.color for trace in fig.data] == [*CATEGORIES[:3], GREY]
    assert fig.data[3].marker.symbol == "circle-open"


@pytest.mark.parametrize(("different", "more"), [(7, None), (8, "1 more"), (20, "13 more")])
def test_beyond_seven_groups_the_rest_is_grey(flat_map, texts, different, more):
    groups = [f"group {n % different:02}" for n in range(40)]
    fig = corpus_map(flat_map, texts, Colouring("label", groups=groups))
    assert len(fig.data) == min(different, 7) + (more is not None)
    assert len({trace.marker.color for trace in fig.data}) == len(fig.data)
    assert len(drawn(fig)) == 40
    if more:
        assert fig.data[-1].name == more
        assert fig.data[-1].marker.color == GREY
        assert all(text.startswith("<b>group") for text in fig.data[-1].text)


@pytest.mark.parametrize("groups", [["one"] * 40, [None] * 40, None, ["one", *[None] * 39], [""] * 40])
def test_one_group_and_none(flat_map, texts, sent, groups):
    fig = corpus_map(flat_map, texts, Colouring("cluster", groups=groups))
    assert len(drawn(fig)) == 40
    assert sent(fig)["data"]


def test_numbers_take_the_ramp(flat_map, texts, sent):
    numbers = np.linspace(-1, 1, 40)
    fig = corpus_map(flat_map, texts, Colouring("score", numbers=numbers))
    [trace] = fig.data
    np.testing.assert_array_equal(trace.marker.color, numbers)
    assert trace.marker.colorbar.title.text == "score"
    assert trace.text[0].startswith("<b>score: -1</b>")
    assert sent(fig)["data"]


@pytest.mark.parametrize("missing", [1, 39, 40])
def test_numbers_may_be_missing(flat_map, texts, sent, missing):
    numbers = np.arange(40.0)
    numbers[:missing] = np.nan
    fig = corpus_map(flat_map, texts, Colouring("score", numbers=numbers))
    assert len(drawn(fig)) == 40
    assert sent(fig)["data"]


def test_one_number_for_all(flat_map, texts, sent):
    assert sent(corpus_map(flat_map, texts, Colouring("score", numbers=np.zeros(40))))["data"]


@pytest.mark.parametrize("dimensions", [2, 3])
@pytest.mark.parametrize("flagged", [0, 1, 40])
def test_flags_have_a_shape_of_their_own(vectors, texts, dimensions, flagged):
    projection = geometry.project(vectors, method="pca", dimensions=dimensions)
    flags = np.arange(40) < flagged
    fig = corpus_map(projection, texts, Colouring("label"), flagged=flags)
    marks = [trace for trace in fig.data if trace.name and trace.name.startswith("flagged")]
    assert len(marks) == bool(flagged)
    if marks:
        assert marks[0].name == f"flagged ({flagged})"
        assert marks[0].marker.symbol == "diamond-open"
        assert marks[0].marker.color == FLAG
        assert marks[0].customdata is None  # only the text under it can be selected
        np.testing.assert_array_equal(marks[0].x, projection.coordinates[:flagged, 0])


@pytest.mark.parametrize("dimensions", [2, 3])
def test_a_new_text_lands_as_a_star(vectors, texts, dimensions, wild):
    projection = geometry.project(vectors, method="pca", dimensions=dimensions)
    landing = Landing(np.ones((1, dimensions), np.float32), [wild])
    star = corpus_map(projection, texts, Colouring("label"), landing=landing).data[-1]
    assert star.name == "your text"
    assert list(star.x) == [1]
    assert "&lt;script&gt;" in star.text[0]
    assert star.customdata is None


def test_names_and_texts_stay_text(flat_map, wild, sent):
    texts = [f"{wild} {n}" for n in range(40)]
    for colouring in (
        Colouring(wild, groups=[wild if n % 2 else None for n in range(40)]),
        Colouring(wild, groups=[f"{n} {wild}" for n in range(40)]),
        Colouring(wild, numbers=np.arange(40.0)),
    ):
        fig = corpus_map(flat_map, texts, colouring, flagged=np.ones(40, bool))
        assert "<script" not in str(sent(fig))
        assert "&lt;script&gt;" in str(sent(fig))


def test_long_texts_are_cut_and_wrapped(flat_map):
    fig = corpus_map(flat_map, ["word " * 1_000] * 40, Colouring("label"))
    assert max(len(line) for line in fig.data[0].text[0].split("<br>")) <= 80
    assert len(fig.data[0].text[0]) < 400


def test_blank_and_odd_texts(flat_map, sent):
    texts = [" ", "\n\n", "\t", "\u2028", "a\x00b", "\ud800", "漢" * 500, "🎈" * 300] * 5
    fig = corpus_map(flat_map, texts, Colouring("label"))
    assert len(drawn(fig)) == 40


def test_up_to_twenty_thousand_points_are_all_drawn():
    assert len(shown_rows(MOST_POINTS)) == MOST_POINTS == 20_000
    rows = shown_rows(MOST_POINTS + 1)
    assert len(rows) <= 4_000
    assert len(set(rows)) == len(rows)
    np.testing.assert_array_equal(rows, shown_rows(MOST_POINTS + 1))


@pytest.mark.parametrize("by", ["groups", "numbers"])
def test_above_that_a_density_stands_behind_a_sample(large_map, sent, by):
    n = large_map.items
    colouring = (
        Colouring("label", groups=["ab"[row % 2] for row in range(n)])
        if by == "groups"
        else Colouring("score", numbers=np.arange(n, dtype=float))
    )
    fig = corpus_map(large_map, ["a text"] * n, colouring, flagged=np.arange(n) < n // 2)
    density, *others = fig.data
    assert density.type == "heatmap"
    assert sum(len(trace.x) for trace in others if trace.customdata is not None) <= 4_000
    assert sum(len(trace.x) for trace in others) <= 8_000
    assert all(trace.type == "scattergl" for trace in points(fig))
    assert f"flagged ({n // 2})" in [trace.name for trace in others]
    assert len(fig.to_json()) < 3_000_000
    if by == "groups":
        assert [trace.name for trace in points(fig)] == [f"a ({(n + 1) // 2})", f"b ({n // 2})"]


def test_the_density_counts_every_point(large_map):
    fig = corpus_map(large_map, ["a text"] * large_map.items, Colouring("label"))
    assert np.nansum(10 ** fig.data[0].z) == pytest.approx(large_map.items)


def test_a_rare_group_stays_in_the_legend(large_map):
    n = large_map.items
    fig = corpus_map(large_map, ["a text"] * n, Colouring("label", groups=["rare", *["common"] * (n - 1)]))
    assert "rare (1)" in [trace.name for trace in fig.data]
