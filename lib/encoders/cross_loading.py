"""Loading: a cross-encoder's weights and tokenizer into memory. Imports torch; only `cross_encoder` imports this."""

from typing import Any

import torch
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer, PreTrainedTokenizerFast

from lib.encoders.claims import check_model
from lib.encoders.cross_checkpoint import CrossCheckpoint
from lib.encoders.loading import few_modules, told
from lib.errors import InputError

_MADE_LATER = ("position_ids",)
"""Tables that are computed, not saved."""


def load_cross_encoder(checkpoint: CrossCheckpoint) -> tuple[Any, Any]:
    """The transformer with its head, ready for inference in float32, and its tokenizer.

    Only what is named here is read: neither the settings nor the activation that its files ask for are run.

    Raises:
        InputError: files that do not fit together, are damaged, or would run code when read.
    """
    own = {"trust_remote_code": checkpoint.own_code, "local_files_only": not checkpoint.own_code}
    with told(checkpoint.source):
        if not checkpoint.own_code:
            config = AutoConfig.from_pretrained(str(checkpoint.path), **own)
            with torch.device("meta"), few_modules(checkpoint.source):
                described = AutoModelForSequenceClassification.from_config(config)
            check_model(described, checkpoint.parameters, name=checkpoint.source)
        model, report = AutoModelForSequenceClassification.from_pretrained(
            str(checkpoint.path),
            dtype=torch.float32,
            use_safetensors=checkpoint.safe,
            weights_only=True,
            output_loading_info=True,
            **own,
        )
        _check_whole(checkpoint, report["missing_keys"])
        tokenizer = AutoTokenizer.from_pretrained(str(checkpoint.path), **own)
        _check_tokenizer(checkpoint, tokenizer)
        if checkpoint.max_tokens is not None:
            tokenizer.model_max_length = checkpoint.max_tokens
        if checkpoint.lower_case:
            _lower(tokenizer.backend_tokenizer)
        if model.config.pad_token_id is None:
            model.config.pad_token_id = tokenizer.pad_token_id
    return model.eval().requires_grad_(False), tokenizer


def _check_whole(checkpoint: CrossCheckpoint, missing: Any) -> None:
    lacking = sorted(key for key in missing if not any(part in key for part in _MADE_LATER))
    if lacking:
        raise InputError(
            f"{checkpoint.source} lacks {len(lacking)} of the weights that a {checkpoint.architecture} cross-encoder "
            f"has (the first: {lacking[0]}), so its scores would be random; choose one that was trained to score pairs."
        )


def _check_tokenizer(checkpoint: CrossCheckpoint, tokenizer: Any) -> None:
    if not isinstance(tokenizer, PreTrainedTokenizerFast):
        raise InputError(f"{checkpoint.source} has no fast tokenizer (tokenizer.json), which is needed here.")
    if tokenizer.pad_token_id is None:
        raise InputError(f"{checkpoint.source} has no padding token, so pairs of unequal length cannot go together.")


def _lower(tokenizer: Any) -> None:
    from tokenizers import normalizers

    before = [tokenizer.normalizer] if tokenizer.normalizer is not None else []
    tokenizer.normalizer = normalizers.Sequence([normalizers.Lowercase(), *before])
