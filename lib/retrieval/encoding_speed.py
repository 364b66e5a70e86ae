"""Encoding speed: how many documents a second an encoder turns into vectors, measured here and now."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from lib.encoders import Encoder
from lib.errors import InputError
from lib.results import Result

_WARM_UP = 8  # documents encoded before the clock starts


@dataclass(frozen=True, eq=False)
class EncodingSpeed(Result):
    """How fast an encoder was, here and now."""

    documents_per_second: float
    """Documents a second. A busy machine lowers it, and so do longer documents: compare on one set and machine."""
    documents: int
    """Documents timed."""
    seconds: float
    """What they took."""
    threads: int
    """Threads that torch used."""
    seed: int
    """Seed of the sample."""


def encoding_speed(
    encoder: Encoder,
    documents: Sequence[str],
    *,
    sample: int = 64,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> EncodingSpeed:
    """Time `encoder` on up to `sample` different documents drawn with `seed`, after a warm-up on a few.

    Raises:
        InputError: no document, or a sample below 1.
        Stopped: `should_stop` said so.
    """
    texts = list(dict.fromkeys(documents))
    if not texts or sample < 1:
        raise InputError(f"Timing needs at least one document, got {len(texts)} and a sample of {sample}.")
    import torch

    rows = np.random.default_rng(seed).permutation(len(texts))[:sample]
    chosen = [texts[row] for row in rows]
    encoder.encode(chosen[:_WARM_UP], should_stop=should_stop)
    started = time.perf_counter()
    encoder.encode(chosen, progress=progress, should_stop=should_stop)
    seconds = max(time.perf_counter() - started, 1e-9)
    return EncodingSpeed(len(chosen) / seconds, len(chosen), seconds, torch.get_num_threads(), seed)
