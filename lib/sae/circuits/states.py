"""States: what a text is after each layer of its encoder, pooled, and what each would be as the encoder's output."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.encoders import BATCH_TOKENS, Encoder, Role
from lib.errors import InputError
from lib.layers.states import depth_names
from lib.results import Result


@dataclass(frozen=True, eq=False)
class States(Result):
    """Some texts at every depth: the embedding layer and the layers 1 to L."""

    depths: tuple[str, ...]
    """Names of the depths, "embedding", "layer 1" to "layer L"."""
    rows: NDArray[np.int64]
    """Which of the texts given these are, shape (b,)."""
    pooled: NDArray[np.float32]
    """Their states as they leave pooling, shape (L + 1, b, D)."""
    vectors: NDArray[np.float32]
    """The same through whatever the encoder does after pooling, shape (L + 1, b, d): the last are their embeddings."""

    def __len__(self) -> int:
        return len(self.rows)


def pooled_states(
    encoder: Encoder, texts: Sequence[str], *, role: Role = "document", batch_tokens: int = BATCH_TOKENS
) -> States:
    """The states of `texts`, in their order, all in memory at once: (L + 1) (D + d) numbers a text.

    Raises:
        InputError: as `state_batches`.
    """
    batches = list(state_batches(encoder, texts, role=role, batch_tokens=batch_tokens))
    if not batches:
        raise InputError("Expected at least one text to follow through the layers, got none.")
    rows = np.concatenate([batch.rows for batch in batches])
    order = np.argsort(rows, kind="stable")
    pooled = np.concatenate([batch.pooled for batch in batches], axis=1)
    vectors = np.concatenate([batch.vectors for batch in batches], axis=1)
    return States(batches[0].depths, rows[order], pooled[:, order], vectors[:, order])


def state_batches(
    encoder: Encoder, texts: Sequence[str], *, role: Role = "document", batch_tokens: int = BATCH_TOKENS
) -> Iterator[States]:
    """The states of `texts` a batch at a time, in the encoder's own order.

    Raises:
        InputError: the encoder has no layers or changes token states between its last layer and pooling, a text is no
            string, or a state is not finite.
    """
    batches = encoder.hidden_states(texts, role=role, batch_tokens=batch_tokens)
    if not encoder.pools_last_layer:
        raise InputError(
            f"{encoder.checkpoint.source} changes the states of its tokens between its last layer and pooling, so that "
            "its layers cannot be read as outputs: choose another encoder for this view."
        )
    names = depth_names(encoder.checkpoint.layers or 0)[:-1]

    def stream() -> Iterator[States]:
        for batch in batches:
            vectors = np.stack([encoder.after_pooling(state) for state in batch.pooled])
            if not (np.isfinite(batch.pooled).all() and np.isfinite(vectors).all()):
                raise InputError(
                    f"{encoder.checkpoint.source} gave hidden states that are not finite; its weights are damaged or "
                    f"do not work in {encoder.precision}."
                )
            yield States(names, batch.rows, batch.pooled, vectors)

    return stream()
