"""Claims: whether a config describes a model that its weights can be, told before anything of that size is made.

A library makes what `config.json` describes and fills it from the file afterwards. A small file whose config claims a
vocabulary of a thousand million would take the memory of everybody, so the claims are held against the file's own
header first, without torch, and once more when the model is opened (`check_model`), on torch's device without memory.
"""

import math
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib.encoders.files import read_object
from lib.encoders.layout import ModuleEntry
from lib.encoders.memory import check_memory
from lib.encoders.weights import Weights, find_weights, shapes_of
from lib.errors import InputError

if TYPE_CHECKING:
    from torch import nn

_LAYERS = ("num_hidden_layers", "num_layers", "n_layers", "n_layer", "num_decoder_layers", "encoder_layers")
_WIDTHS = ("hidden_size", "d_model", "dim", "n_embd", "embedding_size")
_EXPERTS = ("num_experts", "num_local_experts", "n_routed_experts", "moe_num_experts")
_BLOCKS_SPARED = 64
"""Blocks that may share one set of weights, as ALBERT's do."""
_MOST_LAYERS, _MOST_EXPERTS = 1_000, 1_024
_MOST = {"max_position_embeddings": 10_000_000, "n_positions": 10_000_000, "num_labels": 100_000}
"""Tables that are made, not read: of positions, and of the names of classes."""
_MOST_RANK = 4_096
_ACTIVATION = re.compile(r"torch\.nn\.(?:modules\.(?:activation|linear)\.)?[A-Z][A-Za-z0-9]*")
"""What a dense layer may bend its output by: it is imported by its name."""
_FILE_BYTES = 100_000_000
"""The largest tokenizer or config: the largest in use have 35 MB."""
_SMALL_FILES = (".json", ".txt", ".model", ".tiktoken", ".jinja")
_TIMES, _SLACK = 3.0, 16_000_000
"""A model may have so many times the numbers of its file (tied tables, heads that are not saved), and so many more."""


def check_claims(config: Mapping[str, Any], weights: Weights, *, name: str) -> None:
    """Hold the sizes in `config` against the header of the weights; `name` is how messages call the checkpoint.

    Raises:
        InputError: more layers, words or positions than the weights can hold.
    """
    for part in (config, *(held for key, held in config.items() if str(key).endswith("_config"))):
        if isinstance(part, Mapping):
            _check_part(part, weights, name)


def check_module_claims(folder: Path, modules: Iterable[ModuleEntry], *, name: str) -> None:
    """Hold the sizes that dense and normalising layers claim against their own weights.

    Raises:
        InputError: more numbers than their files hold, or an activation that is none of torch's.
    """
    for entry in modules:
        config = read_object(folder / entry.path, "config.json") or {}
        sides = {"Dense": ("in_features", "out_features"), "LayerNorm": ("dimension",)}.get(entry.kind, ())
        bent = config.get("activation_function") if entry.kind == "Dense" else None
        if bent is not None and not (isinstance(bent, str) and _ACTIVATION.fullmatch(bent)):
            raise InputError(
                f"{entry.path} of {name} bends its output by {bent!r:.80}; expected an activation of torch.nn."
            )
        claimed = math.prod(_wholes(config, sides)) if sides else 0
        held = _at_most(find_weights(folder / entry.path, name=name)) if sides else 0
        if claimed > held:
            raise _beyond(f"{entry.path} of {name}", f"{claimed:,} numbers", f"{held:,} numbers")


def check_rank(config: Mapping[str, Any], *, name: str) -> None:
    """Refuse an adapter that claims a rank which no adapter has.

    Raises:
        InputError: a rank that is no whole number from 1 to 4,096.
    """
    patterns = config.get("rank_pattern")
    others = list(patterns.values()) if isinstance(patterns, Mapping) else []
    for rank in (config.get("r", 8), *others):
        if not isinstance(rank, int) or isinstance(rank, bool) or not 1 <= rank <= _MOST_RANK:
            raise InputError(f"The adapter {name} claims a rank of {rank!r:.40}; expected 1 to {_MOST_RANK:,}.")


def check_files(folder: Path, *, name: str) -> None:
    """Refuse a tokenizer or config that no tokenizer or config is as large as: reading takes many times its size.

    Raises:
        InputError: with the file and its size.
    """
    for path in folder.iterdir():
        if path.suffix in _SMALL_FILES and path.is_file() and path.stat().st_size > _FILE_BYTES:
            raise InputError(
                f"{path.name} of {name} has {path.stat().st_size / 1e6:,.0f} MB; a tokenizer or config of at most "
                f"{_FILE_BYTES / 1e6:.0f} MB was expected: choose another."
            )


def check_model(model: "nn.Module", held: int, *, name: str, bytes_per_parameter: int = 4) -> None:
    """Hold a model that was made on torch's "meta" device, where numbers take no memory, against its file.

    Args:
        model: what the config describes.
        held: numbers in its weights.
        name: how messages call the checkpoint.
        bytes_per_parameter: of memory.

    Raises:
        InputError: it is far larger than its weights, or than the free memory.
    """
    claimed = _numbers(model.parameters()) + _numbers(model.buffers())
    if claimed > _TIMES * held + _SLACK:
        raise InputError(
            f"config.json of {name} describes a model of {claimed / 1e6:,.0f} M parameters, but its weights hold "
            f"{held / 1e6:,.0f} M; fetch the checkpoint anew."
        )
    check_memory(name, max(claimed, held), bytes_per_parameter=bytes_per_parameter)


def _check_part(config: Mapping[str, Any], weights: Weights, name: str) -> None:
    layers, experts = _most(config, _LAYERS), _most(config, _EXPERTS)
    tensors = sum(len(shapes_of(path, name=name)) for path in weights.files) if weights.safe else _MOST_LAYERS
    if layers > min(max(tensors, _BLOCKS_SPARED), _MOST_LAYERS) or experts > _MOST_EXPERTS:
        claimed = f"{layers:,} layers" if experts <= _MOST_EXPERTS else f"{experts:,} experts a layer"
        raise _beyond(name, claimed, f"{tensors:,} tensors")
    words, width = _most(config, ("vocab_size",)), min(_wholes(config, _WIDTHS), default=1)
    held = _at_most(weights)
    if words * max(width, 1) > held:
        raise _beyond(name, f"{words:,} words of {width:,} numbers", f"{held:,} numbers")
    for key, most in _MOST.items():
        if _most(config, (key,)) > most:
            raise InputError(f"config.json of {name} claims {config[key]:,} for {key}; expected at most {most:,}.")


def _at_most(weights: Weights) -> int:
    """Numbers that weights can hold: those of their headers, or at least one for each byte of a pickled file."""
    return weights.parameters if weights.safe else weights.size_bytes + _SLACK


def _most(config: Mapping[str, Any], keys: Iterable[str]) -> int:
    return max(_wholes(config, keys), default=0)


def _wholes(config: Mapping[str, Any], keys: Iterable[str]) -> list[int]:
    given = [config.get(key) for key in keys]
    return [number for number in given if isinstance(number, int) and not isinstance(number, bool)]


def _numbers(tensors: Iterable[Any]) -> int:
    return sum(math.prod(tensor.shape) for tensor in tensors)


def _beyond(name: str, claimed: str, held: str) -> InputError:
    return InputError(
        f"config.json of {name} claims {claimed}, which its weights ({held}) cannot hold; fetch the checkpoint anew."
    )
