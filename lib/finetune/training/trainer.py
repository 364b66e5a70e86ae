"""Trainer: tunes an encoder, in a folder from which it goes on after any interruption as if there had been none.

In the folder: config.json and environment.json (what was asked for, and on what machine), events.jsonl (the log),
validation.json (how the queries held out were answered before), checkpoint-N (while it runs), model (what came of it)
and, last of all, figures.json, which only a finished training has.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from transformers import set_seed

from lib.encoders import Checkpoint
from lib.errors import Stopped
from lib.finetune.data import LABEL, TrainingData, to_dataset
from lib.finetune.losses import build_loss
from lib.finetune.monitor import Monitor, describe_model
from lib.finetune.training import checkpoints, folder
from lib.finetune.training.card import base_name
from lib.finetune.training.environment import computed_in, environment
from lib.finetune.training.finishing import outcome, write
from lib.finetune.training.journal import Journal
from lib.finetune.training.judging import Judging
from lib.finetune.training.model import open_tunable
from lib.finetune.training.outcome import Tuned
from lib.finetune.training.settings import TrainingSettings
from lib.finetune.training.tuning import Tuning, arguments_of
from lib.finetune.training.work import Work, course_of
from lib.runs.run import write_json

_TOLD = 20_000  # steps that the log tells of at most: pages read it whole
ANCHOR = "anchor"
"""The column of the queries; every other one that is text holds documents."""


def train(
    settings: TrainingSettings,
    data: TrainingData,
    *,
    checkpoint: Checkpoint,
    out: Path,
    journal: Journal | None = None,
    resume: bool = False,
    should_stop: Callable[[], bool] | None = None,
    command: str | None = None,
    keep_checkpoints: bool = False,
) -> Tuned:
    """Tune `checkpoint` on `data`, and write what comes of it into `out`.

    Resumed after a kill at any moment, it goes on from its last whole checkpoint with the weights, the optimiser, the
    generators of random numbers and the order of the data as they were: on a processor with as many threads, every
    loss is the same to the last bit as if it had not been interrupted.

    Args:
        settings: how to train.
        data: what `lib.finetune.data.prepare` made with the same settings.
        checkpoint: what `settings.encoder` names, described.
        out: folder of the training; made if need be.
        journal: who is told; writes the log alone where None.
        resume: go on from the last checkpoint in `out`, if there is one.
        should_stop: asked after every step, and while queries are asked; True ends the training with a checkpoint.
        command: how it was called, to be kept with it.
        keep_checkpoints: leave the last two checkpoints and the best when it has finished.

    Raises:
        InputError: settings, encoder, data or folder cannot be used (`check`, `check_tunable`, `check_folder`).
        Stopped: `should_stop` said so; what is done is kept.
    """
    settings.check()
    folder.check_folder(out, settings, resume=resume)
    precision = computed_in(settings.precision)
    encoder = {"source": checkpoint.source, "fingerprint": checkpoint.fingerprint}
    config = {"settings": settings.to_dict(), "data": data.to_dict(), "encoder": encoder, "command": command}
    found = folder.begin(out, config, resume=resume)
    journal = journal or Journal(out, resumes=resume)
    should_stop = should_stop or _never
    journal.doing("opening the encoder")
    set_seed(settings.seed)
    tunable = open_tunable(checkpoint, settings)
    write_json(out / folder.ENVIRONMENT, environment(precision, device=str(tunable.model.device), seed=settings.seed))
    rows = to_dataset(data.train, settings)
    judging = None
    if data.validation is not None:
        judging = Judging(
            data.validation, tunable, widths=settings.matryoshka, seed=settings.seed, should_stop=should_stop
        )
    work = Work(
        settings=settings,
        data=data,
        out=out,
        journal=journal,
        tunable=tunable,
        rows=rows,
        course=course_of(settings, len(rows), judged=judging is not None),
        judging=judging,
        precision=precision,
        should_stop=should_stop,
    )
    try:
        return _trained(work, found, keep_checkpoints=keep_checkpoints)
    except (Stopped, KeyboardInterrupt) as stop:
        journal.stopped()
        if isinstance(stop, Stopped):
            raise Stopped(_stopped(work)) from None
        raise


def _stopped(work: Work) -> str:
    done = checkpoints.saved(work.out)
    if not done:
        return f"Stopped before the first checkpoint in {work.out}: the same command begins anew."
    return (
        f"Stopped at step {done[0].step:,} of {work.course.steps:,}: the checkpoint in {work.out} is kept, and the "
        "same command with --resume goes on from it."
    )


def _trained(work: Work, found: checkpoints.Saved | None, *, keep_checkpoints: bool) -> Tuned:
    course, judging = work.course, work.judging
    work.journal.begin(_facts(work))
    if judging is not None:
        first = judging.first(work.out)
        if found is None:  # the log has it otherwise
            work.journal.evaluated(0, first, best=course.note(0, first))
    step = 0
    if found is not None:
        step = found.step
        course.take(found.course)
        work.tunable.load(found.folder)
        if judging is not None and course.due(step):
            metrics = judging(step)
            work.journal.evaluated(step, metrics, best=course.note(step, metrics))
    trainer = _trainer(work)
    if not course.ended(step):
        set_seed(work.settings.seed)
        trainer.train(resume_from_checkpoint=None if found is None else str(found.folder))
        step = trainer.state.global_step
        if trainer.stopped:
            raise Stopped
    best = step if course.best is None else course.best
    if best != step:
        work.tunable.load(work.out / checkpoints.name_of(best))
    work.tunable.check_finite(best)
    tuned = outcome(work, step, best, trainer.step_seconds)
    write(work, tuned)
    checkpoints.clear(work.out, after=step if keep_checkpoints else None)
    return tuned


def _trainer(work: Work) -> Tuning:
    settings, course, model = work.settings, work.course, work.tunable.model
    graphics = model.device.type == "cuda"
    trainer = Tuning(
        work.tunable,
        loss=build_loss(model, settings),
        rows=work.rows,
        arguments=arguments_of(
            settings,
            _prompts(work),
            out=work.out,
            steps=course.steps,
            precision=work.precision,
            graphics=graphics,
        ),
        course=course,
        journal=work.journal,
        judge=work.judging,
        should_stop=work.should_stop,
    )
    trainer.add_callback(Monitor(work.journal.path, every=-(-course.steps // _TOLD), alone=False))
    return trainer


def _prompts(work: Work) -> dict[str, str]:
    """What is put before the texts of each column: before queries what asks, before all else what is searched."""
    prompts = work.tunable.checkpoint.prompts
    columns = [name for name in work.rows.column_names if name != LABEL]
    found = {name: prompts.query if name == ANCHOR else prompts.document for name in columns}
    return {name: prompt for name, prompt in found.items() if prompt}


def _facts(work: Work) -> dict[str, Any]:
    size, settings = describe_model(work.tunable.model), work.settings
    validation = work.data.validation
    return {
        "encoder": base_name(work.tunable.checkpoint),
        "data": work.data.name,
        "steps": work.course.steps,
        "examples": len(work.rows),
        "validation_queries": 0 if validation is None else len(validation.queries),
        "batch": settings.batch,
        "loss": settings.loss,
        "method": settings.method,
        "precision": work.precision,
        **size.to_dict(),
    }


def _never() -> bool:
    return False
