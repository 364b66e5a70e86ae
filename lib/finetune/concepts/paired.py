"""Could a change be chance? Tests over the same texts before and after, one for each feature, from sparse differences.

Under the null hypothesis a text's activation is as likely to rise by an amount as to fall by as much. The p-value is
the share of sign patterns whose sum lies at least as far from 0 (Fisher's randomisation test): exact where up to 12
texts differ, beyond by the normal law with the patterns' own variance, the sum of squares. Where fewer than 6 texts
differ no pattern reaches p < .05 whatever their signs, so that such features are not tested: how many differ says
nothing about the signs.
"""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lib.sae.codes import Codes
from lib.sae.faithfulness.significance import false_discovery

if TYPE_CHECKING:
    from scipy.sparse import csc_array

__all__ = ["FEWEST_MOVED", "differences", "false_discovery", "firing_p", "sign_flip"]

FEWEST_MOVED = 6
"""Texts on which a feature must differ to be tested: 2 / 2^6 < .05."""
_ENUMERATED = 12
_TOGETHER = 512  # features whose sign patterns are summed at a time


def differences(base: Codes, tuned: Codes) -> "csc_array":
    """Activations of `tuned` less those of `base`, shape (m, n), sparse, feature by feature; nothing stored is 0."""
    from scipy.sparse import csc_array

    found = csc_array(tuned.matrix.astype(np.float64) - base.matrix.astype(np.float64))
    found.eliminate_zeros()
    return found


def sign_flip(moved: "csc_array", features: NDArray[np.integer] | None = None) -> NDArray[np.float64]:
    """Two-sided p-value of each feature's sum of differences, all n or `features` alone; 1 where no text differs."""
    from scipy.special import erfc

    if features is not None:
        moved = moved[:, features]
    n = moved.shape[1]
    counts = np.diff(moved.indptr)
    feature = np.repeat(np.arange(n), counts)
    total = np.bincount(feature, moved.data, n)
    squares = np.bincount(feature, moved.data**2, n)
    z = np.divide(np.abs(total), np.sqrt(squares), out=np.zeros(n), where=squares > 0)
    found = np.asarray(erfc(z / np.sqrt(2)), dtype=np.float64)
    for size in range(1, _ENUMERATED + 1):
        having = np.flatnonzero(counts == size)
        for start in range(0, len(having), _TOGETHER):
            some = having[start : start + _TOGETHER]
            found[some] = _enumerated(moved.data[moved.indptr[some][:, None] + np.arange(size)])
    return found


def _enumerated(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Exact p-value of each row's sum, shape (c,), for `values` (c, k): half of the 2^k sign patterns."""
    k = values.shape[1]
    signs = 1.0 - 2.0 * (np.arange(2 ** (k - 1))[:, None] >> np.arange(k) & 1)  # (2^(k-1), k): the last is +
    least = np.abs(values.sum(axis=1)) - 1e-9 * np.abs(values).sum(axis=1)  # equal sums differ by rounding
    return np.asarray((np.abs(values @ signs.T) >= least[:, None]).mean(axis=1))


def firing_p(gained: NDArray[np.integer], lost: NDArray[np.integer]) -> NDArray[np.float64]:
    """Does a feature fire on more texts, or on fewer? McNemar's exact test, two-sided, shape (n,).

    `gained` are the texts on which it fires after alone, `lost` those on which it fired before alone.
    """
    from scipy.stats import binom

    least, of = np.minimum(gained, lost), gained + lost
    return np.asarray(np.minimum(1.0, 2 * binom.cdf(least, of, 0.5)), dtype=np.float64)
