"""The eight signals: closed forms, what they say, and what they need."""

import numpy as np
import pytest

from lib.corpora import Corpus
from lib.geometry import cluster, project, score
from lib.overview import (
    NAMES,
    answers_part,
    lacks_layers,
    made_answers,
    made_layers,
    made_space,
    measure_space,
    overview_of,
    space_part,
    wanting,
)
from lib.overview.isotropic import isotropic_components
from lib.overview.space import fence, map_signal, weakest_label
from lib.retrieval import query_metrics
from lib.shelf import Shelf
from tests.query_spaces import made_set


def corpus_of(n, labels=None):
    """A corpus of n short texts."""
    return Corpus("made up", tuple(f"text {i}" for i in range(n)), ids=tuple(f"t{i}" for i in range(n)), labels=labels)


def around(centres, each, *, noise=0.1, d=16, seed=0):
    """`each` vectors around each of some orthogonal directions, shape (centres * each, d)."""
    rng = np.random.default_rng(seed)
    return (np.repeat(np.eye(d)[:centres], each, axis=0) + noise * rng.normal(size=(centres * each, d))).astype("f4")


@pytest.fixture
def shelf(tmp_path):
    """An empty one."""
    return Shelf(tmp_path)


@pytest.mark.parametrize(("n", "d"), [(402, 384), (100, 384), (3_000, 64), (60, 60)])
@pytest.mark.parametrize("share", [0.9, 0.95])
def test_isotropic_components_are_those_of_random_vectors(n, d, share):
    spectrum = np.linalg.svd(
        (vectors := np.random.default_rng(0).normal(size=(n, d))) - vectors.mean(axis=0), compute_uv=False
    )
    held = np.cumsum(spectrum**2) / np.sum(spectrum**2)
    assert isotropic_components(n, d, share) == pytest.approx(np.searchsorted(held, share) + 1, abs=2)


def test_isotropic_components_at_the_ends():
    assert isotropic_components(1, 8) == 0
    assert isotropic_components(2, 8) == 1
    assert isotropic_components(10**6, 8, 1.0) == 8


def test_a_planted_space_is_told(shelf):
    labels = ("a",) * 30 + ("b",) * 30
    corpus, vectors = corpus_of(60, labels), around(2, 30)
    part, found = made_space(corpus, vectors, shelf, key="planted", with_map=False)
    said = {signal.name: signal for signal in part.signals}
    assert said["map"].value == 1
    assert said["map"].baseline == pytest.approx(29 / 59)
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    upper = (units @ units.T)[np.triu_indices(60, 1)]
    assert said["anisotropy"].value == pytest.approx(upper.mean(), abs=1e-6)
    assert said["anisotropy"].baseline == 0
    assert said["dimension"].facts["components_95"] == found.dimension.components_95
    assert said["outliers"].facts["outliers"] == 0
    assert all(signal.needs is None and signal.sentence and signal.shown != "—" for signal in part.signals)


def test_labels_answer_without_a_map_and_a_map_without_labels(shelf):
    vectors = around(2, 20)
    corpus = corpus_of(40, ("a",) * 20 + ("b",) * 20)
    quick = space_part(corpus, measure_space(corpus, vectors, shelf, key="q", with_map=False)).signals[0]
    assert (quick.quantity, quick.value) == ("Label purity", 1)
    assert "clusters" not in quick.facts
    layout, groups = project(vectors, method="pca"), cluster(vectors, method="kmeans", count=2)
    plain = map_signal(layout, groups, None)
    assert (plain.quantity, plain.value) == ("Trustworthiness", layout.trustworthiness)
    assert (plain.baseline, plain.facts["clusters"]) == (0.5, 2)


def test_the_fence_flags_what_was_planted_and_nothing_else():
    vectors = around(1, 200, noise=0.05)
    vectors[[3, 7]] = np.eye(16)[5]
    found = fence(score(vectors))
    assert set(found.flagged.rows[:2]) == {3, 7}
    assert len(found.flagged.rows) <= 4  # of 198 others a bell curve puts .3 beyond
    middle = np.median(found.scores.scores)
    spread = 1.4826 * np.median(abs(found.scores.scores - middle))
    assert found.flagged.threshold == pytest.approx(middle + 3 * spread, abs=1.1e-3)


def test_texts_that_are_equally_far_are_not_flagged():
    assert not len(fence(score(np.eye(16, dtype="f4"))).flagged.rows)


def test_the_label_that_is_mixed_comes_first(shelf):
    vectors = np.concatenate([around(2, 20), np.random.default_rng(1).normal(size=(20, 16)).astype("f4")])
    corpus = corpus_of(60, ("a",) * 20 + ("b",) * 20 + ("mixed",) * 20)
    found = measure_space(corpus, vectors, shelf, key="mixed", with_map=False)
    assert weakest_label(found.fit).items[0].name == "mixed"


@pytest.mark.parametrize("n", [1, 2])
def test_too_few_texts_are_told_in_every_place(shelf, n):
    part, found = made_space(corpus_of(n), around(1, n), shelf, key="few")
    assert found is None
    assert {signal.name for signal in part.signals} == {"map", "anisotropy", "dimension", "outliers"}
    assert all("from 3 texts on" in signal.needs and signal.value is None for signal in part.signals)


