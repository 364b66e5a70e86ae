import json

import numpy as np
import pytest

from lib.encoders.prompts import Prompts
from lib.errors import InputError
from lib.finetune.data import embedder
from lib.finetune.validation import (
    METRICS,
    Validation,
    compare_validations,
    measure,
    sampled,
)
from lib.results import to_json
from lib.retrieval import evaluate
from tests.toy_tuning import WORDS, tiny_model, toy_queries


def rounded_space(seed=0, d=3):
    """Vectors of whole numbers, so that ties come up."""
    rng, known = np.random.default_rng(seed), {}

    def embed(texts, role):
        return np.stack(
            [known.setdefault((text, role), rng.integers(-1, 2, d) + np.eye(d)[0] * 3) for text in texts]
        ).astype(np.float32)

    return embed


@pytest.fixture
def queries():
    rng = np.random.default_rng(1)
    judged = {(row, int(at)): int(rng.integers(0, 3)) for row in range(30) for at in rng.choice(80, 4, replace=False)}
    return toy_queries([(*pair, grade) for pair, grade in judged.items()], queries=31, documents=80)


def test_the_numbers_are_those_of_retrieval(queries):
    embed = rounded_space()
    made = measure(queries, embed)
    whole = evaluate(queries, embed(queries.queries, "query"), embed(queries.documents, "document")).metrics
    assert set(whole.names) >= {"ndcg@10", "recall@1"}
    np.testing.assert_array_equal(made.query, whole.query)
    for place, name in enumerate(METRICS):
        wanted = whole.column(name)
        np.testing.assert_allclose(made.values[:, place], wanted, rtol=1e-12)
    cut = measure(queries, embed, width=2)
    short = evaluate(queries, embed(queries.queries, "query")[:, :2], embed(queries.documents, "document")[:, :2])
    np.testing.assert_allclose(cut.values[:, 0], short.metrics.column("ndcg@10"))


def test_a_part_keeps_every_judged_document(queries):
    part = sampled(queries, most_queries=10, most_documents=50, seed=4)
    assert (len(part.queries), len(part.documents)) == (10, 50)
    judged = {
        (part.queries[q], part.documents[d], int(grade))
        for q, d, grade in zip(part.judged_query, part.judged_document, part.relevance, strict=True)
    }
    kept = [row for row, text in enumerate(queries.queries) if text in part.queries]
    assert judged == {
        (queries.queries[q], queries.documents[d], int(grade))
        for q, d, grade in zip(queries.judged_query, queries.judged_document, queries.relevance, strict=True)
        if q in kept
    }
    assert sampled(queries, most_queries=10, most_documents=50, seed=4).key == part.key
    assert sampled(queries, most_queries=10, most_documents=50, seed=5).key != part.key
    assert len(sampled(queries).queries) == int((queries.relevant > 0).sum())
    with pytest.raises(InputError, match="no query held out has a relevant document"):
        sampled(toy_queries([(0, 0, 0)], queries=1, documents=1))


def test_before_and_after_are_compared_query_by_query(queries):
    before, after = (measure(queries, rounded_space(seed)) for seed in (0, 1))
    kept = Validation.from_dict(json.loads(json.dumps(before.to_dict())))
    made = compare_validations(kept, after)
    assert [test.metric for test in made.tests] == list(METRICS)
    for test, one, other in zip(made.tests, made.before, made.after, strict=True):
        assert test.difference == pytest.approx(other.mean - one.mean)
        assert test.low <= test.difference <= test.high
    assert all(p >= test.p_value for p, test in zip(made.adjusted, made.tests, strict=True))
    same = compare_validations(before, before)
    assert [test.difference for test in same.tests] == [0, 0, 0]
    assert same.adjusted == (1, 1, 1)
    assert json.dumps(to_json(made))
    with pytest.raises(ValueError, match="same queries and documents"):
        compare_validations(before, measure(sampled(queries, most_documents=70), rounded_space()))


def test_it_is_the_model_as_it_is_now_that_is_asked(tmp_path):
    import torch

    model = tiny_model(tmp_path, dropout=0.5)
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(WORDS, 3)) for _ in range(40)]
    queries = toy_queries([(row, row, 1) for row in range(10)], queries=texts[:10], documents=texts[10:])
    prompts = Prompts("ba0 ", "ke0 ")
    embed = embedder(model, prompts)
    model.train()
    first = measure(queries, embed).means
    assert measure(queries, embed).means == first  # nothing is dropped
    by_hand = measure(queries, lambda of, role: model.encode([prompts.of(role) + text for text in of]))
    assert first == pytest.approx(by_hand.means)
    assert embedder(model)(texts, "query") == pytest.approx(model.encode(texts), abs=1e-6)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)))
    assert measure(queries, embed).means != first
