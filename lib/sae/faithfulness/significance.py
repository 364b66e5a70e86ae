"""Could a drop be chance? A test of signs for each feature, and the false discovery rate over all of them.

Under the null hypothesis a query is as likely to lose by a removal as to gain as much. The p-value is the share of
sign patterns whose sum lies at least as far from 0: exact with up to 24 queries that change (the sums of one half of
the signs looked up among those of the other); beyond, by the saddlepoint of the sum over random signs (Robinson 1982,
with the tail of Lugannani and Rice 1980), whose error is a few percent of p. Where fewer than 6 queries change, no
pattern reaches p < .05 whatever their signs, so that such features are not tested: how many change says nothing about
the signs.
"""

import numpy as np
from numpy.typing import NDArray

from lib.sae.diagnostics.significance import log10_false_discovery

FEWEST_CHANGED = 6
"""Queries that a removal must change to be tested: 2 / 2^6 < .05."""
_EXACT = 24
_STEPS = 60  # of Newton's method; it takes about 5
ALPHA = 0.05
"""False discovery rate up to which a drop is called."""
_POWER = 0.8


def sign_p(changes: NDArray[np.float64]) -> float:
    """Two-sided p-value that the sum of `changes` is 0 but for chance, 0 to 1; 1 where nothing changes."""
    sizes = np.abs(changes[changes != 0])
    n, reach = len(sizes), abs(float(changes.sum()))
    if n <= _EXACT:
        return _exact(sizes, reach - 1e-12 * float(sizes.sum())) if n else 1.0
    if np.ptp(sizes) <= 1e-9 * sizes.max():
        from scipy.stats import binomtest

        return float(binomtest(int((changes > 0).sum()), n).pvalue)
    return _saddlepoint(sizes, reach)


def _exact(sizes: NDArray[np.float64], reach: float) -> float:
    """Share of the 2^n sums of +-`sizes` that are at least `reach` from 0."""
    first, second = (_signed_sums(part) for part in np.array_split(sizes, 2))
    second.sort()
    above = len(second) - np.searchsorted(second, reach - first, side="left")
    return min(1.0, 2 * float(above.sum()) / (len(first) * len(second))) if reach > 0 else 1.0


def _signed_sums(sizes: NDArray[np.float64]) -> NDArray[np.float64]:
    sums = np.zeros(1)
    for size in sizes.tolist():
        sums = np.concatenate([sums - size, sums + size])
    return sums


def _saddlepoint(sizes: NDArray[np.float64], reach: float) -> float:
    """About the share of the sums of +-`sizes` that are at least `reach` from 0; they are not all of one size.

    K(t) = sum log cosh(t size); t solves K'(t) = reach.
    """
    from scipy.special import ndtr

    unit = sizes / np.sqrt((sizes**2).sum())
    s, most = reach / np.sqrt((sizes**2).sum()), float(unit.sum())
    if s >= most * (1 - 1e-12):
        return float(2.0 ** (1 - len(unit)))
    if s < 1e-3:
        return float(2 * ndtr(-s))
    low, high, t = 0.0, np.inf, float(s)
    for _ in range(_STEPS):  # Newton's method, kept between what is too low and too high: K' rises
        tanh = np.tanh(t * unit)
        gap, curve = float(unit @ tanh) - s, float(unit**2 @ (1 - tanh**2))
        low, high = (t, high) if gap < 0 else (low, t)
        if abs(gap) < 1e-12 * most:
            break
        step = t - gap / curve if curve > 0 else np.inf
        t = step if low < step < high else (2 * t if np.isinf(high) else (low + high) / 2)
    k = float(np.logaddexp(t * unit, -t * unit).sum() - len(unit) * np.log(2))
    w, u = np.sqrt(2 * max(t * s - k, 0)), t * np.sqrt(float(unit**2 @ (1 - np.tanh(t * unit) ** 2)))
    tail = ndtr(-w) + np.exp(-w * w / 2) / np.sqrt(2 * np.pi) * (1 / u - 1 / w)
    return float(np.clip(2 * tail, 2.0 ** (1 - len(unit)), 1))


def false_discovery(p_values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Benjamini and Hochberg's (1995) q of each p-value among those that are not NaN; NaN stays."""
    known = np.isfinite(p_values)
    found = np.full(len(p_values), np.nan)
    if known.any():
        tiny = np.finfo(np.float64).tiny
        logs = np.log10(np.maximum(p_values[known], tiny))
        found[known] = 10 ** log10_false_discovery(logs, int(known.sum()))
    return found


def needed(
    drop: NDArray[np.float64], spread: NDArray[np.float64], queries: int, *, tested: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """How many queries like these would call a drop of this size, four times in five, shape (f,); NaN if not tested.

    `spread` is the standard error of the drop over `queries`, which falls with their root. Called means below
    ALPHA / (tests made here), what Benjamini and Hochberg ask where no other feature is called. The drops of a set
    that are large are so partly by luck, so for these it is the least.
    """
    from scipy.special import ndtri

    m = int(tested.sum())
    found = np.full(len(drop), np.nan)
    known = tested & (drop != 0) & (spread > 0)
    if m:
        z = -ndtri(ALPHA / m / 2) + ndtri(_POWER)
        found[known] = queries * (z * spread[known] / np.abs(drop[known])) ** 2
    return found
