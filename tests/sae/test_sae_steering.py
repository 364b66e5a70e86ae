"""Steering a vector: the identity, closed forms on axes, side effects, and rankings against the slow way."""

import numpy as np
import pytest

from lib.errors import InputError
from lib.sae.database import FeatureDatabase
from lib.sae.steering import (
    Recipe,
    apply_push,
    dots,
    looks_normalised,
    parse_recipe,
    products_of_parts,
    push_of,
    recipe_facts,
    rerank,
    squares_of,
    steer,
    unit_of,
    usage,
    vector_bytes,
)
from lib.sae.steering.steer import shift
from tests.toy_sae import codes_of, orthogonal_sae, planted, random_sae


def unit(rows):
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def world():
    """Unit vectors, a dictionary and its codes."""
    vectors, sae = unit(planted(300).vectors), random_sae(k=6)
    return vectors, sae, sae.encode(vectors)


def pushed(world, **deltas):
    """A push along features: f7=+4."""
    recipe = Recipe(tuple(int(name[1:]) for name in deltas), tuple(map(float, deltas.values())))
    return push_of(world[1], recipe, codes=world[2])


def test_zero_is_the_identity_bit_for_bit(world):
    vectors, sae, codes = world
    x = vectors[3] * np.float32(0.9999)  # no exact unit vector: nothing may bring it to length 1
    for recipe in (Recipe(), Recipe((7,), (0.0,)), Recipe((7, 8), (0.0, -0.0))):
        push = push_of(sae, recipe, codes=codes)
        result = steer(sae, x, push)
        assert result.vector.tobytes() == x.tobytes()
        assert (result.cosine_shift, result.side_effects, len(result.features)) == (0, 0, 0)
        assert result.random_shift == (0, 0, 0)
        assert apply_push(vectors, push) is vectors
        for side in ("query", "documents"):
            ranking = rerank(vectors, x, push, side=side)
            assert ranking.after_were.tolist() == list(range(1, 101))
            assert ranking.before_scores.tolist() == ranking.after_scores.tolist()


def test_an_axis_is_added_in_units_of_its_mean_active_value():
    sae = orthogonal_sae(4)
    codes = codes_of(np.array([[0.2, 0, 0, 0]] * 3 + [[0.6, 0, 0, 0]] * 3))
    push = push_of(sae, Recipe((0,), (2.0,)), codes=codes)
    assert (push.units, push.sources, push.unit_texts) == ((pytest.approx(0.4),), ("corpus",), (6,))
    assert push.vector == pytest.approx([0.8, 0, 0, 0])
    x = np.array([0, 0.6, 0.8, 0], np.float32)
    result = steer(sae, x, push)
    length = np.sqrt(1 + 0.64)
    assert result.vector == pytest.approx(np.array([0.8, 0.6, 0.8, 0]) / length)
    assert result.cosine_shift == pytest.approx(1 - 1 / length)
    assert result.target_before == (0,)
    assert result.target_after[0] == pytest.approx(0.8 / length)
    assert result.features.tolist() == [2, 1]  # the rest shrinks as the whole is brought to length 1
    assert result.changes == pytest.approx(np.array([0.8, 0.6]) * (1 / length - 1))
    assert result.least == pytest.approx(0.08 / length)
    assert result.side_effects == 2
    loose = push_of(sae, Recipe((0,), (2.0,)), codes=codes, normalised=False)
    free = steer(sae, x, loose)
    assert free.vector == pytest.approx([0.8, 0.6, 0.8, 0])
    assert free.side_effects == 0


def test_the_random_shift_is_that_of_a_push_at_right_angles_in_many_dimensions():
    sae = random_sae(d=600, n=20, k=4)
    x = unit(np.random.default_rng(1).normal(size=(1, 600)))[0]
    push = push_of(sae, Recipe((3,), (1.0,)), codes=codes_of(np.full((5, 20), 0.7)))
    low, middle, high = steer(sae, x, push).random_shift
    assert middle == pytest.approx(1 - 1 / np.sqrt(1.49), abs=0.01)
    assert low < middle < high


