"""States: unit vectors of some texts at every depth of an encoder, streamed batch by batch.

Depth 0 is the embedding layer, depth i the i-th layer, each pooled as the encoder pools; the last depth is the output:
the last layer's pooled state through whatever the encoder does after pooling (a dense layer, normalising).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.encoders import BATCH_TOKENS, Checkpoint, Encoder, Role
from lib.errors import InputError

_LEAST_NORM = 1e-15


@dataclass(frozen=True)
class UnitStates:
    """States of some texts at every depth, each brought to length 1."""

    rows: NDArray[np.int64]
    """Which of the texts given these are, shape (b,)."""
    depths: tuple[NDArray[np.float64], ...]
    """Their unit states, each of shape (b, d), the output last; d may differ between depths."""
    left_out: int
    """Texts of this batch without a direction at some depth: they have no token, or a state of zero length there."""


def depth_names(layers: int) -> tuple[str, ...]:
    """What the depths of an encoder with so many layers are called."""
    return ("embedding", *(f"layer {layer}" for layer in range(1, layers + 1)), "output")


def why_no_layers(checkpoint: Checkpoint | None) -> str | None:
    """One sentence on why an encoder shows no layers; None where it has some. None stands for no encoder at all."""
    if checkpoint is None:
        return "These embeddings came with the corpus, so there is no encoder whose layers could be looked at."
    if checkpoint.kind == "static":
        return (
            f"{checkpoint.source} is a static encoder: it adds up one vector for each token, so that no layer stands "
            "between its tokens and its output."
        )
    if checkpoint.own_code:
        return f"{checkpoint.source} runs code of its own, which does not show its layers."
    return None


def unit_states(
    encoder: Encoder, texts: Sequence[str], *, role: Role = "document", batch_tokens: int = BATCH_TOKENS
) -> Iterator[UnitStates]:
    """The unit states of `texts`, a batch at a time, in the encoder's own order.

    Raises:
        InputError: the encoder has no layers, a text is no string, or a state is not finite.
    """
    batches = encoder.hidden_states(texts, role=role, batch_tokens=batch_tokens)
    may_be_empty = _takes_texts_without_tokens(encoder, role)

    def stream() -> Iterator[UnitStates]:
        for batch in batches:
            output = _output(encoder, batch.pooled[-1], [texts[row] for row in batch.rows], role)
            states = [*batch.pooled, output]
            norms = np.array([_lengths(state) for state in states])  # (depths, b)
            if not np.isfinite(norms).all():
                raise InputError(
                    f"{encoder.checkpoint.source} gave hidden states that are not finite; its weights are damaged or "
                    f"do not work in {encoder.precision}."
                )
            kept = (norms > _LEAST_NORM).all(axis=0)
            if may_be_empty and encoder.tokenizer is not None:
                kept &= encoder.tokenizer([texts[row] for row in batch.rows]).lengths > 0
            units = tuple(
                np.divide(state[kept], length[kept, None], dtype=np.float64)
                for state, length in zip(states, norms, strict=True)
            )
            yield UnitStates(batch.rows[kept], units, int((~kept).sum()))

    return stream()


def _lengths(state: NDArray[np.float32]) -> NDArray[np.float64]:
    """Euclidean length of each row, shape (b,)."""
    squares: NDArray[np.float64] = np.einsum("ij,ij->i", state, state, dtype=np.float64)
    return np.sqrt(squares)


def _takes_texts_without_tokens(encoder: Encoder, role: Role) -> bool:
    """Whether a text can have no token at all: there is neither a prompt nor a special token."""
    if encoder.tokenizer is None or encoder.checkpoint.prompts.of(role):
        return False
    return int(encoder.tokenizer([""]).lengths[0]) == 0


def _output(encoder: Encoder, pooled: NDArray[np.float32], texts: list[str], role: Role) -> NDArray[np.float32]:
    """The encoder's vectors, shape (b, D), from its last layer's pooled states, shape (b, d)."""
    if not encoder.pools_last_layer:  # something stands before pooling: run the whole encoder
        return encoder.encode(texts, role=role).vectors
    return encoder.after_pooling(pooled)
