"""latentsae: `cfg.json`, which names an `sae_type`, with `sae.safetensors`.

Read: topk, matryoshka (at its full width, where it answers as TopK does) and jumprelu. Its batchtopk keeps what is
above a threshold and of that at most k; where the threshold is 0 that is TopK, else it is refused. Its jumprelu
decodes no more than `jumprelu_max_active` features of a text (512 by default), far above what a sparse code has.
"""

from pathlib import Path
from typing import Any

import numpy as np

from lib.errors import InputError
from lib.sae.autoencoder import About, SparseAutoencoder
from lib.sae.folder import read_config
from lib.sae.formats.folding import Sparsity, fold
from lib.sae.formats.sparsify import CONFIG, read_parts
from lib.sae.formats.weights import Arrays, number, plain_settings

_READ = ("topk", "batchtopk", "matryoshka", "jumprelu")
_MEAN, _THRESHOLD, _LOG_THRESHOLDS = "input_mean", "batchtopk_threshold", "log_threshold"


def read(folder: Path, name: str) -> SparseAutoencoder:
    """The SAE in `folder`, called `name`.

    Raises:
        InputError: files that are missing or broken, or a kind that cannot be read exactly.
    """
    config = read_config(folder, CONFIG)
    called = f"{CONFIG} of {folder.name}"
    kind = str(config["sae_type"]).lower()
    if kind not in _READ:
        raise InputError(f"{called} names the kind {kind!r}; of latentsae's, {', '.join(_READ)} can be read.")
    if config.get("use_skip"):
        raise InputError(f"{called} describes an SAE with a skip connection, which is no sum of features alone.")
    parts, arrays = read_parts(folder)
    d, n = parts.encoder.shape
    mean = arrays.get(_MEAN) if config.get("mean_center") else None
    if config.get("mean_center") and (mean is None or mean.shape != (d,)):
        raise InputError(f"{called} centres its inputs, but the weights hold no {_MEAN} of {d} numbers.")
    sizes = _numbers(config, "matryoshka_sizes", called) if kind == "matryoshka" else ()
    if sizes and sizes[-1] != n:
        raise InputError(f"{called} gives Matryoshka sizes up to {sizes[-1]:,} for a dictionary of {n:,}.")
    return fold(
        parts,
        _sparsity(kind, config, arrays, called),
        About(name=name, origin="latentsae", settings=plain_settings(config)),
        mean=mean,
        prefixes=sizes,
    )


def _sparsity(kind: str, config: dict[str, Any], arrays: Arrays, called: str) -> Sparsity:
    if kind == "jumprelu":
        n = len(arrays["encoder.bias"])
        if arrays.get(_LOG_THRESHOLDS, np.empty(0)).shape != (n,):
            raise InputError(f"{called} names jumprelu, but the weights hold no {_LOG_THRESHOLDS} of {n:,} numbers.")
        return Sparsity("jumprelu", thresholds=np.exp(arrays[_LOG_THRESHOLDS]))
    if kind == "batchtopk" and float(arrays.get(_THRESHOLD, np.zeros(1)).reshape(-1)[0]) > 0:
        raise InputError(
            f"{called} describes a batchtopk that keeps at most k of what is above its threshold; no rule here does "
            "both: choose one of kind topk, matryoshka or jumprelu."
        )
    if kind == "matryoshka":
        return Sparsity("topk", _numbers(config, "matryoshka_ks", called)[-1])
    return Sparsity("topk", number(config, "k", called))


def _numbers(config: dict[str, Any], key: str, called: str) -> tuple[int, ...]:
    """The whole numbers that a config gives as text, separated by commas."""
    parts = [part.strip() for part in str(config.get(key, "")).split(",") if part.strip()]
    if not parts or not all(part.isascii() and part.isdigit() and len(part) < 10 and int(part) for part in parts):
        raise InputError(f"{called} should give {key} as numbers separated by commas, got {config.get(key)!r:.100}.")
    return tuple(int(part) for part in parts)
