"""Folder: what lies in a training's folder beside its checkpoints, and whether a training may begin or go on there."""

from pathlib import Path
from typing import Any

from lib.errors import InputError
from lib.finetune.training import checkpoints
from lib.finetune.training.settings import TrainingSettings
from lib.results import to_json
from lib.runs.run import read_json, write_json

CONFIG, ENVIRONMENT, BEFORE, FIGURES = "config.json", "environment.json", "validation.json", "figures.json"
_SCHEMA = 1
_FREE = {"checkpoint_every"}
"""Settings that change nothing of what comes out, so that a resumed training may have others."""


def check_folder(out: Path, settings: TrainingSettings, *, resume: bool) -> None:
    """Refuse a folder that a training cannot begin in, or go on in with these settings.

    Raises:
        InputError: a finished training lies there; an unfinished one, without `resume`; one with other settings.
    """
    if (out / FIGURES).exists():
        raise InputError(f"{out} holds a finished training: name another folder, or remove that one.")
    if not checkpoints.saved(out):
        return
    if not resume:
        raise InputError(f"{out} holds an unfinished training: add --resume, or name another folder.")
    begun = (read_json(out / CONFIG) or {}).get("settings", {})
    for name, value in to_json(settings).items():
        if name in begun and begun[name] != value and name not in _FREE:
            raise InputError(
                f"The training in {out} was begun with {name.replace('_', ' ')} {_shown(begun[name])}, not "
                f"{_shown(value)}: go on with the same, or name another folder."
            )


def begin(out: Path, config: dict[str, Any], *, resume: bool) -> checkpoints.Saved | None:
    """Write what is asked for into `out`; the checkpoint to go on from, None for a training that begins.

    It is the latest that is whole and whose best weights so far are, too. What a kill left of later ones is removed.

    Raises:
        InputError: the checkpoints there are of another encoder or other data.
    """
    out.mkdir(parents=True, exist_ok=True)
    found = _usable(checkpoints.saved(out)) if resume else None
    if found is not None:
        _check_same(out, read_json(out / CONFIG) or {}, config)
    else:
        (out / BEFORE).unlink(missing_ok=True)
    checkpoints.clear(out, after=found.step if found else -1)
    write_json(out / CONFIG, {"schema": _SCHEMA, **config})
    return found


def _usable(found: list[checkpoints.Saved]) -> checkpoints.Saved | None:
    steps = {one.step for one in found}
    for one in found:
        best = one.course.get("best")
        if best is None or best in steps:
            return one
    return None


def _check_same(out: Path, begun: dict[str, Any], config: dict[str, Any]) -> None:
    for part, key, what in (("data", "key", "other data"), ("encoder", "fingerprint", "another state of its encoder")):
        before, now = (one.get(part, {}).get(key) for one in (begun, config))
        if before is not None and before != now:
            raise InputError(f"The training in {out} was begun on {what}: go on with the same, or name another folder.")


def _shown(value: Any) -> str:
    return ", ".join(map(str, value)) or "none" if isinstance(value, list) else "none" if value is None else str(value)
