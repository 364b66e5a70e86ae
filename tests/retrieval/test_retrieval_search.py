"""Exact search: against a sort of all scores, scikit-learn and faiss; ties, blocks, order, odd vectors, refusals."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from lib.errors import InputError, Stopped
from lib.retrieval import key_blocks, search
from lib.retrieval.measures import MEASURES, pair_score
from lib.retrieval.search import pair_scores

RNG = np.random.default_rng(11)


def vectors(q=30, n=400, d=24, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(q, d)).astype(np.float32), rng.normal(size=(n, d)).astype(np.float32)


def every_score(queries, documents, measure):
    return pair_score(queries[:, None, :], documents[None], measure)


def sorted_by_all(queries, documents, k, measure, ties):
    """The slow way: every score, then one sort."""
    scores = every_score(queries, documents, measure)
    order = np.lexsort((np.broadcast_to(ties, scores.shape), -scores), axis=1)[:, :k]
    return order, np.take_along_axis(scores, order, 1)


def odd_vectors(kind, rng, q, n, d):
    """Vectors on which keys in float32 cannot tell documents apart, or leave their range."""
    queries, documents = rng.normal(size=(q, d)), rng.normal(size=(n, d))
    if kind == "copies":
        documents = documents[rng.integers(0, max(1, n // 20), n)]
    if kind == "signs":
        queries, documents = np.sign(queries), np.sign(documents)
    if kind == "all the same":
        documents[:] = documents[0]
    if kind == "a cone":
        queries, documents = queries * 1e-4 + 1, documents * 1e-4 + 1
    if kind == "zero and huge":
        documents[rng.random(n) < 0.2] = 0
        queries[0] = 0
        documents[0] *= 1e17
        documents[-1] *= 1e-25
    if kind == "tiny":
        queries, documents = queries * 1e-22, documents * 1e-22
    return queries.astype(np.float32), documents.astype(np.float32)


def threads(monkeypatch):
    """Three of them, however little there is to do."""
    monkeypatch.setattr(key_blocks, "_cores", lambda: 3)
    for name in ("_FEWEST_ROWS", "_WORTH_THREADS", "_WORTH_SPANS"):
        monkeypatch.setattr(key_blocks, name, 1)


# Against other ways


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("k", [1, 7, 400])
def test_it_is_a_sort_of_all_scores(measure, k):
    queries, documents = vectors()
    ties = RNG.permutation(400)
    run = search(queries, documents, k, measure=measure, tie_order=ties)
    rows, scores = sorted_by_all(queries, documents, k, measure, ties)
    assert np.array_equal(run.documents, rows)
    assert np.array_equal(run.scores, scores)
    assert (run.items, run.scores.dtype) == (400, np.float32)


@pytest.mark.parametrize("kind", ["copies", "signs", "all the same", "a cone", "zero and huge", "tiny"])
@pytest.mark.parametrize("seed", range(4))
def test_so_it_is_of_vectors_that_float32_cannot_tell_apart(kind, seed, monkeypatch):
    rng = np.random.default_rng(seed)
    if seed % 2:
        threads(monkeypatch)
    monkeypatch.setattr(key_blocks, "QUERY_ROWS", int(rng.integers(1, 30)))
    monkeypatch.setattr(key_blocks, "DOCUMENT_ROWS", int(rng.integers(1, 300)))
    q, n, d = int(rng.integers(1, 30)), int(rng.integers(1, 500)), int(rng.integers(1, 40))
    queries, documents = odd_vectors(kind, rng, q, n, d)
    ties, k = rng.permutation(n), int(rng.integers(1, n + 2))
    for measure in MEASURES:
        run = search(queries, documents, k, measure=measure, tie_order=ties)
        rows, scores = sorted_by_all(queries, documents, min(k, n), measure, ties)
        assert np.array_equal(run.documents, rows), measure
        assert np.array_equal(run.scores, scores), measure


@pytest.mark.parametrize(("measure", "metric"), [("cosine", "cosine"), ("l2", "euclidean"), ("manhattan", "manhattan")])
def test_as_scikit_learn(measure, metric):
    from sklearn.neighbors import NearestNeighbors

    queries, documents = vectors()
    index = NearestNeighbors(n_neighbors=9, metric=metric, algorithm="brute").fit(documents.astype(np.float64))
    distances, rows = index.kneighbors(queries.astype(np.float64))
    run = search(queries, documents, 9, measure=measure)
    assert np.array_equal(run.documents, rows)
    theirs = 1 - distances if measure == "cosine" else -distances
    assert run.scores == pytest.approx(theirs, abs=1e-6, rel=1e-6)


@pytest.mark.parametrize("measure", ["dot", "l2"])
def test_as_faiss(measure):
    import faiss

    queries, documents = vectors(n=3_000)
    index = faiss.IndexFlatIP(24) if measure == "dot" else faiss.IndexFlatL2(24)
    index.add(documents)
    values, rows = index.search(queries, 20)
    run = search(queries, documents, 20, measure=measure)
    assert (run.documents == rows).mean() > 0.99  # neighbours that all but tie may swap in float32
    assert run.scores == pytest.approx(values if measure == "dot" else -np.sqrt(values), rel=1e-4)


def test_scores_are_those_of_the_definition():
    q, d = np.array([[3.0, 4.0]], dtype=np.float32), np.array([[4.0, 3.0]], dtype=np.float32)
    found = {measure: search(q, d, 1, measure=measure).scores[0, 0] for measure in MEASURES}
    assert found == pytest.approx({"cosine": 24 / 25, "dot": 24, "l2": -(2**0.5), "manhattan": -2})


@pytest.mark.parametrize("measure", MEASURES)
def test_pairs_have_the_scores_of_the_search(measure):
    queries, documents = vectors(n=2_000)
    run = search(queries, documents, 60, measure=measure)
    rows = np.repeat(np.arange(30), 60)
    assert np.array_equal(
        pair_scores(queries, documents, rows, run.documents.ravel(), measure=measure), run.scores.ravel()
    )


# Ties


def test_ties_at_the_cut_go_by_tie_order():
    queries, documents = vectors(q=1, n=50)
    documents[10:] = documents[10]  # forty copies
    ties = np.random.default_rng(4).permutation(50)
    better = int((every_score(queries, documents, "cosine") > every_score(queries, documents[10:11], "cosine")).sum())
    run = search(queries, documents, better + 5, tie_order=ties)
    assert run.documents[0, better:].tolist() == sorted(range(10, 50), key=ties.__getitem__)[:5]


def test_without_a_tie_order_ties_go_by_row():
    assert search(np.ones((1, 3)), np.ones((6, 3)), 4).documents.tolist() == [[0, 1, 2, 3]]


def test_documents_that_differ_in_length_alone_tie_by_cosine():
    queries, documents = vectors(q=5, n=20)
    documents = np.vstack([documents, documents * 2, documents / 64])
    scores = search(queries, documents, 60).scores.reshape(5, 20, 3)
    assert (scores == scores[..., :1]).all()


# Whatever the blocks, the order and the form


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("rows", [(1, 7), (16, 32), (1_000, 1_000)])
def test_blocks_change_nothing(measure, rows, monkeypatch):
    queries, documents = vectors()
    documents[200:] = documents[:200]
    whole = search(queries, documents, 25, measure=measure)
    monkeypatch.setattr(key_blocks, "QUERY_ROWS", rows[0])
    monkeypatch.setattr(key_blocks, "DOCUMENT_ROWS", rows[1])
    parts = search(queries, documents, 25, measure=measure)
    assert np.array_equal(parts.documents, whole.documents)
    assert np.array_equal(parts.scores, whole.scores)


@pytest.mark.parametrize("measure", MEASURES)
def test_the_order_of_documents_and_queries_changes_nothing(measure):
    queries, documents = vectors()
    documents[300:] = documents[:100]
    ties = RNG.permutation(400)
    order, asked = RNG.permutation(400), RNG.permutation(30)
    plain = search(queries, documents, 40, measure=measure, tie_order=ties)
    moved = search(queries[asked], documents[order], 40, measure=measure, tie_order=ties[order])
    assert np.array_equal(order[moved.documents], plain.documents[asked])
    assert np.array_equal(moved.scores, plain.scores[asked])


@pytest.mark.parametrize("order", ["closest last", "closest first"])
def test_sorted_documents(order, monkeypatch):
    monkeypatch.setattr(key_blocks, "DOCUMENT_ROWS", 64)
    queries, documents = vectors(q=4, n=2_000)
    sorted_rows = np.argsort(every_score(queries[:1], documents, "cosine")[0])
    documents = documents[sorted_rows if order == "closest last" else sorted_rows[::-1]]
    rows, _ = sorted_by_all(queries, documents, 10, "cosine", np.arange(2_000))
    assert np.array_equal(search(queries, documents, 10).documents, rows)


@pytest.mark.parametrize("dtype", [np.float16, np.float64])
def test_other_floats_are_read_as_float32(dtype):
    queries, documents = (x.astype(dtype) for x in vectors())
    run = search(queries, documents, 5)
    again = search(queries.astype(np.float32), documents.astype(np.float32), 5)
    assert np.array_equal(run.documents, again.documents)
    assert np.array_equal(run.scores, again.scores)


def test_memory_mapped_vectors(tmp_path):
    queries, documents = vectors()
    np.save(tmp_path / "d.npy", documents)
    np.save(tmp_path / "q.npy", queries)
    mapped = search(np.load(tmp_path / "q.npy", mmap_mode="r"), np.load(tmp_path / "d.npy", mmap_mode="r"), 5)
    assert np.array_equal(mapped.documents, search(queries, documents, 5).documents)


def test_vectors_of_length_one_have_one_order_by_three_measures():
    queries, documents = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in vectors())
    found = [search(queries, documents, 10, measure=measure) for measure in ("cosine", "dot", "l2")]
    assert np.array_equal(found[0].documents, found[1].documents)
    assert np.array_equal(found[0].documents, found[2].documents)
    assert -found[2].scores == pytest.approx(np.sqrt(2 - 2 * found[0].scores.astype(float)), abs=1e-6)


# Odd input


def test_a_vector_of_zero_length_has_cosine_0():
    documents = np.array([[1.0, 0], [0, 0], [-1, 0]])
    run = search(np.array([[2.0, 0], [0, 0]]), documents, 3)
    assert run.documents.tolist() == [[0, 1, 2], [0, 1, 2]]
    assert run.scores.tolist() == [[1, 0, -1], [0, 0, 0]]


def test_k_beyond_n_and_no_query():
    queries, documents = vectors(q=2, n=5)
    assert search(queries, documents, 100).documents.shape == (2, 5)
    assert search(queries[:0], documents, 3).documents.shape == (0, 3)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"k": 0}, "k of at least 1, got 400 documents and k = 0"),
        ({"documents": np.ones((0, 24))}, "got 0 documents"),
        ({"documents": np.ones((3, 8))}, "Queries have 24 dimensions and documents 8: embed both with the same"),
        ({"documents": np.ones(24)}, r"documents of shape \(texts, dimensions\), got \(24,\)"),
        ({"measure": "chebyshev"}, "one of cosine, dot, l2, manhattan, got 'chebyshev'"),
        ({"measure": "dot", "documents": np.full((3, 24), 1e38)}, "float32 cannot hold: choose the cosine"),
    ],
)
def test_refuses(change, words):
    queries, documents = vectors()
    given = {"queries": queries, "documents": documents, "k": 5} | change
    with pytest.raises(InputError, match=words):
        search(given.pop("queries"), given.pop("documents"), **given)


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("value", [np.nan, np.inf, 1e200])
def test_refuses_what_is_not_finite(measure, value):
    queries, documents = (x.astype(np.float64) for x in vectors())
    documents[20, 3] = value
    with pytest.raises(InputError, match="embedding of document 21 holds a value that is not finite"):
        search(queries, documents, 5, measure=measure)
    with pytest.raises(InputError, match="embedding of query 21 holds"):
        search(documents, queries, 5, measure=measure)


# Long work, and threads


@pytest.mark.parametrize("measure", MEASURES)
def test_threads_change_nothing(measure, monkeypatch):
    queries, documents = vectors()
    documents[200:] = documents[:200]
    alone = search(queries, documents, 25, measure=measure)
    threads(monkeypatch)
    monkeypatch.setattr(key_blocks, "QUERY_ROWS", 12)
    monkeypatch.setattr(key_blocks, "DOCUMENT_ROWS", 50)
    together = search(queries, documents, 25, measure=measure)
    assert np.array_equal(together.documents, alone.documents)
    assert np.array_equal(together.scores, alone.scores)


def test_numpy_gets_its_threads_back(monkeypatch):
    from threadpoolctl import threadpool_info

    def given():
        return {
            pool["filepath"]: pool["num_threads"] for pool in threadpool_info() if pool["internal_api"] == "openblas"
        }

    search(*vectors(), measure="manhattan")  # libraries are loaded
    before = given()
    threads(monkeypatch)
    stop = iter([False, False, True])
    with pytest.raises(Stopped):
        search(*vectors(), should_stop=lambda: next(stop))
    assert given() == before
    with ThreadPoolExecutor(4) as pool:
        for run in pool.map(lambda _: search(*vectors()), range(8)):
            assert run.items == 400
    assert given() == before


def test_a_fault_in_a_thread_is_raised(monkeypatch):
    from lib.retrieval import candidates

    def broken(*_):
        raise RuntimeError("broken")

    threads(monkeypatch)
    monkeypatch.setattr(candidates, "_merged", broken)
    with pytest.raises(RuntimeError, match="broken"):
        search(*vectors())


def test_it_tells_how_far_it_is_and_stops(monkeypatch):
    threads(monkeypatch)
    monkeypatch.setattr(key_blocks, "DOCUMENT_ROWS", 100)
    queries, documents = vectors()
    told = []
    search(queries, documents, 5, progress=lambda done, of: told.append((done, of)))
    assert told[0] == (0, 12_000)
    assert told[-1] == (12_000, 12_000)
    assert told == sorted(told)
    with pytest.raises(Stopped):
        search(queries, documents, 5, should_stop=lambda: True)
