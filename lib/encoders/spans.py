"""Spans: where an encoder's tokens begin and end in whole texts, and how many of them it reads."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lib.encoders.encoder import Encoder
from lib.encoders.prompts import Role
from lib.encoders.tokens import spans_by
from lib.errors import InputError


def token_spans(encoder: Encoder, texts: Sequence[str]) -> list[NDArray[np.int64]]:
    """For each text, whole and without prompt, where each token begins and ends in it: characters, shape (t, 2).

    Special tokens are left out. Spans ascend; bytes of one character may share it.

    Raises:
        InputError: the encoder tokenises with code of its own, which tells no places.
    """
    if encoder.tokenizer is not None:
        return encoder.tokenizer.spans(list(texts))
    tokenizer: Any = getattr(encoder.modules[0], "tokenizer", None)
    if encoder.checkpoint.kind == "static" and hasattr(tokenizer, "encode_batch"):
        return spans_by(tokenizer, list(texts))
    raise InputError(
        f"{encoder.checkpoint.source} tokenises with code of its own, which does not tell where tokens stand in a text."
    )


def room(encoder: Encoder, role: Role = "document") -> int | None:
    """Tokens of a text's own that are read: the maximum less special tokens and prompt; None without a maximum.

    Raises:
        InputError: the prompt leaves no room, or the encoder tokenises with code of its own.
    """
    limit = encoder.checkpoint.max_tokens
    if limit is None or encoder.checkpoint.kind == "static":
        return None
    if encoder.tokenizer is None:
        raise InputError(f"{encoder.checkpoint.source} tokenises with code of its own, which does not show its tokens.")
    prompt = encoder.checkpoint.prompts.of(role)
    taken = encoder.tokenizer.special_count + (len(encoder.tokenizer.spans([prompt])[0]) if prompt else 0)
    if taken >= limit:
        raise InputError(
            f"The {role} prompt takes {taken:,} of the {limit:,} tokens that {encoder.checkpoint.source} reads, so "
            "none is left for the text; shorten it."
        )
    return limit - taken
