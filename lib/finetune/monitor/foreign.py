"""Logs of others: what transformers' Trainer, TensorBoard and the evaluators of sentence-transformers write."""

import json
import math
import re
from collections.abc import Callable
from typing import Any

from lib.errors import InputError
from lib.finetune.monitor.log import FinetuneLog
from lib.finetune.monitor.metrics import plain_metrics
from lib.finetune.monitor.reading import Reading, read_log
from lib.finetune.monitor.scalars import scalars
from lib.finetune.monitor.values import number, whole, words

MOST_BYTES = 64 * 2**20
"""The largest file that is read."""
MOST_STEPS = 200_000
"""The most steps and evaluations that are read of a file."""
MOST_VALUES = 5_000_000
"""The most values of a file of JSON: each takes some sixty bytes of memory, however short it is."""
_MOST_TAGS = 256
_TENSORBOARD = re.compile(r"tfevents", re.IGNORECASE)
_CURVES = {"loss": "loss", "learning_rate": "learning_rate", "grad_norm": "grad_norm", "epoch": "epoch"}
_WITHOUT_PAIRS = (
    "This log does not tell how similar pairs are, nor gradients by layer: add the Monitor to the next training."
)
_EVERY_NTH = "It has one line for several steps (logging_steps): each loss is a mean over them."
_ONLY_EVALUATIONS = "This table tells of evaluations only: there are no steps in it."
_NO_STEPS = "The table does not say after which step it evaluated: its evaluations are numbered in their order."
_EXPECTED = (
    "events.jsonl of the Monitor, trainer_state.json of a checkpoint, a TensorBoard file (events.out.tfevents...) or "
    "the CSV of an evaluator"
)


def read_upload(name: str, content: bytes) -> FinetuneLog:
    """The log in an uploaded file: events.jsonl, trainer_state.json, a TensorBoard event file, or an evaluator's CSV.

    Which one it is follows from its name and what is in it.

    Raises:
        InputError: another kind of file, one that is too large or broken, or one with nothing of a training in it.
    """
    if len(content) > MOST_BYTES:
        raise InputError(
            f"A log of at most {MOST_BYTES // 2**20} MB is read: this file has {len(content) / 2**20:.0f} MB; write "
            "fewer steps, or cut it."
        )
    log = _reader(name)(name, content)
    if not len(log.step) and not len(log.evaluation_step):
        raise InputError(f"There is no step of a training and no evaluation in {_called(name)}: upload {_EXPECTED}.")
    return log


def _reader(name: str) -> Callable[[str, bytes], FinetuneLog]:
    low = name.lower()
    if _TENSORBOARD.search(low):
        return _tensorboard
    readers = {".jsonl": _events, ".ndjson": _events, ".json": _trainer_state, ".csv": _table}
    for end, reader in readers.items():
        if low.endswith(end):
            return reader
    raise InputError(f"{_called(name)} is no log of a training that can be read: upload {_EXPECTED}.")


def _events(name: str, content: bytes) -> FinetuneLog:
    _check_values(name, content)
    found: list[dict[str, Any]] = []
    for line in content.split(b"\n"):
        event = _parsed(line) if line.strip() else None
        if isinstance(event, dict) and len(found) < 2 * MOST_STEPS:
            found.append(event)
    return read_log(found)


def _trainer_state(name: str, content: bytes) -> FinetuneLog:
    _check_values(name, content)
    state = _parsed(content)
    if not isinstance(state, dict) or not isinstance(state.get("log_history"), list):
        raise InputError(
            f'{_called(name)} is not the state of a trainer: expected a JSON object with a list "log_history", as in '
            "trainer_state.json in the folder of a checkpoint."
        )
    entries = [entry for entry in state["log_history"][:MOST_STEPS] if isinstance(entry, dict)]
    reading = _read(entries, "sentence-transformers")
    reading.begin = {"steps": state.get("max_steps"), "batch": state.get("train_batch_size")}
    best = whole(state.get("best_global_step"))
    reading.told_best = best if best in reading.evaluations else None
    return reading.log()


def _tensorboard(name: str, content: bytes) -> FinetuneLog:
    by_step: dict[int, dict[str, float]] = {}
    tags: dict[str, str | None] = {}
    for step, tag, value in scalars(content):
        if tag not in tags and len(tags) < _MOST_TAGS:
            tags[tag] = _tag(tag)
        known = tags.get(tag)
        if known and step >= 0 and (step in by_step or len(by_step) < MOST_STEPS):
            by_step.setdefault(step, {})[known] = value
    return _read([{"step": step} | by_step[step] for step in sorted(by_step)], "tensorboard").log()


def _tag(tag: str) -> str | None:
    """What a trainer calls it that writes "train/loss" and "eval/ndcg@10"; None for anything else."""
    part, _, name = tag.partition("/")
    return {"train": name, "eval": f"eval_{name}"}.get(part) if name else None


def _table(name: str, content: bytes) -> FinetuneLog:
    from lib.corpora import Limits, read_table

    table = read_table(content, name=name, limits=Limits(max_bytes=MOST_BYTES))
    columns = [str(column) for column in table.frame.columns]
    if not {"epoch", "steps"} <= set(columns):
        raise InputError(
            f'{_called(name)} is no table of an evaluator: expected the columns "epoch" and "steps" and one for each '
            f"metric, found {', '.join(map(_called, columns[:6]))}; upload what an evaluator of sentence-transformers "
            "writes (..._results.csv)."
        )
    frame = table.frame[["epoch", "steps", *[c for c in columns if c not in ("epoch", "steps")][:_MOST_TAGS]]]
    names = [str(column).lower() for column in frame.columns]
    rows = [dict(zip(names, map(_parsed_number, row), strict=True)) for row in frame.values[:MOST_STEPS]]
    reading = Reading(source="evaluation table", notices=(_ONLY_EVALUATIONS,))
    numbered = all(whole(row["steps"]) is not None for row in rows)
    for place, row in enumerate(rows):
        step = whole(row["steps"]) if numbered else place
        reading.evaluated(step or 0, {key: value for key, value in row.items() if key not in {"epoch", "steps"}})
    reading.notices += table.notices + (() if numbered else (_NO_STEPS,))
    return reading.log()


def _read(entries: list[dict[str, Any]], source: str) -> Reading:
    """Entries such as a trainer logs: those of steps have a loss, those of evaluations keys that begin with eval_."""
    reading = Reading(source=source)
    for entry in entries:
        step = whole(entry.get("step"))
        if step is None:
            continue
        if metrics := plain_metrics(entry):
            reading.evaluated(step, metrics)
        if step and "loss" in entry:
            point: dict[str, Any] = {key: entry.get(theirs) for key, theirs in _CURVES.items()}
            if not math.isfinite(number(entry["loss"])):
                point["not_finite"] = ["loss"]
            reading.stepped(point, step)
    steps = [step for step, _ in reading.points]
    reading.notices = (_WITHOUT_PAIRS,) + ((_EVERY_NTH,) if len(steps) < max(steps, default=0) else ())
    return reading


def _check_values(name: str, content: bytes) -> None:
    from lib.corpora.json_values import values_at_most

    if values_at_most(content) > MOST_VALUES:
        raise InputError(
            f"{_called(name)} holds more than {MOST_VALUES:,} values, the most that is read of a log: write fewer "
            "steps."
        )


def _parsed(text: bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _parsed_number(text: object) -> float:
    try:
        return float(str(text))
    except ValueError:
        return math.nan


def _called(name: str) -> str:
    return f'"{words(name) or "the file"}"'
