"""The shelf: slow results (maps, clusters) kept on disk by what they were computed from.

A result's key is the hash of its class, its field names and whatever its maker says that it depends on: inputs'
content, settings. Files are checked arrays and JSON; a broken one is removed.
"""

import hashlib
import json
import logging
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from lib.results import Result
from lib.settings import value as setting
from lib.tensors import BrokenFileError, read_tensors, sweep, write_tensors

_log = logging.getLogger(__name__)

R = TypeVar("R", bound=Result)

_MOST_FILES = 500
DEFAULT_CAPACITY = 10**9
_FILES = f"*-{'[0-9a-f]' * 24}.safetensors"  # no other file in the folder is touched


def default_shelf() -> "Shelf":
    """The shelf that the app and the command line share: beside the store's folder, over the maps that ship."""
    root, most = setting("EMBEDSCOPE_RESULTS"), int(1e9 * setting("EMBEDSCOPE_RESULTS_GB"))
    return Shelf(root, shipped=Path(__file__).parent.parent / "sample_data" / "maps", capacity=most)


class Shelf:
    """A folder of results. Threads and processes may share it."""

    def __init__(self, root: Path, *, shipped: Path | None = None, capacity: int = DEFAULT_CAPACITY) -> None:
        """Keep results in `root`, up to `capacity` bytes; those in `shipped` are only read."""
        self.root, self.shipped, self.capacity = root, shipped, capacity

    def get(self, kind: type[R], inputs: Mapping[str, Any]) -> R | None:
        """The result of class `kind` computed from `inputs`, or None if there is none that is sound."""
        name = _name(kind, inputs)
        for base in (self.shipped, self.root):
            if base is None:
                continue
            path, own = base / name, base != self.shipped
            try:
                found = _read(path, kind)
            except (FileNotFoundError, NotADirectoryError):
                continue
            except (BrokenFileError, OSError) as fault:
                _log.warning("Result file %s cannot be used (%s): it is computed again", path.name, fault)
                if own and isinstance(fault, BrokenFileError):
                    _remove(path)
                continue
            if own:
                with suppress(OSError):  # thinned out by another process, or in a folder that may only be read
                    os.utime(path)
            return found
        return None

    def put(self, result: Result, inputs: Mapping[str, Any]) -> None:
        """Keep `result`, whose fields are arrays, numbers, text, None, tuples or dictionaries of such.

        A shelf that cannot be written costs time later, so it only warns.

        Raises:
            TypeError: a field is something else, which would not come back as it was.
        """
        if not is_dataclass(result):
            raise TypeError(f"{type(result).__name__} is no dataclass")
        values = {field.name: getattr(result, field.name) for field in fields(result)}
        tensors = {key: value for key, value in values.items() if isinstance(value, np.ndarray)}
        plain = json.dumps({key: _plain(value) for key, value in values.items() if key not in tensors})
        try:
            write_tensors(self.root / _name(type(result), inputs), tensors, {"values": plain})
            self._thin_out()
        except OSError as fault:
            _log.warning("Results cannot be kept in %s: %s", self.root, fault)

    def _thin_out(self) -> None:
        """Remove the files unused for longest above `_MOST_FILES` files or `capacity` bytes; the last written stays."""
        sweep(self.root, _FILES)
        found = []
        for path in self.root.glob(_FILES):
            with suppress(FileNotFoundError):  # another process thinned out
                stat = path.stat()
                found.append((stat.st_mtime_ns, stat.st_size, path))
        kept = 0
        for number, (_, size, path) in enumerate(sorted(found, reverse=True)):  # used last first
            kept += size
            if number and (number >= _MOST_FILES or kept > self.capacity):
                _remove(path)


def _read(path: Path, kind: type[R]) -> R:
    tensors, metadata = read_tensors(path)
    try:
        values = {key: _restored(value) for key, value in json.loads(metadata["values"]).items()}
        return kind(**values, **{key: np.array(tensor) for key, tensor in tensors.items()})
    except (KeyError, ValueError, TypeError, AttributeError) as fault:
        raise BrokenFileError(f"other fields than {kind.__name__} has") from fault


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as fault:
        _log.warning("Result file %s cannot be removed: %s", path, fault)


def _plain(value: object) -> Any:
    """`value` in JSON's types such that `_restored` gives it back, dictionaries with keys that are not text too."""
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {"pairs": [[_plain(key), _plain(item)] for key, item in value.items()]}
    if isinstance(value, np.generic):
        return value.item()
    if value is None or isinstance(value, str | int | float):
        return value
    raise TypeError(f"A {type(value).__name__} in a result cannot be kept on the shelf")


def _restored(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_restored(item) for item in value)
    if isinstance(value, dict):
        return {_restored(key): _restored(item) for key, item in value["pairs"]}
    return value


def _name(kind: type[Result], inputs: Mapping[str, Any]) -> str:
    names: list[str] = [field.name for field in fields(kind)] if is_dataclass(kind) else []
    content = json.dumps([kind.__name__, names, dict(sorted(inputs.items()))], sort_keys=True)
    return f"{kind.__name__.lower()}-{hashlib.sha256(content.encode()).hexdigest()[:24]}.safetensors"
