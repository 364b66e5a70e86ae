"""Checkpoints on disk: written elsewhere, sealed and renamed, so that a kill at any moment leaves whole ones."""

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib.runs.run import read_json, write_json

_SEAL = "complete.json"
_PART = ".part"
_PREFIX = "checkpoint-"
_KEPT = 2


@dataclass(frozen=True)
class Saved:
    """A checkpoint that is whole."""

    step: int
    """Steps that were done."""
    folder: Path
    """Where it lies."""
    course: dict[str, Any]
    """What was known of the training besides its weights: see `lib.finetune.training.course`."""


def part(out: Path) -> Path:
    """An empty folder below `out` to write into; what a kill left in it is removed."""
    folder = out / _PART
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def name_of(step: int) -> str:
    """What the checkpoint after `step` steps is called."""
    return f"{_PREFIX}{step}"


def seal(folder: Path, course: dict[str, Any]) -> None:
    """Say what is in `folder`, by size and SHA-256: the last file that is written into it."""
    files = {
        path.relative_to(folder).as_posix(): [path.stat().st_size, _hash(path)]
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    write_json(folder / _SEAL, {"files": files, "course": course})


def publish(folder: Path, place: Path) -> None:
    """Rename `folder` to `place`; what lies there, from before a resumption, gives way."""
    if place.exists():
        shutil.rmtree(place)
    folder.rename(place)


def saved(out: Path) -> list[Saved]:
    """The whole checkpoints below `out`, latest first; half-written and damaged ones are passed over."""
    found = [whole for path in out.glob(f"{_PREFIX}*") if (whole := _whole(path)) is not None]
    return sorted(found, key=lambda one: -one.step)


def prune(out: Path, *, best: int | None) -> None:
    """Remove all checkpoints but the last two and that of step `best`."""
    steps = sorted((step for path in out.glob(f"{_PREFIX}*") if (step := _step(path)) is not None), reverse=True)
    for step in steps[_KEPT:]:
        if step != best:
            shutil.rmtree(out / name_of(step), ignore_errors=True)


def clear(out: Path, *, after: int | None = None) -> None:
    """Remove the checkpoints of steps beyond `after`, all with None, and what was being written."""
    shutil.rmtree(out / _PART, ignore_errors=True)
    for path in out.glob(f"{_PREFIX}*"):
        step = _step(path)
        if step is not None and (after is None or step > after):
            shutil.rmtree(path, ignore_errors=True)


def _whole(folder: Path) -> Saved | None:
    """The checkpoint in `folder` if every file of it is there as it was written."""
    step, sealed = _step(folder), read_json(folder / _SEAL)
    if step is None or sealed is None:
        return None
    files, course = sealed.get("files"), sealed.get("course")
    if not isinstance(files, dict) or not isinstance(course, dict):
        return None
    for name, known in files.items():
        path = folder / name
        if not path.is_file() or [path.stat().st_size, _hash(path)] != known:
            return None
    return Saved(step, folder, course)


def _step(folder: Path) -> int | None:
    number = folder.name.removeprefix(_PREFIX)
    return int(number) if number.isascii() and number.isdigit() and folder.is_dir() else None


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
