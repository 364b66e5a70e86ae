"""Multi-vector encoder: a ColBERT-like checkpoint, whose token vectors were trained for MaxSim.

How it marks queries and documents, expands queries with [MASK] tokens and skips punctuation is sentence-transformers'
own code; here it is opened under the same policy as any encoder, and its tokens are streamed with their vectors.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lib.encoders.batches import by_length, distinct
from lib.encoders.late_checkpoint import LateCheckpoint, describe_multi_vector
from lib.encoders.memory import check_memory
from lib.encoders.policy import Policy
from lib.encoders.prompts import ROLES, Role
from lib.encoders.token_states import TokenBatch, TokenVectors, spread
from lib.encoders.turns import OPENING
from lib.errors import InputError
from lib.progress import Progress

BATCH_TOKENS = 4096
"""Tokens in a batch, guessed from characters."""


class MultiVectorEncoder:
    """An open checkpoint of late interaction. Threads may share it: one forward pass runs at a time."""

    def __init__(self, checkpoint: LateCheckpoint, model: Any) -> None:
        """Take over a loaded model; `open_multi_vector` is the way to get here."""
        self.checkpoint = checkpoint
        self.model = model
        self.lock = threading.RLock()
        tokenizer = model.tokenizer
        self._special = np.array([number for number in tokenizer.all_special_ids if number != tokenizer.unk_token_id])

    def token_states(
        self,
        texts: Sequence[str],
        *,
        role: Role = "document",
        batch_tokens: int = BATCH_TOKENS,
        progress: Progress | None = None,
        should_stop: Callable[[], bool] | None = None,
    ) -> Iterator[TokenBatch]:
        """The vectors that take part in MaxSim, as the checkpoint's `encode_query` or `encode_document` gives them.

        Markers, [MASK] expansion and special tokens are among them where the checkpoint scores them, tokens that it
        skips are not. Their length is 1 where it normalises, as they all do by default.

        Raises:
            InputError: a text is no string; the role is unknown; from the iterator, vectors that are not finite.
            Stopped: from the iterator, `should_stop` said so.
        """
        if role not in ROLES:
            raise InputError(f'A text is encoded as "query" or as "document", not as {role!r}.')
        todo = distinct(texts)
        guessed = np.array([2 + len(text) // 4 for text in todo.texts], dtype=np.int64)
        groups = by_length(np.minimum(guessed, self._longest), batch_tokens=batch_tokens, max_rows=64)
        made = ((group, self._encoded([todo.texts[i] for i in group], role)) for group in groups)
        return spread(made, todo.rows(), progress=progress, should_stop=should_stop)

    @property
    def _longest(self) -> int:
        return self.checkpoint.max_tokens or 8192

    def _encoded(self, texts: list[str], role: Role) -> list[TokenVectors]:
        with self.lock:
            encode = self.model.encode_query if role == "query" else self.model.encode_document
            made = encode(texts, output_value=None, batch_size=len(texts), show_progress_bar=False)
            whole = self.model.tokenizer(
                [self._prompt(role) + text for text in texts], truncation=False, padding=False, verbose=False
            )["input_ids"]
        return [self._vectors(features, np.array(ids)) for features, ids in zip(made, whole, strict=True)]

    def _prompt(self, role: Role) -> str:
        names = ("query",) if role == "query" else ("document", "passage", "corpus")
        return next((self.model.prompts[name] or "" for name in names if name in self.model.prompts), "")

    def _vectors(self, features: dict[str, Any], whole: NDArray[np.int64]) -> TokenVectors:
        """What counts of one text; `whole` are its token ids uncut, prompt and special ones included."""
        kept = features["attention_mask"].bool().cpu()
        ids: NDArray[np.int64] = features["input_ids"].cpu().numpy()
        vectors: NDArray[np.float32] = features["token_embeddings"].float().cpu()[kept].numpy()
        if not np.isfinite(vectors).all():
            raise InputError(
                f"{self.checkpoint.source} gave token vectors that are not finite; its weights are damaged."
            )
        skipped = int(features.get("prompt_length") or 0)
        own = self._own(ids, skipped)
        tokens = self.model.tokenizer.convert_ids_to_tokens(ids[kept.numpy()].tolist())
        cut = bool(own.sum() < self._own(whole, skipped).sum())
        return TokenVectors(tuple(tokens), own[kept.numpy()], vectors, cut)

    def _own(self, ids: NDArray[np.int64], skipped: int) -> NDArray[np.bool_]:
        """Which tokens are the text's own: not special, and after the prompt, which padding may precede."""
        plain = ~np.isin(ids, self._special)
        first = int(np.argmax(ids != self.model.tokenizer.pad_token_id))
        plain[: first + skipped] = False
        return plain


def open_multi_vector(source: str | LateCheckpoint, *, policy: Policy | None = None) -> MultiVectorEncoder:
    """Open a checkpoint of late interaction, on a graphics processor where torch finds one.

    Args:
        source: a hub id, a folder below the policy's roots, or what `describe_multi_vector` returned.
        policy: what may be opened; that of the environment where None. Code that comes with it is never run.

    Raises:
        InputError: see `describe_multi_vector`; also too little free memory, or files that do not fit together.
    """
    checkpoint = source if isinstance(source, LateCheckpoint) else describe_multi_vector(source, policy=policy)
    with OPENING.taken(checkpoint.source):
        check_memory(checkpoint.source, checkpoint.parameters)
        from lib.encoders.late_loading import load_multi_vector

        return MultiVectorEncoder(checkpoint, load_multi_vector(checkpoint))
