"""Settings: what a checkpoint's other files say: prompts and cutting, length, licence."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lib.encoders.families import Variant
from lib.encoders.files import read_object
from lib.encoders.sources import Located
from lib.errors import InputError

_ARCHITECTURES = ("bert", "roberta", "distilbert", "camembert", "albert", "xlm-roberta", "xlnet")
"""In the order in which sentence-transformers looks for them."""
_HANDED_ON = {
    "max_seq_length", "do_lower_case", "transformer_task", "modality_config", "module_output_name", "unpad_inputs",
    "query_length", "document_length", "query_expansion",
}  # fmt: skip
_OF_A_TOKENIZER: dict[str, type] = {
    "padding_side": str, "truncation_side": str, "model_max_length": int, "do_lower_case": bool,
    "add_eos_token": bool, "add_bos_token": bool,
}  # fmt: skip
_METHOD = re.compile(r"forward|get_[a-z]+_features")
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
        InputError: it asks for compiled code, or for something else that no checkpoint needs.
    """
    found: dict[str, Any] = {}
    for architecture in _ARCHITECTURES:  # the first that says anything is what the library reads
        name = f"sentence_{architecture}_config.json"
        settings = read_object(folder, name) or {}
        check_transformer_settings(settings, name=f"{name} of {folder.name}")
        found = found or settings
    return found


def check_transformer_settings(settings: Mapping[str, Any], *, name: str) -> None:
    """Refuse settings of a transformer that reach beyond its folder, or that call what no encoder calls.

    sentence-transformers hands them on as arguments: of the model, the tokenizer, the config, and of each call.

    Raises:
        InputError: with what it asks for.
    """
    for key in ("model_args", "model_kwargs"):
        kernel = _held(settings, key, name).get("attn_implementation")
        if isinstance(kernel, str) and "/" in kernel:
            raise InputError(f"{name} asks for compiled code from the hub ({kernel[:100]}).")
    elsewhere = settings.get("tokenizer_name_or_path")
    if elsewhere is not None:
        raise InputError(f"{name} asks for a tokenizer from elsewhere, which is not opened: put it into the folder.")
    if _held(settings, "processing_kwargs", name):
        raise InputError(f"{name} changes how texts are cut at each call (processing_kwargs), which is not supported.")
    for modality, way in _held(settings, "modality_config", name).items():
        method = way.get("method") if isinstance(way, Mapping) else None
        if not isinstance(method, str) or not _METHOD.fullmatch(method):
            raise InputError(f"{name} calls {method!r:.60} of the model for {modality!r:.60}; expected 'forward'.")


def allowed_transformer_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """What of a transformer's settings is handed on: nothing that names a place or how a model is made."""
    kept = {key: value for key, value in settings.items() if key in _HANDED_ON}
    for key in ("tokenizer_args", "processor_kwargs"):
        if key in settings:
            kept[key] = {name: value for name, value in dict(settings[key]).items() if _fits(name, value)}
    return kept


def _fits(name: str, value: Any) -> bool:
    return isinstance(value, _OF_A_TOKENIZER.get(name, ()))


def _held(settings: Mapping[str, Any], key: str, name: str) -> Mapping[str, Any]:
    held = settings.get(key) or {}
    if not isinstance(held, Mapping):
        raise InputError(f"{name} gives {key} as {held!r:.60}; expected an object.")
    return held


def find_licence(located: Located, variant: Variant | None) -> str | None:
    """The licence that the model card names, else the registry's."""
    readme = located.folder / "README.md"
    if readme.is_file():
        found = _LICENCE.match(readme.read_text(encoding="utf-8", errors="replace")[:20_000])
        if found:
            return found.group(1)
    return variant.licence if variant else None
