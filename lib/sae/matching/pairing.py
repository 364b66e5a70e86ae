"""Pairs: the features of two models put together, by direction or by activation, and what chance gives the best.

This is the slow part of a comparison: what follows from the pairs (`comparison`) is told at once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lib.errors import InputError
from lib.progress import Done, Progress, Told
from lib.results import Result
from lib.sae.autoencoder import SparseAutoencoder
from lib.sae.codes import Codes
from lib.sae.matching.alignment import Alignment, chance_map
from lib.sae.matching.assignment import Method, assign, best_values, largest
from lib.sae.matching.decoder import unit_directions
from lib.sae.matching.similarity import Correlations, Cosines, Similarity, Standardised

By = Literal["cosine", "correlation"]
Pairing = Literal["one-to-one", "best"]

FEWEST = 5
"""Texts on which a feature fires for a correlation to be believed, unless told."""
SHUFFLES = 8
"""Shuffles behind chance, unless told."""


@dataclass(frozen=True, eq=False)
class Model:
    """One side of a comparison."""

    sae: SparseAutoencoder
    """Its dictionary."""
    codes: Codes
    """What fires on each text of the corpus."""
    vectors: NDArray[np.floating]
    """The corpus in its encoder's space, shape (t, d)."""


@dataclass(frozen=True, eq=False)
class PairedFeatures(Result):
    """The n features of one model and the m of another, each with its partner."""

    forward: NDArray[np.int64]
    """Theirs that goes with each of ours, shape (n,); -1 for none."""
    backward: NDArray[np.int64]
    """Ours that goes with each of theirs, shape (m,); -1 for none."""
    null: NDArray[np.float32]
    """Similarity of each of ours to its best candidate by chance, shape (shuffles, n)."""
    null_back: NDArray[np.float32]
    """The same of theirs, shape (shuffles, m)."""
    by: By
    """What they were paired by."""
    pairing: Pairing
    """One to one, or each with its best."""
    method: Method | None
    """How one-to-one pairs were found; None with "best"."""
    fewest: int
    """Texts on which a feature fires at least for its correlation to count."""
    seed: int
    """Of the shuffles."""


def pair_features(
    ours: Model,
    theirs: Model,
    *,
    alignment: Alignment,
    by: By = "cosine",
    pairing: Pairing = "one-to-one",
    fewest: int = FEWEST,
    shuffles: int = SHUFFLES,
    seed: int = 0,
    progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> PairedFeatures:
    """Pair the features of two models on one corpus.

    Raises:
        InputError: not the same texts, directions of two widths that were not aligned, or settings out of range.
        Stopped: `should_stop` said so.
    """
    check_models(ours, theirs, alignment)
    if fewest < 2 or shuffles < 1:
        raise InputError(
            f"A correlation needs features that fire on 2 texts, and chance 1 shuffle, at least; got {fewest} and "
            f"{shuffles}."
        )
    n, m = ours.sae.features, theirs.sae.features
    told = Told(progress, should_stop).out_of((1 + shuffles) * (n + m))
    told(0)
    directions = unit_directions(ours.sae), unit_directions(theirs.sae)
    standard = Standardised(ours.codes, fewest=fewest), Standardised(theirs.codes, fewest=fewest)
    similarity: Similarity = (
        Cosines(*alignment.apply(*directions)) if by == "cosine" else Correlations(*standard)
    )  # fmt: skip
    (forward, backward), method = _pair(similarity, pairing, told)
    generator = np.random.default_rng(seed)
    axes = np.linalg.eigh(directions[1].T @ directions[1])[1]  # main axes of theirs
    null, null_back = np.empty((shuffles, n), dtype=np.float32), np.empty((shuffles, m), dtype=np.float32)
    for number in range(shuffles):
        told((1 + number) * (n + m))
        if by == "cosine":
            similarity = _by_chance(directions, axes, alignment, (ours, theirs), generator)
        else:
            similarity = Correlations(standard[0], standard[1].shuffled(generator.permutation(len(ours.codes))))
        null[number], null_back[number] = best_values(similarity)
    told((1 + shuffles) * (n + m))
    return PairedFeatures(
        forward=forward,
        backward=backward,
        null=null,
        null_back=null_back,
        by=by,
        pairing=pairing,
        method=method,
        fewest=fewest,
        seed=seed,
    )


def check_models(ours: Model, theirs: Model, alignment: Alignment) -> None:
    """Refuse what cannot be compared.

    Raises:
        InputError: not the same texts, or directions of two widths that were not aligned.
    """
    if len(ours.codes) != len(theirs.codes) or not len(ours.codes):
        raise InputError(
            f"Two models are compared on the same texts, got {len(ours.codes):,} and {len(theirs.codes):,}: give both "
            "one corpus."
        )
    if alignment.map is None and ours.sae.dimensions != theirs.sae.dimensions:
        raise InputError(
            f"Directions of {ours.sae.dimensions} and {theirs.sae.dimensions} dimensions do not lie in one space: "
            "align the two first."
        )


def _pair(
    similarity: Similarity, pairing: Pairing, told: Done
) -> tuple[tuple[NDArray[np.int64], NDArray[np.int64]], Method | None]:
    """The partner of each of ours and of each of theirs, -1 for none."""
    m = similarity.shape[1]
    if pairing == "best":
        forward, _, backward, _ = largest(similarity)
        return (forward, backward), None
    match, _, _, method = assign(similarity, told)
    back = np.full(m, -1, dtype=np.int64)
    back[match[match >= 0]] = np.flatnonzero(match >= 0)
    return (match, back), method


def _by_chance(
    directions: tuple[NDArray[np.float32], NDArray[np.float32]],
    axes: NDArray[np.float32],
    alignment: Alignment,
    models: tuple[Model, Model],
    generator: np.random.Generator,
) -> Cosines:
    """Directions that have nothing to do with each other.

    Between two spaces: aligned on shuffled texts. In one: coordinates along the other's main axes shuffled among its
    features, so that its spread along each of them stays.
    """
    a, b = directions
    if alignment.map is None:
        shuffled = generator.permuted(b @ axes, axis=0) @ axes.T
        return Cosines(a, shuffled / np.maximum(np.linalg.norm(shuffled, axis=1, keepdims=True), 1e-12))
    ours, theirs = models
    return Cosines(*chance_map(alignment, ours.vectors, theirs.vectors, generator).apply(a, b))
