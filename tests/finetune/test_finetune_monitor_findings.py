"""Findings: none on healthy runs of many kinds; on planted faults the right one, at the right step and layer."""

import re

import numpy as np
import pytest

from lib.finetune.monitor import findings, read_log

LAYERS = ["embeddings", *(f"layer {n}" for n in range(1, 7)), "after the layers"]


class Run:
    """A made-up run whose gap widens and whose gradients fall, with the noise of single batches."""

    def __init__(self, n=300, *, seed=0, noise=0.02, spread=0.4):
        rng, at = np.random.default_rng(seed), np.arange(n)
        self.positive = 0.65 + 0.05 * np.exp(-5 * at / n) + rng.normal(0, noise, n)
        self.negative = 0.12 + 0.18 * np.exp(-6 * at / n) + rng.normal(0, noise, n)
        whole = np.exp(rng.normal(0, spread, n)) * (0.2 + np.exp(-4 * at / n))
        self.norms = whole[:, None] * np.exp(rng.normal(0, 0.2, (n, 8))) * np.linspace(1, 0.4, 8)

    def found(self, side="base", **others):
        begin = {"event": "begin", "layers": LAYERS, "steps": len(self.norms)}
        steps = [
            {"event": "step", "step": n + 1, "loss": 1.0, "positive": self.positive[n], "negative": self.negative[n],
             "gradients": {side: self.norms[n].tolist()}, **others}
            for n in range(len(self.norms))
        ]  # fmt: skip
        return findings(read_log([begin, *steps]))


def only(found):
    (item,) = found.items
    assert item.sentence.endswith(".")
    assert item.rule.endswith(".")
    return item


@pytest.mark.parametrize("n", [3, 12, 40, 150, 900])
@pytest.mark.parametrize(("noise", "spread"), [(0.004, 0.2), (0.05, 0.8)])
def test_healthy_runs_raise_no_alarm(n, noise, spread):
    for seed in range(4):
        found = Run(n, seed=seed, noise=noise, spread=spread).found()
        assert found.items == (), (seed, found.items)
        assert found.gap in {"widening", "steady", "cannot be told"}
    assert n < 100 or found.gap == "widening"


def test_a_run_that_learns_nothing_is_steady():
    run = Run()
    run.positive, run.negative = 0.7 + 0.0 * run.positive, 0.3 + 0.0 * run.negative
    run.norms[:] = 1.0
    found = run.found()
    assert (found.gap, found.items) == ("steady", ())


def test_a_loss_that_is_learnt_makes_no_layer_dead():
    run = Run()
    run.norms *= np.exp(-np.arange(300) / 15)[:, None]  # down to one part in 10^8, all of them
    assert run.found().items == ()
    run.norms[150:] = 0.0  # triplets that all keep their margin
    assert run.found().items == ()


@pytest.mark.parametrize("seed", range(3))
def test_a_slow_narrowing_is_told_with_its_steps_and_its_reason(seed):
    run = Run(seed=seed)
    run.negative[150:] += 0.15 * np.arange(150) / 150
    item = only(run.found())
    assert (item.kind, item.severity) == ("narrowing", "warning")
    assert 90 <= item.first_step <= 190
    assert item.last_step >= 255
    assert "negatives rose" in item.sentence
    run.negative[150:] -= 0.15 * np.arange(150) / 150
    run.positive[150:] -= 0.15 * np.arange(150) / 150
    assert "positives fell" in only(run.found()).sentence


def test_a_narrowing_that_is_made_good_is_a_note():
    run = Run()
    run.negative[100:200] += 0.2 * np.sin(np.pi * np.arange(100) / 100)
    found = run.found()
    assert {item.kind for item in found.items} == {"narrowing"}
    assert found.warnings == ()
    assert "widened again" in found.items[0].sentence
    assert found.gap == "widening"


@pytest.mark.parametrize("steps", [3, 60])
@pytest.mark.parametrize("seed", range(3))
def test_negatives_that_close_in_are_a_collapse(seed, steps):
    run = Run(seed=seed)
    share = np.minimum(np.arange(100) / steps, 1)
    run.negative[200:] += 0.84 * share
    run.positive[200:] += 0.31 * share
    item = only(run.found())
    assert (item.kind, item.severity, item.last_step) == ("collapse", "warning", 300)
    assert 195 <= item.first_step <= 215
    assert re.search(r"negatives rose by 0\.[78]", item.sentence)
    assert run.found().gap == "narrowing"


