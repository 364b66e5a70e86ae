"""Is retrieval carried by few features or by many? NDCG as features are taken out one after another, or kept so.

An order that is fitted to the queries on which it is then judged looks better than it is. So the queries are halved at
random, queries with the same text into the same half: the order of the features (largest drop first, equal drops by
total activation) is measured on one half and followed on the other, and the other way round; a curve is the mean over
all queries. What the dictionary leaves out,
and its bias, stay in every query: a curve of kept features begins where these alone leave retrieval, not at 0.

Three orders: by *drop*, by total *activation*, and at *random*, the mean of a few shuffles.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from lib.corpora import QuerySet
from lib.errors import InputError
from lib.progress import Progress, Told
from lib.retrieval import Gain, Measure
from lib.retrieval.bootstrap import interval
from lib.retrieval.measures import Vectors
from lib.retrieval.progress_parts import part
from lib.sae.autoencoder import SparseAutoencoder
from lib.sae.codes import Codes
from lib.sae.faithfulness.case import Case, case_of
from lib.sae.faithfulness.ranks import ranks_of
from lib.sae.faithfulness.repeats import by_text
from lib.sae.faithfulness.result import Curves
from lib.sae.faithfulness.variants import prefixes, queries_of, without_each
from lib.sae.retrieval_kept import share_interval

Array = NDArray[np.float64]

FEW = 0.1
"""The share of the features that is asked to carry most."""
MOST, HALF = 0.9, 0.5
"""Shares of what all features carry, from which it is few, and below which it is many."""
_PER_DOUBLING = 2
_SHUFFLES = 3
_RESAMPLES = 2_000


def cumulative_curves(
    sae: SparseAutoencoder,
    queries: QuerySet,
    query_vectors: NDArray[np.floating],
    document_vectors: Vectors,
    *,
    k: int = 10,
    gain: Gain = "linear",
    measure: Measure = "cosine",
    seed: int = 0,
    progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Curves:
    """Take features out, or keep them, in three orders; exact at every step, over all queries.

    Raises:
        InputError: as `case_of`; fewer than two queries with a relevant document; no feature fires.
        Stopped: `should_stop` said so.
    """
    case = case_of(sae, queries, query_vectors, document_vectors, k=k, gain=gain, measure=measure)
    if case.texts < 2:
        raise InputError(
            "The order of the features is measured on one half of the queries and followed on the other, so at least 2 "
            f"different queries with a relevant document are needed, got {case.texts}."
        )
    if not len(case.codes.features):
        raise InputError("No feature fires on any of the queries: there is nothing to take out. Choose another SAE.")
    work = _Work(case, seed, progress, should_stop)
    return work.curves()


class _Work:
    """Follows orders through the queries."""

    def __init__(
        self, case: Case, seed: int, progress: Progress | None, should_stop: Callable[[], bool] | None
    ) -> None:
        self.case, self.seed, self.progress, self.should_stop = case, seed, progress, should_stop
        self.found = np.unique(case.codes.features)
        self.steps = step_sizes(len(self.found))
        self.rng = np.random.default_rng(seed)
        self.half = (self.rng.permutation(case.texts) % 2).astype(np.int64)[case.text]
        self.passes = 0

    def curves(self) -> Curves:
        case, found = self.case, self.found
        by_drop, by_activation = self._measured_orders()
        removed, kept = self._both(by_drop)
        removed_size, kept_size = self._both(by_activation)
        shuffled = [self._both(self._shuffled()) for _ in range(_SHUFFLES)]
        at_random = np.stack([one.mean(axis=0) for _, one in shuffled])
        removed_low, removed_high = self._ends(removed)
        kept_low, kept_high = self._ends(kept)
        mean, few = kept.mean(axis=0), few_of(len(found))
        won = [self._won(one, few) for one in (mean, kept_size.mean(axis=0), at_random.mean(axis=0))]
        better = kept if won[0] >= won[1] else kept_size
        every = np.arange(len(kept))
        names, rows = self._topics()
        topics = [_means(one, rows) for one in (removed, kept, removed_size, kept_size)]
        return Curves(
            steps=self.steps,
            removed=removed.mean(axis=0),
            removed_low=removed_low,
            removed_high=removed_high,
            kept=mean,
            kept_low=kept_low,
            kept_high=kept_high,
            removed_by_activation=removed_size.mean(axis=0),
            kept_by_activation=kept_size.mean(axis=0),
            removed_at_random=np.stack([one.mean(axis=0) for one, _ in shuffled]),
            kept_at_random=at_random,
            topics=names,
            topic_queries=np.array([len(row) for row in rows], dtype=np.int64),
            topic_removed=topics[0],
            topic_kept=topics[1],
            topic_removed_by_activation=topics[2],
            topic_kept_by_activation=topics[3],
            topic_won=np.array([self._won_of(better, row, few) for row in rows]).reshape(len(rows), 3),
            few=few,
            few_activation=self._held_by(few),
            won_back=won[0],
            won_by_activation=won[1],
            won_at_random=won[2],
            won_low=self._won_of(better, every, few)[1],
            won_high=self._won_of(better, every, few)[2],
            verdict=self._verdict(max(won[:2]), kept[:, -1] - kept[:, 0]),
            rule=_rule(),
            features=len(found),
            queries=len(case.rows),
            texts=case.texts,
            skipped=case.skipped,
            k=case.k,
            gain=case.gain,
            measure=case.measure,
            seed=self.seed,
        )

    def _told(self) -> Told:
        self.passes += 1
        return Told(part(self.progress, self.passes - 1, 1 + 2 * (2 + _SHUFFLES)), self.should_stop)

    def _measured_orders(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Orders by drop and by activation that each half's queries follow, shape (2, f): measured on the other."""
        case, codes = self.case, self.case.codes
        whole, query = case.searched(case.asked), queries_of(codes)
        without = case.ndcg(ranks_of(without_each(codes, case.sae.decoder_weights), case, told=self._told()))
        of = np.searchsorted(self.found, codes.features)
        by_drop, by_activation = [], []
        for half in (0, 1):
            other = self.half[query] != half
            drop = np.bincount(of[other], (whole[query] - without)[other], len(self.found))
            total = np.bincount(of[other], codes.activations[other], len(self.found))
            by_drop.append(np.lexsort((self.found, -total, -np.round(drop, 12))))
            by_activation.append(np.lexsort((self.found, -total)))
        return np.stack(by_drop), np.stack(by_activation)

    def _shuffled(self) -> NDArray[np.int64]:
        order = self.rng.permutation(len(self.found))
        return np.stack([order, order])

    def _both(self, orders: NDArray[np.int64]) -> tuple[Array, Array]:
        """NDCG of each query at each step, features taken out and kept in these orders (2, f): shape (s, g) each."""
        codes: Codes = self.case.codes
        places = np.empty_like(orders)
        np.put_along_axis(places, orders, np.broadcast_to(np.arange(orders.shape[1]), orders.shape), axis=1)
        of = places[self.half[queries_of(codes)], np.searchsorted(self.found, codes.features)]
        made = []
        for keep in (False, True):
            found = prefixes(codes, of, self.steps, directions=self.case.sae.decoder_weights, keep=keep)
            made.append(self.case.ndcg(ranks_of(found.variants, self.case, told=self._told()))[found.at])
        return made[0], made[1]

    def _won(self, kept: Array, few: int) -> float:
        """How much of what all features add to bias and error `few` of them do."""
        added = kept[-1] - kept[0]
        at = int(np.flatnonzero(self.steps == few)[0])
        return float((kept[at] - kept[0]) / added) if added > 1e-9 else float("nan")

    def _won_of(self, kept: Array, rows: NDArray[np.int64], few: int) -> tuple[float, float, float]:
        """That share over some queries and the ends of its interval, of what each has at each step (s, g)."""
        won, (_, text) = self._won(kept[rows].mean(axis=0), few), np.unique(self.case.text[rows], return_inverse=True)
        if np.isnan(won):
            return won, won, won
        at = int(np.flatnonzero(self.steps == few)[0])
        pairs = by_text((kept[:, [-1, at]] - kept[:, :1])[rows], text)
        return won, *share_interval(pairs, resamples=_RESAMPLES, seed=self.seed)

    def _held_by(self, few: int) -> float:
        """Share of all activation that the `few` of largest total activation hold."""
        total = np.sort(np.bincount(self.case.codes.features, self.case.codes.activations))[::-1]
        return float(total[:few].sum() / total.sum())

    def _ends(self, values: Array) -> tuple[Array, Array]:
        """Ends of the interval of the mean over queries, for each column."""
        return interval(by_text(values, self.case.text), resamples=_RESAMPLES, seed=self.seed)

    def _verdict(self, won: float, added: Array) -> str:
        """The verdict; `added` is what all features add to bias and error on each query, shape (s,)."""
        low, _ = self._ends(added[:, None])
        if np.isnan(won) or not low[0] > 0:
            return "none"
        return "few" if won >= MOST else "many" if won < HALF else "between"

    def _topics(self) -> tuple[tuple[str, ...], list[NDArray[np.int64]]]:
        """Names of the topics, and the rows of each one's queries."""
        queries = self.case.queries
        names = queries.topic_names
        of = np.array(queries.topics if queries.topics is not None else [None] * len(queries.queries), dtype=object)
        return tuple(names), [np.flatnonzero(of == name) for name in names]


def _means(values: Array, rows: list[NDArray[np.int64]]) -> Array:
    """Mean over each topic's queries, shape (t, g)."""
    return np.stack([values[row].mean(axis=0) for row in rows]) if rows else values[:0]


def few_of(features: int) -> int:
    """How many of so many features are few: a tenth, at least 1."""
    return max(1, round(FEW * features))


def step_sizes(features: int) -> NDArray[np.int64]:
    """0, 1, 2, 3, 4, 6, 8, ... up to all, two a doubling, and a tenth of them."""
    doublings = np.arange(_PER_DOUBLING * int(np.ceil(np.log2(max(features, 2)))) + 1) / _PER_DOUBLING
    grown = np.round(2.0**doublings).astype(np.int64)
    return np.unique(np.concatenate([[0], grown[grown < features], [few_of(features), features]]))


def _rule() -> str:
    return (
        f"Few: the first {100 * FEW:.0f} % of the features that fire, by their drop or by their total activation, "
        f"whichever does better, win back {100 * MOST:.0f} % or more of what all of them add to the bias and the "
        f"error. Many: less than {100 * HALF:.0f} %. Between: the rest. None: the 95 % interval of what all of them "
        "add reaches 0."
    )
