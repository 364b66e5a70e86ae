"""Layers > Heads through Streamlit's test double: loaded, by address, odd corpora, encoders that show none."""

import base64
import json

import numpy as np
import pytest

from lib.encoders import PACKAGED, Policy, open_encoder
from lib.layers.attention import head_entropy
from lib.layers.attention_map import attention_map
from lib.layers.head_flags import flag_heads
from lib.ui import resources
from lib.ui.layers import heads_cached, one_head
from tests.app.conftest import App

FEW = {"view": "Heads", "heads_texts": "64"}
HOSTILE = "<script>alert(1)</script> [link](javascript:alert(3)) $math$ :red[hot] **bold** `code`"


@pytest.fixture(scope="module")
def encoder():
    return open_encoder(PACKAGED, policy=Policy())


@pytest.fixture(scope="module")
def few(encoder, sample):
    """What the library finds on 64 texts of the sample."""
    return head_entropy(encoder, sample[0].texts, sample=64)


@pytest.fixture
def heads_of(root):
    """The view on an uploaded file."""

    def opened(name, content, **query):
        shown = App(root / "app.py", {"corpus": "Upload", "view": "Heads", **query}, page="layers")
        return shown.upload(name, content)

    return opened


def lines(*texts):
    return "".join(f"{text}\n" for text in texts).encode()


def drawn(values):
    """Numbers of a figure, which plotly writes as bytes with their shape."""
    content = np.frombuffer(base64.b64decode(values["bdata"]), np.dtype(values["dtype"]))
    return content.reshape([int(size) for size in values["shape"].split(",")])


def test_the_view_shows_what_the_library_finds(app, few):
    shown = app(page="layers", **FEW)
    flags = flag_heads(few)
    assert shown.numbers["Mean entropy"] == f"{few.entropy.mean():.2f}"
    assert shown.numbers["Collapsed"] == f"{flags.collapsed.sum()} of 72" == "1 of 72"
    assert shown.numbers["Near uniform"] == "0 of 72"
    assert shown.numbers["Add little"] == "0 of 72"
    np.testing.assert_allclose(drawn(shown.charts["heads_map"]["data"][0]["z"]), few.entropy, atol=1e-6)
    [row] = shown.table("flags").to_dict("records")
    assert (row["layer"], row["head"], row["flags"], row["looks at"]) == (1, 3, "collapsed", "previous token")
    assert "Measured on a uniform sample of 64 of the 402 texts" in shown.captions.replace("\\", "")
    assert shown.titles == ["How narrowly does each attention head look?", "Where does head 3 of layer 1 look?"]


def test_a_head_and_a_text_by_address(app, few, encoder, sample):
    shown = app(page="layers", **FEW, head="5.6", head_row="7")
    assert shown.titles[1] == "Where does head 6 of layer 5 look?"
    assert shown.numbers["Entropy"] == f"{few.entropy[4, 5]:.3f}"
    assert shown.numbers["Share of output"] == f"{100 * few.output_share[4, 5]:.0f} %"
    maps = attention_map(encoder, sample[0].texts[6], most=heads_cached.MOST_TOKENS)
    picture = shown.charts["head_on_text"]
    np.testing.assert_allclose(drawn(picture["data"][0]["z"]), maps.attention[4, 5], atol=1e-6)
    assert len(picture["layout"]["xaxis"]["ticktext"]) == len(maps.tokens)


def test_thresholds_move_the_flags(app, few):
    shown = app(page="layers", **FEW, heads_collapsed="0.3", heads_uniform="0.9", heads_silent="0.2")
    flags = flag_heads(few, collapsed=0.3, uniform=0.9, silent=0.2)
    assert shown.numbers["Collapsed"] == f"{flags.collapsed.sum()} of 72"
    assert shown.numbers["Near uniform"] == f"{flags.uniform.sum()} of 72"
    assert shown.numbers["Add little"] == f"{flags.silent.sum()} of 72"
    assert len(shown.table("flags")) == flags.flagged.sum() > 3
    assert "below 0.3" in shown.captions
    none = app(page="layers", **FEW, heads_collapsed="0.0")
    assert "No head is flagged by these thresholds." in none.captions


