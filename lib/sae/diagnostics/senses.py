"""The senses of one feature: which of its examples belong together, in which words, and a map of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.errors import InputError
from lib.geometry.vectors import sample_rows, unit_rows
from lib.results import Result
from lib.sae.codes import Codes
from lib.sae.diagnostics.groups import distances_of, group, mean_distance, silhouette
from lib.sae.diagnostics.polysemy import TOP, distinct_rows, top_rows
from lib.sae.labels.phrases import Phrases, phrases_of

_KEYWORDS = 6
_ELSEWHERE = 1_000  # random texts of the corpus that keywords are held against


@dataclass(frozen=True, eq=False)
class Sense(Result):
    """One group of examples."""

    rows: NDArray[np.int64]
    """Rows of its texts, those first that activate the feature most."""
    activations: NDArray[np.float32]
    """How strongly, shape of `rows`."""
    variance: float
    """Mean cosine distance between its texts; NaN for one text."""
    keywords: tuple[str, ...]
    """Words and phrases of its texts that the other senses and the corpus lack, the best first."""


@dataclass(frozen=True, eq=False)
class Senses(Result):
    """The examples of one feature, parted."""

    feature: int
    """The feature."""
    senses: tuple[Sense, ...]
    """Its senses, the largest first."""
    strays: Sense | None
    """Examples that belong to none; None where there are none."""
    variance: float
    """Mean cosine distance between all examples."""
    apart: NDArray[np.float64]
    """Mean cosine distance between the texts of each two senses, shape (senses, senses); within one on the diagonal."""
    silhouette: float
    """Mean silhouette of the examples in senses (Rousseeuw 1987), in [-1, 1]; NaN under two senses."""
    rows: NDArray[np.int64]
    """Rows of all examples, the strongest first, shape (k,)."""
    sense: NDArray[np.int64]
    """The sense of each, -1 for strays, shape (k,)."""
    places: NDArray[np.float64]
    """Where each lies on the two directions along which the examples differ most (PCA), shape (k, 2)."""
    explained: float
    """Share of the examples' variance that those two directions show, in [0, 1]."""


def senses_of(
    vectors: NDArray[np.floating],
    codes: Codes,
    texts: Sequence[str],
    *,
    feature: int,
    unrelated: float,
    top: int = TOP,
    seed: int = 0,
) -> Senses:
    """The senses of `feature` among its `top` examples, as `polysemy` counts them with that `unrelated` distance.

    `seed` draws the texts of the corpus that keywords are held against.

    Raises:
        InputError: a number that no feature has, or one that fires on fewer than two different texts.
    """
    if not 0 <= feature < codes.width:
        raise InputError(f"This dictionary has the features 0 to {codes.width - 1:,}, got {feature}.")
    rows, activations = top_rows(codes, distinct_rows(vectors, codes, texts), feature, top)
    if len(rows) < 2:
        raise InputError(
            f"Feature {feature} fires on {len(rows)} different texts of this corpus: there is nothing to compare."
        )
    units = unit_rows(vectors, rows)
    distances = distances_of(vectors, rows[None])[0]
    sense = group(distances, unrelated)
    count = int(sense.max(initial=-1)) + 1
    words = _keywords(texts, rows, sense, count, seed)
    made = [_sense(rows, activations, distances, sense == one, words[one]) for one in range(count)]
    places, explained = _map(units)
    return Senses(
        feature=feature,
        senses=tuple(made),
        strays=_sense(rows, activations, distances, sense < 0, ()) if (sense < 0).any() else None,
        variance=mean_distance(distances),
        apart=_apart(distances, sense, made),
        silhouette=silhouette(distances, sense),
        rows=rows,
        sense=sense,
        places=places,
        explained=explained,
    )


def _sense(
    rows: NDArray[np.int64],
    activations: NDArray[np.float32],
    distances: NDArray[np.float32],
    here: NDArray[np.bool_],
    words: tuple[str, ...],
) -> Sense:
    inside = distances[np.ix_(here, here)]
    return Sense(rows[here], activations[here], mean_distance(inside) if len(inside) > 1 else float("nan"), words)


def _apart(distances: NDArray[np.float32], sense: NDArray[np.int64], made: list[Sense]) -> NDArray[np.float64]:
    found = np.empty((len(made), len(made)))
    for one in range(len(made)):
        for other in range(len(made)):
            between = distances[np.ix_(sense == one, sense == other)]
            found[one, other] = made[one].variance if one == other else between.mean(dtype=np.float64)
    return found


def _map(units: NDArray[np.float32]) -> tuple[NDArray[np.float64], float]:
    """Places of the examples (k, 2) on their first two principal directions, and the share of variance these show."""
    centred = units.astype(np.float64) - units.mean(axis=0, dtype=np.float64)
    left, lengths, _ = np.linalg.svd(centred, full_matrices=False)
    places = np.zeros((len(units), 2))
    shown = min(2, len(lengths))
    places[:, :shown] = left[:, :shown] * lengths[:shown]
    total = float((lengths**2).sum())
    return places, float((lengths[:shown] ** 2).sum() / total) if total > 0 else 0.0


def _keywords(
    texts: Sequence[str], rows: NDArray[np.int64], sense: NDArray[np.int64], count: int, seed: int
) -> list[tuple[str, ...]]:
    """The phrases of each sense by rate_in * log(rate_in / (rate in the corpus + rate in the other senses + prior)).

    Class-based TF-IDF after Grootendorst (2022, arXiv:2203.05794), with the contrast to the other senses.
    """
    beside = np.setdiff1d(sample_rows(len(texts), _ELSEWHERE, seed=seed), rows)
    read = phrases_of([texts[row] for row in (*rows.tolist(), *beside.tolist())])
    holds = read.holds.tocsr()
    elsewhere = np.asarray(holds[len(rows) :].mean(axis=0)).ravel() if len(beside) else np.zeros(len(read.names))
    found = []
    for one in range(count):
        here, others = np.flatnonzero(sense == one), np.flatnonzero((sense >= 0) & (sense != one))
        inside = np.asarray(holds[here].mean(axis=0)).ravel()
        near = np.asarray(holds[others].mean(axis=0)).ravel() if len(others) else np.zeros_like(inside)
        weight = inside * np.log(np.maximum(inside, 1e-12) / (elsewhere + near + 0.5 / len(here)))
        weight[inside * len(here) < 1.5] = 0  # a phrase of one text says nothing of the others
        found.append(_best(read, weight))
    return found


def _best(read: Phrases, weight: NDArray[np.float64]) -> tuple[str, ...]:
    """The phrases of the largest weights, none that another one holds or is held by."""
    chosen: list[str] = []
    for place in np.lexsort((-read.words, -weight)).tolist():
        if weight[place] <= 0 or len(chosen) == _KEYWORDS:
            break
        words = set(read.names[place].split())
        if not any(words <= set(other.split()) or words >= set(other.split()) for other in chosen):
            chosen.append(read.names[place])
    return tuple(chosen)
