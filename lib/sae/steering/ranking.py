"""Retrieval before and after: which texts of the corpus a steered query finds, or a query among steered documents.

Scores are cosine similarities. Nothing is encoded again: they follow from the products of `products`.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lib.errors import InputError
from lib.results import Result
from lib.sae.steering.products import Products, products_of
from lib.sae.steering.recipes import Push
from lib.sae.steering.steer import apply_push, shift

Side = Literal["query", "documents"]
KEPT_ROWS = 100


@dataclass(frozen=True, eq=False)
class Reranked(Result):
    """The head of a ranking of the corpus before and after steering."""

    side: Side
    """What was steered."""
    shift: float
    """Cosine shift of what was steered, 0 to 2: the query's, or the mean over the documents ranked."""
    before: NDArray[np.int64]
    """Rows of the first texts before, best first, shape (k,)."""
    before_scores: NDArray[np.float64]
    """Their cosine similarities, shape (k,)."""
    before_now: NDArray[np.int64]
    """Their ranks after, from 1, shape (k,)."""
    after: NDArray[np.int64]
    """Rows of the first texts after, shape (k,)."""
    after_scores: NDArray[np.float64]
    """Their cosine similarities after, shape (k,)."""
    after_were: NDArray[np.int64]
    """Their ranks before, from 1, shape (k,)."""
    firing: int
    """Texts among those ranked on which the target fires; 0 where it was not asked."""
    firing_before: float
    """Their mean rank before; NaN where there are none."""
    firing_after: float
    """Their mean rank after."""
    items: int
    """Texts that were ranked, n."""
    left_out: int
    """Texts that were not ranked: the query itself, where it stands in the corpus."""

    def kept(self, top: int) -> int:
        """How many of the first `top` are among the first `top` after."""
        return int((self.before_now[:top] <= top).sum())


def rerank(
    vectors: NDArray[np.floating],
    vector: NDArray[np.floating],
    push: Push,
    *,
    side: Side = "query",
    left_out: NDArray[np.integer] | None = None,
    firing: NDArray[np.integer] | None = None,
    products: Products | None = None,
) -> Reranked:
    """Rank the corpus, `vectors` (n, d), for the query `vector` (d,) before and after `push`; ties by row.

    `left_out` are rows that are not ranked, `firing` those whose mean rank is told. Who has the `products` of these
    vectors, this query and this push at hand gives them, and then no vector is read.

    Raises:
        InputError: an unknown side, vectors of another width, no text left to rank.
    """
    if side not in ("query", "documents"):
        raise InputError(f"Either the query or the documents can be steered, got {side!r}.")
    n = len(vectors)
    ranked = np.ones(n, dtype=bool)
    ranked[[] if left_out is None else np.asarray(left_out, dtype=np.int64)] = False
    if not ranked.any():
        raise InputError("There is no text to rank besides the query itself: choose a corpus with more texts.")
    x, added = np.asarray(vector, dtype=np.float64), push.vector.astype(np.float64)
    moved = apply_push(np.asarray(vector)[None], push)[0] if side == "query" else x
    known = products or products_of(vectors, x, added)
    old = _quotient(known.text, np.linalg.norm(x) * np.sqrt(known.squares))
    if side == "query":
        new = _quotient(known.text + known.pushed, np.linalg.norm(x + added) * np.sqrt(known.squares))
    else:
        new = _quotient(known.text + x @ added, np.linalg.norm(x) * np.sqrt(_squares_after(known, added)))
    rank_before, rank_after = ranks(old, ranked), ranks(new, ranked)
    k = min(KEPT_ROWS, int(ranked.sum()))
    before, after = _first(rank_before, k), _first(rank_after, k)
    rows = np.array([], dtype=np.int64) if firing is None else np.asarray(firing, dtype=np.int64)
    rows = rows[ranked[rows]]
    return Reranked(
        side=side,
        shift=_shift(x, moved) if side == "query" else _mean_shift(known, added, ranked),
        before=before,
        before_scores=old[before],
        before_now=rank_after[before],
        after=after,
        after_scores=new[after],
        after_were=rank_before[after],
        firing=len(rows),
        firing_before=float(rank_before[rows].mean()) if len(rows) else float("nan"),
        firing_after=float(rank_after[rows].mean()) if len(rows) else float("nan"),
        items=int(ranked.sum()),
        left_out=int(n - ranked.sum()),
    )


def ranks(scores: NDArray[np.float64], ranked: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Ranks from 1 among those that are `ranked`, the highest score first, ties by row, shape (n,); 0 for others."""
    rows = np.flatnonzero(ranked)
    order = rows[np.argsort(-scores[rows], kind="stable")]
    made = np.zeros(len(scores), dtype=np.int64)
    made[order] = np.arange(1, len(order) + 1)
    return made


def _shift(x: NDArray[np.float64], moved: NDArray[np.floating]) -> float:
    return 0.0 if np.array_equal(x, moved) else shift(x, moved)


def _quotient(above: NDArray[np.float64], below: NDArray[np.float64]) -> NDArray[np.float64]:
    """`above` / `below`; 0 where a vector is all zeros."""
    made: NDArray[np.float64] = np.divide(above, below, out=np.zeros(len(above)), where=below > 0)
    return made


def _squares_after(known: Products, added: NDArray[np.float64]) -> NDArray[np.float64]:
    """Squared lengths of the documents with what was `added`, shape (n,)."""
    made: NDArray[np.float64] = np.maximum(known.squares + 2 * known.pushed + added @ added, 0)
    return made


def _mean_shift(known: Products, added: NDArray[np.float64], ranked: NDArray[np.bool_]) -> float:
    """Mean of 1 - cos(v, v + added) over the documents that are ranked and no zeros."""
    if not added.any():
        return 0.0
    lengths = np.sqrt(known.squares * _squares_after(known, added))
    kept = ranked & (lengths > 0)
    if not kept.any():
        return 0.0
    return float((1 - np.clip((known.squares + known.pushed)[kept] / lengths[kept], -1, 1)).mean())


def _first(rank: NDArray[np.int64], k: int) -> NDArray[np.int64]:
    """Rows with the ranks 1 to k, in that order."""
    rows = np.flatnonzero((rank > 0) & (rank <= k))
    return rows[np.argsort(rank[rows])]
