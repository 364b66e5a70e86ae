"""What a feature is to retrieval, by rule: essential, ordinary, harmful, redundant, uncertain or rare."""

import numpy as np
from numpy.typing import NDArray

VERDICTS = ("essential", "ordinary", "harmful", "redundant", "uncertain", "rare")
"""All there are, those that carry most first."""
MEANINGS = {
    "essential": "retrieval is worse without it, more than without any comparable feature",
    "ordinary": "retrieval is worse without it, but no more than without a comparable feature",
    "harmful": "retrieval is better without it",
    "redundant": "it fires, and retrieval is the same without it",
    "uncertain": "these queries do not tell",
    "rare": "it fires on too few of these queries to tell",
}
"""Each in words."""
ALPHA = 0.05
"""False discovery rate up to which a drop is called."""
FEWEST_FIRES = 10
"""Queries on which a feature must fire to be called redundant or uncertain."""


def judge(
    drop: NDArray[np.float64],
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    *,
    q_value: NDArray[np.float64],
    fires: NDArray[np.int64],
    matched: NDArray[np.float64],
    negligible: float,
) -> tuple[str, ...]:
    """The verdict on each feature; `matched` (f, draws) are the drops of its controls, NaN where it has none."""
    called = np.nan_to_num(q_value, nan=1.0) <= ALPHA
    beyond = drop > np.where(np.isnan(matched), np.inf, matched).max(axis=1)
    within = (low >= -negligible) & (high <= negligible)
    verdicts = np.select(
        [called & (drop > 0) & beyond, called & (drop > 0), called, fires < FEWEST_FIRES, within],
        ["essential", "ordinary", "harmful", "rare", "redundant"],
        "uncertain",
    )
    return tuple(str(verdict) for verdict in verdicts)


def rule(negligible: float, *, k: int, draws: int) -> str:
    """The rule in words."""
    return (
        f"Essential: NDCG@{k} drops without it at a false discovery rate of {100 * ALPHA:.0f} %, and by more than in "
        f"every one of {draws} controls that take as much out of the same queries along other features that fire there "
        f"about as often. Ordinary: it drops, but not by more than those. Harmful: NDCG@{k} rises without it, at the "
        f"same rate. Redundant: neither, it fires on {FEWEST_FIRES} queries or more, and the whole 95 % interval of "
        f"its drop lies within ±{negligible:g}. Uncertain: that interval reaches further. Rare: it fires on fewer than "
        f"{FEWEST_FIRES} of the queries."
    )
