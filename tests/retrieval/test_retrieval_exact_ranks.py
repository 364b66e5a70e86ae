"""Ranks of judged documents over all documents, and one query's ranking: against a sort of all scores."""

import numpy as np
import pytest

from lib.corpora import QuerySet, load_query_set
from lib.errors import Stopped
from lib.retrieval import exact_ranks, judged_ranks, key_blocks, search
from lib.retrieval.measures import MEASURES, pair_score
from lib.retrieval.ranking import query_ranking, unjudged_ranking


def made(q=12, n=300, d=10, judged=4, seed=0, copies=False):
    """A set whose texts are numbers, and vectors for it."""
    rng = np.random.default_rng(seed)
    pairs = np.array([[row, document] for row in range(q) for document in np.sort(rng.choice(n, judged, False))])
    queries = QuerySet(
        "made", tuple(f"query {i}" for i in range(q)), tuple(f"q{i}" for i in range(q)),
        tuple(f"document {i}" for i in range(n)), tuple(f"d{i}" for i in range(n)),
        pairs[:, 0], pairs[:, 1], rng.integers(0, 3, len(pairs)),
    )  # fmt: skip
    vectors = rng.normal(size=(q, d)).astype(np.float32), rng.normal(size=(n, d)).astype(np.float32)
    if copies:
        vectors[1][:] = vectors[1][rng.integers(0, 20, n)]
    return queries, *vectors


def slow_ranks(queries, query_vectors, document_vectors, measure):
    scores = pair_score(query_vectors[:, None, :], document_vectors[None], measure)
    order = np.lexsort((np.broadcast_to(queries.tie_order, scores.shape), -scores), axis=1)
    ranks = np.argsort(order, axis=1) + 1
    return ranks[queries.judged_query, queries.judged_document]


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("k", [1, 20, 300])
@pytest.mark.parametrize("copies", [False, True])
def test_they_are_those_of_a_sort_of_all_scores(measure, k, copies, monkeypatch):
    monkeypatch.setattr(key_blocks, "QUERY_ROWS", 5)
    monkeypatch.setattr(key_blocks, "DOCUMENT_ROWS", 77)
    queries, asked, documents = made(copies=copies)
    run = search(asked, documents, k, measure=measure, tie_order=queries.tie_order)
    found = exact_ranks(queries, run, asked, documents, measure=measure)
    assert found.rank.tolist() == slow_ranks(queries, asked, documents, measure).tolist()
    assert np.array_equal(found.query, queries.judged_query)
    assert np.array_equal(found.relevance, queries.relevance)


@pytest.mark.parametrize("seed", range(5))
def test_a_cone_and_zero_vectors(seed):
    queries, asked, documents = made(seed=seed)
    asked, documents = asked * 1e-4 + 1, documents * 1e-4 + 1
    documents[::7] = 0
    run = search(asked, documents, 10, tie_order=queries.tie_order)
    found = exact_ranks(queries, run, asked, documents)
    assert found.rank.tolist() == slow_ranks(queries, asked, documents, "cosine").tolist()


def test_a_judged_document_in_the_run_keeps_its_rank():
    queries, asked, documents = made()
    run = search(asked, documents, 30, tie_order=queries.tie_order)
    known, found = judged_ranks(queries, run).rank, exact_ranks(queries, run, asked, documents).rank
    assert (found[known > 0] == known[known > 0]).all()
    assert (found[known == 0] > 30).all()


def test_all_documents_judged():
    queries, asked, documents = made(q=3, n=50, judged=50)
    run = search(asked, documents, 5, tie_order=queries.tie_order)
    ranks = exact_ranks(queries, run, asked, documents).rank.reshape(3, 50)
    assert (np.sort(ranks, axis=1) == np.arange(1, 51)).all()


def test_no_judgement_and_stopping():
    queries, asked, documents = made()
    run = search(asked, documents, 5, tie_order=queries.tie_order)
    with pytest.raises(Stopped):
        exact_ranks(queries, run, asked, documents, should_stop=lambda: True)
    none = np.zeros(0, dtype=np.int64)
    bare = QuerySet(
        "bare", queries.queries, queries.query_ids, queries.documents, queries.document_ids, none, none, none
    )
    assert len(exact_ranks(bare, run, asked, documents).rank) == 0


def test_a_ranking_holds_the_judged_documents_wherever_they_stand():
    queries, asked, documents = made()
    run = search(asked, documents, 20, tie_order=queries.tie_order)
    ranks = exact_ranks(queries, run, asked, documents)
    for row in range(12):
        ranking = query_ranking(queries, run, ranks, row=row, query_vectors=asked, document_vectors=documents)
        own = queries.judged_query == row
        grades = dict(zip(queries.judged_document[own], queries.relevance[own], strict=True))
        assert np.array_equal(ranking.documents[:20], run.documents[row])
        assert set(grades) <= set(ranking.documents)
        assert [grades.get(document, -1) for document in ranking.documents] == ranking.grade.tolist()
        assert (np.diff(ranking.rank) > 0).all()
        assert (np.diff(ranking.scores) <= 0).all()
        assert ranking.relevant_ranks.tolist() == sorted(ranks.rank[own & (queries.relevance > 0)])
        assert (ranking.rank[ranking.late(5)] > 5).all()
        assert ranking.first(5).tolist() == [0, 1, 2, 3, 4]


def test_a_ranking_of_a_typed_query_has_no_judgements():
    _, asked, documents = made()
    ranking = unjudged_ranking(search(asked[:1], documents, 7))
    assert ranking.rank.tolist() == list(range(1, 8))
    assert (ranking.grade == -1).all()
    assert not len(ranking.relevant_ranks)
    assert ranking.to_dict()["row"] is None


def test_the_sample_set():
    queries = load_query_set()
    rng = np.random.default_rng(0)
    asked = rng.normal(size=(len(queries.queries), 16))
    documents = rng.normal(size=(len(queries.documents), 16))
    run = search(asked, documents, 10, tie_order=queries.tie_order)
    found = exact_ranks(queries, run, asked, documents)
    assert found.rank.tolist() == slow_ranks(queries, asked.astype("f4"), documents.astype("f4"), "cosine").tolist()
