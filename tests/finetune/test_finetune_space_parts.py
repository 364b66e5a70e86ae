"""Parts of the diff of two spaces: intervals, CKA, the picture, the best rotation, whether a space is shared."""

import numpy as np
import pytest

from lib.finetune.diff.alignment import best_rotation
from lib.finetune.diff.centroids import centroid_shift
from lib.finetune.diff.cka import cka
from lib.finetune.diff.groups import probe_topics, topic_sums
from lib.finetune.diff.means import measured
from lib.finetune.diff.projection import joint_projection
from lib.finetune.diff.resampling import corrected, deal, redraw
from lib.finetune.diff.sides import sharing, sides
from lib.finetune.diff.space import space_diff
from lib.finetune.diff.spread import spread


@pytest.fixture(scope="module")
def pair():
    """Two sides that share little, 30 texts, of 6 and 4 dimensions."""
    rng = np.random.default_rng(0)
    base = rng.normal(size=(30, 6)) + 1
    return sides(base, base[:, :4] + rng.normal(size=(30, 4)))


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def unbiased_hsic(k, m):
    """Song et al. 2012, equation 5, as it is written there."""
    n = len(k)
    k, m = k - np.diag(np.diag(k)), m - np.diag(np.diag(m))
    return (np.trace(k @ m) + k.sum() * m.sum() / ((n - 1) * (n - 2)) - 2 / (n - 2) * k.sum(axis=0) @ m.sum(axis=0)) / (
        n * (n - 3)
    )


def test_cka_is_that_of_the_kernels(pair):
    def reference(rows):
        x, y = unit(pair.base)[rows], unit(pair.tuned)[rows]
        k, m = x @ x.T, y @ y.T
        return unbiased_hsic(k, m) / np.sqrt(unbiased_hsic(k, k) * unbiased_hsic(m, m))

    made = cka(pair, seed=3)
    assert made.value == pytest.approx(reference(np.arange(30)), abs=1e-5)
    group = np.random.default_rng(3).permutation(30) % 20
    left = np.array([reference(np.flatnonzero(group != one)) for one in range(20)])
    error = 2.093 * np.sqrt(19 * left.var())
    assert made.interval == pytest.approx((made.value - error, min(made.value + error, 1)), abs=1e-3)


def test_cka_of_unrelated_texts_is_zero_on_average():
    rng = np.random.default_rng(1)
    drawn = [cka(sides(rng.normal(size=(19, 8)), rng.normal(size=(19, 5)))).value for _ in range(200)]
    assert abs(np.mean(drawn)) < 4 * np.std(drawn) / np.sqrt(200)


def test_the_best_rotation_is_scipys():
    from scipy.linalg import orthogonal_procrustes

    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(20, 5)), rng.normal(size=(20, 5))
    turn, reached = best_rotation(x.T @ y)
    reference, scale = orthogonal_procrustes(x, y)
    assert turn == pytest.approx(reference)
    assert reached == pytest.approx(scale)


def test_unrelated_texts_are_brought_no_nearer_than_chance():
    rng = np.random.default_rng(4)
    made = space_diff(rng.normal(size=(200, 10)), rng.normal(size=(200, 10)), ["a", "b"] * 100, resamples=2)
    assert made.rotation.distance_aligned == pytest.approx(made.rotation.distance_chance, abs=0.05)
    assert made.neighbours.mean == pytest.approx(made.neighbours.chance, abs=0.03)


def test_agreement_is_one_but_for_offset_and_scale_and_zero_by_chance():
    from scipy.stats import ortho_group

    rng = np.random.default_rng(5)
    base = unit(rng.normal(size=(300, 20)))
    drawn_together = unit(0.01 * base + np.eye(20)[0])  # a cone that keeps what is left of the layout
    kept = sharing(sides(base, drawn_together))
    assert kept.shared
    assert kept.agreement > 0.9
    assert kept.own < 0.2
    found = [sharing(sides(base, base @ ortho_group.rvs(20, random_state=rng))) for _ in range(60)]
    assert not any(one.shared for one in found)
    assert np.std([one.agreement for one in found]) == pytest.approx(np.mean([one.chance for one in found]), rel=0.3)
    assert np.mean([one.nearer for one in found]) == pytest.approx(0.5, abs=0.1)


