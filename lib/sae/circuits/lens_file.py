"""Lenses on disk: one folder with `tuned.json`, `tuned.safetensors` and `raw.json`; and those that ship.

A lens that ships belongs to one encoder, by its fingerprint, and its figures under a dictionary to that dictionary, by
its key: under another one they are not known.
"""

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, get_args

import numpy as np

from lib.corpora.samples import SAMPLE_FOLDER
from lib.encoders import Checkpoint
from lib.errors import InputError
from lib.sae.autoencoder import SparseAutoencoder
from lib.sae.circuits.lens import Kind, Lens
from lib.tensors import BrokenFileError, read_tensors, write_tensors

SHIPPED = SAMPLE_FOLDER / "sae" / "lens"
"""The packaged encoder's lenses."""
_FORMAT, _VERSION = "embedscope-lens", 1
_TENSORS = ("maps", "offsets")
_NUMBERS = ("ridge", "r2", "fvu", "overlap", "by_chance")
_TYPES: dict[str, type] = {"strongest": int, "fitted": int, "held_out": int, "seed": int, "corpus": str, "unit": bool}


def save_lens(lens: Lens, folder: Path, *, half: bool = False) -> None:
    """Write `lens` into `folder`, which is made if need be; `half` stores the maps in float16, half the bytes.

    Raises:
        OSError: the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    config = {name: value for name, value in lens.to_dict().items() if name not in _TENSORS}
    written = {"format": _FORMAT, "version": _VERSION, **config}
    text = json.dumps(written, indent=1, ensure_ascii=False, allow_nan=False)
    (folder / f"{lens.kind}.json").write_text(text + "\n", "utf-8")
    if lens.maps is not None and lens.offsets is not None:
        dtype = np.float16 if half else np.float32
        tensors = {"maps": lens.maps.astype(dtype), "offsets": lens.offsets.astype(dtype)}
        write_tensors(folder / f"{lens.kind}.safetensors", tensors, {"encoder": lens.encoder})


def load_lens(folder: Path, kind: Kind) -> Lens:
    """The lens of that kind that `save_lens` wrote into `folder`.

    Raises:
        InputError: no such files, or files that are broken or of another format.
    """
    path = folder / f"{kind}.json"
    what = f"{path.name} of {folder.name}"
    if kind not in get_args(Kind) or not path.is_file():
        raise InputError(f"{folder.name} holds no {kind} lens: name the folder that `sae lens` wrote.")
    try:
        config = json.loads(path.read_text("utf-8"))
    except (ValueError, RecursionError) as fault:
        raise InputError(f"{what} is not valid JSON ({fault}): write the lens anew.") from None
    if not isinstance(config, dict) or config.get("format") != _FORMAT or config.get("version") != _VERSION:
        raise InputError(f"{what} is no lens in version {_VERSION} of Embedscope's format: write it anew.")
    values = _checked({name: config.get(name) for name in _names()}, what)
    if kind == "tuned":
        values |= _maps(folder / f"{kind}.safetensors", len(values["depths"]) - 1)
    return Lens(**values | {"kind": kind})


def known_lens(kind: Kind, checkpoint: Checkpoint, sae: SparseAutoencoder) -> Lens | None:
    """The lens that ships for an encoder; None where none does.

    Under another dictionary than the packaged one it comes without `fvu` and `overlap`: `measure_lens` gives them.
    """
    if not (SHIPPED / f"{kind}.json").is_file():
        return None
    lens = load_lens(SHIPPED, kind)
    if lens.encoder != checkpoint.fingerprint:
        return None
    return lens if lens.sae == sae.key else replace(lens, fvu=None, overlap=None, by_chance=None, strongest=0, sae=None)


def _names() -> list[str]:
    return [field.name for field in fields(Lens) if field.name not in _TENSORS]


def _checked(values: dict[str, Any], what: str) -> dict[str, Any]:
    """The config's values in the types of a lens."""
    depths = values["depths"]
    if not isinstance(depths, list) or len(depths) < 2 or not isinstance(values["encoder"], str):
        raise InputError(f"{what} names no depths or no encoder: write the lens anew.")
    for name, kind in _TYPES.items():
        if not isinstance(values[name], kind):
            raise InputError(f"{name!r} in {what} should be of type {kind.__name__}: write the lens anew.")
    for name in _NUMBERS:
        held = values[name]
        if held is None:
            continue
        expected = len(depths) - (name == "ridge")
        numbers = isinstance(held, list) and all(isinstance(one, int | float | None) for one in held)
        if not numbers or len(held) != expected:
            raise InputError(f"{name!r} in {what} should be {expected} numbers, one a depth: write the lens anew.")
        values[name] = np.array(held, dtype=np.float64)
    return values | {"depths": tuple(str(depth) for depth in depths)}


def _maps(path: Path, layers: int) -> dict[str, Any]:
    what = f"{path.name} of {path.parent.name}"
    try:
        tensors, _ = read_tensors(path)
    except FileNotFoundError:
        raise InputError(f"{path.parent.name} lacks {path.name}: write the lens anew.") from None
    except (BrokenFileError, OSError) as fault:
        raise InputError(f"{what} cannot be read ({fault}): write the lens anew.") from None
    found = {name: np.asarray(tensors[name], dtype=np.float32) for name in _TENSORS if name in tensors}
    shapes = [array.shape for array in found.values()]
    if len(found) < 2 or len(shapes[0]) != 3 or shapes[1] != (layers, shapes[0][2]) or shapes[0][0] != layers:
        raise InputError(f"{what} should hold a map and an offset for each of {layers} depths: write the lens anew.")
    if not all(np.isfinite(array).all() for array in found.values()):
        raise InputError(f"{what} holds NaN or infinite numbers: write the lens anew.")
    return dict(found)
