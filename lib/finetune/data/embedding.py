"""Embedding while training: the model as it stands, with the prompts that it has at inference."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lib.encoders.prompts import Prompts, Role
from lib.errors import Stopped

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Embed = Callable[[Sequence[str], Role], NDArray[np.float32]]
"""Turns texts into vectors, shape (n, d), as queries or as documents."""

_AT_ONCE = 1_024  # texts between two questions whether to stop


def embedder(
    model: "SentenceTransformer",
    prompts: Prompts | None = None,
    *,
    batch: int = 32,
    should_stop: Callable[[], bool] | None = None,
) -> Embed:
    """How `model` embeds now: called later, it embeds as it does then.

    `prompts` are put before the texts; None for none, whatever the model itself keeps. Vectors are as the model
    gives them, in float32.

    Raises:
        Stopped: when called, `should_stop` said so.
    """
    prompts = prompts or Prompts()

    def embed(texts: Sequence[str], role: Role) -> NDArray[np.float32]:
        parts: list[Any] = []
        for start in range(0, len(texts), _AT_ONCE):
            if should_stop is not None and should_stop():
                raise Stopped
            part = list(texts[start : start + _AT_ONCE])
            parts.append(
                model.encode(
                    part, prompt=prompts.of(role), batch_size=batch, convert_to_numpy=True, show_progress_bar=False
                )
            )
        return np.concatenate(parts).astype(np.float32, copy=False)

    return embed