def test_own_and_others_are_means_over_texts():
    rng = np.random.default_rng(6)
    base, tuned = unit(rng.normal(size=(9, 4))), unit(rng.normal(size=(9, 4)))
    made, cosines = sharing(sides(base, tuned)), base @ tuned.T
    assert made.own == pytest.approx(np.diag(cosines).mean(), abs=1e-6)
    assert made.others == pytest.approx(cosines[~np.eye(9, dtype=bool)].mean(), abs=1e-6)
    wins = (np.diag(cosines)[:, None] > cosines).sum() / 72
    assert made.nearer == pytest.approx(wins)


def test_texts_are_dealt_within_their_topic():
    codes = np.array([0] * 50_000 + [1] * 3 + [-1] * 4)
    dealt = deal(codes, 2, seed=0)
    assert dealt.strata == 3
    assert dealt.sizes.sum() == len(codes)
    for stratum, code in enumerate([0, 1, -1]):
        inside = (dealt.group >= dealt.bounds[stratum]) & (dealt.group < dealt.bounds[stratum + 1])
        assert np.array_equal(inside, codes == code)
    assert dealt.sizes[: dealt.bounds[1]].max() == 3  # 50,000 texts in just under 20,000 groups
    assert np.ptp(dealt.sizes[: dealt.bounds[1]]) <= 1
    assert list(np.diff(dealt.bounds)[1:]) == [3, 4]


def test_resampled_means_scatter_as_a_mean_does():
    values = np.random.default_rng(7).normal(size=(12, 1))
    dealt = deal(np.zeros(12, dtype=np.int64), 1, seed=0)
    drawn = np.concatenate(list(redraw(dealt, dealt.totals(values), resamples=20_000, seed=0)))
    assert drawn.shape == (20_000, 1, 1)
    assert drawn.mean() == pytest.approx(values.mean(), abs=0.01)
    assert drawn.std() == pytest.approx(values.std(ddof=1) / np.sqrt(12), rel=0.03)


def test_an_interval_is_moved_by_what_drawing_adds_and_holds_its_value():
    drawn = np.linspace(1.0, 2.0, 1001)
    assert corrected(drawn, 1.4) == pytest.approx([1.025 - 0.2, 1.975 - 0.2])
    assert corrected(drawn, 1.4, biased=False) == pytest.approx([1.025 - 0.1, 1.975 - 0.1])
    assert corrected(drawn, 0.3, least=0.0) == pytest.approx([0.0, 0.3])


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    """A topic whose texts move by noise and by a common step."""
    rng, step = np.random.default_rng(8), 0.3 * np.eye(8)[1]

    def measure(n, resamples):
        base = np.eye(8)[0] + 0.3 * rng.normal(size=(n, 8))
        pair = sides(base, base + step + 0.1 * rng.normal(size=(n, 8)))
        topics = probe_topics(base, ["a"] * n)
        found = measured(
            pair, deal(topics.codes, 1, seed=0), np.empty((n, 0)), shared=True, resamples=resamples, seed=1
        )
        return centroid_shift(found, topics), spread(found, topics)

    shift, width = measure(20_000, 2)
    missed = np.zeros(3)
    for _ in range(60):
        made, wide = measure(25, 200)
        for place, (truth, (low, high)) in enumerate(
            [
                (shift.angle[0], made.angle_interval[0]),
                (shift.distance[0], made.distance_interval[0]),
                (width.change[0], wide.change_interval[0]),
            ]
        ):
            missed[place] += not low <= truth <= high
    assert (missed <= 9).all()  # of 60, 3 expected; 10 or more come about once in a thousand


