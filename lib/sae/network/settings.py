"""What a network is asked for: its defaults, and what is refused."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.errors import InputError
from lib.sae.network.graph import MEASURES, Measure

MOST_FEATURES = 1_000
"""Features that a network can have at most: beyond, nobody reads the picture, and the table of pairs is the answer."""
DEFAULT_MEASURE: Measure = "correlation"
"""Frequency joins what is common with what is common: on most corpora, its edges are those of chance."""
DEFAULT_FEATURES = 60
DEFAULT_THRESHOLDS: dict[Measure, float] = {
    "frequency": 0.15,
    "jaccard": 0.3,
    "lift": 1.5,
    "npmi": 0.15,
    "correlation": 0.15,
}
"""The least weight of an edge, unless told."""
LEAST_BOTH = 2
"""Texts on which a pair fires together before it can be an edge: one shared text says nothing."""
_MOST_SHUFFLES = 1_000


@dataclass(frozen=True)
class Settings:
    """The settings of a network, checked."""

    most: int
    measure: Measure
    threshold: float
    hide_everywhere: bool
    everywhere: float
    most_edges: int
    false_discovery: float
    shuffles: int
    seed: int


def settings_of(
    *,
    most: int,
    measure: Measure,
    threshold: float | None,
    hide_everywhere: bool,
    everywhere: float,
    most_edges: int,
    false_discovery: float,
    shuffles: int,
    seed: int,
) -> Settings:
    """The settings, with the measure's own threshold where none is given.

    Raises:
        InputError: one is out of range.
    """
    if measure not in MEASURES:
        raise InputError(f"An edge measures {', '.join(MEASURES[:-1])} or {MEASURES[-1]}, got {measure!r}.")
    if not 2 <= most <= MOST_FEATURES:
        raise InputError(f"A network has 2 to {MOST_FEATURES:,} features, got {most:,}: choose a number between.")
    least = DEFAULT_THRESHOLDS[measure] if threshold is None else float(threshold)
    if not (0 < least < float("inf")) or (measure != "lift" and least > 1):
        upper = "" if measure == "lift" else " and at most 1"
        raise InputError(f"The threshold of {measure} is above 0{upper}, got {least:g}.")
    for name, share in (("The share of texts from which a feature fires everywhere", everywhere),
                        ("The share of false discoveries", false_discovery)):  # fmt: skip
        if not 0 < share <= 1:
            raise InputError(f"{name} is above 0 and at most 1, got {share:g}.")
    if most_edges < 1:
        raise InputError(f"A network keeps at least 1 edge, got {most_edges}: ask for more.")
    if not 0 <= shuffles <= _MOST_SHUFFLES:
        raise InputError(f"The shuffled networks are 0 to {_MOST_SHUFFLES:,}, got {shuffles:,}.")
    if not 0 <= seed < 2**32:
        raise InputError(f"A seed is a whole number from 0 to {2**32 - 1}, got {seed}.")
    return Settings(
        most, measure, least, hide_everywhere, everywhere, most_edges, false_discovery, shuffles, seed
    )  # fmt: skip


def check_chosen(chosen: Sequence[int], width: int) -> NDArray[np.int64]:
    """The features that were asked for by their numbers.

    Raises:
        InputError: too few or too many, one twice, or a number that no feature has.
    """
    features = np.asarray(chosen, dtype=np.int64)
    if not 2 <= len(features) <= MOST_FEATURES:
        raise InputError(
            f"A network has 2 to {MOST_FEATURES:,} features, got {len(features):,}: choose a number between."
        )
    wrong = features[(features < 0) | (features >= width)]
    if len(wrong):
        raise InputError(f"This dictionary has features 0 to {width - 1:,}, got {wrong[0]}.")
    if len(np.unique(features)) < len(features):
        twice = np.flatnonzero(np.bincount(features) > 1)[0]
        raise InputError(f"Feature {twice} was chosen twice: name each feature once.")
    return features
