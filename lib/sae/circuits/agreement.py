"""Agreement: do direct contribution and leaving parts out name the same writers of a feature?

They ask different things. The direct term of a part is what its output itself adds; leaving it out also takes away
what later parts make of it, and lets them make up for it (self-repair). So they may differ, and where they do, neither
is wrong: that is said, not averaged away.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.results import Result

WEIGHTY = 0.05
"""Of the largest in size: what counts as more than nothing."""
AGREE, DIFFER = 0.7, 0.3
RULE = (
    f"Rank correlation of the parts: agree from {AGREE}, agree in part from {DIFFER}, differ below. A part is opposed "
    f"where the two have different signs and each is at least {100 * WEIGHTY:.0f} % of the largest of its kind."
)
RULE_OF_MEANS = "Of means, only where the intervals of both leave out 0."
_DRAWS = 9_999


@dataclass(frozen=True, eq=False)
class Agreement(Result):
    """Two measures of p parts side by side."""

    correlation: float | None
    """Spearman's rank correlation, -1 to 1; None with fewer than 3 parts, or where one measure is the same for all."""
    chance: float | None
    """Share of random pairings of the parts with a correlation at least as high; None where there is none."""
    opposed: tuple[int, ...]
    """Places of the parts in which the two have different signs."""
    furthest: int | None
    """Place of the part whose ranks by the two differ most; None where no two ranks differ."""
    furthest_ranks: tuple[int, int] | None
    """Its ranks by the first and the second, 1 for the part that raises the feature most."""
    same_strongest: bool
    """Whether the same part raises the feature most by both."""
    parts: int
    """Parts compared."""
    verdict: str
    """"agree", "agree in part", "differ", or "too few parts to say"."""
    rule: str
    """How it was found."""
    seed: int
    """Seed of the random pairings."""


def agreement(
    direct: NDArray[np.float64],
    left_out: NDArray[np.float64],
    *,
    sure: NDArray[np.bool_] | None = None,
    first: int = 0,
    seed: int = 0,
) -> Agreement:
    """Compare two measures, each of shape (p,).

    Args:
        direct: what the parts' own outputs add.
        left_out: what is lost without them.
        sure: for means, whether the signs of both are beyond doubt, shape (p,): no other part is called opposed.
        first: the place of the first part in the caller's counting.
        seed: of the random pairings.
    """
    from scipy.stats import rankdata

    a, b = rankdata(direct), rankdata(left_out)
    a, b = a - a.mean(), b - b.mean()
    size = float(np.sqrt((a @ a) * (b @ b)))
    correlation = chance = None
    if len(direct) >= 3 and size > 0:
        correlation = float(a @ b) / size
        generator = np.random.default_rng(seed)
        drawn = generator.permuted(np.broadcast_to(b, (_DRAWS, len(b))), axis=1) @ a / size
        chance = float((1 + (drawn >= correlation - 1e-12).sum()) / (1 + _DRAWS))
    weighty = (np.abs(direct) >= WEIGHTY * np.abs(direct).max(initial=0)) & (
        np.abs(left_out) >= WEIGHTY * np.abs(left_out).max(initial=0)
    )
    if sure is not None:
        weighty &= sure
    opposed = np.flatnonzero(weighty & (direct * left_out < 0))
    ranks = np.array([rankdata(-direct, method="min"), rankdata(-left_out, method="min")], dtype=np.int64)  # (2, p)
    apart = np.abs(ranks[0] - ranks[1])
    furthest = int(apart.argmax()) if apart.any() else None
    return Agreement(
        correlation=correlation,
        chance=chance,
        opposed=tuple(int(place) + first for place in opposed),
        furthest=None if furthest is None else furthest + first,
        furthest_ranks=None if furthest is None else (int(ranks[0, furthest]), int(ranks[1, furthest])),
        same_strongest=bool(len(direct) and direct.argmax() == left_out.argmax()),
        parts=len(direct),
        verdict=_verdict(correlation),
        rule=RULE if sure is None else f"{RULE} {RULE_OF_MEANS}",
        seed=seed,
    )


def _verdict(correlation: float | None) -> str:
    if correlation is None:
        return "too few parts to say"
    return "agree" if correlation >= AGREE else "agree in part" if correlation >= DIFFER else "differ"
