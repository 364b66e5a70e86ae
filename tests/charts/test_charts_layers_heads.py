"""The figures of attention heads: each builds from odd results, marks what is flagged, and names tokens safely."""

import numpy as np
import pytest

from lib.charts import layers_heads as charts
from lib.layers.attention import HeadEntropy
from lib.layers.attention_map import AttentionMaps
from lib.layers.head_flags import flag_heads


def heads(layers=3, width=5, *, targets=("[CLS]", "[SEP]", "itself", "previous token", "next token"), **changes):
    rng = np.random.default_rng(0)
    masses = rng.random((layers, width, 5)) / 5
    values = {
        "entropy": rng.random((layers, width)), "spread": rng.random((layers, width)) / 10, "targets": targets,
        "masses": masses, "output_norm": rng.random((layers, width)), "output_share": rng.random((layers, width)),
        "sight": ("all",) * layers, "texts": 9, "tokens": 90, "one_token": 0, "too_long": 0, "most_tokens": 100,
        "truncated": 0, "drawn": 9, "items": 9, "seed": 0,
    }  # fmt: skip
    return HeadEntropy(**(values | changes))


def maps(tokens):
    rng = np.random.default_rng(1)
    values = rng.dirichlet(np.ones(len(tokens)), size=(2, 3, len(tokens))).astype(np.float32)
    return AttentionMaps(tuple(tokens), values, values.sum(-1) * 0, len(tokens), False)


@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (6, 12), (28, 40)])
def test_a_point_lies_over_each_cell(shape, sent):
    result = heads(*shape)
    fig = charts.head_heatmap(result, flag_heads(result), chosen=(0, 0))
    assert sent(fig)["data"]
    points = fig.data[-1]
    assert len(points.x) == shape[0] * shape[1]
    assert all(isinstance(identity, str) for [identity] in points.customdata)
    places = {tuple(int(part) for part in identity.split(",")) for [identity] in points.customdata}
    assert places == {(layer, head) for layer in range(shape[0]) for head in range(shape[1])}
    assert [tuple(row) for row in fig.data[0].z] == [tuple(row) for row in result.entropy]
    assert (fig.data[0].zmin, fig.data[0].zmax) == (0, 1)


def test_each_flag_has_a_shape_of_its_own():
    result = heads()
    flags = flag_heads(result, collapsed=0.4, uniform=0.6, silent=0.5)
    marks = {trace.name.split(" (")[0]: trace for trace in charts.head_heatmap(result, flags).data if trace.name}
    assert len({trace.marker.symbol for trace in marks.values()}) == 3
    for name, marked in (
        ("collapsed", flags.collapsed),
        ("near uniform", flags.uniform),
        ("adds little", flags.silent),
    ):
        assert marks[name].name.endswith(f"({marked.sum()})")
        cells = [(round(y + 0.34), round(x)) for x, y in zip(marks[name].x, marks[name].y, strict=True)]
        assert cells == [tuple(place) for place in np.argwhere(marked)]


def test_hovers_leave_out_what_was_not_measured(wild):
    result = heads(output_norm=None, output_share=None, targets=(wild, "b", "c", "d", "e"))
    result.masses[0, 0, 0] = 0.9
    text = charts.head_heatmap(result, flag_heads(result)).data[-1].text
    assert "adds" not in text[0]
    assert "<script" not in text[0]
    assert "&lt;script" in text[0]


def test_bars_leave_out_places_where_none_can_look(sent):
    result = heads()
    result.masses[..., [1, 4]] = np.nan
    fig = charts.target_bars(result, layer=1, head=2)
    assert sent(fig)["data"]
    assert list(fig.layout.yaxis.ticktext) == ["[CLS]", "itself", "previous token"]
    np.testing.assert_allclose(fig.data[0].x, 100 * result.masses[1, 2, [0, 2, 3]])
    np.testing.assert_allclose(fig.data[1].x, 100 * result.masses[..., [0, 2, 3]].mean(axis=(0, 1)))


def test_equal_tokens_keep_their_places(sent):
    tokens = ["[CLS]", "1", "1", "2", "##s", "▁the", "1", ""]
    fig = charts.attention_heatmap(maps(tokens), layer=1, head=2)
    assert sent(fig)["data"]
    for axis in (fig.layout.xaxis, fig.layout.yaxis):
        assert list(axis.tickvals) == list(range(len(tokens)))
        assert list(axis.ticktext) == ["[CLS]", "1", "1", "2", "##s", "▁the", "1", "·"]
    np.testing.assert_array_equal(fig.data[0].z, maps(tokens).attention[1, 2])


def test_tokens_reach_no_page_as_html(wild, sent):
    fig = charts.attention_heatmap(maps([wild, "<b>", "a" * 40]), layer=0, head=0)
    said = sent(fig)
    assert "<script" not in str(said)
    assert list(fig.layout.xaxis.ticktext)[1:] == ["&lt;b&gt;", "a" * 13 + "…"]
    assert charts.attention_heatmap(maps(["a"]), layer=0, head=0).data[0].z.shape == (1, 1)