def test_texts_that_are_all_the_same_have_no_dimension(shelf):
    labels = ("a", "b", "a", "b", "a")
    part, _ = made_space(corpus_of(5, labels), np.ones((5, 4), "f4"), shelf, key="same", with_map=False)
    said = {signal.name: signal for signal in part.signals}
    assert said["anisotropy"].value == pytest.approx(1)
    assert "nothing varies" in said["dimension"].needs
    assert said["outliers"].facts["outliers"] == 0


def test_vectors_without_an_encoder_have_no_layers(shelf):
    assert "came with the corpus" in lacks_layers(None)
    part = made_layers(corpus_of(5), None, shelf, lambda: pytest.fail("no encoder is opened"))
    assert [signal.name for signal in part.signals] == ["layers", "heads"]
    assert all(signal.needs for signal in part.signals)


def answered(queries, *, noise=0.0, **settings):
    """A set whose query i lies at document i, and what is said of it."""
    rng = np.random.default_rng(0)
    documents = rng.normal(size=(len(queries.documents), 12)).astype("f4")
    asked = documents[: len(queries.queries)] + noise * rng.normal(size=(len(queries.queries), 12))
    return made_answers(queries, asked.astype("f4"), documents, **settings)


def test_a_perfect_encoder_beats_bm25_or_ties_with_it():
    queries = made_set(12, 30, topics=3)
    part, found = answered(queries)
    ranks, negatives = part.signals
    assert (ranks.value, ranks.facts["median_rank"]) == (1, 1)
    assert ranks.interval == (1, 1)
    assert negatives.value == 0
    rival = query_metrics_of_words(found)
    assert ranks.baseline == pytest.approx(rival)
    assert ranks.verdict in ("better than BM25", "not told from BM25")
    assert "p = " in ranks.rule
    assert not part.standouts[1].items
    assert "Every query" in part.standouts[1].sentence


def query_metrics_of_words(found):
    """BM25's mean NDCG@10, by its own search."""
    from lib.retrieval import bm25_search, judged_ranks

    queries = found.queries
    run = bm25_search(queries.queries, queries.documents, len(queries.documents), tie_order=queries.tie_order)
    return query_metrics(judged_ranks(queries, run)).means["ndcg@10"]


def test_without_bm25_the_baseline_is_a_random_order():
    queries = made_set(4, 9)
    part, _ = answered(queries, bm25=False)
    ranks, negatives = part.signals
    assert ranks.baseline == pytest.approx((1 / np.log2(np.arange(9) + 2)).sum() / 9)  # one of nine, at any place
    assert ranks.verdict is None
    assert negatives.baseline == pytest.approx(8 / 9)


def test_a_noisy_encoder_has_weak_queries_and_a_worst_topic():
    part, found = answered(made_set(20, 40, topics=2), noise=2.0)
    topic, weak = part.standouts
    assert (topic.kind, weak.kind) == ("worst_topic", "weakest_queries")
    assert weak.items[0].value == max(found.ranks.rank)
    assert topic.items[0].value <= topic.items[1].value
    negatives = part.signals[1]
    assert negatives.value == pytest.approx((found.negatives.gap < 0).mean())
    assert negatives.interval[0] <= negatives.value <= negatives.interval[1]


def test_an_encoder_that_puts_all_at_one_point_is_not_praised():
    queries = made_set(6, 20)
    one = np.ones((20, 4), "f4")
    part, _ = made_answers(queries, one[:6], one, bm25=False)
    said = next(signal for signal in part.signals if signal.name == "hard_negatives")
    assert said.value == 0
    assert "For 100\u202f% the two score alike, and chance decides." in said.sentence


def test_nothing_relevant_and_nothing_else_are_told():
    part, found = answered(made_set(3, 5, skip=3))
    assert found is None
    assert all("relevant document" in signal.needs for signal in part.signals)
    part, _ = answered(made_set(1, 1))
    assert part.signals[0].value == 1
    assert part.signals[0].interval is None
    assert "to compare it with" in part.signals[1].needs


def test_an_overview_has_all_eight_and_says_what_is_missing():
    found = overview_of([], encoder="e", fingerprint=None, corpus=None, queries=None)
    assert tuple(signal.name for signal in found.signals) == NAMES
    assert all(signal.needs.startswith("Choose a") for signal in found.signals)
    assert found.facts == {}
    part, _ = answered(made_set(12, 30))
    found = overview_of([part], encoder="e", fingerprint=None, corpus=None, queries=made_set(12, 30))
    assert found.signal("ranks").facts["ndcg@10.low"] <= found.facts["ndcg@10"]
    assert (found.questions, found.documents) == (12, 30)
    told = found.to_dict()["signals"][6]
    assert (told["page"], told["query"]) == ("retrieval", {"view": "Quality"})


def test_a_part_without_numbers_has_no_facts():
    (signal,) = wanting(("heads",), "An encoder with heads is needed.")
    assert (signal.value, signal.shown, dict(signal.facts)) == (None, "—", {})


def test_answers_part_follows_its_seed():
    _, found = answered(made_set(20, 40), noise=1.0)
    one, other = (answers_part(found, seed=seed).signals[1] for seed in (0, 0))
    assert one == other
