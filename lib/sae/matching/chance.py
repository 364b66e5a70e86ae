"""Chance: whether a feature's best candidate is more similar than the best of as many that have nothing to do with it.

Correlations of rare features are large by chance: two that fire on five texts each need share only two. So a feature is
held against shuffled features that fire about as often, and false discoveries are held at 5 % across features.
"""

import numpy as np
from numpy.typing import NDArray

FALSE_DISCOVERIES = 0.05
_FEWEST = 256
"""Features whose chances are taken together."""


def significant(
    value: NDArray[np.floating],
    nulls: NDArray[np.floating],
    judged: NDArray[np.bool_],
    count: NDArray[np.int64] | None,
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The p-value of each `value`, shape (n,), NaN where there is none, and which pass (Benjamini-Hochberg).

    `nulls` has each feature's best by chance, shape (shuffles, n); it is shared by features that fire about as often
    where `count` is given, by all `judged` ones where it is not.
    """
    from scipy.stats import false_discovery_control

    p = np.full(len(value), np.nan)
    features = np.flatnonzero(judged)
    if count is not None:
        features = features[np.argsort(count[features], kind="stable")]
    groups = np.array_split(features, max(1, len(features) // _FEWEST)) if count is not None else [features]
    for group in groups:
        null = np.sort(nulls[:, group].ravel())
        above = len(null) - np.searchsorted(null, value[group], side="left")
        p[group] = (1 + above) / (1 + len(null))
    p[~np.isfinite(value)] = np.nan
    told = np.flatnonzero(np.isfinite(p))
    passes = np.zeros(len(value), dtype=bool)
    if len(told):
        passes[told] = false_discovery_control(p[told]) <= FALSE_DISCOVERIES
    return p, passes
