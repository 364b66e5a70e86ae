"""Cross-encoder: pairs of a query and a document to scores, with one set of weights that never changes."""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lib.encoders.batches import by_length, windows
from lib.encoders.cross_checkpoint import Activation, CrossCheckpoint, describe_cross_encoder
from lib.encoders.encoder import BATCH_TOKENS
from lib.encoders.memory import check_memory
from lib.encoders.policy import Policy
from lib.encoders.tokens import TextTokenizer
from lib.encoders.turns import OPENING
from lib.errors import InputError, Stopped
from lib.progress import Progress

if TYPE_CHECKING:
    from tokenizers import Encoding

Pair = tuple[str, str]
"""A query and a document, in that order."""
_WINDOW = 2048
"""Pairs tokenised at a time: a stop waits for no more, and their tokens are all that is held."""
_PROBE = (("a", "b"), ("a longer query than the other", "and a document that is longer, too"))


@dataclass(frozen=True, eq=False)
class ScoredBatch:
    """Some of the pairs, scored."""

    items: NDArray[np.int64]
    """Which of the pairs given, shape (b,)."""
    logits: NDArray[np.float32]
    """Their raw scores, higher is better, shape (b,)."""
    truncated: NDArray[np.bool_]
    """Whether each pair was cut, shape (b,)."""


@dataclass(frozen=True, eq=False)
class ScoredPairs:
    """The scores of some pairs, in the order in which the pairs were given."""

    scores: NDArray[np.float32]
    """What the checkpoint shows as score: `logits` through its activation, shape (m,)."""
    logits: NDArray[np.float32]
    """Raw scores, any number, higher is better; to be ranked by, since a sigmoid makes high ones equal. Shape (m,)."""
    truncated: NDArray[np.bool_]
    """Whether each pair was cut at the maximum length, shape (m,)."""


class Reranker:
    """An open cross-encoder. Threads may share it: one forward pass runs at a time."""

    def __init__(self, checkpoint: CrossCheckpoint, model: Any, tokenizer: Any) -> None:
        """Take over a loaded transformer; `open_cross_encoder` is the way to get here."""
        import torch

        self.checkpoint = checkpoint
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.model = model.to(self.device)
        self.tokenizer = TextTokenizer(tokenizer)
        self.lock = threading.RLock()

    @property
    def name(self) -> str:
        """As shown."""
        return self.checkpoint.source

    def score(
        self,
        pairs: Sequence[Pair],
        *,
        batch_tokens: int = BATCH_TOKENS,
        progress: Progress | None = None,
        should_stop: Callable[[], bool] | None = None,
    ) -> ScoredPairs:
        """Score pairs; the result is that of sentence-transformers' `CrossEncoder.predict`, whatever the batches.

        Args:
            pairs: any number of (query, document); empty texts are allowed.
            batch_tokens: tokens in a batch, padding included.
            progress: told the pairs done and all of them, first with 0 and then after every batch.
            should_stop: asked before every batch.

        Raises:
            InputError: a pair is not two strings, or a score is not finite.
            Stopped: `should_stop` said so.
        """
        logits = np.zeros(len(pairs), dtype=np.float32)
        truncated = np.zeros(len(pairs), dtype=bool)
        done = 0
        if progress:
            progress(0, len(pairs))
        for batch in self.stream(pairs, batch_tokens=batch_tokens, should_stop=should_stop):
            logits[batch.items], truncated[batch.items] = batch.logits, batch.truncated
            done += len(batch.items)
            if progress:
                progress(done, len(pairs))
        return ScoredPairs(activated(logits, self.checkpoint.activation), logits, truncated)

    def stream(
        self,
        pairs: Sequence[Pair],
        *,
        batch_tokens: int = BATCH_TOKENS,
        should_stop: Callable[[], bool] | None = None,
    ) -> Iterator[ScoredBatch]:
        """As `score`, batch by batch: pairs of about one length together, the longest first within each 2,048."""
        _check(pairs)
        done, prompt = 0, self.checkpoint.prompt
        for window in windows(len(pairs), _WINDOW):
            chosen: list[Any] = [(_whole(prompt + query), _whole(document)) for query, document in pairs[window]]
            tokenised = self.tokenizer(chosen)
            for group in by_length(tokenised.lengths, batch_tokens=batch_tokens):
                if should_stop and should_stop():
                    raise Stopped(f"Stopped after {done:,} of {len(pairs):,} pairs.")
                logits = self._logits([tokenised.encodings[i] for i in group])
                yield ScoredBatch(window.start + group, logits, tokenised.truncated[group])
                done += len(group)

    def _logits(self, encodings: "list[Encoding]") -> NDArray[np.float32]:
        import torch

        features = {name: tensor.to(self.device) for name, tensor in self.tokenizer.features(encodings).items()}
        with self.lock, torch.inference_mode():
            logits = self.model(**features).logits.float()
        if logits.shape != (len(encodings), 1):
            raise InputError(
                f"{self.name} gave scores of the shape {tuple(logits.shape)} for {len(encodings)} pairs; expected one "
                "score for each."
            )
        if not torch.isfinite(logits).all():
            raise InputError(f"{self.name} gave scores that are not finite; its weights are damaged: fetch it anew.")
        array: NDArray[np.float32] = logits[:, 0].cpu().numpy()
        return array


def open_cross_encoder(source: str | CrossCheckpoint, *, policy: Policy | None = None) -> Reranker:
    """Open a cross-encoder, on a graphics processor where torch finds one.

    Args:
        source: what `describe_cross_encoder` takes, or what it returned.
        policy: what may be opened; that of the environment where None.

    Raises:
        InputError: see `describe_cross_encoder`; also too little free memory, or files that do not fit together.
    """
    checkpoint = source if isinstance(source, CrossCheckpoint) else describe_cross_encoder(source, policy=policy)
    with OPENING.taken(checkpoint.source):
        check_memory(checkpoint.source, checkpoint.parameters)
        from lib.encoders.cross_loading import load_cross_encoder
        from lib.encoders.loading import told

        reranker = Reranker(checkpoint, *load_cross_encoder(checkpoint))
        with told(checkpoint.source):
            reranker.score(_PROBE)  # a vocabulary larger than the table of the weights shows here
        return reranker


def activated(logits: NDArray[np.float32], activation: Activation) -> NDArray[np.float32]:
    """Raw scores as the checkpoint shows them: as they are, through 1 / (1 + exp(-x)), or through tanh."""
    if activation == "sigmoid":
        away = np.exp(-np.abs(logits.astype(np.float64)))  # never overflows
        shown: NDArray[np.float32] = (np.where(logits >= 0, 1.0, away) / (1 + away)).astype(np.float32)
        return shown
    return np.tanh(logits, dtype=np.float32) if activation == "tanh" else logits


def _check(pairs: Sequence[Pair]) -> None:
    if isinstance(pairs, str):
        raise InputError("Pairs come as a list of (query, document); got a single string.")
    for row, pair in enumerate(pairs):
        if not (isinstance(pair, tuple | list) and len(pair) == 2 and all(isinstance(text, str) for text in pair)):
            raise InputError(f"Pair {row + 1} should be two strings, a query and a document, got {pair!r:.60}.")


def _whole(text: str) -> str:
    """`text` with half of a surrogate pair, which no tokenizer takes, as a question mark."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
