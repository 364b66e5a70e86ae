"""What labels are made from and scored on: one draw of texts for all features, and one predictor for all labels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.errors import InputError
from lib.progress import Progress
from lib.sae.autoencoder import SparseAutoencoder
from lib.sae.codes import Codes
from lib.sae.labels.sampling import Rows, Side, draw
from lib.sae.labels.scores import (
    BY_COSINE,
    BY_WORDS,
    NO_SCORE,
    Embed,
    Predictor,
    Remembered,
    Score,
    auroc,
    by_cosine,
    by_words,
    score,
)


@dataclass(frozen=True, eq=False)
class Evidence:
    """Texts of a corpus, parted for some features of a dictionary."""

    sae: SparseAutoencoder
    """The dictionary."""
    texts: Sequence[str]
    """The corpus."""
    features: NDArray[np.int64]
    """The features that are labelled, ascending."""
    making: Side
    """Texts to make labels from."""
    held_out: Side
    """Texts to score them on."""
    encoder: Remembered | None
    """Embeds labels; None where the corpus brought its own embeddings."""
    predict: Predictor
    """From labels and rows of texts to predictions."""
    seed: int
    """Seed of the draw."""

    @property
    def predictor(self) -> str:
        """What a score's predictor is, in words."""
        return BY_WORDS if self.encoder is None else BY_COSINE

    def score_labels(self, labels: Mapping[int, str], progress: Progress | None = None) -> dict[int, Score]:
        """How well each label predicts on held-out texts whether its feature fires."""
        if self.encoder is not None and labels:
            self.encoder.learn(list(labels.values()))
        found = {}
        for done, (feature, label) in enumerate(labels.items(), 1):
            rows, fires, near = _laid_out(self.held_out, feature)
            found[feature] = score(self.predict([label], rows)[0], fires, near) if len(rows) else NO_SCORE
            if progress and (not done % 64 or done == len(labels)):
                progress(done, len(labels))
        return found

    def fit(self, feature: int, labels: Sequence[str]) -> list[float]:
        """AUROC of each of `labels` on the texts that they were made from: to choose by, never to report."""
        rows, fires, _ = _laid_out(self.making, feature)
        if not len(rows):
            return [float("nan")] * len(labels)
        return [auroc(one[:fires], one[fires:]) for one in self.predict(labels, rows)]


def gather(
    codes: Codes,
    texts: Sequence[str],
    sae: SparseAutoencoder,
    embed: Embed | None,
    *,
    vectors: NDArray[np.floating] | None = None,
    groups: Sequence[object] | None = None,
    features: Sequence[int] | NDArray[np.integer] | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Evidence:
    """Draw what `label_features` works on; its arguments are explained there.

    Raises:
        InputError: codes, texts, vectors or groups that do not belong together, or a feature that there is not.
    """
    for what, held in (("texts", texts), ("vectors", vectors), ("groups", groups)):
        if held is not None and len(held) != len(codes):
            raise InputError(f"Expected as many {what} as the codes have rows ({len(codes):,}), got {len(held):,}.")
    if codes.width != sae.features:
        raise InputError(f"These codes are of {codes.width:,} features; this dictionary has {sae.features:,}.")
    fires = np.unique(codes.features).astype(np.int64)
    chosen = fires if features is None else np.intersect1d(fires, np.asarray(features, dtype=np.int64))
    if features is not None and len(outside := [f for f in features if not 0 <= f < codes.width]):
        raise InputError(f"This dictionary has the features 0 to {codes.width - 1:,}, got {outside[0]}.")
    making, held_out = draw(codes, sae, texts, groups=groups, features=chosen, seed=seed, progress=progress)
    encoder = None if embed is None else Remembered(embed)
    if encoder is not None and vectors is None:
        encoder.learn([texts[row] for row in _looked_at(making, held_out, chosen)])
    predict = by_words(texts) if encoder is None else by_cosine(encoder, vectors, texts)
    return Evidence(sae, texts, chosen, making, held_out, encoder, predict, seed)


def _looked_at(making: Side, held_out: Side, features: NDArray[np.int64]) -> list[int]:
    """Rows of all texts that a label may be held against, each once."""
    rows: set[int] = set()
    for side in (making, held_out):
        for kind in (side.activating, side.random, side.near):
            rows.update(row for feature in features.tolist() for row in kind[feature].tolist())
    return sorted(rows)


def _laid_out(side: Side, feature: int) -> tuple[Rows, int, NDArray[np.bool_]]:
    """Rows with the activating ones first, how many those are, and which of the others are near misses."""
    silent, active = side.silent(feature), side.activating[feature]
    return np.concatenate([active, silent]), len(active), np.isin(silent, side.near[feature])
