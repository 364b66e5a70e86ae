"""What a feature is to retrieval, by rule: essential, ordinary, harmful, redundant, uncertain or rare."""

import numpy as np
from numpy.typing import NDArray

from lib.sae.faithfulness.significance import ALPHA

VERDICTS = ("essential", "ordinary", "harmful", "redundant", "uncertain", "rare")
"""All there are, those that carry most first."""
MEANINGS = {
    "essential": "retrieval is worse without it, and by more than with as much taken out along other features",
    "ordinary": "retrieval is worse without it, but no more than with as much taken out along other features",
    "harmful": "retrieval is better without it",
    "redundant": "it fires, and retrieval is the same without it",
    "uncertain": "these queries do not tell",
    "rare": "it fires on too few of these queries to tell",
}
"""Each in words."""
FEWEST_FIRES = 10
"""Different queries on which a feature must fire to be called redundant or uncertain."""


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
    """The verdict on each feature.

    `low` and `high` (f,) are how far its drop may reach, `fires` (f,) the different queries on which it fires,
    `matched` (f, draws) the drops of its controls, NaN where it has none.
    """
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
        f"same rate. Redundant: neither, it fires on {FEWEST_FIRES} different queries or more, and the whole 95 % "
        f"interval of its drop lies within ±{negligible:g}, as would what so many queries can hide (three that change, "
        f"by as much as a change is here on average). Uncertain: one of the two reaches further. Rare: it fires on "
        f"fewer than {FEWEST_FIRES} different queries."
    )