def test_several_features_add_up_and_order_does_not_matter(world):
    both, swapped = pushed(world, f7=3, f11=-2), pushed(world, f11=-2, f7=3)
    assert both.vector == pytest.approx(pushed(world, f7=3).vector + pushed(world, f11=-2).vector, abs=1e-6)
    assert both.vector == pytest.approx(swapped.vector)
    result = steer(world[1], world[0][0], both)
    assert result.targets == (7, 11)
    assert not {7, 11} & set(result.features.tolist())
    assert (np.diff(np.abs(result.changes)) <= 0).all()


@pytest.mark.parametrize("side", ["query", "documents"])
def test_rankings_equal_the_slow_way(world, side):
    vectors, _, codes = world
    push, x = pushed(world, f7=5, f20=-3), vectors[5]
    found = rerank(vectors, x, push, side=side, left_out=np.array([5]), firing=codes.firing(7)[0])
    query = apply_push(x[None], push)[0] if side == "query" else x
    documents = apply_push(vectors, push) if side == "documents" else vectors
    orders = []
    for q, d in ((x, vectors), (query, documents)):
        scores = d.astype(float) @ q / (np.linalg.norm(d.astype(float), axis=1) * np.linalg.norm(q))
        scores[5] = -np.inf
        orders.append(np.argsort(-scores, kind="stable"))
    assert found.before.tolist() == orders[0][:100].tolist()
    assert found.after.tolist() == orders[1][:100].tolist()
    places = [np.argsort(order) + 1 for order in orders]
    assert found.before_now.tolist() == places[1][found.before].tolist()
    assert found.after_were.tolist() == places[0][found.after].tolist()
    rows = [row for row in codes.firing(7)[0] if row != 5]
    assert found.firing_before == pytest.approx(places[0][rows].mean())
    assert found.firing_after == pytest.approx(places[1][rows].mean())
    assert (found.items, found.left_out, found.firing) == (299, 1, len(rows))
    steered, given = (query[None], x[None]) if side == "query" else (documents, vectors)
    shifts = [shift(a, b) for row, (a, b) in enumerate(zip(given, steered, strict=True)) if side == "query" or row != 5]
    assert found.shift == pytest.approx(np.mean(shifts), abs=1e-6)
    assert found.kept(10) == len(set(orders[0][:10]) & set(orders[1][:10]))


@pytest.mark.parametrize("side", ["query", "documents"])
def test_products_at_hand_give_the_same_without_reading_a_vector(world, side):
    vectors, sae, _ = world
    push, x = pushed(world, f7=5, f20=-3, f21=0), vectors[5]
    expected = rerank(vectors, x, push, side=side)
    along = dots(vectors, sae.decoder_weights[list(push.features)])
    known = products_of_parts(push, squares_of(vectors), dots(vectors, x[None])[0], list(along))
    found = rerank(np.full_like(vectors, np.nan), x, push, side=side, products=known)
    assert found.after.tolist() == expected.after.tolist()
    assert found.before_now.tolist() == expected.before_now.tolist()
    assert found.after_scores == pytest.approx(expected.after_scores, abs=1e-7)
    assert found.shift == pytest.approx(expected.shift, abs=1e-7)


def test_boosting_pulls_its_texts_up_and_suppressing_sends_them_down(world):
    vectors, _, codes = world
    rows = codes.firing(7)[0]
    up, down = (rerank(vectors, vectors[0], pushed(world, f7=delta), firing=rows) for delta in (8, -8))
    assert up.firing_after < up.firing_before < down.firing_after


