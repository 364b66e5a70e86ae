"""Which features carry retrieval: each one taken out of all queries, and NDCG measured again.

    x' = x - a_f direction_f,    drop_f = mean over queries of NDCG@k(x) - NDCG@k(x')

A query on which f does not fire stays as it is and counts as 0. The documents stay as they are. Beside each drop stands
what two controls lose that take as much out of the same queries: a_f along the direction of *another* feature that
fires there, of those the ones that fire about as often; and a_f along a random direction. The features that fire on
about as many queries are its peers: how many of these cost as much when they themselves are taken out is told too.
"""

from collections.abc import Callable
from dataclasses import dataclass

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
from lib.sae.faithfulness.case import Case, case_of
from lib.sae.faithfulness.controls import matched_controls, peers, random_controls
from lib.sae.faithfulness.ranks import ranks_of
from lib.sae.faithfulness.repeats import by_text
from lib.sae.faithfulness.result import Faithfulness
from lib.sae.faithfulness.significance import FEWEST_CHANGED, false_discovery, needed, sign_p
from lib.sae.faithfulness.variants import queries_of, without_each
from lib.sae.faithfulness.verdicts import ALPHA, judge, rule

_RESAMPLES = 2_000
_COLUMNS = 256  # features whose intervals are made at once
FIRST, LAST = 40, 20
"""How many of the largest drops, and of the largest rises, have controls beside them, called or not."""
_UNSEEN = 3.0  # of s queries that all stayed the same, one in 20 sets of s hides 3 in s that change (the rule of three)
SAME = 1e-12
"""NDCG values nearer than this are the same."""


