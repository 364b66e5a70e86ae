"""How many principal components would vectors need that point in every direction alike? The baseline of dimension.

The eigenvalues of the covariance of n isotropic vectors in d dimensions are not all the same: with r = d / n they
spread over [(1 - sqrt(r))^2, (1 + sqrt(r))^2] by the law of Marchenko and Pastur (1967), with density
sqrt((b - x)(x - a)) / (2 pi r x), and for r > 1 a share 1 - 1 / r of them is 0. The largest ones that hold a share of
the variance are counted by integrating x over that density from above.
"""

import numpy as np

_STEPS = 20_000


def isotropic_components(items: int, dimensions: int, share: float = 0.95) -> int:
    """Components that hold `share` of the variance of `items` isotropic vectors, in [1, min(n - 1, d)].

    Exact in the limit of many of both; within one or two components from some tens on. 0 for fewer than two vectors.
    """
    n, d = items - 1, dimensions  # one direction is lost to the mean
    if n < 1 or d < 1:
        return 0
    r = d / n
    low, high = (1 - np.sqrt(r)) ** 2, (1 + np.sqrt(r)) ** 2
    # x = middle + radius cos(t) makes the density smooth at both ends
    angle = (np.arange(_STEPS) + 0.5) * np.pi / _STEPS
    x = (low + high) / 2 + (high - low) / 2 * np.cos(angle)  # descending
    mass = ((high - low) / 2 * np.sin(angle)) ** 2 / (2 * np.pi * r * x) * np.pi / _STEPS
    held = np.cumsum(mass * x)
    place = int(np.searchsorted(held, share * held[-1]))
    needed = float(np.cumsum(mass)[min(place, _STEPS - 1)]) * d
    return int(np.clip(np.ceil(needed), 1, min(n, d)))
