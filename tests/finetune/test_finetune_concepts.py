"""Concepts: closed forms, planted changes, independent tests, and what noise is told to be."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binomtest

from lib.errors import InputError, Stopped
from lib.finetune.concepts import (
    KINDS,
    ConceptSide,
    QuerySides,
    diff_concepts,
    diff_own,
    feature_change,
    lead_changes,
    passed,
    why_changed,
)
from lib.finetune.concepts.chance import shuffled_moves
from lib.finetune.concepts.paired import differences, firing_p, sign_flip
from lib.finetune.diff.ranks import RetrievalSide, rank_diff
from lib.retrieval.bootstrap import sign_flip_p
from lib.sae.evaluation import evaluate_sae
from lib.sae.matching import Model, compare_models, identity
from tests.query_spaces import made_set
from tests.toy_sae import codes_of, orthogonal_sae, planted, random_sae

LABELS = ["a", "b", None] * 20


def side(sae, vectors):
    return ConceptSide(vectors, sae.encode(vectors))


@pytest.fixture(scope="module")
def texts():
    """60 texts of 6 concepts, each fires on about half of them; the last one on none."""
    generator = np.random.default_rng(0)
    found = generator.uniform(0.5, 1.5, size=(60, 6)) * (generator.random((60, 6)) < 0.5)
    found[:, 5] = 0
    return found.astype(np.float32)


def test_identical_sides_do_not_differ_at_all(texts):
    sae = orthogonal_sae()
    found = diff_concepts(sae, side(sae, texts), side(sae, texts), labels=LABELS)
    assert found.counts == {"unchanged": 6, "gained": 0, "strengthened": 0, "weakened": 0, "lost": 0}
    assert not found.change.any()
    assert not found.error.any()
    assert found.tested == found.move == found.by_chance == 0
    assert np.isnan(found.seen)
    assert not found.off_ground
    assert found.fvu_base == found.fvu_tuned == evaluate_sae(sae, texts).fvu


def test_a_direction_that_is_removed_is_lost_and_nothing_else(texts):
    sae, tuned = orthogonal_sae(), texts.copy()
    tuned[:, 2] = 0
    found = diff_concepts(sae, side(sae, texts), side(sae, tuned), labels=LABELS)
    assert found.of_kind("lost").tolist() == found.changed.tolist() == [2]
    assert found.change[2] == pytest.approx(-texts[:, 2].mean(dtype=np.float64), rel=1e-6)
    assert found.error[2] == pytest.approx(np.std(texts[:, 2], ddof=1, dtype=np.float64) / np.sqrt(60), rel=1e-5)
    assert (found.came[2], found.went[2]) == (0, np.count_nonzero(texts[:, 2]))
    assert found.seen == pytest.approx(1)
    assert found.tested == 1
    for name, place in (("a", 0), ("b", 1)):
        here = [row for row, label in enumerate(LABELS) if label == name]
        assert found.topic_change[0, place] == pytest.approx(-texts[here, 2].mean(), rel=1e-5)
        assert found.topic_base[0, place] == pytest.approx(np.count_nonzero(texts[here, 2]) / 20)
    assert not found.topic_tuned.any()


def test_a_push_along_one_direction_is_gained_there(texts):
    sae, tuned = orthogonal_sae(), texts.copy()
    tuned[:40, 5] += 1
    found = diff_concepts(sae, side(sae, texts), side(sae, tuned))
    assert found.of_kind("gained").tolist() == found.changed.tolist() == [5]
    assert found.frequency_tuned[5] == pytest.approx(2 / 3)
    assert found.topics == ()


def test_what_rises_everywhere_is_strengthened_and_what_falls_weakened(texts):
    sae, tuned = orthogonal_sae(), texts.copy()
    tuned[:, 0] *= 2
    tuned[:, 1] *= 0.4
    tuned[:, 3] *= 1.05  # beyond chance, and too little to be told
    found = diff_concepts(sae, side(sae, texts), side(sae, tuned))
    assert found.of_kind("strengthened").tolist() == [0]
    assert found.of_kind("weakened").tolist() == [1]
    assert KINDS[found.kind[3]] == "unchanged"
    assert found.replicated > 0.9


@pytest.mark.parametrize("seed", range(3))
def test_noise_is_not_told_as_change(seed):
    made, sae = planted(m=300, d=16, n=24, seed=seed), random_sae(d=16, n=48, k=4, seed=seed)
    noise = 0.3 * np.random.default_rng(seed).normal(size=made.vectors.shape).astype(np.float32)
    found = diff_concepts(sae, side(sae, made.vectors), side(sae, made.vectors + noise), seed=seed)
    assert found.tested > 30
    assert len(found.changed) <= 2
    assert found.by_chance <= 2


def test_vectors_far_from_the_dictionary_are_told(texts):
    sae = orthogonal_sae()
    found = diff_concepts(sae, side(sae, texts), side(sae, -texts))
    assert found.off_ground
    assert set(found.of_kind("lost")) == {0, 1, 2, 3, 4}


def test_sign_flips_agree_with_an_independent_test():
    generator = np.random.default_rng(1)
    dense = generator.normal(size=(40, 8)) * (np.arange(40)[:, None] < [0, 1, 5, 8, 11, 12, 30, 40])
    before = codes_of(np.maximum(-dense, 0))
    found = sign_flip(differences(before, codes_of(np.maximum(dense, 0))))
    expected = [sign_flip_p(column.astype(np.float32).astype(np.float64), resamples=200_000) for column in dense.T]
    assert found[:6] == pytest.approx(expected[:6])
    assert found[6:] == pytest.approx(expected[6:], abs=0.01)
    gained, lost = np.array([0, 3, 9, 20]), np.array([0, 1, 0, 31])
    expected = [binomtest(a, a + b).pvalue if a + b else 1 for a, b in zip(gained.tolist(), lost.tolist(), strict=True)]
    assert firing_p(gained, lost) == pytest.approx(expected)


def test_shuffled_moves_keep_lengths_and_lose_what_is_common(texts):
    generator = np.random.default_rng(0)
    base = generator.normal(size=(500, 12))
    base /= np.linalg.norm(base, axis=1, keepdims=True)
    tuned = base + 0.2 * np.eye(12)[0]
    tuned /= np.linalg.norm(tuned, axis=1, keepdims=True)
    made = shuffled_moves(base, tuned, generator)
    assert np.linalg.norm(made, axis=1) == pytest.approx(1, abs=1e-5)
    assert np.linalg.norm((made - base).mean(axis=0)) < 0.3 * np.linalg.norm((tuned - base).mean(axis=0))
    assert np.array_equal(shuffled_moves(texts, texts, generator), texts)


def test_one_feature_text_by_text(texts):
    sae, tuned = orthogonal_sae(), texts.copy()
    tuned[3, 0] += 2
    tuned[4, 0] += 1
    tuned[5, 0] = 0 if texts[5, 0] else texts[5, 0]
    found = feature_change(sae.encode(texts), sae.encode(tuned), 0, labels=LABELS)
    assert found.rose.tolist() == [3, 4]
    assert np.array_equal(found.tuned - found.base, tuned[:, 0] - texts[:, 0])
    here = np.array([label == "a" for label in LABELS])
    change = (tuned[:, 0] - texts[:, 0]).astype(np.float64)[here]
    assert found.topic_change[0] == pytest.approx(change.mean())
    assert found.topic_error[0] == pytest.approx(change.std(ddof=1) / np.sqrt(20))
    assert found.topic_fires_tuned[0] == np.count_nonzero(tuned[here, 0])
    with pytest.raises(InputError, match="features 0 to 5, got 6"):
        feature_change(sae.encode(texts), sae.encode(tuned), 6)


def test_each_through_its_own_dictionary_a_concept_is_found_again_and_one_that_is_gone_is_told():
    """The other dictionary is ours with its features in another order; tuning took one of them away."""
    made, sae = planted(m=400, d=24, n=30, k=3), random_sae(d=24, n=30, k=3)
    directions = made.directions
    sae = replace(sae, encoder_weights=directions.T, decoder_weights=directions)
    order = np.random.default_rng(1).permutation(30)
    other = replace(sae, encoder_weights=directions[order].T, decoder_weights=directions[order])
    activations = made.activations.copy()
    activations[:, 4] = 0
    sides = made.vectors, (activations @ directions).astype(np.float32)
    models = [Model(one, one.encode(vectors), vectors) for one, vectors in zip((sae, other), sides, strict=True)]
    found = diff_own(compare_models(*models, alignment=identity()), models[0].codes, models[1].codes)
    assert np.array_equal(order[found.tuned], found.base)
    assert len(found.base) == 30
    assert found.similarity == pytest.approx(1, abs=1e-5)
    gone = found.base == 4
    assert found.change[gone].tolist() == [-1]
    assert found.frequency_tuned[gone][0] < 0.02 < found.frequency_base[gone][0]
    assert not (found.change == 1).any()
    fires = [np.count_nonzero(model.codes.matrix.toarray(), axis=0) for model in models]
    assert found.frequency_base == pytest.approx(fires[0][found.base] / 400)
    assert found.frequency_tuned == pytest.approx(fires[1][found.tuned] / 400)
    assert np.array_equal(found.came - found.went, fires[1][found.tuned] - fires[0][found.base])


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda base, tuned: (base, ConceptSide(tuned.vectors[:, :4], tuned.codes)), "6 dimensions, the tuned"),
        (lambda base, tuned: (base, tuned.rows(np.arange(9))), "the same texts, got 60 and 9"),
        (lambda base, tuned: (base.rows(np.arange(0)), tuned.rows(np.arange(0))), "the same texts, got 0 and 0"),
    ],
)
def test_what_cannot_be_compared_is_refused(texts, change, sentence):
    sae = orthogonal_sae()
    with pytest.raises(InputError, match=sentence):
        diff_concepts(sae, *change(side(sae, texts), side(sae, texts)))


def test_settings_and_stop(texts):
    sae = orthogonal_sae()
    with pytest.raises(InputError, match="label for each of the 60 texts, got 1"):
        diff_concepts(sae, side(sae, texts), side(sae, texts), labels=["a"])
    with pytest.raises(InputError, match="one shuffle"):
        diff_concepts(sae, side(sae, texts), side(sae, texts), shuffles=0)
    with pytest.raises(Stopped):
        diff_concepts(sae, side(sae, texts), side(sae, texts), should_stop=lambda: True)
    one = diff_concepts(sae, side(sae, texts[:1]), side(sae, texts[:1] + 1), shuffles=1)
    assert np.isnan(one.error).all()
    assert not one.changed.size


def test_leads_of_all_queries_that_moved_are_averaged():
    made, sae = planted(m=60, d=16, n=24, seed=2), random_sae(d=16, n=48, k=4)
    queries, documents = made_set(30, 60), made.vectors
    rng = np.random.default_rng(0)
    asked = [(documents[:30] + noise * rng.normal(size=(30, 16))).astype(np.float32) for noise in (0.3, 0.6)]
    sides = RetrievalSide("base", asked[0], documents), RetrievalSide("tuned", asked[1], documents)
    diff = rank_diff(queries, *sides, resamples=100)
    found = lead_changes(sae, queries, diff, sides)
    assert found.queries + found.skipped == found.moved == diff.worse
    assert found.parts.sum() + found.bias + found.error == pytest.approx(found.change)
    assert found.change < 0
    total = np.zeros(48)
    for row in diff.query[diff.change < 0].tolist():
        both = QuerySides(asked[0][row], documents, asked[1][row], documents)
        duel = passed(both, np.array([row]), relevant_document=row, tie_order=queries.tie_order)
        one = why_changed(sae, both, (row, duel.rival))
        total[one.features] += one.parts
    assert found.parts == pytest.approx(total[found.features] / found.queries)
    few = lead_changes(sae, queries, diff, sides, most=3)
    assert few.queries + few.skipped == 3
    assert few.moved == diff.worse
    same = rank_diff(queries, sides[0], sides[0], resamples=100)
    with pytest.raises(InputError, match="No query got worse"):
        lead_changes(sae, queries, same, (sides[0], sides[0]))


@pytest.mark.parametrize("measure", ["cosine", "dot"])
def test_a_change_of_the_lead_is_taken_apart_exactly(measure):
    made, sae = planted(m=4, d=16, n=24), random_sae(d=16, n=48, k=4)
    base = made.vectors
    tuned = base + 0.3 * np.random.default_rng(3).normal(size=base.shape).astype(np.float32)
    found = why_changed(sae, QuerySides(base[0], base[1:], tuned[0], tuned[1:]), (2, 1), measure=measure)
    for parts, bias, error, lead, vectors in (
        (found.before, found.bias_before, found.error_before, found.lead_before, base),
        (found.after, found.bias_after, found.error_after, found.lead_after, tuned),
    ):
        q, d, o = (vectors[row].astype(np.float64) for row in (0, 3, 2))
        lengths = [np.linalg.norm(q) * np.linalg.norm(one) if measure == "cosine" else 1 for one in (d, o)]
        assert parts.sum() + bias + error == pytest.approx(lead)
        assert lead == pytest.approx(q @ d / lengths[0] - q @ o / lengths[1])
    errors = found.error_after - found.error_before
    assert found.parts.sum() + errors + found.bias_after - found.bias_before == pytest.approx(found.change)
    assert found.error_share == pytest.approx(errors / found.change)
    with pytest.raises(InputError, match="16 dimensions, the tuned checkpoint of 8"):
        why_changed(sae, QuerySides(base[0], base, tuned[0, :8], tuned[:, :8]), (0, 1))


def test_the_feature_that_lost_the_lead_is_named():
    """The query forgets feature 0, which spoke for the relevant document."""
    documents = np.array([[1, 0, 0], [0, 0.6, 0], [0, 0, 0.1]], np.float32)
    before, after = np.array([1, 1, 0], np.float32), np.array([0, 1, 0], np.float32)
    sides = QuerySides(before, documents, after, documents)
    pair = passed(sides, np.array([0]), relevant_document=0, tie_order=np.arange(3), measure="dot")
    assert (pair.rival, pair.rival_base, pair.rival_tuned) == (1, 2, 1)
    assert (pair.relevant_base, pair.relevant_tuned, pair.overtook, pair.fell_behind) == (1, 2, 1, 0)
    assert pair.changed_places
    found = why_changed(orthogonal_sae(3), sides, (0, 1), measure="dot")
    assert found.features[found.decides].tolist() == [0]
    assert found.parts.tolist() == [-1, 0]
    assert found.change == pytest.approx(-1)
    assert found.error_share == 0
    back = QuerySides(after, documents, before, documents)
    pair = passed(back, np.array([0]), relevant_document=0, tie_order=np.arange(3), measure="dot")
    assert (pair.rival, pair.overtook, pair.fell_behind) == (1, 0, 1)
    still = passed(QuerySides(before, documents, before, documents), np.array([0]), relevant_document=0,
                   tie_order=np.arange(3), measure="dot")  # fmt: skip
    assert not still.changed_places
    assert still.rival == 1
    alone = QuerySides(before, documents[:1], after, documents[:1])
    assert passed(alone, np.array([0]), relevant_document=0, tie_order=np.arange(1)).rival is None