def faithfulness(
    sae: SparseAutoencoder,
    queries: QuerySet,
    query_vectors: NDArray[np.floating],
    document_vectors: Vectors,
    *,
    k: int = 10,
    gain: Gain = "linear",
    measure: Measure = "cosine",
    negligible: float = 0.005,
    draws: int = 10,
    resamples: int = _RESAMPLES,
    seed: int = 0,
    progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Faithfulness:
    """Take each feature out of all queries and measure NDCG@k again; exact, over every query with a relevant document.

    Raises:
        InputError: as `case_of`; no feature fires on any query; draws, resamples or `negligible` out of range.
        Stopped: `should_stop` said so.
    """
    if draws < 1 or resamples < 1 or not 0 <= negligible <= 1:
        raise InputError(
            f"Expected at least 1 draw and 1 resample, and a negligible drop from 0 to 1; got {draws}, {resamples} and "
            f"{negligible:g}."
        )
    case = case_of(sae, queries, query_vectors, document_vectors, k=k, gain=gain, measure=measure)
    if not len(case.codes.features):
        raise InputError("No feature fires on any of the queries: there is nothing to take out. Choose another SAE.")
    return _measured(case, negligible, _Run(draws, resamples, seed, progress, should_stop))


@dataclass(frozen=True)
class _Run:
    draws: int
    resamples: int
    seed: int
    progress: Progress | None
    should_stop: Callable[[], bool] | None

    def told(self, step: int) -> Told:
        """Whom the first, second or third pass over the documents tells."""
        return Told(part(self.progress, step, 3), self.should_stop)


def _measured(case: Case, negligible: float, run: _Run) -> Faithfulness:
    codes, whole = case.codes, case.searched(case.asked)
    s, query = len(whole), queries_of(codes)
    without = case.ndcg(ranks_of(without_each(codes, case.sae.decoder_weights), case, told=run.told(0)))
    change = whole[query] - without
    change[np.abs(change) < SAME] = 0
    found, of = np.unique(codes.features, return_inverse=True)
    drop = np.bincount(of, change, len(found)) / s
    total = np.bincount(of, codes.activations, len(found))
    order = np.lexsort((found, -total, -drop))
    place = np.empty(len(found), dtype=np.int64)
    place[order] = np.arange(len(found))
    of = place[of]  # of each activation: the place of its feature
    f = len(found)
    fires = np.bincount(of, minlength=f).astype(np.int64)
    low, high, spread = _intervals(case, of, query, change, run=run)
    own, once = _once_a_text(case, of, query, change)
    tested = np.bincount(own[once != 0], minlength=f) >= FEWEST_CHANGED
    by_feature = np.lexsort((query, of))
    starts = np.concatenate([[0], np.cumsum(fires)]).astype(np.int64)
    p_value, edges = np.full(f, np.nan), np.searchsorted(own, np.arange(f + 1))
    for row in np.flatnonzero(tested).tolist():
        p_value[row] = sign_p(once[edges[row] : edges[row + 1]])
    q_value = false_discovery(p_value)
    beside = _controlled(q_value)
    matched = matched_controls(case, whole, of, beside, draws=run.draws, seed=run.seed, told=run.told(1))
    random = random_controls(case, whole, of, beside, draws=run.draws, seed=run.seed, told=run.told(2))
    reconstructed = case.searched(case.sae.decode(codes))
    ends, lost = (_ends(values, case, run) for values in (whole, whole - reconstructed))
    moved = np.abs(change[change != 0])
    unseen = _UNSEEN / case.texts * float(moved.mean()) if len(moved) else 0.0
    names, topic_queries, topic_drop = _by_topic(case, of, query, change, f)
    return Faithfulness(
        features=found[order].astype(np.int32),
        fires=fires,
        activation=total[order] / fires,
        drop=drop[order],
        low=low,
        high=high,
        hurt=np.bincount(of[change > 0], minlength=f).astype(np.int64),
        helped=np.bincount(of[change < 0], minlength=f).astype(np.int64),
        p_value=p_value,
        q_value=q_value,
        needed=needed(drop[order], spread, s, tested=tested),
        peers=peers(drop[order], fires, seed=run.seed),
        matched=matched,
        random=random,
        verdict=judge(
            drop[order],
            np.minimum(low, -unseen),
            np.maximum(high, unseen),
            q_value=q_value,
            fires=np.diff(edges),
            matched=matched,
            negligible=negligible,
        ),
        rule=rule(negligible, k=case.k, draws=run.draws),
        unseen=unseen,
        texts=case.texts,
        topics=names,
        topic_queries=topic_queries,
        topic_drop=topic_drop,
        change_starts=starts,
        change_query=case.rows[query[by_feature]],
        change_activation=codes.activations[by_feature],
        change=change[by_feature],
        query=case.rows,
        ndcg=whole,
        whole=float(whole.mean()),
        whole_low=ends[0],
        whole_high=ends[1],
        reconstructed=float(reconstructed.mean()),
        reconstruction_loss=float((whole - reconstructed).mean()),
        reconstruction_low=lost[0],
        reconstruction_high=lost[1],
        tested=int(tested.sum()),
        draws=run.draws,
        skipped=case.skipped,
        documents=len(case.documents),
        dictionary=case.sae.features,
        k=case.k,
        gain=case.gain,
        measure=case.measure,
        negligible=negligible,
        resamples=run.resamples,
        seed=run.seed,
    )


def _controlled(q_value: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Features that controls are made for: those that are called, and those at either end of the order."""
    chosen = np.nan_to_num(q_value, nan=1.0) <= ALPHA
    chosen[:FIRST] = True
    chosen[-LAST:] = True
    return chosen


def _once_a_text(
    case: Case, of: NDArray[np.int64], query: NDArray[np.int64], change: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The feature and the summed change of each pair of feature and query text, features ascending."""
    pairs, which = np.unique(of * case.texts + case.text[query], return_inverse=True)
    summed = np.bincount(which, change, len(pairs))
    return pairs // case.texts, np.where(np.abs(summed) < SAME, 0, summed)


def _intervals(
    case: Case, of: NDArray[np.int64], query: NDArray[np.int64], change: NDArray[np.float64], *, run: _Run
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Ends of the interval of each feature's mean change over all queries, and the standard error of that mean.

    All are 0 where it changes none, and NaN where all queries have one text.
    """
    f, s, g = int(of.max()) + 1, len(case.rows), case.texts
    low, high, spread = np.zeros((3, f)) if g > 1 else np.full((3, f), np.nan)
    rows = np.unique(of[change != 0]) if g > 1 else np.zeros(0, dtype=np.int64)
    for start in range(0, len(rows), _COLUMNS):
        chosen = rows[start : start + _COLUMNS]
        column = np.full(f, -1)
        column[chosen] = np.arange(len(chosen))
        here = column[of] >= 0
        values = np.zeros((s, len(chosen)))
        values[query[here], column[of[here]]] = change[here]
        once = by_text(values, case.text)
        low[chosen], high[chosen] = interval(once, resamples=run.resamples, seed=run.seed)
        spread[chosen] = once.std(axis=0, ddof=1) / np.sqrt(g)
    return low, high, spread


def _by_topic(
    case: Case, of: NDArray[np.int64], query: NDArray[np.int64], change: NDArray[np.float64], f: int
) -> tuple[tuple[str, ...], NDArray[np.int64], NDArray[np.float64]]:
    names = case.queries.topic_names
    number = {name: place for place, name in enumerate(names)}
    topic = np.array([number.get(name or "", -1) for name in case.queries.topics or ()], dtype=np.int64)
    queries = np.bincount(topic[topic >= 0], minlength=len(names)).astype(np.int64)
    drop = np.zeros((f, len(names)))
    if names:
        known = topic[query] >= 0
        np.add.at(drop, (of[known], topic[query[known]]), change[known])
        drop /= np.maximum(queries, 1)
    return tuple(names), queries, drop


def _ends(values: NDArray[np.float64], case: Case, run: _Run) -> tuple[float, float]:
    low, high = interval(by_text(values[:, None], case.text), resamples=run.resamples, seed=run.seed)
    return float(low[0]), float(high[0])
