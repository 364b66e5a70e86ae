"""Reading a log: its events in their order, those left out that a resumption did over again."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lib.finetune.monitor.log import FinetuneLog
from lib.finetune.monitor.metrics import lower_is_better, main_metric
from lib.finetune.monitor.values import number, sequence, whole, words

_CURVES = (
    "epoch", "loss", "positive", "negative", "hardest", "gap", "learning_rate", "grad_norm", "samples_per_second",
    "seconds", "monitor_seconds",
)  # fmt: skip
_MOST_LAYERS = 512
_MOST_METRICS = 64
_MOST_GRADIENTS = 20_000_000  # numbers: 160 MB a side
_MOST_RESUMPTIONS = 100  # a resumption goes through all evaluations
_DONE = ("finished", "early stop")


def read_log(events: Iterable[Mapping[str, Any]]) -> FinetuneLog:
    """The log of a fine-tune from its events, in their order; an event of another kind is passed over.

    Steps that a resumption did over again count once, as they were done last. Nothing yet gives arrays of length 0.
    """
    reading = Reading()
    for event in events:
        reading.take(event)
    return reading.log()


@dataclass
class Reading:
    """What has been read of a log so far; `log` makes a FinetuneLog of it."""

    source: str = "embedscope"
    begin: dict[str, Any] = field(default_factory=dict)
    points: list[tuple[int, Mapping[str, Any]]] = field(default_factory=list)
    evaluations: dict[int, dict[str, float]] = field(default_factory=dict)
    told_best: int | None = None
    checkpoints: list[int] = field(default_factory=list)
    resumed: list[int] = field(default_factory=list)
    resumes: bool = False
    doing: str | None = None
    reason: str | None = None
    notices: tuple[str, ...] = ()
    rewinds: int = 0

    def take(self, event: Mapping[str, Any]) -> None:
        """Take in one event; one of another kind, or without a step of its own, is passed over."""
        kind, step = event.get("event"), whole(event.get("step"))
        if kind == "begin":
            self._begun(event)
        elif kind == "doing":
            self.doing = words(event.get("what"))
        elif kind == "step" and step:
            self.stepped(event, step)
        elif kind == "evaluation" and step is not None:
            self.evaluated(step, event.get("metrics"))
            self.told_best = step if event.get("best") is True else self.told_best
        elif kind == "checkpoint" and step is not None:
            self.checkpoints.append(step)
        elif kind == "stopped":
            self.reason, self.doing = "stopped", None
        elif kind == "end":
            self.reason, self.doing = words(event.get("reason")) or _DONE[0], None

    def stepped(self, event: Mapping[str, Any], step: int) -> None:
        """Note a step; one that was done before is forgotten with all that came after it."""
        if self.points and self.points[-1][0] >= step:
            if self.rewinds == _MOST_RESUMPTIONS:
                return
            self._rewind(step)
        if self.resumes:
            self.resumed.append(step - 1)
            self.resumes = False
        self.points.append((step, event))
        self.doing = self.reason = None

    def evaluated(self, step: int, metrics: object) -> None:
        """Note what an evaluation after `step` gave: the numbers among `metrics`."""
        found = dict(metrics) if isinstance(metrics, Mapping) else {}
        numbers = {words(name) or "": number(value) for name, value in list(found.items())[:_MOST_METRICS]}
        known = {name: value for name, value in numbers.items() if name and math.isfinite(value)}
        if known:
            self.evaluations[step] = self.evaluations.get(step, {}) | known
        self.doing = None

    def _begun(self, event: Mapping[str, Any]) -> None:
        resumes = event.get("resumes") is True
        if self.points and not resumes:  # another training wrote into the same file
            self.points, self.evaluations, self.checkpoints, self.resumed = [], {}, [], []
            self.told_best = None
            self.notices = ("The file holds more than one training: this is the last one.",)
        self.begin = dict(event) if not resumes else self.begin | {n: v for n, v in event.items() if v is not None}
        self.resumes, self.reason = resumes, None

    def _rewind(self, step: int) -> None:
        self.rewinds += 1
        while self.points and self.points[-1][0] >= step:
            self.points.pop()
        self.evaluations = {at: found for at, found in self.evaluations.items() if at < step}
        self.checkpoints = [at for at in self.checkpoints if at < step]
        self.resumed = [at for at in self.resumed if at < step]
        self.told_best = self.told_best if self.told_best in self.evaluations else None

    def log(self) -> FinetuneLog:
        """All that was read."""
        points = [point for _, point in self.points]
        curves = {name: _column(points, name) for name in _CURVES}
        curves["gap"] = np.where(np.isnan(curves["gap"]), curves["positive"] - curves["negative"], curves["gap"])
        layers = self._layers()
        at = sorted(self.evaluations)
        names = list(dict.fromkeys(name for step in at for name in self.evaluations[step]))[:_MOST_METRICS]
        metrics = {name: np.array([self.evaluations[step].get(name, math.nan) for step in at]) for name in names}
        metric = main_metric(names)
        left = number(points[-1].get("seconds_left")) if points else math.nan
        return FinetuneLog(
            step=np.array([step for step, _ in self.points], dtype=np.int64),
            **curves,
            layers=layers,
            gradients_adapter=_gradients(points, "adapter", len(layers)),
            gradients_base=_gradients(points, "base", len(layers)),
            not_finite=tuple((s, words(w) or "?") for s, p in self.points for w in _few(p.get("not_finite"))),
            clipped=np.array([point.get("clipped") is True for point in points], dtype=np.bool_),
            evaluation_step=np.array(at, dtype=np.int64),
            metrics=metrics,
            metric=metric,
            best=self.told_best if self.told_best in self.evaluations else _best(at, metrics, metric),
            checkpoints=tuple(sorted(set(self.checkpoints))),
            resumed=tuple(self.resumed),
            steps=whole(self.begin.get("steps")) or 0,
            seconds_left=0.0 if self.reason in _DONE else left,
            doing=self.doing,
            reason=self.reason,
            encoder=words(self.begin.get("encoder")),
            data=self._data(),
            loss_name=words(self.begin.get("loss")) or words(_first(points, "loss_name")),
            pairs=words(self.begin.get("pairs")) or words(_first(points, "pairs")),
            method=words(self.begin.get("method")),
            examples=whole(self.begin.get("examples")),
            batch=whole(self.begin.get("batch")),
            parameters=whole(self.begin.get("parameters")),
            trainable=whole(self.begin.get("trainable")),
            source=self.source,
            notices=self.notices,
        )

    def _layers(self) -> tuple[str, ...]:
        told = sequence(self.begin.get("layers")) or sequence(_first([point for _, point in self.points], "layers"))
        told = told if len(told[:_MOST_LAYERS]) * len(self.points) <= _MOST_GRADIENTS else []
        return tuple(words(name) or "?" for name in told[:_MOST_LAYERS])

    def _data(self) -> str | None:
        """Its name, also where the event tells more of it."""
        told = self.begin.get("data")
        return words(told.get("name")) if isinstance(told, Mapping) else words(told)


def _few(value: object) -> list[Any]:
    return sequence(value)[: 2 * _MOST_LAYERS]


def _first(points: Iterable[Mapping[str, Any]], name: str) -> object:
    return next((point[name] for point in points if point.get(name)), None)


def _column(points: list[Mapping[str, Any]], name: str) -> NDArray[np.float64]:
    return np.array([number(point.get(name)) for point in points], dtype=np.float64)


def _gradients(points: list[Mapping[str, Any]], side: str, layers: int) -> NDArray[np.float64]:
    found = np.full((len(points), layers), math.nan)
    for row, point in enumerate(points):
        gradients = point.get("gradients")
        values = sequence(gradients.get(side)) if isinstance(gradients, Mapping) else []
        if len(values) == layers:
            found[row] = [number(value) for value in values]
    return found


def _best(at: list[int], metrics: Mapping[str, NDArray[np.float64]], metric: str | None) -> int | None:
    if metric is None:
        return None
    values = metrics[metric]
    return at[int(np.nanargmin(values) if lower_is_better(metric) else np.nanargmax(values))]
