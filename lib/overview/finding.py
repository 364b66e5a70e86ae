"""What a query set says: does the right document come first, and are near misses told apart?"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.corpora import QuerySet
from lib.numerals import count, share
from lib.overview.signals import Item, Signal, StandOut, beginning, digits, wanting
from lib.retrieval import FirstRanks, HardNegatives, PairedTest, QueryMetrics, Run, Summary, paired_test
from lib.retrieval.bootstrap import interval
from lib.retrieval.ranks import long_tail

LISTED = 5
"""Queries and topics that a stand-out names."""
METRIC = "ndcg@10"
"""The metric that the rank signal shows; the metrics behind it hold the cut-off 10."""
LEVEL = 0.05
"""Level of the test against BM25."""
FEWEST = 5
"""Queries below which no test can reach that level by sign changes: 2 / 2^5 > 0.05 > 2 / 2^6."""


@dataclass(frozen=True, eq=False)
class Answers:
    """How a query set was answered: what the Retrieval page shows, at its defaults."""

    queries: QuerySet
    """The query set."""
    metrics: QueryMetrics
    """Metrics of each query, at 1, 5 and 10 at least."""
    summaries: Sequence[Summary]
    """Their means with intervals, over all queries and by topic."""
    ranks: FirstRanks
    """Rank of each query's closest true document."""
    negatives: HardNegatives | None
    """Hard-negative gaps; None where no query has both a relevant document and another one."""
    run: Run
    """The first documents of each query."""
    scores: NDArray[np.floating] | None = None
    """Scores of the judged pairs, shape (m,), for documents beyond the run."""
    rival: QueryMetrics | None = None
    """BM25's metrics on the same queries; None where it did not rank them."""

    def summary(self, metric: str) -> Summary:
        """Mean and interval of a metric over all queries."""
        return next(one for one in self.summaries if one.metric == metric and one.group is None)


def ranks_signal(found: Answers, *, seed: int = 0) -> Signal:
    """Does the right document come first? NDCG@10 with its interval, and a test against BM25."""
    if not len(found.metrics.query):
        return wanting(("ranks",), _NOTHING_RELEVANT)[0]
    of, ranks = found.summary(METRIC), found.ranks
    first = ranks.share_within(1)
    sentence = (
        f"For {share(first, 0)} of {_queries(of.queries)} a true document comes first; the median rank is "
        f"{ranks.median:g} of {count(len(found.queries.documents))}, and {share(ranks.share_within(10), 0)} have one "
        "within 10."
    )
    facts = {"median_rank": ranks.median, "rank.first": first, "rank.within_10": ranks.share_within(10)}
    for one in found.summaries:
        if one.group is None:
            facts |= _with_ends(one.metric, one.mean, one.low, one.high)
    baseline = _random_first(found.queries, found.metrics.query)
    shown, verdict, rule = f"{baseline:.2g} with documents in random order", None, None
    if found.rival is not None:
        test = paired_test(found.rival, found.metrics, METRIC, seed=seed)
        facts |= {"bm25.ndcg@10": test.mean_a, "bm25.difference": test.difference, "bm25.p": test.p_value}
        baseline, shown = test.mean_a, f"{digits(test.mean_a)} by BM25, by words alone"
        verdict, rule = _against(test)
    return Signal(
        "ranks",
        "NDCG@10",
        of.mean,
        digits(of.mean),
        sentence,
        baseline=baseline,
        baseline_shown=shown,
        interval=_ends(of.low, of.high),
        verdict=verdict,
        rule=rule,
        facts=_finite(facts),
    )


_NOTHING_RELEVANT = (
    "No query has a relevant document, so there is nothing to measure: give at least one judgement above 0."
)


def _against(test: PairedTest) -> tuple[str, str]:
    """What the test says, and how it was made."""
    verdict = "not told from BM25"
    if test.queries <= FEWEST:
        verdict = "too few queries to test"
    elif test.p_value < LEVEL:
        verdict = f"{'better' if test.difference > 0 else 'worse'} than BM25"
    ends = "" if test.low != test.low else f", {digits(test.low)} to {digits(test.high)}"
    rule = (
        f"Paired test, query by query (random signs): NDCG@10 differs by {digits(test.difference)}{ends}; "
        f"p = {test.p_value:.2g}, told below {LEVEL:g}."
    )
    return verdict, rule