def test_a_typed_text(app):
    shown = app(page="layers", **FEW, head_text="typed")
    assert "Type a text" in shown.page.info[0].value
    assert "head_on_text" not in shown.charts
    shown.choose("head_typed", f"{HOSTILE} the the the")
    names = shown.charts["head_on_text"]["layout"]["xaxis"]["ticktext"]
    assert names[0] == "[CLS]"
    assert names[1] == "&lt;"
    assert names.count("the") == 3
    assert "<script" not in json.dumps(shown.charts)


def test_the_beginning_of_a_long_text(heads_of):
    shown = heads_of("a.txt", lines("word " * 400, "cats purr", "dogs bark"))
    assert "The first 48 of 256 tokens are shown" in shown.captions
    assert "it was cut" in shown.captions
    assert drawn(shown.charts["head_on_text"]["data"][0]["z"]).shape == (48, 48)


@pytest.mark.parametrize("texts", [["a"], ["a", "a", "a"], ["one", "two"], [HOSTILE, "*", "日本語 テキスト", "🙂"]])
def test_small_and_odd_corpora(heads_of, texts):
    shown = heads_of("a.txt", lines(*texts))
    assert not shown.refusals
    assert shown.numbers["Collapsed"].endswith("of 72")
    assert "sample of" not in shown.captions
    assert not [slider for slider in shown.page.select_slider if slider.key == "heads_texts"]


@pytest.mark.parametrize(
    "query", [{"head": "99.99"}, {"head": "<b>"}, {"head_row": "100000"}, {"heads_collapsed": "7"}, {"head_text": "x"}]
)
def test_addresses_that_make_no_sense_fall_back(app, query):
    shown = app(page="layers", **FEW, **query)
    assert not shown.refusals
    assert shown.titles[1] == "Where does head 3 of layer 1 look?"
    assert shown.numbers["Collapsed"] == "1 of 72"


def test_a_click_chooses_a_head(monkeypatch):
    state = {one_head.CHART: {"selection": {"points": [{"customdata": ["4,5"]}]}}}
    monkeypatch.setattr(one_head.st, "session_state", state)
    one_head.pick_clicked()
    assert state["head"] == "5.6"
    state[one_head.CHART] = {"selection": {"points": []}}
    one_head.pick_clicked()
    assert state["head"] == "5.6"


# Encoders that show none


def test_a_corpus_with_embeddings_of_its_own(heads_of):
    rows = [{"text": f"text {n}", "embedding": [1.0, n, n * n]} for n in range(5)]
    shown = heads_of("a.jsonl", "".join(json.dumps(row) + "\n" for row in rows).encode())
    assert "there is no encoder" in shown.page.info[0].value
    assert not shown.charts
    assert "Open the packaged encoder instead" not in shown.buttons


def test_a_static_encoder(app, tmp_path, monkeypatch):
    from model2vec import StaticModel
    from tokenizers import Tokenizer, models, pre_tokenizers

    tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0, "the": 1, "a": 2, "of": 3}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    StaticModel(np.eye(4, dtype=np.float32), tokenizer).save_pretrained(tmp_path / "static")
    monkeypatch.setattr(resources, "policy", lambda: Policy(model_roots=(tmp_path,)))
    shown = app(page="layers", encoder=str(tmp_path / "static"), **FEW)
    assert "is a static encoder" in shown.page.info[0].value.replace("\\", "")
    assert not shown.charts
    assert shown.press("Open the packaged encoder instead").numbers["Collapsed"] == "1 of 72"


# Long work


def test_long_work_is_asked_for_and_can_be_stopped(heads_of, monkeypatch):
    monkeypatch.setattr(heads_cached, "_ASK_ABOVE", 0)
    shown = heads_of("a.txt", lines(*(f"a text that is measured once, {n}" for n in range(9))))
    assert "9 texts pass through the encoder once more" in shown.page.info[0].value
    assert not shown.charts
    key = next(button.key for button in shown.page.button if button.label == "Measure the heads")
    shown.page.session_state[f"_work_{key.removesuffix('_begin')}"] = "stopped"
    assert shown.run().page.info[0].value.startswith("Stopped.")
    shown.press("Measure the heads")
    assert "heads_map" in shown.charts
    assert "Measure the heads" not in shown.buttons


def test_soon_done_work_is_not_asked_for(heads_of, encoder):
    shown = heads_of("a.txt", lines("cats purr at night", "dogs bark"))
    assert "Measure the heads" not in shown.buttons
    found = head_entropy(encoder, ["cats purr at night", "dogs bark"])
    assert shown.numbers["Mean entropy"] == f"{found.entropy.mean():.2f}"
