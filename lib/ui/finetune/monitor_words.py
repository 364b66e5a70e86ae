"""What the Monitor says of a log's pictures, and of what was not found in it."""

import numpy as np

from lib.finetune.monitor import FinetuneLog
from lib.ui.messages import count, counted

_SIDES = {"adapter": "adapters", "base": "the encoder's own weights"}
_FIRST_SPIKE = 20  # steps of which the rule of spikes tells none


def nothing_found(log: FinetuneLog) -> str:
    """What was looked for in vain; and what could not be looked for."""
    steps = len(log.step)
    if not steps:
        return "The log has evaluations alone, and no steps in which anything else could be found."
    gradients = bool(log.sides) or bool(np.isfinite(log.grad_norm).any())
    looked = {
        "dead layer": bool(log.sides),
        "spike": gradients and steps > _FIRST_SPIKE,
        "collapse": log.has_pairs,
    }
    none = ", ".join(f"no {what}" for what, could in looked.items() if could)
    not_told = [
        *([] if log.sides else ["dead layers (no gradients by layer)"]),
        *([] if gradients else ["spikes (no gradients)"]),
        *([f"spikes (the first {_FIRST_SPIKE} steps tell none)"] if gradients and not looked["spike"] else []),
        *([] if log.has_pairs else ["a collapse (no similarities of pairs)"]),
    ]
    told = f"Nothing else was found in {counted(steps, 'step')}{f': {none}' if none else ''}."
    return f"{told} What this log cannot tell: {', '.join(not_told)}." if not_told else told


def of_pairs(log: FinetuneLog) -> str:
    """How to read the similarities of pairs."""
    which = {
        "in batch": "other documents of the batch, and mined ones",
        "given": "the negatives given with each pair",
        "labelled pairs": "pairs labelled as not belonging together",
        "classes": "texts of other classes",
    }.get(log.pairs or "", "texts that do not belong together")
    closest = "; dotted: the closest of these" if np.isfinite(log.hardest).any() else ""
    held_out = "see the queries held out" if len(log.evaluation_step) else "only queries held out could tell"
    return (
        f"Solid: texts that belong together; dashed: {which}{closest}. The band between the two should widen: both may "
        "fall, as long as the negatives fall more. Where it narrows, negatives are pulled in. Each step is another "
        "batch, so single steps say little; and a wide gap on training texts is no better search by itself: "
        f"{held_out}."
    )


def of_learning(log: FinetuneLog) -> str:
    """How to read the loss and what queries held out say."""
    resumed = " Dotted lines: where it was resumed." if log.resumed else ""
    if not len(log.evaluation_step):
        return (
            f"Loss of single batches.{resumed} A loss that falls says that the pairs are learnt; whether anything else "
            "is, only queries held out could tell, and this log has none."
        )
    kept = f" The best is that of step {count(log.best)}." if log.best else ""
    if log.best == 0:
        kept = " No step was better than before training."
    start = "; step 0 is before training" if 0 in log.evaluation_step.tolist() else ""
    which = "Loss of single batches above, queries held out below" if len(log.step) else "Queries held out"
    return (
        f"{which}{start}.{kept}{resumed} Where the loss falls and the "
        "queries gain nothing, it learns its pairs by heart. Few queries held out make an unsteady curve: the "
        "intervals at the end say how unsteady."
    )


def of_gradients(side: str) -> str:
    """How to read the heatmap of gradients."""
    return (
        f"Norm of the gradients of {_SIDES[side]}, a row a layer, a column a step, before clipping; colours are "
        "logarithmic. Marks say where a layer has died or spiked, against the run's own median. Lower layers often get "
        "less: that alone is no fault."
    )


def of_pace(log: FinetuneLog) -> str:
    """How to read the learning rate and the pace."""
    rate = "The learning rate as planned: most warm up, then fall."
    if not np.isfinite(log.samples_per_second).any():
        return f"{rate} It says nothing of what is learnt."
    return (
        f"{rate} The pace falls where others keep the machine busy, or texts are longer; neither says anything of what "
        "is learnt."
    )
