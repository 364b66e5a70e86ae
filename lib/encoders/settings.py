"""Settings: what a checkpoint's other files say: prompts and cutting, length, licence."""

import re
from pathlib import Path
from typing import Any

from lib.encoders.families import Variant
from lib.encoders.files import read_object
from lib.encoders.sources import Located
from lib.errors import InputError

_SINGLE_VECTOR = (None, "SentenceTransformer")
_LICENCE = re.compile(r"\A---\n(?:.*\n)*?license:\s*([\w.+-]+)\s*\n", re.MULTILINE)


def read_settings(located: Located) -> dict[str, Any]:
    """`config_sentence_transformers.json`, {} where there is none.

    Raises:
        InputError: the checkpoint gives no single vector for a text, or cuts vectors to an impossible length.
    """
    settings = read_object(located.folder, "config_sentence_transformers.json") or {}
    if settings.get("model_type") not in _SINGLE_VECTOR:
        raise InputError(
            f"{located.source} is a {settings['model_type']}, which gives no single vector for a text; choose a "
            "SentenceTransformer checkpoint."
        )
    truncated = settings.get("truncate_dim")
    if truncated is not None and (not isinstance(truncated, int) or truncated < 1):
        raise InputError(f"{located.source} gives truncate_dim as {truncated!r}; expected a positive number.")
    return settings


def read_transformer_settings(folder: Path) -> dict[str, Any]:
    """`sentence_bert_config.json`, whose older names carry the architecture's; {} where there is none.

    Raises:
        InputError: it asks for compiled code.
    """
    for path in sorted(folder.glob("sentence_*_config.json")):
        settings = read_object(folder, path.name) or {}
        for key in ("model_args", "model_kwargs"):
            kernel = (settings.get(key) or {}).get("attn_implementation")
            if isinstance(kernel, str) and "/" in kernel:
                raise InputError(f"{path.name} of {folder.name} asks for compiled code from the hub ({kernel}).")
        return settings
    return {}


def find_licence(located: Located, variant: Variant | None) -> str | None:
    """The licence that the model card names, else the registry's."""
    readme = located.folder / "README.md"
    if readme.is_file():
        found = _LICENCE.match(readme.read_text(encoding="utf-8", errors="replace")[:20_000])
        if found:
            return found.group(1)
    return variant.licence if variant else None
