"""Comparison: identical systems, planted differences, Holm by hand, queries won and lost, timing, refusals."""

import json

import numpy as np
import pytest

from lib.corpora import QuerySet
from lib.encoders import Encoded
from lib.errors import InputError, Stopped
from lib.retrieval import Run, judged_ranks, paired_test, query_metrics, summarise
from lib.retrieval.changes import changes
from lib.retrieval.comparison import System, compare, holm
from lib.retrieval.encoding_speed import encoding_speed

Q, N, DEPTH = 30, 50, 20


def query_set(*, without=()):
    """Query i has one relevant document, i; those `without` have none."""
    rows = np.arange(Q)
    return QuerySet(
        "made up", tuple(f"query {i}" for i in rows), tuple(f"q{i}" for i in rows),
        tuple(f"document {i}" for i in range(N)), tuple(f"d{i}" for i in range(N)),
        rows, rows, np.array([0 if i in without else 1 for i in rows]),
    )  # fmt: skip


def system(name, places, queries=None, *, cutoffs=(1, 3, 10), **figures):
    """A system that puts the relevant document of query i at rank places[i]; 0: it does not retrieve it."""
    queries = queries or query_set()
    documents = np.full((Q, DEPTH), -1, dtype=np.int64)
    for row, place in enumerate(places):
        others = [document for document in range(Q, Q + DEPTH) if document != row]
        listed = [*others[: place - 1], row, *others[place - 1 :]] if place else others
        documents[row] = listed[:DEPTH]
    run = Run(name, documents, -np.arange(DEPTH, dtype=np.float32) + np.zeros((Q, 1), np.float32), N)
    metrics = query_metrics(judged_ranks(queries, run), cutoffs=cutoffs)
    return System(name, run, metrics, figures.get("dimensions"), figures.get("size", 100.0), figures.get("speed"))


def places(seed, *, best=1, worst=12):
    return np.random.default_rng(seed).integers(best, worst + 1, Q)


def test_a_system_against_itself():
    first = places(0)
    result = compare([system("a", first), system("b", first)])
    test = result.contenders[1].test
    assert (result.baseline, result.metric, result.names) == ("a", "ndcg@10", ("a", "b"))
    assert (test.difference, test.low, test.high, test.p_value) == (0, 0, 0, 1)
    assert (test.wins, test.ties, test.losses) == (0, Q, 0)
    assert (result.p_values == 1).all()
    assert (result.corrected == 1).all()
    assert result.contenders[0].test is None


def test_a_planted_difference_is_found_and_signed():
    good, bad = system("good", np.ones(Q, int)), system("bad", places(1, best=3))
    better = compare([bad, good]).contenders[1].test
    worse = compare([bad, good], baseline="good").contenders[0].test
    assert better.low > 0.2
    assert better.p_value < 0.001
    assert (better.wins, better.losses) == (Q, 0)
    assert worse.difference == pytest.approx(-better.difference)
    assert (worse.wins, worse.losses) == (0, Q)


def test_figures_are_those_of_the_library_s_parts():
    a, b, c = system("a", places(0)), system("b", places(1), dimensions=8, size=32.0, speed=9.5), system("c", places(2))
    result = compare([a, b, c], metric="mrr", baseline="c", resamples=500, seed=3)
    for contender, made in zip(result.contenders, (a, b, c), strict=True):
        expected = summarise(made.metrics, seed=3)
        assert [one.to_dict() for one in contender.summaries] == [one.to_dict() for one in expected]
        assert contender.summary("mrr").mean == pytest.approx(made.metrics.column("mrr").mean())
    assert (
        result.contenders[0].test.to_dict() == paired_test(c.metrics, a.metrics, "mrr", resamples=500, seed=3).to_dict()
    )
    assert result.contenders[2].test is None
    second = result.contenders[1]
    assert (second.dimensions, second.bytes_per_document, second.documents_per_second) == (8, 32.0, 9.5)
    assert (result.queries, result.skipped, result.resamples, result.seed) == (Q, 0, 500, 3)
    assert np.array_equal(result.p_values, result.p_values.T)
    assert result.p_values[2, 0] == result.contenders[0].test.p_value
    upper = np.triu_indices(3, 1)
    assert np.array_equal(result.corrected[upper], holm(result.p_values[upper]))
    json.dumps(result.to_dict(), allow_nan=False)


def test_order_of_systems_changes_no_p_value():
    made = [system(name, places(seed)) for seed, name in enumerate("abc")]
    forth, back = compare(made, baseline="b"), compare(made[::-1], baseline="b")
    np.testing.assert_allclose(forth.p_values, back.p_values[::-1, ::-1])


def test_holm_by_hand():
    # ascending: 0.01 * 4, 0.02 * 3, 0.03 * 2 (not below the one before), 0.5 * 1
    np.testing.assert_allclose(holm(np.array([0.03, 0.01, 0.5, 0.02])), [0.06, 0.04, 0.5, 0.06])
    np.testing.assert_allclose(holm(np.array([0.6, 0.7])), [1, 1])
    assert holm(np.array([0.02])) == [0.02]
    assert len(holm(np.array([]))) == 0


