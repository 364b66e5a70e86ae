"""Late checkpoint: what the files of a ColBERT-like checkpoint say, read under the same policy as any other. No torch.

Three layouts are known: sentence-transformers' multi-vector encoder, PyLate's, and Stanford's ColBERT.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib.encoders.adapters import refuse_hidden_adapters
from lib.encoders.architecture import read_architecture, token_limit
from lib.encoders.claims import check_claims, check_files, check_module_claims
from lib.encoders.files import read_object
from lib.encoders.fingerprint import content_hash
from lib.encoders.layout import ModuleEntry, read_modules
from lib.encoders.policy import Policy
from lib.encoders.settings import read_transformer_settings
from lib.encoders.sources import Located, locate
from lib.encoders.weights import Weights, find_weights, shapes_of
from lib.errors import InputError

_KINDS = ("MultiVectorEncoder", "ColBERT")
"""What `config_sentence_transformers.json` calls such a checkpoint: sentence-transformers' word, and PyLate's."""
_TAIL = ("Dense", "Normalize", "MultiVectorMask", "LayerNorm", "Dropout")
_STANFORD = "HF_ColBERT"
_INSTEAD = "choose a folder with a ColBERT checkpoint"
_PYLATE_DENSE = "pylate.models.Dense.Dense"


@dataclass(frozen=True)
class LateCheckpoint:
    """A checkpoint of late interaction: its files."""

    source: str
    """What was asked for: a hub id or a folder."""
    path: Path
    """Folder of its files."""
    architecture: str
    """Model type, as its config names it."""
    dimensions: int
    """Length of a token vector."""
    max_tokens: int | None
    """Tokens beyond which its transformer cuts; its own settings may cut queries and documents earlier."""
    modules: tuple[ModuleEntry, ...]
    """What `modules.json` lists; empty for Stanford's layout."""
    parameters: int
    """Numbers in its weights."""
    size_bytes: int
    """Bytes of its weights on disk."""
    content: str
    """Hex SHA-256 of weights, configs, tokenizer and modules."""


def describe_multi_vector(source: str, *, policy: Policy | None = None) -> LateCheckpoint:
    """Find a checkpoint of late interaction and tell what it is, downloading it first where needed and allowed.

    Raises:
        InputError: not found, not allowed, damaged, not of late interaction, weights other than safetensors, code of
            its own.
    """
    if not source.strip():
        raise InputError("No checkpoint of late interaction was named; give a hub id (owner/name) or a folder.")
    policy = policy or Policy.from_environment()
    located = locate(source, policy, instead=_INSTEAD)
    name, folder = located.source, located.folder
    settings = read_object(folder, "config_sentence_transformers.json") or {}
    modules = read_modules(folder, name=name) or ()
    refuse_hidden_adapters([folder, *(folder / entry.path for entry in modules)], name=name)
    below = folder / modules[0].path if modules else folder
    config = read_object(below, "config.json")
    stanford = _STANFORD in ((config or {}).get("architectures") or []) and not modules
    if not stanford and settings.get("model_type") not in _KINDS:
        raise InputError(
            f"{name} gives one vector for a text, not one for each token that was trained for MaxSim; open it as the "
            "encoder in the sidebar, or choose a ColBERT checkpoint."
        )
    if config is None or (not stanford and not modules):
        raise InputError(f"{name} is cut: its config.json or modules.json is missing; fetch the checkpoint anew.")
    _check(modules, config, name)
    architecture = read_architecture(config, name=name)
    if architecture.own_code or any(_is_foreign(entry) for entry in modules):
        raise InputError(f"{name} runs only with Python code that comes with it, and such code is not run here.")
    weights = [_safe(path, name) for path in _weighty(folder, modules)]
    check_claims(config, weights[0], name=name)
    check_module_claims(folder, modules, name=name)
    check_files(below, name=name)
    return LateCheckpoint(
        source=name,
        path=folder,
        architecture=architecture.model_type,
        dimensions=_dimensions(located, modules, architecture.hidden),
        max_tokens=token_limit(below, read_transformer_settings(below), architecture),
        modules=modules,
        parameters=sum(part.parameters for part in weights),
        size_bytes=sum(part.size_bytes for part in weights),
        content=content_hash(
            [(path, folder / path) for path in dict.fromkeys(("", *(entry.path for entry in modules)))
             if (folder / path).is_dir()],
            {"settings": settings, "stanford": read_object(folder, "artifact.metadata") if stanford else None,
             "modules": [[entry.kind, entry.path] for entry in modules], "masks": _masks(folder, modules)},
        ),
    )  # fmt: skip


def _check(modules: tuple[ModuleEntry, ...], config: dict[str, Any], name: str) -> None:
    if modules and modules[0].kind != "Transformer":
        raise InputError(f"{name} starts with a {modules[0].kind} module; expected Transformer.")
    for entry in modules[1:]:
        if entry.kind not in _TAIL:
            raise InputError(f"{name} has a {entry.kind} module, which is not supported; expected {', '.join(_TAIL)}.")
    if any(str(made_for).endswith("ForRetrieval") for made_for in config.get("architectures") or []):
        raise InputError(f"{name} reads pages as pictures; choose a ColBERT checkpoint for text.")


def _is_foreign(entry: ModuleEntry) -> bool:
    """Whether a module's class is neither sentence-transformers' own nor PyLate's dense layer, read as the former."""
    return entry.own_code and entry.reference != _PYLATE_DENSE


def _weighty(folder: Path, modules: tuple[ModuleEntry, ...]) -> list[Path]:
    """Folders that must hold weights."""
    return [folder / entry.path for entry in modules if entry.kind in ("Transformer", "Dense", "LayerNorm")] or [folder]


def _safe(folder: Path, name: str) -> Weights:
    weights = find_weights(folder, name=name)
    if not weights.safe:
        raise InputError(
            f"{name} has pickled weights; for late interaction only safetensors are read: convert the checkpoint."
        )
    return weights


def _dimensions(located: Located, modules: tuple[ModuleEntry, ...], hidden: int) -> int:
    if not modules:
        for path in find_weights(located.folder, name=located.source).files:
            shape = shapes_of(path, name=located.source).get("linear.weight")
            if shape:
                return shape[0]
        raise InputError(f"{located.source} lacks linear.weight, the projection of its token vectors; fetch it anew.")
    width = hidden
    for entry in modules:
        if entry.kind == "Dense":
            config = read_object(located.folder / entry.path, "config.json") or {}
            if not isinstance(config.get("out_features"), int):
                raise InputError(f"{located.source} has a Dense module whose config.json gives no out_features.")
            width = config["out_features"]
    return width


def _masks(folder: Path, modules: tuple[ModuleEntry, ...]) -> list[dict[str, Any] | None]:
    """Settings of the modules that have no weights but decide which tokens count."""
    return [read_object(folder / entry.path, "config.json") for entry in modules if entry.kind == "MultiVectorMask"]
