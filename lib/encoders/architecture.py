"""Architecture: what `config.json` says of a transformer, in the many spellings of its many families. No torch."""

from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from lib.encoders.files import read_object
from lib.encoders.weights import find_weights, shapes_of
from lib.errors import InputError

_LEARNED_POSITIONS = {
    "bert",
    "roberta",
    "xlm-roberta",
    "mpnet",
    "distilbert",
    "camembert",
    "electra",
    "albert",
    "ernie",
}
"""Families with one learned vector for each position: a longer text has no place to stand."""
_SHIFTED_POSITIONS = {"roberta", "xlm-roberta", "mpnet", "camembert"}
"""Of those, families whose first token stands at the padding token's number plus one."""
_OWN_CODE_POSITIONS = {"alibi", "rotary"}
"""Position kinds that a config of model type "bert" or "xlm-roberta" names only together with code of its own."""
_OTHER_SENSES = ("vision_config", "audio_config", "image_size", "num_mel_bins", "feat_extract_norm")


@dataclass(frozen=True)
class Architecture:
    """The sizes of a transformer."""

    model_type: str
    """As `config.json` names it."""
    hidden: int
    """Length of a token's state."""
    layers: int | None
    """Blocks, without the embedding layer."""
    heads: int | None
    """Attention heads a block."""
    max_positions: int | None
    """Longest text that has positions; None where positions are computed."""
    own_code: bool
    """Whether it runs only with Python code that comes with the checkpoint."""


def read_architecture(config: dict[str, Any], *, name: str) -> Architecture:
    """The sizes in a transformer's `config.json`; `name` is how messages call the checkpoint.

    Raises:
        InputError: no model type, or no size of the states.
    """
    model_type = str(config.get("model_type") or "")
    hidden = _first(config, "hidden_size", "d_model", "dim", "n_embd")
    if not model_type or hidden is None:
        raise InputError(f"{name} is not an encoder: its config.json names no model type or no hidden size.")
    return Architecture(
        model_type=model_type,
        hidden=hidden,
        layers=_first(config, "num_hidden_layers", "num_layers", "n_layers", "n_layer"),
        heads=_first(config, "num_attention_heads", "num_heads", "n_heads", "n_head"),
        max_positions=_max_positions(config, model_type),
        own_code=_needs_own_code(config, model_type),
    )


def check_is_encoder(config: dict[str, Any], *, name: str) -> None:
    """Refuse what no sentence-transformers file calls an encoder and what does not look like one either.

    Raises:
        InputError: with what it is instead.
    """
    made_for = str(next(iter(config.get("architectures") or []), ""))
    kind = None
    if any(key in config for key in _OTHER_SENSES):
        kind = "it reads images or sound"
    elif made_for.endswith("ForSequenceClassification"):
        kind = "it scores texts or pairs of texts (a classifier or cross-encoder) and gives no vectors"
    elif made_for.endswith(("ForCausalLM", "LMHeadModel", "ForConditionalGeneration")):
        kind = "it generates text"
    elif made_for.endswith(("ForTokenClassification", "ForQuestionAnswering")):
        kind = "it labels tokens"
    elif _first(config, "vocab_size") is None:
        kind = "its config.json names no vocabulary"
    if kind:
        described = f" ({made_for})" if made_for else ""
        raise InputError(f"{name} is not a text encoder: {kind}{described}; choose a sentence-embedding checkpoint.")


def token_limit(folder: Path, settings: dict[str, Any], architecture: Architecture) -> int | None:
    """Tokens beyond which a text is cut: what sentence-transformers' settings say, else the tokenizer's limit, and
    never more than there are positions. None where nothing limits it.
    """  # noqa: D205
    limits = [settings.get("max_seq_length")]
    if limits[0] is None:
        tokenizer = read_object(folder, "tokenizer_config.json") or {}
        limits = [tokenizer.get("model_max_length"), (read_object(folder, "config.json") or {}).get(_POSITIONS)]
    known = [limit for limit in (*limits, architecture.max_positions) if isinstance(limit, int | float)]
    return min((int(limit) for limit in known if 0 < limit < 10_000_000), default=None)


_POSITIONS = "max_position_embeddings"


def _max_positions(config: dict[str, Any], model_type: str) -> int | None:
    positions = config.get(_POSITIONS)
    learned = config.get("position_embedding_type", "absolute") == "absolute"
    if model_type not in _LEARNED_POSITIONS or not learned or not isinstance(positions, int):
        return None
    if model_type in _SHIFTED_POSITIONS:
        padding = config.get("pad_token_id")
        return positions - (padding if isinstance(padding, int) else 1) - 1
    return positions


def _needs_own_code(config: dict[str, Any], model_type: str) -> bool:
    if not isinstance(config.get("auto_map"), dict) or "AutoModel" not in config["auto_map"]:
        return False
    disguised = str(config.get("position_embedding_type", "absolute")) in _OWN_CODE_POSITIONS
    return model_type not in _known_types() or (disguised and model_type in _LEARNED_POSITIONS)


@cache
def _known_types() -> frozenset[str]:
    """Model types for which transformers brings a class: the names of its folders, so that it need not be imported."""
    spec = find_spec("transformers")
    if spec is None or spec.origin is None:
        return frozenset()
    names = [path.name for path in (Path(spec.origin).parent / "models").iterdir() if path.is_dir()]
    return frozenset(names) | frozenset(name.replace("_", "-") for name in names)


def _first(config: dict[str, Any], *names: str) -> int | None:
    return next((config[name] for name in names if isinstance(config.get(name), int)), None)


def has_table(folder: Path) -> bool:
    """Whether a folder's weights are a table of token vectors and little else, as model2vec saves them."""
    path = folder / "model.safetensors"
    return path.is_file() and bool({"embeddings", "embedding.weight"} & set(shapes_of(path, name=folder.name)))


def static_sizes(folder: Path, *, name: str) -> tuple[int, int]:
    """Rows and columns of a static encoder's table, from the header of its weights.

    Raises:
        InputError: no safetensors file, or no table in it.
    """
    weights = find_weights(folder, name=name)
    if not weights.safe:
        raise InputError(f"{name} keeps its weights pickled; a static encoder is opened from model.safetensors only.")
    shapes = shapes_of(weights.files[0], name=name)
    table = shapes.get("embedding.weight") or shapes.get("embeddings")
    if table is None or len(table) != 2:
        raise InputError(f"{name} is not a static encoder: model.safetensors holds no table of token vectors.")
    return table[0], table[1]
