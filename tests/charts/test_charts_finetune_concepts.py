"""Figures of ranks and concepts before and after: what they draw is what the results hold, and nothing is HTML."""

import re
from dataclasses import replace

import numpy as np
import pytest

from lib.charts import finetune_concept as one_concept
from lib.charts import finetune_concepts as concepts
from lib.charts import finetune_lists as lists
from lib.charts import finetune_ranks as ranks
from lib.finetune.concepts import ConceptSide, OwnDiff, QuerySides, diff_concepts, feature_change, why_changed
from lib.finetune.diff.ranks import METRICS, RetrievalSide, rank_diff
from tests.query_spaces import made_set
from tests.toy_sae import orthogonal_sae, planted, random_sae


@pytest.fixture(scope="module")
def moved(wild):
    """40 queries over 300 documents before and after noise."""
    rng = np.random.default_rng(0)
    documents = rng.normal(size=(300, 8)).astype(np.float32)
    asked = [documents[:40] + noise * rng.normal(size=(40, 8)) for noise in (0.5, 0.9)]
    sides = [RetrievalSide(name, made, documents) for name, made in zip("ab", asked, strict=True)]
    return rank_diff(made_set(40, 300, topics=3, word=wild), *sides, resamples=200)


@pytest.fixture(scope="module")
def changed(wild):
    """60 texts that gain the third of six concepts, lose the first, and have more of the second."""
    rng = np.random.default_rng(0)
    texts = (rng.uniform(0.5, 1.5, size=(60, 6)) * (rng.random((60, 6)) < 0.5)).astype(np.float32)
    texts[:, 2] = 0
    after = texts.copy()
    after[:, 2], after[:, 0], after[:, 1] = 1, 0, 2 * texts[:, 1]
    sae = orthogonal_sae()
    codes = sae.encode(texts), sae.encode(after)
    labels = [wild if row % 2 else "even" for row in range(60)]
    return diff_concepts(sae, ConceptSide(texts, codes[0]), ConceptSide(after, codes[1]), labels=labels), codes, labels


def test_metrics_stand_at_their_means_before_and_after(moved):
    fig = ranks.metric_changes(moved.metrics)
    before, after = (trace for trace in fig.data if trace.mode == "markers")
    assert (before.marker.symbol, after.marker.symbol) == ("circle-open", "circle")
    assert list(before.x) == [one.base.mean for one in moved.metrics]
    assert list(after.x) == [one.tuned.mean for one in moved.metrics]
    for note, one in zip(fig.layout.annotations, moved.metrics, strict=True):
        assert ("○" if one.corrected > 0.05 else "▲" if one.test.difference > 0 else "▼") in note.text
    assert {trace.line.dash for trace in fig.data if trace.mode == "lines"} == {"dash", "solid"}
    assert len(METRICS) == len(fig.layout.yaxis.ticktext)


def test_every_query_is_in_a_line(moved):
    places = np.arange(40)
    names = dict.fromkeys(moved.query.tolist(), "text")
    fig = ranks.rank_slopes(moved, places, names, chosen=int(moved.query[3]))
    shown = {trace.name: trace for trace in fig.data if trace.showlegend and trace.mode == "markers"}
    counts = {"improved": moved.improved, "same": moved.same, "worse": moved.worse}
    assert set(shown) == {f"{name} ({number})" for name, number in counts.items() if number}
    assert len({trace.marker.symbol for trace in shown.values()}) == len(shown)
    ring = fig.data[-1]
    assert list(ring.y) == [moved.rank_base[3], moved.rank_tuned[3]]
    assert len(ranks.drawn_places(np.arange(1_000))) == ranks.MOST_QUERIES
    assert np.array_equal(ranks.drawn_places(np.arange(1_000)), ranks.drawn_places(np.arange(1_000)))


def test_topics_of_ranks_stand_at_their_difference(moved):
    fig = ranks.topic_changes(moved.topics, "mrr")
    assert [trace.x[0] for trace in fig.data] == [topic.test("mrr").difference for topic in moved.topics]
    assert "<script" not in fig.to_json()


@pytest.mark.parametrize(
    ("rank", "other", "tuned", "said"),
    [(1, 4, False, "▼ to 4"), (4, 1, False, "▲ to 1"), (1, 4, True, "▲ from 4"), (4, 1, True, "▼ from 1"),
     (2, 2, True, "= same"), (2, 0, True, "▲ from &gt;100"), (2, 0, False, "▼ to &gt;100")],
)  # fmt: skip
def test_a_list_of_documents_says_where_each_moved(wild, rank, other, tuned, said):
    made = lists.ranking_list([lists.Listed(rank, other, 1, wild)], tuned=tuned)
    assert said in re.sub("</?span[^>]*>", "", made)
    assert "◆ relevant" in made
    assert "<script" not in lists.side_by_side((wild, made))


