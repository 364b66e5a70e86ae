"""Monitor: a callback for anyone's SentenceTransformerTrainer that writes what a training tells of itself."""

import logging
import time
from collections.abc import Mapping, Sized
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from lib.errors import InputError
from lib.finetune.monitor.gradients import describe_model
from lib.finetune.monitor.metrics import better, main_metric, plain_metrics
from lib.finetune.monitor.session import Session, short
from lib.runs import EventWriter

if TYPE_CHECKING:
    from torch import nn

SCHEMA = 1
_LOG = logging.getLogger(__name__)


class Monitor(TrainerCallback):
    """Writes what a training tells of itself, one line a step, to a file (JSON Lines, readable while it is written).

    It asks for nothing but its place among the callbacks: the similarity of pairs comes from the embeddings that the
    loss computes anyway, gradient norms by layer from the gradients before the optimiser takes them. The training goes
    exactly as it would without it. Where the file cannot be written any more, it says so once and is silent.
    """

    def __init__(self, path: str | Path, every: int = 1, *, alone: bool = True) -> None:
        """Write to `path`, which is appended to.

        Args:
            path: where the events go.
            every: measure and write every n-th step only, and the first and last one.
            alone: also write `begin`, `checkpoint` and `end`; False where the caller writes these events.

        Raises:
            InputError: `every` below 1.
        """
        if every < 1:
            raise InputError(f"The monitor measures every n-th step, n at least 1: got {every}; give 1 or more.")
        self.every = every
        self.alone = alone
        self._writer: EventWriter | None = None
        self._path = Path(path)
        self._begun = self._silent = False
        self._session: Session | None = None
        self._best: dict[str, float] = {}
        self._examples: int | None = None

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Hook into the model."""
        self._end_session()
        self._begun = False
        self._session = Session(kwargs["model"], args, state)
        data = getattr(kwargs.get("train_dataloader"), "dataset", None)
        self._examples = len(data) if isinstance(data, Sized) else None
        for entry in state.log_history:
            self._is_best(plain_metrics(entry))

    def on_step_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Measure this step, if it is one of those."""
        session, number = self._session, state.global_step + 1
        if session is None:
            return
        session.begins()
        if number % self.every == 0 or number in {1, state.max_steps} or not session.told:
            session.open()

    def on_substep_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Between two batches whose gradients are added up."""
        if self._session is not None and self._session.measuring:
            self._session.tap.open()

    def on_pre_optimizer_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """The gradients of a step are whole (and clipped)."""
        if self._session is not None and self._session.measuring:
            self._session.gradients_ready(kwargs.get("optimizer"))

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Write the step."""
        session = self._session
        if session is None:
            return
        if control.should_evaluate or control.should_save:
            session.rests()
        if not session.measuring:
            session.passed(state.global_step)
            return
        started = time.perf_counter()
        event = session.event(state)
        self._write_begin(args, state)
        first = {} if session.told else {"layers": session.gradients.layers} | session.what()
        session.told = True
        seconds, spent = session.passed(state.global_step), session.spent + time.perf_counter() - started
        event["seconds"] = short(seconds)
        event["monitor_seconds"] = short(spent)
        event["samples_per_second"] = short(session.samples() / seconds) if seconds > 0 else None
        event["seconds_left"] = short(session.seconds_left(state))
        self._write(event | first, state)
        session.carried = time.perf_counter() - started - (spent - session.spent)

    def on_evaluate(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Write what an evaluation gave."""
        metrics = plain_metrics(kwargs.get("metrics") or {})
        if metrics:
            if self._session is not None:
                self._write_begin(args, state)
            event = {"event": "evaluation", "step": state.global_step, "metrics": metrics}
            self._write(event | {"best": self._is_best(metrics)}, state)
        if self._session is not None:
            self._session.rests()

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Write that it was saved."""
        if self.alone and self._session is not None:
            self._write({"event": "checkpoint", "step": state.global_step}, state)
        if self._session is not None:
            self._session.rests()

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Let go of the model."""
        if self.alone and self._session is not None:
            self._write_begin(args, state)
            reason = "finished" if state.global_step >= state.max_steps else "early stop"
            self._write({"event": "end", "reason": reason, "time": time.time()}, state)
        self._end_session()

    def _write_begin(self, args: TrainingArguments, state: TrainerState) -> None:
        session = self._session
        if self._begun or not self.alone or session is None:
            return
        self._begun = True
        size = describe_model(session.model)
        about = {
            "event": "begin", "schema": SCHEMA, "resumes": session.first_step > 0, "encoder": _name(session.model),
            "steps": state.max_steps, "batch": args.train_batch_size * args.gradient_accumulation_steps,
            "examples": self._examples,
            "method": "lora" if any("lora_" in name for name, _ in session.model.named_parameters()) else "full",
            "time": time.time(),
        }  # fmt: skip
        what = session.what()
        self._write(about | size.to_dict() | {"loss": what.get("loss_name"), "pairs": what.get("pairs")}, state)

    def _is_best(self, metrics: Mapping[str, float]) -> bool:
        """Whether this evaluation is the best so far, by its main metric."""
        main = main_metric(metrics)
        if main is None or not better(metrics[main], self._best.get(main), main):
            return False
        self._best[main] = metrics[main]
        return True

    def _write(self, event: Mapping[str, Any], state: TrainerState) -> None:
        if self._silent or not state.is_world_process_zero:
            return
        try:
            self._writer = self._writer or EventWriter(self._path)
            self._writer.write(dict(event))
        except OSError as reason:
            _LOG.warning("The monitor is silent from here on: %s cannot be written (%s).", self._path, reason)
            self._silent = True
            self._end_session()

    def _end_session(self) -> None:
        if self._session is not None:
            self._session.remove()
            self._session = None


def _name(model: "nn.Module") -> str | None:
    """What the model says it was made from; of a folder its last part, for a log may be passed on."""
    card = getattr(model, "model_card_data", None)
    named = getattr(card, "base_model", None) or getattr(card, "model_name", None)
    for module in model.modules():
        named = named or getattr(getattr(module, "config", None), "_name_or_path", None)
    return (Path(named).name if Path(named).is_absolute() else str(named)) if named else None
