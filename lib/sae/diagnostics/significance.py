"""Could this be chance? Tails of the hypergeometric law, false discovery rates, intervals of shares."""

import numpy as np
from numpy.typing import NDArray

_NORMAL_95 = 1.959964
_ENOUGH = 1e-12  # a term that adds less than this share of the sum ends it


def log10_tail(
    both: NDArray[np.integer], count_a: NDArray[np.integer], count_b: NDArray[np.integer], texts: int
) -> NDArray[np.float64]:
    """log10 of P(X >= both), X the texts that two independent sets of count_a and count_b of `texts` texts share.

    One-sided Fisher's exact test: the hypergeometric law's upper tail, summed term by term from its first, each term
    from the one before. Shape of `both` (pairs,), <= 0; logarithms, because most are below what a float can hold.
    """
    from scipy.special import gammaln

    k, a, b = (np.asarray(values, dtype=np.float64) for values in (both, count_a, count_b))
    n, most = float(texts), np.minimum(a, b)

    def log_choose(of: NDArray[np.float64], some: NDArray[np.float64]) -> NDArray[np.float64]:
        found: NDArray[np.float64] = gammaln(of + 1) - gammaln(some + 1) - gammaln(of - some + 1)
        return found

    k = np.maximum(k, np.maximum(a + b - n, 0))  # fewer than this they cannot share
    first = log_choose(a, k) + log_choose(n - a, b - k) - log_choose(np.full_like(a, n), b)
    total, term, at, open_ = np.ones_like(k), np.ones_like(k), k.copy(), k < most
    while open_.any():
        x, left_a, left_b = at[open_], a[open_], b[open_]
        term[open_] *= (left_a - x) * (left_b - x) / ((x + 1) * (n - left_a - left_b + x + 1))
        total[open_] += term[open_]
        at[open_] += 1
        # terms rise to the law's peak and fall beyond it: small ones end the sum only where they fall
        falling = (left_a - x - 1) * (left_b - x - 1) < (x + 2) * (n - left_a - left_b + x + 2)
        open_[open_] = (at[open_] < most[open_]) & ~(falling & (term[open_] < _ENOUGH * total[open_]))
    return np.asarray(np.minimum((first + np.log(total)) / np.log(10), 0.0))


def log10_false_discovery(log10_p: NDArray[np.float64], tests: int) -> NDArray[np.float64]:
    """log10 of Benjamini and Hochberg's (1995) q for each p, of which `tests` were made in all; shape kept, <= 0.

    Where only some of the tests' p are given, ranks among these can only be too low, and so q too high: safe.
    """
    order = np.argsort(log10_p, kind="stable")
    raised = log10_p[order] + np.log10(max(tests, len(log10_p), 1)) - np.log10(np.arange(1, len(log10_p) + 1))
    found = np.empty(len(raised))
    found[order] = np.minimum(np.minimum.accumulate(raised[::-1])[::-1], 0.0)
    return found


def wilson(some: NDArray[np.number], of: NDArray[np.number]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Wilson's (1927) 95 % interval of the share some / of: lower and upper end, each of the shape of `some`.

    An empty `of` gives 0 to 1.
    """
    n = np.maximum(np.asarray(of, dtype=np.float64), 1e-9)
    share, z2 = np.asarray(some) / n, _NORMAL_95**2
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    reach = _NORMAL_95 * np.sqrt(share * (1 - share) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return np.clip(middle - reach, 0, 1), np.clip(middle + reach, 0, 1)
