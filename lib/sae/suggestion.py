"""How large a dictionary a number of texts can fill, and how often a training should go through them.

A rule of thumb, no law: (features, k) of (64, 4) at 1,000 texts, (256, 8) at 10,000 and (1,024, 8) at 100,000 are what
HypotheSAEs gives (Movva et al. 2025, arXiv:2502.04382); 4,096 with k = 64 left no dead feature on 307,000 sentences
here. More features than that fire too rarely to be learnt or to be read.
"""

import math
from dataclasses import dataclass

from lib.results import Result

_SIZES = ((3_000, 64, 4), (30_000, 256, 8), (200_000, 1_024, 8))  # below so many texts: features, k
_LARGE = (4_096, 64)
_HELD_OUT = ((3_000, 0.2), (30_000, 0.1))
_STEPS = 1_500
_PASSES = (8, 200)
_BATCHES = (64, 2_048)
_BATCHES_A_PASS = 10
_BEFORE, _PRODUCTS, _A_STEP = 10.0, 1.2, 0.004  # seconds, times the dense product, seconds
FEW = 3_000
"""Texts below which a dictionary is a sketch."""
ENOUGH = 100_000
"""Texts from which on features can be trusted to be found again."""


@dataclass(frozen=True)
class Suggestion(Result):
    """Settings to begin with."""

    texts: int
    """Texts of the corpus."""
    features: int
    """Features of the dictionary."""
    k: int
    """Features that fire on a text."""
    batch_size: int
    """Texts a step."""
    passes: int
    """How often each text is seen."""
    held_out: float
    """Share of the texts that is held out."""

    @property
    def samples(self) -> int:
        """Texts seen in all."""
        return self.texts * self.passes


def suggested(texts: int) -> Suggestion:
    """The settings for a corpus of `texts`: small batches and many passes where there are few."""
    features, k = next(((n, kept) for below, n, kept in _SIZES if texts < below), _LARGE)
    room = max(texts // _BATCHES_A_PASS, 1)
    batch = min(max(2 ** int(math.log2(room)), _BATCHES[0]), _BATCHES[1])
    passes = min(max(math.ceil(_STEPS * batch / max(texts, 1)), _PASSES[0]), _PASSES[1])
    held_out = next((share for below, share in _HELD_OUT if texts < below), 0.05)
    return Suggestion(texts, features, k, batch, passes, held_out)


def estimated_seconds(samples: int, features: int, dimensions: int, *, batch_size: int, rate: float) -> float:
    """How long a training takes on a machine that does `rate` multiplications and additions a second in dense products.

    A step costs about 1.2 times its one dense product in float32, (batch, d) times (d, n), and a few milliseconds
    beside; before the first step, libraries are loaded. Set so that two quiet cores, which do 1.2e11 a second, take
    30,000 texts a second, as measured there: BatchTopK, 4,096 features, k 64, 384 dimensions, 2,048 texts a step,
    products in bfloat16. An estimate, good to a factor of two: where others keep the cores busy while it runs, it takes
    several times as long.
    """
    products = 2.0 * samples * features * dimensions / rate
    return _BEFORE + _PRODUCTS * products + _A_STEP * samples / batch_size