def test_units_come_from_the_corpus_then_the_training_then_from_few_texts():
    import pandas as pd

    known = FeatureDatabase(pd.DataFrame({"mean": [0.5, np.nan, 0.5]}), "0" * 64, "training", 9)
    codes = codes_of(np.array([[0.1, 0.2, 0.3]] + [[0, 0, 0.3]] * 5))
    assert unit_of(0, codes, known) == (0.5, "training", 0)
    assert unit_of(1, codes, known) == (pytest.approx(0.2), "corpus", 1)
    assert unit_of(2, codes, known) == (pytest.approx(0.3), "corpus", 6)
    with pytest.raises(InputError, match="fires on no text of the corpus, and no feature database tells"):
        unit_of(0, None, None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("319:+4,27:-2", {319: 4, 27: -2}), (" 319 : 4 , #27:−0.5 ", {319: 4, 27: -0.5}), ("", {}), ("5:0", {5: 0})],
)
def test_recipes_are_read_and_written(text, expected):
    recipe = parse_recipe(text, 400)
    assert dict(zip(recipe.features, recipe.deltas, strict=True)) == expected
    assert parse_recipe(str(recipe), 400) == recipe


def test_recipes_change():
    recipe = parse_recipe("3:+4,2:-1", 10)
    assert str(recipe.with_delta(3, -0.5)) == "3:-0.5,2:-1"
    assert str(recipe.with_delta(9, 2).without(3)) == "2:-1,9:+2"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("319", "written like 319:+4"), ("400:1", "features 0 to 399"), ("1:99", "from -10 to 10"),
        ("1:2,1:3", "stands twice"), ("a:b", "written like"), (",".join(f"{f}:1" for f in range(9)), "at most 8"),
        ("1:nan", "written like"), ("<b>:1", "written like"),
    ],
)  # fmt: skip
def test_what_is_no_recipe_is_refused(text, said):
    with pytest.raises(InputError, match=said.replace("+", r"\+")):
        parse_recipe(text, 400)


@pytest.mark.parametrize("normalised", [True, False])
@pytest.mark.parametrize("suffix", [".npy", ".safetensors"])
def test_the_lines_of_code_do_what_steering_does(world, tmp_path, monkeypatch, suffix, normalised):
    vectors, sae, codes = world
    push = push_of(sae, Recipe((7, 20), (4.0, -2.0)), codes=codes, normalised=normalised)
    about = recipe_facts(push, sae)
    (tmp_path / f"steering{suffix}").write_bytes(vector_bytes(push, suffix, about=about))
    monkeypatch.chdir(tmp_path)
    lines, held = usage(push, suffix), {"vectors": vectors}
    assert len(lines.splitlines()) <= 3
    exec(lines, held)
    assert held["vectors"] == pytest.approx(apply_push(vectors, push), abs=1e-6)
    assert (about["recipe"], about["features"][0]["unit_from"]) == ("7:+4,20:-2", "corpus")
    with pytest.raises(InputError, match=r"as \.npy or \.safetensors"):
        vector_bytes(push, ".pickle")


def test_the_lines_of_an_empty_push_leave_every_bit(world, tmp_path, monkeypatch):
    vectors, sae, codes = world
    push = push_of(sae, Recipe((7,), (0.0,)), codes=codes)
    (tmp_path / "steering.npy").write_bytes(vector_bytes(push, ".npy"))
    monkeypatch.chdir(tmp_path)
    held = {"vectors": vectors * np.float32(0.9999)}
    before = held["vectors"].tobytes()
    exec(usage(push, ".npy"), held)
    assert held["vectors"].tobytes() == before


def test_what_cannot_be_steered_is_refused(world):
    vectors, sae, codes = world
    push = pushed(world, f7=1)
    with pytest.raises(InputError, match="takes vectors of 16 dimensions apart, got 3"):
        steer(sae, np.ones(3), push)
    with pytest.raises(InputError, match="is zero"):
        steer(sae, np.zeros(16, np.float32), push)
    with pytest.raises(InputError, match="takes away all"):
        apply_push(-push.vector[None], push)
    with pytest.raises(InputError, match="query or the documents"):
        rerank(vectors, vectors[0], push, side="both")
    with pytest.raises(InputError, match="no text to rank"):
        rerank(vectors[:1], vectors[0], push, left_out=np.array([0]))
    with pytest.raises(InputError, match="features 0 to 47, got 48"):
        push_of(sae, Recipe((48,), (1.0,)), codes=codes)


def test_which_vectors_look_normalised(world):
    assert looks_normalised(world[0])
    assert not looks_normalised(world[0] * 1.01)
