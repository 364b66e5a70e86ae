"""Labels: planted topics give planted labels; scores tell them from chance; odd corpora."""

import json

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from lib.errors import InputError
from lib.sae.labels import gather, label_features
from lib.sae.labels.choice import fires_most
from lib.sae.labels.keywords import joined
from lib.sae.labels.phrases import phrases_of, word_set
from lib.sae.labels.sampling import MOST, draw
from lib.sae.labels.scores import auroc, is_weak, standard_error
from tests.toy_sae import codes_of, orthogonal_sae, random_sae
from tests.toy_topics import NAMES, TOPICS, embed, topic_texts


@pytest.fixture(scope="module")
def planted():
    """Texts of six topics, their topics, the dictionary with a feature for each, codes and vectors."""
    texts, topics = topic_texts()
    sae, vectors = orthogonal_sae(len(NAMES), bias=0.5), embed(texts)
    return texts, topics, sae, sae.encode(vectors), vectors


def words_of_topic(name):
    return set().union(*(word_set(phrase) for phrase in TOPICS[name]))


@pytest.mark.parametrize("method", ["best", "keywords", "encoder"])
def test_planted_topics_give_planted_labels(planted, method):
    texts, _, sae, codes, vectors = planted
    found = label_features(codes, texts, sae, embed, vectors=vectors, method=method)
    for feature, name in enumerate(NAMES):
        assert word_set(found.text[feature]) <= words_of_topic(name), (name, found.text[feature])
        assert found.score[feature] > 0.95
        assert found.texts[feature] > 30
    assert not found.weak.any()
    assert set(found.source) <= {"keywords", "encoder"}
    assert "cosine of the label's embedding" in found.predictor
    json.dumps(found.to_dict(), allow_nan=False)


def test_without_an_encoder_labels_are_keywords_scored_by_words(planted):
    texts, _, sae, codes, _ = planted
    found = label_features(codes, texts, sae, None)
    assert set(found.source) == {"keywords"}
    assert "words that the text holds" in found.predictor
    assert all(word_set(found.text[f]) <= words_of_topic(name) for f, name in enumerate(NAMES))
    assert (found.score > 0.7).all()
    with pytest.raises(InputError, match="embeddings of its own"):
        label_features(codes, texts, sae, None, method="encoder")


def test_vectors_need_not_be_given(planted):
    texts, _, sae, codes, vectors = planted
    with_them = label_features(codes, texts, sae, embed, vectors=vectors)
    without = label_features(codes, texts, sae, embed)
    assert with_them.text == without.text
    np.testing.assert_allclose(with_them.score, without.score)


def test_the_same_seed_gives_the_same_labels_and_another_seed_other_splits(planted):
    texts, _, sae, codes, vectors = planted
    first, again, other = (label_features(codes, texts, sae, embed, vectors=vectors, seed=s) for s in (0, 0, 1))
    assert first.to_dict() == again.to_dict()
    assert first.seed == 0
    assert first.texts.tolist() != other.texts.tolist() or first.score.tolist() != other.score.tolist()


def test_only_the_features_asked_for_are_labelled(planted):
    texts, _, sae, codes, vectors = planted
    found = label_features(codes, texts, sae, embed, vectors=vectors, features=[2, 4])
    assert [f for f in range(6) if found.text[f]] == [2, 4]
    assert np.isnan(found.score[[0, 1, 3, 5]]).all()


def test_random_labels_score_about_a_half():
    generator = np.random.default_rng(0)
    vectors = generator.normal(size=(1_500, 12)).astype(np.float32)
    texts = [f"text number {row}" for row in range(1_500)]
    sae = random_sae(12, 60, 6)
    evidence = gather(
        sae.encode(vectors), texts, sae, lambda labels: generator.normal(size=(len(labels), 12)), vectors=vectors
    )
    found = evidence.score_labels({int(f): f"label {f}" for f in evidence.features})
    scores = np.array([one.auroc for one in found.values()])
    assert abs(scores.mean() - 0.5) < 0.06
    assert all(0.01 < one.error < 0.2 for one in found.values())


def test_a_label_at_chance_is_weak_and_one_without_a_score_as_well():
    assert is_weak(0.55, 0.05)
    assert not is_weak(0.7, 0.05)
    assert is_weak(float("nan"), float("nan"))
    assert is_weak(0.2, 0.01)


def test_auroc_is_that_of_scikit_learn():
    generator = np.random.default_rng(1)
    fires, silent = generator.integers(0, 6, 40) / 2.0, generator.integers(0, 5, 70) / 2.0
    truth = [1] * 40 + [0] * 70
    assert auroc(fires, silent) == pytest.approx(roc_auc_score(truth, [*fires, *silent]))
    assert np.isnan(auroc(fires[:2], silent))
    assert np.isnan(auroc(fires, silent[:0]))


def test_the_standard_error_is_that_of_repeated_draws():
    generator = np.random.default_rng(2)
    drawn = [auroc(generator.normal(1, 1, 60), generator.normal(0, 1, 60)) for _ in range(400)]
    assert standard_error(float(np.mean(drawn)), 60, 60) == pytest.approx(np.std(drawn), rel=0.25)
    assert standard_error(1.0, 3, 3) > 0.05


