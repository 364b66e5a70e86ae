"""How sure is a mean over queries? Bootstrap intervals, and a paired test between two systems.

The queries of a set are a sample of those that could be asked. The bootstrap draws them again with replacement and
watches how far the mean moves. Intervals are bias-corrected and accelerated (BCa, Efron 1987), which for a mean has a
closed form. Per-query metrics pile up at 0 and 1: of 95 % intervals for a hit rate of .97 over 150 queries, 6.8 % of
the plain percentile ones lie wholly above it and 2.2 % of these (simulated; 2.5 % would be right). With a few tens of
queries that nearly all succeed, neither is wide enough. An interval covers the choice of queries alone, not that of
judgements or documents.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.errors import InputError
from lib.results import Result
from lib.retrieval.metrics import QueryMetrics

_BLOCK = 2_000_000  # draws held at a time
_ENUMERATED = 12  # non-zero differences up to which every pattern of signs is tried: 4,096


@dataclass(frozen=True, eq=False)
class Summary(Result):
    """The mean of one metric over all queries, or those of one group."""

    metric: str
    """Name of the metric."""
    group: str | None
    """The group; None for all queries."""
    mean: float
    """Mean over the queries."""
    low: float
    """Lower end of the interval; equal to the mean where all queries have one value, NaN where there is one query."""
    high: float
    """Its upper end."""
    queries: int
    """Queries behind it: those that have a relevant document."""


@dataclass(frozen=True, eq=False)
class PairedTest(Result):
    """System b against system a on the same queries."""

    metric: str
    """Name of the metric."""
    mean_a: float
    """Mean of a."""
    mean_b: float
    """Mean of b."""
    difference: float
    """Mean of b minus mean of a: above 0, b is better."""
    low: float
    """Lower end of the 95 % interval of the difference; NaN where there is one query."""
    high: float
    """Its upper end."""
    p_value: float
    """Share of random sign changes with a mean difference at least as far from 0, two-sided; 1 where all are 0."""
    wins: int
    """Queries where b is higher."""
    ties: int
    """Queries where both are the same."""
    losses: int
    """Queries where b is lower."""
    queries: int
    """Queries compared."""


def summarise(
    metrics: QueryMetrics,
    *,
    groups: Sequence[str | None] | None = None,
    resamples: int = 2_000,
    level: float = 0.95,
    seed: int = 0,
) -> tuple[Summary, ...]:
    """Each metric over all queries, then over each group by name; `groups` has one name per query of the set.

    A query whose group is None counts towards all queries alone.

    Raises:
        InputError: no query has a relevant document; fewer than one resample, a level outside 0 to 1.
        ValueError: `groups` is too short.
    """
    if not len(metrics.query):
        raise InputError(
            f"None of the {metrics.skipped} queries has a relevant document, so there is nothing to average: "
            "give at least one judgement above 0."
        )
    rows: dict[str | None, NDArray[np.int64]] = {None: np.arange(len(metrics.query))}
    if groups is not None:
        if len(groups) <= metrics.query[-1]:
            raise ValueError(f"groups should name every query of the set, row {metrics.query[-1]} too")
        named = np.array([groups[row] for row in metrics.query], dtype=object)
        rows |= {name: np.flatnonzero(named == name) for name in sorted({name for name in named if name is not None})}
    made = []
    for group, chosen in rows.items():
        values = metrics.values[chosen]
        low, high = interval(values, resamples=resamples, level=level, seed=seed)
        for name, mean, least, most in zip(metrics.names, values.mean(axis=0), low, high, strict=True):
            made.append(Summary(name, group, float(mean), float(least), float(most), len(chosen)))
    return tuple(made)


def interval(
    values: NDArray[np.float64], *, resamples: int = 2_000, level: float = 0.95, seed: int = 0
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Ends of the bootstrap interval (BCa) of each column's mean, shape (c,) each; `values` has shape (s, c), s >= 1.

    All columns share their resamples. A column of one value has that value at both ends; one row has no interval (NaN).

    Raises:
        InputError: no row, fewer than one resample, a level outside 0 to 1.
    """
    if not len(values) or resamples < 1 or not 0 < level < 1:
        raise InputError(
            "A bootstrap needs at least one value, one resample and a level between 0 and 1, "
            f"got {len(values)}, {resamples} and {level}."
        )
    if len(values) == 1:
        return np.full(values.shape[1], np.nan), np.full(values.shape[1], np.nan)
    means = values.mean(axis=0)
    drawn = _resampled_means(values, resamples, seed)
    ends = _corrected_ends(drawn - means, values - means, level)
    low, high = (np.array([np.quantile(drawn[:, c], ends[side, c]) for c in range(len(means))]) for side in (0, 1))
    constant = np.ptp(values, axis=0) == 0
    return np.where(constant, means, low), np.where(constant, means, high)


