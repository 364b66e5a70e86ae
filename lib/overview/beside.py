"""Two encoders side by side on the same texts and queries: which differences are more than chance?

Each difference is second - first. Over texts and queries it is paired: what is common to both (an easy query is easy
for all) drops out. Intervals are 95 % bootstrap intervals over texts or queries, each by itself: of four, one in twenty
may exclude 0 by chance. What has no common scale (distances, layers, heads) is shown and not tested.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.errors import InputError
from lib.finetune.diff.shape import dimension_change
from lib.geometry import IntrinsicDimension, neighbours
from lib.geometry.similarity import label_codes
from lib.geometry.vectors import sample_rows, unit_rows
from lib.overview.finding import LEVEL, METRIC, Answers
from lib.overview.signals import NAMES, Name, Overview, digits
from lib.overview.space import several
from lib.results import Result
from lib.retrieval import paired_test
from lib.retrieval.bootstrap import interval, sign_flip_p

_K = 10
_RESAMPLES = 1_000
_MOST_TEXTS = 5_000
"""Texts behind the interval of the mean cosine; more are sampled."""


@dataclass(frozen=True)
class Difference(Result):
    """One signal of the second encoder against the first."""

    name: Name
    """Which signal."""
    quantity: str
    """What is compared; empty where nothing is."""
    difference: float | None
    """Second - first; None where nothing is compared."""
    interval: tuple[float, float] | None
    """Its 95 % bootstrap interval; None where there is none."""
    p_value: float | None
    """Two-sided, by random signs over queries; None where intervals alone are taken."""
    verdict: str
    """"higher", "lower" or "not told apart", of the second; "not compared" where there is no test."""
    rule: str
    """By which rule; why nothing is compared, where nothing is."""
    items: int
    """Texts or queries compared; 0 where nothing is."""

    @property
    def shown(self) -> str:
        """The difference with its interval, in words."""
        if self.difference is None:
            return "—"
        places = 1 if abs(self.difference) >= 1 else 3
        sign = "+" if self.difference > 0 else ""
        low, high = (None, None) if self.interval is None else self.interval
        ends = "" if low is None or high is None else f" ({digits(low, places)} to {digits(high, places)})"
        return f"{sign}{digits(self.difference, places)}{ends}"


@dataclass(frozen=True)
class Beside(Result):
    """Two encoders on the same corpus and query set."""

    first: Overview
    """One encoder."""
    second: Overview
    """The other."""
    differences: tuple[Difference, ...]
    """Second - first for each of the eight signals."""
    seed: int
    """Seed of every draw."""

    def difference(self, name: Name) -> Difference:
        """One of the eight."""
        return next(one for one in self.differences if one.name == name)


@dataclass(frozen=True)
class Pair:
    """What is measured twice: the vectors of one corpus, and its intrinsic dimension, by both encoders."""

    vectors: tuple[NDArray[np.floating], NDArray[np.floating]]
    """Shapes (n, d) and (n, d')."""
    dimensions: tuple[IntrinsicDimension, IntrinsicDimension]
    """Of each."""
    labels: Sequence[str | None] | None = None
    """The corpus's labels."""


_NO_SCALE = {
    "outliers": "Distances of two encoders have no common scale.",
    "layers": "Layers of two encoders do not correspond.",
    "heads": "Heads of two encoders do not correspond, and entropy depends on the tokens.",
}


def differences(
    space: Pair | None, answers: tuple[Answers, Answers] | None, *, seed: int = 0
) -> tuple[Difference, ...]:
    """The difference of each signal; `space` and `answers` are None where they could not be had on both sides.

    Raises:
        InputError: other numbers of texts, or other queries, on the two sides.
    """
    made: dict[Name, Difference] = {}
    if space is not None:
        _check(space)
        made["anisotropy"] = cosine_change(space, seed=seed)
        made["dimension"] = _dimension(space, seed=seed)
        if space.labels is not None and several(space.labels):
            made["map"] = purity_change(space, seed=seed)
    if answers is not None:
        made |= _retrieval(*answers, seed=seed)
    return tuple(
        made.get(name) or _none(name, _NO_SCALE.get(name, "It could not be had for both encoders.")) for name in NAMES
    )


def cosine_change(space: Pair, *, seed: int = 0) -> Difference:
    """Mean cosine of all pairs, second - first, with its interval over texts.

    Of a resample only pairs of different texts count: with counts c and S = sum c_i u_i the mean cosine is
    (|S|^2 - sum c_i^2) / (n^2 - sum c_i^2).
    """
    n = len(space.vectors[0])
    means = [_mean_cosine(vectors) for vectors in space.vectors]
    rows = sample_rows(n, _MOST_TEXTS, seed=seed)
    units = [unit_rows(vectors, rows) for vectors in space.vectors]
    rng, drawn = np.random.default_rng(seed), np.empty(_RESAMPLES)
    for start in range(0, _RESAMPLES, 100):
        counts = rng.multinomial(len(rows), np.full(len(rows), 1 / len(rows)), size=100).astype(np.float32)
        own = np.square(counts).sum(axis=1, dtype=np.float64)
        first, second = (np.square(counts @ unit, dtype=np.float64).sum(axis=1) for unit in units)
        pairs = len(rows) ** 2 - own  # none where one text was drawn throughout, as happens with three or four
        drawn[start : start + 100] = (second - first) / np.where(pairs > 0, pairs, np.nan)
    drawn = drawn[np.isfinite(drawn)]
    low, high = np.quantile(drawn, [0.025, 0.975])
    scale = np.sqrt(len(rows) / n)  # of the whole corpus, where a sample was resampled
    middle, change = float(drawn.mean()), means[1] - means[0]
    ends = change + (float(low) - middle) * scale, change + (float(high) - middle) * scale
    return _by_interval("anisotropy", "mean cosine", (change, *ends), n)


def purity_change(space: Pair, *, seed: int = 0) -> Difference:
    """Label purity, second - first, text by text."""
    _, codes = label_codes(space.labels or (), len(space.vectors[0]))
    labelled = np.flatnonzero(codes >= 0)
    k = min(_K, len(labelled) - 1)
    shares = []
    for vectors in space.vectors:
        nearest = neighbours(vectors, k, among=labelled, seed=seed)
        shares.append((codes[nearest.indices] == codes[nearest.rows][:, None]).mean(axis=1))
    moved = shares[1] - shares[0]
    (low,), (high,) = interval(moved[:, None], seed=seed)
    return _by_interval("map", "label purity", (float(moved.mean()), float(low), float(high)), len(moved))


def _mean_cosine(vectors: NDArray[np.floating]) -> float:
    from lib.geometry import moments

    n = len(vectors)
    return float((np.square(moments(vectors).mean).sum() * n * n - n) / (n * (n - 1)))


def _dimension(space: Pair, *, seed: int) -> Difference:
    first, second = (neighbours(vectors, k=2, seed=seed) for vectors in space.vectors)
    found = dimension_change(*space.dimensions, (first, second), seed=seed)
    if found.change is None or found.interval is None:
        return _none("dimension", "TwoNN needs ten different texts or more.")
    return _by_interval("dimension", "TwoNN", (found.change, *found.interval), found.points)


def _retrieval(first: Answers, second: Answers, *, seed: int) -> dict[Name, Difference]:
    if not np.array_equal(first.metrics.query, second.metrics.query):
        raise InputError("Two encoders are compared on one query set; these answers are to different queries.")
    made: dict[Name, Difference] = {}
    if len(first.metrics.query):
        test = paired_test(first.metrics, second.metrics, METRIC, seed=seed)
        made["ranks"] = _by_test("ranks", "NDCG@10", (test.difference, test.low, test.high), test.p_value, test.queries)
    if first.negatives is not None and second.negatives is not None:
        _, one, other = np.intersect1d(first.negatives.query, second.negatives.query, return_indices=True)
        if len(one):
            below = (second.negatives.gap[other] < 0).astype(float) - (first.negatives.gap[one] < 0)
            (low,), (high,) = interval(below[:, None], seed=seed)
            p_value = sign_flip_p(below, seed=seed)
            found = float(below.mean()), float(low), float(high)
            made["hard_negatives"] = _by_test("hard_negatives", "queries where one leads", found, p_value, len(one))
    return made


def _by_test(name: Name, quantity: str, found: tuple[float, float, float], p_value: float, items: int) -> Difference:
    change, low, high = found
    return Difference(
        name, quantity, change, None if low != low else (low, high), p_value, _said(change, told=p_value < LEVEL),
        f"Paired over {items} queries (random signs): p = {p_value:.2g}, told below {LEVEL:g}.", items,
    )  # fmt: skip


def _by_interval(name: Name, quantity: str, found: tuple[float, float, float], items: int) -> Difference:
    change, low, high = found
    sure = low == low
    return Difference(
        name, quantity, change, (low, high) if sure else None, None, _said(change, told=sure and (low > 0 or high < 0)),
        f"Paired over {items} texts: told where the 95 % bootstrap interval leaves out 0.", items,
    )  # fmt: skip


def _said(change: float, *, told: bool) -> str:
    return ("higher" if change > 0 else "lower") if told else "not told apart"


def _none(name: Name, why: str) -> Difference:
    return Difference(name, "", None, None, None, "not compared", why, 0)


def _check(space: Pair) -> None:
    first, second = (len(vectors) for vectors in space.vectors)
    if first != second:
        raise InputError(f"Two encoders are compared on the same texts; one has {first} vectors, the other {second}.")
