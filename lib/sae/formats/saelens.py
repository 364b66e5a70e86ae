"""SAELens: `cfg.json` with `sae_weights.safetensors`, in the layout of version 6 and in the older flat one.

Read: standard (ReLU), topk, jumprelu, and training states of batchtopk and matryoshka_batchtopk, whose learnt
threshold is the one that SAELens itself writes into the jumprelu it makes of them. Written: topk and jumprelu.
"""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from lib.errors import InputError
from lib.results import to_json
from lib.sae.autoencoder import About, SparseAutoencoder
from lib.sae.folder import read_config
from lib.sae.formats.folding import Parts, Sparsity, fold
from lib.sae.formats.weights import (
    Arrays,
    number,
    pick,
    pick_one,
    pick_thresholds,
    plain_settings,
    read_safetensors,
    words,
)

FILE = "sae_weights.safetensors"
_CONFIG = "cfg.json"
_SCALER = "activation_scaler.json"
_LAYOUT = "6.0.0"
"""Version whose config layout is written; without one SAELens takes a config for that of version 5."""
_OWN = "embedscope"
_WEIGHTS = ("W_enc", "b_enc", "W_dec", "b_dec")
_BATCHED = ("batchtopk", "matryoshka_batchtopk")
_AVERAGED = (True, "expected_average_only_in")
_READ = ("standard", "topk", "jumprelu", *_BATCHED)


def read(folder: Path, name: str) -> SparseAutoencoder:
    """The SAE in `folder`, called `name` where its files name nothing.

    Raises:
        InputError: files that are missing or broken, or an architecture or input scaling that cannot be folded.
    """
    config = read_config(folder, _CONFIG)
    called = f"{_CONFIG} of {folder.name}"
    architecture = _architecture(config)
    if architecture not in _READ:
        raise InputError(
            f"{called} names the architecture {architecture!r}, which is no sum of few directions as this SAE is; "
            f"choose one of {', '.join(_READ)}."
        )
    _check_inputs(config, called)
    path = folder / FILE
    arrays = read_safetensors(path)
    parts = Parts(*pick(arrays, _WEIGHTS, path))
    parts.check(f"{FILE} of {folder.name}")
    if not np.all(arrays.get("scaling_factor", 1) == 1):
        raise InputError(f"{FILE} of {folder.name} scales its features after finetuning, which is not read.")
    about, own = _about(config, folder, name)
    sparsity = _sparsity(config, architecture, arrays, path)
    return fold(
        parts,
        _as_trained(sparsity, own),
        about,
        centred=bool(config.get("apply_b_dec_to_input", True)),
        scale=_scale(config, folder),
        prefixes=_prefixes(config, own, parts.encoder.shape[1], called),
    )


def write_saelens(sae: SparseAutoencoder, folder: Path) -> None:
    """Write `sae` into `folder` as SAELens does: the same reconstructions, and the same activations.

    BatchTopK becomes jumprelu with its threshold, as SAELens saves its own. Where TopK ranks by other numbers than
    pre-activations (`SparseAutoencoder.ranking`), SAELens can only rank by what it calls activations: they are then
    those times the ranking, and decoder rows have the lengths that make up for it.

    Raises:
        OSError: the folder cannot be written.
    """
    from safetensors.numpy import save_file

    by = np.ones(sae.features, np.float32) if sae.ranking is None else sae.ranking
    tensors = {
        "W_enc": sae.encoder_weights * by,
        "b_enc": sae.encoder_bias * by,
        "W_dec": sae.decoder_weights / by[:, None],
        "b_dec": sae.decoder_bias,
    }
    config: dict[str, Any] = {
        "architecture": "topk" if sae.rule == "topk" else "jumprelu",
        "d_in": sae.dimensions,
        "d_sae": sae.features,
        "dtype": "float32",
        "device": "cpu",
        "apply_b_dec_to_input": True,
        "normalize_activations": "none",
        "reshape_activations": "none",
    }
    if sae.thresholds is None:
        config |= {"k": sae.k, "rescale_acts_by_decoder_norm": False}
    else:
        tensors["threshold"] = np.maximum(sae.thresholds, 0)
    own = {"rule": sae.rule, "k": sae.k, "prefixes": list(sae.prefixes), **sae.about.to_dict()}
    config["metadata"] = {
        "sae_lens_version": _LAYOUT,
        "model_name": sae.about.encoder,
        "hook_name": "pooled",
        "dataset_path": to_json(sae.about.trained_on.get("name")),
        _OWN: own,
    }
    folder.mkdir(parents=True, exist_ok=True)
    save_file({key: np.ascontiguousarray(array, np.float32) for key, array in tensors.items()}, folder / FILE)
    (folder / _CONFIG).write_text(json.dumps(config, indent=1, ensure_ascii=False, allow_nan=False) + "\n", "utf-8")