@pytest.mark.parametrize("each", [2, 3, 5])
def test_few_texts_a_topic_do_not_tell_its_spread_for_sure(each):
    """Texts that move by noise alone, to the same spread: nothing drew together."""
    rng, said, of = np.random.default_rng(10), 0, 0
    codes = np.repeat(np.arange(6), each)
    for _ in range(25):
        base = 2 * np.eye(8)[codes] + rng.normal(size=(len(codes), 8))
        tuned = 2 * np.eye(8)[codes] + 0.8 * (base - 2 * np.eye(8)[codes]) + 0.6 * rng.normal(size=base.shape)
        topics = probe_topics(base, [str(code) for code in codes])
        nothing = np.empty((len(codes), 0))
        found = measured(sides(base, tuned), deal(topics.codes, 6, seed=0), nothing, shared=True, resamples=100, seed=1)
        width = spread(found, topics)
        ends = np.vstack([width.change_interval, width.mean_change_interval])
        said += int((ends[:, 0] > 0).sum() + (ends[:, 1] < 0).sum())
        of += 7
    assert said <= 0.06 * of  # 5 % expected; it was all of them at two texts, 27 % at five


@pytest.fixture(scope="module")
def pictured():
    rng = np.random.default_rng(9)
    codes = np.arange(90) % 3
    base = 2 * np.eye(10)[codes] + 0.5 * rng.normal(size=(90, 10))
    tuned = base + 0.4 * np.eye(10)[7]
    made = sides(base, tuned)
    topics = probe_topics(base, [f"t{code}" for code in codes])
    return made, topics, topic_sums(made, topics)


@pytest.mark.parametrize("aim", ["topics", "shift"])
def test_the_picture_is_exact_on_its_axes(pictured, aim):
    pair, topics, sums = pictured
    made = joint_projection(pair, topics, sums, aim=aim, most=31)
    assert made.axes @ made.axes.T == pytest.approx(np.eye(2), abs=1e-9)
    means = [np.array([unit(side)[topics.codes == code].mean(axis=0) for code in range(3)]) for side in
             (pair.base, pair.tuned)]  # fmt: skip
    assert made.base == pytest.approx((means[0] - made.mean) @ made.axes.T, abs=1e-6)
    assert made.tuned - made.base == pytest.approx((means[1] - means[0]) @ made.axes.T, abs=1e-6)
    step = means[1] - means[0]
    assert made.shown == pytest.approx(((step @ made.axes.T) ** 2).sum(axis=1) / (step**2).sum(axis=1), abs=1e-5)
    assert len(made.rows) == len(made.texts_base) == 31
    assert np.ptp(np.bincount(topics.codes[made.rows])) <= 1
    inside = unit(pair.base)[topics.codes == 1] @ made.axes.T
    radius = np.sqrt(((inside - inside.mean(axis=0)) ** 2).sum(axis=1).mean())
    assert made.base_radius[1] == pytest.approx(radius, abs=1e-5)


def test_each_picture_shows_what_it_is_for(pictured):
    pair, topics, sums = pictured
    by_topics, by_shift = (joint_projection(pair, topics, sums, aim=aim) for aim in ("topics", "shift"))
    assert by_topics.shown_between > 0.9 > by_shift.shown_between
    assert by_shift.shown_overall > 0.9 > by_topics.shown_overall
    assert by_topics.variance.sum() > by_shift.variance.sum()


def test_many_topics_have_no_interval_for_every_pair():
    rng = np.random.default_rng(10)
    base = rng.normal(size=(122, 6))
    made = space_diff(base, base + 0.1, [f"t{row % 61}" for row in range(122)], resamples=5, k=3)
    assert np.isnan(made.separation.change_low).all()
    assert np.isfinite(made.separation.between_interval).all()
