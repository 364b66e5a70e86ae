"""Loading: a checkpoint's modules into memory. Imports torch; only `opening` imports this, and only when it must."""

import pickle
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from huggingface_hub.errors import StrictDataclassError
from peft import PeftModel
from safetensors import SafetensorError
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules import Dense, Normalize, Transformer
from sentence_transformers.sentence_transformer.modules import Dropout, LayerNorm, Pooling, StaticEmbedding
from torch import nn
from torch.nn.modules.module import register_module_module_registration_hook
from transformers import AutoModel, AutoModelForTextEncoding, PretrainedConfig, PreTrainedModel
from transformers.models.auto.modeling_auto import MODEL_FOR_TEXT_ENCODING_MAPPING
from transformers.utils import logging as transformers_logging

from lib.encoders.checkpoint import Checkpoint
from lib.encoders.claims import check_model
from lib.encoders.files import read_object
from lib.encoders.layout import read_modules
from lib.encoders.settings import allowed_transformer_settings, check_transformer_settings
from lib.encoders.weights import find_weights
from lib.errors import InputError

_TAIL: dict[str, Any] = {
    "Pooling": Pooling,
    "Dense": Dense,
    "Normalize": Normalize,
    "LayerNorm": LayerNorm,
    "Dropout": Dropout,
}
_TEXT_ONLY = {"text": {"method": "forward", "method_output_name": "last_hidden_state"}}
_SPARED = ("pooler.", "position_ids", "lm_head.", "cls.", "embed_tokens.weight")
"""Weights that may be missing: heads that no vector passes through, tables that are made or tied after loading."""

_MOST_MODULES = 50_000
"""Parts of a model: the largest encoders have some thousands."""

_OTHERS = (ArithmeticError, SafetensorError, StrictDataclassError)  # a width of 0, damaged weights, a wrong type

_PLACE = re.compile(r"(?<![\w.:/])(?:[A-Za-z]:\\|/)[^\s'\",;()]*[/\\](?=[^\s'\",;()/\\]*)")
"""The folders of a path, which tell of the server."""

transformers_logging.disable_progress_bar()  # callers show their own


class WholeTransformer(Transformer):
    """The transformer module of sentence-transformers, refusing weights that leave parts of it random.

    Of the arguments that its files ask for, those alone are handed on that reach nothing outside the folder.
    """

    @classmethod
    def load_config(cls, model_name_or_path: str, *arguments: Any, **settings: Any) -> dict[str, Any]:
        """The settings of the module, as `lib.encoders.settings` allows them."""
        found: dict[str, Any] = super().load_config(model_name_or_path, *arguments, **settings)
        check_transformer_settings(found, name=f"sentence_bert_config.json of {Path(model_name_or_path).name}")
        return allowed_transformer_settings(found)

    def _load_model(
        self,
        model_name_or_path: str,
        transformer_task: Any,
        config: PretrainedConfig,
        backend: str,
        is_peft_model: bool,
        **model_kwargs: Any,
    ) -> PreTrainedModel:
        _check_claimed(model_name_or_path, config, **model_kwargs)
        loaded: Any = super()._load_model(
            model_name_or_path,
            transformer_task,
            config,
            backend,
            is_peft_model,
            output_loading_info=True,
            **{**model_kwargs, "weights_only": True},  # a checkpoint's own settings may ask for what is unsafe
        )
        model: PreTrainedModel = loaded[0]
        report: dict[str, Any] = loaded[1]
        missing = sorted(key for key in report["missing_keys"] if not any(part in key for part in _SPARED))
        if missing:
            raise InputError(
                f"{Path(model_name_or_path).name} lacks {len(missing)} of the weights that a {config.model_type} "
                f"encoder has (the first: {missing[0]}), so its vectors would be random; it may need code of its own."
            )
        return model


