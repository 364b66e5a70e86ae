"""The project's own format: one folder with `sae.safetensors` and `config.json`.

Tensors: W_enc (d, n), b_enc (n,), W_dec (n, d) with unit rows, b_dec (d,), and where the rule has them threshold (n,)
or ranking (n,); float32, or float16 to ship. The config says the rule and where the dictionary comes from (`About`).
"""

import json
from dataclasses import asdict, fields
from pathlib import Path
from types import NoneType
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from lib.errors import InputError
from lib.results import to_json
from lib.sae.autoencoder import About, Rule, SparseAutoencoder

WEIGHTS, CONFIG = "sae.safetensors", "config.json"
FORMAT = "embedscope-sae"
_VERSION = 1
_MOST_CONFIG_BYTES = 2_000_000
_ROUNDING = 1e-6
_TENSORS = {
    "W_enc": "encoder_weights",
    "b_enc": "encoder_bias",
    "W_dec": "decoder_weights",
    "b_dec": "decoder_bias",
    "threshold": "thresholds",
    "ranking": "ranking",
}
_NEEDED = ("W_enc", "b_enc", "W_dec", "b_dec")
_TEXT, _TEXT_OR_NOT = (str, "text"), ((str, NoneType), "text or null")
_OBJECT = (dict, "an object")
_ENTRIES: dict[str, tuple[Any, str]] = {
    "rule": _TEXT,
    "k": ((int, NoneType), "a whole number or null"),
    "prefixes": (list, "a list"),
    "name": _TEXT,
    "origin": _TEXT,
    "encoder": _TEXT_OR_NOT,
    "fingerprint": _TEXT_OR_NOT,
    "licence": _TEXT_OR_NOT,
    "trained_on": _OBJECT,
    "settings": _OBJECT,
    "figures": _OBJECT,
}
_REQUIRED = ("rule", "k")


def save(sae: SparseAutoencoder, folder: Path, *, half: bool = False) -> None:
    """Write `sae` into `folder`, which is made if need be; `half` stores float16, half the bytes.

    Raises:
        OSError: the folder cannot be written.
    """
    from safetensors.numpy import save as packed

    dtype = np.float16 if half else np.float32
    held = {name: getattr(sae, field) for name, field in _TENSORS.items()}
    config = {
        "format": FORMAT,
        "version": _VERSION,
        "dimensions": sae.dimensions,
        "features": sae.features,
        "rule": sae.rule,
        "k": sae.k,
        "prefixes": list(sae.prefixes),
        **to_json(asdict(sae.about)),
    }
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {name: array.astype(dtype) for name, array in held.items() if array is not None}
    (folder / WEIGHTS).write_bytes(packed(tensors))
    (folder / CONFIG).write_text(json.dumps(config, indent=1, ensure_ascii=False, allow_nan=False) + "\n", "utf-8")


def load(folder: Path) -> SparseAutoencoder:
    """The sparse autoencoder that `save` wrote into `folder`; decoder rows are made unit vectors again.

    Raises:
        InputError: no such folder, files that are missing, broken or of another format.
    """
    config = read_config(folder)
    if config.get("format") != FORMAT:
        raise InputError(f"{folder.name} holds no SAE in Embedscope's own format: its {CONFIG} names another.")
    if config.get("version") != _VERSION:
        raise InputError(
            f"{folder.name} was written in version {config.get('version')} of the format; this Embedscope reads "
            f"version {_VERSION}: take the newest Embedscope, or write the SAE again."
        )
    tensors = _read_weights(folder / WEIGHTS)
    missing = [name for name in _NEEDED if name not in tensors]
    if missing:
        raise InputError(f"{WEIGHTS} of {folder.name} lacks {', '.join(missing)}.")
    arrays: dict[str, Any] = {_TENSORS[name]: tensors[name].astype(np.float32) for name in _TENSORS if name in tensors}
    if any(array.ndim != (2 if name.endswith("_weights") else 1) for name, array in arrays.items()):
        raise InputError(f"{WEIGHTS} of {folder.name} holds tensors of unexpected shapes; fetch or write it anew.")
    if not all(np.isfinite(array).all() for array in arrays.values()):
        raise InputError(f"{WEIGHTS} of {folder.name} holds NaN or infinite numbers; train or fetch it anew.")
    arrays["decoder_weights"] = unit_rows(arrays["decoder_weights"])
    _check_types(config, folder.name)
    return SparseAutoencoder(
        **arrays,
        rule=config["rule"],
        k=config["k"],
        prefixes=tuple(config.get("prefixes", ())),
        about=About(**{field.name: config[field.name] for field in fields(About) if field.name in config}),
    )


def _check_types(config: dict[str, Any], name: str) -> None:
    for entry, (kinds, expected) in _ENTRIES.items():
        if entry in _REQUIRED and entry not in config:
            raise InputError(f"{CONFIG} of {name} lacks {entry!r}; fetch or write it anew.")
        if entry in config and not isinstance(config[entry], kinds):
            got = type(config[entry]).__name__
            raise InputError(f"{entry!r} in {CONFIG} of {name} should be {expected}, not {got}.")
    if config["rule"] not in get_args(Rule):
        rules = ", ".join(get_args(Rule))
        raise InputError(f"'rule' in {CONFIG} of {name} should be one of {rules}, got {config['rule'][:40]!r}.")
    if not all(isinstance(prefix, int) for prefix in config.get("prefixes", ())):
        raise InputError(f"'prefixes' in {CONFIG} of {name} should be whole numbers.")


def unit_rows(weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """The rows of `weights`, shape (n, d), at length 1; rows that have it but for rounding, and rows of 0, stay."""
    lengths = np.linalg.norm(weights, axis=1, keepdims=True)
    off = (lengths > 0) & (np.abs(lengths - 1) > _ROUNDING)
    return np.asarray(weights / np.where(off, lengths, 1), dtype=np.float32)


def read_config(folder: Path, name: str = CONFIG) -> dict[str, Any]:
    """The JSON object in `folder / name`.

    Raises:
        InputError: there is none, or it is something else.
    """
    path = folder / name
    if not path.is_file():
        raise InputError(f"{folder.name} holds no {name}: name the folder of a sparse autoencoder.")
    if path.stat().st_size > _MOST_CONFIG_BYTES:
        raise InputError(f"{name} of {folder.name} has {path.stat().st_size:,} bytes, more than a config can have.")
    try:
        config = json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as fault:
        raise InputError(f"{name} of {folder.name} is not valid JSON ({fault}).") from None
    if not isinstance(config, dict):
        raise InputError(f"{name} of {folder.name} should hold a JSON object, got a {type(config).__name__}.")
    return config


def _read_weights(path: Path) -> dict[str, NDArray]:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    if not path.is_file():
        raise InputError(f"{path.parent.name} holds no {path.name}: name the folder of a sparse autoencoder.")
    try:
        found: dict[str, NDArray] = load_file(path)
    except (SafetensorError, ValueError, TypeError, KeyError) as fault:
        raise InputError(f"{path.name} of {path.parent.name} is no readable safetensors file ({fault}).") from None
    return found
