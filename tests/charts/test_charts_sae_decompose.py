"""The figures of a decomposition: bars, the way from text to features, and coloured tokens."""

import base64
import re
from xml.etree import ElementTree

import numpy as np
import pytest

from lib.charts import sae_decompose as charts
from lib.sae.decomposition import decompose
from lib.sae.tokens import TokenShares
from tests.toy_sae import orthogonal_sae, planted, random_sae

X = planted(1).vectors[0]


@pytest.fixture
def result():
    return decompose(random_sae(k=6), X)


def names(result, label="label"):
    return [f"{feature} · {label}" for feature in result.features]


def shares(values, *, tokens=None, kinds=None):
    t = len(values)
    return TokenShares(
        tokens=tuple(tokens or (f"word{i}" for i in range(t))), kinds=tuple(kinds or ["text"] * t),
        features=np.array([3]), shares=np.array([values], dtype=float).reshape(1, t), constants=np.zeros(1),
        rest=np.zeros(1), pre_activations=np.array([sum(values)]), exact=True, why="Exact.", truncated=False,
    )  # fmt: skip


def test_bars_are_the_strongest_features_on_top(result, sent):
    fig = charts.feature_bars(result, names(result), shown=4, chosen=int(result.features[1]))
    assert sent(fig)["data"]
    (bars,) = fig.data
    assert list(bars.x) == result.activations[:4].tolist()
    assert [row[0] for row in bars.customdata] == [str(feature) for feature in result.features[:4]]
    assert fig.layout.yaxis.range[0] > fig.layout.yaxis.range[1]  # the first on top
    assert fig.layout.yaxis.ticktext[1].startswith("▸ ")
    assert [width > 0 for width in bars.marker.line.width] == [False, True, False, False]
    assert bars.text[0] == f"{100 * result.shares[0]:.1f} %"
    assert (bars.marker.cmin, bars.marker.cmax) == (0, pytest.approx(float(result.activations[0])))


def test_few_and_no_bars(sent):
    one = decompose(orthogonal_sae(3), np.array([0, 2, 0], np.float32))
    assert len(charts.feature_bars(one, names(one), shown=20).data[0].x) == 1
    none = decompose(orthogonal_sae(3, bias=9), np.ones(3, np.float32))
    assert sent(charts.feature_bars(none, []))["data"]


def test_no_label_is_html(result, wild):
    fig = charts.feature_bars(result, names(result, wild))
    assert "<script>" not in fig.to_json().replace("\\u003c", "<")
    drawn = charts.pipeline(result, X, names(result, wild), text=wild, encoder=wild, rule=wild)
    assert "<script>" not in drawn
    assert drawn.count("&lt;script&gt;") == 6  # the text, the encoder, the rule, three features
    tokens = charts.token_strip(shares([1, -1], tokens=(wild, '"onmouseover="x')))
    assert "<script>" not in tokens
    assert 'x"' not in tokens.replace("&quot;", "")


def test_the_way_tells_real_numbers(result):
    drawn = charts.pipeline(result, X, names(result), text="some text", encoder="MiniLM", rule="TopK")
    words = re.sub(r"<[^>]*>", " ", drawn)
    assert "some text" in words
    assert "9 characters" in words
    assert f"16 numbers, length {np.linalg.norm(X):.3g}" in words
    assert "48 features" in words
    assert f"{names(result)[0]} {result.activations[0]:.2f}" in words
    assert "and 3 more of 48" in words
    assert "<svg" not in drawn  # pages take it out
    assert not re.search(r"color:\s*(#|black|white)(?!787D86)", drawn)  # ink is the page's own


def test_the_vector_is_drawn_number_by_number(result):
    drawn = charts.pipeline(result, X, names(result), text="t", encoder="e", rule="r")
    svg = base64.b64decode(re.search(r"base64,([^\"]+)", drawn)[1]).decode()
    paths = [path.get("d") for path in ElementTree.fromstring(svg)]
    up, down = (re.findall(r"M(\d+)\.5 20v(-?[\d.]+)", path) for path in paths[:2])
    assert sorted(int(at) for at, _ in (*up, *down)) == list(range(16))
    assert {int(at) for at, _ in up} == set(np.flatnonzero(X > 0).tolist())
    assert all(float(height) <= 0 for _, height in up)
    assert min(float(height) for _, height in (*up, *down)) >= -19
    longest = max((*up, *down), key=lambda one: abs(float(one[1])))
    assert int(longest[0]) == np.abs(X).argmax()


def test_a_long_text_is_cut_and_none_that_fires_is_said():
    none = decompose(orthogonal_sae(3, bias=9), np.ones(3, np.float32))
    drawn = charts.pipeline(none, np.zeros(3), [], text="word " * 100, encoder="e", rule="r")
    assert "none fires" in drawn
    assert "…" in drawn
    assert "500 characters" in drawn


def test_tokens_are_coloured_by_sign_and_size():
    drawn = charts.token_strip(shares([0.4, -0.4, 0.1, 0.0]))
    spans = re.findall(r'title="([^"]+)" style="background:(#\w{6})(\w\w)[^"]*text-decoration:(\w+)', drawn)
    assert [title for title, *_ in spans] == ["+0.4000", "-0.4000", "+0.1000", "+0.0000"]
    assert [colour for _, colour, *_ in spans] == ["#D97706", "#6A5ED2", "#D97706", "#D97706"]
    alphas = [int(alpha, 16) for *_, alpha, _ in spans]
    assert alphas[0] == alphas[1] > alphas[2] > alphas[3] == 0
    assert [line for *_, line in spans] == ["none", "underline", "none", "none"]
    assert "+0.400 fires" in drawn


def test_kinds_have_a_mark_and_pieces_of_a_word_stand_together():
    kinds = ("special", "prompt", "text", "text", "special")
    drawn = charts.token_strip(shares([1, 2, 3, 4, 5], tokens=("[CLS]", "query", "tr", "##op", "[SEP]"), kinds=kinds))
    assert drawn.count("dotted") == 3  # with the legend
    assert drawn.count("dashed") == 2
    assert "tr</span><span" in drawn
    assert ">op</span>" in drawn
    plain = charts.token_strip(shares([1.0]))
    assert "dotted" not in plain
    assert charts.token_strip(shares([0.0, 0.0]))
    assert ">the</span>" in charts.token_strip(shares([1, 1], tokens=("▁the", "▁")))
