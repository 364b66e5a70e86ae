"""The evaluation as a whole: consistent with its parts, and defined where a part has nothing to say."""

import numpy as np
import pytest

from lib.corpora import QuerySet
from lib.errors import InputError
from lib.retrieval import evaluate


def small(documents, judged, *, queries=1):
    """A set of so many queries; `judged` holds (query, document, grade)."""
    rows = np.array(judged, dtype=np.int64).reshape(-1, 3)
    return QuerySet(
        "small", tuple(f"query {i}" for i in range(queries)), tuple(f"q{i}" for i in range(queries)),
        tuple(documents), tuple(f"d{i}" for i in range(len(documents))), rows[:, 0], rows[:, 1], rows[:, 2],
    )  # fmt: skip


@pytest.fixture
def drawn():
    """Forty queries over thirty documents, with random vectors."""
    rng = np.random.default_rng(3)
    judged = [(q, d, int(rng.integers(0, 3))) for q in range(40) for d in sorted(rng.choice(30, 3, replace=False))]
    queries = small([f"text {i}" for i in range(30)], judged, queries=40)
    return queries, rng.normal(size=(40, 8)).astype(np.float32), rng.normal(size=(30, 8)).astype(np.float32)


def test_the_report_is_made_of_the_parts(drawn):
    queries, asked, documents = drawn
    found = evaluate(queries, asked, documents)
    scores = asked @ documents.T / np.linalg.norm(documents, axis=1)
    ranks = np.argsort(np.argsort(-scores, axis=1), axis=1) + 1
    first = [
        ranks[q, queries.judged_document[(queries.judged_query == q) & (queries.relevance > 0)]].min()
        for q in found.metrics.query
    ]
    assert found.report()["metrics"]["mrr"] == pytest.approx(np.mean(1 / np.array(first)))
    assert found.ranks.rank.tolist() == first
    assert found.report()["queries_without_relevant_document"] == 40 - len(first)


def test_a_turned_space_is_the_same(drawn):
    queries, asked, documents = drawn
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(8, 8)))[0].astype(np.float32)
    plain, turned = evaluate(queries, asked, documents), evaluate(queries, asked @ turn, documents @ turn)
    assert plain.report()["metrics"] == pytest.approx(turned.report()["metrics"], abs=1e-5)


def test_a_set_of_copies_has_metrics_but_no_gap():
    queries = small(["the same", "the same"], [(0, 0, 1)])
    found = evaluate(queries, np.ones((1, 4), np.float32), np.ones((2, 4), np.float32))
    assert found.negatives is None
    assert found.report()["hard_negatives"] is None
    assert found.report()["metrics"]["hit@5"] == 1


def test_nothing_relevant_is_said():
    queries = small(["a", "b"], [(0, 0, 0)])
    with pytest.raises(InputError, match="relevant document"):
        evaluate(queries, np.ones((1, 4), np.float32), np.ones((2, 4), np.float32))
