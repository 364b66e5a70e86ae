"""Weights: which files hold them, whether they are whole, how many parameters they have, their hashes. No torch."""

import hashlib
import json
import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from lib.encoders.files import child, read_object
from lib.errors import InputError

_MAX_HEADER = 16_000_000
"""Bytes; the format allows 100 million, but the largest models in use take one, and reading takes ten times as many."""
_MOST_PER_BYTE = 8
"""Numbers that a byte holds at most: truth values packed as bits."""
_SAFE = ("model.safetensors", "model.safetensors.index.json")
_PICKLED = ("pytorch_model.bin", "pytorch_model.bin.index.json")


@dataclass(frozen=True)
class Weights:
    """The weight files of one module."""

    files: tuple[Path, ...]
    """In the order of their names."""
    safe: bool
    """Whether they are safetensors; others are read as plain tensors only, never as objects."""
    parameters: int
    """Numbers in them; for pickled files a guess from their size, four bytes each."""
    size_bytes: int
    """On disk."""


def find_weights(folder: Path, *, name: str) -> Weights:
    """The weights in `folder`, safetensors before pickled ones; `name` is how messages call the checkpoint.

    Raises:
        InputError: there are none, a file is missing, or one is cut or damaged.
    """
    for (single, index), safe in ((_SAFE, True), (_PICKLED, False)):
        files = (folder / single,) if (folder / single).is_file() else _shards(folder, index)
        if files:
            size = sum(path.stat().st_size for path in files)
            parameters = sum(parameters_of(path, name=name) for path in files) if safe else size // 4
            return Weights(files, safe, parameters, size)
    raise InputError(
        f"{name} holds no weights that can be opened: expected model.safetensors (or pytorch_model.bin) in it; "
        "convert the checkpoint to safetensors or fetch it anew."
    )


def parameters_of(path: Path, *, name: str) -> int:
    """Numbers in one safetensors file.

    Raises:
        InputError: as `shapes_of`.
    """
    return sum(math.prod(shape) for shape in shapes_of(path, name=name).values())


def shapes_of(path: Path, *, name: str) -> dict[str, tuple[int, ...]]:
    """The shape of each tensor in one safetensors file, from its header alone.

    Raises:
        InputError: the header is not one, or the file is shorter or longer than its header says.
    """
    header, end = _header(path, name)
    shapes: dict[str, tuple[int, ...]] = {}
    start = end
    for tensor, entry in header.items():
        try:
            shape = tuple(int(side) for side in entry["shape"])
            first, last = (int(offset) for offset in entry["data_offsets"])
        except (KeyError, IndexError, TypeError, ValueError, OverflowError):
            raise _damaged(path, name, "its header describes a tensor without shape or place") from None
        if min(shape, default=0) < 0 or not 0 <= math.prod(shape) <= _MOST_PER_BYTE * (last - first):
            raise _damaged(path, name, "its header describes a tensor of more numbers than its place holds")
        shapes[tensor], end = shape, max(end, start + last)
    size = path.stat().st_size
    if size != end:
        raise _damaged(path, name, f"its header promises {end:,} bytes, the file has {size:,}")
    return shapes


def sha256_of(path: Path) -> str:
    """Hex SHA-256 of a file; computed once a process for the same path, size and time of change."""
    status = path.stat()
    return _sha256(str(path.resolve()), status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=512)
def _sha256(path: str, _size: int, _changed: int) -> str:
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _shards(folder: Path, index: str) -> tuple[Path, ...]:
    content = read_object(folder, index)
    if content is None:
        return ()
    mapping = content.get("weight_map")
    if not isinstance(mapping, dict) or not mapping:
        raise InputError(f"{index} of {folder.name} names no weight files; fetch the checkpoint anew.")
    files = tuple(child(folder, file, named_in=index) for file in sorted(set(mapping.values())))
    for file in files:
        if not file.is_file():
            raise InputError(
                f"{index} of {folder.name} names {file.name}, which is missing; fetch the checkpoint anew."
            )
    return files


def _header(path: Path, name: str) -> tuple[dict[str, Any], int]:
    """The tensors that a safetensors file describes, and the byte at which their data start."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if not 2 <= length <= min(_MAX_HEADER, path.stat().st_size - 8):
            raise _damaged(path, name, "it does not start with a safetensors header")
        try:
            header = json.loads(file.read(length))
        except (ValueError, RecursionError):
            raise _damaged(path, name, "its header is not valid JSON") from None
    if not isinstance(header, dict):
        raise _damaged(path, name, "its header is not a table of tensors")
    header.pop("__metadata__", None)
    return header, 8 + length


def _damaged(path: Path, name: str, why: str) -> InputError:
    return InputError(f"{path.name} of {name} is cut or damaged: {why}; fetch the checkpoint anew.")
