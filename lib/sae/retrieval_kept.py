"""How much retrieval is left when embeddings are replaced by reconstructions: what the features keep of meaning.

Reconstructions can be near and still order documents otherwise: FVU weighs every direction by its variance, a search by
what tells documents apart. Three searches answer the same queries: with the embeddings themselves, with reconstructed
documents, and with queries and documents reconstructed. They are compared query by query.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.corpora import QuerySet
from lib.errors import InputError, Stopped
from lib.progress import Progress
from lib.results import Result
from lib.retrieval import Measure, PairedTest, QueryMetrics, judged_ranks, paired_test, query_metrics, search
from lib.retrieval.bootstrap import interval
from lib.sae.autoencoder import SparseAutoencoder

_STEPS = 5
_RESAMPLES = 10_000


@dataclass(frozen=True, eq=False)
class Kept(Result):
    """Reconstructions against the embeddings, on the same queries."""

    ndcg: float
    """Mean NDCG with reconstructions, 0 to 1."""
    share: float
    """That over the mean NDCG with the embeddings: 1 keeps all; can exceed 1. NaN where the embeddings find nothing."""
    share_low: float
    """Lower end of its 95 % interval: queries drawn again with replacement, both means over the same ones."""
    share_high: float
    """Its upper end; NaN where there is one query, as the lower."""
    test: PairedTest
    """Reconstructions (b) against embeddings (a): difference, its interval, p-value under random signs."""


@dataclass(frozen=True, eq=False)
class RetrievalKept(Result):
    """One query set, searched with embeddings and with reconstructions."""

    name: str
    """The query set."""
    metric: str
    """The metric, such as ndcg@10."""
    measure: str
    """What scores were: cosine, dot, l2 or manhattan."""
    raw: float
    """Mean of the metric with the embeddings, 0 to 1."""
    raw_low: float
    """Lower end of its 95 % bootstrap interval over queries; NaN where there is one query."""
    raw_high: float
    """Its upper end."""
    both: Kept
    """Queries and documents replaced by their reconstructions."""
    documents: Kept
    """Documents alone replaced: queries as the encoder gives them."""
    queries: int
    """Queries behind every figure: those with a relevant document."""
    skipped: int
    """Queries left out because no document is relevant to them."""
    items: int
    """Documents searched."""
    resamples: int
    """Random draws behind intervals of shares and behind p-values."""
    seed: int
    """Their seed."""


def retrieval_kept(
    sae: SparseAutoencoder,
    queries: QuerySet,
    query_vectors: NDArray[np.floating],
    document_vectors: NDArray[np.floating],
    *,
    k: int = 10,
    measure: Measure = "cosine",
    resamples: int = _RESAMPLES,
    seed: int = 0,
    progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> RetrievalKept:
    """NDCG@k of `queries` with their vectors (q, d) and the documents' (n, d), and with reconstructions of them.

    By cosine the length of a reconstruction does not count; by the other measures it is searched as it is.

    Raises:
        InputError: vectors of another width than the dictionary's, no query with a relevant document, k or resamples
            below 1.
        Stopped: `should_stop` said so.
    """
    if not queries.relevant.any():
        raise InputError("No query has a relevant document, so there is nothing to measure: give judgements above 0.")
    if k < 1 or resamples < 1:
        raise InputError(f"NDCG needs a cut-off, and the bootstrap draws, of 1 or more; got {k} and {resamples}.")
    steps = iter(range(_STEPS))

    def tell() -> None:
        if should_stop and should_stop():
            raise Stopped
        if progress:
            progress(next(steps), _STEPS)

    def measured(asked: NDArray[np.floating], held: NDArray[np.floating]) -> QueryMetrics:
        tell()
        run = search(asked, held, k, measure=measure, tie_order=queries.tie_order, should_stop=should_stop)
        return query_metrics(judged_ranks(queries, run), cutoffs=(k,))

    tell()
    documents = sae.reconstruct(document_vectors)
    tell()
    asked = sae.reconstruct(query_vectors)
    raw = measured(query_vectors, document_vectors)
    alone, both = measured(query_vectors, documents), measured(asked, documents)
    if progress:
        progress(_STEPS, _STEPS)
    metric = f"ndcg@{k}"
    values = raw.column(metric)
    low, high = interval(values[:, None], seed=seed)
    return RetrievalKept(
        name=queries.name,
        metric=metric,
        measure=measure,
        raw=float(values.mean()),
        raw_low=float(low[0]),
        raw_high=float(high[0]),
        both=_kept(raw, both, metric, resamples=resamples, seed=seed),
        documents=_kept(raw, alone, metric, resamples=resamples, seed=seed),
        queries=len(raw.query),
        skipped=raw.skipped,
        items=len(document_vectors),
        resamples=resamples,
        seed=seed,
    )


def _kept(raw: QueryMetrics, other: QueryMetrics, metric: str, *, resamples: int, seed: int) -> Kept:
    test = paired_test(raw, other, metric, resamples=resamples, seed=seed)
    pairs = np.column_stack([raw.column(metric), other.column(metric)])
    low, high = share_interval(pairs, resamples=resamples, seed=seed)
    share = test.mean_b / test.mean_a if test.mean_a > 0 else float("nan")
    return Kept(ndcg=test.mean_b, share=share, share_low=low, share_high=high, test=test)


def share_interval(pairs: NDArray[np.float64], *, resamples: int, seed: int) -> tuple[float, float]:
    """Quantiles .025 and .975 of mean b / mean a over queries drawn again; `pairs` has a and b, shape (s, 2).

    Draws in which mean a is not above 0 have no share and are left out.
    """
    s = len(pairs)
    if s == 1:
        return float("nan"), float("nan")
    generator, shares = np.random.default_rng(seed), []
    for start in range(0, resamples, 500):
        often = generator.multinomial(s, np.full(s, 1 / s), size=min(500, resamples - start))
        a, b = (often @ pairs).T
        shares.append(b[a > 0] / a[a > 0])
    drawn = np.concatenate(shares)
    if not len(drawn):
        return float("nan"), float("nan")
    low, high = np.quantile(drawn, (0.025, 0.975))
    return float(low), float(high)
