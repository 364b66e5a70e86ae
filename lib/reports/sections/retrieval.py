"""What a report tells of retrieval: quality by topic, ranks, hard negatives, and the queries that fail."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.charts import retrieval_quality as charts
from lib.errors import InputError
from lib.numerals import count, share
from lib.reports.material import Doing, Options, QuerySide
from lib.reports.report import Number, Picture, Section, Table
from lib.reports.sections.again import again
from lib.reports.sections.negatives import interval_of_share, negatives_section
from lib.reports.words import Quoting, decimal, number
from lib.retrieval import (
    Evaluation,
    PairedTest,
    QueryMetrics,
    Summary,
    bm25_search,
    evaluate,
    judged_ranks,
    judged_scores,
    paired_test,
    query_metrics,
)
from lib.retrieval.ranks import long_tail, topic_ranks

HEADLINE = "ndcg@10"
"""The metric that topics, tests and the sentence go by."""
_TITLES = {"ndcg": "NDCG", "recall": "Recall", "hit": "Hit rate", "precision": "Precision", "mrr": "MRR", "map": "MAP"}
_MEANINGS = {
    "ndcg": "Graded gain of the first documents, discounted by rank, over the best that is possible.",
    "recall": "Share of a query's relevant documents among the first.",
    "hit": "Share of the queries with a relevant document among the first.",
    "precision": "Share of the first documents that are relevant.",
    "mrr": "Mean of 1 / rank of the first relevant document.",
    "map": "Mean precision at the ranks of the relevant documents.",
}
_DEPTH, _MOST_FOUND = 100, 5_000_000  # documents of a run: at least for each query, at most over all


@dataclass(frozen=True, eq=False)
class Answers:
    """What was measured of a query set."""

    found: Evaluation
    """The encoder's figures."""
    words: QueryMetrics
    """BM25's, on the same queries."""
    test: PairedTest
    """The encoder against BM25 on `HEADLINE`."""
    scores: NDArray[np.float32]
    """Cosine of each judged pair, shape (m,)."""
    topics: tuple[str | None, ...] | None
    """Topic of each query of the set; None where it has none."""