def _check_claimed(path: str, config: PretrainedConfig, *, dtype: torch.dtype, subfolder: str = "", **_: Any) -> None:
    """Refuse a config that describes a model far larger than its weights: it would be made before it is filled."""
    folder = Path(path) / subfolder
    weights = find_weights(folder, name=folder.name)
    halved = config.is_encoder_decoder and type(config) in MODEL_FOR_TEXT_ENCODING_MAPPING
    with torch.device("meta"), few_modules(folder.name):
        described = (AutoModelForTextEncoding if halved else AutoModel).from_config(config, trust_remote_code=False)
    check_model(described, weights.parameters, name=folder.name, bytes_per_parameter=dtype.itemsize)


@contextmanager
def few_modules(name: str) -> Iterator[None]:
    """Stop this thread from making a model of parts without end, which a config of few bytes can describe.

    Raises:
        InputError: it has more parts than any model.
    """
    made, thread = 0, threading.get_ident()

    def counted(_module: nn.Module, _name: str, _part: nn.Module | None) -> None:
        nonlocal made
        if threading.get_ident() != thread:
            return
        made += 1
        if made > _MOST_MODULES:
            raise InputError(
                f"config.json of {name} describes a model of more than {_MOST_MODULES:,} parts; fetch the checkpoint "
                "anew."
            )

    hook = register_module_module_registration_hook(counted)
    try:
        yield
    finally:
        hook.remove()


def load_modules(checkpoint: Checkpoint, dtype: torch.dtype) -> list[nn.Module]:
    """The modules that turn text into vectors, in order; the first in `dtype`, the others in float32.

    Raises:
        InputError: files that do not fit together, are damaged, or would run code when read.
    """
    with told(checkpoint.source):
        if checkpoint.kind == "static":
            return _static_modules(checkpoint)
        if checkpoint.own_code:
            return _own_modules(checkpoint, dtype)
        transformer = _transformer(checkpoint, dtype)
        if checkpoint.adapter is not None:
            adapted = PeftModel.from_pretrained(transformer.model, str(checkpoint.adapter), torch_device="cpu")
            transformer.model = adapted.merge_and_unload()
        for role, folder in checkpoint.task_adapters:
            transformer.model.load_adapter(str(folder), adapter_name=role)
        return [_ready(transformer, dtype), *(_ready(module) for module in _tail(checkpoint, transformer))]


def _transformer(checkpoint: Checkpoint, dtype: torch.dtype) -> Transformer:
    entries = read_modules(checkpoint.path, name=checkpoint.source)
    hub = {"local_files_only": True, "trust_remote_code": False}
    causal = {"is_causal": False} if checkpoint.bidirectional else {}
    if entries:
        transformer: Transformer = WholeTransformer.load(
            str(checkpoint.path),
            subfolder=entries[0].path,
            local_files_only=True,
            trust_remote_code=False,
            model_kwargs={"dtype": dtype},
            config_kwargs=causal,
        )
    else:
        transformer = WholeTransformer(
            str(checkpoint.path),
            model_kwargs={**hub, "dtype": dtype},
            processor_kwargs=dict(hub),
            config_kwargs={**hub, **causal},
            modality_config=_TEXT_ONLY,
            module_output_name="token_embeddings",
        )
    if checkpoint.max_tokens is not None:
        transformer.max_seq_length = checkpoint.max_tokens
    _append_end_token(transformer.tokenizer, checkpoint.path / (entries[0].path if entries else ""))
    return transformer


def _append_end_token(tokenizer: Any, folder: Path) -> None:
    """Keep the promise of `add_eos_token`, which transformers 5 forgets; last-token pooling reads that very token."""
    promised = (read_object(folder, "tokenizer_config.json") or {}).get("add_eos_token") is True
    if promised and tokenizer.eos_token_id is not None and tokenizer("a")["input_ids"][-1] != tokenizer.eos_token_id:
        tokenizer.add_eos_token = True


