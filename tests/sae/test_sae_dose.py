"""Dose-response: ranks against the slow way, planted features, verdicts by their rule, and AUROC with its interval."""

import numpy as np
import pytest
from scipy.stats import rankdata
from sklearn.metrics import roc_auc_score

from lib.errors import InputError, Stopped
from lib.sae.steering import (
    Recipe,
    apply_push,
    auroc,
    auroc_with_interval,
    dose_response,
    label_verdict,
    matched_features,
    push_of,
    unit_of,
)
from lib.sae.steering.steer import shift
from lib.sae.steering.verdicts import FEW, NOT, PULLS, WEAK, verdict
from tests.toy_sae import codes_of, planted, random_sae

FEATURE = 7


@pytest.fixture(scope="module")
def world():
    made = planted(250, n=24)
    vectors = made.vectors / np.linalg.norm(made.vectors, axis=1, keepdims=True)
    sae = random_sae(n=24, k=3)
    assert sae.decoder_weights == pytest.approx(made.directions, abs=1e-6)  # the dictionary that made the vectors
    return vectors.astype(np.float32), sae, sae.encode(vectors)


def dose(world, **settings):
    vectors, sae, codes = world
    unit = settings.pop("unit", None) or unit_of(FEATURE, codes, None)[0]
    given = {"vector": vectors[0], "feature": FEATURE, "unit": unit, "controls": 20}
    return dose_response(sae, codes, vectors, **given | {"left_out": np.array([0])} | settings)


def test_it_equals_the_slow_way(world):
    vectors, sae, codes = world
    result = dose(world, deltas=(-3, 2), probe=1.5)
    assert result.deltas.tolist() == [-3, 0, 1.5, 2]
    fires = np.isin(np.arange(250), codes.firing(FEATURE)[0])[1:]
    assert (result.firing, result.texts, result.left_out) == (fires.sum(), 249, 1)
    for at, delta in enumerate(result.deltas):
        moved = apply_push(vectors[:1], push_of(sae, Recipe((FEATURE,), (delta,)), codes=codes))[0].astype(float)
        ranks = rankdata(-(vectors[1:] @ moved))
        assert result.mean_rank[at] == pytest.approx(ranks[fires].mean(), abs=0.02)
        assert result.shift[at] == pytest.approx(shift(vectors[0], moved), abs=1e-6)
    for band in (result.rank_random, result.rank_others):
        assert band[:, 1] == pytest.approx(result.mean_rank[1])
    assert result.shift_random[:, 1].tolist() == [0, 0, 0]
    assert (result.best_rank, result.chance_rank) == ((fires.sum() + 1) / 2, 125)


def test_a_planted_feature_pulls_in_its_texts(world):
    result = dose(world)
    assert result.verdict == PULLS
    assert (np.diff(result.mean_rank) <= 1e-9).all()  # the more of it, the higher they stand
    assert result.mean_rank[-1] < result.rank_others[0, -1]
    assert result.riser_fires[:10].mean() > result.firing / result.texts
    fires = np.isin(result.risers, world[2].firing(FEATURE)[0])
    assert fires.tolist() == result.riser_fires.tolist()
    assert ((result.riser_before - result.riser_after)[:-1] >= (result.riser_before - result.riser_after)[1:]).all()


def test_a_direction_that_is_not_the_features_own_does_not(world):
    from dataclasses import replace

    vectors, sae, codes = world
    directions = sae.decoder_weights.copy()
    directions[FEATURE] *= -1
    result = dose((vectors, replace(sae, decoder_weights=directions), codes))
    assert result.verdict == NOT
    assert result.rise[2] < 0.5


def test_the_same_seed_gives_the_same_bands_and_another_another(world):
    first, again, other = dose(world), dose(world), dose(world, seed=1)
    assert first.rank_random.tolist() == again.rank_random.tolist() != other.rank_random.tolist()
    assert first.mean_rank.tolist() == other.mean_rank.tolist()


