"""Texts on which a feature fires beside those on which it does not: which are drawn, and what is measured in both."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.errors import InputError
from lib.progress import Progress
from lib.sae.circuits.feature_tap import FeatureTap, FeatureTerms, Watch, draw


@dataclass(frozen=True, eq=False)
class Sample:
    """How many texts of each kind are looked at."""

    most: int
    """Texts whose direct terms are taken."""
    most_left_out: int
    """Those of them in which every part is left out."""
    seed: int
    """Which are drawn."""


@dataclass(frozen=True, eq=False)
class Side:
    """Texts of one kind: on which the feature fires, or not."""

    of: int
    """Different texts of this kind in the corpus."""
    terms: FeatureTerms
    """The direct terms of those drawn."""
    left_out: NDArray[np.float64]
    """How much lower the pre-activation of some of these is without each part, shape (b, p)."""


def kinds_of(texts: Sequence[str], fires: NDArray[np.bool_], feature: int) -> tuple[list[str], list[str]]:
    """Different texts on which the feature fires, and on which it does not, each in the order of the alphabet.

    Raises:
        InputError: it fires on none.
    """
    if len(fires) != len(texts):
        raise ValueError(f"whether it fires is told of {len(fires)} texts, and there are {len(texts)}")
    firing = {text for text, one in zip(texts, fires.tolist(), strict=True) if one}
    if not firing:
        raise InputError(
            f"Feature {feature:,} fires on none of the {len(texts):,} texts of the corpus, so there is nothing to "
            "average: choose a feature that does, or another corpus."
        )
    return sorted(firing), sorted(set(texts) - firing)


def sides(
    tap: FeatureTap,
    kinds: tuple[list[str], list[str]],
    sample: Sample,
    *,
    values: NDArray[np.float64] | None,
    progress: Progress | None,
    should_stop: Callable[[], bool] | None,
) -> tuple[Side, Side | None]:
    """What is measured in texts of both kinds; None for the second where the feature fires on all.

    Raises:
        InputError: a sample without a text.
        Stopped: `should_stop` said so.
    """
    if sample.most < 1 or sample.most_left_out < 1:
        raise InputError(
            f"Means are taken over at least 1 text, got at most {sample.most:,} and {sample.most_left_out:,}: raise "
            "the limit."
        )
    passes = sum(_passes(len(kind), sample, len(tap.parts)) for kind in kinds)
    watch = Watch(passes, progress, should_stop)
    firing, silent = kinds
    own = _measured(tap, firing, sample, values, watch)
    return own, _measured(tap, silent, sample, values, watch) if silent else None


def _passes(texts: int, sample: Sample, parts: int) -> int:
    """Of texts through the encoder."""
    drawn = min(texts, sample.most)
    return drawn + parts * min(drawn, sample.most_left_out)


def _measured(
    tap: FeatureTap, texts: list[str], sample: Sample, values: NDArray[np.float64] | None, watch: Watch
) -> Side:
    drawn = draw(texts, sample.most, sample.seed)
    terms = tap.terms_of(drawn, watch)
    return Side(len(texts), terms, tap.lost_of(draw(drawn, sample.most_left_out, sample.seed), values, watch))
