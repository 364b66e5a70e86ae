"""What a dictionary loses, uses and keeps: closed forms, a slow reference, and blocks that add up."""

import numpy as np
import pytest

from lib.corpora import QuerySet
from lib.errors import InputError, Stopped
from lib.sae import SparseAutoencoder, evaluation
from lib.sae.evaluation import evaluate_sae, evaluation_of
from lib.sae.evaluation_sums import Sums
from lib.sae.retrieval_kept import retrieval_kept
from tests.toy_sae import orthogonal_sae, planted, random_sae


def exact_sae(d):
    """Signed axes: every vector is put together again without loss."""
    both = np.concatenate([np.eye(d), -np.eye(d)]).astype(np.float32)
    zeros = np.zeros(2 * d, np.float32)
    return SparseAutoencoder(both.T, zeros, both, np.zeros(d, np.float32), "jumprelu", thresholds=zeros)


def test_nothing_lost():
    x = planted(300).vectors
    found = evaluate_sae(exact_sae(16), x)
    assert found.fvu == pytest.approx(0, abs=1e-9)
    assert found.mean_cosine == pytest.approx(1)
    assert found.mean_length_ratio == pytest.approx(1)
    assert found.mean_active == pytest.approx(16)
    assert (found.texts, found.features) == (300, 32)


def test_everything_lost():
    x = planted(300).vectors
    silent = orthogonal_sae(16, bias=1e9)
    about_mean = SparseAutoencoder(
        silent.encoder_weights,
        silent.encoder_bias,
        silent.decoder_weights,
        x.mean(axis=0),
        "jumprelu",
        thresholds=silent.thresholds,
    )
    found = evaluate_sae(about_mean, x)
    assert found.fvu == pytest.approx(1, abs=1e-6)
    assert found.dead_share == 1
    assert found.density_counts.sum() == 0
    assert np.isnan(evaluate_sae(silent, x).mean_cosine)  # reconstructions of length 0


def test_against_a_slow_reference():
    sae, x = random_sae(), planted(200, seed=3).vectors
    labels = ["a" if row % 3 else None if row % 2 else "b" for row in range(200)]
    found = evaluate_sae(sae, x, labels=labels)
    x_hat, dense = sae.reconstruct(x).astype(float), sae.encode(x).matrix.toarray()
    error, spread = ((x - x_hat) ** 2).sum(axis=1), ((x - x.mean(axis=0)) ** 2).sum(axis=1)
    assert found.fvu == pytest.approx(error.sum() / spread.sum())
    assert found.labels == ("a", "b")
    for label, fvu, texts in zip(found.labels, found.label_fvu, found.label_texts, strict=True):
        rows = [row for row, name in enumerate(labels) if name == label]
        assert fvu == pytest.approx(error[rows].sum() / spread[rows].sum())
        assert texts == len(rows)
    active = (dense > 0).sum(axis=1)
    assert found.mean_active == pytest.approx(active.mean())
    assert found.active_quantiles["0.5"] == np.quantile(active, 0.5, method="inverted_cdf")
    assert found.dead_share == pytest.approx((dense.max(axis=0) == 0).mean())
    assert np.allclose(found.frequency, (dense > 0).mean(axis=0))
    assert found.density_counts.sum() == (found.frequency > 0).sum()
    cosines = (x * x_hat).sum(axis=1) / np.linalg.norm(x, axis=1) / np.linalg.norm(x_hat, axis=1)
    assert found.mean_cosine == pytest.approx(cosines.mean())


def test_a_given_mean():
    sae, x = random_sae(), planted(100).vectors
    centre = np.ones(16)
    found = evaluate_sae(sae, x, mean=centre)
    error = ((x - sae.reconstruct(x)) ** 2).sum()
    assert found.fvu == pytest.approx(error / ((x - centre) ** 2).sum())
    assert found.centre == "a given mean"
    assert evaluate_sae(sae, x, mean=x.mean(axis=0)).fvu == pytest.approx(evaluate_sae(sae, x).fvu)


def test_blocks_and_known_codes_change_nothing(monkeypatch):
    sae, x = random_sae(), planted(333).vectors
    labels = [str(row % 4) for row in range(333)]
    whole = evaluate_sae(sae, x, labels=labels)
    known = evaluate_sae(sae, x, labels=labels, codes=sae.encode(x))
    monkeypatch.setattr(evaluation, "_BLOCK", 48 * 10)
    blocks = evaluate_sae(sae, x, labels=labels)
    for other in (known, blocks):
        assert other.fvu == pytest.approx(whole.fvu, rel=1e-9)
        assert np.allclose(other.label_fvu, whole.label_fvu, rtol=1e-9)
        assert np.array_equal(other.frequency, whole.frequency)
        assert other.active_quantiles == whole.active_quantiles


def test_sums_merge():
    sae, x = random_sae(), planted(200).vectors
    parts = []
    for part in (slice(0, 50), slice(50, 200)):
        sums = Sums.none(sae.features, sae.decoder_bias, 0)
        codes = sae.encode(x[part])
        sums.add(x[part], sae.decode(codes), codes, np.zeros(len(x[part]), np.int64))
        parts.append(sums)
    parts[0].merge(parts[1])
    merged, whole = evaluation_of(parts[0]), evaluate_sae(sae, x)
    assert merged.fvu == pytest.approx(whole.fvu, rel=1e-12)
    assert np.array_equal(merged.density_counts, whole.density_counts)
    with pytest.raises(ValueError, match="another origin"):
        parts[0].merge(Sums.none(sae.features, sae.decoder_bias + 1, 0))
    with pytest.raises(ValueError, match="another dictionary"):
        parts[0].merge(Sums.none(3, sae.decoder_bias, 0))


