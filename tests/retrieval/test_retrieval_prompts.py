"""Prompts: nothing where there are none, closed forms where every vector takes a known step."""

import json

import numpy as np
import pytest

from lib.corpora import QuerySet
from lib.errors import InputError, Stopped
from lib.retrieval import judged_ranks, query_metrics, search
from lib.retrieval.prompts import PRESETS, Pair, compare_prompts, shift

RNG = np.random.default_rng(3)


@pytest.fixture
def queries():
    q, n = 20, 50
    return QuerySet(
        "set", tuple(f"query {i}" for i in range(q)), tuple(f"q{i}" for i in range(q)),
        tuple(f"document {i}" for i in range(n)), tuple(f"d{i}" for i in range(n)),
        np.arange(q), np.arange(q), np.ones(q, dtype=np.int64),
    )  # fmt: skip


def pair(q=20, n=50, d=8):
    documents = RNG.normal(size=(n, d)).astype(np.float32)
    return Pair(documents[:q] + RNG.normal(size=(q, d)).astype(np.float32), documents)


def test_empty_prompts_change_nothing(queries):
    plain = pair()
    result = compare_prompts(queries, plain, plain, query_prompt="", document_prompt="")
    assert [part.name for part in result.arrangements] == ["neither"]
    for moved in result.shifts:
        assert (moved.cosine == 1).all()
        assert (moved.mean, moved.low, moved.common) == (1, 1, 0)


def test_prompts_that_move_nothing_leave_every_rank(queries):
    plain = pair()
    result = compare_prompts(queries, plain, plain, query_prompt="query: ", document_prompt="passage: ")
    assert [part.name for part in result.arrangements] == ["neither", "queries", "documents", "both"]
    for part in result.arrangements[1:]:
        assert (part.risen, part.fallen, part.level, part.first_changed) == (0, 0, 20, 0)
        assert all(test.difference == 0 and test.p_value == 1 for test in part.tests)
        assert part.means == result.arrangements[0].means


@pytest.mark.parametrize("measure", ["cosine", "dot"])
def test_each_arrangement_is_a_search_of_its_own(queries, measure):
    plain, prompted = pair(), pair()
    result = compare_prompts(queries, plain, prompted, query_prompt="a", document_prompt="b", measure=measure)
    sides = {
        "neither": (plain.queries, plain.documents),
        "queries": (prompted.queries, plain.documents),
        "documents": (plain.queries, prompted.documents),
        "both": (prompted.queries, prompted.documents),
    }
    base = None
    for part in result.arrangements:
        run = search(*sides[part.name], 50, measure=measure, tie_order=queries.tie_order)
        ranks = judged_ranks(queries, run)
        base = ranks if base is None else base
        assert part.means == pytest.approx(query_metrics(ranks).means)
        assert part.risen == (ranks.rank < base.rank).sum()
        assert part.fallen == (ranks.rank > base.rank).sum()
    tests = {test.metric: test for test in result.arrangements[3].tests}
    assert tests["mrr"].mean_a == pytest.approx(result.arrangements[0].means["mrr"])
    assert tests["mrr"].mean_b == pytest.approx(result.arrangements[3].means["mrr"])
    assert result.arrangements[0].tests == ()
    json.dumps(result.to_dict(), allow_nan=False)


@pytest.mark.parametrize(
    ("prompts", "names"),
    [(("query: ", ""), ["neither", "queries"]), (("", "passage: "), ["neither", "documents"])],
)
def test_one_prompt_makes_one_arrangement(queries, prompts, names):
    result = compare_prompts(queries, pair(), pair(), query_prompt=prompts[0], document_prompt=prompts[1])
    assert [part.name for part in result.arrangements] == names


def test_shift_by_closed_forms():
    plain = np.array([[1, 0], [0, 2], [3, 3]], dtype=np.float32)
    turned = plain @ np.array([[0, 1], [-1, 0]], dtype=np.float32)
    assert np.allclose(shift(plain, turned, role="query", prompt="x").cosine, 0, atol=1e-7)
    assert np.allclose(shift(plain, -plain, role="query", prompt="x").cosine, -1)
    assert np.allclose(shift(plain, 5 * plain, role="query", prompt="x").cosine, 1)


def test_a_step_that_all_take_is_told_from_steps_of_their_own():
    base = np.zeros((200, 50))
    base[:, 0] = 1
    same = base.copy()
    same[:, 1] = 0.5
    assert shift(base, same, role="query", prompt="x").common == pytest.approx(1)
    signs = np.where(np.arange(200) % 2, 1, -1)
    apart = base.copy()
    apart[:, 1] = 0.5 * signs
    assert shift(base, apart, role="query", prompt="x").common == pytest.approx(0.056, abs=0.01)  # the norm's share
    order = RNG.permutation(200)
    assert shift(base[order], same[order], role="query", prompt="x").mean == pytest.approx(
        shift(base, same, role="query", prompt="x").mean
    )


def test_zero_vectors_count_as_not_moved():
    assert shift(np.zeros((2, 3)), np.zeros((2, 3)), role="query", prompt="x").cosine.tolist() == [1, 1]


def test_refusals():
    with pytest.raises(InputError, match=r"same texts, got \(2, 3\) and \(4, 3\)"):
        shift(np.ones((2, 3)), np.ones((4, 3)), role="query", prompt="x")
    with pytest.raises(InputError, match="same texts"):
        shift(np.ones((0, 3)), np.ones((0, 3)), role="query", prompt="x")


def test_presets_are_what_the_families_were_trained_with():
    from lib.encoders import FAMILIES

    known = {(variant.query_prompt, variant.document_prompt) for family in FAMILIES for variant in family.variants}
    assert set(PRESETS.values()) <= known


def test_the_searches_are_told_as_one_work_that_can_be_stopped(queries):
    a, b = (Pair(RNG.normal(size=(20, 6)), RNG.normal(size=(50, 6))) for _ in range(2))
    told = []
    compare_prompts(queries, a, b, query_prompt="q", document_prompt="d", progress=lambda *done: told.append(done))
    shares = [done / of for done, of in told]
    assert shares == sorted(shares)
    assert shares[0] == 0
    assert shares[-1] > 0.8  # the last counting may have nothing to do
    with pytest.raises(Stopped):
        compare_prompts(queries, a, b, query_prompt="q", document_prompt="d", should_stop=lambda: True)
