"""Two models matched on one corpus: planted truth, closed forms, slow references, and what is refused."""

from dataclasses import dataclass

import numpy as np
import pytest

from lib.errors import InputError, Stopped
from lib.sae.autoencoder import SparseAutoencoder
from lib.sae.matching import Model, align, compare_models, fitting, identity
from lib.sae.matching.chance import significant
from lib.sae.matching.sides import Coverage, coverage_of, verdict
from lib.sae.matching.similarity import Correlations, Standardised
from tests.toy_sae import codes_of

N, KEPT = 60, 40


def reading(directions):
    """A dictionary that reads coordinates along orthonormal directions, given as rows."""
    n, d = directions.shape
    zero, thresholds = np.zeros(n, np.float32), np.full(n, 0.2, np.float32)
    return SparseAutoencoder(directions.T, zero, directions, np.zeros(d, np.float32), "jumprelu", thresholds=thresholds)


def orthonormal(d, seed):
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(d, d)))[0].astype(np.float32)


@dataclass
class Case:
    ours: Model
    theirs: Model
    order: np.ndarray
    labels: list


@pytest.fixture(scope="module")
def planted():
    """Ours reads 60 axes of 80. Theirs: the space turned, the features permuted, a third replaced by other axes."""
    d, t = 80, 600
    generator = np.random.default_rng(0)
    sparse = (generator.random((t, d)) < 0.12) * generator.uniform(0.5, 1.5, (t, d))
    labels = ["shared" if row % 2 else "new" for row in range(t)]
    quiet = np.array([label == "shared" for label in labels])
    sparse[np.ix_(quiet, np.r_[KEPT:d])] = 0  # half the texts are made of what both know
    axes = orthonormal(d, 1)
    vectors = (sparse @ axes).astype(np.float32)
    order = generator.permutation(N)
    new = np.concatenate([axes[:KEPT], axes[N:]])  # 20 of theirs are axes that ours does not read
    turn = orthonormal(d, 2)
    a, b = reading(axes[:N]), reading((new @ turn)[order])
    turned = vectors @ turn
    return Case(Model(a, a.encode(vectors), vectors), Model(b, b.encode(turned), turned), order, labels)


def expected(case):
    """Their place of each of ours that returns."""
    return {int(feature): place for place, feature in enumerate(case.order) if feature < KEPT}


@pytest.mark.parametrize("pairing", ["one-to-one", "best"])
@pytest.mark.parametrize("by", ["cosine", "correlation"])
def test_the_permutation_and_the_replaced_third_come_back(planted, by, pairing):
    alignment = align(planted.ours.vectors, planted.theirs.vectors)
    found = compare_models(
        planted.ours, planted.theirs, alignment=alignment, by=by, pairing=pairing, labels=planted.labels
    )
    assert (alignment.kind, alignment.rank) == ("procrustes", 80)
    assert alignment.r2 == pytest.approx(1, abs=1e-4)
    assert {int(f): int(found.ours.match[f]) for f in found.ours.pairs} == expected(planted)
    assert sorted(found.ours.only) == list(range(KEPT, N))
    assert sorted(planted.order[found.theirs.only]) == list(range(KEPT, N))
    for side in (found.ours, found.theirs):
        assert side.coverage == pytest.approx(KEPT / N)
        assert side.value[side.matched] == pytest.approx(1, abs=1e-4)
        assert side.cosine[side.matched] == pytest.approx(1, abs=1e-4)
        assert side.correlation[side.matched] == pytest.approx(1, abs=1e-4)
        assert side.chance < 0.01
        assert side.domain.low <= side.domain.share <= side.domain.high
        kept = side.weight[side.matched].sum() / side.weight.sum()
        assert side.domain.share == pytest.approx(kept)
    assert (np.diff(found.ours.weight[found.ours.only]) <= 0).all()
    told = {one.label: one for one in found.labels}
    assert told["shared"].ours_paired.share == told["shared"].theirs_paired.share == 1
    assert told["shared"].verdict == "interchangeable"
    assert told["new"].ours_paired.high < 1
    assert not found.ours.lacking.any()  # the replaced third is there, in the other's vectors
    assert found.verdict == "interchangeable"
    assert found.to_dict()["alignment"]["kind"] == "procrustes"


def test_what_the_other_vectors_lack_is_only_here(planted):
    away = orthonormal(80, 1)[KEPT:]  # all axes but the first forty are taken out of their vectors
    turn = orthonormal(80, 2)
    vectors = planted.ours.vectors
    theirs = Model(planted.theirs.sae, planted.theirs.codes, (vectors - vectors @ away.T @ away) @ turn)
    found = compare_models(
        planted.ours, theirs, alignment=identity(), by="correlation", labels=planted.labels
    )  # fmt: skip
    assert sorted(np.flatnonzero(found.ours.lacking)) == list(range(KEPT, N))
    assert sorted(found.ours.only) == list(range(KEPT, N))
    assert not found.theirs.lacking.any()
    assert found.ours.known.share == pytest.approx(found.ours.weight[:KEPT].sum() / found.ours.weight.sum())
    assert found.ours.known_chance < 0.05
    told = {one.label: one for one in found.labels}
    assert (told["shared"].ours.share, told["shared"].verdict) == (1, "interchangeable")
    assert found.labels[0].label == "new"
    assert (found.labels[0].verdict, found.verdict) == ("partly", "partly")


