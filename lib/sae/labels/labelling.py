"""Labels of features, made offline: keywords, a choice through the encoder, or the better of both; always with a score.

A label is a guess at what a feature is about. Research finds that 38 % of automatic explanations fail on review, so
none is given without how well it predicts, on texts that it was not made from, whether the feature fires.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from lib.errors import InputError
from lib.progress import Progress
from lib.results import Result
from lib.sae.autoencoder import SparseAutoencoder
from lib.sae.codes import Codes
from lib.sae.labels.choice import fires_most, fits_best, offers
from lib.sae.labels.evidence import Evidence, gather
from lib.sae.labels.keywords import joined, keywords
from lib.sae.labels.scores import NO_SCORE, Embed, Score, is_weak

Method = Literal["best", "keywords", "encoder"]
METHODS: tuple[Method, ...] = get_args(Method)

_STAGES = {"draw": 0.1, "keywords": 0.15, "embed": 0.35, "embed joined": 0.3, "choose": 0.05, "score": 0.05}
"""Shares of the time that the stages take, roughly: one bar runs over all of them."""


@dataclass(frozen=True, eq=False)
class Labels(Result):
    """What each of n features is about, and how far to trust that."""

    text: tuple[str | None, ...]
    """The labels; None where a feature was not labelled, or its texts share no phrase."""
    source: tuple[str | None, ...]
    """How each was made: keywords, encoder, the name of a language model, or edited."""
    score: NDArray[np.float64]
    """AUROC on held-out texts, 0 to 1, .5 is chance; shape (n,), NaN where there is no label or too few texts."""
    error: NDArray[np.float64]
    """Its standard error, shape (n,)."""
    near: NDArray[np.float64]
    """AUROC against the near misses alone, shape (n,)."""
    texts: NDArray[np.int64]
    """Held-out texts behind each score, shape (n,)."""
    candidates: tuple[tuple[str, ...], ...]
    """The phrases that each was chosen among, the best first; () without."""
    predictor: str
    """What predicts whether a feature fires."""
    method: str
    """How they were asked for: best, keywords, encoder or the name of a language model."""
    seed: int
    """Seed of the split into texts to make labels from and held-out ones."""

    @property
    def weak(self) -> NDArray[np.bool_]:
        """Labels that are at chance as far as one can tell, or have no score, shape (n,)."""
        pairs = zip(self.score.tolist(), self.error.tolist(), strict=True)
        return np.array([is_weak(value, error) for value, error in pairs], dtype=bool)

    @property
    def labelled(self) -> int:
        """Features that have a label."""
        return sum(one is not None for one in self.text)


def label_features(
    codes: Codes,
    texts: Sequence[str],
    sae: SparseAutoencoder,
    embed: Embed | None,
    *,
    vectors: NDArray[np.floating] | None = None,
    groups: Sequence[object] | None = None,
    features: Sequence[int] | NDArray[np.integer] | None = None,
    method: Method = "best",
    seed: int = 0,
    progress: Progress | None = None,
) -> Labels:
    """Label the features of `sae` that fire on `texts`, whose codes are `codes`.

    `embed` turns labels into vectors of the SAE's encoder, shape (m, d); without one, labels are keywords and scored by
    words. `vectors`, shape (texts, d), are the texts' own (memory-mapped ones will do); without them the texts that
    are looked at are embedded. `groups` names for each text what it was cut from, so that no passage is held out whose
    neighbour a label was made from. "best" takes for each feature the label that predicts best on the texts that it
    was made from. Each feature is judged by at most 60 texts of each kind, so time goes with the features.

    Raises:
        InputError: things that do not belong together, an unknown method or feature, or "encoder" without an encoder.
    """
    if method not in METHODS:
        raise InputError(f"Labels are made by {', '.join(METHODS)}, got {method!r}.")
    if method == "encoder" and embed is None:
        raise InputError("Labels are chosen through the encoder, and this corpus brought embeddings of its own: take "
                         "keywords.")  # fmt: skip
    bar = _Bar(progress, len(np.unique(codes.features)) if features is None else len(features))
    given = {"vectors": vectors, "groups": groups, "features": features, "seed": seed}
    evidence = gather(codes, texts, sae, embed, progress=bar.stage("draw"), **given)  # type: ignore[arg-type]
    phrases = keywords(evidence.making, texts, features=evidence.features, progress=bar.stage("keywords"))
    chosen = _choose(evidence, phrases, method, bar)
    scores = evidence.score_labels({f: label for f, (label, _) in chosen.items()}, bar.stage("score"))
    bar.done()
    return to_labels(evidence, chosen, scores, dict(zip(evidence.features.tolist(), phrases, strict=True)), method)


def to_labels(
    evidence: Evidence,
    chosen: dict[int, tuple[str, str]],
    scores: dict[int, Score],
    candidates: dict[int, tuple[str, ...]],
    method: str,
) -> Labels:
    """Labels with their sources, by feature, as one result."""
    n = evidence.sae.features
    found = [scores.get(feature, NO_SCORE) for feature in range(n)]
    return Labels(
        text=tuple(chosen[f][0] if f in chosen else None for f in range(n)),
        source=tuple(chosen[f][1] if f in chosen else None for f in range(n)),
        score=np.array([one.auroc for one in found]),
        error=np.array([one.error for one in found]),
        near=np.array([one.near for one in found]),
        texts=np.array([one.texts for one in found], dtype=np.int64),
        candidates=tuple(candidates.get(f, ()) for f in range(n)),
        predictor=evidence.predictor,
        method=method,
        seed=evidence.seed,
    )


def _choose(
    evidence: Evidence, phrases: list[tuple[str, ...]], method: Method, bar: "_Bar"
) -> dict[int, tuple[str, str]]:
    """A label and its source for each feature that has candidates."""
    offered = [(f, found) for f, found in zip(evidence.features.tolist(), phrases, strict=True) if found]
    encoder = evidence.encoder
    if encoder is None or method == "keywords":
        return {feature: (joined(found), "keywords") for feature, found in offered}
    encoder.learn([phrase for _, found in offered for phrase in found], bar.stage("embed"))
    firing = {f: fires_most(evidence.sae, f, found, encoder.raw(found)) for f, found in offered}
    if method == "encoder":
        return {feature: (joined(order), "encoder") for feature, order in firing.items()}
    tried = {feature: offers(evidence, feature, found, firing[feature]) for feature, found in offered}
    encoder.learn([label for labels in tried.values() for label in labels], bar.stage("embed joined"))
    chosen, tell = {}, bar.stage("choose")
    for done, (feature, labels) in enumerate(tried.items(), 1):
        chosen[feature] = fits_best(evidence, feature, labels)
        if not done % 64:
            tell(done, len(tried))
    return chosen


class _Bar:
    """One bar over all stages, counted in features."""

    def __init__(self, progress: Progress | None, features: int) -> None:
        self._progress, self._features = progress, features

    def stage(self, name: str) -> Progress:
        names = list(_STAGES)
        before = sum(_STAGES[one] for one in names[: names.index(name)])

        def tell(done: int, of: int) -> None:
            if self._progress:
                self._progress(int(self._features * (before + _STAGES[name] * done / max(of, 1))), self._features)

        return tell

    def done(self) -> None:
        if self._progress:
            self._progress(self._features, self._features)
