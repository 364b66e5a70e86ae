"""Hidden states and attention maps, streamed: one batch at a time is in memory, never all layers of all texts."""

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lib.encoders.batches import distinct
from lib.encoders.prompts import Role
from lib.encoders.tokens import TextTokenizer
from lib.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

    from lib.encoders.encoder import Encoder

_MAX_MAP_BYTES = 1_000_000_000
"""What the maps of one text may take, all layers and heads together."""


@dataclass(frozen=True)
class HiddenBatch:
    """Pooled states of some texts at every depth."""

    rows: NDArray[np.int64]
    """Which of the texts given these are, shape (b,)."""
    pooled: NDArray[np.float32]
    """States after the embedding layer (0) and after each layer, pooled, neither projected nor normalised,
    shape (layers + 1, b, d)."""


@dataclass(frozen=True)
class AttentionBatch:
    """Attention maps of some texts."""

    rows: NDArray[np.int64]
    """Which of the texts given these are, shape (b,)."""
    tokens: tuple[list[str], ...]
    """Each text's tokens, prompt and special tokens included."""
    attention: tuple[NDArray[np.float32], ...]
    """Each text's maps, shape (layers, heads, t, t): row i tells where token i looks; a row sums to 1."""


def hidden_batches(encoder: "Encoder", texts: Sequence[str], role: Role, batch_tokens: int) -> Iterator[HiddenBatch]:
    """See `Encoder.hidden_states`; what is wrong with the encoder or the texts is said before the first batch."""
    check_shown(encoder, "layers")
    encoder.checkpoint.prompts.of(role)
    todo = distinct(texts)

    def stream() -> Iterator[HiddenBatch]:
        import torch

        rows = todo.rows()
        for batch in encoder.batches(todo, role, batch_tokens=batch_tokens):
            with encoder.lock, torch.inference_mode():
                encoder.switch_adapter(role)
                inputs = model_inputs(encoder, batch.features)
                states = encoder.modules[0].model(**inputs, output_hidden_states=True, return_dict=True).hidden_states
                features = {**batch.features, "attention_mask": inputs["attention_mask"]}
                pooled = torch.stack([encoder.pooled(state, features) for state in states]).cpu().numpy()
            repeats = [len(rows[item]) for item in batch.items]
            yield HiddenBatch(np.concatenate([rows[item] for item in batch.items]), np.repeat(pooled, repeats, axis=1))

    return stream()


def attention_batches(encoder: "Encoder", texts: Sequence[str], role: Role) -> Iterator[AttentionBatch]:
    """See `Encoder.attentions`; what is wrong with the encoder or the texts is said before the first batch."""
    tokenizer = check_shown(encoder, "attention")
    encoder.checkpoint.prompts.of(role)
    todo = distinct(texts)
    layers, heads = encoder.checkpoint.layers or 1, encoder.checkpoint.heads or 1

    def stream() -> Iterator[AttentionBatch]:
        import torch

        rows = todo.rows()
        twin = eager_twin(encoder)
        for batch in encoder.batches(todo, role, batch_tokens=1):  # one text a batch: no padding to take out again
            length = int(batch.lengths[0])
            size = 4 * layers * heads * length**2
            if size > _MAX_MAP_BYTES:
                raise InputError(
                    f"The attention maps of a text of {length:,} tokens take {size / 1e9:.1f} GB; shorten it to "
                    f"{int((_MAX_MAP_BYTES / (4 * layers * heads)) ** 0.5):,} tokens at most."
                )
            with encoder.lock, torch.inference_mode():
                if encoder.checkpoint.task_adapters:
                    twin.set_adapter(role)
                out = twin(**model_inputs(encoder, batch.features), output_attentions=True, return_dict=True)
                maps = torch.stack([layer[0].float() for layer in shown_attention(encoder, out)]).cpu().numpy()
            tokens = tokenizer.text_tokens(batch.encodings[0])
            here = rows[batch.items[0]]
            yield AttentionBatch(here, tuple(tokens for _ in here), tuple(maps for _ in here))

    return stream()


def check_shown(encoder: "Encoder", what: str) -> TextTokenizer:
    """The tokenizer of an encoder that shows its `what` (layers, attention); one that does not is refused.

    Raises:
        InputError: it is static, or runs code of its own.
    """
    if encoder.checkpoint.kind == "static":
        raise InputError(
            f"{encoder.checkpoint.source} is a static encoder: it adds up token vectors and has no {what}; choose a "
            "transformer."
        )
    if encoder.tokenizer is None:
        raise InputError(f"{encoder.checkpoint.source} runs code of its own, which does not show its {what}.")
    return encoder.tokenizer


def model_inputs(encoder: "Encoder", features: dict[str, Any]) -> dict[str, Any]:
    """What the transformer itself takes of a batch's features."""
    names = ("input_ids", "attention_mask", "token_type_ids")
    accepted = encoder.modules[0].model_forward_params
    return {
        name: features[name].to(encoder.device)
        for name in names
        if name in features and (accepted is None or name in accepted)
    }


def eager_twin(encoder: "Encoder") -> Any:
    """A copy of the transformer that shares its weights but computes attention step by step, so that it shows.

    Fused attention never forms the maps. The copy leaves the encoder's own, faster, way as it is.

    Raises:
        InputError: the architecture has no other way than its own.
    """
    with encoder.lock:
        model = encoder.modules[0].model
        shared = {id(tensor): tensor for tensor in (*model.parameters(), *model.buffers())}
        twin = copy.deepcopy(model, shared)
        try:
            twin.set_attn_implementation("eager")
        except ValueError as failure:
            raise _shows_none(encoder) from failure
        return twin.eval()


def shown_attention(encoder: "Encoder", out: Any) -> "tuple[Tensor, ...]":
    """The attention maps in what an eager twin gave: one for each layer, shape (b, heads, t, t).

    Raises:
        InputError: there are none.
    """
    maps = getattr(out, "attentions", None) or ()
    if not maps or any(getattr(layer, "ndim", 0) != 4 for layer in maps):
        raise _shows_none(encoder)
    return tuple(maps)


def _shows_none(encoder: "Encoder") -> InputError:
    return InputError(
        f"{encoder.checkpoint.source} ({encoder.checkpoint.architecture}) shows no attention maps: its architecture "
        "mixes tokens in another way, or keeps them to itself; choose another encoder for this view."
    )
