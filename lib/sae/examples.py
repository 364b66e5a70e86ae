"""What a feature fires on: its strongest texts, texts from every quantile of its activation, and the histogram."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.errors import InputError
from lib.results import Result
from lib.sae.codes import Codes


@dataclass(frozen=True, eq=False)
class Examples(Result):
    """Texts on which one feature fires."""

    feature: int
    """The feature."""
    fires: int
    """Texts on which it fires, duplicates counted once where the texts were given."""
    rows: NDArray[np.int64]
    """Rows of the strongest texts, the strongest first, shape (top,) or fewer."""
    activations: NDArray[np.float32]
    """How strongly it fires on them."""
    by_quantile: tuple[tuple[int, ...], ...]
    """Rows drawn from each quantile of the activation, the highest quantile first; none of the strongest again."""
    quantile_activations: tuple[tuple[float, ...], ...]
    """How strongly it fires on those."""
    edges: tuple[float, ...]
    """Activations that part the quantiles, from the highest to the lowest: one more than there are quantiles."""
    seed: int
    """Seed of the draw."""


@dataclass(frozen=True, eq=False)
class ActivationHistogram(Result):
    """How strongly one feature fires, where it does."""

    feature: int
    """The feature."""
    edges: NDArray[np.float64]
    """Edges of the bins, shape (bins + 1,), from 0 to the maximum."""
    counts: NDArray[np.int64]
    """Texts in each bin, shape (bins,)."""
    silent: int
    """Texts on which it does not fire."""


def examples(
    codes: Codes,
    feature: int,
    *,
    texts: Sequence[str] | None = None,
    top: int = 5,
    quantiles: int = 5,
    each: int = 2,
    seed: int = 0,
) -> Examples:
    """The `top` strongest texts of `feature`, and `each` from every one of `quantiles` equal shares of its texts.

    With `texts`, those that read the same stand there once. A feature that fires on fewer texts than there are
    quantiles has some empty ones.

    Raises:
        InputError: a feature that the dictionary does not have.
    """
    check_feature(codes, feature)
    found, activations = codes.firing(feature)
    order = np.lexsort((found, -activations))
    rows, activations = found[order].astype(np.int64), activations[order]
    if texts is not None:
        kept = _first_of_each([texts[row] for row in rows])
        rows, activations = rows[kept], activations[kept]
    generator = np.random.default_rng([seed, feature])
    shares = np.array_split(np.arange(len(rows)), quantiles)
    drawn = []
    for share in shares:
        left = share[share >= top]
        drawn.append(np.sort(generator.choice(left, min(each, len(left)), replace=False)))
    edges = [float(activations[share[0]]) for share in shares if len(share)]
    return Examples(
        feature=feature,
        fires=len(rows),
        rows=rows[:top],
        activations=activations[:top],
        by_quantile=tuple(tuple(rows[at].tolist()) for at in drawn),
        quantile_activations=tuple(tuple(activations[at].tolist()) for at in drawn),
        edges=(*edges, float(activations[-1])) if edges else (),
        seed=seed,
    )


def activation_histogram(codes: Codes, feature: int, *, bins: int = 24) -> ActivationHistogram:
    """How often `feature` fires how strongly, in equal bins from 0 to its maximum.

    Raises:
        InputError: a feature that the dictionary does not have.
    """
    check_feature(codes, feature)
    _, activations = codes.firing(feature)
    most = float(activations.max()) if len(activations) else 1.0
    counts, edges = np.histogram(activations, bins=bins, range=(0, most))
    return ActivationHistogram(
        feature, edges.astype(np.float64), counts.astype(np.int64), len(codes) - len(activations)
    )


def check_feature(codes: Codes, feature: int) -> None:
    """Refuse a number that no feature of the dictionary has.

    Raises:
        InputError: below 0, or not below the width.
    """
    if not 0 <= feature < codes.width:
        raise InputError(f"This dictionary has the features 0 to {codes.width - 1:,}, got {feature}.")


def _first_of_each(texts: Sequence[str]) -> NDArray[np.int64]:
    """Positions at which a text stands for the first time, ascending."""
    first: dict[str, int] = {}
    for position, text in enumerate(texts):
        first.setdefault(text, position)
    return np.array(list(first.values()), dtype=np.int64)
