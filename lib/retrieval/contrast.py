"""Contrasts: one system against another on the same queries, over several metrics at once."""

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lib.retrieval.bootstrap import PairedTest, paired_test
from lib.retrieval.metrics import QueryMetrics

CONTRASTED = ("ndcg@10", "recall@10", "hit@1", "mrr")
"""Metrics that are compared when none are named."""


def contrast(
    a: QueryMetrics, b: QueryMetrics, *, names: Sequence[str] = CONTRASTED, seed: int = 0
) -> tuple[PairedTest, ...]:
    """Paired tests of b against a, one for each metric of `names`.

    Raises:
        InputError: no query has a relevant document, or there is no such metric.
        ValueError: not the same queries on both sides.
    """
    return tuple(paired_test(a, b, name, seed=seed) for name in names)


def among(metrics: QueryMetrics, queries: NDArray[np.bool_]) -> QueryMetrics:
    """The metrics of those queries alone that `queries`, shape (q,), marks."""
    kept = queries[metrics.query]
    return dataclasses.replace(metrics, values=metrics.values[kept], query=metrics.query[kept])
