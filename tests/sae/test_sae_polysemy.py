"""Polysemy on planted topics: the union of two topics has two senses, one topic has one, random texts are loose."""

import json

import numpy as np
import pytest
from scipy.spatial.distance import pdist
from sklearn.metrics import silhouette_score

from lib.errors import InputError
from lib.sae.codes import Codes
from lib.sae.diagnostics import polysemy, senses_of
from lib.sae.diagnostics.groups import distances_of, group, silhouette
from lib.sae.diagnostics.random_texts import baseline
from tests.toy_sae import codes_of

ONE, TWO, THREE, ANY, FEW, NONE = range(6)
TOPICS = 40
WORDS = ["harbour", "violin", "glacier", "saffron", "chess", "lantern", "orchid", "tunnel"]


def topics(each=25, d=96, noise=0.04, seed=0):
    """Tight topics that have nothing in common: vectors (TOPICS * each, d), topics, texts with a word a topic."""
    rng = np.random.default_rng(seed)
    centres = np.linalg.qr(rng.normal(size=(d, d)))[0][:TOPICS]
    topic = np.repeat(np.arange(TOPICS), each)
    vectors = centres[topic] + noise * rng.normal(size=(len(topic), d))
    texts = [f"the {WORDS[t % 8]}{'' if t < 8 else t} ; {i}" for i, t in enumerate(topic)]
    return vectors.astype(np.float32), topic, texts


def planted(topic, seed=0):
    """A feature of one topic, of the union of two, of three, of any text, of too few, of none."""
    rng = np.random.default_rng(seed)
    fires = np.zeros((len(topic), 6), dtype=bool)
    fires[:, ONE] = topic == 0
    fires[:, TWO] = (topic == 1) | (topic == 2)
    fires[:, THREE] = (topic == 3) | (topic == 4) | (topic == 5)
    fires[:, ANY] = rng.random(len(topic)) < 0.3
    fires[np.flatnonzero(topic == 6)[:3], FEW] = True
    return codes_of(fires * rng.uniform(0.5, 1.5, size=fires.shape))


@pytest.fixture(scope="module")
def found():
    vectors, topic, texts = topics()
    codes = planted(topic)
    return polysemy(vectors, codes, texts=texts), vectors, codes, texts, topic


def of(result, feature):
    return int(np.flatnonzero(result.feature == feature)[0])


def test_the_union_of_topics_has_as_many_senses_and_nothing_else_has(found):
    result = found[0]
    assert sorted(result.feature.tolist()) == [ONE, TWO, THREE, ANY]
    assert {feature: int(result.senses[of(result, feature)]) for feature in (ONE, TWO, THREE)} == {
        ONE: 1, TWO: 2, THREE: 3,
    }  # fmt: skip
    assert result.feature[result.polysemous].tolist() == [THREE, TWO]
    assert result.feature[result.unspecific].tolist() == [ANY]
    assert result.strays[of(result, TWO)] == 0
    assert result.apart[of(result, TWO)] > 0.7
    assert np.isnan(result.apart[of(result, ONE)])
    assert (result.left_out, result.silent) == (1, 1)
    assert np.all(np.diff(result.variance) <= 0)
    assert result.z[of(result, ONE)] < -10
    assert result.percentile[of(result, ONE)] == 0
    json.dumps(result.to_dict(), allow_nan=False)


def test_variance_is_the_mean_pairwise_distance_in_closed_form(found):
    result, vectors, codes, _, _ = found
    for feature in (ONE, TWO, ANY):
        rows, activations = codes.firing(feature)
        top = rows[np.argsort(-activations)[:20]]
        expected = pdist(vectors[top].astype(np.float64), "cosine").mean()
        units = vectors[top] / np.linalg.norm(vectors[top], axis=1, keepdims=True)
        total, k = units.sum(axis=0), len(top)
        assert result.variance[of(result, feature)] == pytest.approx(expected, abs=1e-5)
        assert result.variance[of(result, feature)] == pytest.approx(1 - (total @ total - k) / (k * (k - 1)), abs=1e-5)


def test_the_baseline_is_that_of_random_texts(found):
    result, vectors, *_ = found
    drawn = baseline(vectors, np.arange(len(vectors)), top=20)
    assert result.random_mean == pytest.approx(pdist(vectors.astype(np.float64), "cosine").mean(), abs=1e-5)
    assert result.random_sizes.tolist() == drawn.sizes.tolist() == list(range(2, 21))
    assert drawn.of(20).mean() == pytest.approx(drawn.mean, abs=0.01)
    assert drawn.of(5).std() > drawn.of(20).std()
    assert result.random_low == pytest.approx(np.quantile(drawn.variances, 0.05, axis=1))
    assert result.random_several == drawn.several < 0.5


def test_random_texts_of_few_topics_show_several_senses():
    vectors, topic, _ = topics()
    assert baseline(vectors, np.flatnonzero(topic < 3), top=20).several > 0.9


