"""Hard-negative gaps and triplets: slow reference, marks, sentence-transformers' own mining, degenerate sets."""

import dataclasses
import json
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from sentence_transformers.util import mine_hard_negatives

from lib.corpora import QuerySet
from lib.errors import InputError
from lib.retrieval import evaluate, query_metrics, search, summarise
from lib.retrieval.bm25 import Bm25Index
from lib.retrieval.exports import run_from_scores
from lib.retrieval.metrics import QueryMetrics
from lib.retrieval.negatives import depth, hard_negatives, irrelevant, known_scores, with_cross_encoder
from lib.retrieval.pairs import judged_scores, rescored
from lib.retrieval.run import judged_ranks
from lib.retrieval.triplets import triplet_lines, triplet_table, triplets


def made(judgements, *, q, n, texts=None):
    """A query set from {(query, document): relevance}."""
    pairs = sorted(judgements)
    return QuerySet(
        name="made up",
        queries=tuple(f"query {row}" for row in range(q)),
        query_ids=tuple(f"q{row}" for row in range(q)),
        documents=tuple(texts or [f"text {row}" for row in range(n)]),
        document_ids=tuple(f"d{row:03}" for row in range(n)),
        judged_query=np.array([row for row, _ in pairs], dtype=np.int64),
        judged_document=np.array([row for _, row in pairs], dtype=np.int64),
        relevance=np.array([judgements[pair] for pair in pairs], dtype=np.int64),
    )


def random_set(rng, *, q=40, n=30):
    """Up to six judgements a query, graded 0 to 2."""
    pairs = sorted({(row, int(d)) for row in range(q) for d in rng.permutation(n)[: rng.integers(0, 7)]})
    return made({pair: int(rng.integers(0, 3)) for pair in pairs}, q=q, n=n)


def full(queries, scores):
    """A run of all documents."""
    return run_from_scores(queries, scores, system="x")


def of_judged(queries, scores):
    return scores[queries.judged_query, queries.judged_document].astype(np.float32)


def graded(queries, row, document):
    """The relevance of a pair, None if nobody judged it."""
    known = zip(queries.judged_query, queries.judged_document, queries.relevance, strict=True)
    return {(q, d): grade for q, d, grade in known}.get((row, document))


@pytest.mark.parametrize("source", ["mined", "explicit"])
@pytest.mark.parametrize("depth", [30, 9])
def test_equals_a_loop_over_every_pair(source, depth):
    rng = np.random.default_rng(0)
    queries = random_set(rng)
    scores = rng.random((40, 30)).astype(np.float32)
    run = run_from_scores(queries, scores, system="x", k=depth)
    found = hard_negatives(queries, run, judged_scores=of_judged(queries, scores), source=source)
    rows = []
    for row in range(40):
        grades = [graded(queries, row, d) for d in range(30)]
        positive = [scores[row, d] for d in range(30) if grades[d]]
        judged = [scores[row, d] for d in range(30) if grades[d] == 0]
        rest = [scores[row, d] for d in range(30) if not grades[d]]
        negative = judged if source == "explicit" and judged else rest
        if positive:
            rows.append((row, float(max(positive)) - float(max(negative))))
    assert found.query.tolist() == [row for row, _ in rows]
    assert found.gap == pytest.approx([gap for _, gap in rows])
    assert found.hard_negative_gap == pytest.approx(np.mean([gap for _, gap in rows]))
    assert found.low < found.hard_negative_gap < found.high
    assert found.without_positive == 40 - len(rows)
    for at, row in enumerate(found.query):
        assert graded(queries, row, found.positive[at]) > 0
        assert (graded(queries, row, found.negative[at]) == 0) == found.explicit[at]
        assert found.suspicious[at] == (not found.explicit[at] and found.gap[at] < 0)
    if source == "explicit":
        assert found.explicit.sum() > hard_negatives(queries, full(queries, scores)).explicit.sum()


def test_a_gap_below_0_is_a_first_place_lost():
    rng = np.random.default_rng(1)
    queries = random_set(rng)
    run = full(queries, rng.random((40, 30)))
    found = hard_negatives(queries, run)
    first = query_metrics(judged_ranks(queries, run), cutoffs=[1]).means["hit@1"]
    assert found.share_below == pytest.approx(1 - first)


