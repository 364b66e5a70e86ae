"""Drift and verdict on planted spaces: what was done to the vectors is what is told of them."""

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pytest

from lib.corpora import QuerySet
from lib.errors import InputError
from lib.finetune.diff.calibration import ROUNDING, SCALE, reading
from lib.finetune.diff.drift import drift
from lib.finetune.diff.ranks import RetrievalSide, rank_diff
from lib.finetune.diff.report import report, topic_table
from lib.finetune.diff.space import space_diff

TOPICS, EACH, D = ("cats", "law", "tax"), 40, 24


@dataclass(frozen=True)
class Made:
    """A space: documents by topic, which are the corpus, too, and a query beside each document."""

    documents: np.ndarray
    queries: np.ndarray


@cache
def parts():
    """Centres of three topics, each text's place around its centre, and the noise of its query."""
    rng = np.random.default_rng(0)
    centres = np.eye(D)[:3] - np.eye(D)[:3].mean(axis=0)
    places, noises = rng.normal(size=(2, 3, EACH, D)) / np.sqrt(D)
    places[..., :3] *= 0.2
    return centres, places, noises


def made(*, apart=(0.8,) * 3, wide=(1.0,) * 3, noise=(1.0,) * 3):
    """Topics `apart` from the middle, `wide` around their centres, queries off their documents by `noise`."""
    centres, places, noises = parts()
    documents = np.concatenate([a * c + w * p for a, c, w, p in zip(apart, centres, wide, places, strict=True)])
    off = np.concatenate([a * n for a, n in zip(noise, noises, strict=True)])
    return Made(documents, documents + off)


@cache
def query_set():
    n = 3 * EACH
    rows = np.arange(n)
    return QuerySet(
        name="made up",
        queries=tuple(f"query {row}" for row in rows),
        query_ids=tuple(f"q{row}" for row in rows),
        documents=tuple(f"document {row}" for row in rows),
        document_ids=tuple(f"d{row}" for row in rows),
        judged_query=rows,
        judged_document=rows,
        relevance=np.ones(n, dtype=np.int64),
        topics=labels(),
    )


def labels():
    return tuple(name for name in TOPICS for _ in range(EACH))


def diffs(base, tuned, *, queries=True, texts=True):
    sides = RetrievalSide("base", base.queries, base.documents), RetrievalSide("tuned", tuned.queries, tuned.documents)
    ranks = rank_diff(query_set(), *sides, resamples=1_000) if queries else None
    space = space_diff(base.documents, tuned.documents, labels(), resamples=200) if texts else None
    return space, ranks


