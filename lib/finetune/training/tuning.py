"""Tuning: sentence-transformers' own trainer, with checkpoints that survive a kill and evaluations of ours."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from sentence_transformers import SentenceTransformerTrainer, SentenceTransformerTrainingArguments
from sentence_transformers.base.training_args import BatchSamplers
from transformers import PrinterCallback, TrainerCallback, TrainerControl, TrainerState

from lib.errors import InputError, Stopped
from lib.finetune.training import checkpoints
from lib.finetune.training.batches import Shuffled
from lib.finetune.training.course import Course
from lib.finetune.training.journal import Journal
from lib.finetune.training.model import Tunable
from lib.finetune.training.settings import TrainingSettings

Judge = Callable[[int], dict[str, float]]
"""Measures the model as it is after so many steps: the mean of each metric. Raises Stopped where the user asked."""
_PREFIX = "eval_"
_NO_ROOM = 2**26  # bytes free


class Tuning(SentenceTransformerTrainer):
    """One training. All that its checkpoints hold beside the weights is a `Course` and the trainer's own state."""

    def __init__(
        self,
        tunable: Tunable,
        *,
        loss: Any,
        rows: Any,
        arguments: SentenceTransformerTrainingArguments,
        course: Course,
        journal: Journal,
        judge: Judge | None,
        should_stop: Callable[[], bool],
    ) -> None:
        super().__init__(model=tunable.model, args=arguments, train_dataset=rows, loss=loss)
        self.remove_callback(PrinterCallback)
        self.add_callback(_Steering(self, should_stop))
        self.tunable, self.course, self.journal, self.judge = tunable, course, journal, judge
        self.out = Path(str(arguments.output_dir))
        self.stopped = False
        """Whether the user ended it."""
        self.latest: Any = None
        """Loss of the latest step, a tensor."""
        self.step_seconds: list[float] = []
        """How long each step took."""
        self._part = self.out
        self._since = time.monotonic()

    def add_model_card_callback(self, default_args_dict: dict[str, Any]) -> None:
        """The card is ours: it shows no text that was trained on, and nobody looks anything up for it."""

    def training_step(self, *given: Any, **named: Any) -> Any:
        """The trainer's own; its loss is kept to be told."""
        self.latest = super().training_step(*given, **named)
        return self.latest

    def evaluate(self, *_: Any, **__: Any) -> dict[str, float]:
        """Ask the queries held out; {} where the user ends the training meanwhile: it is made up for on resuming."""
        step = self.state.global_step
        self.control.should_evaluate = False
        if self.judge is None:
            return {}
        self.tunable.check_finite(step)
        try:
            metrics = self.judge(step)
        except Stopped:
            self.stopped = self.control.should_save = self.control.should_training_stop = True
            return {}
        best = self.course.note(step, metrics)
        self.journal.evaluated(step, metrics, best=best)
        if self.course.best == step or self.course.early:
            self.control.should_save = True
        if self.course.early:
            self.control.should_training_stop = True
        return {f"{_PREFIX}{name}": value for name, value in metrics.items()}

    def _determine_best_metric(self, metrics: dict[str, float], trial: Any) -> bool:
        return False  # the course knows

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:
        self.tunable.save(Path(str(output_dir)))

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        self.tunable.load(Path(resume_from_checkpoint))

    def _get_output_dir(self, trial: Any) -> str:
        return str(self._part)

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        step = self.state.global_step
        self.tunable.check_finite(step)
        self._part = checkpoints.part(self.out)
        try:
            super()._save_checkpoint(model, trial)
        except (RuntimeError, SafetensorError) as fault:  # what torch and safetensors make of a full disk
            if shutil.disk_usage(self.out).free > _NO_ROOM:
                raise
            raise InputError(
                f"There is no room for a checkpoint in {self.out}: make some, and the same command with --resume goes "
                "on from the one before."
            ) from fault
        now = time.monotonic()
        self.course.seconds, self._since = self.course.seconds + now - self._since, now
        written = self._part / checkpoints.name_of(step)
        checkpoints.seal(written, self.course.to_dict())
        checkpoints.publish(written, self.out / checkpoints.name_of(step))
        checkpoints.prune(self.out, best=self.course.best)
        self.journal.saved(step)


class _Steering(TrainerCallback):
    """Says when to evaluate, to save and to end."""

    def __init__(self, trainer: Tuning, should_stop: Callable[[], bool]) -> None:
        self._trainer, self._should_stop, self._began = trainer, should_stop, 0.0

    def on_step_begin(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._began = time.perf_counter()

    def on_step_end(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        trainer = self._trainer
        trainer.step_seconds.append(time.perf_counter() - self._began)
        trainer.journal.stepped(state.global_step, lambda: float(trainer.latest))
        control.should_evaluate = trainer.course.due(state.global_step)
        if self._should_stop():
            trainer.stopped = control.should_save = control.should_training_stop = True
            control.should_evaluate = False


def arguments_of(
    settings: TrainingSettings, prompts: dict[str, str], *, out: Path, steps: int, precision: str, graphics: bool
) -> SentenceTransformerTrainingArguments:
    """What sentence-transformers' trainer is told. It logs, reports and shows nothing by itself."""
    return SentenceTransformerTrainingArguments(
        output_dir=str(out),
        max_steps=steps,
        per_device_train_batch_size=settings.batch,
        learning_rate=settings.rate,
        warmup_steps=round(settings.warmup * steps),
        weight_decay=settings.weight_decay,
        lr_scheduler_type="linear",
        seed=settings.seed,
        data_seed=settings.seed,
        bf16=precision == "bf16",
        fp16=precision == "fp16",
        use_cpu=not graphics,
        prompts=prompts or None,
        batch_sampler=BatchSamplers.NO_DUPLICATES if settings.in_batch else Shuffled,
        save_strategy="steps",
        save_steps=settings.checkpoint_every,
        eval_strategy="no",
        logging_strategy="no",
        report_to="none",
        disable_tqdm=True,
        dataloader_pin_memory=graphics,
    )