def test_histogram_holds_every_gap_and_has_an_edge_at_0():
    rng = np.random.default_rng(2)
    for shift in (-3, 0, 3):
        queries = random_set(rng)
        scores = rng.random((40, 30)).astype(np.float32)
        scores[queries.judged_query[queries.relevance > 0], queries.judged_document[queries.relevance > 0]] += shift
        found = hard_negatives(queries, full(queries, scores))
        assert found.histogram.sum() == len(found.gap)
        assert np.abs(found.bin_edges).min() < 1e-12
        assert (np.diff(found.bin_edges) > 0).all()
        assert found.gap[found.worst].tolist() == sorted(found.gap)


def test_marks_what_may_be_an_unlabelled_positive():
    # query 0: an unjudged document above the positive; 1: one judged 0 above it; 2: an unjudged one below it
    queries = made({(0, 0): 1, (1, 0): 1, (1, 1): 0, (2, 0): 2}, q=3, n=3)
    found = hard_negatives(queries, full(queries, np.array([[0.5, 0.7, 0.1], [0.5, 0.7, 0.1], [0.5, 0.4, 0.1]])))
    assert found.negative.tolist() == [1, 1, 1]
    assert found.gap == pytest.approx([-0.2, -0.2, 0.1])
    assert found.suspicious.tolist() == [True, False, False]
    assert found.agreed is None
    asked = with_cross_encoder(found, np.array([[0.1, 0.9], [0.1, 0.9], [0.1, 0.9]]))
    assert (asked.agreed.tolist(), asked.asked) == ([True, False, False], 1)
    unknown = with_cross_encoder(found, np.array([[np.nan, 0.9]] * 3))
    assert (unknown.agreed.any(), unknown.asked) == (False, 0)
    assert with_cross_encoder(found, np.array([[1, 0]] * 3)).agreed.tolist() == [False] * 3
    with pytest.raises(ValueError, match=r"shape \(3, 2\), got \(2, 2\)"):
        with_cross_encoder(found, np.zeros((2, 2)))


def test_explicit_negatives_fall_back_to_mined_ones():
    queries = made({(0, 0): 1, (0, 2): 0, (1, 0): 1}, q=2, n=3)
    run = full(queries, np.array([[0.5, 0.9, 0.1], [0.5, 0.4, 0.1]]))
    found = hard_negatives(queries, run, source="explicit")
    assert found.negative.tolist() == [2, 1]
    assert found.explicit.tolist() == [True, False]
    assert hard_negatives(queries, run).negative.tolist() == [1, 1]


def test_a_copy_of_a_relevant_document_is_no_negative():
    queries = made({(0, 0): 1, (1, 1): 1}, q=2, n=4, texts=["same", "other", "same", "third"])
    run = full(queries, np.array([[0.5, 0.4, 0.5, 0.3], [0.5, 0.4, 0.5, 0.3]]))
    found = hard_negatives(queries, run)
    assert found.negative.tolist() == [1, 2]
    assert not irrelevant(queries, run)[0, :2].any()


def test_queries_without_either_side_are_left_out_and_counted():
    queries = made({(0, 0): 1, (0, 1): 1, (1, 0): 1, (2, 0): 0}, q=4, n=2)
    run = full(queries, np.array([[0.2, 0.1]] * 4))
    found = hard_negatives(queries, run)
    assert (found.query.tolist(), found.without_positive, found.without_negative) == ([1], 2, 1)
    assert np.isnan(found.low)
    json.dumps(found.to_dict(), allow_nan=False)


def test_a_run_is_as_deep_as_negatives_need():
    assert depth(made({(0, 0): 1}, q=1, n=2)) == 100
    assert depth(made({(0, d): 1 for d in range(150)}, q=2, n=200)) == 170
    assert depth(made({(0, d): 1 for d in range(3_000)}, q=1, n=4_000)) == 2_000
    assert depth(made({}, q=1, n=1), least=5_000) == 5_000


def test_positives_beyond_the_run_need_their_scores():
    queries = made({(0, 2): 1, (1, 0): 1}, q=2, n=3)
    scores = np.array([[0.9, 0.8, 0.1], [0.9, 0.8, 0.1]], dtype=np.float32)
    run = run_from_scores(queries, scores, system="x", k=2)
    assert hard_negatives(queries, run).query.tolist() == [1]
    found = hard_negatives(queries, run, judged_scores=of_judged(queries, scores))
    assert found.gap == pytest.approx([-0.8, 0.1])
    assert np.isnan(known_scores(queries, run)).tolist() == [True, False]


