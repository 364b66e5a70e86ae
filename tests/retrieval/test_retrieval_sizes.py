"""Smaller vectors: prefixes and their verdict, codes against sentence-transformers, quality against slow references."""

import numpy as np
import pytest

from lib.corpora import QuerySet
from lib.errors import InputError, Stopped
from lib.retrieval import judged_ranks, query_metrics, search
from lib.retrieval import quantisation as module
from lib.retrieval.quantisation import (
    PRECISIONS,
    binary_codes,
    binary_values,
    bytes_per_document,
    int8_codes,
    int8_ranges,
    int8_values,
    size_quality,
)
from lib.retrieval.truncation import prefix_quality, prefix_sizes


def made(q=60, n=240, d=32, *, noise=0.8, weights=None, seed=0):
    """Queries are documents with noise; `weights` say how much each dimension carries."""
    rng = np.random.default_rng(seed)
    weights = np.ones(d) if weights is None else weights
    documents = rng.normal(size=(n, d)) * weights
    queries = documents[:q] + noise * rng.normal(size=(q, d)) * weights
    judged = np.arange(q)
    known = QuerySet(
        "made", tuple(f"query {i}" for i in range(q)), tuple(f"q{i}" for i in range(q)),
        tuple(f"document {i}" for i in range(n)), tuple(f"d{i}" for i in range(n)), judged, judged,
        np.ones(q, dtype=np.int64),
    )  # fmt: skip
    return known, queries.astype(np.float32), documents.astype(np.float32)


def ndcg(queries, asked, documents):
    run = search(asked, documents, 10, tie_order=queries.tie_order)
    return query_metrics(judged_ranks(queries, run), cutoffs=(10,)).means["ndcg@10"]


# Prefixes


@pytest.mark.parametrize(
    ("d", "sizes"),
    [
        (384, (8, 16, 32, 64, 128, 256, 384)),
        (16, (8, 16)),
        (15, (1, 2, 4, 8, 15)),
        (1, (1,)),
        (128, (8, 16, 32, 64, 128)),
    ],
)
def test_sizes(d, sizes):
    assert prefix_sizes(d) == sizes


def test_each_prefix_is_searched_by_its_cosine():
    queries, asked, documents = made()
    result = prefix_quality(queries, asked, documents, draws=3)
    assert result.dims == (8, 16, 32)
    for i, m in enumerate(result.dims):
        assert result.ndcg[i] == pytest.approx(ndcg(queries, asked[:, :m], documents[:, :m]))
        assert result.ndcg_low[i] <= result.ndcg[i] <= result.ndcg_high[i]
    assert (result.random[:, -1] == result.ndcg[-1]).all()
    assert result.pca[-1] == result.ndcg[-1]
    assert result.ahead[-1] == 0
    assert result.ahead == pytest.approx(result.ndcg - result.random.mean(axis=0))
    assert (result.queries, result.items) == (60, 240)


def test_dimensions_of_equal_weight_are_in_no_order():
    result = prefix_quality(*made(seed=5))
    assert result.verdict == "unordered"
    assert result.tells.any()
    assert (result.ahead_low[:-1] < 0.1).all()


def test_leading_dimensions_that_carry_the_most_are_seen():
    result = prefix_quality(*made(d=64, weights=0.85 ** np.arange(64)))
    assert result.verdict == "ordered"
    assert (result.ahead_low[:2] > 0).all()
    assert (result.ndcg[:2] > result.random[:, :2].max(axis=0)).all()


def test_turning_the_space_hides_the_order_and_its_components_find_it():
    queries, asked, documents = made(weights=0.8 ** np.arange(32))
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(32, 32)))[0].astype(np.float32)
    plain, turned = (prefix_quality(queries, asked @ x, documents @ x) for x in (np.eye(32, dtype="f4"), turn))
    assert turned.verdict == "unordered"
    assert turned.pca == pytest.approx(plain.pca, abs=0.02)
    assert turned.ndcg[-1] == pytest.approx(plain.ndcg[-1], abs=1e-6)
    assert plain.pca[0] == pytest.approx(plain.ndcg[0], abs=0.1)


def test_no_verdict_where_nothing_is_lost_or_queries_are_few():
    assert prefix_quality(*made(noise=0.01)).verdict == "unclear"
    assert prefix_quality(*made(q=10)).verdict == "unclear"


def test_the_seed_fixes_everything():
    queries, asked, documents = made()
    first, again, other = (prefix_quality(queries, asked, documents, draws=4, seed=seed) for seed in (1, 1, 2))
    assert first.to_dict() == again.to_dict()
    assert not np.array_equal(first.random, other.random)


def test_zero_vectors_and_one_query():
    queries, asked, documents = made(q=1)
    documents[5:9] = 0
    result = prefix_quality(queries, asked, documents, draws=2)
    assert np.isnan(result.ndcg_low).all()
    assert result.to_dict()["ndcg_low"] == [None] * 3
    assert prefix_quality(queries, asked, documents * 0, draws=2).verdict == "unclear"


def test_prefixes_refuse():
    queries, asked, documents = made()
    with pytest.raises(InputError, match="between 1 and 32 and draws be 1 or more"):
        prefix_quality(queries, asked, documents, dims=(64,))
    with pytest.raises(InputError, match="draws be 1 or more"):
        prefix_quality(queries, asked, documents, draws=0)
    none = np.zeros(0, dtype=np.int64)
    bare = QuerySet(
        "bare", queries.queries, queries.query_ids, queries.documents, queries.document_ids, none, none, none
    )
    for measure in (prefix_quality, size_quality):
        with pytest.raises(InputError, match="No query has a relevant document"):
            measure(bare, asked, documents)
        with pytest.raises(Stopped):
            measure(queries, asked, documents, should_stop=lambda: True)


