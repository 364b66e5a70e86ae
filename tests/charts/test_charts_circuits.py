"""The circuit graph and the map of births: what is drawn is what was found, and odd text stays text."""

from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest

from lib.charts import circuits_births, circuits_lens, circuits_trace, circuits_trace_file
from lib.sae.circuits.births import Births
from lib.sae.circuits.trace import Trace

HOSTILE = "<script>alert(1)</script> & \"quoted\" 'too'"
SVG = "{http://www.w3.org/2000/svg}"


def a_trace(activations, *, coactive=None):
    """A trace of feature 319 with these activations and as little else as there can be."""
    activations = np.array(activations, dtype=np.float32)
    depths = len(activations)
    growth = np.diff(activations)
    none = np.full((depths, 5), -1, dtype=np.int32)
    coactive = none if coactive is None else np.array(coactive, dtype=np.int32)
    return Trace(
        feature=319,
        text="a text",
        lens="tuned",
        depths=("embedding", *(f"layer {layer}" for layer in range(1, depths))),
        activations=activations,
        pre_activations=activations,
        growth=growth,
        steps=growth > 0,
        coactive=coactive,
        coactive_activations=np.where(coactive >= 0, 1.0, 0.0).astype(np.float32),
        active=np.full(depths, 64, dtype=np.int32),
        totals=activations,
        fvu=np.zeros(depths),
        peak=int(activations.argmax()),
        total_gain=float(growth[growth > 0].sum()),
        growth_steps=int((growth > 0).sum()),
        verdict="structural",
        rule="",
        lengths=None,
        as_guessed=None,
    )


def drawn(trace, **settings):
    """The columns of a trace, as XML."""
    return ElementTree.fromstring(circuits_trace.columns(trace, settings.pop("names", {}), **settings))


def said(element):
    """All texts of a picture."""
    return ["".join(text.itertext()) for text in element.iter(f"{SVG}text")]


def groups(element):
    """The columns, by the depth that each stands for."""
    return {group.get("data-column"): group for group in element.iter(f"{SVG}g") if group.get("data-column")}


def targets(element):
    """Radius of the target's node in each column, those that do not fire left out."""
    circles = (circle for circle in element.iter(f"{SVG}circle") if circle.get("fill") == circuits_trace.HIGH)
    return [float(circle.get("r")) for circle in circles]


def test_the_growth_of_each_step_stands_on_its_arc():
    picture = drawn(a_trace([0, 0, 0.11, 0.38, 0.87, 1.44, 1.91, 2.41]))
    texts = said(picture)
    assert [text for text in texts if text.startswith("+")] == ["+0.11", "+0.27", "+0.49", "+0.57", "+0.47", "+0.50"]
    assert list(groups(picture)) == ["embedding", *(f"layer {layer}" for layer in range(1, 8))]
    assert "layer 7 ★" in texts


def test_the_area_of_a_node_is_its_activation():
    quarter, whole = targets(drawn(a_trace([0, 0.5, 2.0])))
    assert whole == pytest.approx(2 * quarter, rel=0.01)


def test_a_fall_is_dashed_and_signed():
    picture = drawn(a_trace([0.2, 1.2, 1.1]))
    assert "−0.10" in said(picture)
    dashed = [path for path in picture.iter(f"{SVG}path") if path.get("stroke-dasharray")]
    assert len(dashed) == 1


def test_a_silent_feature_has_hollow_nodes_and_no_arc():
    picture = drawn(a_trace([0, 0, 0]))
    assert not targets(picture)
    assert not [text for text in said(picture) if text.startswith(("+", "−")) or "★" in text]


def test_coactive_features_stand_in_rows_and_the_same_are_joined():
    both = [[7, 8, -1, -1, -1], [9, 7, -1, -1, -1]]
    picture = drawn(a_trace([0, 1], coactive=both), names={7: HOSTILE})
    first, second = (said(group) for group in groups(picture).values())
    assert [text for text in first if text.startswith("#")] == ["#7 1.00", "#8 1.00"]
    assert [text for text in second if text.startswith("#")] == ["#9 1.00", "#7 1.00"]
    threads = next(picture.iter(f"{SVG}path")).get("d")
    assert threads.count("M") == 1
    assert f"{HOSTILE}: 1" in [title.text for title in picture.iter(f"{SVG}title")]
    assert "<script" not in circuits_trace.columns(a_trace([0, 1], coactive=both), {7: HOSTILE})


def test_the_chosen_column_is_marked_and_how_far_each_can_be_read_stands_below():
    trace, reach = a_trace([0, 1, 2]), {"lens FVU": [1.25, np.nan, 0.2], "lens R²": [-0.39, 1.0, 1.0]}
    picture = drawn(trace, chosen=1, reach=reach)
    marked = [name for name, group in groups(picture).items() if "chosen" in group.get("class")]
    assert marked == ["layer 1"]
    assert {"1.25 ◇", "—", "0.20", "−0.39", "1.00"} <= set(said(picture))
    rows = said(ElementTree.fromstring(circuits_trace.gutter(trace, reach)))
    assert rows == ["#319", "1st", "2nd", "3rd", "4th", "5th", "lens FVU", "lens R²"]
    assert "lens R²" not in circuits_trace.gutter(trace)


