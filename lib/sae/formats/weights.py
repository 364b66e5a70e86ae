"""Weights that anybody may have written: sizes are held against free memory before anything is loaded, nothing runs.

safetensors are data alone. Of torch's own files only the archives are read (`weights_only`, which builds tensors and
plain containers and nothing else).
"""

import math
import pickle
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lib.encoders import free_memory
from lib.encoders.memory import check_cap
from lib.encoders.weights import shapes_of
from lib.errors import InputError

if TYPE_CHECKING:
    import torch

Arrays = dict[str, NDArray[np.float32]]

_COPIES = 7
"""Copies of the weights, in float32, that reading and folding (in float64) hold at once."""
_BROKEN = (RuntimeError, ValueError, TypeError, KeyError, IndexError, AttributeError, EOFError, OverflowError)
"""What torch raises on an archive that is not one, or that holds other things than tensors."""


def read_safetensors(path: Path) -> Arrays:
    """Every tensor of a safetensors file as float32.

    Raises:
        InputError: no such file, a damaged one, one too large for the free memory, NaN or infinite numbers in it.
    """
    from safetensors import SafetensorError, safe_open

    _check_there(path)
    check_size(path)
    try:
        with safe_open(path, framework="pt") as file:  # numpy knows no bfloat16
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
    except (SafetensorError, *_BROKEN) as fault:
        raise InputError(f"{path.name} of {path.parent.name} is no readable safetensors file ({fault}).") from None
    return _arrays(path, tensors)


def read_archive(path: Path) -> Arrays:
    """Every tensor of a file that `torch.save` wrote from a state dictionary, as float32.

    Raises:
        InputError: as `read_safetensors`; also other things than tensors in it, which are never built.
    """
    import torch

    _check_there(path)
    called = f"{path.name} of {path.parent.name}"
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
    except (zipfile.BadZipFile, OSError, *_BROKEN):
        raise InputError(f"{called} is no archive that torch.save writes; save it anew, or as safetensors.") from None
    _check_memory(path, size // 4)
    try:
        tensors = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, *_BROKEN):
        raise InputError(f"{called} holds other things than tensors, or is damaged; nothing of it was run.") from None
    if not isinstance(tensors, dict) or not all(
        isinstance(name, str) and isinstance(held, torch.Tensor) for name, held in tensors.items()
    ):
        raise InputError(f"{called} should hold a state dictionary: a tensor under each name.")
    for name, tensor in tensors.items():
        plain = tensor.layout is torch.strided and not tensor.is_quantized and tensor.device.type == "cpu"
        if not plain or tensor.numel() * tensor.element_size() > tensor.untyped_storage().nbytes():
            raise InputError(f"{called} holds {name} in a way that no training writes; save it anew as dense tensors.")
    return _arrays(path, tensors)


def check_size(path: Path) -> None:
    """Hold the tensors of a safetensors file, as its header tells them, against the free memory.

    Raises:
        InputError: they are too large, or the header is damaged.
    """
    shapes = shapes_of(path, name=path.parent.name)
    _check_memory(path, sum(math.prod(shape) for shape in shapes.values()))


def pick(arrays: Arrays, names: Sequence[str], path: Path) -> list[NDArray[np.float32]]:
    """The arrays of these names.

    Raises:
        InputError: some are missing.
    """
    missing = [name for name in names if name not in arrays]
    if missing:
        raise InputError(f"{path.name} of {path.parent.name} lacks {', '.join(missing)}.")
    return [arrays[name] for name in names]


def pick_thresholds(arrays: Arrays, n: int, path: Path) -> NDArray[np.float32]:
    """The threshold of each of n features.

    Raises:
        InputError: there are none, or other than n.
    """
    (thresholds,) = pick(arrays, ["threshold"], path)
    if thresholds.shape != (n,):
        raise InputError(f"threshold of {path.name} should have the shape {(n,)}, got {thresholds.shape}.")
    return thresholds


def pick_one(arrays: Arrays, name: str, path: Path) -> float:
    """The number that is kept under `name`.

    Raises:
        InputError: there is none, or several.
    """
    (held,) = pick(arrays, [name], path)
    if held.size != 1:
        raise InputError(f"{name} of {path.name} should be one number, got the shape {held.shape}.")
    return float(held.reshape(-1)[0])


def number(config: Mapping[str, Any], key: str, called: str, *, least: int = 1) -> int:
    """The whole number that a config gives as `key`; `called` names the config in messages.

    Raises:
        InputError: it is missing, or something else.
    """
    found = config.get(key)
    if isinstance(found, float) and found.is_integer():
        found = int(found)
    if not isinstance(found, int) or isinstance(found, bool) or found < least:
        raise InputError(f"{called} should give {key} as a whole number of {least} or more, got {found!r}.")
    return found


def plain_settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """What a config says in numbers, words and truth values: shown as it is, computed with nowhere."""
    return {
        str(key)[:100]: value[:300] if isinstance(value, str) else value
        for key, value in list(config.items())[:100]
        if isinstance(value, str | int | bool) or (isinstance(value, float) and math.isfinite(value))
    }


def words(value: Any) -> str | None:
    """A name that a config gives, cut to what a screen shows; None where it gives none."""
    return value[:300] if isinstance(value, str) and value else None


def _check_there(path: Path) -> None:
    if not path.is_file():
        raise InputError(f"{path.parent.name} holds no {path.name}: name the folder of a sparse autoencoder.")


def _check_memory(path: Path, numbers: int) -> None:
    check_cap(f"{path.name} of {path.parent.name}", 4 * numbers)
    needed, free = _COPIES * 4 * numbers, free_memory()
    if needed > free:
        raise InputError(
            f"{path.name} of {path.parent.name} takes about {needed / 1e9:,.1f} GB of memory to read, but only "
            f"{free / 1e9:.1f} GB are free; choose a smaller dictionary or a larger machine."
        )


def _arrays(path: Path, tensors: Mapping[str, "torch.Tensor"]) -> Arrays:
    arrays = {name: np.asarray(tensor.detach().float().numpy()) for name, tensor in tensors.items()}
    broken = [name for name, array in arrays.items() if not np.isfinite(array).all()]
    if broken:
        raise InputError(
            f"{path.name} of {path.parent.name} holds NaN or infinite numbers in {', '.join(broken)}; fetch or train "
            "it anew."
        )
    return arrays