# Codes


def test_codes_are_those_of_sentence_transformers():
    from sentence_transformers.util.quantization import quantize_embeddings

    rng = np.random.default_rng(0)
    documents, queries = rng.normal(size=(50, 21)).astype(np.float32), 2 * rng.normal(size=(9, 21)).astype(np.float32)
    documents[:, 3] = 0.25
    ranges = int8_ranges(documents)
    for vectors in (documents, queries):
        assert np.array_equal(int8_codes(vectors, ranges), quantize_embeddings(vectors, "int8", ranges=ranges))
        assert np.array_equal(binary_codes(vectors), quantize_embeddings(vectors, "ubinary"))


def test_int8_values_are_within_half_a_step():
    documents = np.random.default_rng(1).normal(size=(200, 9)).astype(np.float32)
    documents[:, 4] = -0.5
    ranges = int8_ranges(documents)
    back = int8_values(int8_codes(documents, ranges), ranges)
    assert (np.abs(back - documents) <= (ranges[1] - ranges[0]) / 255 * 0.5001 + 1e-6).all()
    assert (back[:, 4] == -0.5).all()


@pytest.mark.parametrize("m", [1, 7, 8, 21])
def test_the_product_of_signs_counts_the_bits_that_differ(m):
    vectors = np.random.default_rng(2).normal(size=(30, m))
    codes = binary_codes(vectors)
    signs = binary_values(codes, m)
    hamming = np.unpackbits(codes[:, None] ^ codes[None], axis=-1).sum(axis=-1, dtype=np.int64)
    assert np.array_equal(signs @ signs.T, m - 2 * hamming)


@pytest.mark.parametrize(("precision", "wanted"), list(zip(PRECISIONS, [1536, 768, 384, 384, 48, 48], strict=True)))
def test_bytes(precision, wanted):
    assert bytes_per_document(384, precision) == wanted
    assert bytes_per_document(3, "binary") == 1


# Quality


def test_every_point_is_what_searching_its_values_says():
    queries, asked, documents = made()
    result = size_quality(queries, asked, documents)
    assert [(point.dims, point.precision) for point in result.points] == [
        (m, precision) for m in (8, 16, 32) for precision in PRECISIONS
    ]
    cut = documents[:, :16] / np.linalg.norm(documents[:, :16], axis=1, keepdims=True)
    cut_asked = asked[:, :16] / np.linalg.norm(asked[:, :16], axis=1, keepdims=True)
    ranges = int8_ranges(cut)
    stored = int8_values(int8_codes(cut, ranges), ranges)
    wanted = {
        "float32": ndcg(queries, asked[:, :16], documents[:, :16]),
        "float16": ndcg(queries, cut_asked, cut.astype(np.float16)),
        "int8": ndcg(queries, int8_values(int8_codes(cut_asked, ranges), ranges), stored),
        "binary": ndcg(queries, np.where(cut_asked > 0, 1, -1), np.where(cut > 0, 1, -1)),
    }
    for precision, value in wanted.items():
        assert result.point(16, precision).ndcg == pytest.approx(value)
    whole = result.point(32, "float32")
    assert (whole.kept, whole.change, whole.change_low, whole.change_high) == (1, 0, 0, 0)
    assert whole.milliseconds_per_query > 0
    assert result.point(32, "int8").milliseconds_per_query is None
    with pytest.raises(KeyError):
        result.point(12, "float32")


def test_rescoring_everything_is_searching_with_the_query_in_float32():
    queries, asked, documents = made()
    result = size_quality(queries, asked, documents, dims=(32,), rescored=24)
    unit = documents / np.linalg.norm(documents, axis=1, keepdims=True)
    ranges = int8_ranges(unit)
    whole = {
        "int8 rescored": int8_values(int8_codes(unit, ranges), ranges),
        "binary rescored": np.where(unit > 0, 1, -1),
    }
    for precision, stored in whole.items():
        assert result.point(32, precision).ndcg == pytest.approx(ndcg(queries, asked, stored))


def test_fewer_bits_keep_less_and_rescoring_wins_some_back():
    result = size_quality(*made(q=100, n=500, noise=1.0))
    at = {precision: result.point(32, precision) for precision in PRECISIONS}
    assert at["float16"].kept == pytest.approx(1, abs=0.01)
    assert at["int8"].kept == pytest.approx(1, abs=0.03)
    assert at["binary"].ndcg < at["binary rescored"].ndcg < at["float32"].ndcg
    assert at["binary"].change_high < 0
    assert at["binary"].recall < at["float32"].recall


def test_nothing_found_at_all_has_no_share(monkeypatch):
    queries, asked, documents = made(q=5, n=60)
    result = size_quality(queries, -asked, documents, dims=(8,), precisions=("float32",))
    assert np.isnan(result.point(32, "float32").kept)
    assert result.to_dict()["points"][-1]["kept"] is None


def test_progress_ends_at_its_end():
    told = []
    size_quality(*made(), progress=lambda done, of: told.append((done, of)))
    assert told[-1] == (19, 19)
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    told.clear()
    prefix_quality(*made(), draws=3, progress=lambda done, of: told.append((done, of)))
    assert told[-1] == (11, 11)
    assert [done for done, _ in told] == sorted(done for done, _ in told)


def test_sizes_refuse():
    queries, asked, documents = made()
    for change in ({"dims": (0,)}, {"dims": (33,)}, {"precisions": ("int4",)}, {"rescored": 0}):
        with pytest.raises(InputError, match="Sizes should lie between 1 and 32"):
            size_quality(queries, asked, documents, **change)
    assert module.RESCORED == 4