def test_strongest_changes_are_those_of_the_result(changed, wild):
    found = changed[0]
    assert {found.kind[0], found.kind[1], found.kind[2]} == {4, 2, 1}
    fig = concepts.strongest_changes(found, found.changed, [wild] * len(found.changed))
    bars = fig.data[0]
    assert list(bars.x) == found.change[found.changed].tolist()
    assert [int(data[0]) for data in bars.customdata] == found.changed.tolist()
    kinds = [note.text.split()[1] for note in fig.layout.annotations]
    assert set(kinds) == {"gained", "lost", "strengthened"}
    assert [bool(shape) for shape in bars.marker.pattern.shape] == [kind != "strengthened" for kind in kinds]
    assert "<script" not in fig.to_json()


def test_frequencies_hold_every_feature_that_fires(changed):
    found = changed[0]
    fig = concepts.frequencies(found, ["name"] * len(found.changed), chosen=2)
    points = {int(data[0]): (x, y) for trace in fig.data if trace.customdata is not None
              for data, x, y in zip(trace.customdata, trace.x, trace.y, strict=True)}  # fmt: skip
    assert set(points) == set(range(6))
    assert points[2] == (pytest.approx(100 * 0.5 / 60), pytest.approx(100))
    assert points[4][0] == pytest.approx(100 * found.frequency_base[4])
    few = replace(found, frequency_base=found.frequency_base * 0, frequency_tuned=found.frequency_tuned * 0)
    assert all(
        trace.name is None or "unchanged" not in trace.name for trace in concepts.frequencies(few, ["n"] * 3).data
    )


def test_topics_are_those_of_the_result(changed, wild):
    found, codes, labels = changed
    fig = concepts.changes_by_topic(found, np.arange(len(found.changed)), [wild] * len(found.changed))
    assert np.allclose(np.array(fig.data[0].z, dtype=float), found.topic_change)
    assert fig.data[0].zmin == -fig.data[0].zmax
    assert "<script" not in fig.to_json()
    one = feature_change(*codes, 2, labels=labels)
    fig = one_concept.feature_by_topic(one)
    before, after = (trace for trace in fig.data if trace.mode == "markers")
    assert list(before.x) == [0, 0]
    assert list(after.x) == [100, 100]
    made = lists.changed_texts([wild], [(0.0, 1.0)], [wild], most=1.0)
    assert "– → 1.000" in made
    assert "<script" not in made


def test_pairs_of_two_dictionaries_stand_where_they_fire(wild):
    made = OwnDiff(
        base=np.array([4, 2, 9]), tuned=np.array([1, 0, 3]), similarity=np.array([0.9, 0.8, 0.7]),
        frequency_base=np.array([0.5, 0.2, 0.0]), frequency_tuned=np.array([0.5, 0.02, 0.3]),
        came=np.zeros(3, int), went=np.zeros(3, int), q_value=np.zeros(3), change=np.array([0, -1, 1]),
        only_base=np.zeros(0, int), only_tuned=np.zeros(0, int), known_by_tuned=1.0, known_by_base=1.0,
        paired_by_chance=0.0, by="cosine", texts=100,
    )  # fmt: skip
    fig = concepts.pair_frequencies(made, [wild] * 3)
    shown = {trace.name: (trace.x[0], trace.y[0]) for trace in fig.data if trace.name}
    assert shown == {"as often (1)": (50, 50), "less often (1)": (20, 2), "more often (1)": (0.5, 30)}
    assert "<script" not in fig.to_json()


def test_bars_of_a_lead_sum_to_its_change():
    made, sae = planted(m=6, d=16, n=24), random_sae(d=16, n=48, k=8)
    after = made.vectors + 0.3 * np.random.default_rng(0).normal(size=made.vectors.shape).astype(np.float32)
    found = why_changed(sae, QuerySides(made.vectors[0], made.vectors, after[0], after), (1, 2))
    fig = one_concept.lead_change(found, [f"f{one}" for one in found.features], shown=3)
    assert sum(fig.data[0].x) == pytest.approx(found.change)
    assert len(fig.data[0].x) == 3 + 1 + 2