def test_no_text_is_on_both_sides(planted):
    texts, _, sae, codes, _ = planted
    doubled = [*texts[:200], *texts[:40]]
    half = codes.select(np.array([*range(200), *range(40)]))
    making, held_out = draw(half, sae, doubled, features=np.arange(6), seed=0)
    seen = [
        {doubled[row] for f in range(6) for kind in (side.activating, side.random, side.near) for row in kind[f]}
        for side in (making, held_out)
    ]
    assert not seen[0] & seen[1]
    making, held_out = draw(
        codes, sae, texts, groups=[row // 12 for row in range(len(texts))], features=np.arange(6), seed=0
    )
    groups = [{int(row) // 12 for f in range(6) for row in side.activating[f]} for side in (making, held_out)]
    assert not groups[0] & groups[1]


def test_texts_are_drawn_as_they_should_be():
    generator = np.random.default_rng(0)
    vectors = generator.normal(size=(3_000, 12)).astype(np.float32)
    sae = random_sae(12, 40, 5)
    codes = sae.encode(vectors)
    _, held_out = draw(codes, sae, [str(row) for row in range(3_000)], features=np.arange(40), seed=0)
    for feature in range(40):
        rows, activations = codes.firing(feature)
        value = dict(zip(rows.tolist(), activations.tolist(), strict=True))
        fires = [value[row] for row in held_out.activating[feature].tolist()]
        assert fires == sorted(fires, reverse=True)
        assert len(fires) == min(MOST, len(fires))
        shares = np.searchsorted(np.sort(activations), fires) / len(activations)
        assert np.histogram(shares, bins=4, range=(0, 1))[0].min() >= 8  # every quarter of the activations
        assert not set(held_out.silent(feature).tolist()) & set(rows.tolist())
        assert len(held_out.near[feature]) > 0


def test_neighbours_get_different_labels():
    texts = [f"{a} {b} word{i}" for i in range(60) for a, b in (("shared", "alpha"), ("shared", "beta"))]
    dense = np.zeros((len(texts), 2), dtype=np.float32)
    dense[::2, 0] = dense[1::2, 1] = 1.0
    found = label_features(codes_of(dense), texts, orthogonal_sae(2), None)
    assert "alpha" in found.text[0]
    assert "beta" in found.text[1]
    assert "beta" not in found.text[0]


def test_a_feature_on_one_text_is_labelled_without_a_score():
    texts = ["alpha beta gamma", "alpha beta delta", "other words here", "many more words"]
    dense = np.zeros((4, 2), dtype=np.float32)
    dense[0, 0] = dense[1, 0] = dense[2, 1] = 1
    found = label_features(codes_of(dense), texts, orthogonal_sae(2), None)
    assert np.isnan(found.score).all()
    assert found.weak.all()


def test_things_that_do_not_belong_together_are_refused(planted):
    texts, _, sae, codes, vectors = planted
    with pytest.raises(InputError, match=r"as many texts as the codes have rows \(240\), got 3"):
        label_features(codes, texts[:3], sae, embed)
    with pytest.raises(InputError, match="as many vectors"):
        label_features(codes, texts, sae, embed, vectors=vectors[:5])
    with pytest.raises(InputError, match="this dictionary has 8"):
        label_features(codes, texts, orthogonal_sae(8), embed)
    with pytest.raises(InputError, match="has the features 0 to 5, got 6"):
        label_features(codes, texts, sae, embed, features=[1, 6])
    with pytest.raises(InputError, match="Labels are made by best"):
        label_features(codes, texts, sae, embed, method="magic")


def test_progress_rises_to_the_end(planted):
    texts, _, sae, codes, vectors = planted
    told = []
    label_features(codes, texts, sae, embed, vectors=vectors, progress=lambda done, of: told.append((done, of)))
    assert told[-1] == (6, 6)
    assert [done for done, _ in told] == sorted(done for done, _ in told)


def test_phrases_keep_to_words():
    found = phrases_of(["The court of appeal, in 1999, ruled.", "A court of appeal (again) ruled 1999 times"])
    assert set(found.names) == {"court", "appeal", "ruled", "court of appeal"}
    assert found.holds.toarray().min() == 1
    assert found.words[found.names.index("court of appeal")] == 3


def test_phrases_against_a_slow_count():
    texts, _ = topic_texts(8)
    found = phrases_of(texts, fewest=3)
    held = found.holds.toarray()
    for column, name in enumerate(found.names):
        plain = np.array([f" {name} " in " " + text.replace(",", " ,").replace(".", " .") + " " for text in texts])
        np.testing.assert_array_equal(held[:, column] > 0, plain)
        assert plain.sum() >= 3


def test_odd_scripts_and_contractions():
    found = phrases_of(["猫は好き", "猫は嫌い"])
    assert "猫は" in found.names
    assert set(phrases_of(["the patient's chart", "patient chart"]).names) == {"patient", "chart", "patient chart"}
    assert phrases_of([]).names == ()
    assert phrases_of(["", "!!! 12 34"]).names == ()


def test_joined_labels_do_not_repeat_themselves():
    assert joined(["interest rate", "rates", "interest", "bond", "bonds", "equity"]) == "interest rate, bond, equity"


def test_the_phrase_that_fires_most_wins():
    sae = orthogonal_sae(3)
    vectors = np.array([[0.1, 0.9, 0], [0.8, 0, 0], [0.3, 0, 0]], dtype=np.float32)
    assert fires_most(sae, 0, ["a", "b", "c"], vectors) == ["b", "c", "a"]