def test_equal_scores_make_a_gap_of_0_that_is_not_below_0():
    found = hard_negatives(made({(0, 0): 1, (1, 1): 1}, q=2, n=2), full(made({}, q=2, n=2), np.full((2, 2), 0.3)))
    assert (found.share_below, found.hard_negative_gap, found.histogram.sum()) == (0, 0, 2)
    assert not found.suspicious.any()


def test_a_copy_of_a_relevant_document_is_no_negative_though_it_was_judged_0():
    queries = made({(0, 0): 1, (0, 1): 0, (0, 2): 0}, q=1, n=3, texts=["same", "same", "other"])
    found = hard_negatives(queries, full(queries, np.array([[0.5, 0.5, 0.1]])), source="explicit")
    assert found.negative.tolist() == [2]


# By topic


def with_topics(queries, names):
    return dataclasses.replace(queries, topics=tuple(names[row % len(names)] for row in range(len(queries.queries))))


def test_gaps_by_topic_are_those_of_the_bootstrap():
    rng = np.random.default_rng(5)
    queries = with_topics(random_set(rng), ["b", "a", None])
    found = hard_negatives(queries, full(queries, rng.random((40, 30))), seed=3)
    columns = QueryMetrics(("hard_negative_gap",), found.gap[:, None], found.query, 0, "linear", ())
    expected = summarise(columns, groups=queries.topics, seed=3)
    assert [one.to_dict() for one in found.summaries] == [one.to_dict() for one in expected]
    assert [one.group for one in found.by_topic] == ["a", "b"]
    assert sum(one.queries for one in found.by_topic) < len(found.gap)
    for one in found.by_topic:
        rows = [at for at, row in enumerate(found.query) if queries.topics[row] == one.group]
        assert one.mean == pytest.approx(np.mean(found.gap[rows]))
        assert one.low < one.mean < one.high
    json.dumps(found.to_dict(), allow_nan=False)


def test_without_topics_there_is_no_gap_by_topic():
    queries = made({(0, 0): 1}, q=1, n=2)
    assert hard_negatives(queries, full(queries, np.array([[2.0, 1.0]]))).by_topic == ()
    alone = hard_negatives(with_topics(queries, ["x"]), full(queries, np.array([[2.0, 1.0]]))).by_topic[0]
    assert (alone.mean, alone.queries) == (1, 1)
    assert np.isnan(alone.low)


def test_the_report_has_the_gap_of_each_topic():
    rng = np.random.default_rng(6)
    queries = with_topics(made({(row, row): 1 for row in range(12)}, q=12, n=12), ["a", "b"])
    # topic c: its one query has nothing relevant, so it has neither metrics nor a gap
    queries = dataclasses.replace(queries, queries=(*queries.queries, "more"), query_ids=(*queries.query_ids, "q12"),
                                  topics=(*queries.topics, "c"))  # fmt: skip
    found = evaluate(queries, rng.normal(size=(13, 4)), rng.normal(size=(12, 4)))
    topics = found.report()["topics"]
    assert set(topics) == {"a", "b"}
    for one in found.negatives.by_topic:
        assert topics[one.group]["metrics"]["hard_negative_gap"] == one.mean
        assert topics[one.group]["intervals"]["hard_negative_gap"] == [one.low, one.high]


# BM25's


def worded(rng, *, q=12, n=40):
    """Queries and documents of a few words each, and vectors of both."""
    words = [f"word{number}" for number in range(30)]
    texts = [" ".join(rng.choice(words, 5)) + f" only{row}" for row in range(n)]
    queries = made({(row, row): 1 for row in range(q)} | {(0, 20): 0}, q=q, n=n, texts=texts)
    asked = tuple(" ".join(rng.choice(words, 4)) for _ in range(q - 1))
    queries = dataclasses.replace(queries, queries=(*asked, "nothing shared"))
    return queries, rng.normal(size=(q, 6)).astype(np.float32), rng.normal(size=(n, 6)).astype(np.float32)