def test_texts_that_read_the_same_count_once(found):
    _, vectors, codes, texts, _ = found
    twice = np.concatenate([np.arange(len(texts)), np.arange(len(texts))])
    doubled = polysemy(vectors[twice], codes.select(twice), texts=[texts[row] for row in twice])
    assert doubled.variance.tolist() == found[0].variance.tolist()
    assert doubled.fires.tolist() == found[0].fires.tolist()


def test_rotation_and_length_change_nothing(found):
    result, vectors, codes, texts, _ = found
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(96, 96)))[0]
    turned = polysemy((3 * vectors @ turn).astype(np.float32), codes, texts=texts)
    assert turned.feature.tolist() == result.feature.tolist()
    assert turned.variance == pytest.approx(result.variance, abs=1e-4)
    assert turned.senses.tolist() == result.senses.tolist()


def test_each_sense_has_its_texts_and_its_words(found):
    result, vectors, codes, texts, topic = found
    senses = senses_of(vectors, codes, texts, feature=TWO, unrelated=result.unrelated)
    assert len(senses.senses) == 2
    assert senses.strays is None
    for sense in senses.senses:
        (about,) = set(topic[sense.rows].tolist())
        assert sense.keywords[0] == WORDS[about]
        assert np.all(np.diff(sense.activations) <= 0)
        assert sense.variance < 0.3
    assert senses.apart.shape == (2, 2)
    assert senses.apart[0, 1] == pytest.approx(result.apart[of(result, TWO)], abs=1e-5)
    assert senses.silhouette > 0.5
    left, right = (senses.places[senses.sense == one] for one in (0, 1))
    assert left[:, 0].max() < right[:, 0].min() or right[:, 0].max() < left[:, 0].min()
    assert 0.5 < senses.explained <= 1
    json.dumps(senses.to_dict(), allow_nan=False)


def test_one_sense_is_allowed(found):
    result, vectors, codes, texts, _ = found
    senses = senses_of(vectors, codes, texts, feature=ONE, unrelated=result.unrelated)
    assert len(senses.senses) == 1
    assert np.isnan(senses.silhouette)


def test_a_feature_of_three_texts_can_be_looked_at(found):
    result, vectors, codes, texts, _ = found
    assert len(senses_of(vectors, codes, texts, feature=FEW, unrelated=result.unrelated).rows) == 3


@pytest.mark.parametrize(("feature", "sentence"), [(NONE, "fires on 0 different texts"), (6, "features 0 to 5, got 6")])
def test_a_feature_that_cannot_be_parted(found, feature, sentence):
    result, vectors, codes, texts, _ = found
    with pytest.raises(InputError, match=sentence):
        senses_of(vectors, codes, texts, feature=feature, unrelated=result.unrelated)


def test_silhouettes_are_scikit_learns():
    rng = np.random.default_rng(0)
    distances = distances_of(rng.normal(size=(20, 8)).astype(np.float32), np.arange(20)[None])[0]
    senses = rng.integers(0, 3, size=20)
    expected = silhouette_score(distances, senses, metric="precomputed")
    assert silhouette(distances, senses) == pytest.approx(expected, abs=1e-6)


def test_groups_go_by_size_and_small_ones_are_strays():
    same = np.zeros((9, 9), dtype=np.float32)
    names = np.array([1, 0, 0, 0, 0, 1, 1, 2, 3])
    same[names[:, None] != names] = 1.0
    assert group(same, 0.8).tolist() == [1, 0, 0, 0, 0, 1, 1, -1, -1]


def test_identical_texts_are_one_sense():
    vectors = np.ones((8, 4), dtype=np.float32)
    result = polysemy(vectors, codes_of(np.ones((8, 2))))
    assert result.senses.tolist() == [1, 1]
    assert result.variance == pytest.approx([0, 0], abs=1e-6)
    assert result.unspecific.all()


@pytest.mark.parametrize("activations", [np.zeros((9, 3)), np.eye(9)])
def test_where_no_feature_has_examples_nothing_is_ranked(activations):
    result = polysemy(np.random.default_rng(0).normal(size=(9, 4)).astype(np.float32), codes_of(activations))
    assert len(result) == 0
    json.dumps(result.to_dict(), allow_nan=False)


def no_codes():
    return Codes(np.zeros(1, np.int64), np.empty(0, np.int32), np.empty(0, np.float32), 3)


@pytest.mark.parametrize(
    ("vectors", "codes", "asked", "sentence"),
    [
        (np.ones((0, 4)), no_codes(), {}, "2 different texts, got 0"),
        (np.ones((1, 4)), codes_of(np.ones((1, 3))), {}, "2 different texts, got 1"),
        (np.ones((2, 4)), codes_of(np.ones((2, 3))), {"texts": ["same", "same"]}, "2 different texts, got 1"),
        (np.ones((3, 4)), codes_of(np.ones((2, 3))), {}, "as many: got 2 and 3"),
        (np.ones((3, 4)), codes_of(np.ones((3, 3))), {"fewest": 2}, "got 2 to 20"),
        (np.ones((3, 4)), codes_of(np.ones((3, 3))), {"top": 4}, "got 5 to 4"),
    ],
)
def test_what_cannot_be_measured(vectors, codes, asked, sentence):
    with pytest.raises(InputError, match=sentence):
        polysemy(vectors, codes, **asked)
