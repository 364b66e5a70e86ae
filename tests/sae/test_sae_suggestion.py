"""How large a dictionary a number of texts can fill, and how long a training takes."""

import pytest

from lib.sae.suggestion import estimated_seconds, suggested
from lib.sae.training import TrainingSettings


@pytest.mark.parametrize(
    ("texts", "features", "k"),
    [(1, 64, 4), (640, 64, 4), (1_000, 64, 4), (10_000, 256, 8), (100_000, 1_024, 8), (300_000, 4_096, 64)],
)
def test_the_rule_of_thumb(texts, features, k):
    assert (suggested(texts).features, suggested(texts).k) == (features, k)


def test_every_suggestion_can_be_trained():
    earlier = 0
    for texts in (4, 50, 402, 2_999, 3_000, 29_999, 80_000, 200_000, 10**6):
        found = suggested(texts)
        TrainingSettings(
            features=found.features, k=found.k, batch_size=found.batch_size, passes=found.passes,
            held_out=found.held_out,
        ).check()  # fmt: skip
        assert found.features >= earlier
        assert 64 <= found.batch_size <= 2_048
        assert 8 <= found.passes <= 200
        earlier = found.features


def test_an_estimate_is_what_was_measured_on_two_quiet_cores():
    samples = 30_000 * 600
    seconds = estimated_seconds(samples, 4_096, 384, batch_size=2_048, rate=1.2e11)
    assert seconds == pytest.approx(610, rel=0.05)


def test_an_estimate_grows_with_all_that_costs():
    base = {"samples": 100_000, "features": 1_024, "dimensions": 384}
    plain = estimated_seconds(**base, batch_size=1_024, rate=1e11)
    for changed in ({"samples": 10**6}, {"features": 4_096}, {"dimensions": 768}):
        assert estimated_seconds(**base | changed, batch_size=1_024, rate=1e11) > plain
    assert estimated_seconds(**base, batch_size=64, rate=1e11) > plain
    assert estimated_seconds(**base, batch_size=1_024, rate=1e10) > plain