def measured(side: QuerySide, options: Options, *, doing: Doing) -> Answers:
    """Search, rank and measure, as the Retrieval page does at its defaults, with BM25 beside it.

    Raises:
        InputError: no query has a relevant document.
    """
    queries = side.queries
    doing("Searching")
    cutoffs = sorted({10, *options.cutoffs})
    found = evaluate(
        queries,
        side.query_vectors,
        side.document_vectors,
        cutoffs=cutoffs,
        system=side.checkpoint.source,
        seed=options.seed,
    )
    scores = judged_scores(queries, side.query_vectors, side.document_vectors)
    doing("Ranking by words (BM25)")
    depth = max(_DEPTH, min(len(queries.documents), _MOST_FOUND // len(queries.queries)))
    run = bm25_search(queries.queries, queries.documents, depth, tie_order=queries.tie_order)
    words = query_metrics(judged_ranks(queries, run), cutoffs=cutoffs)
    test = paired_test(words, found.metrics, HEADLINE, seed=options.seed)
    return Answers(found, words, test, scores, queries.topics)


def titled(metric: str) -> str:
    """What a metric is called: "NDCG@10"."""
    kind, _, k = metric.partition("@")
    return f"{_TITLES[kind]}@{k}" if k else _TITLES[kind]


def sections(side: QuerySide, answers: Answers, options: Options) -> tuple[Section, ...]:
    """The sections on a query set."""
    return (
        _quality(side, answers, options),
        _ranks(side, answers, options),
        negatives_section(side, answers.found, options),
    )


def _quality(side: QuerySide, answers: Answers, options: Options) -> Section:
    found, test = answers.found, answers.test
    whole = [summary for summary in found.summaries if summary.group is None]
    topics = [s for s in found.summaries if s.metric == HEADLINE and s.group is not None]
    words = answers.words.means
    numbers = [_metric(summary, words[summary.metric]) for summary in sorted(whole, key=_headlines_first)]
    numbers.append(
        number(
            "bm25.difference",
            f"{titled(HEADLINE)} above BM25's",
            test.difference,
            interval=(test.low, test.high),
            baseline="0 where words alone do as well",
            meaning=f"Query by query; p = {test.p_value:.2g} by random signs over {count(test.queries)} queries.",
        )
    )
    sure = "surely" if test.p_value <= _LEVEL else "not surely"
    way = "better" if test.difference >= 0 else "worse"
    verdict = (
        f"{titled(HEADLINE)} is {decimal(test.mean_b)}, BM25's {decimal(test.mean_a)}: {sure} {way} (paired test over "
        f"queries, p = {test.p_value:.2g}, level {_LEVEL:g})."
    )
    notices = []
    if found.metrics.skipped:
        notices.append(f"{count(found.metrics.skipped)} queries have no relevant document: left out of every mean.")
    facts = {f"bm25.{s.metric}": float(words[s.metric]) for s in whole} | {"bm25.p": test.p_value}
    for summary in found.summaries:
        if summary.group is not None:
            name = f"{summary.metric}[{summary.group}]"
            facts[name] = summary.mean
            if np.isfinite(summary.low):
                facts[f"{name}.low"], facts[f"{name}.high"] = summary.low, summary.high
    tables = [_topics(topics)] if topics else []
    pictures = (
        Picture(
            "by_topic",
            f"{titled(HEADLINE)} by topic",
            charts.metric_by_topic([s for s in found.summaries if s.metric == HEADLINE], title=titled(HEADLINE)),
            "Each dot is a topic's mean, the bar its 95 % interval; the diamond and the dashed line are all queries. "
            "Topics also differ in how many documents are relevant.",
        ),
    )
    return Section(
        "quality",
        "How well does it retrieve?",
        verdict,
        tuple(numbers),
        pictures if topics else (),
        tuple(tables),
        tuple(notices),
        facts=facts,
        **again("quality", options),
    )


_LEVEL = 0.05


def _headlines_first(summary: Summary) -> int:
    first = (HEADLINE, "recall@1", "recall@10", "mrr")
    return first.index(summary.metric) if summary.metric in first else len(first)


def _metric(summary: Summary, by_words: float) -> Number:
    return number(
        summary.metric,
        titled(summary.metric),
        summary.mean,
        interval=(summary.low, summary.high),
        baseline=f"{decimal(by_words)} by BM25",
        meaning=f"{_MEANINGS[summary.metric.partition('@')[0]]} From 0 to 1.",
    )


def _topics(topics: list[Summary]) -> Table:
    rows = tuple(
        (s.group, s.queries, s.mean, *(float(end) if np.isfinite(end) else None for end in (s.low, s.high)))
        for s in sorted(topics, key=lambda s: s.mean)
    )
    return Table(
        "topics",
        ("topic", "queries", titled(HEADLINE), "from", "to"),
        rows,
        "The hardest first, with 95 % intervals over queries; few queries make wide ones.",
    )


def _ranks(side: QuerySide, answers: Answers, options: Options) -> Section:
    queries, found = side.queries, answers.found
    ranks, quoting = found.ranks, Quoting(texts=options.texts)
    tail = long_tail(queries, found.run, ranks, top=options.listed, judged_scores=answers.scores)
    rows = tuple(
        (
            int(rank),
            quoting.one("query", queries.queries, queries.query_ids, int(query)),
            quoting.one("document", queries.documents, queries.document_ids, int(document)),
            None if np.isnan(score) else float(score),
            None if first < 0 else quoting.one("document", queries.documents, queries.document_ids, int(first)),
            None if np.isnan(lead) else float(lead),
        )
        for rank, query, document, score, first, lead in zip(
            tail.rank, tail.query, tail.document, tail.score, tail.first, tail.first_score, strict=True
        )
    )
    tables = []
    by_topic = topic_ranks(ranks, queries.topics) if queries.topics is not None else ()
    if by_topic:
        columns = ("topic", "queries", "median rank", "at rank 1 (%)", "within 10 (%)", "beyond 100 (%)")
        tables.append(
            Table(
                "topic_ranks",
                columns,
                tuple((t.topic, t.queries, t.median, *_percents(t.first, t.within_10, t.beyond_100)) for t in by_topic),
                "The highest median first.",
            )
        )
    if rows:
        columns = ("rank", "query", "closest true document", "its score", "document at rank 1", "score at rank 1")
        caption = "The worst first. A long tail often holds queries that were judged badly, not answered badly."
        tables.append(Table("worst_queries", columns, rows, caption, frozenset(quoting.quoted)))
    n = len(queries.documents)
    late = int((ranks.rank != 1).sum())
    return Section(
        "ranks",
        "At which rank does the right document come?",
        f"For {share(ranks.share_within(1))} of {count(len(ranks.rank))} queries it comes first, for {count(late)} "
        "it does not.",
        (
            number(
                "median_rank",
                "Median rank",
                ranks.median,
                shown=f"{ranks.median:g}",
                baseline=f"about {count((n + 1) / 2)} of {count(n)} in random order, with one relevant document",
                meaning="Of each query's closest true document; 1 is best.",
                needs="Half of the queries or more found none of their relevant documents.",
            ),
            number(
                "rank.first",
                "At rank 1",
                ranks.share_within(1),
                shown=share(ranks.share_within(1)),
                interval=interval_of_share(ranks.rank == 1, options.seed),
                meaning="Share of the queries.",
            ),
        ),
        (
            Picture("rank_histogram", "Rank of the closest true document", charts.rank_histogram(ranks)),
            Picture("rank_curve", "Queries answered by a rank or a better one", charts.rank_curve(ranks)),
        ),
        tuple(tables),
        **again("ranks", options),
    )


def _percents(*shares: float) -> tuple[float, ...]:
    return tuple(100 * one for one in shares)


def refusal(fault: InputError) -> Section:
    """The section that stands where a query set cannot be measured."""
    return Section("quality", "How well does it retrieve?", str(fault), missing=True)