def test_far_from_the_origin_no_digits_are_lost():
    x = planted(200).vectors.astype(np.float64) + 1e4
    sae = exact_sae(16)
    moved = SparseAutoencoder(
        sae.encoder_weights,
        sae.encoder_bias,
        sae.decoder_weights,
        np.full(16, 1e4),
        "jumprelu",
        thresholds=sae.thresholds,
    )
    assert evaluate_sae(moved, x.astype(np.float32)).fvu < 1e-6


def test_always_on_and_dead():
    x = np.abs(planted(50, d=6, n=8).vectors) + 0.1
    x[:, 0] = -1
    x[10:, 1] = -1
    found = evaluate_sae(orthogonal_sae(6), x)
    assert found.dead_share == pytest.approx(1 / 6)
    assert found.always_on.tolist() == [2, 3, 4, 5]
    assert evaluate_sae(orthogonal_sae(6), x, always_share=0.19).always_on.tolist() == [1, 2, 3, 4, 5]


def test_degenerate_input():
    sae = random_sae()
    one = planted(1).vectors
    assert np.isnan(evaluate_sae(sae, one).fvu)
    assert np.isnan(evaluate_sae(sae, np.repeat(one, 9, axis=0)).fvu)
    assert evaluate_sae(sae, one).to_dict()["fvu"] is None
    assert np.isfinite(evaluate_sae(sae, np.concatenate([one, 0 * one])).mean_active)


def test_refusals():
    sae, x = random_sae(), planted(20).vectors
    with pytest.raises(InputError, match="on no text"):
        evaluate_sae(sae, x[:0])
    with pytest.raises(InputError, match="takes vectors of 16 dimensions"):
        evaluate_sae(sae, x[:, :5])
    with pytest.raises(InputError, match="NaN"):
        evaluate_sae(sae, x * np.nan)
    with pytest.raises(InputError, match="NaN"):
        evaluate_sae(sae, x * np.nan, codes=sae.encode(x))
    with pytest.raises(InputError, match="got 0"):
        evaluate_sae(sae, x, always_share=0)
    with pytest.raises(InputError, match=r"should have the shape \(16,\)"):
        evaluate_sae(sae, x, mean=np.zeros(3))
    with pytest.raises(ValueError, match="same texts"):
        evaluate_sae(sae, x, labels=["a"])
    with pytest.raises(Stopped):
        evaluate_sae(sae, x, should_stop=lambda: True)


@pytest.fixture
def searched():
    """60 documents, a query near each of the first 40; one query without a relevant document."""
    documents = planted(60, seed=5).vectors
    noise = np.random.default_rng(0).normal(size=(41, 16)).astype(np.float32)
    asked = documents[:41] + 0.2 * noise
    judgements = np.arange(40)
    queries = QuerySet(
        name="planted",
        query_ids=tuple(f"q{row}" for row in range(41)),
        queries=tuple(f"query {row}" for row in range(41)),
        document_ids=tuple(f"d{row}" for row in range(60)),
        documents=tuple(f"document {row}" for row in range(60)),
        judged_query=judgements,
        judged_document=judgements,
        relevance=np.ones(40, np.int64),
        topics=None,
    )
    return queries, asked, documents


def test_all_is_kept_where_nothing_is_lost(searched):
    found = retrieval_kept(exact_sae(16), *searched)
    assert (found.queries, found.skipped, found.items) == (40, 1, 60)
    assert 0.5 < found.raw <= 1
    for kept in (found.both, found.documents):
        assert kept.share == pytest.approx(1)
        assert (kept.share_low, kept.share_high) == (pytest.approx(1), pytest.approx(1))
        assert kept.test.p_value == 1
        assert kept.test.ties == 40


def test_what_is_kept_is_what_a_search_of_reconstructions_finds(searched):
    from lib.retrieval import evaluate

    queries, asked, documents = searched
    sae = random_sae(k=2)
    found = retrieval_kept(sae, queries, asked, documents)
    raw = evaluate(queries, asked, documents).report()["metrics"]["ndcg@10"]
    both = evaluate(queries, sae.reconstruct(asked), sae.reconstruct(documents)).report()["metrics"]["ndcg@10"]
    assert (found.raw, found.both.ndcg) == (pytest.approx(raw), pytest.approx(both))
    assert found.both.share == pytest.approx(both / raw)
    assert found.both.share < 1
    assert found.both.share_low < found.both.share < found.both.share_high
    assert found.both.test.p_value < 0.05
    assert found.documents.ndcg != found.both.ndcg
    assert retrieval_kept(sae, queries, asked, documents).to_dict() == found.to_dict()
    assert retrieval_kept(sae, queries, asked, documents, k=1).metric == "ndcg@1"


def test_retrieval_refusals(searched):
    queries, asked, documents = searched
    with pytest.raises(InputError, match="takes vectors of 16 dimensions"):
        retrieval_kept(exact_sae(16), queries, asked, documents[:, :4])
    with pytest.raises(InputError, match="got 0 and"):
        retrieval_kept(exact_sae(16), queries, asked, documents, k=0)
    with pytest.raises(InputError, match="No query has a relevant document"):
        retrieval_kept(exact_sae(16), queries.select([40]), asked[40:], documents)
    with pytest.raises(Stopped):
        retrieval_kept(exact_sae(16), queries, asked, documents, should_stop=lambda: True)
    heard = []
    retrieval_kept(exact_sae(16), queries, asked, documents, progress=lambda done, of: heard.append((done, of)))
    assert heard == [(step, 5) for step in range(6)]
