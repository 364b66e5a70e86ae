"""Fingerprint: what an encoder's vectors depend on, as one hash; where its files lie does not matter."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from lib.encoders.weights import sha256_of

_SCHEMA = 1
"""Raised when the same files would be encoded into other vectors than before."""
_IDLE_KEYS = {
    "_name_or_path",
    "transformers_version",
    "torch_dtype",
    "dtype",
    "use_cache",
    "__version__",
    "base_model_name_or_path",
    "similarity_fn_name",
    "prompts",
    "default_prompt_name",
}
"""Config keys that leave vectors as they are, or that the effective settings hold already."""
_TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "spiece.model",
    "tokenizer.model",
    "sentencepiece.bpe.model",
)


def content_hash(parts: Iterable[tuple[str, Path]], settings: dict[str, Any]) -> str:
    """Hex SHA-256 over the files in the folders of `parts` (a name and a folder each) and over `settings`.

    Weights and tokenizers count byte by byte, configs by their content without `_IDLE_KEYS`.
    """
    described: dict[str, Any] = {"schema": _SCHEMA, "settings": settings}
    for name, folder in parts:
        described[name] = {path.name: _hash_of(path) for path in _files(folder)}
    return text_hash(described)


def text_hash(content: Any) -> str:
    """Hex SHA-256 of `content` as JSON with sorted keys."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode("ascii")).hexdigest()


def _files(folder: Path) -> list[Path]:
    weights = sorted(folder.glob("*.safetensors")) or sorted(folder.glob("*.bin"))
    configs = [folder / "config.json", folder / "adapter_config.json", *sorted(folder.glob("sentence_*_config.json"))]
    own_code = sorted(folder.glob("*.py"))
    return [
        path
        for path in (*weights, *configs, *own_code, *(folder / name for name in _TOKENIZER_FILES))
        if path.is_file()
    ]


def _hash_of(path: Path) -> str:
    if not path.name.endswith("config.json") or path.name == "tokenizer_config.json":
        return sha256_of(path)
    content = json.loads(path.read_text(encoding="utf-8-sig"))
    if isinstance(content, dict):
        content = {key: value for key, value in content.items() if key not in _IDLE_KEYS}
    return text_hash(content)
