"""How well a label predicts whether its feature fires: AUROC over texts that the label was not made from.

The predictor is one for every label, whatever made it: the cosine of the label's embedding with the text's, or, where
there is no encoder, the share of the label's words that the text holds. AUROC is the chance that a text on which the
feature fires is nearer to the label than one on which it is silent; ties count half. Its standard error is that of
Hanley and McNeil (1982), at an AUROC drawn a little towards a half so that few texts never make it 0.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.progress import Progress
from lib.sae.labels.phrases import word_set

BY_COSINE = "cosine of the label's embedding with the text's"
BY_WORDS = "share of the label's words that the text holds"
FEWEST = 3
"""Held-out texts on which the feature fires, and on which it is silent, below which a label has no score."""
_Z = 1.959964
_CHUNK = 1_024  # texts embedded between two calls of a progress function

Embed = Callable[[Sequence[str]], NDArray[np.floating]]
Predictor = Callable[[Sequence[str], NDArray[np.int64]], NDArray[np.floating]]
"""From l labels and rows of r texts to predictions (l, r), higher where the label fits better."""


@dataclass(frozen=True)
class Score:
    """How well one label predicts."""

    auroc: float
    """0 to 1; .5 is chance, below it the label says the opposite. NaN with too few texts."""
    error: float
    """Its standard error."""
    near: float
    """AUROC against the near misses alone, which are harder; NaN where there are too few."""
    texts: int
    """Held-out texts behind it."""


NO_SCORE = Score(float("nan"), float("nan"), float("nan"), 0)


def auroc(fires: NDArray[np.floating], silent: NDArray[np.floating]) -> float:
    """Chance that one of `fires` is above one of `silent`, ties half; NaN where either has fewer than `FEWEST`."""
    if len(fires) < FEWEST or len(silent) < FEWEST:
        return float("nan")
    above = np.sign(fires[:, None] - silent[None, :])
    return float((above.mean() + 1) / 2)


def standard_error(value: float, fires: int, silent: int) -> float:
    """Standard error of an AUROC from so many texts on which the feature fires, and on which it is silent."""
    if value != value:
        return float("nan")
    fewer = min(fires, silent)
    drawn = (value * fewer + 1) / (fewer + 2)
    both, other = drawn / (2 - drawn), 2 * drawn**2 / (1 + drawn)
    variance = drawn * (1 - drawn) + (fires - 1) * (both - drawn**2) + (silent - 1) * (other - drawn**2)
    return float(np.sqrt(max(variance, 0) / (fires * silent)))


def is_weak(value: float, error: float) -> bool:
    """Whether a label is at chance as far as one can tell: its 95 % interval reaches .5, or it has no score."""
    return not value - _Z * error > 0.5


class Remembered:
    """An encoder that embeds each text once."""

    def __init__(self, embed: Embed) -> None:
        self._embed = embed
        self._rows: dict[str, NDArray[np.float32]] = {}

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors of `texts`, shape (m, d)."""
        return unit(self.raw(texts))

    def raw(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of `texts` as they leave the encoder, shape (m, d)."""
        self.learn(texts)
        return np.stack([self._rows[text] for text in texts])

    def learn(self, texts: Sequence[str], progress: Progress | None = None) -> None:
        """Embed those of `texts` that are not known yet."""
        new = sorted({text for text in texts if text not in self._rows}, key=len)  # alike lengths make quick batches
        for start in range(0, len(new), _CHUNK):
            chunk = new[start : start + _CHUNK]
            self._rows.update(zip(chunk, np.asarray(self._embed(chunk), dtype=np.float32), strict=True))
            if progress:
                progress(start + len(chunk), len(new))


def by_cosine(embed: Remembered, vectors: NDArray[np.floating] | None, texts: Sequence[str]) -> Predictor:
    """The predictor by embeddings; texts without `vectors` of their own are embedded as they are asked for."""

    def predict(labels: Sequence[str], rows: NDArray[np.int64]) -> NDArray[np.floating]:
        known = embed([texts[row] for row in rows.tolist()]) if vectors is None else unit(vectors[rows])
        return np.asarray(embed(labels) @ known.T)

    return predict


def by_words(texts: Sequence[str]) -> Predictor:
    """The predictor by words, for corpora whose encoder is not at hand."""

    def predict(labels: Sequence[str], rows: NDArray[np.int64]) -> NDArray[np.floating]:
        held = [word_set(texts[row]) for row in rows.tolist()]
        wanted = [word_set(label) for label in labels]
        return np.array([[len(one & text) / max(len(one), 1) for text in held] for one in wanted], dtype=np.float32)

    return predict


def unit(vectors: NDArray[np.floating]) -> NDArray[np.float32]:
    """The rows at length 1; rows of 0 stay."""
    rows = np.asarray(vectors, dtype=np.float32)
    lengths = np.linalg.norm(rows, axis=-1, keepdims=True)
    return np.asarray(rows / np.where(lengths > 0, lengths, 1), dtype=np.float32)


def score(predictions: NDArray[np.floating], fires: int, near: NDArray[np.bool_]) -> Score:
    """The score of a label from its predictions.

    First come those of `fires` texts that activate, then of silent ones, of which `near` marks the near misses.
    """
    active, silent = predictions[:fires], predictions[fires:]
    value = auroc(active, silent)
    if value != value:
        return NO_SCORE
    return Score(value, standard_error(value, len(active), len(silent)), auroc(active, silent[near]), len(predictions))
