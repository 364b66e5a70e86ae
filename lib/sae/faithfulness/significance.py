"""Could a drop be chance? A test of signs for each feature, and the false discovery rate over all of them.

Under the null hypothesis a query is as likely to lose by a removal as to gain as much. The p-value is the share of
sign patterns whose sum lies at least as far from 0. It is exact with up to 24 queries that change (the sums of one half
of the signs looked up among those of the other); beyond, exact for changes rounded to a fine grid, on which the law of
the sum is built one sign after the other. Where fewer than 6 queries change, no pattern reaches p < .05 whatever their
signs, so that such features are not tested: how many change says nothing about the signs.
"""

import numpy as np
from numpy.typing import NDArray

from lib.sae.diagnostics.significance import log10_false_discovery

FEWEST_CHANGED = 6
"""Queries that a removal must change to be tested: 2 / 2^6 < .05."""
_EXACT = 24
_CELLS, _CELLS_EACH = 2**14, 64  # of the grid: at least so many, and so many a change
ALPHA = 0.05
"""False discovery rate up to which a drop is called."""
_POWER = 0.8


def sign_p(changes: NDArray[np.float64]) -> float:
    """Two-sided p-value that the sum of `changes` is 0 but for chance, 0 to 1; 1 where nothing changes."""
    some = changes[changes != 0]
    if not len(some):
        return 1.0
    if len(some) > _EXACT:
        return _on_a_grid(some)
    sizes = np.abs(some)
    return _exact(sizes, abs(float(some.sum())) - 1e-12 * float(sizes.sum()))


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


def _on_a_grid(changes: NDArray[np.float64]) -> float:
    """The same share for changes rounded to a grid, on which equal ones stay equal."""
    sizes = np.abs(changes)
    steps = np.rint(sizes * (max(_CELLS, _CELLS_EACH * len(sizes)) / sizes.sum())).astype(np.int64)
    total, reach = int(steps.sum()), abs(int((np.sign(changes).astype(np.int64) * steps).sum()))
    law = np.zeros(total + 1)  # of the sum of those that are drawn with a plus
    law[0] = 1
    for step in steps[steps > 0].tolist():
        longer = 0.5 * law
        longer[step:] += 0.5 * law[:-step]
        law = longer
    return min(1.0, 2 * float(law[(total + reach) // 2 :].sum())) if reach else 1.0


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
