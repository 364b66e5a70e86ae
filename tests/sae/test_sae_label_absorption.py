"""Chanin's absorption, planted: a child feature that takes its parent's place on the texts that it fires on."""

import json

import numpy as np
import pytest

from lib.errors import InputError
from lib.sae.diagnostics import label_absorption
from tests.toy_sae import codes_of, orthogonal_sae

PARENT, CHILD, OTHER, NOISE = range(4)
D = 24


def planted(share=0.25, m=400, seed=0, turned=True):
    """Half of the texts carry the label. On `share` of them the child fires alone, its direction half the parent's.

    Features: the parent, the child (whose direction has the parent's in it), another label's, and noise.
    """
    rng = np.random.default_rng(seed)
    sae = orthogonal_sae(D)
    directions = sae.decoder_weights.copy()
    directions[CHILD] = (directions[PARENT] + directions[CHILD]) / np.sqrt(2) if turned else directions[CHILD]
    sae = type(sae)(sae.encoder_weights, sae.encoder_bias, directions, sae.decoder_bias, "jumprelu",
                    thresholds=sae.thresholds)  # fmt: skip
    has = np.arange(m) % 2 == 0
    taken = has & (rng.random(m) < share)
    activations = np.zeros((m, D))
    activations[has & ~taken, PARENT] = rng.uniform(0.9, 1.1, size=(has & ~taken).sum())
    activations[taken, CHILD] = rng.uniform(1.35, 1.55, size=taken.sum())
    activations[~has, OTHER] = 1
    activations[:, NOISE:] = (rng.random((m, D - NOISE)) < 0.2) * 0.2
    codes = codes_of(activations)
    labels = ["animal" if one else "plant" for one in has]
    return sae.decode(codes), codes, sae, labels, taken


def of(result, label):
    return next(one for one in result.labels if one.label == label)


def test_the_texts_where_the_child_took_over_are_found_and_no_others():
    vectors, codes, sae, labels, taken = planted()
    found = of(label_absorption(vectors, codes, sae, labels, most_parents=1), "animal")
    assert found.parents == (PARENT,)
    rows = found.rows[found.is_absorbed]
    assert found.silent == found.absorbed == len(rows) > 10
    assert taken[rows].all()
    assert set(found.child.tolist()) == {CHILD}
    assert np.all(found.cosine > 0.4)
    assert found.rate == pytest.approx(found.absorbed / found.known)
    assert found.low < found.rate < found.high
    assert found.known == found.texts == 100
    assert found.probe_f1 == 1
    assert found.parent_f1 == pytest.approx(2 * (100 - found.silent) / (200 - found.silent))


def test_the_other_label_has_no_absorption():
    vectors, codes, sae, labels, _ = planted()
    found = of(label_absorption(vectors, codes, sae, labels), "plant")
    assert (found.parents, found.silent, found.absorbed, found.rate) == ((OTHER,), 0, 0, 0)
    assert found.parent_f1 == 1


def test_a_label_split_over_two_features_is_no_absorption():
    vectors, codes, sae, labels, _ = planted()
    found = of(label_absorption(vectors, codes, sae, labels), "animal")
    assert found.parents == (PARENT, CHILD)
    assert found.parents_f1 == 1
    assert found.silent == 0


def test_a_stand_in_that_does_not_point_along_the_label_is_none():
    vectors, codes, sae, labels, taken = planted(share=0.1, turned=False)
    vectors = vectors.copy()
    vectors[taken, PARENT] = 1.0  # the label shows, but no feature carries it: the error does
    found = of(label_absorption(vectors, codes, sae, labels, most_parents=1, min_share=0.4), "animal")
    assert found.silent > 0
    assert found.absorbed == 0


def test_highest_rates_first_and_json():
    vectors, codes, sae, labels, _ = planted()
    result = label_absorption(vectors, codes, sae, labels, most_parents=1)
    assert [one.label for one in result.labels] == ["animal", "plant"]
    assert result.min_cosine == pytest.approx(2 / np.sqrt(D))
    json.dumps(result.to_dict(), allow_nan=False)


def test_small_labels_and_missing_ones_are_left_out():
    vectors, codes, sae, labels, _ = planted()
    labels = [*(["rare"] * 19), None, *labels[20:]]
    result = label_absorption(vectors, codes, sae, labels)
    assert result.left_out == ("rare",)
    assert result.texts == 399


def test_the_seed_decides_the_halves():
    vectors, codes, sae, labels, _ = planted()
    first, again, other = (label_absorption(vectors, codes, sae, labels, seed=seed) for seed in (0, 0, 1))
    assert first.to_dict() == again.to_dict()
    assert first.to_dict() != other.to_dict()


def test_where_nothing_fires_nothing_takes_over():
    vectors, _, sae, labels, _ = planted()
    result = label_absorption(vectors, codes_of(np.zeros((400, D))), sae, labels)
    found = of(result, "animal")
    assert found.silent == found.known
    assert found.absorbed == 0
    assert set(found.child.tolist()) <= {-1}


@pytest.mark.parametrize(
    ("labels", "asked", "sentence"),
    [
        (["one"] * 400, {}, "as many that carry another"),
        ([None] * 400, {}, "none of the 0 labels"),
        ([str(i) for i in range(400)], {}, "none of the 400 labels"),
        (["a", "b"], {}, "do not go together"),
        (["a", "b"] * 200, {"min_share": 2.0}, "got 2"),
    ],
)
def test_what_cannot_be_measured(labels, asked, sentence):
    vectors, codes, sae, _, _ = planted()
    with pytest.raises(InputError, match=sentence):
        label_absorption(vectors, codes, sae, labels, **asked)
