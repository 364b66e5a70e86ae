"""Cross-encoders described: what a folder or hub id holds that reads two texts at once, told from its files. No torch.

A cross-encoder takes a query and a document as one input and gives one score. It has no vectors, so nothing can be
computed beforehand: it is for putting the first documents of a search in a better order.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from lib.encoders.adapters import refuse_hidden_adapters
from lib.encoders.architecture import Architecture, read_architecture, token_limit
from lib.encoders.claims import check_claims, check_files
from lib.encoders.files import read_object
from lib.encoders.fingerprint import content_hash
from lib.encoders.layout import ModuleEntry, read_modules
from lib.encoders.policy import Policy
from lib.encoders.settings import find_licence, read_transformer_settings
from lib.encoders.sources import PACKAGED, Located, locate
from lib.encoders.weights import find_weights
from lib.errors import InputError

Activation = Literal["identity", "sigmoid", "tanh"]

KNOWN_CROSS_ENCODERS: dict[str, str] = {
    "cross-encoder/ms-marco-TinyBERT-L2-v2": "4 M parameters, English",
    "cross-encoder/ms-marco-MiniLM-L6-v2": "23 M parameters, English",
    "cross-encoder/ms-marco-MiniLM-L12-v2": "33 M parameters, English",
    "mixedbread-ai/mxbai-rerank-xsmall-v1": "71 M parameters, English",
    "Alibaba-NLP/gte-reranker-modernbert-base": "149 M parameters, English, long documents",
    "BAAI/bge-reranker-base": "278 M parameters, English and Chinese",
    "BAAI/bge-reranker-v2-m3": "568 M parameters, many languages, long documents",
}
"""Well-known ones that one score comes out of, by hub id, with what their model cards say of them."""

_ACTIVATIONS: dict[str, Activation] = {"Identity": "identity", "Sigmoid": "sigmoid", "Tanh": "tanh"}
_OWN = "AutoModelForSequenceClassification"
_INSTEAD = "choose a folder with a cross-encoder"


@dataclass(frozen=True)
class CrossCheckpoint:
    """One saved cross-encoder: its files, and the settings with which it is run."""

    source: str
    """What was asked for: a hub id or a folder."""
    path: Path
    """Folder of its weights."""
    architecture: str
    """Model type, as its config names it."""
    layers: int | None
    """Blocks."""
    max_tokens: int | None
    """Tokens that query and document have together; the longer of the two is cut first. None for no limit."""
    activation: Activation
    """What its raw output goes through before it is shown; each rises throughout, so no order changes."""
    prompt: str
    """What is put before a query; "" for nothing."""
    lower_case: bool
    """Whether texts are put in lower case before its tokenizer sees them."""
    licence: str | None
    """As its model card names it."""
    parameters: int
    """Numbers in its weights."""
    size_bytes: int
    """Bytes of its weights on disk."""
    safe: bool
    """Whether its weights are safetensors."""
    own_code: bool
    """Whether it runs with Python code of its own, which the policy has allowed."""
    notices: tuple[str, ...]
    """Sentences that a user should see beside its name."""
    content: str
    """Hex SHA-256 of all that its raw scores depend on."""


def describe_cross_encoder(source: str, *, policy: Policy | None = None) -> CrossCheckpoint:
    """Find a cross-encoder and tell what it is, downloading it first where that is needed and allowed.

    Args:
        source: a hub id (owner/name), or a folder below the policy's roots, with a transformer for sequence
            classification that has one output; saved by sentence-transformers or transformers.
        policy: what may be opened; that of the environment where None.

    Raises:
        InputError: not found, not reachable, not allowed, too large, damaged, or no cross-encoder with one score.
    """
    if not source.strip():
        raise InputError("No cross-encoder was named; give a hub id (owner/name) or a folder.")
    policy = policy or Policy.from_environment()
    located = locate(source, policy, instead=_INSTEAD)
    name = located.source
    if name == PACKAGED:
        raise _is_encoder(name, "")
    refuse_hidden_adapters([located.folder], name=name)
    settings = read_object(located.folder, "config_sentence_transformers.json") or {}
    folder = _weight_folder(located, settings)
    refuse_hidden_adapters([folder], name=name)
    config = read_object(folder, "config.json")
    if config is None:
        raise InputError(f"{name} is no cross-encoder: its config.json is missing.")
    architecture = _architecture(config, name=name)
    if architecture.own_code and not policy.allow_remote_code:
        raise InputError(
            f"{name} runs only with Python code that comes with it, and such code is off here; whoever runs the "
            "server can allow it with EMBEDSCOPE_ALLOW_REMOTE_CODE=1."
        )
    _check_outputs(config, name=name)
    return _described(located, folder, settings, config, architecture)


def _described(
    located: Located, folder: Path, settings: dict[str, Any], config: dict[str, Any], architecture: Architecture
) -> CrossCheckpoint:
    name = located.source
    weights = find_weights(folder, name=name)
    check_claims(config, weights, name=name)
    check_files(folder, name=name)
    transformer = read_transformer_settings(folder)
    limit = token_limit(folder, transformer, architecture)
    prompt = _prompt(settings, name=name)
    lower_case = transformer.get("do_lower_case") is True
    activation, notices = _activation(settings, config, name=name)
    if architecture.own_code:
        notices.append(f"{name} runs Python code that came with it.")
    if not weights.safe:
        notices.append(f"{name} has pickled weights; they are read as plain tensors only.")
    return CrossCheckpoint(
        source=name,
        path=folder,
        architecture=architecture.model_type,
        layers=architecture.layers,
        max_tokens=limit,
        activation=activation,
        prompt=prompt,
        lower_case=lower_case,
        licence=find_licence(located, None),
        parameters=weights.parameters,
        size_bytes=weights.size_bytes,
        safe=weights.safe,
        own_code=architecture.own_code,
        notices=tuple(notices),
        content=content_hash(
            [("", folder)], {"kind": "cross-encoder", "max_tokens": limit, "prompt": prompt, "lower_case": lower_case}
        ),
    )


def _weight_folder(located: Located, settings: dict[str, Any]) -> Path:
    """The folder of the one module that a cross-encoder consists of."""
    modules = read_modules(located.folder, name=located.source)
    if modules is None:
        return located.folder
    kind = settings.get("model_type", "SentenceTransformer")
    if kind != "CrossEncoder":
        raise _is_encoder(located.source, f" ({kind})")
    _check_modules(modules, name=located.source)
    return located.folder / modules[0].path


def _check_modules(modules: tuple[ModuleEntry, ...], *, name: str) -> None:
    kinds = [module.kind for module in modules]
    if "LogitScore" in kinds:
        raise InputError(
            f"{name} is a language model that is asked for yes or no; Embedscope opens cross-encoders that are "
            "transformers with one score, such as cross-encoder/ms-marco-MiniLM-L6-v2."
        )
    if kinds != ["Transformer"] or modules[0].own_code:
        raise InputError(
            f"{name} is made of the modules {', '.join(kinds)}; expected a cross-encoder, a single Transformer module."
        )


def _architecture(config: dict[str, Any], *, name: str) -> Architecture:
    """The sizes of a transformer with a head that scores.

    Raises:
        InputError: it is an encoder, or a language model.
    """
    made_for = str(next(iter(config.get("architectures") or []), ""))
    if made_for.endswith(("ForCausalLM", "LMHeadModel", "ForConditionalGeneration")):
        raise InputError(
            f"{name} generates text ({made_for}); expected a cross-encoder with one score for a pair of texts."
        )
    if not made_for.endswith("ForSequenceClassification"):
        raise _is_encoder(name, f" ({made_for})" if made_for else "")
    code = config.get("auto_map")
    if isinstance(code, dict) and _OWN in code:
        config = {**config, "auto_map": {"AutoModel": code[_OWN]}}
    return read_architecture(config, name=name)


def _check_outputs(config: dict[str, Any], *, name: str) -> None:
    names = config.get("id2label")
    names = list(names.values()) if isinstance(names, dict) else []
    outputs = config.get("num_labels", len(names) or 2)  # transformers' own default is 2
    if outputs == 1:
        return
    called = [str(label) for label in names if not str(label).startswith("LABEL_")]
    told = f" ({', '.join(called)})" if called else ""
    raise InputError(
        f"{name} gives {outputs} scores for a pair{told[:120]}, so it sorts pairs into classes; reranking needs a "
        "cross-encoder that gives one."
    )


def _is_encoder(name: str, what: str) -> InputError:
    return InputError(
        f"{name} is no cross-encoder{what}: it reads one text at a time and has no score for a pair; choose a "
        "checkpoint for sequence classification with one output, such as cross-encoder/ms-marco-MiniLM-L6-v2."
    )


def _prompt(settings: dict[str, Any], *, name: str) -> str:
    """The prompt that is used when none is asked for."""
    chosen, prompts = settings.get("default_prompt_name"), settings.get("prompts") or {}
    if chosen is None:
        return ""
    if not isinstance(prompts, dict) or not isinstance(prompts.get(chosen), str):
        raise InputError(f"{name} names the prompt {str(chosen)[:40]!r} as its own but does not hold it.")
    return str(prompts[chosen])


def _activation(settings: dict[str, Any], config: dict[str, Any], *, name: str) -> tuple[Activation, list[str]]:
    """What the raw score goes through, by the three places where versions of sentence-transformers wrote it down."""
    nested = config.get("sentence_transformers")
    spelt = (
        settings.get("activation_fn")
        or (nested.get("activation_fn") if isinstance(nested, dict) else None)
        or config.get("sbert_ce_default_activation_function")
    )
    if spelt is None:
        return "sigmoid", []
    known = _ACTIVATIONS.get(str(spelt).rsplit(".", 1)[-1]) if str(spelt).startswith("torch.nn.") else None
    if known is None:
        return "identity", [f"{name} asks for the activation {str(spelt)[:60]!r}, which is not run; scores are raw."]
    return known, []
