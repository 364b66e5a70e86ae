"""Reranking: a tiny trained cross-encoder helps where words do not; order, ties, stops and the ceiling are exact."""

import itertools
import json

import numpy as np
import pytest

from lib.corpora import QuerySet, load_query_set
from lib.encoders import Policy
from lib.encoders.cross_encoder import ScoredBatch, open_cross_encoder
from lib.errors import InputError, Stopped
from lib.retrieval import Run, exact_ranks, judged_ranks, query_metrics, search
from lib.retrieval.pair_scores import PairScores
from lib.retrieval.reranking import candidates, reorder, rerank
from lib.retrieval.reranking_effect import METRICS, rank_bins, reranking_effect
from tests.toy_reranking import held_out, save, toy_set, trained, words_run


class Table:
    """A scorer that looks scores up by the pair's texts, in batches of three, and remembers what it was asked."""

    name = "table"

    def __init__(self, scores, truncated=()):
        self.scores, self.cut, self.asked = scores, set(truncated), []

    def stream(self, pairs, *, should_stop=None):
        for start in range(0, len(pairs), 3):
            if should_stop and should_stop():
                raise Stopped("Stopped.")
            items = np.arange(start, min(start + 3, len(pairs)))
            chosen = [pairs[i] for i in items]
            self.asked += chosen
            yield ScoredBatch(
                items,
                np.array([self.scores(*pair) for pair in chosen], dtype=np.float32),
                np.array([pair in self.cut for pair in chosen]),
            )


def query_set(q=4, n=12, *, seed=0, texts=None):
    """Random judgements, an unjudged query among them."""
    rng = np.random.default_rng(seed)
    judged = sorted({(int(a), int(b)) for a, b in zip(rng.integers(0, q - 1, 9), rng.integers(0, n, 9), strict=True)})
    judged = np.array([(a, b, rng.integers(0, 4)) for a, b in judged], dtype=np.int64)
    return QuerySet(
        "set", tuple(f"query {i}" for i in range(q)), tuple(f"q{i}" for i in range(q)),
        tuple(texts or (f"document {i}" for i in range(n))), tuple(f"d{i}" for i in range(n)), *judged.T.copy(),
    )  # fmt: skip


def some_run(queries, k=8, *, seed=1):
    rng = np.random.default_rng(seed)
    n = len(queries.documents)
    documents = np.stack([rng.permutation(n)[:k] for _ in queries.queries])
    scores = -np.sort(-rng.normal(size=documents.shape).astype(np.float32), axis=1)
    return Run("search", documents, scores, n)


def drawn(query, document):
    """A score of its own for each pair, the same in every process."""
    return float(sum(map(ord, query + document)) % 97) + len(document) / 7


def by_hand(queries, run, score, top):
    """Slowly, query by query."""
    made = []
    for row, documents in enumerate(run.documents):
        first = [d for d in documents[:top] if d >= 0]
        first.sort(key=lambda d: (-score(queries.queries[row], queries.documents[d]), queries.tie_order[d]))
        rest = [-1] * (min(top, len(documents)) - len(first))
        made.append([*first, *rest, *documents[top:]])
    return np.array(made)


# Order


@pytest.mark.parametrize("top", [1, 2, 5, 8, 100])
def test_the_first_stand_by_score_and_the_rest_below_as_before(top):
    queries = query_set()
    run = some_run(queries)
    made = rerank(queries, run, Table(drawn), top=top)
    np.testing.assert_array_equal(made.run.documents, by_hand(queries, run, drawn, top))
    assert made.top == min(top, 8)
    assert made.pairs == 4 * made.top
    assert (np.diff(made.run.scores, axis=1) <= 0).all()
    assert (made.run.system, made.scorer) == ("search + table", "table")
    np.testing.assert_array_equal(np.sort(made.run.documents), np.sort(run.documents))


def test_one_document_is_in_the_best_order_already():
    queries = query_set()
    run = some_run(queries)
    np.testing.assert_array_equal(rerank(queries, run, Table(drawn), top=1).run.documents, run.documents)


def test_the_searchs_own_scores_change_nothing():
    queries = query_set()
    run = some_run(queries)
    own = {
        (queries.queries[row], queries.documents[document]): run.scores[row, rank]
        for row in range(4)
        for rank, document in enumerate(run.documents[row])
    }
    made = rerank(queries, run, Table(lambda *pair: own[pair]), top=6)
    np.testing.assert_array_equal(made.run.documents, run.documents)
    np.testing.assert_array_equal(made.run.scores[:, :6], run.scores[:, :6])


