"""Figures of reranking: everything drawn is in the result, before hollow and dashed, after solid."""

import numpy as np
import pytest

from lib.charts.retrieval_reranking import metric_changes, rank_distribution, rank_moves
from lib.corpora import QuerySet
from lib.encoders.cross_encoder import ScoredBatch
from lib.retrieval import Run
from lib.retrieval.reranking import rerank
from lib.retrieval.reranking_effect import reranking_effect


class Judge:
    """Prefers documents of a high number."""

    name = "judge"

    def stream(self, pairs, *, should_stop=None):
        logits = np.array([int(document.split()[1]) for _, document in pairs], dtype=np.float32)
        yield ScoredBatch(np.arange(len(pairs)), logits, np.zeros(len(pairs), dtype=bool))


def effect_of(q):
    """Reranking of q queries with one relevant document each, the last not found."""
    queries = QuerySet(
        "set", tuple(f"query {i}" for i in range(q)), tuple(f"q{i}" for i in range(q)),
        tuple(f"document {i}" for i in range(8)), tuple(f"d{i}" for i in range(8)),
        np.arange(q), np.arange(q) % 8, np.ones(q, dtype=np.int64),
    )  # fmt: skip
    documents = np.broadcast_to(np.arange(7), (q, 7)).copy()
    run = Run("search", documents, -documents.astype(np.float32), 8)
    return reranking_effect(queries, run, rerank(queries, run, Judge(), top=5))


@pytest.fixture(scope="module")
def effect():
    return effect_of(8)


def test_each_metric_has_both_means_and_the_ceiling(effect):
    fig = metric_changes(effect)
    before, after, ceiling = (fig.data[i] for i in (1, 3, 4))
    assert list(before.x) == [change.before.mean for change in effect.changes]
    assert list(after.x) == [change.after.mean for change in effect.changes]
    assert list(ceiling.x) == [change.ceiling for change in effect.changes]
    assert (before.marker.symbol, fig.data[0].line.dash) == ("circle-open", "dash")
    assert (after.marker.symbol, fig.data[2].line.dash) == ("circle", "solid")
    assert next(iter(fig.layout.yaxis.ticktext)) == "NDCG@10"
    assert list(fig.data[2].x)[:2] == [effect.changes[0].after.low, effect.changes[0].after.high]


def test_the_distribution_counts_every_query_once(effect):
    fig = rank_distribution(effect)
    assert sum(fig.data[0].y) == sum(fig.data[1].y) == 8
    assert list(fig.data[0].x)[-1] == "not found"
    assert fig.data[1].line.dash == "dash"


def test_moves_are_counted_by_direction(effect):
    fig = rank_moves(effect)
    assert [trace.name for trace in fig.data[1:]] == ["earlier (2)", "as before (3)", "later (2)"]
    assert sum(np.sum(trace.customdata) for trace in fig.data[1:]) == 7  # the one not found is left out
    assert len({trace.marker.symbol for trace in fig.data[1:]}) == 3


def test_one_query_has_no_interval():
    effect = effect_of(1)
    fig = metric_changes(effect)
    assert list(fig.data[0].x) == []
    assert "interval" not in fig.data[1].customdata[0]
    assert rank_moves(effect).data
    assert sum(rank_distribution(effect).data[0].y) == 1
