"""Retrieval faithfulness: the slow way, planted roles, exact sums, ends of curves, chance, and what is refused."""

import json
from dataclasses import replace

import numpy as np
import pytest

from lib.corpora import QuerySet
from lib.errors import InputError, Stopped
from lib.retrieval import judged_ranks, query_metrics, search
from lib.retrieval.bootstrap import sign_flip_p
from lib.retrieval.measures import pair_score
from lib.sae.faithfulness import case_of, cumulative_curves, faithfulness, moved, ranks, ranks_of, why, without_each
from lib.sae.faithfulness.controls import other_features, peers
from lib.sae.faithfulness.curves import step_sizes
from lib.sae.faithfulness.significance import false_discovery, needed, sign_p
from lib.sae.faithfulness.table import feature_table
from lib.sae.faithfulness.variants import prefixes
from lib.shelf import Shelf
from tests.query_spaces import made_set
from tests.toy_sae import codes_of, orthogonal_sae, random_sae

MEASURES = ("cosine", "dot", "l2")


def graded(q=24, n=60, *, seed=0, topics=0):
    """q queries near a document each, which has copies among the others, with grades of 1 to 3 and a second one."""
    rng = np.random.default_rng(seed)
    queries = made_set(q, n, topics=topics, skip=2)
    documents = rng.normal(size=(n, 16)).astype(np.float32) * rng.uniform(0.5, 2, size=(n, 1)).astype(np.float32)
    documents[40:50] = documents[:10]  # copies: ties
    asked = (documents[:q] + rng.normal(size=(q, 16))).astype(np.float32)
    more = np.array([(row, (row + 7) % n, 1 + row % 3) for row in range(0, q, 3)])
    judged = np.unique(
        np.concatenate([np.column_stack([queries.judged_query, queries.judged_document, queries.relevance]), more]),
        axis=0,
    )
    judged = judged[np.concatenate([[True], np.diff(judged[:, 0] * n + judged[:, 1]) > 0])]
    queries = replace(queries, judged_query=judged[:, 0], judged_document=judged[:, 1], relevance=judged[:, 2])
    return queries, asked, documents


def vectors_of(variants, case):
    """Every variant's vector, one by one."""
    made = case.asked[variants.query].astype(np.float64)
    for at in range(len(variants)):
        for place in range(variants.starts[at], variants.starts[at + 1]):
            made[at] -= variants.amount[place] * variants.directions[variants.part[place]].astype(np.float64)
    return made


def slow_ranks(variants, case):
    """All scores of every variant, sorted by (score, tie order)."""
    ties, found = case.queries.tie_order, []
    for query, vector in zip(variants.query, vectors_of(variants, case), strict=True):
        order = np.lexsort((ties, -pair_score(vector, case.documents, case.measure)))
        rank = np.empty(len(order), dtype=int)
        rank[order] = np.arange(1, len(order) + 1)
        own = (case.queries.judged_query == query) & (case.queries.relevance > 0)
        found.append(rank[case.queries.judged_document[own]])
    return np.concatenate(found)


@pytest.mark.parametrize("measure", MEASURES)
def test_ranks_are_those_of_a_search_for_every_variant(measure, monkeypatch):
    monkeypatch.setattr(ranks, "_FEWEST_DOCUMENTS", 1)
    monkeypatch.setattr(ranks, "_MOST_DOCUMENTS", 23)
    monkeypatch.setattr(ranks, "_MOST_KEYS", 50)
    queries, asked, documents = graded()
    asked[3] = 0.7 * random_sae().decoder_weights[5]  # nothing is left of it without one feature, or nearly so
    documents[11] = 0
    case = case_of(random_sae(), queries, asked, documents, measure=measure)
    every = np.random.default_rng(1).permutation(len(case.codes.features))
    one_each = without_each(case.codes, case.sae.decoder_weights)
    several = prefixes(case.codes, every, np.array([0, 20, 60, 99]), directions=case.sae.decoder_weights, keep=False)
    for variants in (one_each, several.variants):
        assert ranks_of(variants, case).rank.tolist() == slow_ranks(variants, case).tolist()