def test_a_collapse_within_twenty_steps():
    run = Run(20)
    run.negative[5:], run.positive[5:] = 0.95, 0.97
    item = only(run.found())
    assert item.kind == "collapse"
    assert item.first_step <= 8


def test_a_space_that_was_narrow_from_the_start_is_no_collapse():
    run = Run()
    run.positive += 0.25
    run.negative = run.positive - 0.04 - 0.02 * np.arange(300) / 300
    assert run.found().items == ()


@pytest.mark.parametrize("side", ["adapter", "base"])
@pytest.mark.parametrize("left", [0.0, 1e-5])
def test_a_layer_that_dies(side, left):
    run = Run()
    run.norms[120:, 3] *= left
    item = only(run.found(side))
    assert (item.kind, item.side, item.layer, item.severity) == ("dead", side, "layer 3", "warning")
    assert (item.first_step, item.last_step) == (121, 300)
    assert ("adapter" in item.sentence) == (side == "adapter")
    run.norms[200:, 3] = run.norms[200:, 2]
    item = only(run.found(side))
    assert (item.severity, item.last_step) == ("note", 200)


def test_a_layer_that_was_never_reached_and_one_that_hardly_is():
    run = Run(40)
    run.norms[:, 0] = 0.0
    item = only(run.found())
    assert (item.kind, item.layer, item.severity) == ("frozen", "embeddings", "note")
    run.norms[:, 0] = 1e-6 * run.norms[:, 1]
    item = only(run.found())
    assert (item.kind, item.layer, item.severity) == ("dead", "embeddings", "warning")


@pytest.mark.parametrize("seed", range(3))
def test_spikes_of_one_layer_and_of_all(seed):
    run = Run(seed=seed)
    run.norms[100] *= 300
    run.norms[200, 4] *= 300
    first, second = run.found().items
    assert (first.kind, first.layer, first.first_step, first.last_step) == ("spike", None, 101, 101)
    assert (second.kind, second.layer, second.first_step) == ("spike", "layer 4", 201)


@pytest.mark.parametrize("seed", range(3))
def test_explosions_of_one_layer_and_of_all(seed):
    run = Run(seed=seed)
    run.norms[150:, 2] *= 1.1 ** np.arange(150)
    item = only(run.found())
    assert (item.kind, item.layer, item.last_step) == ("exploding", "layer 2", 300)
    assert 160 <= item.first_step <= 215
    run = Run(seed=seed)
    run.norms[150:] *= 1.15 ** np.arange(150)[:, None]
    item = only(run.found())
    assert (item.kind, item.layer) == ("exploding", None)
    assert 160 <= item.first_step <= 200


def test_a_norm_of_the_whole_model_is_judged_where_layers_are_not_told():
    rng = np.random.default_rng(0)
    norm = np.exp(rng.normal(0, 0.3, 100))
    norm[60] *= 400
    steps = [{"event": "step", "step": n + 1, "grad_norm": value} for n, value in enumerate(norm)]
    item = only(findings(read_log(steps)))
    assert (item.kind, item.layer, item.side, item.first_step) == ("spike", None, None, 61)
    assert item.sentence.startswith("The gradient spiked at step 61")


def test_what_is_not_finite():
    run = Run(40)
    found = run.found(not_finite=["layer 1"])
    assert [(item.kind, item.first_step, item.last_step) for item in found.items] == [("not finite", 1, 40)]
    begin = [{"event": "step", "step": n + 1, "not_finite": ["loss"] if n == 4 else ["layer 1"] if n == 7 else []}
             for n in range(10)]  # fmt: skip
    item = only(findings(read_log(begin)))
    assert (item.first_step, item.severity) == (5, "warning")


def test_a_space_that_shrinks_to_a_point_without_ever_having_had_a_gap():
    run = Run(120)
    run.negative = 0.98 - 0.4 * np.exp(-np.arange(120) / 5)
    run.positive = run.negative + 0.005 * np.sin(7.0 * np.arange(120))
    item = only(run.found())
    assert (item.kind, item.last_step) == ("collapse", 120)
    assert item.first_step < 20
