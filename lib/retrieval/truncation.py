"""How many dimensions does retrieval need? Quality at each prefix of the embedding, renormalised.

An encoder trained with Matryoshka representation learning (Kusupati et al. 2022, arXiv:2205.13147) packs what matters
into its first dimensions; in any other, the first m are as good as any m. That is the test: the prefix against random
subsets of as many dimensions. Vectors that a PCA ordered look the same in it, and may be cut as well.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lib.corpora import QuerySet
from lib.errors import InputError
from lib.progress import Progress, Told
from lib.results import Result
from lib.retrieval.bootstrap import interval
from lib.retrieval.measures import Vectors, lengths
from lib.retrieval.metrics import QueryMetrics, query_metrics
from lib.retrieval.run import Run, judged_ranks
from lib.retrieval.search import search

Verdict = Literal["ordered", "unordered", "unclear"]

DRAWS = 19
"""Random subsets of each size: by chance a prefix beats all of them once in 20."""
LEAST_LOSS = 0.02
"""NDCG@10 that random subsets must lose at a size for it to tell anything."""
LEAST_RECOVERED = 0.25
"""Share of that loss that an ordered prefix must win back."""
FEWEST_QUERIES = 20
"""Queries below which no verdict is given."""
_DEPTH = 10
_SMALLEST = 8


@dataclass(frozen=True, eq=False)
class PrefixQuality(Result):
    """Retrieval with the first dimensions only; p sizes, s queries with a relevant document, cosine throughout."""

    dims: tuple[int, ...]
    """Dimensions kept, ascending, the last of them all d."""
    ndcg: NDArray[np.float64]
    """Mean NDCG@10 with the first dimensions, shape (p,)."""
    ndcg_low: NDArray[np.float64]
    """Lower end of its 95 % bootstrap interval over queries, shape (p,); NaN where there is one query."""
    ndcg_high: NDArray[np.float64]
    """Its upper end, shape (p,)."""
    recall: NDArray[np.float64]
    """Mean recall@10 with the first dimensions, shape (p,)."""
    random: NDArray[np.float64]
    """Mean NDCG@10 of each random subset of as many dimensions, shape (draws, p)."""
    pca: NDArray[np.float64]
    """Mean NDCG@10 after turning the vectors to the principal axes of these documents and keeping the first of those,
    shape (p,): about the best that a linear map to so few dimensions does without judgements."""
    ahead: NDArray[np.float64]
    """NDCG@10 of the prefix less the mean of the random subsets, shape (p,)."""
    ahead_low: NDArray[np.float64]
    """Lower end of its 95 % bootstrap interval over queries, shape (p,)."""
    ahead_high: NDArray[np.float64]
    """Its upper end, shape (p,)."""
    tells: NDArray[np.bool_]
    """Whether random subsets lose enough (LEAST_LOSS) at this size for it to tell, shape (p,)."""
    wins: NDArray[np.bool_]
    """Whether the prefix beats every random subset and wins back LEAST_RECOVERED of their loss, shape (p,)."""
    verdict: Verdict
    """"ordered" (looks Matryoshka-trained, or ordered by PCA): the prefix wins at most of the sizes that tell.
    "unordered": at half of them or fewer. "unclear": no size tells, or there are too few queries."""
    queries: int
    """Queries behind it, s."""
    items: int
    """Documents searched, n."""
    seed: int
    """Seed of the subsets and of the bootstrap."""


def prefix_sizes(d: int) -> tuple[int, ...]:
    """Powers of two from 8 (from 1 where d is below 16) up to d, and d."""
    first = _SMALLEST if d >= 2 * _SMALLEST else 1
    return tuple(sorted({2**i for i in range(d.bit_length()) if first <= 2**i <= d} | {d}))


def prefix_quality(
    queries: QuerySet,
    query_vectors: Vectors,
    document_vectors: Vectors,
    *,
    dims: Sequence[int] | None = None,
    draws: int = DRAWS,
    seed: int = 0,
    progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> PrefixQuality:
    """Search `document_vectors` (n, d) for `query_vectors` (q, d) with each prefix, random subsets and PCA.

    Raises:
        InputError: no query has a relevant document, a size outside 1 to d, fewer than one draw.
        Stopped: `should_stop` said so; asked between searches.
    """
    d = document_vectors.shape[1]
    sizes = tuple(sorted({*(prefix_sizes(d) if dims is None else dims), d}))
    if sizes[0] < 1 or sizes[-1] > d or draws < 1:
        raise InputError(f"Sizes should lie between 1 and {d} and draws be 1 or more, got {sizes} and {draws}.")
    rng, told = np.random.default_rng(seed), Told(progress, should_stop)
    order = np.array([rng.permutation(d) for _ in range(draws)])  # its first m are a random subset of m
    axes = _principal_axes(document_vectors)
    turned = query_vectors @ axes, document_vectors @ axes
    of, done, full = (draws + 2) * (len(sizes) - 1) + 1, 0, None
    prefix, random, pca = [], [], []
    for m in reversed(sizes):  # all of them first
        told(done, of)
        own = graded(queries, search_first(queries, query_vectors[:, :m], document_vectors[:, :m]))
        full = own if full is None else full
        prefix.append(own)
        if m == d:
            random.append(np.repeat(own.column("ndcg@10")[None], draws, axis=0))
            pca.append(float(own.column("ndcg@10").mean()))
            done += 1
            continue
        pca.append(_mean(queries, turned[0][:, :m], turned[1][:, :m]))
        drawn = []
        for columns in order[:, :m]:
            told(done := done + 1, of)
            run = search_first(queries, query_vectors[:, columns], document_vectors[:, columns])
            drawn.append(graded(queries, run).column("ndcg@10"))
        random.append(np.array(drawn))
        done += 1
    told(of, of)
    return _result(sizes, prefix[::-1], random[::-1], pca[::-1], items=len(document_vectors), seed=seed)


def _result(
    sizes: tuple[int, ...],
    prefix: list[QueryMetrics],
    random: list[NDArray[np.float64]],
    pca: list[float],
    *,
    items: int,
    seed: int,
) -> PrefixQuality:
    values = np.column_stack([metrics.column("ndcg@10") for metrics in prefix])  # (s, p)
    chance = np.array([drawn.mean(axis=1) for drawn in random]).T  # (draws, p)
    ahead = values - np.column_stack([drawn.mean(axis=0) for drawn in random])
    ends, ahead_ends = interval(values, seed=seed), interval(ahead, seed=seed)
    mean, gained = values.mean(axis=0), ahead.mean(axis=0)
    loss = mean[-1] - chance.mean(axis=0)
    tells = loss >= LEAST_LOSS
    wins = tells & (mean > chance.max(axis=0)) & (gained >= LEAST_RECOVERED * loss)
    verdict: Verdict = "ordered" if wins.sum() > tells.sum() / 2 else "unordered"
    return PrefixQuality(
        dims=sizes,
        ndcg=mean,
        ndcg_low=ends[0],
        ndcg_high=ends[1],
        recall=np.array([metrics.column("recall@10").mean() for metrics in prefix]),
        random=chance,
        pca=np.array(pca),
        ahead=gained,
        ahead_low=ahead_ends[0],
        ahead_high=ahead_ends[1],
        tells=tells,
        wins=wins,
        verdict=verdict if tells.any() and len(values) >= FEWEST_QUERIES else "unclear",
        queries=len(values),
        items=items,
        seed=seed,
    )


def search_first(queries: QuerySet, query_vectors: Vectors, document_vectors: Vectors, k: int = _DEPTH) -> Run:
    """The first k documents by cosine."""
    return search(query_vectors, document_vectors, k, tie_order=queries.tie_order)


def graded(queries: QuerySet, run: Run) -> QueryMetrics:
    """Metrics at 10 of a run that holds at least the first 10.

    Raises:
        InputError: no query has a relevant document.
    """
    if not queries.relevant.any():
        raise InputError("No query has a relevant document, so there is nothing to measure: give judgements above 0.")
    return query_metrics(judged_ranks(queries, run), cutoffs=(_DEPTH,))


def _mean(queries: QuerySet, query_vectors: Vectors, document_vectors: Vectors) -> float:
    return float(graded(queries, search_first(queries, query_vectors, document_vectors)).column("ndcg@10").mean())


def _principal_axes(vectors: Vectors) -> NDArray[np.float32]:
    """Eigenvectors of the second moments of the unit vectors, strongest first, as columns: shape (d, d)."""
    from lib.geometry.moments import moments

    some = lengths(vectors, measure="l2", what="document") > 0
    if not some.any():
        return np.eye(vectors.shape[1], dtype=np.float32)
    outer = moments(vectors if some.all() else vectors[some]).outer
    return np.asarray(np.linalg.eigh(outer)[1][:, ::-1], dtype=np.float32)
