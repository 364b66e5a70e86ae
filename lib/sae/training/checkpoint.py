"""A training on disk: everything that its next step depends on, in one checked file that is replaced as a whole."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lib.errors import InputError
from lib.results import to_json
from lib.sae.training.rows import Split
from lib.sae.training.settings import TrainingSettings
from lib.tensors import BrokenFileError, read_tensors, write_tensors

_VERSION = 2
_ROWS = 256


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """What was kept of a training."""

    tensors: dict[str, NDArray]
    """Weights, moments and counters, by name."""
    state: dict[str, Any]
    """Numbers: step, seconds, events, and so on."""


def identity(
    settings: TrainingSettings, vectors: NDArray[np.floating], split: Split, held_out: NDArray[np.floating]
) -> str:
    """SHA-256 that two runs share if they would take the same steps: settled settings, split, and vectors.

    Of the vectors it reads shape and 256 rows that lie evenly over them.
    """
    told = {name: value for name, value in asdict(settings).items() if name not in ("device",)}
    digest = hashlib.sha256(json.dumps([_VERSION, to_json(told), vectors.shape, held_out.shape]).encode())
    for array in (vectors, held_out):
        some = np.linspace(0, len(array) - 1, min(_ROWS, len(array))).astype(np.int64)
        digest.update(np.ascontiguousarray(array[some], dtype=np.float32).tobytes())
    digest.update(split.training.tobytes())
    return digest.hexdigest()


def write_checkpoint(path: Path, key: str, kept: Checkpoint) -> None:
    """Write `kept` of the training `key` to `path`, atomically.

    Raises:
        OSError: the file cannot be written.
    """
    write_tensors(path, kept.tensors, {"training": key, "state": json.dumps(kept.state)})


def read_checkpoint(path: Path, key: str) -> Checkpoint | None:
    """What was kept of the training `key`; None where there is no such file.

    Raises:
        InputError: the file is broken, or of another training.
    """
    if not path.exists():
        return None
    try:
        tensors, metadata = read_tensors(path)
        found, state = metadata["training"], json.loads(metadata["state"])
    except (BrokenFileError, KeyError, ValueError) as fault:
        raise InputError(f"{path.name} is no readable checkpoint ({fault}): remove it, and train anew.") from None
    if found != key:
        raise InputError(
            f"{path.name} was left by a training with other settings or vectors: remove it, or name another place."
        )
    return Checkpoint(tensors, state)