def test_what_is_wholly_taken_out_leaves_ties_alone():
    eye = np.eye(4, dtype=np.float32)
    queries = made_set(4, 4, grade=1)
    case = case_of(orthogonal_sae(4), queries, eye, eye)
    found = ranks_of(without_each(case.codes, case.sae.decoder_weights), case)
    assert found.rank.tolist() == (1 + queries.tie_order).tolist()


@pytest.mark.parametrize(("measure", "gain"), [("cosine", "exponential"), ("dot", "linear"), ("l2", "linear")])
def test_drops_equal_the_slow_way(measure, gain):
    queries, asked, documents = graded(topics=2)
    sae = random_sae()
    found = faithfulness(sae, queries, asked, documents, k=5, gain=gain, measure=measure, draws=2, resamples=20)
    codes = sae.encode(asked)

    def ndcg(vectors):
        run = search(vectors, documents, 60, measure=measure, tie_order=queries.tie_order)
        return query_metrics(judged_ranks(queries, run), cutoffs=(5,), gain=gain).column("ndcg@5")

    whole = ndcg(asked)
    scored = np.flatnonzero(queries.relevant)
    assert found.query.tolist() == scored.tolist()
    assert found.skipped == len(queries.queries) - len(scored) > 0
    np.testing.assert_allclose(found.ndcg, whole, atol=1e-9)
    topic = np.array(queries.topics)[scored]
    for place, feature in enumerate(found.features.tolist()):
        rows, activations = codes.firing(feature)
        taken = asked.astype(np.float64)
        taken[rows] -= activations[:, None].astype(np.float64) * sae.decoder_weights[feature]
        change = whole - ndcg(taken)
        assert found.drop[place] == pytest.approx(change.mean(), abs=1e-9)
        assert (found.hurt[place], found.helped[place]) == ((change > 1e-12).sum(), (change < -1e-12).sum())
        assert found.topic_drop[place] == pytest.approx([change[topic == name].mean() for name in found.topics])
        own, held, changed = found.changes(place)
        assert own.tolist() == [row for row in rows if row in scored]
        assert held.tolist() == activations[np.isin(rows, scored)].tolist()
        assert changed == pytest.approx(change[np.isin(scored, rows)], abs=1e-9)
    assert (np.diff(found.drop) <= 0).all()
    assert found.reconstructed == pytest.approx(ndcg(sae.reconstruct(asked)).mean(), abs=1e-9)


def roles(*, seed=0, each=30):
    """Queries of two kinds over four documents along four axes, and a fifth feature that no document has.

    Feature 0 points at the relevant document of the first kind, feature 3 at the wrong one of the second.
    """
    rng = np.random.default_rng(seed)
    q = 2 * each
    asked = np.zeros((q, 6), dtype=np.float32)
    asked[:each, 0], asked[:each, 1] = rng.uniform(0.8, 1.2, each), rng.uniform(0.3, 0.5, each)
    asked[each:, 2], asked[each:, 3] = rng.uniform(0.3, 0.5, each), rng.uniform(0.8, 1.2, each)
    asked[:, 4] = rng.uniform(0.5, 1, q)
    rows = np.arange(q)
    queries = QuerySet(
        name="roles",
        queries=tuple(f"query {row}" for row in range(q)),
        query_ids=tuple(f"q{row}" for row in range(q)),
        documents=tuple("abcd"),
        document_ids=tuple("abcd"),
        judged_query=rows,
        judged_document=np.where(rows < each, 0, 2),
        relevance=np.ones(q, dtype=np.int64),
        topics=tuple("one" if row < each else "two" for row in range(q)),
    )
    return queries, asked, np.eye(6, dtype=np.float32)[:4]


def test_planted_roles_are_found():
    found = faithfulness(orthogonal_sae(6), *roles(), k=1, negligible=0.06)
    assert dict(zip(found.features.tolist(), found.verdict, strict=True)) == {
        0: "essential", 1: "redundant", 2: "redundant", 3: "harmful", 4: "redundant",
    }  # fmt: skip
    assert found.drop == pytest.approx([0.5, 0, 0, 0, -0.5])
    assert 0.3 < found.low[0] <= 0.5 <= found.high[0]
    assert (found.matched[0] == 0).all()  # as much along the other features of these queries costs nothing
    assert found.q_value[0] < 1e-6
    assert np.isnan(found.q_value[1])
    assert found.topic_drop[0].tolist() == [1, 0]
    assert found.whole == pytest.approx(0.5)
    assert found.reconstruction_loss == pytest.approx(0)
    assert found.place_of(5) is None
    assert found.unseen == pytest.approx(3 / 60)
    assert found.peers.tolist() == [0, 0.75, 0.75, 0.75, 1]


