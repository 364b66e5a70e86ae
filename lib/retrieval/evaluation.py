"""The evaluation of an encoder on a query set: what the Retrieval page shows first, and the command line writes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lib.corpora import QuerySet
from lib.errors import InputError
from lib.results import Result, to_json
from lib.retrieval.bootstrap import Summary, summarise
from lib.retrieval.metrics import CUTOFFS, Gain, QueryMetrics, query_metrics
from lib.retrieval.negatives import GAP, HardNegatives, depth, hard_negatives
from lib.retrieval.pairs import judged_scores
from lib.retrieval.ranks import FirstRanks, first_ranks
from lib.retrieval.run import Run
from lib.retrieval.search import Measure, exact_ranks, search

_DEPTH = 100  # documents a query that a run holds


@dataclass(frozen=True, eq=False)
class Evaluation(Result):
    """How well a query set is answered, with what stands behind the means."""

    summaries: tuple[Summary, ...]
    """Mean and interval of each metric, over all queries and by topic."""
    metrics: QueryMetrics
    """The metrics of each query."""
    ranks: FirstRanks
    """Rank of each query's closest true document, over all documents."""
    negatives: HardNegatives | None
    """Hard-negative gaps; None where no query has both a relevant document and another one."""
    run: Run
    """The first documents of each query."""
    measure: str
    """What scores were: cosine, dot, l2 or manhattan."""

    def report(self) -> dict[str, Any]:
        """Means under the names that the page shows, their intervals, the same by topic, ranks and gap: JSON values."""
        groups: dict[str | None, dict[str, Any]] = {}
        for summary in self.summaries:
            part = groups.setdefault(summary.group, {"queries": summary.queries, "metrics": {}, "intervals": {}})
            part["metrics"][summary.metric] = to_json(summary.mean)
            part["intervals"][summary.metric] = to_json([summary.low, summary.high])
        whole = groups.pop(None)
        if self.negatives is not None:
            for one in self.negatives.summaries:
                part = whole if one.group is None else groups[one.group]
                part["metrics"][GAP] = to_json(one.mean)
                part["intervals"][GAP] = to_json([one.low, one.high])
        return {
            "measure": self.measure,
            "gain": self.metrics.gain,
            "queries_scored": whole["queries"],
            "queries_without_relevant_document": self.metrics.skipped,
            "metrics": whole["metrics"],
            "intervals": whole["intervals"],
            "topics": {str(topic): part for topic, part in groups.items()},
            "ranks": self.ranks.to_dict(),
            "hard_negatives": None if self.negatives is None else self.negatives.to_dict(),
        }


def evaluate(
    queries: QuerySet,
    query_vectors: NDArray[np.floating],
    document_vectors: NDArray[np.floating],
    *,
    measure: Measure = "cosine",
    gain: Gain = "linear",
    cutoffs: Sequence[int] = CUTOFFS,
    system: str = "encoder",
    seed: int = 0,
) -> Evaluation:
    """Search, rank and measure `queries` with their embeddings (q, d) and those of the documents (n, d).

    Raises:
        InputError: no query has a relevant document, or what search and metrics refuse.
    """
    run = search(
        query_vectors,
        document_vectors,
        max(_DEPTH, *cutoffs, depth(queries)),
        measure=measure,
        tie_order=queries.tie_order,
        system=system,
    )
    judged = exact_ranks(queries, run, query_vectors, document_vectors, measure=measure)
    metrics = query_metrics(judged, cutoffs=cutoffs, gain=gain)
    scores = judged_scores(queries, query_vectors, document_vectors, measure=measure)
    try:
        negatives = hard_negatives(queries, run, judged_scores=scores, seed=seed)
    except InputError:  # every document, or a copy of it, is relevant: there is no gap to tell
        negatives = None
    return Evaluation(
        summarise(metrics, groups=queries.topics, seed=seed), metrics, first_ranks(judged), negatives, run, measure
    )
