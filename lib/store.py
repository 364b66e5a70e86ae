"""The embedding store: vectors kept on disk by the content of their texts, so that no text is encoded twice.

A *space* names what made the vectors (encoder fingerprint, prompt, precision); a row's key is the hash of its
text. Rows lie in immutable safetensors files, written whole under a temporary name and then renamed, so that
several processes may read and write at once. Reading maps the file into memory. Every file carries a checksum:
one that is cut, changed or foreign is removed and its rows are encoded again, never served. Above the size cap
the files whose rows were not asked for for longest go first.
"""

import hashlib
import logging
import os
import tempfile
import threading
import time
import uuid
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lib.errors import InputError
from lib.segments import KEY_BYTES, Segment, stamp_of, write_segment
from lib.settings import value
from lib.tensors import BrokenFileError, sweep

_log = logging.getLogger(__name__)

_IN_MEMORY_BYTES = 64 * 2**20  # rows scattered over files are gathered in memory up to here, on disk beyond
_FILES = f"{'[0-9a-f]' * 32}/{'[0-9]' * 20}-{'[0-9a-f]' * 8}.safetensors"  # no other file in the folder is touched
_LOOKS = 5  # at a folder in which another process merges or evicts
DEFAULT_CAPACITY = 2 * 10**9


def default_store() -> "EmbeddingStore":
    """The store that the app and the command line share: EMBEDSCOPE_STORE (folder), EMBEDSCOPE_STORE_GB (cap)."""
    root, size = value("EMBEDSCOPE_STORE"), max(int(1e9 * value("EMBEDSCOPE_STORE_GB")), 1)
    shipped = Path(__file__).parent.parent / "sample_data" / "embeddings"
    return EmbeddingStore(root, capacity=size, shipped=shipped if shipped.is_dir() else None)


def row_keys(texts: Iterable[str]) -> NDArray[np.uint8]:
    """Content key of every text, shape (n, 16)."""
    digests = b"".join(hashlib.blake2b(_utf8(text), digest_size=KEY_BYTES).digest() for text in texts)
    return np.frombuffer(digests, dtype=np.uint8).reshape(-1, KEY_BYTES)