@pytest.mark.parametrize("measure", ["cosine", "dot", "l2"])
def test_negatives_of_bm25_have_the_encoders_scores(measure):
    queries, left, right = worded(np.random.default_rng(7))
    by_words = Bm25Index(queries.documents).search(queries.queries, 40, tie_order=queries.tie_order)
    run = rescored(by_words, left, right, measure=measure)
    whole = search(left, right, 40, measure=measure, tie_order=queries.tie_order)
    score = {(row, int(d)): s for row in range(12)
             for d, s in zip(whole.documents[row], whole.scores[row], strict=True)}  # fmt: skip
    assert np.array_equal(run.documents, by_words.documents)
    for row, place in np.argwhere(run.documents >= 0):
        assert run.scores[row, place] == score[row, int(run.documents[row, place])]
    assert np.isneginf(run.scores[run.documents < 0]).all()
    judged = judged_scores(queries, left, right, measure=measure)
    found = hard_negatives(queries, run, judged_scores=judged, source="BM25")
    assert (found.source, found.without_negative) == ("BM25", 1)  # the query that shares no word
    for at, row in enumerate(found.query):
        first = next(int(d) for d in by_words.documents[row] if d != row)
        assert found.negative[at] == first
        assert found.gap[at] == pytest.approx(float(score[row, row]) - float(score[row, first]))
        assert found.suspicious[at] == (not found.explicit[at] and found.gap[at] < 0)


def test_triplets_of_bm25_stand_in_its_order():
    queries, left, right = worded(np.random.default_rng(8))
    by_words = Bm25Index(queries.documents).search(queries.queries, 40, tie_order=queries.tie_order)
    run, judged = rescored(by_words, left, right), judged_scores(queries, left, right)
    settings = {"judged_scores": judged, "negatives": 40, "source": "BM25"}
    every = triplets(queries, run, keep_suspicious=True, **settings)
    for row in range(11):
        expected = [int(d) for d in by_words.documents[row] if d >= 0 and d != row]
        assert every.negative[every.query == row].tolist() == expected
    sure = triplets(queries, run, **settings)
    assert (sure.negative_score <= sure.positive_score)[~sure.explicit].all()
    assert len(sure.query) + sure.left_out == len(every.query)
    assert sure.source == "BM25"


def test_scores_of_another_set_are_refused():
    queries, left, right = worded(np.random.default_rng(9))
    run = full(queries, left @ right.T)
    with pytest.raises(ValueError, match="12 queries over 40 documents and there are vectors of 11 and 40"):
        rescored(run, left[:-1], right)


def test_gaps_refuse():
    with pytest.raises(InputError, match="None of the 2 queries has both a relevant document and another one"):
        hard_negatives(made({(0, 0): 0}, q=2, n=1), full(made({}, q=2, n=1), np.ones((2, 1))))
    queries = made({(0, 0): 1}, q=1, n=2)
    run = full(queries, np.array([[2.0, 1.0]]))
    with pytest.raises(InputError, match="mined, explicit or BM25, got 'random'"):
        hard_negatives(queries, run, source="random")
    with pytest.raises(ValueError, match=r"shape \(1,\), got \(2,\)"):
        hard_negatives(queries, run, judged_scores=np.ones(2))


# Triplets


def slow(queries, scores, *, negatives, margin, relative, keep):
    """Triplets and what was passed over, document by document."""
    made_here, left_out = [], 0
    for row, positive, grade in zip(queries.judged_query, queries.judged_document, queries.relevance, strict=True):
        if grade == 0:
            continue
        taken = 0
        limit = float(scores[row, positive]) - max(margin, relative * abs(float(scores[row, positive])))
        for document in np.argsort(-scores[row]):
            known = graded(queries, row, document)
            if known or taken == negatives:
                continue
            doubtful = known is None and scores[row, document] > limit
            if doubtful and not keep:
                left_out += 1
                continue
            made_here.append((row, positive, document, doubtful))
            taken += 1
    return made_here, left_out


@pytest.mark.parametrize(
    ("negatives", "margin", "relative", "keep"),
    [(1, 0, 0, False), (3, 0.1, 0, False), (2, 0, 0.3, False), (2, 0.05, 0.1, True), (100, 0, 0, False)],
)
def test_triplets_equal_a_loop(monkeypatch, negatives, margin, relative, keep):
    monkeypatch.setattr(sys.modules["lib.retrieval.triplets"], "_BLOCK", 100)
    rng = np.random.default_rng(3)
    queries = random_set(rng)
    scores = rng.normal(size=(40, 30)).astype(np.float32)
    settings = {"negatives": negatives, "margin": margin}
    found = triplets(queries, full(queries, scores), relative_margin=relative, keep_suspicious=keep, **settings)
    expected, left_out = slow(queries, scores, relative=relative, keep=keep, **settings)
    columns = (found.query, found.positive, found.negative, found.suspicious)
    assert list(zip(*(column.tolist() for column in columns), strict=True)) == expected
    assert found.left_out == left_out
    pairs = {(q, p) for q, p, *_ in expected}
    assert found.without == int((queries.relevance > 0).sum()) - len(pairs)
    assert found.positive_score == pytest.approx(scores[found.query, found.positive])
    assert found.negative_score == pytest.approx(scores[found.query, found.negative])
    if not keep:
        unjudged = ~found.explicit
        limit = found.positive_score - np.maximum(margin, relative * np.abs(found.positive_score))
        assert (found.negative_score <= limit + 1e-6)[unjudged].all()


