"""Attention maps of one text, for looking at: every layer and head, the first tokens of a long text."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lib.encoders.batches import distinct
from lib.encoders.prompts import Role
from lib.encoders.spelling import readable
from lib.encoders.taps import AttentionTap
from lib.errors import InputError
from lib.layers.attention import MOST_MAP_BYTES
from lib.results import Result

if TYPE_CHECKING:
    from torch import Tensor

    from lib.encoders import Encoder


@dataclass(frozen=True)
class AttentionMaps(Result):
    """Who looks at whom in one text."""

    tokens: tuple[str, ...]
    """The first m tokens, prompt and special ones included, as the vocabulary spells them; ## continues a word, ▁
    begins one."""
    attention: NDArray[np.float32]
    """Maps, shape (layers, heads, m, m): row i tells where token i looks."""
    rest: NDArray[np.float32]
    """What each token gives to the tokens after the first m, shape (layers, heads, m); with it rows sum to 1."""
    length: int
    """Tokens of the text, t >= m."""
    truncated: bool
    """Whether the text was cut at the encoder's maximum length."""


def attention_map(encoder: "Encoder", text: str, *, role: Role = "document", most: int = 64) -> AttentionMaps:
    """The maps of `text` over its first `most` tokens; attention is computed over all of them.

    Raises:
        InputError: no attention to be had; the text has no token, or so many that a map would not fit in memory.
    """
    if most < 1:
        raise InputError(f"A map shows at least 1 token, got {most}.")
    tap = AttentionTap(encoder, role)
    batch = next(encoder.batches(distinct([text]), role, batch_tokens=1))
    length = int(batch.lengths[0])
    limit = int((MOST_MAP_BYTES / (4 * tap.heads)) ** 0.5)
    if not 1 <= length <= limit:
        raise InputError(f"An attention map needs a text of 1 to {limit:,} tokens, got one of {length:,}.")
    shown = min(most, length)
    maps = np.zeros((tap.layers, tap.heads, shown, shown), np.float32)
    rest = np.zeros((tap.layers, tap.heads, shown), np.float32)

    def keep(layer: int, given: "Tensor", keys: "Tensor") -> None:
        rows = given[0, :, :shown].float()
        maps[layer] = rows[:, :, :shown].numpy(force=True)
        rest[layer] = rows[:, :, shown:].sum(dim=-1).numpy(force=True)

    tap.run(batch, keep)
    tokens = readable(tap.tokens(batch.encodings[0]))
    return AttentionMaps(tuple(tokens[:shown]), maps, rest, length, bool(batch.truncated[0]))
