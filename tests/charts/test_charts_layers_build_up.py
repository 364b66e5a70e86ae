"""The figures of the build-up: each builds from results ordinary and degenerate, and shows what they say."""

import dataclasses

import numpy as np
import pytest

from lib.charts import layers_build_up as charts
from lib.layers.build_up import BuildUp
from lib.layers.findings import findings


def made(layers=6, **changes):
    """A build-up of so many layers, as if of some ordinary encoder."""
    depths = layers + 2
    rng = np.random.default_rng(0)
    cka = np.eye(depths) + 0.8 * (1 - np.eye(depths))
    plain = BuildUp(
        names=("embedding", *(f"layer {layer}" for layer in range(1, layers + 1)), "output"),
        mean_cosine=rng.random(depths) * 0.8,
        within=rng.random(depths),
        between=rng.random(depths) - 0.3,
        cka_output=np.linspace(0.3, 1, depths),
        cka_chance=np.full(depths, 0.1),
        overlap=np.linspace(0.1, 1, depths),
        overlap_chance=0.02,
        cka_between=cka,
        components_90=np.arange(depths) + 5,
        components_95=np.arange(depths) + 8,
        components_99=np.arange(depths) + 10,
        participation_ratio=np.full(depths, 4.0),
        two_nn=np.full(depths, 3.0),
        two_nn_interval=np.tile([2.0, 4.0], (depths, 1)),
        dimensions=np.full(depths, 16),
        k=10, sample=400, items=400, different=400, drawn=400, given=400, left_out=0, labels=2, labelled=400,
        role="document",
        seed=0,
    )  # fmt: skip
    return dataclasses.replace(plain, **changes)


NAN = np.full(8, np.nan)
CASES = {
    "ordinary": {},
    "no labels": {"within": NAN, "between": NAN},
    "all the same": {
        "mean_cosine": np.ones(8), "within": NAN, "between": NAN, "cka_output": NAN, "cka_chance": NAN, "overlap": NAN,
        "overlap_chance": float("nan"), "cka_between": np.full((8, 8), np.nan), "two_nn": NAN,
        "two_nn_interval": np.full((8, 2), np.nan), "components_90": np.zeros(8, int), "k": 0,
    },
    "opposites": {"mean_cosine": np.full(8, -1.0), "within": NAN, "between": np.full(8, -1.0)},
}  # fmt: skip


@pytest.fixture(params=CASES)
def result(request):
    """Build-ups, ordinary and degenerate."""
    return made(**CASES[request.param])


def test_every_figure_builds(result, sent):
    read = findings(result)
    assert sent(charts.cosine_by_depth(result, read))["data"][-1]["name"] in ("all pairs", "collapse begins")
    assert [trace["name"] for trace in sent(charts.agreement_by_depth(result, read))["data"]] == [
        "linear CKA", f"overlap of {result.k} nearest neighbours", "CKA by chance", "overlap by chance",
    ]  # fmt: skip
    assert sent(charts.dimension_by_depth(result))["data"]
    assert sent(charts.likeness_of_depths(result))["data"][0]["type"] == "heatmap"


def test_the_curves_are_the_numbers(sent):
    result = made()
    data = sent(charts.cosine_by_depth(result, findings(result)))["data"]
    assert [trace["name"] for trace in data] == ["different labels", "same label", "all pairs"]
    for trace, values in zip(data, (result.between, result.within, result.mean_cosine), strict=True):
        np.testing.assert_allclose(trace["y"], values)
        assert trace["marker"]["symbol"][-1].endswith("-open")  # the output is no layer
    low, high = charts.cosine_by_depth(result, findings(result)).layout.yaxis.range
    assert low < min(result.between.min(), 0)
    assert high > 1


def test_a_value_that_is_missing_is_a_gap(sent):
    result = made(cka_output=np.array([np.nan, *np.linspace(0.3, 1, 7)]))
    trace = sent(charts.agreement_by_depth(result, findings(result)))["data"][0]
    assert trace["y"][0] is None
    assert trace["y"][1:] == pytest.approx(list(np.linspace(0.3, 1, 7)))


def texts_of(fig):
    return " ".join(annotation.text for annotation in fig.layout.annotations)


def test_change_and_jump_are_marked_on_their_steps():
    cka = np.full((8, 8), 0.9)
    cka[1, 2] = cka[2, 1] = 0.4
    cosines = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.05, 0.05])
    result = made(cka_between=cka, mean_cosine=cosines)
    fig = charts.cosine_by_depth(result, findings(result))
    bands = [(shape.x0, shape.x1) for shape in fig.layout.shapes if shape.type == "rect"]
    assert bands == [(1, 2), (5, 6)]
    assert "1 − CKA 0.60" in texts_of(fig)
    assert "greatest jump<br>mean cosine −0.55" in texts_of(fig)


def test_one_band_where_both_are_the_same_step():
    cosines = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.05, 0.05])
    cka = np.full((8, 8), 0.9)
    cka[5, 6] = cka[6, 5] = 0.4
    result = made(mean_cosine=cosines, cka_between=cka)
    fig = charts.cosine_by_depth(result, findings(result))
    assert [(shape.x0, shape.x1) for shape in fig.layout.shapes if shape.type == "rect"] == [(5, 6)]
    assert "mean cosine −0.55" in texts_of(fig)
    assert "greatest jump" not in texts_of(fig)


def test_collapse_has_a_shape_and_settling_a_line():
    result = made(mean_cosine=np.array([0.1, 0.2, 0.3, 0.4, 0.95, 0.97, 0.99, 0.99]))
    read = findings(result, settled_cka=0.7)
    fig = charts.cosine_by_depth(result, read)
    flag = fig.data[-1]
    assert (flag.name, flag.x, flag.marker.symbol) == ("collapse begins", (4,), "diamond-open")
    for drawn in (fig, charts.agreement_by_depth(result, read)):
        assert "settled" in texts_of(drawn)
        assert read.settled in [shape.x0 for shape in drawn.layout.shapes]
    assert "settled" not in texts_of(charts.cosine_by_depth(made(overlap=np.zeros(8)), findings(made(overlap=NAN))))


@pytest.mark.parametrize("layers", [1, 2, 12, 24, 48])
def test_depths_are_named_as_far_as_there_is_room(layers, sent):
    result = made(layers)
    axis = sent(charts.cosine_by_depth(result, findings(result)))["layout"]["xaxis"]
    assert axis["ticktext"][0] == "embedding"
    assert axis["ticktext"][-1] == "output"
    assert axis["tickvals"][-1] == layers + 1
    assert len(axis["tickvals"]) <= 16
    assert all(str(place) == name for place, name in zip(axis["tickvals"][1:-1], axis["ticktext"][1:-1], strict=True))
