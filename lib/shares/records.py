"""A record: the small file that says of a share how long it lives and what may delete it."""

import hashlib
import json
import math
import os
import re
import uuid
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from lib.tensors import BrokenFileError

_KEY = re.compile(r"[0-9a-f]{64}")
_PARTS = ("corpus", "queries")
_MOST_BYTES = 4_096


@dataclass(frozen=True)
class Record:
    """What is known of a share without opening its bundle."""

    bundle: str
    """Content key of its bundle, 64 hexadecimal digits."""
    holds: tuple[str, ...]
    """Its parts: `corpus`, `queries` or both."""
    created: float
    """When it was made, in seconds since 1970."""
    expires: float
    """When it ends, in seconds since 1970."""
    deletion: str
    """SHA-256 of the secret that deletes it, 64 hexadecimal digits."""


def digest(secret: str) -> str:
    """SHA-256 of a link's id or of a secret: all that is written of either, so that the folder gives no link away."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def write_record(path: Path, record: Record) -> None:
    """Write `record` whole or not at all.

    Raises:
        OSError: the folder cannot be written, or the disk is full.
    """
    temporary = path.with_name(f"{path.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        with temporary.open("x", encoding="utf-8") as file:
            json.dump({field.name: getattr(record, field.name) for field in fields(record)}, file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def read_record(path: Path) -> Record:
    """The record at `path`.

    Raises:
        BrokenFileError: it was cut, changed, or is another kind of file.
        OSError: it is not there, or cannot be read.
    """
    with path.open("rb") as file:
        text = file.read(_MOST_BYTES + 1)
    try:
        said: dict[str, Any] = json.loads(text) if len(text) <= _MOST_BYTES else {}
        record = Record(**{**said, "holds": tuple(said["holds"])})
    except (ValueError, TypeError, KeyError, RecursionError) as fault:
        raise BrokenFileError(f"no record: {fault}") from fault
    times = [record.created, record.expires]
    if not all(isinstance(key, str) and _KEY.fullmatch(key) for key in (record.bundle, record.deletion)):
        raise BrokenFileError("a key that is none")
    if not all(isinstance(at, int | float) and math.isfinite(at) for at in times):
        raise BrokenFileError("a time that is none")
    if not record.holds or not set(record.holds) <= set(_PARTS):
        raise BrokenFileError("parts that are none")
    return record
