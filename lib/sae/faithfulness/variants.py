"""Variants of queries: each is one query's embedding with something taken out along a few directions.

    x' = x - sum_j amount_j direction_j

Taking feature f out is one such part, its activation along its direction. What the dictionary leaves out stays, so that
a variant with no part is the query itself.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.sae.codes import Codes


@dataclass(frozen=True, eq=False)
class Variants:
    """v variants of the queries of a case, with p parts in all."""

    query: NDArray[np.int64]
    """Row of each variant's query, shape (v,), ascending."""
    starts: NDArray[np.int64]
    """Where each variant's parts begin in the two arrays below, shape (v + 1,)."""
    part: NDArray[np.int64]
    """Row of each part's direction, shape (p,)."""
    amount: NDArray[np.float64]
    """How much is taken out along it, shape (p,)."""
    directions: NDArray[np.float32]
    """Unit directions, shape (m, d)."""

    def __len__(self) -> int:
        return len(self.query)

    @property
    def single(self) -> bool:
        """Whether each variant has one part, no more and no less."""
        return len(self.part) == len(self.query) and bool((np.diff(self.starts) == 1).all())


def without_each(codes: Codes, directions: NDArray[np.float32]) -> Variants:
    """A variant for each feature that fires on a query, without that feature: as many as `codes` has activations."""
    return one_part_each(queries_of(codes), codes.features, codes.activations, directions)


def one_part_each(
    query: NDArray[np.integer],
    part: NDArray[np.integer],
    amount: NDArray[np.floating],
    directions: NDArray[np.float32],
) -> Variants:
    """Variants of one part: `query` ascends."""
    return Variants(
        np.asarray(query, dtype=np.int64),
        np.arange(len(query) + 1, dtype=np.int64),
        np.asarray(part, dtype=np.int64),
        np.asarray(amount, dtype=np.float64),
        directions,
    )


@dataclass(frozen=True, eq=False)
class Prefixes:
    """Each query without the first features of an order, or with those alone, at several lengths."""

    variants: Variants
    """Different ones: at most a_q + 1 of a query on which a_q features fire."""
    at: NDArray[np.int64]
    """Which variant each query is at each length, shape (s, g)."""


def prefixes(
    codes: Codes, places: NDArray[np.int64], steps: NDArray[np.int64], *, directions: NDArray[np.float32], keep: bool
) -> Prefixes:
    """Each query without the first m features of an order, or without all but these, for each m of `steps` (g,).

    `places` has the place of each activation's feature in that order, shape (active,).
    """
    counts, parts, amounts, query, at, made = [np.zeros(1, dtype=np.int64)], [], [], [], [], 0
    for row in range(len(codes)):
        here = slice(codes.starts[row], codes.starts[row + 1])
        order = np.argsort(places[here], kind="stable")
        order = order[::-1] if keep else order
        a = len(order)
        first = np.searchsorted(np.sort(places[here]), steps)  # of the query's features, among the first m
        lengths, which = np.unique(a - first if keep else first, return_inverse=True)
        held = np.concatenate([np.zeros(0, dtype=np.int64), *(np.arange(length) for length in lengths.tolist())])
        parts.append(codes.features[here][order][held])
        amounts.append(codes.activations[here][order][held])
        counts.append(lengths.astype(np.int64))
        query.append(np.full(len(lengths), row))
        at.append(made + which.ravel())
        made += len(lengths)
    variants = Variants(
        np.concatenate(query).astype(np.int64),
        np.cumsum(np.concatenate(counts)),
        np.concatenate(parts).astype(np.int64),
        np.concatenate(amounts).astype(np.float64),
        directions,
    )
    return Prefixes(variants, np.stack(at))


def queries_of(codes: Codes) -> NDArray[np.int64]:
    """Row of the query of each activation, shape (active,)."""
    return np.repeat(np.arange(len(codes)), codes.active)