def _first_of_each(keys: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Positions of the first of each row of `keys` (n, 16), ascending."""
    _, first = np.unique(np.ascontiguousarray(keys).view(f"V{KEY_BYTES}").ravel(), return_index=True)
    return np.sort(first)


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


@dataclass(frozen=True)
class Rows:
    """Rows read from the store."""

    vectors: NDArray[np.floating]
    """Shape (n, d); memory-mapped where they lie together, read-only then."""
    truncated: NDArray[np.bool_]
    """Whether the encoder cut each text at its maximum length, shape (n,)."""


class EmbeddingStore:
    """A folder of embeddings. Safe to share between threads, and the folder between processes."""

    def __init__(
        self, root: Path, *, capacity: int = DEFAULT_CAPACITY, dtype: str = "float32", shipped: Path | None = None
    ) -> None:
        """Keep at most `capacity` bytes below `root` as `dtype` (float32 or float16); `shipped` is only read."""
        if dtype not in ("float32", "float16"):
            raise InputError(f"The embedding store keeps float32 or float16, not {dtype}.")
        self.root, self.capacity, self.shipped = root, capacity, shipped
        self.dtype = np.dtype(dtype)
        self._segments: dict[Path, Segment] = {}
        self._lock = threading.RLock()

    def missing(self, space: str, keys: NDArray[np.uint8]) -> NDArray[np.int64]:
        """Positions in `keys` (n, 16) of the first of each row that is not kept, ascending: what must be encoded."""
        first = _first_of_each(keys)
        return first[self._locate(space, keys[first])[0] < 0]

    def put(
        self, space: str, keys: NDArray[np.uint8], vectors: NDArray[np.floating], truncated: NDArray[np.bool_]
    ) -> None:
        """Keep `vectors` (n, d) under `keys` (n, 16), and whether each text was cut; then hold the size cap.

        Raises:
            InputError: rows that do not match or are not finite, or the folder cannot be written.
        """
        if not len(keys) == len(vectors) == len(truncated):
            raise InputError(f"Got {len(keys)} keys, {len(vectors)} vectors, {len(truncated)} flags for one file.")
        if keys.shape != (len(keys), KEY_BYTES) or np.ndim(vectors) != 2:
            raise InputError(f"Expected keys (n, {KEY_BYTES}) and vectors (n, d), got {keys.shape}, {vectors.shape}.")
        with np.errstate(over="ignore"):
            kept = np.asarray(vectors, self.dtype)
        finite = np.isfinite(kept).all(axis=1)
        if not finite.all():
            raise InputError(
                f"{int((~finite).sum()):,} of {len(kept):,} vectors are not finite in {self.dtype}, the first of them "
                f"row {int(finite.argmin())}: the store keeps none of them; check the encoder's weights."
            )
        if len(keys):
            self._evict(keep=self._write(space, keys, kept, truncated))

    def get(self, space: str, keys: NDArray[np.uint8]) -> Rows:
        """The rows of `keys` (n, 16), in their order.

        Raises:
            InputError: no keys.
            KeyError: a row is not kept (see `missing`).
        """
        if not len(keys):
            raise InputError("Got no keys: there are no rows to read.")
        owner, row, segments = self._locate(space, keys)
        if (owner < 0).any():
            raise KeyError(f"{int((owner < 0).sum())} of {len(keys)} rows are not in the store")
        return self._gather(owner, row, segments)

    def merge(self, space: str, keys: NDArray[np.uint8]) -> None:
        """Write the files that hold rows of `keys` (n, 16) and no others as one file, in the order of `keys`.

        Rows that another process removed meanwhile, or a disk too full for the new file, leave all as it is.
        """
        keys = keys[_first_of_each(keys)]
        owner, row, segments = self._locate(space, keys)
        wanted = {key.tobytes() for key in keys}
        spare = [
            number
            for number in np.unique(owner[owner >= 0])
            if self._owns(segments[number].path)
            and segments[number].vectors.dtype == self.dtype
            and all(key.tobytes() in wanted for key in segments[number].keys)
        ]
        if len(spare) < 2:
            return
        chosen = np.isin(owner, spare)
        rows = self._gather(owner[chosen], row[chosen], segments)
        try:
            written = self._write(space, keys[chosen], rows.vectors, rows.truncated)
        except InputError as fault:
            _log.warning("Embeddings stay in %d files: %s", len(spare), fault)
            return
        for number in spare:
            self._drop(segments[number].path)
        self._evict(keep=written)

    def bytes_for(self, n: int, d: int) -> int:
        """Bytes that `n` rows of `d` dimensions take at most, whatever number of files they lie in."""
        return n * (d * self.dtype.itemsize + KEY_BYTES + 2) + 4096

    def size(self) -> int:
        """Bytes that the store's files take."""
        return sum(size for _, size, _ in self._files())

    # Reading

    def _locate(
        self, space: str, keys: NDArray[np.uint8]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], list[Segment]]:
        """For every key the number of the segment that holds it (-1: none), its row there; and the segments."""
        segments = self._open(space)
        owner, row = np.full(len(keys), -1), np.full(len(keys), -1)
        for number, segment in enumerate(segments):
            open_rows = np.flatnonzero(owner < 0)
            if not len(open_rows):
                break
            found = segment.find(keys[open_rows])
            owner[open_rows[found >= 0]], row[open_rows[found >= 0]] = number, found[found >= 0]
            if (found >= 0).any():
                self._touch(segment.path)
        return owner, row, segments

    def _gather(self, owner: NDArray[np.int64], row: NDArray[np.int64], segments: list[Segment]) -> Rows:
        """The rows that `_locate` found."""
        if (owner == owner[0]).all() and (np.diff(row) == 1).all():  # they lie together: map them
            segment, span = segments[owner[0]], slice(int(row[0]), int(row[-1]) + 1)
            return Rows(segment.vectors[span].astype(self.dtype, copy=False), segment.truncated[span])
        vectors = self._room(len(owner), segments[owner[0]].vectors.shape[1])
        truncated = np.empty(len(owner), dtype=bool)
        for number in np.unique(owner):
            mine = np.flatnonzero(owner == number)
            for part in np.array_split(mine, len(mine) // 50_000 + 1):
                vectors[part] = segments[number].vectors[row[part]]
            truncated[mine] = segments[number].truncated[row[mine]]
        return Rows(vectors, truncated)

    def _open(self, space: str) -> list[Segment]:
        """The space's sound files, largest first; broken ones are removed."""
        with self._lock:
            for _ in range(_LOOKS):
                opened, vanished = self._look(space)
                if not vanished:
                    break
        return sorted(opened, key=lambda segment: (-len(segment.keys), segment.path.name))

    def _look(self, space: str) -> tuple[list[Segment], bool]:
        """The space's sound files, and whether one vanished meanwhile: it may be merged into one not listed yet."""
        folders = [self._folder(base, space) for base in (self.shipped, self.root) if base]
        paths = {path for folder in folders for path in folder.glob("*.safetensors")}
        for gone in [path for path in self._segments if path.parent in folders and path not in paths]:
            del self._segments[gone]  # else its mapping would hold the disk space of a removed file
        opened, vanished = [], False
        for path in sorted(paths):
            try:
                segment = self._segments.get(path)
                if segment is None or segment.stamp != stamp_of(path):
                    segment = self._segments[path] = Segment.read(path, space)
            except FileNotFoundError:
                vanished = True
            except BrokenFileError as fault:
                _log.warning("Embedding file %s is broken (%s): its rows are encoded again", path.name, fault)
                self._drop(path)
            except OSError as fault:
                _log.warning("Embedding file %s cannot be read (%s): its rows are encoded again", path.name, fault)
            else:
                if segment.vectors.dtype.itemsize >= self.dtype.itemsize:  # rounded rows serve no finer store
                    opened.append(segment)
        return opened, vanished

    def _room(self, n: int, d: int) -> NDArray[np.floating]:
        """An empty matrix (n, d): in memory, or if large in a nameless file that vanishes with the last reader."""
        size = n * d * self.dtype.itemsize
        if size > _IN_MEMORY_BYTES:
            with suppress(OSError):  # where there is no room on disk, memory must do
                self.root.mkdir(parents=True, exist_ok=True)
                with tempfile.TemporaryFile(dir=self.root) as file:  # the map outlives the closed file
                    if hasattr(os, "posix_fallocate"):  # a full disk shows here, or else it kills who writes the map
                        os.posix_fallocate(file.fileno(), 0, size)
                    return np.memmap(file, dtype=self.dtype, mode="w+", shape=(n, d))
        return np.empty((n, d), dtype=self.dtype)

    # Writing

    def _write(
        self, space: str, keys: NDArray[np.uint8], vectors: NDArray[np.floating], truncated: NDArray[np.bool_]
    ) -> Path:
        path = self._folder(self.root, space) / f"{time.time_ns():020d}-{uuid.uuid4().hex[:8]}.safetensors"
        try:
            write_segment(path, space, keys=keys, vectors=vectors, truncated=truncated)
        except OSError as fault:
            raise InputError(
                f"The embedding store at {self.root} cannot be written ({fault.strerror}): "
                "free some space or set EMBEDSCOPE_STORE to another folder."
            ) from fault
        return path

    def _evict(self, keep: Path) -> None:
        """Drop the files unused for longest until the cap holds; never the one just written."""
        sweep(self.root, _FILES)
        files = sorted(self._files())  # by time of last use
        excess = sum(size for _, size, _ in files) - self.capacity
        for _, size, path in files:
            if excess <= 0:
                return
            if path != keep:
                self._drop(path)
                excess -= size

    def _files(self) -> list[tuple[int, int, Path]]:
        """(time of last use, bytes, path) of every file of the store."""
        found = []
        for path in self.root.glob(_FILES):
            with suppress(FileNotFoundError):  # another process evicted or merged it
                stat = path.stat()
                found.append((stat.st_atime_ns, stat.st_size, path))
        return found

    def _touch(self, path: Path) -> None:
        if self._owns(path):
            with suppress(OSError):  # removed by another process, or in a folder that may only be read
                os.utime(path, ns=(time.time_ns(), path.stat().st_mtime_ns))

    def _drop(self, path: Path) -> None:
        with self._lock:
            self._segments.pop(path, None)
        if self._owns(path):
            try:
                path.unlink(missing_ok=True)
            except OSError as fault:
                _log.warning("Embedding file %s cannot be removed: %s", path, fault)

    def _owns(self, path: Path) -> bool:
        """Whether the store may change `path`: it lies in its folder and was not shipped."""
        shipped = self.shipped is not None and path.is_relative_to(self.shipped)
        return path.is_relative_to(self.root) and not shipped

    @staticmethod
    def _folder(base: Path, space: str) -> Path:
        return base / hashlib.sha256(_utf8(space)).hexdigest()[:32]