def test_documents_judged_0_are_kept_above_the_positive():
    queries = made({(0, 0): 1, (0, 1): 0}, q=1, n=3)
    found = triplets(queries, full(queries, np.array([[0.1, 0.9, 0.05]])), negatives=2)
    assert found.negative.tolist() == [1, 2]
    assert found.explicit.tolist() == [True, False]
    assert not found.suspicious.any()


@pytest.mark.parametrize("negatives", [1, 2, 50])
@pytest.mark.parametrize("depth", [30, 6])
def test_explicit_triplets_take_what_was_judged_0_first(monkeypatch, negatives, depth):
    monkeypatch.setattr(sys.modules["lib.retrieval.triplets"], "_BLOCK", 100)
    rng = np.random.default_rng(10)
    queries = random_set(rng)
    scores = rng.normal(size=(40, 30)).astype(np.float32)
    run = run_from_scores(queries, scores, system="x", k=depth)
    found = triplets(
        queries, run, judged_scores=of_judged(queries, scores), negatives=negatives, source="explicit", margin=0.1
    )
    expected, left_out = [], 0
    for row, positive, grade in zip(queries.judged_query, queries.judged_document, queries.relevance, strict=True):
        if grade:
            order = np.argsort(-scores[row])
            own = [int(d) for d in order if graded(queries, row, d) == 0][:negatives]
            rest = [int(d) for d in order[:depth] if graded(queries, row, d) is None]
            limit = float(scores[row, positive]) - 0.1
            sure = [d for d in rest if scores[row, d] <= limit]
            room = negatives - len(own)
            left_out += len(rest) - len(sure) if room else 0
            expected += [(row, positive, d, graded(queries, row, d) == 0) for d in own + sure[:room]]
    columns = (found.query, found.positive, found.negative, found.explicit)
    assert list(zip(*(column.tolist() for column in columns), strict=True)) == expected
    assert found.left_out == left_out
    assert found.negative_score == pytest.approx(scores[found.query, found.negative])
    assert found.source == "explicit"
    assert found.explicit.sum() > 20


def test_explicit_triplets_look_beyond_the_run():
    queries = made({(0, 0): 1, (0, 3): 0}, q=1, n=4)
    scores = np.array([[0.9, 0.8, 0.7, 0.1]], dtype=np.float32)
    run = run_from_scores(queries, scores, system="x", k=2)
    found = triplets(queries, run, judged_scores=of_judged(queries, scores), source="explicit")
    assert (found.negative.tolist(), found.explicit.tolist()) == ([3], [True])
    assert triplets(queries, run, source="explicit").negative.tolist() == [1]  # its score is not known
    assert triplets(queries, run).negative.tolist() == [1]


def test_what_a_cross_encoder_clears_is_kept_and_said():
    # query 0: documents 1, 2 and 3 score above the positive 0, and 4 below it
    queries = made({(0, 0): 1, (1, 0): 1}, q=2, n=5)
    run = full(queries, np.array([[0.5, 0.9, 0.8, 0.7, 0.1]] * 2))
    said = {(0, 0): 1.0, (0, 1): 2.0, (0, 2): 0.5, (1, 1): 9.0}  # of query 1 the positive was not asked about

    def opinion(rows, documents):
        return np.array([said.get(pair, np.nan) for pair in zip(rows.tolist(), documents.tolist(), strict=True)])

    found = triplets(queries, run, negatives=2, opinion=opinion)
    assert found.query.tolist() == [0, 0, 1]
    assert found.negative.tolist() == [2, 4, 4]
    assert found.suspicious.tolist() == [True, False, False]
    assert (found.asked.tolist(), found.agreed.any()) == ([True, False, False], False)
    assert found.left_out == 5
    assert triplet_table(queries, found)["cross_encoder"].tolist() == ["does not", "not asked", "not asked"]
    every = triplets(queries, run, negatives=3, keep_suspicious=True, opinion=opinion)
    assert triplet_table(queries, every)["cross_encoder"].tolist() == [
        "agrees", "does not", "not asked", "not asked", "not asked", "not asked",
    ]  # fmt: skip
    assert (every.asked.sum(), every.agreed.sum(), every.left_out) == (2, 1, 0)