def test_equal_scores_stand_in_tie_order_whatever_the_search_said():
    queries = query_set()
    for seed in range(3):
        made = rerank(queries, some_run(queries, 12, seed=seed), Table(lambda *pair: 0.5), top=12)
        for row in made.run.documents:
            np.testing.assert_array_equal(queries.tie_order[row], np.arange(12))


def test_the_same_text_twice_ties_even_if_it_is_scored_at_another_time():
    texts = [f"document {i // 2}" for i in range(12)]
    queries = query_set(texts=texts)
    run, scorer, known = some_run(queries), Table(drawn), PairScores(query_set(texts=texts), "table")
    rerank(queries, run, scorer, top=3, known=known)
    made = rerank(queries, run, scorer, top=8, known=known)
    assert len(scorer.asked) == len(set(scorer.asked))
    np.testing.assert_array_equal(made.run.documents, by_hand(queries, run, drawn, 8))


def test_places_without_a_document_stay_last():
    queries = query_set()
    run = some_run(queries)
    documents, scores = run.documents.copy(), run.scores.copy()
    documents[1, 2:], scores[1, 2:] = -1, -np.inf
    documents[2], scores[2] = -1, -np.inf
    short = Run("search", documents, scores, 12)
    made = rerank(queries, short, Table(drawn), top=5)
    np.testing.assert_array_equal(made.run.documents, by_hand(queries, short, drawn, 5))
    assert made.pairs == 5 + 2 + 0 + 5
    assert np.isneginf(made.run.scores[made.run.documents < 0]).all()
    assert np.isfinite(made.run.scores[made.run.documents >= 0]).all()


def test_only_the_queries_asked_for_change():
    queries = query_set()
    run, scorer = some_run(queries), Table(drawn)
    made = rerank(queries, run, scorer, top=5, rows=np.array([2, 0]))
    expected = by_hand(queries, run, drawn, 5)
    np.testing.assert_array_equal(made.run.documents[[0, 2]], expected[[0, 2]])
    np.testing.assert_array_equal(made.run.documents[[1, 3]], run.documents[[1, 3]])
    np.testing.assert_array_equal(made.run.scores[[1, 3]], run.scores[[1, 3]])
    assert {query for query, _ in scorer.asked} == {"query 0", "query 2"}
    assert list(made.rows) == [0, 2]


def test_any_scores_can_reorder_a_run():
    queries = query_set()
    run = some_run(queries)
    scores = np.array(
        [[drawn(q, queries.documents[d]) for d in run.documents[i, :5]] for i, q in enumerate(queries.queries)]
    )
    np.testing.assert_array_equal(reorder(queries, run, scores).documents, by_hand(queries, run, drawn, 5))


# What is known


def test_a_deeper_reranking_scores_only_what_is_new():
    queries = query_set()
    run, scorer, known = some_run(queries), Table(drawn), PairScores(query_set(), "table")
    rerank(queries, run, scorer, top=3, known=known)
    assert len(scorer.asked) == len(known) == 12
    told = []
    made = rerank(queries, run, scorer, top=8, known=known, progress=lambda done, of: told.append((done, of)))
    assert len(scorer.asked) == len(set(scorer.asked)) == len(known) == 32
    assert (told[0], told[-1]) == ((0, 20), (20, 20))
    np.testing.assert_array_equal(made.run.documents, by_hand(queries, run, drawn, 8))
    again = rerank(queries, run, None, top=8, known=known)
    np.testing.assert_array_equal(again.run.documents, made.run.documents)
    assert again.scorer == "table"
    assert again.seconds_per_query == pytest.approx(8 * known.seconds_per_pair)


@pytest.mark.parametrize("by", ["asking", "raising"])
def test_a_stop_loses_no_batch_that_was_scored(by):
    queries = query_set()
    run, scorer, known = some_run(queries), Table(drawn), PairScores(query_set(), "table")

    def tell(done, of):
        if by == "raising" and done >= 9:
            raise KeyboardInterrupt  # as Streamlit ends a script, from within what is told

    with pytest.raises((Stopped, KeyboardInterrupt)):
        rerank(
            queries, run, scorer, top=8, known=known, progress=tell,
            should_stop=lambda: by == "asking" and len(scorer.asked) >= 9,
        )  # fmt: skip
    assert len(known) == 9
    made = rerank(queries, run, scorer, top=8, known=known)
    assert len(scorer.asked) == len(set(scorer.asked)) == 32
    np.testing.assert_array_equal(made.run.documents, by_hand(queries, run, drawn, 8))