def test_what_so_few_queries_could_hide_is_not_called_redundant():
    found = faithfulness(orthogonal_sae(6), *roles(), k=1, negligible=0.04)  # 3 of 60 queries that change by 1: .05
    assert found.count("redundant") == 0
    assert found.count("uncertain") == 3


def doubled(queries, asked):
    """The same queries twice, under other ids."""
    q = len(queries.queries)
    twice = {name: getattr(queries, name) * 2 for name in ("queries", "topics") if getattr(queries, name)}
    both = {name: np.tile(getattr(queries, name), 2) for name in ("judged_document", "relevance")}
    ids = tuple(f"{name}{again}" for again in "ab" for name in queries.query_ids)
    judged = np.concatenate([queries.judged_query, queries.judged_query + q])
    return replace(queries, **twice, **both, query_ids=ids, judged_query=judged), np.concatenate([asked, asked])


def test_queries_asked_twice_are_no_more_evidence():
    queries, asked, documents = graded(topics=2)
    sae, settings = random_sae(), {"k": 5, "resamples": 200, "draws": 2}
    once = faithfulness(sae, queries, asked, documents, **settings)
    twice = faithfulness(sae, *doubled(queries, asked), documents, **settings)
    assert once.texts == twice.texts == len(once.query) == len(twice.query) / 2
    assert sorted(twice.features) == sorted(once.features)
    at = [twice.place_of(feature) for feature in once.features.tolist()]
    for name in ("drop", "low", "high", "p_value", "peers"):
        np.testing.assert_allclose(getattr(twice, name)[at], getattr(once, name), atol=1e-9, err_msg=name)
    assert twice.needed[at] == pytest.approx(2 * once.needed, nan_ok=True)
    assert [twice.verdict[place] for place in at] == list(once.verdict)
    assert (twice.fires[at] == 2 * once.fires).all()
    curves = cumulative_curves(sae, queries, asked, documents, k=5)
    again = cumulative_curves(sae, *doubled(queries, asked), documents, k=5)
    np.testing.assert_allclose(again.kept, curves.kept)
    np.testing.assert_allclose(again.kept_low, curves.kept_low, atol=1e-9)


def test_few_queries_tell_nothing():
    found = faithfulness(orthogonal_sae(6), *roles(each=4), k=1)
    assert set(found.verdict) == {"rare"}
    assert found.tested == 0


def test_it_is_the_same_again_and_json_and_on_the_shelf(tmp_path):
    queries, asked, documents = graded(topics=2)
    given = (random_sae(), queries, asked, documents)
    found, again = (faithfulness(*given, resamples=50, draws=2, seed=3) for _ in range(2))
    text = json.dumps(found.to_dict(), allow_nan=False)
    assert text == json.dumps(again.to_dict(), allow_nan=False)
    curves = cumulative_curves(*given)
    shelf = Shelf(tmp_path)
    for result in (found, curves):
        shelf.put(result, {"a": 1})
        assert shelf.get(type(result), {"a": 1}).to_dict() == result.to_dict()
    table = feature_table(found, ["label"] * len(found.features))
    assert table["drop"].tolist() == found.drop.tolist()
    assert [name for name in table.columns if name.startswith("drop: ")] == ["drop: topic 0", "drop: topic 1"]


def test_controls_are_other_features_of_the_query_that_fire_as_often():
    fires = np.zeros((30, 6))
    for feature, often in enumerate([30, 28, 3, 2, 29]):
        fires[:often, feature] = 1
    fires[29, 5] = 1
    codes = codes_of(fires[:, :])
    found = other_features(codes, draws=2, seed=0)
    first = {int(feature): set(found[at].tolist()) for at, feature in enumerate(codes.of(0)[0])}
    assert first == {0: {1, 4}, 1: {0, 4}, 2: {1, 3}, 3: {1, 2}, 4: {0, 1}}
    alone = codes_of(np.eye(3))
    assert (other_features(alone, draws=2, seed=0) == -1).all()


