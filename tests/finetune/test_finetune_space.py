"""What a fine-tune changed in the space: closed forms, invariances, planted truth, degenerate input."""

import json

import numpy as np
import pytest

from lib.errors import InputError, Stopped
from lib.finetune.diff.groups import probe_topics
from lib.finetune.diff.neighbours import text_neighbours
from lib.finetune.diff.space import space_diff

TOPICS = ("cars", "law", "music")


def toy(n=60, d=12, seed=0, scatter=0.6):
    """Texts of three topics, some without one; and their topics."""
    rng = np.random.default_rng(seed)
    codes = np.arange(n) % 3
    centres = np.linalg.qr(rng.normal(size=(d, 3)))[0].T
    vectors = centres[codes] + scatter * rng.normal(size=(n, d)) / np.sqrt(d)
    return vectors.astype(np.float32), [None if row < 3 else TOPICS[code] for row, code in enumerate(codes)]


def turned(degrees, d=12):
    """A rotation by that angle in every plane of two axes: each vector turns by it."""
    angle = np.radians(degrees)
    plane = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return np.kron(np.eye(d // 2), plane)


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def corpus():
    return toy()


@pytest.fixture(scope="module")
def moved(corpus):
    """The topic "law" drawn together to a fifth and pushed away, the others as they were but for a little noise."""
    vectors, topics = corpus
    law = np.array([topic == "law" for topic in topics])
    made = vectors + 0.02 * np.random.default_rng(3).normal(size=vectors.shape)
    centre = vectors[law].mean(axis=0)
    made[law] = centre + 0.2 * (vectors[law] - centre) + 0.5 * np.eye(12)[5]
    return made


def test_the_same_checkpoint_gives_exactly_zero(corpus):
    vectors, topics = corpus
    made = space_diff(vectors, vectors.copy(), topics, resamples=20)
    assert made.sharing.identical
    assert made.sharing.own == made.sharing.agreement == made.sharing.nearer == 1
    for zero in (
        made.centroids.angle, made.centroids.distance, made.centroids.angle_interval, made.centroids.distance_interval,
        made.spread.change, made.spread.change_interval, made.separation.change, made.separation.change_low,
        made.separation.silhouette_topics_interval, made.rotation.topic_distance, made.projection.base -
        made.projection.tuned,
    ):  # fmt: skip
        assert not zero.any()
    for zero in (
        made.centroids.mean_angle, made.centroids.whole_distance, made.spread.mean_change, made.anisotropy.delta,
        *made.anisotropy.interval, made.separation.between_change, made.separation.ratio_change,
        made.separation.silhouette_change, made.dimension.change, made.rotation.distance,
        made.rotation.distance_aligned,
    ):  # fmt: skip
        assert zero == 0
    assert (made.neighbours.kept == 1).all()
    assert made.cka.value == made.movement.mean == made.similarities.overlap == 1
    assert made.projection.shown_overall is None
    assert np.isnan(made.projection.shown).all()


def test_equal_directions_are_the_same_checkpoint_whatever_their_lengths(corpus):
    vectors, topics = corpus
    assert space_diff(vectors, 4 * vectors, topics, resamples=5).sharing.identical
    made = space_diff(vectors, 3 * vectors, topics, resamples=5)
    assert made.centroids.distance == pytest.approx(0, abs=1e-6)
    assert made.cka.value == pytest.approx(1, abs=1e-6)


def test_a_rotated_copy_has_a_known_shift_and_nothing_that_a_search_could_see(corpus):
    vectors, topics = corpus
    made = space_diff(vectors, vectors @ turned(30), topics, resamples=50)
    assert made.sharing.shared
    assert made.sharing.own == pytest.approx(np.cos(np.radians(30)), abs=1e-6)
    assert made.centroids.angle == pytest.approx(30, abs=1e-4)
    assert made.centroids.angle_interval == pytest.approx(30, abs=1e-3)
    lengths = 1 - made.spread.base  # of the means: each point moves by 2 sin(15 degrees) of its length
    assert made.centroids.distance == pytest.approx(2 * np.sin(np.radians(15)) * lengths, abs=1e-6)
    assert made.movement.cosine == pytest.approx(np.cos(np.radians(30)), abs=1e-6)
    assert made.rotation.distance == pytest.approx(1 - np.cos(np.radians(30)), abs=1e-6)
    assert made.rotation.distance_aligned == pytest.approx(0, abs=1e-6)
    assert made.rotation.explained == pytest.approx(1, abs=1e-5)
    assert made.rotation.topic_distance == pytest.approx(0, abs=1e-6)
    assert made.neighbours.mean == 1
    assert made.cka.value == pytest.approx(1, abs=1e-6)
    for zero in (
        made.spread.change, made.separation.change, made.anisotropy.delta, made.separation.silhouette_change,
        made.dimension.change,
    ):  # fmt: skip
        assert zero == pytest.approx(0, abs=2e-5)


def test_another_space_of_equal_width_is_told_from_the_same_one(corpus):
    vectors, topics = corpus
    other = vectors @ np.linalg.qr(np.random.default_rng(2).normal(size=(12, 12)))[0]
    made = space_diff(vectors, other, topics, resamples=5)
    assert not made.sharing.shared
    assert made.centroids is made.projection is made.projection_shift is made.movement is None
    assert made.rotation.distance is made.rotation.explained is None
    assert made.neighbours.mean == 1
    assert "are left out" in made.notices[-1]
    said = space_diff(vectors, other, topics, shared=True, resamples=5)
    assert said.sharing.given
    assert said.centroids is not None


def test_widths_may_differ(corpus):
    vectors, topics = corpus
    wider = np.hstack([vectors, np.zeros((60, 5))])
    made = space_diff(vectors, wider, topics, resamples=20)
    assert "12 dimensions" in made.sharing.sentence
    assert made.sharing.agreement is None
    assert made.centroids is None
    assert made.neighbours.mean == 1
    assert made.cka.value == pytest.approx(1, abs=1e-6)
    assert made.rotation.distance_aligned == pytest.approx(0, abs=1e-6)
    assert made.anisotropy.delta == pytest.approx(0, abs=1e-6)
    back = space_diff(wider, vectors, topics, resamples=20)
    assert back.rotation.distance_aligned == pytest.approx(0, abs=1e-6)
    with pytest.raises(InputError, match="12 and of 17 dimensions cannot lie in one space"):
        space_diff(vectors, wider, topics, shared=True)


def test_a_planted_collapse_of_one_topic_is_found_there_and_only_there(corpus, moved):
    vectors, topics = corpus
    made = space_diff(vectors, moved, topics, resamples=200)
    spread, centroids = made.spread, made.centroids
    assert spread.ratio[1] < 0.1
    assert spread.change_interval[1, 1] < 0
    assert np.abs(spread.ratio[[0, 2]] - 1).max() < 0.05
    assert centroids.distance[1] > 5 * centroids.distance[[0, 2]].max()
    assert centroids.distance_interval[1, 0] > centroids.distance_interval[[0, 2], 1].max()
    assert made.neighbours.by_topic[1] < made.neighbours.by_topic[[0, 2]].min()
    assert made.movement.by_topic.argmin() == 1
    assert topics[made.movement.most_moved[0]] == "law"
    assert made.anisotropy.delta > 0


def test_figures_agree_with_their_definitions(corpus, moved):
    """Slow references in plain numpy."""
    vectors, topics = corpus
    made = space_diff(vectors, moved, topics, resamples=10)
    labels = np.array([topic or "" for topic in topics])
    sides = unit(vectors.astype(float)), unit(moved)
    means = [np.array([side[labels == topic].mean(axis=0) for topic in TOPICS]) for side in sides]
    gap = means[1] - means[0]
    assert made.centroids.distance == pytest.approx(np.linalg.norm(gap, axis=1), abs=1e-6)
    cosines = (unit(means[0]) * unit(means[1])).sum(axis=1)
    assert made.centroids.angle == pytest.approx(np.degrees(np.arccos(cosines)), abs=1e-3)
    between = [np.linalg.norm(side[:, None] - side, axis=2) for side in means]
    assert made.separation.base == pytest.approx(between[0], abs=1e-6)
    assert made.separation.change == pytest.approx(between[1] - between[0], abs=1e-6)
    assert made.centroids.relative == pytest.approx(
        made.centroids.distance / np.where(np.eye(3), np.inf, between[0]).min(axis=1)
    )
    spread = [1 - (sides[1][labels == topic] @ unit(means[1])[i]).mean() for i, topic in enumerate(TOPICS)]
    assert made.spread.tuned == pytest.approx(spread, abs=1e-6)
    pairs = between[1][np.triu_indices(3, 1)]
    assert made.separation.between_tuned == pytest.approx(np.sqrt((pairs**2).mean()), abs=1e-6)
    within = np.mean([((sides[1][labels == t] - means[1][i]) ** 2).sum(axis=1).mean() for i, t in enumerate(TOPICS)])
    assert made.separation.ratio_tuned == pytest.approx(made.separation.between_tuned / np.sqrt(within), rel=1e-5)
    assert made.movement.cosine == pytest.approx((sides[0] * sides[1]).sum(axis=1), abs=1e-6)
    upper = np.triu_indices(60, 1)
    mean_cosines = [(side @ side.T)[upper].mean() for side in sides]
    assert made.anisotropy.delta == pytest.approx(mean_cosines[1] - mean_cosines[0], abs=1e-6)
    assert made.similarities.mean_tuned == pytest.approx(mean_cosines[1], abs=1e-6)
    order = [np.argsort(-(side @ side.T) + 9 * np.eye(60), axis=1)[:, :10] for side in sides]
    kept = [len(set(one) & set(other)) / 10 for one, other in zip(*order, strict=True)]
    assert made.neighbours.kept == pytest.approx(kept)
    assert made.neighbours.chance == 10 / 59


def test_silhouette_and_the_curve_agree_with_scikit_learn(corpus, moved):
    from sklearn.metrics import roc_auc_score, silhouette_samples

    vectors, topics = corpus
    made = space_diff(vectors, moved, topics, resamples=10)
    known = [row for row, topic in enumerate(topics) if topic]
    labels = np.array(topics, dtype=object)[known].astype(str)
    reference = silhouette_samples(moved[known], labels, metric="cosine")
    assert made.separation.silhouette_tuned == pytest.approx(reference.mean(), abs=1e-5)
    left, right = np.triu_indices(len(known), 1)
    cosines = (unit(moved[known]) @ unit(moved[known]).T)[left, right]
    area = roc_auc_score(labels[left] == labels[right], cosines)
    assert made.similarities.told_apart_tuned == pytest.approx(area, abs=1e-6)
    assert made.similarities.tuned.sum() == pytest.approx(1)
    assert made.similarities.pairs_within + made.similarities.pairs_between == len(left)


def test_order_and_a_common_rotation_change_nothing(corpus, moved):
    vectors, topics = corpus
    first = space_diff(vectors, moved, topics, resamples=10)
    order = np.random.default_rng(1).permutation(60)
    turn = np.linalg.qr(np.random.default_rng(2).normal(size=(12, 12)))[0]
    other = space_diff(vectors[order] @ turn, moved[order] @ turn, [topics[row] for row in order], resamples=10)
    assert other.centroids.distance == pytest.approx(first.centroids.distance, abs=1e-6)
    assert other.neighbours.mean == pytest.approx(first.neighbours.mean)
    assert other.cka.value == pytest.approx(first.cka.value, abs=1e-6)
    assert other.projection.shown_overall == pytest.approx(first.projection.shown_overall, abs=1e-4)


def test_a_space_collapsed_to_one_point_is_measured_as_such(corpus):
    vectors, topics = corpus
    made = space_diff(vectors, np.tile(np.eye(12)[0], (60, 1)), topics, resamples=20)
    assert made.sharing.shared
    assert "one point" in made.sharing.sentence
    assert made.anisotropy.tuned.mean_cosine == pytest.approx(1)
    assert made.spread.tuned == pytest.approx(0, abs=1e-9)
    assert made.separation.tuned == pytest.approx(0, abs=1e-6)
    assert np.isnan(made.separation.ratio_tuned)
    assert made.cka.value is None
    assert made.dimension.change is None
    json.dumps(made.to_dict(), allow_nan=False)


@pytest.mark.filterwarnings("error")
def test_few_texts_and_few_topics(corpus):
    vectors, _ = corpus
    three = space_diff(vectors[:3], vectors[1:4], ["a", "b", "b"], resamples=10, shared=True)
    assert np.isnan(three.centroids.distance_interval[0]).all()
    assert np.isnan(three.centroids.distance_interval[1]).all()  # two texts tell no interval either
    assert np.isfinite(three.centroids.mean_distance_interval).all()
    assert three.spread.base[0] == pytest.approx(0, abs=1e-6)
    assert three.cka.value is None
    assert three.neighbours.k == 2
    assert any("2 topics have fewer than 5 texts" in notice for notice in three.notices)
    alone = space_diff(vectors[:3], vectors[1:4], ["a", "b", "c"], resamples=10, shared=True)
    assert np.isnan(alone.anisotropy.interval).all()
    assert np.isnan(alone.centroids.mean_distance_interval).all()
    one = space_diff(vectors, vectors[::-1], ["a"] * 60, resamples=10, shared=True)
    assert one.separation is None
    assert one.projection.shown_between is None
    assert np.isnan(one.centroids.relative).all()
    most = space_diff(vectors[:24], vectors[1:25], [*"abcdefghijklm", *["n"] * 11], resamples=10, shared=True)
    assert np.isnan(
        [*most.anisotropy.interval, *most.spread.mean_change_interval]
    ).all()  # most topics are single texts
    assert np.isfinite(most.spread.change_interval[-1]).all()
    rest = space_diff(vectors, vectors + 0.1, ["a", *[None] * 59], resamples=10)
    assert np.isnan(rest.centroids.mean_angle_interval).all()
    assert np.isfinite(rest.anisotropy.interval).all()
    assert np.isfinite(rest.centroids.whole_angle_interval).all()
    json.dumps([three.to_dict(), alone.to_dict(), one.to_dict(), rest.to_dict()], allow_nan=False)


@pytest.mark.filterwarnings("error")
def test_a_topic_whose_texts_cancel_out_has_no_direction(corpus):
    vectors, _ = corpus
    against = np.vstack([vectors[:30], -vectors[:30]])
    made = space_diff(against, against + 0.3, ["a"] * 60, resamples=10)
    assert np.isnan(made.centroids.angle[0])
    assert made.centroids.distance[0] > 0
    assert made.spread.base[0] == pytest.approx(1, abs=1e-3)


def test_copies_of_texts_are_no_trouble(corpus):
    vectors, topics = corpus
    twice = np.repeat(vectors[:20], 3, axis=0)
    made = space_diff(twice, twice + 0.01 * np.eye(12)[0], topics[:20] * 3, resamples=10, k=4)
    assert made.dimension.change is None
    assert 0 <= made.neighbours.mean <= 1


def test_clusters_stand_in_for_topics(corpus):
    vectors, _ = corpus
    made = space_diff(vectors, vectors + 0.01, [None] * 60, resamples=5)
    assert made.topics.source == "clusters"
    assert made.topics.names[0] == "cluster 1"
    assert made.topics.notices[0].startswith("The corpus has no topics: 3 clusters found")
    again = space_diff(vectors, vectors + 0.01, made.topics, resamples=5)
    assert np.array_equal(again.centroids.distance, made.centroids.distance)


def test_messages_name_the_side_and_the_remedy(corpus):
    vectors, topics = corpus
    empty = vectors.copy()
    empty[7] = 0
    with pytest.raises(InputError, match="On the tuned side of the diff: Embedding 7 has zero length"):
        space_diff(vectors, empty, topics)
    with pytest.raises(InputError, match="same texts on both sides, got 60 base and 59 tuned"):
        space_diff(vectors, vectors[1:], topics)
    with pytest.raises(InputError, match="at least 3 texts, got 2"):
        space_diff(vectors[:2], vectors[:2])
    with pytest.raises(InputError, match="60 embeddings, got 2"):
        space_diff(vectors, vectors, ["a", "b"])
    with pytest.raises(InputError, match="60 texts, got 2"):
        space_diff(vectors, vectors, probe_topics(vectors[:2], ["a", "b"]))
    with pytest.raises(InputError, match="k of at least 1"):
        space_diff(vectors, vectors, topics, k=0)
    with pytest.raises(Stopped):
        space_diff(vectors, vectors, topics, should_stop=lambda: True)


def test_progress_runs_to_its_end(corpus):
    vectors, topics = corpus
    told = []
    space_diff(vectors, vectors, topics, resamples=5, progress=lambda done, of: told.append((done, of)))
    assert told[0][0] == 0
    assert told[-1][0] == told[-1][1]


def test_neighbours_of_one_text_are_those_of_all(corpus, moved):
    vectors, topics = corpus
    made = space_diff(vectors, moved, topics, resamples=5).neighbours
    row = int(made.rows[made.most_changed[0]])
    one = text_neighbours(vectors, moved, row)
    assert np.array_equal(one.before, made.before[row])
    assert np.array_equal(one.after, made.after[row])
    assert one.lost.sum() == one.gained.sum() == round(10 * (1 - made.kept[row]))
    assert one.before_similarity == pytest.approx(unit(vectors)[one.before] @ unit(vectors)[row], abs=1e-6)
    with pytest.raises(InputError, match="got text 60"):
        text_neighbours(vectors, moved, 60)
