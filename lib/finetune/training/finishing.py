"""Finishing: what came of a training, put into numbers and into files."""

import math
import statistics

import numpy as np

from lib.finetune.sources import MODEL
from lib.finetune.training import checkpoints, folder
from lib.finetune.training.card import card
from lib.finetune.training.outcome import Tuned
from lib.finetune.training.work import Work
from lib.numerals import count
from lib.runs.run import write_json


def outcome(work: Work, step: int, best: int, step_seconds: list[float]) -> Tuned:
    """What came of `step` steps, of which the weights of step `best` are those that the model has now."""
    course = work.course
    compared, widths = (None, {}) if work.judging is None else work.judging.compared(best)
    notices = [*work.data.notices, *_unseen(work)]
    if compared is not None and compared.tests[0].difference < 0:
        notices.append(
            "The queries held out were answered better before training than by any step of it: keep the base, or "
            "train otherwise (a lower learning rate, other negatives, more pairs)."
        )
    return Tuned(
        model=work.out / MODEL,
        adapter=work.tunable.apart,
        reason="finished" if step >= course.steps else "early stop",
        steps=step,
        planned=course.steps,
        best_step=best,
        validation=compared,
        widths=widths,
        evaluations=course.evaluations,
        examples=len(work.rows),
        parameters=work.tunable.parameters,
        trainable=work.tunable.trainable,
        seconds=round(course.seconds, 1),
        seconds_a_step=statistics.median(step_seconds) if step_seconds else math.nan,
        precision=work.precision,
        device=work.tunable.model.device.type,
        notices=tuple(notices),
    )


def _unseen(work: Work) -> list[str]:
    """That a pass does not hold every pair: a batch holds a query once, and there are fewer batches than answers."""
    batches, most = math.ceil(len(work.rows) / work.settings.batch), int(np.bincount(work.data.train.groups).max())
    if not work.settings.in_batch or most <= batches:
        return []
    return [
        f"A query has up to {count(most)} pairs, and a pass has {count(batches)} batches, each of which holds a query "
        "once: not every pair is seen in every pass. Fewer pairs a step make more batches."
    ]


def write(work: Work, tuned: Tuned) -> None:
    """The model, its card and its figures, each under another name first, the figures last."""
    work.journal.doing("writing the model")
    written = checkpoints.part(work.out) / MODEL
    work.tunable.save_result(written)
    text = card(tuned, work.settings, work.tunable.checkpoint, work.data.to_dict())
    (written / "README.md").write_text(text, encoding="utf-8")
    checkpoints.publish(written, tuned.model)
    figures = tuned.figures()
    write_json(work.out / folder.FIGURES, figures)
    work.journal.ended(tuned.reason, figures)