def test_other_features_are_those_that_fire_as_often():
    activations = np.zeros((40, 6))
    for feature, count in enumerate((10, 11, 30, 5, 0, 9)):
        activations[:count, feature] = 1
    others, counts = matched_features(codes_of(activations), 0, 3, seed=0)
    assert others.tolist() == [1, 5, 3]
    assert counts.tolist() == [11, 9, 5]
    assert 4 not in matched_features(codes_of(activations), 0, 9, seed=0)[0]


def test_auroc_is_that_of_scikit_learn_and_its_interval_that_of_a_bootstrap():
    generator = np.random.default_rng(0)
    positive = generator.random(150) < 0.4
    values = np.round(generator.normal(size=150) + positive, 1)  # with ties
    found = auroc_with_interval(values, positive)
    assert found.value == pytest.approx(roc_auc_score(positive, values))
    assert auroc(values, positive) == pytest.approx(found.value)
    firing, silent = values[positive], values[~positive]
    drawn = [
        auroc(np.concatenate([f := generator.choice(firing, len(firing)), s := generator.choice(silent, len(silent))]),
              np.arange(len(f) + len(s)) < len(f))
        for _ in range(1_000)
    ]  # fmt: skip
    assert (found.low, found.high) == pytest.approx(np.percentile(drawn, [2.5, 97.5]).tolist(), abs=0.02)


def test_perfect_separation_is_no_certainty():
    found = auroc_with_interval(np.arange(12.0), np.arange(12) >= 6)
    assert (found.value, found.high) == (1, 1)
    assert 0.6 < found.low < 0.95
    with pytest.raises(InputError, match="two texts of either kind"):
        auroc_with_interval(np.arange(3.0), np.arange(3) >= 2)


def test_verdicts_by_their_rule():
    others = np.linspace(0.3, 0.7, 101)  # median .5, 95th percentile .68
    assert verdict(None, others) == FEW
    assert verdict((0.8, 0.69, 0.9), others) == PULLS
    assert verdict((0.8, 0.67, 0.9), others) == WEAK
    assert verdict((0.5, 0.4, 0.6), others) == NOT
    assert verdict((0.45, 0.4, 0.5), others - 0.2) == NOT  # above the others', and still below chance
    assert label_verdict(PULLS, 0.9, 0.02).startswith("yes")
    assert "has no score" in label_verdict(PULLS, float("nan"), float("nan"))
    assert label_verdict(PULLS, 0.52, 0.05) == "no: its label does not predict where it fires"
    assert label_verdict(NOT, 0.9, 0.02).startswith("no")
    assert label_verdict(WEAK, 0.9, 0.02) == f"open: {WEAK}"


def test_few_texts_and_none(world):
    vectors, sae, codes = world
    rows = codes.firing(FEATURE)[0]
    kept = np.concatenate([rows[:3], np.setdiff1d(np.arange(250), rows)[:60]])
    few = dose((vectors[kept], sae, codes.select(kept)), left_out=None)
    assert (few.verdict, few.rise, few.firing) == (FEW, None, 3)
    assert few.to_dict()["rise"] is None
    with pytest.raises(InputError, match="fires on 0 of the 60 texts"):
        dose((vectors[kept[3:]], sae, codes.select(kept[3:])), left_out=None, unit=0.1)
    with pytest.raises(InputError, match="fires on 3 of the 3 texts"):
        dose((vectors[kept[:3]], sae, codes.select(kept[:3])), left_out=None, unit=0.1)


def test_settings_out_of_range_and_stopping(world):
    with pytest.raises(InputError, match="above 0 and at most 10, got 0"):
        dose(world, probe=0)
    with pytest.raises(InputError, match="from -10 to 10"):
        dose(world, deltas=(1, 11))
    with pytest.raises(InputError, match="features 0 to 23, got 24"):
        dose(world, feature=24)
    with pytest.raises(InputError, match="is zero"):
        dose(world, vector=np.zeros(16))
    with pytest.raises(Stopped):
        dose(world, should_stop=lambda: True)
    told = []
    dose(world, deltas=(1,), progress=lambda done, of: told.append((done, of)))
    assert told[-1] == (4, 4)
