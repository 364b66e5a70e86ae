"""Could a drop be chance? A test of signs for each feature, and the false discovery rate over all of them.

Under the null hypothesis a query is as likely to lose by a removal as to gain as much. The p-value is the share of
sign patterns whose sum lies at least as far from 0: exact with up to 12 queries that change; beyond, by Student's t
over the queries that change, which the sum over random signs follows closely. Where fewer than 6 queries change, no
pattern reaches p < .05 whatever their signs, so that such features are not tested: how many change says nothing about
the signs.
"""

import numpy as np
from numpy.typing import NDArray

from lib.retrieval.bootstrap import sign_flip_p
from lib.sae.diagnostics.significance import log10_false_discovery

FEWEST_CHANGED = 6
"""Queries that a removal must change to be tested: 2 / 2^6 < .05."""
_EXACT = 12


def sign_p(changes: NDArray[np.float64]) -> float:
    """Two-sided p-value that the sum of `changes` is 0 but for chance, 0 to 1; 1 where nothing changes."""
    moved = changes[changes != 0]
    n = len(moved)
    if n <= _EXACT:
        return sign_flip_p(moved) if n else 1.0
    from scipy.special import stdtr

    z = float(moved.sum() / np.sqrt((moved**2).sum()))
    left = n - z * z
    if left <= n * 1e-12:  # all of one size and sign
        return float(2.0 ** (1 - n))
    return float(2 * stdtr(n - 1, -abs(z) * np.sqrt((n - 1) / left)))


def false_discovery(p_values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Benjamini and Hochberg's (1995) q of each p-value among those that are not NaN; NaN stays."""
    known = np.isfinite(p_values)
    found = np.full(len(p_values), np.nan)
    if known.any():
        tiny = np.finfo(np.float64).tiny
        logs = np.log10(np.maximum(p_values[known], tiny))
        found[known] = 10 ** log10_false_discovery(logs, int(known.sum()))
    return found
