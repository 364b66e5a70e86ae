"""Pictures of steering: two rankings with their moves, changed features, and the curves of a dose-response."""

import base64
import re
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest

from lib.charts import steering as charts
from lib.charts import steering_dose as dose_charts
from lib.sae.steering import Recipe, dose_response, push_of, rerank, steer
from tests.toy_sae import planted, random_sae

FEATURE = 7


@pytest.fixture(scope="module")
def world():
    vectors = planted(120, n=24).vectors
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    sae = random_sae(n=24, k=3)
    return vectors, sae, sae.encode(vectors)


@pytest.fixture(scope="module")
def push(world):
    return push_of(world[1], Recipe((FEATURE, 3), (6.0, -2.0)), codes=world[2])


@pytest.fixture(scope="module")
def dose(world):
    vectors, sae, codes = world
    return dose_response(sae, codes, vectors, vector=vectors[0], feature=FEATURE, unit=0.4, controls=10)


def drawn(before, after, text="t", chips=()):
    return charts.two_rankings(before, after, text=text, chips=list(chips))


def test_every_move_has_its_mark_and_its_line():
    def card(rank, other):
        return charts.Card(rank, other, f"text {rank}", None, rank == 1)

    before = [card(1, 1), card(2, 3), card(3, 2), card(4, 1_234)]
    after = [card(1, 1), card(2, 3), card(3, 2), card(4, 77)]
    shown = drawn(before, after)
    words = re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", shown))
    for said in ("= stays", "= stayed", "▼ now 3", "▲ now 2", "✕ now 1\u202f234", "▲ was 3", "▼ was 2", "✚ was 77"):
        assert said.replace("\u202f", " ") in words
    assert shown.count('title="the feature fires on it"') == 2
    svg = base64.b64decode(re.search(r"base64,([^\"]+)", shown)[1]).decode()
    paths = [path.get("d") for path in ElementTree.fromstring(svg)]
    assert len(paths) == 4
    assert sum("C50" in path for path in paths) == 3
    assert "<svg" not in shown  # pages take it out


def test_cards_are_the_heads_of_both_rankings(world, push):
    vectors, _, codes = world
    result = rerank(vectors, vectors[0], push)
    fires = set(codes.firing(FEATURE)[0].tolist())
    before, after = charts.cards(result, [f"text {row}" for row in range(120)], None, fires, top=5)
    assert [card.text for card in after] == [f"text {row}" for row in result.after[:5]]
    assert [card.other for card in before] == result.before_now[:5].tolist()
    assert [card.fires for card in after] == [row in fires for row in result.after[:5]]
    few = rerank(vectors[:2], vectors[0], push, left_out=np.array([0]))
    assert [len(one) for one in charts.cards(few, ["a", "b"], ["x", None], set(), top=5)] == [1, 1]


def test_no_text_is_html(world, push, dose, wild, sent):
    card = charts.Card(1, 2, wild, wild, True)
    shown = drawn([card], [card], text=wild, chips=[wild])
    assert "<script>" not in shown
    assert shown.count("&lt;script&gt;") == 8  # the text asked, a chip, and twice text, its title and label
    result = steer(world[1], world[0][0], push)
    figures = [charts.changed_features(result, [wild] * len(result.features), [wild] * 2)]
    figures += [draw(dose, wild) for draw in (dose_charts.shift_curve, dose_charts.rank_curve, dose_charts.rise_strip)]
    for fig in figures:
        assert sent(fig)["data"]
        assert "<script>" not in fig.to_json().replace("\\u003c", "<")


def test_the_targets_stand_on_top_and_the_rest_by_size(world, push):
    result = steer(world[1], world[0][0], push)
    names = [f"feature {feature}" for feature in result.features]
    fig = charts.changed_features(result, names, ["7 · seven", "3 · three"], shown=4)
    before, *after = fig.data
    shown = min(4, len(names))
    assert list(before.x) == [*result.target_before, *result.before[:shown].tolist()]
    assert list(fig.layout.yaxis.ticktext)[:2] == ["▸ 7 · seven", "▸ 3 · three"]
    ends = {at: x for trace in after for at, x in zip(trace.y, trace.x, strict=True)}
    assert [ends[at] for at in range(2 + shown)] == [*result.target_after, *result.after[:shown].tolist()]
    shapes = {"after: stronger": "triangle-up", "after: weaker": "triangle-down", "after: the same": "line-ns"}
    for trace in after:  # direction has a shape as well as a colour
        assert trace.marker.symbol == shapes[trace.name]
    assert any(trace.name == "after: the same" and 1 in trace.y for trace in after)  # silent, and pushed down
    nothing = steer(world[1], world[0][0], push_of(world[1], Recipe((FEATURE,), (0.0,)), codes=world[2]))
    assert len(charts.changed_features(nothing, [], ["seven"]).data[0].x) == 1


def test_the_curves_are_those_of_the_result(dose):
    for draw, values, band in (
        (dose_charts.shift_curve, dose.shift, dose.shift_random),
        (dose_charts.rank_curve, dose.mean_rank, dose.rank_random),
    ):
        fig = draw(dose, "seven")
        assert list(fig.data[-1].y) == values.tolist()
        assert fig.data[-1].name == "seven"
        assert list(fig.data[0].y) == [*band[2], *band[0][::-1]]
    low, high = fig.layout.yaxis.range
    assert low > dose.chance_rank
    assert high < dose.best_rank  # the top of a ranking is on top


def test_the_strip_with_and_without_a_verdict(dose):
    fig = dose_charts.rise_strip(dose, "seven")
    assert fig.data[-1].x == (dose.rise[0],)
    assert fig.data[-1].error_x.array[0] == pytest.approx(dose.rise[2] - dose.rise[0])
    assert list(fig.data[1].x) == dose.rise_others.tolist()
    assert f"feature {dose.others[0]}" in fig.data[1].text[0]
    assert len(dose_charts.rise_strip(replace(dose, rise=None), "seven").data) == 2
