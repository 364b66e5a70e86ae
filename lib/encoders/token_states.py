"""Token vectors: what an encoder makes of each token of a text, streamed, padding never included.

For late interaction each token keeps its own vector: the last hidden state as it enters pooling, with length 1. For a
static encoder it is the token's row in its table, whatever stands around it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from lib.encoders.batches import by_length, distinct, windows
from lib.encoders.prompts import Role
from lib.errors import InputError, Stopped
from lib.progress import Progress

if TYPE_CHECKING:
    from torch import Tensor

    from lib.encoders.encoder import Batch, Encoder

ShouldStop = Callable[[], bool]


@dataclass(frozen=True, eq=False)
class TokenVectors:
    """The tokens of one text and their vectors."""

    tokens: tuple[str, ...]
    """As the vocabulary spells them, in order, t of them."""
    own: NDArray[np.bool_]
    """Whether each is the text's own, shape (t,): neither a special token nor one of the prompt."""
    vectors: NDArray[np.float32]
    """Their vectors, shape (t, d): of length 1, but for a checkpoint of late interaction that leaves them longer."""
    truncated: bool
    """Whether the text was cut at the maximum length."""

    def scored(self, *, special: bool) -> NDArray[np.int64]:
        """Rows of the tokens that take part in MaxSim: all, or only the text's own (all where none is its own)."""
        return np.flatnonzero(self.own | special | ~self.own.any())


@dataclass(frozen=True, eq=False)
class TokenBatch:
    """Some texts and their tokens."""

    rows: NDArray[np.int64]
    """Which of the texts given these are, shape (b,)."""
    texts: tuple[TokenVectors, ...]
    """One for each row; the rows of one repeated text share theirs."""


class TokenEncoder(Protocol):
    """Whatever turns a text into token vectors: an encoder, or a checkpoint of late interaction."""

    def token_states(
        self,
        texts: Sequence[str],
        *,
        role: Role = "document",
        progress: Progress | None = None,
        should_stop: ShouldStop | None = None,
    ) -> Iterator[TokenBatch]:
        """Token vectors of `texts`, batch by batch, in no particular order."""
        ...


def token_batches(
    encoder: "Encoder",
    texts: Sequence[str],
    role: Role,
    *,
    batch_tokens: int,
    progress: Progress | None = None,
    should_stop: ShouldStop | None = None,
) -> Iterator[TokenBatch]:
    """See `Encoder.token_states`; what is wrong with the encoder or the texts is said before the first batch."""
    static = encoder.checkpoint.kind == "static"
    if not static and encoder.tokenizer is None:
        raise InputError(f"{encoder.checkpoint.source} runs code of its own, which does not show its token vectors.")
    prompt = encoder.checkpoint.prompts.of(role)
    todo = distinct(texts)

    def stream() -> Iterator[TokenBatch]:
        rows = todo.rows()
        if static:
            made = _static(encoder, todo.texts, prompt, batch_tokens)
        else:
            batches = encoder.batches(todo, role, batch_tokens=batch_tokens)
            made = ((batch.items, _states(encoder, batch, role)) for batch in batches)
        yield from spread(made, rows, progress=progress, should_stop=should_stop)

    return stream()


def spread(
    made: Iterator[tuple[NDArray[np.int64], list[TokenVectors]]],
    rows: list[NDArray[np.int64]],
    *,
    progress: Progress | None,
    should_stop: ShouldStop | None,
) -> Iterator[TokenBatch]:
    """Batches of distinct texts as batches of the rows at which they were given, telling how far it is."""
    done = 0
    if progress:
        progress(0, len(rows))
    if should_stop and should_stop():
        raise Stopped(f"Stopped before the first of {len(rows):,} texts.")
    for items, texts in made:
        yield TokenBatch(
            np.concatenate([rows[item] for item in items]),
            tuple(text for item, text in zip(items, texts, strict=True) for _ in rows[item]),
        )
        done += len(items)
        if progress:
            progress(done, len(rows))
        if should_stop and should_stop():
            raise Stopped(f"Stopped after {done:,} of {len(rows):,} texts.")


def unit_rows(states: "Tensor", source: str) -> NDArray[np.float32]:
    """States, shape (..., d), in float32 with length 1; a zero vector stays one.

    Raises:
        InputError: they are not finite.
    """
    import torch

    if not torch.isfinite(states).all():
        raise InputError(f"{source} gave token vectors that are not finite; its weights are damaged.")
    array: NDArray[np.float32] = torch.nn.functional.normalize(states.float(), dim=-1).cpu().numpy()
    return array


def _states(encoder: "Encoder", batch: "Batch", role: Role) -> list[TokenVectors]:
    import torch

    with encoder.lock, torch.inference_mode():
        encoder.switch_adapter(role)
        features = encoder.first(batch.features, role)
        for module in encoder.modules[1:]:
            if hasattr(module, "pooling_mode"):
                break
            features = module(features)
        states = features["token_embeddings"]
    vectors = unit_rows(states, encoder.checkpoint.source)
    real = batch.features["attention_mask"].numpy().astype(bool)  # (b, t)
    skipped = int(batch.features.get("prompt_length", 0))
    texts = []
    for row, encoding in enumerate(batch.encodings):
        own = np.array(encoding.special_tokens_mask, dtype=np.int64) == 0
        own[:skipped] = False
        tokens = encoder.tokenizer.text_tokens(encoding) if encoder.tokenizer else []
        texts.append(TokenVectors(tuple(tokens), own, vectors[row][real[row]], bool(batch.truncated[row])))
    return texts


def _static(
    encoder: "Encoder", texts: tuple[str, ...], prompt: str, batch_tokens: int
) -> Iterator[tuple[NDArray[np.int64], list[TokenVectors]]]:
    """A static encoder's rows; it adds no special tokens and cuts nothing."""
    first: Any = encoder.modules[0]
    table = first.embedding.weight
    skipped = len(first.tokenizer.encode(prompt, add_special_tokens=False).ids) if prompt else 0
    for window in windows(len(texts)):
        with encoder.lock:
            encodings = first.tokenizer.encode_batch([prompt + t for t in texts[window]], add_special_tokens=False)
        lengths = np.array([len(encoding.ids) for encoding in encodings], dtype=np.int64)
        for group in by_length(lengths, batch_tokens=batch_tokens * 16):
            made = []
            for encoding in (encodings[i] for i in group):
                rows = table[encoding.ids, : encoder.checkpoint.dimensions].detach()
                own = np.arange(len(encoding.ids)) >= skipped
                made.append(
                    TokenVectors(tuple(encoding.tokens), own, unit_rows(rows, encoder.checkpoint.source), False)
                )
            yield np.arange(window.start, window.stop)[group], made
