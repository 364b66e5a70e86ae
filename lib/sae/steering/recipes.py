"""Recipes: which features of a dictionary are boosted or suppressed, by how much, and the one vector that does it.

    push = sum_f delta_f * unit_f * direction_f,        x' = x + push, renormalised where the model normalises

A delta is in units of the feature's mean active value: +1 adds as much of the feature as a text on which it fires has
of it on average, -1 takes as much away, 0 does nothing. A recipe is written as it stands in an address:
"319:+4,27:-2".
"""

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.errors import InputError
from lib.results import Result
from lib.sae.autoencoder import SparseAutoencoder
from lib.sae.codes import Codes
from lib.sae.database import FeatureDatabase

MOST_FEATURES = 8
"""Features in one recipe."""
MOST_DELTA = 10.0
"""Largest delta either way: from there on a unit vector has left its own meaning behind."""
FEWEST_TEXTS = 5
"""Texts of the corpus a feature has to fire on for their mean to be its unit; with fewer, the training's goes first."""
CORPUS, TRAINING = "corpus", "training"

_BLOCK = 8_192
_PART = re.compile(r"#?(\d{1,9})\s*:\s*([+\-\u2212]?\d{1,3}(?:\.\d{1,6})?)")


@dataclass(frozen=True)
class Recipe(Result):
    """Features and their deltas, in the order in which they were added."""

    features: tuple[int, ...] = ()
    """Features of the dictionary, each once."""
    deltas: tuple[float, ...] = ()
    """How many units of each are added, -10 to 10; below 0 is taken away."""

    def __str__(self) -> str:
        """As it stands in an address: "319:+4,27:-2"."""
        return ",".join(f"{f}:{delta:+g}" for f, delta in zip(self.features, self.deltas, strict=True))

    def with_delta(self, feature: int, delta: float) -> "Recipe":
        """The same with another delta for `feature`, which comes last where it is new."""
        held = dict(zip(self.features, self.deltas, strict=True)) | {feature: delta}
        return Recipe(tuple(held), tuple(held.values()))

    def without(self, feature: int) -> "Recipe":
        """The same without `feature`."""
        held = {f: delta for f, delta in zip(self.features, self.deltas, strict=True) if f != feature}
        return Recipe(tuple(held), tuple(held.values()))


@dataclass(frozen=True, eq=False)
class Push(Result):
    """What a recipe adds to a vector."""

    features: tuple[int, ...]
    """Features of the recipe."""
    deltas: tuple[float, ...]
    """Units of each that are added."""
    units: tuple[float, ...]
    """Each one's mean activation over the texts where it fires, above 0."""
    sources: tuple[str, ...]
    """Where each unit is from: "corpus", or "training" (the feature database)."""
    unit_texts: tuple[int, ...]
    """Texts of the corpus behind each unit; 0 where it is the training's."""
    vector: NDArray[np.float32]
    """What is added, shape (d,); zeros for a recipe that does nothing."""
    normalised: bool
    """Whether the sum is brought to length 1 again, as the model does."""

    @property
    def length(self) -> float:
        """Length of what is added; the vectors of a model that normalises have 1."""
        return float(np.linalg.norm(self.vector.astype(np.float64)))


def parse_recipe(text: str, features: int) -> Recipe:
    """The recipe that `text` writes, for a dictionary of so many features; blank text is one that does nothing.

    Raises:
        InputError: it cannot be read, or names a feature twice, one that there is not, too many, or too large a delta.
    """
    held: dict[int, float] = {}
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if len(parts) > MOST_FEATURES:
        raise InputError(f"A recipe has at most {MOST_FEATURES} features, got {len(parts)}: take some out.")
    for part in parts:
        found = _PART.fullmatch(part)
        if found is None:
            raise InputError(
                f"A recipe is written like 319:+4,27:-2 (feature:delta, with commas between), got {part[:40]!r} in it."
            )
        feature, delta = int(found[1]), float(found[2].replace("\u2212", "-"))
        if feature in held:
            raise InputError(f"Feature {feature} stands twice in the recipe: give it one delta.")
        check_step(feature, delta, features)
        held[feature] = delta
    return Recipe(tuple(held), tuple(held.values()))


def check_step(feature: int, delta: float, features: int) -> None:
    """Refuse a feature that the dictionary of so many does not have, or a delta that is too large or no number.

    Raises:
        InputError: it is.
    """
    if not 0 <= feature < features:
        raise InputError(f"This dictionary has the features 0 to {features - 1:,}, got {feature}.")
    if not abs(delta) <= MOST_DELTA:
        raise InputError(f"A delta is a number from -{MOST_DELTA:g} to {MOST_DELTA:g}, got {delta:g}: choose less.")


def unit_of(feature: int, codes: Codes | None, database: FeatureDatabase | None) -> tuple[float, str, int]:
    """The mean active value of `feature`, where it is from, and the texts of the corpus behind it.

    That of the corpus, where it fires on `FEWEST_TEXTS` texts or more; else that of the training; else of however few.

    Raises:
        InputError: neither the corpus nor the training tells.
    """
    firing = codes.firing(feature)[1] if codes is not None else np.empty(0, dtype=np.float32)
    if len(firing) >= FEWEST_TEXTS:
        return float(firing.mean(dtype=np.float64)), CORPUS, len(firing)
    means = database.numbers("mean") if database is not None else None
    if means is not None and np.isfinite(means[feature]) and means[feature] > 0:
        return float(means[feature]), TRAINING, 0
    if len(firing):
        return float(firing.mean(dtype=np.float64)), CORPUS, len(firing)
    raise InputError(
        f"How strong feature {feature} typically is is not known: it fires on no text of the corpus, and no feature "
        "database tells. Choose another feature, or a corpus on which it fires."
    )


def push_of(
    sae: SparseAutoencoder,
    recipe: Recipe,
    *,
    codes: Codes | None = None,
    database: FeatureDatabase | None = None,
    normalised: bool = True,
) -> Push:
    """What `recipe` adds, in units of the corpus's `codes`, or else of what the `database` tells of the training.

    Raises:
        InputError: a feature or a delta that cannot be, or a feature whose mean active value nobody knows.
    """
    for feature, delta in zip(recipe.features, recipe.deltas, strict=True):
        check_step(feature, delta, sae.features)
    found = [unit_of(feature, codes, database) for feature in recipe.features]
    vector = np.zeros(sae.dimensions)
    for feature, delta, (unit, _, _) in zip(recipe.features, recipe.deltas, found, strict=True):
        if delta:
            vector += delta * unit * sae.decoder_weights[feature].astype(np.float64)
    return Push(
        features=recipe.features,
        deltas=recipe.deltas,
        units=tuple(unit for unit, _, _ in found),
        sources=tuple(source for _, source, _ in found),
        unit_texts=tuple(texts for _, _, texts in found),
        vector=vector.astype(np.float32),
        normalised=normalised,
    )


def looks_normalised(vectors: NDArray[np.floating]) -> bool:
    """Whether all rows of (n, d) have length 1 within a thousandth, as those of a model that normalises have.

    Embeddings that came without a model are taken for such by this rule.
    """
    blocks = (vectors[start : start + _BLOCK].astype(np.float64) for start in range(0, len(vectors), _BLOCK))
    return all(bool((np.abs(np.linalg.norm(block, axis=1) - 1) < 1e-3).all()) for block in blocks)