def test_curves_end_where_they_must():
    queries, asked, documents = graded(topics=2)
    sae = random_sae()
    found = cumulative_curves(sae, queries, asked, documents, k=5)
    case = case_of(sae, queries, asked, documents, k=5)
    left = asked[case.rows] - (sae.reconstruct(asked) - sae.decoder_bias)[case.rows]
    for removed, kept in (
        (found.removed, found.kept),
        (found.removed_by_activation, found.kept_by_activation),
        (found.removed_at_random[0], found.kept_at_random[0]),
    ):
        assert removed[0] == pytest.approx(kept[-1])
        assert removed[0] == pytest.approx(case.searched(case.asked).mean())
        assert removed[-1] == pytest.approx(kept[0])
        assert removed[-1] == pytest.approx(case.searched(left).mean())
    weights = found.topic_queries / found.topic_queries.sum()
    np.testing.assert_allclose(weights @ found.topic_kept, found.kept)
    assert found.steps[-1] == found.features
    assert (found.kept_low <= found.kept + 1e-12).all()
    assert (found.kept <= found.kept_high + 1e-12).all()


def test_a_step_of_a_curve_takes_out_what_it_says():
    queries, asked, documents = graded()
    case = case_of(random_sae(), queries, asked, documents)
    codes = case.codes
    order = np.random.default_rng(0).permutation(codes.width)  # place of each feature
    steps = np.array([0, 5, 17, 48])
    for keep in (False, True):
        made = prefixes(codes, order[codes.features], steps, directions=case.sae.decoder_weights, keep=keep)
        vectors = vectors_of(made.variants, case)
        dense = codes.matrix.toarray()
        for at, m in enumerate(steps.tolist()):
            out = (order >= m) if keep else (order < m)
            expected = case.asked - (dense * out) @ case.sae.decoder_weights
            np.testing.assert_allclose(vectors[made.at[:, at]], expected, atol=1e-5)


def test_one_feature_that_carries_all_is_few_and_all_alike_are_many():
    queries, asked, documents = roles()
    found = cumulative_curves(orthogonal_sae(6), queries, asked[:, :], documents, k=1)
    assert found.kept[1] == pytest.approx(0.5)
    assert (found.verdict, found.few) == ("few", 1)
    rng = np.random.default_rng(0)
    shown = rng.random((80, 40)) < 0.5
    every = shown.astype(np.float32)
    asked = every + rng.normal(size=every.shape).astype(np.float32) * 0.05
    spread = cumulative_curves(orthogonal_sae(40), made_set(80, 80, grade=1), asked, every, k=1)
    assert spread.verdict == "many"
    assert spread.won_back < 0.5


def test_steps_grow_and_hold_a_tenth_and_all():
    assert step_sizes(1).tolist() == [0, 1]
    assert step_sizes(7).tolist() == [0, 1, 2, 3, 4, 6, 7]
    assert 410 in step_sizes(4_096)
    assert len(step_sizes(16_384)) < 32


@pytest.mark.parametrize("measure", ["cosine", "dot"])
def test_the_parts_of_a_score_sum_to_it(measure):
    _, asked, documents = graded()
    sae = replace(random_sae(), decoder_bias=np.linspace(-1, 1, 16))
    found = why(sae, asked[0], documents, measure=measure)
    np.testing.assert_allclose(found.parts.sum(axis=1) + found.bias + found.error, found.scores, atol=1e-12)
    np.testing.assert_allclose(found.scores, pair_score(asked[:1], documents, measure), atol=1e-6)
    lead = found.lead(3, 5)
    assert lead.scores[0] == pytest.approx(found.scores[3] - found.scores[5])
    np.testing.assert_allclose(lead.parts[0].sum() + lead.bias[0] + lead.error[0], lead.scores[0], atol=1e-12)
    assert (np.diff(found.parts[2][found.order(2)]) <= 0).all()


def test_a_feature_turns_a_lead_exactly_where_taking_it_out_does():
    _, asked, documents = graded()
    sae, turned = random_sae(), 0
    for query in asked:
        found = why(sae, query, documents)
        first, other = np.argsort(-found.scores)[[0, 4]]
        lead = found.lead(first, other)
        for place, turns in enumerate(lead.turns()):
            taken = query.astype(np.float64) - found.activations[place] * sae.decoder_weights[found.features[place]]
            a, b = pair_score(taken, documents[[first, other]].astype(np.float64), "cosine")
            assert turns == (b > a)
            turned += int(turns)
    assert turned > 5