def test_known_scores_are_found_by_row_and_others_are_nan():
    queries = query_set()
    known = PairScores(queries, "table")
    rows = np.array([0, 0, 3])
    assert np.isnan(known.find(rows, np.array([1, 2, 3]))).all()
    known.score(rows, np.array([1, 2, 3]), Table(drawn, truncated=[("query 0", "document 2")]))
    found = known.find(np.array([3, 0, 1, 0]), np.array([3, 2, 1, 1]))
    np.testing.assert_allclose(
        found, [drawn("query 3", "document 3"), drawn("query 0", "document 2"), np.nan, drawn("query 0", "document 1")]
    )
    assert list(known.truncated(np.array([3, 0, 1]), np.array([3, 2, 1]))) == [False, True, False]


def test_the_earliest_scores_are_forgotten_first():
    queries = query_set()
    known = PairScores(queries, "table", most=5)
    for document in range(8):
        known.score(np.array([0]), np.array([document]), Table(drawn))
        assert len(known) == min(document + 1, 5)
    found = known.find(np.zeros(8, dtype=np.int64), np.arange(8))
    assert list(np.isnan(found)) == [True] * 3 + [False] * 5
    with pytest.raises(InputError, match="32 pairs would have to be scored and 5 are kept at most"):
        rerank(queries, some_run(queries), Table(drawn), top=8, known=known)


def test_what_cannot_be_done_is_said():
    queries = query_set()
    run = some_run(queries)
    with pytest.raises(InputError, match="At least one document has to be reranked, got 0"):
        rerank(queries, run, Table(drawn), top=0)
    with pytest.raises(ValueError, match="32 pairs have no score"):
        rerank(queries, run, None, top=8)
    with pytest.raises(ValueError, match="answers 4 queries and the set has 5"):
        rerank(query_set(5), run, Table(drawn))
    with pytest.raises(ValueError, match="another query set"):
        rerank(queries, run, Table(drawn), known=PairScores(query_set(seed=5), "table"))


# The effect


def judged_by_hand(queries, documents, top):
    """The best metric that any order of the first `top` gives, query by query: all orders tried."""
    best = {}
    for row in range(len(queries.queries)):
        one = queries.select([row])
        if not one.relevant[0]:
            continue
        orders = [[*first, *documents[row, top:]] for first in itertools.permutations(documents[row, :top])]
        runs = [Run("x", np.array([order]), np.zeros((1, 8), np.float32), 12) for order in orders]
        values = [query_metrics(judged_ranks(one, run)).values[0] for run in runs]
        best[row] = np.max(values, axis=0)
    return best


def test_the_ceiling_is_the_best_of_all_orders():
    queries = query_set(seed=3)
    run = some_run(queries)
    effect = reranking_effect(queries, run, rerank(queries, run, Table(drawn), top=4))
    best = judged_by_hand(queries, run.documents, 4)
    names = query_metrics(judged_ranks(queries, run)).names
    for change in effect.changes:
        expected = np.mean([values[names.index(change.metric)] for values in best.values()])
        assert change.ceiling == pytest.approx(expected, abs=1e-12)
        assert change.ceiling >= change.after.mean - 1e-12


def test_before_and_after_are_the_metrics_of_both_runs():
    queries = query_set(seed=3)
    run = some_run(queries)
    made = rerank(queries, run, Table(drawn), top=5)
    effect = reranking_effect(queries, run, made, cutoffs=(3,))
    for found, answers in ((effect.before, run), (effect.after, made.run)):
        expected = query_metrics(judged_ranks(queries, answers), cutoffs=(1, 3, 5, 10))
        np.testing.assert_array_equal(found.values, expected.values)
        np.testing.assert_array_equal(found.query, expected.query)
    assert [change.metric for change in effect.changes] == list(METRICS)
    assert effect.skipped == 4 - len(effect.query) > 0
    for place, row in enumerate(effect.query):
        good = {int(d) for d in queries.judged_document[(queries.judged_query == row) & (queries.relevance > 0)]}
        for ranks, answers in ((effect.rank_before, run), (effect.rank_after, made.run)):
            expected = next((rank for rank, d in enumerate(answers.documents[row], 1) if int(d) in good), 0)
            assert ranks[place] == expected
        assert effect.top_after[place] == made.run.documents[row, 0]


def test_ranks_beyond_the_run_count_and_do_not_move():
    queries = load_query_set("topics").select(range(40))
    rng = np.random.default_rng(0)
    asked, read = (rng.normal(size=(len(t), 8)).astype(np.float32) for t in (queries.queries, queries.documents))
    run = search(asked, read, 30, tie_order=queries.tie_order)
    ranks = exact_ranks(queries, run, asked, read)
    made = rerank(queries, run, Table(drawn), top=20)
    effect = reranking_effect(queries, run, made, ranks=ranks)
    assert (effect.rank_before > 30).any()
    far = effect.rank_before > 20
    np.testing.assert_array_equal(effect.rank_before[far], effect.rank_after[far])
    assert effect.out_of_reach == far.sum()
    np.testing.assert_array_equal(effect.before.values, query_metrics(ranks).values)