def _resampled_means(values: NDArray[np.float64], resamples: int, seed: int) -> NDArray[np.float64]:
    """Means of `resamples` draws with replacement of the rows, shape (resamples, c), in bounded memory."""
    rng, n = np.random.default_rng(seed), len(values)
    made = np.empty((resamples, values.shape[1]))
    step = max(1, _BLOCK // n)
    for start in range(0, resamples, step):
        rows = min(step, resamples - start)
        drawn = rng.integers(0, n, size=(rows, n))
        often = np.stack([np.bincount(one, minlength=n) for one in drawn])  # how often each value was drawn
        made[start : start + rows] = often @ values / n
    return made


def _corrected_ends(drawn: NDArray[np.float64], off: NDArray[np.float64], level: float) -> NDArray[np.float64]:
    """Which quantiles of the resampled means end the interval, shape (2, c): Efron 1987.

    `drawn` (resamples, c) and `off` (s, c) are the resampled means and the values, less the mean.

    z0 (median bias) is where the mean stands among the resampled ones, half of those equal to it counted; the
    acceleration of a mean is its skewness / (6 sqrt(n)).
    """
    from scipy.special import ndtr, ndtri

    edge = 1e-12  # a resampled mean this near to 0 is the mean
    share = ((drawn < -edge).mean(axis=0) + (drawn <= edge).mean(axis=0)) / 2
    bias = ndtri(np.clip(share, 1 / (2 * len(drawn)), 1 - 1 / (2 * len(drawn))))
    squares = (off**2).sum(axis=0)
    pull = np.divide((off**3).sum(axis=0), 6 * squares**1.5, out=np.zeros_like(squares), where=squares > 0)
    z = ndtri(np.array([(1 - level) / 2, (1 + level) / 2]))[:, None] + bias
    slope = 1 - pull * z
    ends: NDArray[np.float64] = ndtr(bias + np.divide(z, slope, out=np.sign(z) * np.inf, where=slope > 0))
    return ends


def paired_test(a: QueryMetrics, b: QueryMetrics, metric: str, *, resamples: int = 10_000, seed: int = 0) -> PairedTest:
    """Is b better than a? Both over the same queries of one set.

    The interval is the bootstrap's over queries, of the mean difference. The p-value asks how often a difference as
    large comes about where which system is which were tossed for each query (sign-flip permutation, Fisher's
    randomisation test; Smucker et al. 2007): exactly, over every pattern of signs, with up to 12 queries that differ,
    else over `resamples` random ones with (1 + as large) / (1 + resamples), which is never 0.

    Raises:
        InputError: no query has a relevant document, or there is no such metric.
        ValueError: not the same queries, or ndcg with two kinds of gain.
    """
    if not np.array_equal(a.query, b.query) or (a.gain != b.gain and metric.startswith("ndcg")):
        raise ValueError("A paired test needs the same queries, and one gain, on both sides")
    first, second = a.column(metric), b.column(metric)
    if not len(first):
        raise InputError(f"None of the {a.skipped} queries has a relevant document, so there is nothing to compare.")
    difference = second - first
    low, high = interval(difference[:, None], resamples=resamples, seed=seed)
    return PairedTest(
        metric=metric,
        mean_a=float(first.mean()),
        mean_b=float(second.mean()),
        difference=float(difference.mean()),
        low=float(low[0]),
        high=float(high[0]),
        p_value=sign_flip_p(difference, resamples=resamples, seed=seed),
        wins=int((difference > 0).sum()),
        ties=int((difference == 0).sum()),
        losses=int((difference < 0).sum()),
        queries=len(difference),
    )


def sign_flip_p(differences: NDArray[np.float64], *, resamples: int = 10_000, seed: int = 0) -> float:
    """Two-sided p-value of a mean difference of 0 under random signs; exact with up to 12 differences that are not 0.

    Raises:
        InputError: fewer than one resample.
    """
    if resamples < 1:
        raise InputError(f"A permutation test needs at least one resample, got {resamples}.")
    moved = differences[differences != 0]
    least = abs(moved.sum()) - 1e-12 * np.abs(moved).sum()  # sums of the same numbers differ by rounding
    n = len(moved)
    if n <= _ENUMERATED:
        flipped = np.arange(2**n)[:, None] >> np.arange(n) & 1  # (2^n, n)
        return float((np.abs(moved.sum() - 2 * flipped @ moved) >= least).mean())
    rng, reached, step = np.random.default_rng(seed), 0, max(1, _BLOCK // n)
    for start in range(0, resamples, step):
        rows = min(step, resamples - start)
        flipped = rng.integers(0, 2, size=(rows, n), dtype=np.int8)
        reached += int((np.abs(moved.sum() - 2 * flipped @ moved) >= least).sum())
    return (1 + reached) / (1 + resamples)