def test_p_values_are_those_of_random_signs():
    rng = np.random.default_rng(0)
    few = rng.normal(0.4, 1, 9)
    assert sign_p(few) == pytest.approx(sign_flip_p(few))
    assert sign_p(np.concatenate([few, np.zeros(50)])) == sign_p(few)
    for n, power in ((16, 1), (24, 3), (25, 3), (40, 1), (60, 4)):
        sizes = rng.exponential(1, n) ** power  # with the power a few of them are most of the sum
        sums = np.sort(np.abs((2.0 * rng.integers(0, 2, (100_000, n)) - 1) @ sizes))
        for p in (0.003, 0.05, 0.5):
            wanted = sums[round((1 - p) * len(sums))]
            changes = signed(sizes, wanted)
            drawn = (sums >= abs(changes.sum())).mean()
            assert sign_p(changes) == pytest.approx(drawn, rel=0.1, abs=2e-4), (n, power, p)
    for sizes in (np.append(np.ones(29), 0.2), np.repeat([0.369, 0.131], [28, 2])):  # few sizes: the law has steps
        sums = np.abs((2.0 * rng.integers(0, 2, (200_000, 30)) - 1) @ sizes)
        changes = np.where(np.arange(30) < 21, sizes, -sizes)
        drawn = (sums >= abs(changes.sum()) - 1e-9).mean()
        assert sign_p(changes) == pytest.approx(drawn, rel=0.05)
    assert sign_p(np.zeros(4)) == 1
    assert sign_p(np.array([1.0, -1.0] * 4)) == 1
    for n in (20, 30):
        assert sign_p(np.ones(n)) == pytest.approx(2.0 ** (1 - n))
    assert sign_p(np.arange(1.0, 31)) == pytest.approx(2.0**-29)
    assert sign_p(np.repeat([1.0, -1.0], [22, 8])) == pytest.approx(0.016125, rel=1e-3)  # of the binomial law


def signed(sizes, wanted):
    """Signs of `sizes` whose sum is near `wanted`: the largest first, each towards it."""
    changes, order = sizes.copy(), np.argsort(-sizes)
    left = wanted - sizes.sum()
    for at in order:
        if 2 * sizes[at] <= -left + 0.5 * sizes.min():
            changes[at], left = -sizes[at], left + 2 * sizes[at]
    return changes


def test_false_discovery_is_scipys_and_skips_what_was_not_tested():
    from scipy.stats import false_discovery_control

    p = np.array([0.001, np.nan, 0.02, 0.9, 0.02, 1.0, 1e-9])
    known = np.isfinite(p)
    np.testing.assert_allclose(false_discovery(p)[known], false_discovery_control(p[known]))
    assert np.isnan(false_discovery(p)[1])
    assert np.isnan(false_discovery(np.full(3, np.nan))).all()


def test_what_cannot_be_measured_is_refused():
    queries, asked, documents = graded()
    sae = random_sae()
    with pytest.raises(InputError, match="choose cosine, dot or l2"):
        faithfulness(sae, queries, asked, documents, measure="manhattan")
    with pytest.raises(InputError, match="cut-off of 1 or more, got 0"):
        faithfulness(sae, queries, asked, documents, k=0)
    with pytest.raises(InputError, match="got 23 and 60: embed this very query set"):
        faithfulness(sae, queries, asked[:23], documents)
    with pytest.raises(InputError, match="takes vectors of 16 dimensions apart, got 9"):
        faithfulness(sae, queries, asked, documents[:, :9])
    with pytest.raises(InputError, match="No query has a relevant document"):
        faithfulness(sae, replace(queries, relevance=0 * queries.relevance), asked, documents)
    with pytest.raises(InputError, match="at least 1 draw"):
        faithfulness(sae, queries, asked, documents, draws=0)
    silent = replace(sae, encoder_bias=np.full(48, -99.0))
    for work in (faithfulness, cumulative_curves):
        with pytest.raises(InputError, match="No feature fires on any of the queries"):
            work(silent, queries, asked, documents)
    with pytest.raises(InputError, match="at least 2 different queries with a relevant document are needed, got 1"):
        cumulative_curves(sae, made_set(1, 5), asked[:1], documents[:5])
    with pytest.raises(InputError, match="choose cosine or dot"):
        why(sae, asked[0], documents, measure="l2")