def _tail(checkpoint: Checkpoint, transformer: Transformer | StaticEmbedding) -> list[nn.Module]:
    """What follows the transformer: the listed modules, or pooling (and normalising) for a plain checkpoint."""
    if checkpoint.module_folder is None:
        ways: Any = tuple(checkpoint.pooling.split("+"))
        pooling = Pooling(transformer.get_embedding_dimension(), ways, include_prompt=checkpoint.include_prompt)
        return [pooling, *([Normalize()] if checkpoint.normalised else [])]
    entries = read_modules(checkpoint.module_folder, name=checkpoint.source) or ()
    tail = [
        _TAIL[entry.kind].load(str(checkpoint.module_folder), subfolder=entry.path, local_files_only=True)
        for entry in entries[1:]
    ]
    for module in tail:
        if isinstance(module, Pooling):
            module.include_prompt = checkpoint.include_prompt
    return tail


def _static_modules(checkpoint: Checkpoint) -> list[nn.Module]:
    if checkpoint.module_folder is None:
        table = StaticEmbedding.load(str(checkpoint.path), local_files_only=True)
        return [_ready(table), *([Normalize()] if checkpoint.normalised else [])]
    entries = read_modules(checkpoint.module_folder, name=checkpoint.source) or ()
    table = StaticEmbedding.load(str(checkpoint.module_folder), subfolder=entries[0].path, local_files_only=True)
    return [_ready(table), *(_ready(module) for module in _tail(checkpoint, table))]


def _own_modules(checkpoint: Checkpoint, dtype: torch.dtype) -> list[nn.Module]:
    """Modules with code that came with the checkpoint, which the policy has allowed by now."""
    if checkpoint.module_folder is None:
        hub = {"local_files_only": False, "trust_remote_code": True}
        transformer = Transformer(
            str(checkpoint.path),
            model_kwargs={**hub, "dtype": dtype},
            processor_kwargs=dict(hub),
            config_kwargs=dict(hub),
            modality_config=_TEXT_ONLY,
            module_output_name="token_embeddings",
        )
        return [_ready(transformer, dtype), *(_ready(module) for module in _tail(checkpoint, transformer))]
    model = SentenceTransformer(
        str(checkpoint.path), device="cpu", trust_remote_code=True, model_kwargs={"dtype": dtype}
    )
    if checkpoint.max_tokens is not None:
        model.max_seq_length = checkpoint.max_tokens
    first, *tail = list(model.children())
    return [_ready(first, dtype), *(_ready(module) for module in tail)]


def _ready(module: nn.Module, dtype: torch.dtype = torch.float32) -> nn.Module:
    """The module for inference: its numbers in `dtype`, no dropout, no gradients."""
    return module.to(dtype).eval().requires_grad_(False)


@contextmanager
def told(source: str) -> Iterator[None]:
    """Turn what libraries raise over bad files into one sentence.

    tokenizers raises bare `Exception`s, which is why the class itself is compared as well.
    """
    try:
        yield
    except InputError:
        raise
    except pickle.UnpicklingError:
        raise InputError(
            f"The pickled weights of {source} hold more than tensors and could run code when read, so they were not "
            "opened; convert the checkpoint to safetensors."
        ) from None
    except ImportError as failure:
        raise InputError(f"{source} needs a package that is not installed here: {_line(failure)}") from failure
    except (OSError, ValueError, RuntimeError, LookupError, TypeError, AttributeError, *_OTHERS) as failure:
        raise InputError(_unreadable(source, failure)) from failure
    except BaseException as failure:
        if type(failure) is not Exception:
            raise
        raise InputError(_unreadable(source, failure)) from failure


def _unreadable(source: str, failure: BaseException) -> str:
    return f"{source} cannot be opened: its files do not fit together ({_line(failure)}); fetch the checkpoint anew."


def _line(failure: BaseException) -> str:
    """The first line of a message, without its full stop."""
    lines = _PLACE.sub("…", str(failure)).strip().splitlines()
    return (lines[0] if lines else type(failure).__name__).rstrip(".")[:200]
