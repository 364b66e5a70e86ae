"""Pictures of two checkpoints: what they draw, from results alone, also of hostile names and of nothing at all."""

import json

import numpy as np
import pytest

from lib.charts import finetune_drift, finetune_drift_scale, finetune_space, finetune_texts
from lib.finetune.diff.drift import drift
from lib.finetune.diff.neighbours import text_neighbours
from lib.finetune.diff.space import space_diff


@pytest.fixture(scope="module")
def two(wild):
    """Sixty texts of three topics, one of them of a hostile name, before and after one was moved and narrowed."""
    rng = np.random.default_rng(0)
    topics = [None if row < 4 else (wild, "law", "music")[row % 3] for row in range(60)]
    base = np.eye(10)[np.arange(60) % 3] + 0.3 * rng.normal(size=(60, 10))
    moved = base + 0.05 * rng.normal(size=base.shape)
    moved[1::3] = 0.3 * moved[1::3] + np.eye(10)[5]
    return base.astype(np.float32), moved.astype(np.float32), topics


@pytest.fixture(scope="module")
def found(two):
    base, tuned, topics = two
    return space_diff(base, tuned, topics, shared=True, resamples=30)


def spec(fig):
    return json.loads(fig.to_json())


def test_circles_are_where_topics_stand_and_names_are_escaped(found, wild):
    picture = found.projection_shift
    fig = finetune_drift.centroid_shifts(picture, found.topics.codes, names=found.topics.names, hovers=["a", "b", "c"])
    assert "<script>" not in fig.to_json()
    centres = next(trace for trace in fig.data if trace.customdata is not None and trace.customdata[0][1] == "after")
    drawn = np.stack([centres.x, centres.y], axis=1)
    same = np.allclose(drawn, picture.tuned) or np.allclose(drawn, picture.tuned[:, ::-1])  # the longer way across
    assert same
    assert any(note.showarrow for note in fig.layout.annotations)


def test_many_topics_are_cut_to_those_that_moved_most():
    rng = np.random.default_rng(1)
    base = rng.normal(size=(80, 6)).astype(np.float32)
    moved = base.copy()
    moved[:4] += 3  # topic 0
    made = space_diff(base, moved, [f"t{row // 4:02}" for row in range(80)], shared=True, resamples=10)
    drawn = finetune_drift.drawn_topics(made.projection_shift)
    assert len(drawn) == finetune_drift.MOST_TOPICS
    assert 0 in drawn
    finetune_drift.centroid_shifts(made.projection, made.topics.codes, names=["n"] * 20, hovers=["h"] * 20)


@pytest.mark.parametrize("topics", [["one"] * 60, [None] * 59 + ["alone"]])
def test_one_topic_is_drawn(two, topics):
    base, tuned, _ = two
    made = space_diff(base, tuned, topics, shared=True, resamples=10)
    fig = finetune_drift.centroid_shifts(made.projection, made.topics.codes, names=["a"], hovers=["h"])
    assert "NaN" not in fig.to_json()


def test_labels_keep_their_distance_and_their_order():
    places = finetune_drift_scale.spread_apart([0.0, 0.001, 0.01, 0.5, 0.99, 1.0], gap=0.06)
    assert (np.diff(places) >= 0.06 - 1e-12).all()
    assert places[3] == 0.5
    assert 0 <= min(places) <= max(places) <= 1


def test_the_ruler_marks_this_pair_and_parts_that_cannot_be_had(two, found):
    judged = drift(found, None)
    ruler = spec(finetune_drift_scale.drift_scale(judged))
    pair = next(trace for trace in ruler["data"] if "this pair" in trace.get("hovertemplate", ""))
    assert pair["y"] == [judged.composite]
    bars = spec(finetune_drift_scale.drift_parts(judged))
    assert sum(trace["type"] == "bar" for trace in bars["data"]) == 2
    assert "cannot be had" in {note["text"] for note in bars["layout"]["annotations"]}


def test_dumbbells_tell_what_rose_by_shape_and_colour():
    change = finetune_space.Change(
        ["up", "down", "luck", "alone"], np.zeros(4), np.array([0.5, -0.4, 0.1, 0.2]),
        np.array([0.4, -0.5, -0.1, np.nan]), np.array([0.6, -0.3, 0.3, np.nan]),
    )  # fmt: skip
    fig = spec(finetune_space.dumbbells(change, x="x"))
    shapes = {trace["marker"]["symbol"]: [row[0] for row in trace["customdata"]]
              for trace in fig["data"] if "customdata" in trace}  # fmt: skip
    assert shapes == {"triangle-right": ["up"], "triangle-left": ["down"], "circle": ["luck", "alone"]}
    assert list(change.most_changed(2).names) == ["up", "down"]


def test_the_base_is_dashed_and_the_tuned_one_solid(found):
    fig = spec(finetune_space.similarities(found.similarities, by_topic=True))
    assert [trace["line"]["dash"] for trace in fig["data"]] == ["dash", "solid"] * 2
    fig = spec(finetune_space.variance_kept(found.dimension))
    assert [trace["line"]["dash"] for trace in fig["data"] if "dash" in trace.get("line", {})] == ["dash", "solid"]
    assert finetune_space.rotation_bar(found.rotation).data


def test_every_text_is_counted_once(two, found):
    names = found.topics.names
    topics = [names[code] if code >= 0 else None for code in found.topics.codes]
    fig = finetune_texts.neighbours_kept(found.neighbours, topics)
    assert sum(trace.y.sum() for trace in fig.data) == 60
    assert "no topic" in {trace.name for trace in fig.data}
    assert "<script>" not in fig.to_json()


def test_neighbours_lost_and_new_are_told_and_texts_escaped(two, wild):
    base, tuned, _ = two
    near = text_neighbours(base, tuned, 7, k=5)
    shown = [finetune_texts.Neighbour(wild, wild)] * 5
    drawn = finetune_texts.neighbour_lists(near, shown, shown)
    assert "<script>" not in drawn
    assert drawn.count("✕ lost") == near.lost.sum() == near.gained.sum() == drawn.count("+ new")