def negatives_signal(found: Answers, *, seed: int = 0) -> Signal:
    """Are near misses told apart? Share of queries where a document that is not relevant scores above all that are."""
    if not len(found.metrics.query):
        return wanting(("hard_negatives",), _NOTHING_RELEVANT)[0]
    gaps = found.negatives
    if gaps is None:
        return wanting(
            ("hard_negatives",),
            "No query has both a relevant document and another one to compare it with: add documents or judgements.",
        )[0]
    (low,), (high,) = interval((gaps.gap < 0).astype(np.float64)[:, None], seed=seed)
    n, relevant = len(found.queries.documents), found.queries.relevant[gaps.query]
    chance = float((1 - relevant / n).mean())
    doubtful = int(gaps.suspicious.sum())
    sentence = (
        f"The best true document leads the hardest false one by {digits(gaps.hard_negative_gap)} on average"
        + ("" if gaps.low != gaps.low else f" ({digits(gaps.low)} to {digits(gaps.high)})")
        + f", for {share(gaps.share_below, 0)} of the queries it comes behind."
    )
    if tied := float((gaps.gap == 0).mean()):
        sentence += f" For {share(tied, 0)} the two score alike, and chance decides."
    if doubtful:
        sentence += (
            f" {count(doubtful)} of those false ones {'was' if doubtful == 1 else 'were'} never judged and may be "
            "right: read before you call it a failure."
        )
    facts = _with_ends("hard_negative_gap", gaps.hard_negative_gap, gaps.low, gaps.high)
    facts |= _with_ends("hard_negatives.below", gaps.share_below, float(low), float(high))
    return Signal(
        "hard_negatives",
        "Hard negative leads",
        gaps.share_below,
        share(gaps.share_below),
        sentence,
        interval=_ends(float(low), float(high)),
        baseline=chance,
        baseline_shown=f"{share(chance)} with documents in random order",
        facts=_finite(facts | {"suspicious_negatives": float(doubtful)}),
    )


def worst_topic(found: Answers) -> StandOut | None:
    """The topics that are found hardest; None with fewer than two."""
    by_topic = [one for one in found.summaries if one.metric == METRIC and one.group is not None]
    if len(by_topic) < 2:
        return None
    whole = found.summary(METRIC)
    order = sorted(by_topic, key=lambda one: (one.mean, str(one.group)))
    lowest = order[0]
    ends = "" if lowest.low != lowest.low else f" ({digits(lowest.low, 2)} to {digits(lowest.high, 2)})"
    told = lowest.high < whole.mean
    return StandOut(
        "worst_topic",
        "Which topic is found hardest?",
        f"“{lowest.group}”, with an NDCG@10 of {digits(lowest.mean, 2)}{ends}; all queries have "
        f"{digits(whole.mean, 2)}. "
        + ("Its interval lies below that." if told else "Its interval reaches that: it may be chance."),
        "NDCG@10",
        tuple(
            Item(
                str(one.group), "", one.mean, digits(one.mean, 2),
                ("" if one.low != one.low else f"{digits(one.low, 2)} to {digits(one.high, 2)}; ")
                + _queries(one.queries),
            )
            for one in order[:LISTED]
        ),
        sum(one.high < whole.mean for one in by_topic),
        "Mean NDCG@10 of a topic's queries with its 95 % interval; told where the interval lies below the mean of all.",
        "retrieval",
        {"view": "Quality"},
    )  # fmt: skip


def weakest_queries(found: Answers) -> StandOut:
    """The queries whose closest true document comes last."""
    tail = long_tail(found.queries, found.run, found.ranks, top=LISTED, judged_scores=found.scores)
    queries = found.queries
    late = int((found.ranks.rank != 1).sum())
    items = []
    for query, rank, first in zip(tail.query, tail.rank, tail.first, strict=True):
        shown = f"rank {count(int(rank))}" if rank else "not retrieved"
        note = f"first came: {beginning(queries.documents[first], 90)}" if first >= 0 else ""
        items.append(
            Item(
                queries.query_ids[query], beginning(queries.queries[query]), float(rank), shown, note,
                {"view": "Search", "q": queries.queries[query]},
            )
        )  # fmt: skip
    return StandOut(
        "weakest_queries",
        "Which queries fail?",
        f"{_queries(late)} of {count(len(found.ranks.query))} {'has' if late == 1 else 'have'} no true document at "
        "rank 1."
        if late
        else "Every query has a true document at rank 1.",
        "rank",
        tuple(items),
        late,
        "Rank of the query's closest true document; the last first.",
        "retrieval",
        {"view": "Quality"},
    )


def _random_first(queries: QuerySet, rows: NDArray[np.int64]) -> float:
    """Mean NDCG@10 over queries with documents in random order: each place holds the mean gain of all documents."""
    n, relevant = len(queries.documents), queries.relevance > 0
    query, gain = queries.judged_query[relevant], queries.relevance[relevant].astype(np.float64)
    order = np.lexsort((-gain, query))
    query, gain = query[order], gain[order]
    place = np.arange(len(query)) - np.searchsorted(query, query)
    discounts = 1 / np.log2(np.arange(10) + 2)
    ideal = np.where(place < 10, gain * discounts[np.minimum(place, 9)], 0)
    best, total = (np.bincount(query, what, len(queries.queries))[rows] for what in (ideal, gain))
    return float((total / n * discounts[:n].sum() / best).mean())


def _queries(number: int) -> str:
    return f"{count(number)} query" if number == 1 else f"{count(number)} queries"


def _ends(low: float, high: float) -> tuple[float, float] | None:
    return None if low != low else (low, high)  # NaN: one query


def _with_ends(name: str, value: float, low: float, high: float) -> dict[str, float]:
    return {name: value, f"{name}.low": low, f"{name}.high": high}


def _finite(facts: dict[str, float]) -> dict[str, float]:
    return {name: float(value) for name, value in facts.items() if np.isfinite(value)}
