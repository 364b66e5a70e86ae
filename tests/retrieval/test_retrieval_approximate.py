"""faiss beside exact search: recall, cost, settings, with torch in the same process, and without faiss."""

import sys

import numpy as np
import pytest

from lib.errors import InputError, Stopped
from lib.retrieval import search
from lib.retrieval.approximate import exact_search, faiss_search

pytest.importorskip("faiss")


@pytest.fixture(scope="module")
def vectors():
    rng = np.random.default_rng(2)
    return rng.normal(size=(20, 16)).astype(np.float32), rng.normal(size=(3_000, 16)).astype(np.float32)


@pytest.mark.parametrize("measure", ["cosine", "dot", "l2"])
def test_a_flat_index_finds_what_exact_search_finds(vectors, measure):
    exact = search(*vectors, 10, measure=measure)
    found = faiss_search(*vectors, exact, kind="flat", measure=measure)
    assert found.quality.recall > 0.99
    assert (found.run.documents == exact.documents).mean() > 0.99
    same = found.run.documents == exact.documents
    assert np.array_equal(found.run.scores[same], exact.scores[same])
    assert found.quality.bytes == 3_000 * 16 * 4


def test_hnsw_finds_more_the_more_it_looks_at(vectors):
    exact = search(*vectors, 10)
    few = faiss_search(*vectors, exact, m=4, ef_construction=10, ef_search=10).quality
    many = faiss_search(*vectors, exact, m=32, ef_construction=100, ef_search=300).quality
    assert few.recall < many.recall
    assert many.recall > 0.98
    assert few.worst_recall <= few.recall
    assert few.bytes < many.bytes
    assert many.bytes > 3_000 * (16 + 32) * 4
    assert (many.m, many.ef_construction, many.ef_search, many.k) == (32, 100, 300, 10)
    assert min(many.build_seconds, many.seconds_per_query) > 0


def test_recall_counts_documents_that_tie_with_the_last(vectors):
    queries, documents = vectors
    copies = np.vstack([documents, documents])
    exact = search(queries, copies, 5)
    assert faiss_search(queries, copies, exact, kind="flat").quality.recall > 0.99


def test_the_exact_one_is_itself(vectors):
    found = exact_search(*vectors, 10)
    assert (found.quality.recall, found.quality.kind, found.quality.m) == (1, "exact", None)
    assert np.array_equal(found.run.documents, search(*vectors, 10).documents)
    assert found.quality.to_dict()["build_seconds"] == 0


def test_k_of_all_documents(vectors):
    queries, documents = vectors[0], vectors[1][:12]
    exact = search(queries, documents, 100)
    found = faiss_search(queries, documents, exact)
    assert found.run.documents.shape == (20, 12)
    assert found.quality.recall > 0.9


def test_torch_and_faiss_in_one_process(vectors):
    import torch

    exact = search(*vectors, 10)
    for _ in range(3):
        assert torch.randn(64, 64).mm(torch.randn(64, 64)).isfinite().all()
        assert faiss_search(*vectors, exact, kind="flat").quality.recall > 0.99


def test_it_tells_and_stops(vectors):
    exact, told = search(*vectors, 10), []
    faiss_search(*vectors, exact, kind="flat", progress=lambda done, of: told.append((done, of)))
    assert told == [(1_000, 3_000), (2_000, 3_000), (3_000, 3_000)]
    with pytest.raises(Stopped):
        faiss_search(*vectors, exact, should_stop=lambda: True)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"measure": "manhattan"}, "cosine, dot, l2, got manhattan"),
        ({"m": 1}, "2 to 512 links"),
        ({"ef_search": 0}, "0 when asked"),
        ({"kind": "ivf"}, "flat or hnsw, got 'ivf'"),
    ],
)
def test_refuses(vectors, settings, words):
    with pytest.raises(InputError, match=words):
        faiss_search(*vectors, search(*vectors, 10), **settings)


def test_without_faiss(vectors, monkeypatch):
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(InputError, match="faiss is not installed here"):
        faiss_search(*vectors, search(*vectors, 10))
