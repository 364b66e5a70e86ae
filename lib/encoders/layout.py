"""Layout: the modules that a sentence-transformers folder lists, and which of them can be opened."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib.encoders.files import child, read_json
from lib.errors import InputError

TAIL_MODULES = ("Pooling", "Dense", "Normalize", "LayerNorm", "Dropout")
"""What may follow the first module. Others (LSTM, bag of words ...) would break pooled hidden states."""
FIRST_MODULES = ("Transformer", "StaticEmbedding")


@dataclass(frozen=True)
class ModuleEntry:
    """One line of `modules.json`."""

    kind: str
    """Class name, without its package."""
    path: str
    """Folder of its files, relative to the checkpoint; "" for the checkpoint's own."""
    own_code: bool
    """Whether the class comes with the checkpoint instead of with sentence-transformers."""
    reference: str = ""
    """The class as the file spells it, package and all."""


def read_modules(folder: Path, *, name: str) -> tuple[ModuleEntry, ...] | None:
    """The modules of a folder in order; None without `modules.json`.

    Raises:
        InputError: it is not a list of modules, or a path leads out of the folder.
    """
    content = read_json(folder, "modules.json")
    if content is None:
        return None
    if not isinstance(content, list) or not content or not all(isinstance(entry, dict) for entry in content):
        raise InputError(f"modules.json of {name} should be a list of modules; fetch the checkpoint anew.")
    return tuple(_entry(folder, entry) for entry in content)


def check_modules(modules: tuple[ModuleEntry, ...], *, name: str) -> None:
    """Refuse modules that are no text encoder with pooling.

    Raises:
        InputError: with the module and what is expected.
    """
    first, *tail = modules
    if first.own_code:
        return  # run only where the policy allows, and then it may follow rules of its own
    if first.kind not in FIRST_MODULES:
        raise InputError(
            f"{name} starts with a {first.kind} module; Embedscope opens encoders that start with "
            f"{' or '.join(FIRST_MODULES)}."
        )
    for module in tail:
        if module.kind not in TAIL_MODULES and not module.own_code:
            raise InputError(
                f"{name} has a {module.kind} module, which is not supported; expected {', '.join(TAIL_MODULES)}."
            )
    if first.kind == "Transformer" and not any(module.kind == "Pooling" for module in tail):
        raise InputError(f"{name} has no Pooling module, so it gives token vectors, not one vector for a text.")


def _entry(folder: Path, entry: dict[str, Any]) -> ModuleEntry:
    reference, path = str(entry.get("type", "")), str(entry.get("path", ""))
    child(folder, path, named_in="modules.json")
    own_code = not reference.startswith("sentence_transformers.")
    return ModuleEntry(reference.rsplit(".", 1)[-1], path, own_code, reference)
