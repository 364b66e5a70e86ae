"""What it costs to take as much out of the same queries as a feature does, along directions that are not that feature.

Two controls. *Matched*: along the direction of another feature that fires on the same query, drawn among the `draws`
that fire about as often over all queries. *Random*: along a random direction, one for each feature and draw. A query
on which no other feature fires stays as it is in the first.
"""

import numpy as np
from numpy.typing import NDArray

from lib.progress import Told
from lib.sae.codes import Codes
from lib.sae.faithfulness.case import Case
from lib.sae.faithfulness.ranks import ranks_of
from lib.sae.faithfulness.variants import one_part_each, queries_of

PEERS = 50
"""Other features that fire about as often as one, to which its drop is compared."""
_POOL = 256  # random directions in all
Array = NDArray[np.float64]


def matched_controls(
    case: Case,
    whole: Array,
    of: NDArray[np.int64],
    chosen: NDArray[np.bool_],
    *,
    draws: int,
    seed: int,
    told: Told | None = None,
) -> Array:
    """Drop of NDCG for each of f features and each draw, shape (f, draws); NaN where it is not `chosen` (f,).

    `whole` has each query's NDCG, shape (s,), `of` the place of each activation's feature, shape (active,).
    """
    others = other_features(case.codes, draws=draws, seed=seed)
    return _drops(case, whole, of, chosen, others, case.sae.decoder_weights, told)


def random_controls(
    case: Case,
    whole: Array,
    of: NDArray[np.int64],
    chosen: NDArray[np.bool_],
    *,
    draws: int,
    seed: int,
    told: Told | None = None,
) -> Array:
    """The same along random directions."""
    rng = np.random.default_rng([seed, 2])
    pool = rng.normal(size=(_POOL, case.asked.shape[1]))
    pool /= np.linalg.norm(pool, axis=1, keepdims=True)
    which = rng.integers(_POOL, size=(len(chosen), draws))
    return _drops(case, whole, of, chosen, which[of], pool.astype(np.float32), told)


def other_features(codes: Codes, *, draws: int, seed: int) -> NDArray[np.int64]:
    """For each activation, features that fire on the same query about as often as its own, shape (active, draws).

    The `draws` nearest by the logarithm of how many queries they fire on, in random order, all of them again where
    there are fewer; -1 where no other fires.
    """
    rng = np.random.default_rng([seed, 1])
    often = np.log(np.maximum(np.bincount(codes.features, minlength=codes.width), 1))
    found = np.full((len(codes.features), draws), -1, dtype=np.int64)
    for row in range(len(codes)):
        features, _ = codes.of(row)
        a = len(features)
        if a < 2:
            continue
        gap = np.abs(often[features][:, None] - often[features]) + 1e-9 * rng.random((a, a))
        np.fill_diagonal(gap, np.inf)
        near = np.argsort(gap, axis=1)[:, : min(draws, a - 1)]
        near = rng.permuted(near, axis=1)
        found[codes.starts[row] : codes.starts[row + 1]] = features[near[:, np.arange(draws) % near.shape[1]]]
    return found


def peers(drop: Array, fires: NDArray[np.int64], *, seed: int) -> Array:
    """Share of the `PEERS` other features that fire on about as many queries whose drop is at least as large, (f,).

    The nearest in the order of how many queries they fire on, equals in random order; NaN where there is no other.
    """
    f = len(drop)
    p = min(PEERS, f - 1)
    if p < 1:
        return np.full(f, np.nan)
    order = np.lexsort((np.random.default_rng([seed, 3]).random(f), fires))
    drawn = drop[order]
    first = np.clip(np.arange(f) - p // 2, 0, f - p - 1)
    windows = np.lib.stride_tricks.sliding_window_view(drawn, p + 1)[first]  # (f, p + 1), itself among them
    found = np.empty(f)
    found[order] = ((windows >= drawn[:, None] - 1e-12).sum(axis=1) - 1) / p
    return found


def _drops(
    case: Case,
    whole: Array,
    of: NDArray[np.int64],
    chosen: NDArray[np.bool_],
    parts: NDArray[np.int64],
    directions: NDArray[np.float32],
    told: Told | None,
) -> Array:
    draws = parts.shape[1]
    made = np.full((len(chosen), draws), np.nan)
    made[chosen] = 0
    at = np.flatnonzero(chosen[of])
    query, part = np.repeat(queries_of(case.codes)[at], draws), parts[at].ravel()
    amount = np.where(part >= 0, np.repeat(case.codes.activations[at], draws), 0)
    variants = one_part_each(query, np.maximum(part, 0), amount, directions)
    change = whole[query] - case.ndcg(ranks_of(variants, case, told=told))
    np.add.at(made, (np.repeat(of[at], draws), np.tile(np.arange(draws), len(at))), change / len(whole))
    return made