def test_without_the_alignment_directions_say_nothing(planted):
    found = compare_models(planted.ours, planted.theirs, alignment=identity())
    assert not found.ours.matched.any()
    assert found.ours.coverage == found.ours.domain.share == 0


def test_other_widths_by_a_ridge_map(planted):
    lifted = np.random.default_rng(3).normal(size=(80, 96)).astype(np.float32) / 9
    wide = planted.theirs.vectors @ lifted
    alignment = align(planted.ours.vectors, wide)
    assert (alignment.kind, alignment.mapped, alignment.map.shape) == ("ridge", "ours", (80, 96))
    assert alignment.r2 > 0.999
    directions = planted.theirs.sae.decoder_weights @ lifted
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    other = SparseAutoencoder(
        directions.T, np.zeros(N), directions, np.zeros(96), "jumprelu", thresholds=np.full(N, 9.0)
    )  # fmt: skip
    theirs = Model(other, planted.theirs.codes, wide)
    there = compare_models(planted.ours, theirs, alignment=alignment)
    assert {int(f): int(there.ours.match[f]) for f in there.ours.pairs} == expected(planted)
    back = compare_models(theirs, planted.ours, alignment=align(wide, planted.ours.vectors))
    assert np.array_equal(back.theirs.match, there.ours.match)  # the same from either side
    assert back.alignment.mapped == "theirs"


def test_texts_that_have_nothing_in_common(planted):
    order = np.random.default_rng(0).permutation(600)
    theirs = Model(planted.theirs.sae, planted.theirs.codes.select(order), planted.theirs.vectors[order])
    alignment = align(planted.ours.vectors, theirs.vectors)
    assert alignment.r2 < 0.1
    for by in ("cosine", "correlation"):
        found = compare_models(planted.ours, theirs, alignment=alignment, by=by)
        assert not found.ours.matched.any()
        assert found.ours.known.share < 0.05
        assert found.verdict == "not interchangeable"


def test_correlations_are_numpys():
    generator = np.random.default_rng(0)
    a, b = (generator.random((50, n)) * (generator.random((50, n)) < 0.3) for n in (7, 9))
    a[:, 3] = 0
    b[:, 2] = 1
    ours, theirs = (Standardised(codes_of(one), fewest=2) for one in (a, b))
    assert not ours.judged[3]
    assert not theirs.judged[2]
    with np.errstate(invalid="ignore"):
        slow = np.nan_to_num(np.corrcoef(a.T, b.T)[:7, 7:])
    found = Correlations(ours, theirs)
    assert found.rows(slice(0, 7)) == pytest.approx(slow, abs=1e-6)
    assert found.turned().rows(slice(2, 5)) == pytest.approx(slow.T[2:5], abs=1e-6)
    assert found.pairs(np.array([0, 5]), np.array([8, 1])) == pytest.approx(slow[[0, 5], [8, 1]], abs=1e-6)


def test_rare_features_are_not_judged_by_correlation(planted):
    found = compare_models(planted.ours, planted.theirs, alignment=identity(), by="correlation", fewest=10_000)
    assert not found.ours.judged.any()
    assert np.isnan(found.ours.coverage)
    assert (found.ours.match == -1).all()
    assert found.verdict == "cannot be told"


def test_a_model_is_interchangeable_with_itself(planted):
    found = compare_models(planted.ours, planted.ours, alignment=identity(), labels=planted.labels)
    assert found.verdict == "interchangeable"
    assert found.ours.coverage == 1
    assert found.ours.domain.share == found.ours.known.share == 1
    assert not len(found.ours.only)


def test_one_to_one_pairs_count_from_either_side_or_not_at_all():
    generator = np.random.default_rng(0)
    axes = orthonormal(12, 3)
    vectors = (generator.normal(size=(90, 12)) @ axes).astype(np.float32)
    blurred = vectors + 0.8 * generator.normal(size=vectors.shape).astype(np.float32)
    a, b = reading(axes[:10]), reading(axes)
    models = Model(a, a.encode(vectors), vectors), Model(b, b.encode(blurred), blurred)
    found = compare_models(*models, alignment=identity(), by="correlation", threshold=0.3)
    assert found.ours.matched.sum() == found.theirs.matched.sum() > 0
    assert found.theirs.match[found.ours.match[found.ours.pairs]].tolist() == found.ours.pairs.tolist()


