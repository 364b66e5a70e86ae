"""The verdict on made-up curves, for encoders of any depth."""

import numpy as np
import pytest

from lib.sae.circuits.verdict import VERDICTS, judge, late_layers, rule_of

SEEN = [0, 0.11, 0.38, 0.87, 1.44, 1.91, 2.41]
"""A feature that appears early and grows step by step."""


@pytest.mark.parametrize(
    ("curve", "verdict"),
    [
        (SEEN, "structural"),
        (np.linspace(0, 2, 7), "structural"),
        ([0, 0, 0, 0, 0, 0, 2], "late-binding"),
        ([0, 0, 0, 0, 0, 0.9, 2], "late-binding"),
        ([1.5, 0, 0, 0, 0, 0, 2], "late-binding"),
        ([0, 1, 2, 1, 0.5, 0.2, 0], "transient"),
        ([0, 0, 0, 0, 2, 1, 0.9], "transient"),
        ([1, 1, 1, 1.1, 1.2, 1, 1], "from the start"),
        ([0, 0, 0, 0, 2, 2, 2], "mixed"),
        ([0, 0.2, 0.2, 1.9, 2, 2, 2], "mixed"),
        ([0] * 7, "silent"),
    ],
)
def test_verdict_on_made_up_curves(curve, verdict):
    assert judge(np.array(curve)).verdict == verdict
    assert judge(1e-3 * np.array(curve)).verdict == verdict  # the scale does not matter


@pytest.mark.parametrize(("layers", "late"), [(1, 1), (2, 1), (6, 2), (12, 3), (24, 6)])
def test_a_quarter_of_the_layers_is_late(layers, late):
    assert late_layers(layers) == late
    jump = np.zeros(layers + 1)
    jump[layers - late + 1 :] = 1
    assert judge(jump).verdict == "late-binding"
    if layers >= 6:
        assert judge(np.linspace(0, 1, layers + 1)).verdict == "structural"
    jump[layers - late] = 1
    assert judge(jump).verdict != "late-binding"


def test_growth_steps_are_rises_of_a_twentieth_of_the_peak():
    found = judge(np.array(SEEN))
    assert found.steps.tolist() == [False, True, True, True, True, True]
    assert found.total_gain == pytest.approx(2.30)
    assert found.peak == 6
    falling = judge(np.array([3.0, 2.0, 3.0]))
    assert (falling.peak, falling.steps.tolist(), falling.total_gain) == (0, [False, True], 1.0)
    silent = judge(np.zeros(3))
    assert (silent.peak, silent.steps.any(), silent.total_gain) == (0, False, 0.0)


def test_every_verdict_has_a_rule_that_names_the_layers():
    rules = {verdict: rule_of(verdict, 12) for verdict in VERDICTS}
    assert len(set(rules.values())) == len(VERDICTS)
    assert "last 3 layers" in rules["late-binding"]
    assert "the last layer" in rule_of("late-binding", 2)
    with pytest.raises(ValueError, match="two depths"):
        judge(np.ones(1))
