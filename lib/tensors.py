"""Checked files of arrays: safetensors written whole or not at all, and mapped into memory when read.

No pickle. Every file carries a checksum of its arrays and metadata, so that one that was cut or changed is known for
broken. The format is written here and not by its own library, whose temporary files have a name that nobody can
know again when their writer has died.
"""

import json
import math
import os
import time
import uuid
import zlib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

_DTYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2",
    "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1",
    "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "u1", "BOOL": "?",
}  # fmt: skip
_NAMES = {np.dtype(dtype): name for name, dtype in _DTYPES.items()}
_ALIGNED = 8  # bytes
_CHECKSUM = "crc32"
_CHECKED_AT_ONCE = 2**24
_MOST_HEADER_BYTES = 10**8  # what safetensors itself allows
_PART = ".part"
_FORGOTTEN_SECONDS = 3600


class BrokenFileError(Exception):
    """A file is not what was written."""


def write_tensors(path: Path, tensors: Mapping[str, NDArray], metadata: Mapping[str, str]) -> None:
    """Write `tensors` to `path`: under a temporary name first, then renamed, so that nobody sees half a file.

    Raises:
        OSError: the folder cannot be written, or the disk is full.
        TypeError: an array of other things than numbers and booleans.
    """
    arrays = {name: _plain(tensor, name) for name, tensor in tensors.items()}
    order = sorted(arrays, key=lambda name: (-arrays[name].itemsize, name))  # wide numbers first: all lie aligned
    header: dict[str, Any] = {"__metadata__": {**metadata, _CHECKSUM: _checksum(arrays, metadata)}}
    end = 0
    for name in order:
        start, end = end, end + arrays[name].nbytes
        dtype = _NAMES[arrays[name].dtype]
        header[name] = {"dtype": dtype, "shape": arrays[name].shape, "data_offsets": [start, end]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % _ALIGNED)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{uuid.uuid4().hex[:8]}{_PART}")
    try:
        with temporary.open("xb") as file:
            file.write(len(text).to_bytes(8, "little") + text)
            for name in order:
                file.writelines(_bytes(arrays[name]))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def read_tensors(path: Path) -> tuple[dict[str, NDArray], dict[str, str]]:
    """The arrays of `path`, memory-mapped and read-only, and its metadata.

    Raises:
        BrokenFileError: the file was cut, changed, or is another kind of file.
        OSError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            length = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(length)) if length < min(size, _MOST_HEADER_BYTES) else {}
            metadata = header.pop("__metadata__")
            tensors = {name: _map(file, entry, 8 + length, size) for name, entry in header.items()}
        sound = metadata.pop(_CHECKSUM) == _checksum(tensors, metadata)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as fault:
        raise BrokenFileError(f"unreadable header: {fault}") from fault
    if not sound:
        raise BrokenFileError("checksum differs")
    return tensors, metadata


def sweep(folder: Path, pattern: str) -> None:
    """Remove what writers of files like `pattern` in `folder` left behind when they died more than an hour ago."""
    for path in folder.glob(f"{pattern}.*{_PART}"):
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > _FORGOTTEN_SECONDS:
                path.unlink(missing_ok=True)


def _plain(tensor: NDArray, name: str) -> NDArray:
    array = np.asarray(tensor, order="C")
    array = array.astype(array.dtype.newbyteorder("<"), copy=False)
    if array.dtype not in _NAMES:
        raise TypeError(f"{name} is an array of {array.dtype}; only numbers and booleans can be written")
    return array


def _map(file: BinaryIO, entry: dict[str, Any], start: int, size: int) -> NDArray:
    first, last = entry["data_offsets"]
    shape, dtype = tuple(entry["shape"]), np.dtype(_DTYPES[entry["dtype"]])
    if last - first != dtype.itemsize * math.prod(shape) or not 0 <= first <= last <= size - start:
        raise ValueError(f"{shape} declared in bytes {first} to {last} of {size - start}")
    if last == first:
        return np.empty(shape, dtype)
    return np.memmap(file, dtype=dtype, mode="r", offset=start + first, shape=shape or (1,)).reshape(shape)


def _checksum(tensors: Mapping[str, NDArray], metadata: Mapping[str, str]) -> str:
    value = zlib.crc32(json.dumps(sorted(metadata.items())).encode())
    for name in sorted(tensors):
        kind = [name, tensors[name].dtype.str, tensors[name].shape]
        value = zlib.crc32(json.dumps(kind).encode(), value)
        for part in _bytes(tensors[name]):
            value = zlib.crc32(part, value)
    return str(value)


def _bytes(tensor: NDArray) -> Iterable[memoryview]:
    flat = tensor.reshape(-1).view(np.uint8)
    for start in range(0, len(flat), _CHECKED_AT_ONCE):
        yield flat[start : start + _CHECKED_AT_ONCE].data