def test_many_layers_keep_their_width_and_a_file_holds_everything():
    long = a_trace(np.linspace(0, 1, 33))
    assert float(drawn(long).get("width")) >= 33 * 90
    whole = ElementTree.fromstring(circuits_trace_file.trace_svg(long, {}))
    assert len(groups(whole)) == 33
    assert {"#319", "target feature", "co-active feature", "activation growth"} <= set(said(whole))


def test_a_file_tells_by_itself_what_it_shows():
    trace = replace(a_trace([0.2, 0, 2]), text=HOSTILE * 9)
    file = circuits_trace_file.trace_svg(trace, {319: f"319 · {HOSTILE * 9}"}, encoder=HOSTILE)
    title, text, summary = said(ElementTree.fromstring(file))[:3]
    assert title.startswith("Feature 319 · <script>")
    assert title.endswith("… — activation through 2 layers")
    assert text.startswith("“<script>")
    assert text.endswith("…”")
    assert summary.startswith("peak layer 2 · 2.000   total gain +2.000   1 growth step of 2   structural   tuned lens")
    assert "<script" not in file
    assert circuits_trace_file.summary(a_trace([0, 0])) == "fires at no depth"
    assert circuits_trace_file.title("feature 7", 1) == "Feature 7 — activation through 1 layer"


def test_a_rise_too_small_for_a_growth_step_is_pale():
    trace = a_trace([0.2, 0.21, 1.2])
    picture = drawn(replace(trace, steps=np.array([False, True])))
    arcs = [path for path in picture.iter(f"{SVG}path") if path.get("stroke") == circuits_trace.HIGH]
    assert [float(path.get("stroke-opacity")) < 1 for path in arcs] == [True, False]


def some_births():
    """Three features over three depths."""
    return Births(
        lens="tuned",
        depths=("embedding", "layer 1", "layer 2"),
        features=np.array([3, 5, 9], np.int32),
        firing=np.array([10, 20, 5], np.int32),
        birth=np.array([1, 2, 2], np.int32),
        earliest=np.array([0, 2, 1], np.int32),
        latest=np.array([1, 2, 2], np.int32),
        peak=np.array([2, 2, 1], np.int32),
        curves=np.array([[0, 0.2, 0.4], [0, 0, 0.5], [0, 0.2, 0.1]], np.float32),
        recall=np.array([[0, 0.8, 1], [0, 0.1, 1], [0, 0.4, 1]], np.float32),
        precision=np.array([[np.nan, 0.5, 1], [np.nan, 1, 1], [np.nan, 1, 1]], np.float32),
        verdicts=("structural", "late-binding", "late-binding"),
        base=np.array([[0, 0.3, 0.25], [0, 0.1, 0.5], [0, 0.05, 0.125]], np.float32),
        rules={"structural": "a", "late-binding": "b"},
        born=np.array([0, 1, 2], np.int32),
        passing=np.array([4], np.int32),
        rare=2,
        least=5,
        texts=40,
        of_texts=40,
        seed=0,
    )


def test_the_map_counts_births_and_rings_the_chosen_one():
    births = some_births()
    fig = circuits_births.birth_map(births, ["a", HOSTILE, "c"], np.ones(3, bool), chosen=5)
    bars = {trace.name: list(trace.y) for trace in fig.data if trace.type == "bar"}
    assert bars == {"structural (1)": [0, 1, 0], "late-binding (2)": [0, 0, 2]}
    points = [trace for trace in fig.data if trace.type == "scattergl"]
    assert sorted(y for trace in points for y in trace.y) == [5 / 40, 10 / 40, 20 / 40]
    assert [round(x) for trace in points for x in trace.x] == [1, 2, 2]
    ring = fig.data[-1]
    assert ring.marker.symbol == "circle-open"
    assert list(ring.y) == [20 / 40]
    assert "<script" not in fig.to_json()


def test_what_is_filtered_out_is_not_drawn():
    fig = circuits_births.birth_map(some_births(), ["a", "b", "c"], np.array([False, True, False]), chosen=1_000)
    assert sum(len(trace.x) for trace in fig.data if trace.type == "scattergl") == 1
    assert len([trace for trace in fig.data if trace.type == "scatter"]) == 0


def test_a_curve_ends_at_one_and_marks_the_birth():
    births = some_births()
    relative = circuits_births.relative_curves(births)
    assert relative[:, -1].tolist() == [1, 1, 1]
    fig = circuits_births.feature_curve(births, 9)
    line = next(trace for trace in fig.data if trace.name.startswith("mean activation"))
    assert list(line.y) == pytest.approx([0, 2, 1])
    band, mark = fig.layout.shapes
    assert (band.x0, band.x1) == pytest.approx((0.88, 2.12))
    assert mark.x0 == 2
    alone = replace(births, birth=births.earliest)
    assert circuits_births.feature_curve(alone, 9).layout.shapes[1].x0 == 1


def test_names_of_many_depths_become_numbers():
    few, many = (("embedding", *(f"layer {layer}" for layer in range(1, depths))) for depths in (7, 25))
    axis = circuits_lens.depth_axis(few, "born at")
    assert (axis["ticktext"], axis["title"]) == (list(few), "born at")
    axis = circuits_lens.depth_axis(many, "born at")
    assert (axis["ticktext"][24], axis["title"]) == ("24", "born at layer (0 = embedding)")
    assert circuits_lens.depth_axis(many)["title"] == "layer (0 = embedding)"