def test_a_pair_of_unknown_score_gets_no_negative():
    queries = made({(0, 2): 1, (1, 0): 1}, q=2, n=3)
    scores = np.array([[0.9, 0.8, 0.1], [0.9, 0.8, 0.1]], dtype=np.float32)
    run = run_from_scores(queries, scores, system="x", k=2)
    found = triplets(queries, run)
    assert (found.query.tolist(), found.without) == ([1], 1)
    deep = triplets(queries, run, judged_scores=of_judged(queries, scores))
    assert (deep.query.tolist(), deep.left_out, deep.without) == ([1], 2, 1)


def test_lines_and_table():
    queries = made({(0, 0): 1}, q=1, n=2, texts=['say "hé"\n', "no"])
    found = triplets(queries, full(queries, np.array([[2.0, 1.0]])))
    (row,) = [json.loads(line) for line in triplet_lines(queries, found).splitlines()]
    assert list(row.items()) == [("anchor", "query 0"), ("positive", 'say "hé"\n'), ("negative", "no")]
    assert json.loads(triplet_lines(queries, found, marks=True))["suspicious"] is False
    table = triplet_table(queries, found)
    assert table.columns[:3].tolist() == ["anchor", "positive", "negative"]
    assert table.iloc[0]["negative_id"] == "d001"
    nothing = triplets(queries, full(queries, np.array([[1.0, 2.0]])))
    assert (triplet_lines(queries, nothing), len(triplet_table(queries, nothing)), nothing.left_out) == ("", 0, 1)


def test_triplets_refuse():
    queries = made({(0, 0): 1}, q=1, n=2)
    run = full(queries, np.array([[2.0, 1.0]]))
    with pytest.raises(InputError, match="at least one negative each and margins of 0 or more, got 0, 0 and 0"):
        triplets(queries, run, negatives=0)
    with pytest.raises(InputError, match=r"got 1, -0\.1 and 0"):
        triplets(queries, run, margin=-0.1)
    with pytest.raises(InputError, match="mined, explicit or BM25, got 'random'"):
        triplets(queries, run, source="random")


class Rows(dict):
    """As much of a `datasets.Dataset` as mining needs."""

    @classmethod
    def from_dict(cls, columns):
        return cls(columns)

    @property
    def column_names(self):
        return list(self)

    def __len__(self):
        return len(self["query"])

    def to_pandas(self):
        return pd.DataFrame(dict(self))


class Looked:
    """As much of an encoder as mining needs: the vectors of known texts."""

    device, similarity_fn_name = "cpu", "dot"

    def __init__(self, vectors):
        self.vectors = vectors

    def encode(self, texts, **_settings):
        return np.array([self.vectors[text] for text in texts])

    encode_query = encode_document = encode

    def similarity(self, a, b):
        return torch.as_tensor(a) @ torch.as_tensor(b).T

    def similarity_pairwise(self, a, b):
        return (torch.as_tensor(a) * torch.as_tensor(b)).sum(dim=1)


def test_equals_the_mining_of_sentence_transformers(monkeypatch):
    """Where each query has one positive and nothing is judged 0, both mine the same triplets."""
    monkeypatch.setitem(sys.modules, "datasets", SimpleNamespace(Dataset=Rows))
    monkeypatch.setattr("sentence_transformers.util.hard_negatives.is_datasets_available", lambda: True)
    rng = np.random.default_rng(4)
    queries = made({(row, row): 1 for row in range(25)}, q=25, n=40)
    left, right = rng.normal(size=(25, 5)).astype(np.float32), rng.normal(size=(40, 5)).astype(np.float32)
    theirs = mine_hard_negatives(
        Rows(query=list(queries.queries), answer=list(queries.documents[:25])),
        Looked(dict(zip((*queries.queries, *queries.documents), (*left, *right), strict=True))),
        corpus=list(queries.documents), num_negatives=1, absolute_margin=0.2, relative_margin=0.1, range_max=39,
        output_format="triplet", use_faiss=False, verbose=False,
    )  # fmt: skip
    found = triplets(
        queries,
        full(
            queries,
            left @ right.T,
        ),
        margin=0.2,
        relative_margin=0.1,
    )
    mine = [tuple(json.loads(line).values()) for line in triplet_lines(queries, found).splitlines()]
    assert mine == list(zip(*theirs.values(), strict=True))
    assert 10 < len(mine) <= 25
    assert found.left_out