def test_chance_within_one_space_knows_the_main_axes():
    """Directions that crowd along two axes of 16 are similar by chance; shuffled coordinates would not tell."""
    flat = np.r_[np.ones(2), np.full(14, 0.05)]
    turn = orthonormal(16, 4)
    rows = [np.random.default_rng(seed).normal(size=(200, 16)) * flat @ turn for seed in (5, 6)]
    directions = [(one / np.linalg.norm(one, axis=1, keepdims=True)).astype(np.float32) for one in rows]
    vectors = np.random.default_rng(7).normal(size=(40, 16)).astype(np.float32)
    models = [Model(sae, sae.encode(vectors), vectors) for sae in map(reading, directions)]
    found = compare_models(*models, alignment=identity(), pairing="best")
    assert found.ours.chance > 0.9
    assert found.ours.matched.mean() < 0.1


def test_a_fine_tune_shares_its_space(planted):
    ours = planted.ours.vectors
    moved = ours + 0.02 * np.random.default_rng(0).normal(size=ours.shape).astype(np.float32)
    same = fitting(ours, moved)
    assert (same.kind, same.map, same.texts) == ("identity", None, 0)
    assert same.r2 > 0.95
    assert same.held_out == 120
    turned = fitting(ours, planted.theirs.vectors)
    assert (turned.kind, turned.r2) == ("procrustes", pytest.approx(1, abs=1e-4))
    assert fitting(ours, ours[:, :50]).kind == "ridge"


def test_chance_is_held_against_features_that_fire_as_often():
    nulls = np.concatenate([np.full((4, 300), 0.8), np.full((4, 300), 0.1)], axis=1)
    count = np.repeat([5, 500], 300)
    p, passes = significant(np.full(600, 0.5), nulls, np.ones(600, dtype=bool), count)
    assert (p[:300] == 1).all()
    assert (p[300:] < 0.01).all()
    assert passes.tolist() == [False] * 300 + [True] * 300
    p, passes = significant(np.full(2, np.nan), nulls[:, :2], np.ones(2, dtype=bool), None)
    assert np.isnan(p).all()
    assert not passes.any()


def test_the_interval_holds_what_drawing_again_gives():
    generator = np.random.default_rng(0)
    whole = generator.uniform(1, 3, 400)
    covered = whole * generator.beta(2, 2, 400)
    found = coverage_of(covered, whole)
    drawn = generator.integers(0, 400, (4_000, 400))
    low, high = np.quantile(covered[drawn].sum(1) / whole[drawn].sum(1), (0.025, 0.975))
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.003)
    assert np.isnan(coverage_of(covered[:1], whole[:1]).low)
    assert np.isnan(coverage_of(covered[:0], whole[:0]).share)


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [(0.8, 0.9, "interchangeable"), (0.3, 0.49, "not interchangeable"), (0.4, 0.6, "partly"),
     (np.nan, 1, "cannot be told")],
)  # fmt: skip
def test_the_verdict(low, high, said):
    assert verdict(Coverage(9, low, low, high), Coverage(9, 1, 1, 1)) == said


def test_refusals_and_stops(planted):
    few = planted.ours.vectors[:19]
    with pytest.raises(InputError, match="20 or more different texts, this corpus has 19"):
        align(few, few)
    with pytest.raises(InputError, match="this corpus has 1:"):
        align(np.repeat(few[:1], 50, axis=0), np.repeat(few[:1], 50, axis=0))
    with pytest.raises(InputError, match="same texts from both encoders, got 19 and 600"):
        align(few, planted.ours.vectors)
    short = Model(planted.theirs.sae, planted.theirs.codes.select(np.arange(9)), planted.theirs.vectors[:9])
    with pytest.raises(InputError, match="on the same texts, got 600 and 9"):
        compare_models(planted.ours, short, alignment=identity())
    for settings, message in (
        ({"threshold": 1.5}, "got a threshold of 1.5"),
        ({"fewest": 1}, "got 1 and 8"),
        ({"labels": ["a"]}, "a label for each of the 600"),
    ):
        with pytest.raises(InputError, match=message):
            compare_models(planted.ours, planted.theirs, alignment=identity(), **settings)
    with pytest.raises(Stopped):
        compare_models(planted.ours, planted.theirs, alignment=identity(), should_stop=lambda: True)
    heard = []
    compare_models(planted.ours, planted.theirs, alignment=identity(), progress=lambda *step: heard.append(step))
    assert heard[-1][0] == heard[-1][1]


def test_a_corpus_too_small_to_tell_proves_nothing(planted):
    """What is paired by direction is not what is known: on twelve texts nothing can be told."""
    ours = planted.ours
    few = Model(ours.sae, ours.codes.select(np.arange(12)), ours.vectors[:12])
    found = compare_models(few, few, alignment=identity(), by="cosine")
    assert found.ours.coverage == 1
    assert np.isnan(found.ours.known.share)
    assert found.verdict == "cannot be told"