def test_one_query_has_drops_without_intervals():
    queries, asked, documents = made_set(1, 8), *graded()[1:]
    found = faithfulness(random_sae(), queries, asked[:1], documents[:8], k=3)
    assert np.isnan(found.whole_low)
    assert set(found.verdict) == {"rare"}
    json.dumps(found.to_dict(), allow_nan=False)


@pytest.mark.parametrize("work", [faithfulness, cumulative_curves])
def test_progress_goes_to_the_end_and_work_can_be_stopped(work):
    queries, asked, documents = graded()
    told = []
    work(random_sae(), queries, asked, documents, progress=lambda done, of: told.append(done / of))
    assert told == sorted(told)
    assert told[-1] == 1
    with pytest.raises(Stopped):
        work(random_sae(), queries, asked, documents, should_stop=lambda: True)


@pytest.mark.parametrize(("measure", "gain"), [("cosine", "linear"), ("dot", "exponential"), ("l2", "linear")])
def test_a_query_without_a_feature_moves_as_the_whole_analysis_has_it(measure, gain):
    queries, asked, documents = graded()
    sae, settings = random_sae(), {"k": 5, "gain": gain, "measure": measure}
    found = faithfulness(sae, queries, asked, documents, **settings, resamples=5, draws=1)
    seen = 0
    for place, feature in enumerate(found.features.tolist()):
        rows, activations, change = found.changes(place)
        for row, activation, lost in zip(rows.tolist(), activations, change, strict=True):
            one = moved(sae, queries, asked, documents, row=row, feature=feature, **settings)
            assert one.activation == activation
            assert (np.diff(one.before) > 0).all()
            if not lost:
                continue
            seen += 1
            falls = one.after[one.place] > one.before[one.place]
            assert falls == (lost > 0)
            assert one.passed >= abs(one.after[one.place] - one.before[one.place]) > 0
            assert (one.rival_before > one.before[one.place]) == (one.rival_after < one.after[one.place]) == falls
            if falls and measure != "l2":
                pair = documents[[one.documents[one.place], one.rival]]
                lead = why(sae, asked[row], pair, measure=measure).lead(0, 1)
                at = lead.features.tolist().index(feature)
                assert lead.turns()[at] or lead.scores[0] < 1e-6  # or a tie, which the order of ids decides
    assert seen > 20


def test_what_does_not_fire_moves_nothing_and_what_is_not_there_is_refused():
    queries, asked, documents = graded()
    silent = next(one for one in range(48) if one not in random_sae().encode(asked[:1]).features)
    one = moved(random_sae(), queries, asked, documents, row=0, feature=silent)
    assert (one.activation, one.rival, one.passed) == (0, None, 0)
    assert one.before.tolist() == one.after.tolist()
    with pytest.raises(InputError, match="from 0 to 47, got 48"):
        moved(random_sae(), queries, asked, documents, row=0, feature=48)
    bare = int(np.flatnonzero(queries.relevant == 0)[0])
    with pytest.raises(InputError, match="has no relevant document"):
        moved(random_sae(), queries, asked, documents, row=bare, feature=0)


def test_queries_needed_call_the_drop_four_times_in_five():
    rng = np.random.default_rng(0)
    drop, size, tests = 0.1, 0.5, 20
    found = needed(np.array([drop] + [0.0] * (tests - 1)), np.full(tests, size / 10), 100, tested=np.ones(tests, bool))
    assert np.isnan(found[1:]).all()
    enough = round(found[0])
    called = [sign_p(rng.normal(drop, size, enough)) <= 0.05 / tests for _ in range(2_000)]
    assert np.mean(called) == pytest.approx(0.8, abs=0.03)


def test_peers_are_those_that_fire_as_often():
    fires = np.repeat([1, 100], [60, 60])
    drop = np.concatenate([np.zeros(60), np.linspace(1, 2, 60)])
    found = peers(drop, fires, seed=0)
    assert found[-1] == 0
    assert (found[:30] == 1).mean() > 0.5
    assert found[90] < 0.8  # though it costs more than half of all
    assert np.isnan(peers(np.zeros(1), np.ones(1), seed=0)).all()