def test_an_unchanged_run_is_not_distinguishable():
    queries = query_set(seed=3)
    run = some_run(queries)
    made = rerank(queries, run, Table(drawn), top=1)
    effect = reranking_effect(queries, run, made)
    for change in effect.changes:
        assert (change.test.difference, change.test.p_value, change.distinguishable) == (0, 1, False)
    np.testing.assert_array_equal(effect.bins.before, effect.bins.after)


def test_only_reranked_queries_are_compared():
    queries = query_set(seed=3)
    run = some_run(queries)
    whole = reranking_effect(queries, run, rerank(queries, run, Table(drawn), top=5))
    rows = whole.query[:2]
    part = reranking_effect(queries, run, rerank(queries, run, Table(drawn), top=5, rows=rows))
    np.testing.assert_array_equal(part.query, rows)
    np.testing.assert_array_equal(part.after.values, whole.after.values[:2])
    assert part.skipped == 0


def test_no_relevant_document_at_all():
    queries = query_set()
    blind = QuerySet(
        "set", queries.queries, queries.query_ids, queries.documents, queries.document_ids,
        *(np.zeros(0, dtype=np.int64) for _ in range(3)),
    )  # fmt: skip
    run = some_run(blind)
    with pytest.raises(InputError, match="None of the 4 queries has a relevant document"):
        reranking_effect(blind, run, rerank(blind, run, Table(drawn)))


def test_rank_bins():
    bins = rank_bins(np.array([1, 1, 2, 5, 7, 0]), np.array([1, 2, 2, 4, 10, 0]))
    assert bins.names == ("1", "2", "3", "4–5", "6–10", "not found")
    assert list(bins.before) == [2, 1, 0, 1, 1, 1]
    assert list(bins.after) == [1, 2, 0, 1, 1, 1]
    assert rank_bins(np.array([1]), np.array([1])).names == ("1",)
    assert rank_bins(np.array([5000]), np.array([1])).names[-1] == "101+"
    empty = np.zeros(0, dtype=np.int64)
    assert list(rank_bins(empty, empty).before) == [0]


def test_results_are_json():
    queries = query_set(seed=3)
    run = some_run(queries)
    made = rerank(queries, run, Table(drawn), top=5)
    content = json.loads(json.dumps(reranking_effect(queries, run, made).to_dict(), allow_nan=False))
    assert content["changes"][0]["test"]["metric"] == "ndcg@10"
    assert json.dumps(made.to_dict(), allow_nan=False)


def test_candidates_are_the_first_of_each_query():
    queries = query_set()
    run = some_run(queries)
    query, document = candidates(queries, run, top=2, rows=np.array([1, 3]))
    assert list(query) == [1, 1, 3, 3]
    assert list(document) == [*run.documents[1, :2], *run.documents[3, :2]]


# A cross-encoder that was trained


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    folder = save(trained(), tmp_path_factory.mktemp("toy"))
    return open_cross_encoder(str(folder), policy=Policy(model_roots=(folder,)))


def test_a_trained_cross_encoder_ranks_unseen_queries_better_than_words(toy):
    queries = toy_set()
    run = words_run(queries)
    effect = reranking_effect(queries, run, rerank(queries, run, toy, top=20, rows=held_out()))
    assert len(effect.query) == len(held_out())
    for metric in ("mrr", "ndcg@10", "map"):
        change = effect.change(metric)
        assert change.after.mean > change.before.mean + 0.2
        assert change.test.losses == 0
    assert (effect.rank_before > 1).all()  # words alone put the excluded shape first
    assert (effect.rank_after == 1).all()


def test_over_all_queries_the_difference_is_one(toy):
    queries = toy_set()
    run = words_run(queries)
    effect = reranking_effect(queries, run, rerank(queries, run, toy, top=20))
    change = effect.change("ndcg@10")
    assert change.distinguishable
    assert change.test.wins > 20
    assert effect.out_of_reach == effect.truncated == 0
    assert effect.seconds_per_query > 0


def test_a_small_top_has_a_low_ceiling(toy):
    queries = toy_set()
    run = words_run(queries)
    ceilings = [
        reranking_effect(queries, run, rerank(queries, run, toy, top=top)).change("recall@5").ceiling
        for top in (1, 3, 20)
    ]
    assert ceilings == sorted(ceilings)
    assert ceilings[0] < ceilings[2]