def _architecture(config: dict[str, Any]) -> str:
    """As SAELens itself makes it out, version 5's `activation_fn_str` included."""
    activation = config.get("activation_fn", config.get("activation_fn_str", "relu"))
    kwargs = config.get("activation_fn_kwargs")
    if activation == "topk" and isinstance(kwargs, dict) and kwargs.get("k") is not None:
        config.setdefault("k", kwargs["k"])
        return "topk"
    named = str(config.get("architecture", "standard"))
    return named if activation in ("relu", "topk", None) else f"{named} with {activation}"


def _check_inputs(config: dict[str, Any], called: str) -> None:
    normalised = config.get("normalize_activations")
    if normalised not in (None, False, "none", *_AVERAGED):
        raise InputError(
            f"{called} normalises its inputs by {normalised!r}, text by text: that is no fixed scale and cannot be "
            "read; choose an SAE with normalize_activations none."
        )
    reshaped = config.get("reshape_activations", "hook_z" if "hook_z" in str(config.get("hook_name", "")) else "none")
    if reshaped not in (None, "none"):
        raise InputError(f"{called} reshapes its inputs ({reshaped!r}): it takes attention heads, not embeddings.")


def _sparsity(config: dict[str, Any], architecture: str, arrays: Arrays, path: Path) -> Sparsity:
    called = f"{_CONFIG} of {path.parent.name}"
    by_norm = bool(config.get("rescale_acts_by_decoder_norm", False))
    if architecture == "topk":
        return Sparsity("topk", number(config, "k", called), by_norm=by_norm)
    if architecture in _BATCHED:
        return Sparsity("batchtopk", _average(config), pick_one(arrays, "topk_threshold", path), by_norm=by_norm)
    if architecture == "standard":
        return Sparsity("jumprelu", thresholds=0.0)
    if "threshold" not in arrays and "log_threshold" in arrays:
        arrays["threshold"] = np.exp(arrays["log_threshold"])
    return Sparsity("jumprelu", thresholds=pick_thresholds(arrays, len(arrays["b_enc"]), path))


def _average(config: dict[str, Any]) -> int | None:
    """BatchTopK's k, which SAELens keeps as a float; only told, never computed with."""
    k = config.get("k")
    return round(k) if isinstance(k, int | float) and not isinstance(k, bool) and 1 <= k < 2**31 else None


def _as_trained(sparsity: Sparsity, own: dict[str, Any]) -> Sparsity:
    """BatchTopK again where this project wrote it as jumprelu."""
    if sparsity.rule == "jumprelu" and own.get("rule") == "batchtopk":
        return Sparsity("batchtopk", _average(own), sparsity.thresholds)
    return sparsity


def _scale(config: dict[str, Any], folder: Path) -> float:
    """What inputs are multiplied with: a training state keeps it beside its weights, a finished SAE has it in them."""
    if config.get("normalize_activations") not in _AVERAGED:
        return 1.0
    if not (folder / _SCALER).is_file():
        return 1.0
    factor = read_config(folder, _SCALER).get("scaling_factor")
    if factor is None:
        return 1.0
    if isinstance(factor, bool) or not isinstance(factor, int | float) or not np.isfinite(factor) or factor <= 0:
        raise InputError(f"{_SCALER} of {folder.name} should give scaling_factor as a number above 0, got {factor!r}.")
    return float(factor)


def _prefixes(config: dict[str, Any], own: dict[str, Any], n: int, called: str) -> tuple[int, ...]:
    widths = own.get("prefixes") or config.get("matryoshka_widths") or ()
    if not isinstance(widths, list | tuple) or any(
        not isinstance(width, int) or isinstance(width, bool) or not 0 < width <= n for width in widths
    ):
        raise InputError(f"{called} gives Matryoshka widths other than whole numbers from 1 to {n:,}: {widths!r:.60}.")
    return tuple(widths)


def _about(config: dict[str, Any], folder: Path, name: str) -> tuple[About, dict[str, Any]]:
    """What the config says of where the SAE comes from, and what this project wrote into it."""
    metadata = config.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else config
    own = metadata.get(_OWN)
    own = own if isinstance(own, dict) else {}
    texts = {key: words(own.get(key)) for key in ("encoder", "fingerprint", "licence")}
    maps = {key: own[key] for key in ("trained_on", "settings", "figures") if isinstance(own.get(key), dict)}
    known = {field.name for field in fields(About)}
    made: dict[str, Any] = {
        "name": words(own.get("name")) or name,
        "origin": "saelens",
        "settings": plain_settings(config),
        "trained_on": {key: metadata[key] for key in ("dataset_path",) if words(metadata.get(key))},
    } | {key: value for key, value in {**texts, **maps}.items() if key in known}
    made["encoder"] = made["encoder"] or words(metadata.get("model_name"))
    if "name" not in made["trained_on"] and "dataset_path" in made["trained_on"]:
        made["trained_on"] = {"name": made["trained_on"]["dataset_path"]}
    return About(**made), own
