"""Adapters: low-rank changes to a base's weights (LoRA, Hu et al. 2021, arXiv:2106.09685), as PEFT saves them."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lib.encoders.claims import check_rank
from lib.encoders.files import read_object
from lib.encoders.weights import parameters_of
from lib.errors import InputError

_CONFIG = "adapter_config.json"
_WEIGHTS = "adapter_model.safetensors"
_TASK_FOLDERS = {
    "query": ("retrieval_query", "retrieval.query", "retrieval-query"),
    "document": ("retrieval_passage", "retrieval.passage", "retrieval-passage"),
}
"""Folders in which a checkpoint keeps an adapter for each role, as Jina v3 does."""


@dataclass(frozen=True)
class Adapter:
    """What an adapter's folder says."""

    base: str
    """Hub id or folder of the encoder that it changes."""
    parameters: int
    """Numbers in it."""
    size_bytes: int
    """On disk."""


def read_adapter(folder: Path, *, name: str) -> Adapter | None:
    """The adapter in `folder`, or None where it holds none.

    Raises:
        InputError: not LoRA, no base, or weights missing, pickled or damaged.
    """
    config = read_object(folder, _CONFIG)
    if config is None:
        return None
    weights = _checked_weights(folder, config.get("peft_type"), name)
    check_rank(config, name=name)
    base = config.get("base_model_name_or_path")
    if not isinstance(base, str) or not base:
        raise InputError(f"The adapter {name} does not name its base; write base_model_name_or_path into {_CONFIG}.")
    return Adapter(base, parameters_of(weights, name=name), weights.stat().st_size)


def refuse_hidden_adapters(folders: Iterable[Path], *, name: str) -> None:
    """Refuse a checkpoint with an adapter in a folder of its modules: the libraries would apply it unasked.

    They would also read the base that it names, wherever on this machine that lies.

    Raises:
        InputError: one of `folders` holds an adapter.
    """
    for folder in folders:
        if (folder / _CONFIG).is_file():
            raise InputError(
                f"{name} keeps a LoRA adapter among its weights; merge it into them and give the folder of the whole."
            )


def task_adapters(folder: Path, *, name: str) -> tuple[tuple[str, Path], ...]:
    """For each role its adapter's folder, where a checkpoint keeps one for both roles.

    Raises:
        InputError: one of them is not LoRA, or its weights are missing or damaged.
    """
    found = {}
    for role, names in _TASK_FOLDERS.items():
        for path in (parent / task for parent in (folder, folder / "adapters") for task in names):
            config = read_object(path, _CONFIG)
            if config is not None:
                parameters_of(_checked_weights(path, config.get("peft_type"), name), name=name)
                check_rank(config, name=name)
                found[role] = path
                break
    return tuple(found.items()) if len(found) == len(_TASK_FOLDERS) else ()


def _checked_weights(folder: Path, kind: object, name: str) -> Path:
    if kind != "LORA":
        raise InputError(f"The adapter of {name} is of type {kind!r}; only LoRA adapters can be merged.")
    weights = folder / _WEIGHTS
    if not weights.is_file():
        raise InputError(f"The adapter of {name} has no {_WEIGHTS}; save it again with safetensors.")
    return weights
