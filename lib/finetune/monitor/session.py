"""Session: one call of `train`, with its hooks, and what its present step has given so far."""

import math
import time
from collections import deque
from typing import TYPE_CHECKING, Any

import torch
from transformers import TrainerState, TrainingArguments

from lib.finetune.monitor.clipping import ClipProbe, clip_factor
from lib.finetune.monitor.gradients import LayerGradients
from lib.finetune.monitor.tap import Tap

if TYPE_CHECKING:
    from torch import Tensor, nn

_PACE_STEPS = 50  # the time left follows from the last so many steps, evaluations among them
_CLIPPED_FROM = 0.99  # a norm above this share of the largest allowed one may have been clipped


class Session:
    """One call of `train`: the hooks, and what a step has given so far."""

    def __init__(self, model: "nn.Module", args: TrainingArguments, state: TrainerState) -> None:
        self.model = model
        self.tap = Tap(model)
        self.gradients = LayerGradients(model)
        self.first_step = state.global_step
        self.told = False
        self.measuring = False
        self.spent = self.carried = 0.0
        self._most = float(args.max_grad_norm or 0.0)
        alone = not (torch.distributed.is_available() and torch.distributed.is_initialized())
        self._probe = ClipProbe(self.gradients) if self._most > 0 and alone else None
        self._measured: list[Tensor] = []
        self._reached: set[int] = set()
        self._watched, self._scale, self._rate = 0, 1.0, math.nan
        self._since, self._rested = time.perf_counter(), True
        self._pace: deque[tuple[int, float]] = deque([(state.global_step, self._since)], maxlen=_PACE_STEPS + 1)

    def begins(self) -> None:
        """A step begins; its data are fetched already, unless something else was done since the last one."""
        if self._rested:
            self._since, self._rested = time.perf_counter(), False

    def open(self) -> None:
        """Measure this step."""
        self.measuring, self.spent = True, self.carried
        self.carried = self.tap.seconds = 0.0
        self.tap.samples = 0
        self._measured, self._reached, self._watched = [], set(), 0
        self.tap.open()

    def gradients_ready(self, optimizer: Any) -> None:
        """Queue the norms of all gradients; nothing waits for a device here."""
        started = time.perf_counter()
        self.tap.close()
        if self._probe is not None:
            self.spent, self._probe.seconds = self.spent + self._probe.seconds, 0.0
        self._rate = float(optimizer.param_groups[0]["lr"]) if optimizer is not None else math.nan
        if (found := self.gradients.norms()) is not None:
            norms, self._reached = found
            probes = self._probe.measure().to(norms.device) if self._probe else norms.new_zeros(2, 0)
            self._watched = probes.shape[1]
            self._measured = [norms, probes.view(-1)]
            scaler = getattr(optimizer, "scaler", None)
            self._scale = float(scaler.get_scale()) if scaler is not None else 1.0
        self.spent += time.perf_counter() - started

    def event(self, state: TrainerState) -> dict[str, Any]:
        """What the step gave: one transfer from the device brings it all."""
        self.measuring = False
        pairs = self.tap.take()
        parts = [part for part in (pairs, *self._measured) if part is not None]
        device = parts[-1].device if parts else None
        values: list[float] = torch.cat([part.to(device) for part in parts]).tolist() if parts else []
        loss, positive, negative, hardest = [values.pop(0) for _ in range(4)] if pairs is not None else [math.nan] * 4
        self.spent += self.tap.seconds
        event: dict[str, Any] = {
            "event": "step", "step": state.global_step, "epoch": short(state.epoch or 0.0), "loss": short(loss),
            "learning_rate": self._rate, "positive": short(positive), "negative": short(negative),
            "hardest": short(hardest), "gap": short(positive - negative),
        }  # fmt: skip
        infinite = ["loss"] if pairs is not None and not math.isfinite(loss) else []
        if self._measured:
            places = len(values) - 2 * self._watched
            event |= self._gradients(values[:places], values[places:], infinite)
        return event | ({"not_finite": infinite} if infinite else {})

    def _gradients(self, norms: list[float], probes: list[float], infinite: list[str]) -> dict[str, Any]:
        """Gradient norms as they were before clipping, whole and by layer."""
        total = math.sqrt(sum(norm * norm for norm in norms))
        factor = clip_factor(probes[: self._watched], probes[self._watched :], scale=self._scale)
        unknown = factor is None and 0 < self._most * _CLIPPED_FROM <= total
        rows = self.gradients.rows([norm * (factor or 1.0) for norm in norms], self._reached)
        for side, row in rows.items():
            for layer, value in zip(self.gradients.layers, row, strict=True):
                if value is not None and not math.isfinite(value):
                    infinite.append(f"{layer} (adapter)" if side == "adapter" else layer)
        by_layer = {side: [None if value is None else short(value) for value in row] for side, row in rows.items()}
        found = {"grad_norm": short(total * (factor or 1.0)), "gradients": by_layer}
        return found | ({"clipped": True} if unknown else {})

    def what(self) -> dict[str, Any]:
        """Which loss it is and what its negatives are, as far as it has been seen."""
        return {"loss_name": self.tap.loss_name, "pairs": self.tap.kind} if self.tap.loss_name else {}

    def passed(self, step: int) -> float:
        """Note that a step is over; how long it took, its data included, evaluations and saving left out."""
        now = time.perf_counter()
        seconds, self._since = now - self._since, now
        self._pace.append((step, now))
        return seconds

    def samples(self) -> int:
        """Training examples of the step."""
        return self.tap.samples

    def rests(self) -> None:
        """Leave what is done before the next step (an evaluation, saving) out of its time."""
        self._rested = True

    def seconds_left(self, state: TrainerState) -> float:
        """If the steps to come take as long as the last ones, evaluations among them."""
        (first, then), (last, now) = self._pace[0], self._pace[-1]
        return (state.max_steps - last) * (now - then) / (last - first) if last > first else math.nan

    def remove(self) -> None:
        """Take every hook out."""
        self.tap.remove()
        if self._probe is not None:
            self._probe.remove()


def short(value: float) -> float:
    """Six digits: enough to draw, and to compare by."""
    return float(f"{value:.6g}")
