"""From texts to embeddings, by way of the store: what was encoded before is read, the rest is encoded and kept."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.encoders import Checkpoint, Encoder, Precision, Role
from lib.errors import InputError
from lib.progress import Progress
from lib.store import EmbeddingStore, row_keys

_CHUNK = 1_024  # texts encoded between two writes: what a stop or a crash can lose
_ATTEMPTS = 3  # to read back what was written, when others evict it meanwhile


@dataclass(frozen=True)
class Embeddings:
    """The vectors of a list of texts, in its order."""

    vectors: NDArray[np.floating]
    """Shape (n, d), float32 (float16 if the store keeps that); memory-mapped where possible, so read-only."""
    key: str
    """Content hash of encoder, prompt, precisions and texts: equal keys have equal vectors."""
    encoded: int
    """Texts that had to be encoded now; the others were in the store."""
    truncated: int
    """Texts longer than the encoder's maximum, of which only the beginning was read."""


def space_of(checkpoint: Checkpoint, *, role: Role, precision: Precision) -> str:
    """Name of the space in which vectors of this encoder, prompt and precision are kept.

    The prompt of the other role does not matter. The role does, beyond its prompt, where an encoder has other weights
    or code for each.
    """
    prompt = checkpoint.prompts.query if role == "query" else checkpoint.prompts.document
    own = role if checkpoint.task_adapters or checkpoint.own_code else ""
    return f"{checkpoint.content}/{precision}/{own}/{prompt}"


def embed(
    texts: Sequence[str],
    checkpoint: Checkpoint,
    open_it: Callable[[], Encoder],
    store: EmbeddingStore,
    *,
    role: Role = "document",
    precision: Precision = "float32",
    progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Embeddings:
    """Embed `texts` with the encoder of `checkpoint`; `open_it` is called only if a text is not in the store.

    `progress` is told (done, of how many to encode). What was encoded when the user stops is kept.

    Raises:
        InputError: no texts, more than the store may keep, or what the encoder says of them.
        Stopped: `should_stop` answered True.
    """
    if not len(texts):
        raise InputError("There is nothing to embed: the corpus has no texts.")
    space = space_of(checkpoint, role=role, precision=precision)
    keys = row_keys(texts)
    encoded = 0
    for attempt in range(_ATTEMPTS):
        todo = store.missing(space, keys)
        if len(todo):
            _check_room(len(set(texts)), checkpoint.dimensions, store)
            encoder = open_it()
            for start in range(0, len(todo), _CHUNK):
                chunk, tell = todo[start : start + _CHUNK], _part_of(progress, start, len(todo))
                made = encoder.encode([texts[row] for row in chunk], role=role, progress=tell, should_stop=should_stop)
                store.put(space, keys[chunk], made.vectors, made.truncated_mask)
            store.merge(space, keys)
            encoded += len(todo)
        try:
            rows = store.get(space, keys)
            break
        except KeyError:  # another process needed the room meanwhile
            if attempt == _ATTEMPTS - 1:
                raise InputError(
                    "The embedding store is too small for all that use it at once: raise EMBEDSCOPE_STORE_GB."
                ) from None
    digest = hashlib.sha256(row_keys([space, store.dtype.name]).tobytes())
    digest.update(keys.tobytes())
    return Embeddings(rows.vectors, digest.hexdigest(), encoded, int(rows.truncated.sum()))


def _part_of(progress: Progress | None, done: int, of: int) -> Progress | None:
    """`progress` for a chunk that begins after `done` texts out of `of`."""
    if progress is None:
        return None
    return lambda finished, _chunk: progress(done + finished, of)


def _check_room(n: int, d: int, store: EmbeddingStore) -> None:
    need = store.bytes_for(n, d)
    if need > store.capacity:
        raise InputError(
            f"{n:,} embeddings of {d} dimensions take {need / 1e9:.3g} GB and the store may keep "
            f"{store.capacity / 1e9:.3g} GB: take fewer texts, or raise EMBEDSCOPE_STORE_GB on the server."
        )
