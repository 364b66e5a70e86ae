"""The health of a training: gradients by layer, adapters and base apart, and numbers that are none any more."""

from dataclasses import replace

import numpy as np

from lib.finetune.monitor.dead import dead_layers, frozen_layers
from lib.finetune.monitor.finding import WARNING, Finding
from lib.finetune.monitor.log import FinetuneLog
from lib.finetune.monitor.sides import sides_of
from lib.finetune.monitor.smoothing import stretches
from lib.finetune.monitor.surges import surges
from lib.numerals import count, counted

_IN_A_ROW = 3
_NAMED = 3

FINITE_RULE = (
    f"The loss was infinite or not a number at any step, or gradients were in {_IN_A_ROW} measured steps in a row "
    "(mixed precision passes over single ones on purpose)."
)


def health_findings(log: FinetuneLog) -> list[Finding]:
    """What is wrong with the loss and with gradients."""
    found = _not_finite_losses(log) + _not_finite_gradients(log)
    for side in sides_of(log):
        died, dead = dead_layers(side)
        alive = replace(side, norms=np.where(dead, np.nan, side.norms))  # coming back to life is no spike
        found += frozen_layers(side) + died + surges(alive)
    return found


def _not_finite_losses(log: FinetuneLog) -> list[Finding]:
    steps = sorted({step for step, what in log.not_finite if what == "loss"})
    if not steps:
        return []
    says = (
        f"The loss was infinite or not a number at {counted(len(steps), 'step')}, first at step {count(steps[0])}: the "
        "weights may be ruined; go back to a checkpoint before it, with a lower learning rate or in float32."
    )
    return [Finding("not finite", WARNING, None, None, steps[0], steps[-1], says, FINITE_RULE)]


def _not_finite_gradients(log: FinetuneLog) -> list[Finding]:
    by_step: dict[int, list[str]] = {}
    for step, what in log.not_finite:
        if what != "loss":
            by_step.setdefault(step, []).append(what)
    bad = np.array([step in by_step for step in log.step.tolist()], dtype=np.bool_)
    found = []
    for first, last in ((int(log.step[a]), int(log.step[b])) for a, b in stretches(bad, least=_IN_A_ROW)):
        layers = by_step[first]
        named = ", ".join(layers[:_NAMED]) + (", ..." if len(layers) > _NAMED else "")
        says = f"Gradients were infinite or not a number from step {count(first)} to {count(last)} ({named})."
        found.append(Finding("not finite", WARNING, None, None, first, last, says, FINITE_RULE))
    return found
