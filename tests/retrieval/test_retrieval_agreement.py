"""Agreement of measures: unit vectors, long documents, slow references."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from lib.errors import InputError, Stopped
from lib.retrieval import search
from lib.retrieval.agreement import measure_agreement
from lib.retrieval.measures import MEASURES


def vectors(q=40, n=300, d=16, seed=0, unit=True):
    rng = np.random.default_rng(seed)
    made = [rng.normal(size=(rows, d)).astype(np.float32) for rows in (q, n)]
    return [x / np.linalg.norm(x, axis=1, keepdims=True) if unit else x for x in made]


def test_of_unit_vectors_three_measures_give_one_order():
    result = measure_agreement(*vectors())
    assert result.normalised
    assert (result.overlap[:3, :3] == 1).all()
    assert (result.same_order[:3, :3] == 1).all()
    assert result.overlap[0, 3] < 1
    assert result.length_correlation == (None, None, None, None)
    assert result.document_lengths == pytest.approx((1, 1, 1))


def test_the_dot_product_finds_long_documents():
    queries, documents = vectors()
    length = np.linspace(0.5, 5, 300)[:, None].astype(np.float32)
    result = measure_agreement(queries, documents * length)
    cosine, dot, l2, _ = result.length_correlation
    assert not result.normalised
    assert dot > 0.6
    assert abs(cosine) < 0.2
    assert l2 < -0.5  # the queries are as short as the shortest
    assert result.overlap[0, 1] < 0.6
    assert result.document_lengths == pytest.approx((0.5, 2.75, 5))


def test_it_is_what_searching_says():
    queries, documents = vectors(unit=False)
    result = measure_agreement(queries, documents, k=7)
    found = [search(queries, documents, 7, measure=measure).documents for measure in MEASURES]
    for i, a in enumerate(found):
        for j, b in enumerate(found):
            shared = np.mean([len(set(x) & set(y)) / 7 for x, y in zip(a, b, strict=True)])
            assert result.overlap[i, j] == pytest.approx(shared)
            assert result.same_order[i, j] == pytest.approx(
                np.mean([list(x) == list(y) for x, y in zip(a, b, strict=True)])
            )
        times = np.bincount(a.ravel(), minlength=300)
        theirs = spearmanr(np.linalg.norm(documents, axis=1), times).statistic
        assert result.length_correlation[i] == pytest.approx(theirs, abs=1e-3)


def test_a_sample_and_some_measures():
    queries, documents = vectors()
    result = measure_agreement(queries, documents, measures=("cosine", "dot"), sample=10, seed=3)
    assert (result.asked, result.queries, result.measures, result.overlap.shape) == (10, 40, ("cosine", "dot"), (2, 2))
    assert (
        result.to_dict()
        == measure_agreement(queries, documents, measures=("cosine", "dot"), sample=10, seed=3).to_dict()
    )


def test_few_documents():
    result = measure_agreement(np.ones((1, 2)), np.ones((3, 2)))
    assert result.k == 3
    assert (result.overlap == 1).all()
    assert result.length_correlation == (None,) * 4


def test_it_tells_and_stops():
    told = []
    measure_agreement(*vectors(), progress=lambda done, of: told.append(done / of))
    assert told[-1] == 1
    assert told == sorted(told)
    with pytest.raises(Stopped):
        measure_agreement(*vectors(), should_stop=lambda: True)


def test_refuses():
    queries, documents = vectors()
    with pytest.raises(InputError, match="needs a query and a sample of at least 1, got 0"):
        measure_agreement(queries[:0], documents)
    with pytest.raises(InputError, match="sample of at least 1, got 40, 0"):
        measure_agreement(queries, documents, sample=0)