def turned(space, degrees):
    """Every vector turned by the same angle: D / 2 planes, each by it."""
    angle = np.radians(degrees)
    turn = np.kron(np.eye(D // 2), [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return Made(space.documents @ turn, space.queries @ turn)


def test_a_checkpoint_against_itself_has_exactly_none():
    found = drift(*diffs(made(), made()))
    assert found.composite == 0
    assert [(part.raw, part.scaled) for part in found.parts] == [(0, 0)] * 3
    assert (found.verdict.code, found.verdict.direction) == ("unchanged", "neutral")
    assert "identical" in found.reading
    assert not found.notices
    for weights in ((1, 0, 0), (0.2, 5, 3)):
        assert drift(*diffs(made(), made()), weights=weights).composite == 0


def test_a_rotation_moves_the_space_by_its_angle_and_nothing_else():
    found = drift(*diffs(made(), turned(made(), 18)))
    shift, ranks, anisotropy = found.parts
    assert shift.raw == pytest.approx(18, abs=1e-3)
    assert shift.scaled == pytest.approx(0.4, abs=1e-4)  # of 45 degrees
    assert ranks.raw == 0
    assert anisotropy.raw == pytest.approx(0, abs=1e-6)
    assert found.composite == pytest.approx(0.4 / 3, abs=1e-4)
    assert found.verdict.code == "moved without effect"


def test_everything_at_one_point_is_a_drift_of_nearly_one_and_a_collapse():
    base = made()
    point = Made(np.ones((3 * EACH, D)), np.ones((3 * EACH, D)))
    found = drift(*diffs(base, point))
    assert found.composite > 0.9
    assert found.part("anisotropy").scaled == pytest.approx(1)
    assert (found.verdict.code, found.verdict.direction) == ("collapsed", "bad")
    assert drift(*diffs(base, point, queries=False)).verdict.code == "collapsed"


def test_a_little_noise_is_a_little_drift():
    base, rng = made(), np.random.default_rng(1)

    def noisy(scale):
        return Made(*(v + scale * rng.normal(size=v.shape) / np.sqrt(D) for v in (base.documents, base.queries)))

    small, more, most = (drift(*diffs(base, noisy(scale))).composite for scale in (1e-4, 0.3, 1))
    assert 0 < small < ROUNDING < more < most < 0.7
    assert drift(*diffs(base, noisy(1e-4))).verdict.code == "unchanged"


def test_topics_pulled_apart_for_better_retrieval_are_good_drift():
    found = drift(*diffs(made(noise=(1.6,) * 3), made(apart=(1.3,) * 3, noise=(0.8,) * 3)))
    assert (found.verdict.code, found.verdict.direction) == ("improved", "good")
    assert "by pulling topics apart without inflating anisotropy" in found.verdict.sentence
    assert {one.state for one in found.verdict.topics} == {"improved"}


def test_one_topic_won_by_collapsing_another_is_bad_drift_though_recall_rose():
    tuned = made(wide=(1.0, 1.0, 0.25), noise=(0.5, 0.5, 2.6))
    space, ranks = diffs(made(noise=(2.0,) * 3), tuned)
    found = drift(space, ranks)
    assert ranks.metric("recall@1").test.difference > 0
    assert (found.verdict.code, found.verdict.direction) == ("improved one topic by collapsing another", "bad")
    assert {one.topic: one.state for one in found.verdict.topics} == {
        "cats": "improved", "law": "improved", "tax": "collapsed",
    }  # fmt: skip
    assert "Improved cats and law by collapsing tax" in found.verdict.sentence


def test_retrieval_bought_with_a_common_direction_is_told_as_such():
    base, tuned = made(noise=(1.2,) * 3), made(noise=(0.4,) * 3)
    common = 1.0 * np.eye(D)[-1]
    found = drift(*diffs(base, Made(tuned.documents + common, tuned.queries + common)))
    assert found.verdict.code == "improved, at the price of anisotropy"
    assert found.verdict.direction == "neutral"


def test_worse_retrieval_is_bad_drift():
    found = drift(*diffs(made(noise=(0.5,) * 3), made(noise=(1.2,) * 3)))
    assert (found.verdict.code, found.verdict.direction) == ("worse", "bad")


def test_parts_that_cannot_be_had_drop_out_and_are_named():
    base = made()
    padded = Made(*(np.pad(v, ((0, 0), (0, 8))) @ random_turn(D + 8) for v in (base.documents, base.queries)))
    found = drift(*diffs(base, padded))  # other widths: no shared space, the same neighbours and ranks
    assert [part.weight for part in found.parts] == [0, 0.5, 0.5]
    assert found.part("centroid shift").scaled is None
    assert found.composite == pytest.approx(0, abs=1e-6)
    assert "needs one space" in found.notices[0]

    alone = drift(*diffs(base, made(noise=(1.4,) * 3), queries=False))
    assert alone.composite == 0  # the texts did not move
    assert [part.weight for part in alone.parts] == [0.5, 0, 0.5]
    assert alone.verdict.code == "unchanged"
    moved = drift(*diffs(base, turned(base, 30), queries=False))
    assert moved.verdict.code == "cannot be told"

    ranks_only = drift(*diffs(base, made(noise=(1.4,) * 3), texts=False))
    assert ranks_only.composite == ranks_only.part("changed ranks").scaled > 0
    assert ranks_only.verdict.code == "worse"
    nothing = drift(*diffs(base, base, texts=False), weights=(1, 0, 1))
    assert nothing.composite is None
    assert "none of its parts" in nothing.reading


def random_turn(d):
    return np.linalg.qr(np.random.default_rng(5).normal(size=(d, d)))[0]


def test_weights_are_normalised_and_leave_the_verdict_alone():
    given = diffs(made(), made(apart=(1.3,) * 3, noise=(0.5,) * 3))
    even = drift(*given)
    scaled = [part.scaled for part in even.parts]
    assert even.composite == pytest.approx(np.mean(scaled))
    for weights in ((1, 0, 0), (0, 2, 0), (0, 0, 7), (3, 2, 1), (0.3, 0.2, 0.1)):
        found = drift(*given, weights=weights)
        assert found.composite == pytest.approx(np.dot(weights, scaled) / sum(weights))
        assert sum(part.weight for part in found.parts) == pytest.approx(1)
        assert found.verdict == even.verdict
        assert "equal weights" in found.reading
    assert "equal weights" not in even.reading
    for wrong in ((1, 1), (0, 0, 0), (1, -1, 1), (1, 1, float("nan")), ()):
        with pytest.raises(InputError, match="three weights of 0 or more"):
            drift(*given, weights=wrong)
    with pytest.raises(InputError, match="got neither"):
        drift(None, None)


def test_the_scale_begins_at_nothing_and_ends_in_collapse():
    composites = [mark.composite for mark in SCALE]
    assert composites == sorted(composites)
    assert composites[0] == 0
    assert composites[-1] > 0.9
    for mark in SCALE:
        assert mark.composite == pytest.approx((mark.shift + mark.ranks + mark.anisotropy) / 3, abs=2e-3)
    assert f"between {SCALE[0].name} (0.000) and {SCALE[1].name}" in reading(SCALE[1].composite / 2)
    assert f"beyond {SCALE[-1].name}" in reading(1.0)
    assert "identical" in reading(0.0)
    assert "identical" not in reading(0.0, equal=False)  # what was left out may have changed


def test_the_table_and_the_report_have_a_row_a_topic():
    space, ranks = diffs(made(), made(wide=(1.0, 1.0, 0.25), noise=(0.3, 0.3, 1.6)))
    found = drift(space, ranks)
    table = topic_table(space, ranks, found.verdict).set_index("topic")
    assert list(table.index) == list(TOPICS)
    assert list(table["texts"]) == list(table["queries"]) == [EACH] * 3
    tax = table.loc["tax"]
    assert tax["spread_tuned"] < 0.75 * tax["spread_base"]
    assert tax["ndcg@10_change"] == pytest.approx(tax["ndcg@10_tuned"] - tax["ndcg@10_base"])
    assert tax["shift_degrees_low"] <= tax["shift_degrees_high"]
    values = report(found, space, ranks)
    assert len(values["topics"]) == 3
    assert "cosine" not in values["space"]["movement"]
    assert "run_base" not in values["ranks"]
    assert len(values["ranks"]["change"]) == 3 * EACH
    other = replace(query_set(), topics=("fish",) * 3 * EACH)  # queries of a topic that no text has
    side = RetrievalSide("base", made().queries, made().documents)
    apart = rank_diff(other, side, side, resamples=100)
    assert list(topic_table(space, apart, drift(space, apart).verdict)["topic"]) == [*TOPICS, "fish"]
