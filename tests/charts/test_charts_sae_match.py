"""Figures of two models side by side: what they draw is what the result holds."""

import numpy as np
import pytest

from lib.charts import sae_match as charts
from lib.sae.matching import Model, compare_models, identity
from tests.toy_sae import planted, random_sae

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def found():
    vectors = planted(300, 16, 48).vectors
    a, b = random_sae(), random_sae(seed=3)
    models = [Model(sae, sae.encode(vectors), vectors) for sae in (a, b)]
    labels = [HOSTILE if row % 3 else "even" for row in range(300)]
    return compare_models(*models, alignment=identity(), labels=labels, threshold=0.6)


def test_coverage_stands_where_it_is(found):
    fig = charts.coverages(found, ours="this", theirs="other")
    known, paired = fig.data[:2]
    assert list(known.x) == pytest.approx(
        [100 * part.share for part in (found.ours.known, *(one.ours for one in found.labels))]
    )
    assert list(paired.x) == pytest.approx(
        [100 * part.share for part in (found.ours.domain, *(one.ours_paired for one in found.labels))]
    )
    assert fig.data[2].x[0] == pytest.approx(100 * found.theirs.known.share)
    assert [trace.marker.symbol for trace in fig.data] == ["circle", "circle-open", "diamond", "diamond-open"]
    assert "<img" not in fig.to_json()


def test_the_histogram_holds_every_feature(found):
    fig = charts.similarities(found.ours, by="cosine", threshold=found.threshold)
    chance, real = fig.data
    for trace in (chance, real):
        assert sum(trace.y) / 2 == pytest.approx(100)  # a step is drawn with both its ends
    assert chance.line.dash == "dash"


def test_a_pair_stands_at_its_similarities(found):
    rows = np.arange(48)
    fig = charts.agreement(found.ours, rows, [HOSTILE] * 48, chosen=0)
    points = {
        int(data[0]): (x, y)
        for trace in fig.data
        if trace.name
        for x, y, data in zip(trace.x, trace.y, trace.customdata, strict=True)
    }
    known = np.flatnonzero(np.isfinite(found.ours.correlation))
    assert sorted(points) == known.tolist()
    assert points[known[0]] == pytest.approx((found.ours.cosine[known[0]], found.ours.correlation[known[0]]))
    assert "<img" not in fig.to_json()


def test_nothing_to_draw(found):
    empty = compare_models(
        *(Model(random_sae(), random_sae().encode(np.zeros((3, 16))), np.zeros((3, 16))) for _ in range(2)),
        alignment=identity(), by="correlation",
    )  # fmt: skip
    charts.coverages(empty, ours="this", theirs="other")
    charts.similarities(empty.ours, by="correlation", threshold=0.5)
    charts.agreement(empty.ours, np.arange(0), [])
