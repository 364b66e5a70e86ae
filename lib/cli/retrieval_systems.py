"""Systems side by side in `python -m lib retrieval`: the encoder, its first dimensions alone, others, and BM25."""

import argparse
from collections.abc import Sequence
from typing import Any

from lib.cli.inputs import Source
from lib.cli.retrieval_case import DEPTH, Case
from lib.errors import InputError
from lib.results import to_json
from lib.retrieval import QueryMetrics, System, compare, exact_ranks, paired_test, query_metrics, search, summarise
from lib.retrieval.bm25 import BM25

_NUMBER = 4  # bytes in float32


def add_systems(command: argparse.ArgumentParser) -> None:
    """Options that say what the encoder is compared with."""
    group = command.add_argument_group("other systems")
    group.add_argument("--bm25", action="store_true", help="measure BM25 too, and test the difference")
    group.add_argument(
        "--bm25-words",
        choices=("english", "any"),
        default="english",
        help="english: stopwords left out, the rest stemmed (default); any: words as they stand",
    )
    group.add_argument(
        "--compare",
        nargs="+",
        default=[],
        metavar="E",
        help="further encoders, each with its own prompts: every system's intervals and bytes, paired tests, wins",
    )
    group.add_argument(
        "--cuts", nargs="+", type=int, default=[], metavar="D", help="compare the encoder cut to its first D dimensions"
    )
    group.add_argument("--metric", default="ndcg@10", help="that the comparison tests (default: ndcg@10)")
    group.add_argument(
        "--baseline", metavar="NAME", help="system that the others are held against (default: BM25, else --encoder)"
    )


def rivals_of(chosen: argparse.Namespace, own: Source) -> list[Source]:
    """The further encoders, described and none opened.

    Raises:
        InputError: one that cannot be opened, or is compared already.
    """
    seen, made = {own.checkpoint.fingerprint}, []
    for name in chosen.compare:
        rival = Source(chosen, name)
        if rival.checkpoint.fingerprint in seen:
            raise InputError(f"{name} is compared already: name each encoder once.")
        seen.add(rival.checkpoint.fingerprint)
        made.append(rival)
    return made


def bm25(case: Case) -> dict[str, Any]:
    """BM25's means, and for each metric the test of the encoder against it."""
    chosen = case.chosen
    metrics = query_metrics(case.word_ranks, cutoffs=chosen.cutoffs, gain=chosen.gain)
    means = {summary.metric: summary for summary in summarise(metrics, seed=chosen.seed)}
    return {
        "metrics": {name: summary.mean for name, summary in means.items()},
        "intervals": {name: to_json([summary.low, summary.high]) for name, summary in means.items()},
        "encoder_against_it": {
            name: paired_test(metrics, case.found.metrics, name, seed=chosen.seed).to_dict() for name in metrics.names
        },
    }


def comparison(case: Case, rivals: Sequence[Source]) -> dict[str, Any]:
    """Every system's figures, tests against the baseline and of every two, and the metric of each query."""
    chosen, own = case.chosen, case.source.checkpoint.source
    metrics = _graded(case, case.ranks)
    metrics.column(chosen.metric)  # before any other encoder runs
    width = case.documents.vectors.shape[1]
    made = [System(own, case.found.run, metrics, width, _NUMBER * width)]
    for cut in chosen.cuts:
        if not 1 <= cut < width:
            raise InputError(f"--cuts should be from 1 to {width - 1}, since {own} has {width} dimensions; got {cut}.")
        made.append(_of_vectors(case, f"{own}, first {cut}", *(side[:, :cut] for side in case.vectors)))
    for rival in rivals:
        name = rival.checkpoint.source
        documents = rival.embed(case.queries.documents, f"documents with {name}")
        asked = rival.embed(case.queries.queries, f"queries with {name}", role="query")
        made.append(_of_vectors(case, name, asked.vectors, documents.vectors))
    if chosen.bm25:
        made.insert(0, _of_words(case))
    result = compare(made, metric=chosen.metric, baseline=chosen.baseline, seed=chosen.seed)
    return result.to_dict() | {
        "query_ids": [case.queries.query_ids[row] for row in metrics.query],
        "values": {system.name: system.metrics.column(chosen.metric).tolist() for system in made},
    }


def _graded(case: Case, ranks: Any) -> QueryMetrics:
    """Metrics at the cut-offs that were asked for, and at that of the metric compared."""
    name, _, k = case.chosen.metric.partition("@")
    cutoffs = [*case.chosen.cutoffs, *([int(k)] if name and k.isdecimal() else [])]
    return query_metrics(ranks, cutoffs=cutoffs, gain=case.chosen.gain)


def _of_vectors(case: Case, name: str, asked: Any, documents: Any) -> System:
    queries, measure, width = case.queries, case.chosen.measure, documents.shape[1]
    run = search(asked, documents, DEPTH, measure=measure, tie_order=queries.tie_order, system=name)
    ranks = exact_ranks(queries, run, asked, documents, measure=measure)
    return System(name, run, _graded(case, ranks), width, _NUMBER * width)


def _of_words(case: Case) -> System:
    queries, index = case.queries, case.words
    n = len(queries.documents)
    return System(
        name=BM25,
        run=index.search(queries.queries, DEPTH, tie_order=queries.tie_order),
        metrics=_graded(case, case.word_ranks),
        dimensions=None,
        bytes_per_document=index.bytes / n,
        documents_per_second=n / max(index.seconds, 1e-9),
    )
