"""A segment: one file of the embedding store, some rows of one space, checked when it is opened."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lib.tensors import BrokenFileError, read_tensors, write_tensors

KEY_BYTES = 16
_VERSION = "1"


@dataclass(frozen=True)
class Segment:
    """One file, mapped and checked."""

    path: Path
    """Where it lies."""
    stamp: tuple[int, int]
    """Its size in bytes and time of change in ns when it was checked."""
    keys: NDArray[np.uint8]
    """Content key of every row, shape (n, 16)."""
    vectors: NDArray[np.floating]
    """The rows, shape (n, d), memory-mapped."""
    truncated: NDArray[np.bool_]
    """Whether the encoder cut each text, shape (n,)."""
    heads: NDArray[np.uint64]
    """First halves of the keys, sorted, shape (n,)."""
    order: NDArray[np.int64]
    """Rows in that order, shape (n,)."""

    @classmethod
    def read(cls, path: Path, space: str) -> "Segment":
        """Map and check the file `path` of `space`.

        Raises:
            BrokenFileError: it was cut or changed, or is of another space, version or kind.
            OSError: it cannot be read.
        """
        stamp = stamp_of(path)
        tensors, metadata = read_tensors(path)
        if metadata != _metadata(space):
            raise BrokenFileError("written for another space or by another version")
        if set(tensors) != {"keys", "truncated", "vectors"}:
            raise BrokenFileError("other arrays than keys, flags and vectors")
        keys, vectors, truncated = tensors["keys"], tensors["vectors"], tensors["truncated"]
        n = len(vectors) if vectors.ndim == 2 and vectors.dtype.kind == "f" else 0
        same_rows = keys.shape == (n, KEY_BYTES) and truncated.shape == (n,)
        if not n or not same_rows or keys.dtype != np.uint8 or truncated.dtype != np.bool_:
            raise BrokenFileError("no rows, or keys, flags and vectors that do not match")
        keys = np.array(keys)
        heads = keys.view("<u8")[:, 0]
        order = np.argsort(heads, kind="stable")
        return cls(path, stamp, keys, vectors, np.array(truncated), heads[order], order)

    def find(self, keys: NDArray[np.uint8]) -> NDArray[np.int64]:
        """Row of each key (n, 16), -1 where it is not here."""
        wanted = np.ascontiguousarray(keys).view("<u8")[:, 0]
        at = np.minimum(np.searchsorted(self.heads, wanted), len(self.heads) - 1)
        rows = self.order[at]
        return np.where((self.keys[rows] == keys).all(axis=1), rows, -1)


def write_segment(
    path: Path, space: str, *, keys: NDArray[np.uint8], vectors: NDArray[np.floating], truncated: NDArray[np.bool_]
) -> None:
    """Write rows of `space` to `path`, whole or not at all.

    Raises:
        OSError: the folder cannot be written, or the disk is full.
    """
    tensors = {"keys": keys, "truncated": np.asarray(truncated, dtype=bool), "vectors": vectors}
    write_tensors(path, tensors, _metadata(space))


def stamp_of(path: Path) -> tuple[int, int]:
    """Size in bytes and time of change in ns."""
    stat = path.stat()
    return stat.st_size, stat.st_mtime_ns


def _metadata(space: str) -> dict[str, str]:
    return {"version": _VERSION, "space": json.dumps(space)}  # any text, in the characters that a header may hold
