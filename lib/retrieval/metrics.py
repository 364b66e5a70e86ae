"""Retrieval metrics: how early do the relevant documents stand in what a system answers?

Everything is computed from the ranks of the judged documents alone, and equals trec_eval (through pytrec_eval) where
trec_eval has the metric. A query without a relevant document has no value: it is left out of every mean and counted,
as trec_eval does. A document that was not judged counts as not relevant.

Two numbers go by the name Recall@k. Here `recall@k` is the share of a query's relevant documents among the first k,
`hit@k` (success@k, hit rate) is 1 if any of them is. They are the same where every query has one relevant document.

Two go by the name MRR as well: `mrr` looks at the whole ranking, as trec_eval does; `mrr@k` is 0 for a query whose
first relevant document comes after k. MS MARCO reports `mrr@10`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lib.errors import InputError
from lib.results import Result
from lib.retrieval.run import JudgedRanks

Gain = Literal["linear", "exponential"]

CUTOFFS = (1, 5, 10)
"""Cut-offs when none are given."""
_LARGEST_EXPONENT = 1_000  # 2 ** 1024 is no float any more


@dataclass(frozen=True, eq=False)
class QueryMetrics(Result):
    """Every metric of every query that has a relevant document."""

    names: tuple[str, ...]
    """Names of the c metrics: recall@k, hit@k, precision@k, ndcg@k for each cut-off, mrr, map, then mrr@k for each."""
    values: NDArray[np.float64]
    """Their values, shape (s, c), 0 to 1, higher is better."""
    query: NDArray[np.int64]
    """Row of each query in its set, shape (s,), ascending."""
    skipped: int
    """Queries left out because no document is relevant to them."""
    gain: str
    """What a grade is worth in ndcg@k: "linear" is the grade itself (trec_eval), "exponential" 2^grade - 1."""
    cutoffs: tuple[int, ...]
    """The cut-offs k, ascending."""

    def column(self, name: str) -> NDArray[np.float64]:
        """Values of one metric, shape (s,).

        Raises:
            InputError: no such metric.
        """
        if name not in self.names:
            raise InputError(f"There is no metric {name!r} here; there are {', '.join(self.names)}.")
        return self.values[:, self.names.index(name)]

    @property
    def means(self) -> dict[str, float]:
        """Mean of each metric over the s queries; empty where there is none."""
        return dict(zip(self.names, self.values.mean(axis=0).tolist(), strict=True)) if len(self.values) else {}


def query_metrics(judged: JudgedRanks, *, cutoffs: Sequence[int] = CUTOFFS, gain: Gain = "linear") -> QueryMetrics:
    """Metrics of each query; R is the number of its relevant documents (grade above 0), rank 1 is best.

    - recall@k: relevant documents among the first k, divided by R.
    - hit@k: 1 if a relevant document is among the first k, else 0.
    - precision@k: relevant documents among the first k, divided by k, even where fewer were retrieved.
    - ndcg@k: sum of gain / log2(rank + 1) over the first k, divided by the most that any order of all judged
      documents, retrieved or not, would give (Järvelin and Kekäläinen 2002).
    - mrr: 1 / rank of the first relevant document, 0 where none was retrieved.
    - map: mean over the R relevant documents of the precision at their rank, 0 for those not retrieved. It, and mrr,
      see as deep as the run goes: compare runs of one depth.
    - mrr@k: the same as mrr where that document is among the first k, else 0.

    Raises:
        InputError: a cut-off below 1, no cut-off, another gain, a grade above 1000 with exponential gain.
    """
    kept = _checked_cutoffs(cutoffs)
    relevant = judged.relevance > 0
    query, rank = judged.query[relevant], judged.rank[relevant]
    count = np.bincount(query, minlength=judged.queries)  # R
    rows = np.flatnonzero(count)
    place = np.cumsum(count > 0) - 1  # of a query among those that have a relevant document
    query, count = place[query], count[rows]
    gains = _gains(judged.relevance[relevant], gain)

    def total(chosen: NDArray[np.bool_], weights: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
        return np.bincount(query[chosen], None if weights is None else weights[chosen], len(rows)).astype(np.float64)

    found = rank > 0
    within = [found & (rank <= k) for k in kept]
    hits = [total(first) for first in within]
    discounted = gains / np.log2(np.where(found, rank, 1) + 1)
    ideal = _ideal(query, gains, kept, rows=len(rows))
    first, average = _first_and_average(query[found], rank[found], count)
    columns = [
        *(number / count for number in hits),
        *((number > 0).astype(np.float64) for number in hits),
        *(number / k for number, k in zip(hits, kept, strict=True)),
        *(total(chosen, discounted) / best for chosen, best in zip(within, ideal, strict=True)),
        first,
        average,
        *(np.where(first >= 1 / k, first, 0) for k in kept),
    ]
    names = [f"{metric}@{k}" for metric in ("recall", "hit", "precision", "ndcg") for k in kept]
    names += ["mrr", "map", *(f"mrr@{k}" for k in kept)]
    return QueryMetrics(tuple(names), np.column_stack(columns), rows, judged.queries - len(rows), gain, kept)


def _checked_cutoffs(cutoffs: Sequence[int]) -> tuple[int, ...]:
    """Distinct cut-offs, ascending."""
    kept = tuple(sorted({int(k) for k in cutoffs}))
    if not kept or kept[0] < 1:
        raise InputError(f"Metrics need cut-offs of 1 or more, got {', '.join(map(str, cutoffs)) or 'none'}.")
    return kept


def _gains(relevance: NDArray[np.int64], gain: str) -> NDArray[np.float64]:
    if gain == "linear":
        return relevance.astype(np.float64)
    if gain != "exponential":
        raise InputError(f"Gain should be linear or exponential, got {gain!r}.")
    if len(relevance) and relevance.max() > _LARGEST_EXPONENT:
        raise InputError(
            f"Exponential gain (2^grade - 1) takes grades up to {_LARGEST_EXPONENT:,}, got {relevance.max():,}: "
            "choose linear gain or smaller grades."
        )
    return np.exp2(relevance.astype(np.float64)) - 1


def _ideal(
    query: NDArray[np.int64], gains: NDArray[np.float64], cutoffs: tuple[int, ...], *, rows: int
) -> list[NDArray[np.float64]]:
    """The highest discounted gain that the first k could have, for each k: shape (rows,) each."""
    order = np.lexsort((-gains, query))
    query, gains = query[order], gains[order]
    rank = _position(query) + 1
    discounted = gains / np.log2(rank + 1)
    return [np.bincount(query[rank <= k], discounted[rank <= k], rows).astype(np.float64) for k in cutoffs]


def _first_and_average(
    query: NDArray[np.int64], rank: NDArray[np.int64], count: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Reciprocal rank of the first, and average precision, from the ranks of the relevant documents retrieved."""
    order = np.lexsort((rank, query))
    query, rank = query[order], rank[order]
    position = _position(query)
    first = np.zeros(len(count))
    first[query[position == 0]] = 1 / rank[position == 0]
    return first, np.bincount(query, (position + 1) / rank, len(count)) / count


def _position(query: NDArray[np.int64]) -> NDArray[np.int64]:
    """0, 1, 2, ... within each run of equal values of the ascending `query`."""
    return np.arange(len(query)) - np.searchsorted(query, query)