def test_holm_keeps_the_chance_of_one_false_alarm_below_its_level():
    rng = np.random.default_rng(0)
    alarms = [(holm(rng.random(6)) < 0.05).any() for _ in range(4_000)]
    assert np.mean(alarms) == pytest.approx(0.05, abs=0.012)


def test_queries_without_a_relevant_document_are_left_out_everywhere():
    queries = query_set(without=(0, 4))
    result = compare([system("a", places(0), queries), system("b", places(1), queries)])
    assert (result.queries, result.skipped) == (Q - 2, 2)
    assert result.contenders[1].test.queries == Q - 2


def test_changes_list_wins_first_and_losses_last():
    before, after = np.full(Q, 4), np.full(Q, 4)
    after[3], after[8], after[11], after[20] = 1, 2, 9, 0
    found = changes(query_set(), system("a", before), system("b", after), metric="mrr")
    assert found.query.tolist() == [3, 8, 11, 20]
    assert found.value_a.tolist() == [0.25] * 4
    np.testing.assert_allclose(found.value_b, [1, 0.5, 1 / 9, 0])
    assert found.rank_a.tolist() == [4] * 4
    assert found.rank_b.tolist() == [1, 2, 9, 0]
    assert found.top_b.tolist() == [3, Q, Q, Q]
    assert found.top_a.tolist() == [Q] * 4
    assert (found.a, found.b, found.metric) == ("a", "b", "mrr")


def test_changes_are_limited_on_both_sides():
    before, after = np.full(Q, 5), np.arange(1, Q + 1) % 10 + 1
    every = changes(query_set(), system("a", before), system("b", after), metric="mrr", most=Q)
    few = changes(query_set(), system("a", before), system("b", after), metric="mrr", most=2)
    assert few.query.tolist() == [*every.query[:2], *every.query[-2:]]
    assert len(every.query) == (after != 5).sum()
    same = changes(query_set(), system("a", before), system("b", before))
    assert len(same.query) == 0


def test_one_query():
    queries = query_set(without=range(1, Q))
    result = compare([system("a", np.ones(Q, int), queries), system("b", np.full(Q, 2), queries)])
    assert result.queries == 1
    assert np.isnan(result.contenders[1].test.low)
    json.dumps(result.to_dict(), allow_nan=False)


class Slow:
    """An encoder that remembers what it was asked to encode."""

    def __init__(self):
        self.asked = []

    def encode(self, texts, *, progress=None, should_stop=None):
        if should_stop and should_stop():
            raise Stopped
        self.asked.append(list(texts))
        if progress:
            progress(len(texts), len(texts))
        return Encoded(np.zeros((len(texts), 2), np.float32), 0, np.zeros(len(texts), bool), len(texts))


def test_speed_is_that_of_a_seeded_sample_of_different_documents():
    documents = [f"document {i % 40}" for i in range(200)]
    encoder, told = Slow(), []
    result = encoding_speed(encoder, documents, sample=16, seed=5, progress=lambda *at: told.append(at))
    warm, timed = encoder.asked
    assert warm == timed[:8]
    assert len(set(timed)) == 16
    assert set(timed) <= set(documents)
    assert told == [(16, 16)]
    assert (result.documents, result.seed) == (16, 5)
    assert result.documents_per_second == pytest.approx(16 / result.seconds)
    again = Slow()
    encoding_speed(again, documents, sample=16, seed=5)
    assert again.asked == encoder.asked
    assert encoding_speed(Slow(), documents, sample=64).documents == 40


def test_speed_can_be_stopped():
    with pytest.raises(Stopped):
        encoding_speed(Slow(), ["a"], should_stop=lambda: True)


def test_refuses():
    a, b = system("a", places(0)), system("b", places(1))
    with pytest.raises(InputError, match="needs at least two systems, got 1"):
        compare([a])
    with pytest.raises(InputError, match="different names to be told apart, got a, a"):
        compare([a, a])
    with pytest.raises(InputError, match="baseline should be one of a, b, got 'BM25'"):
        compare([a, b], baseline="BM25")
    with pytest.raises(InputError, match="There is no metric 'ndcg@7' here"):
        compare([a, b], metric="ndcg@7")
    with pytest.raises(InputError, match="There is no metric 'ndcg@7' in this comparison"):
        compare([a, b]).contenders[0].summary("ndcg@7")
    with pytest.raises(InputError, match="At least one query should be listed, got 0"):
        changes(query_set(), a, b, most=0)
    with pytest.raises(InputError, match="Timing needs at least one document, got 0 and a sample of 64"):
        encoding_speed(Slow(), [])
    with pytest.raises(ValueError, match="answered the same queries"):
        compare([a, system("b", places(1), query_set(without=(2,)))])


def test_nothing_to_judge_by():
    queries = query_set(without=range(Q))
    with pytest.raises(InputError, match="has a relevant document"):
        compare([system("a", places(0), queries), system("b", places(1), queries)])
