"""Decompose: the sample, what is typed, what fires where, and texts and labels that are odd."""

import re
from functools import partial

import numpy as np
import pandas as pd
import pytest

from lib.encoders import PACKAGED, Policy, open_encoder
from lib.errors import InputError
from lib.sae import save
from lib.sae.database import FeatureDatabase
from lib.sae.decomposition import decompose
from lib.sae.tokens import token_shares
from lib.ui import resources

HOSTILE = "<img src=x onerror=alert(1)> :red[hot] **bold** [link](javascript:alert(2)) $math$"
TYPED = "The patient presented with acute chest pain and elevated troponin levels."


@pytest.fixture(scope="module")
def encoder():
    return open_encoder(PACKAGED, policy=Policy())


@pytest.fixture
def small(with_sae):
    """Open the view with the small dictionary: `small(text="...")`."""
    return partial(with_sae, "sae_features", view="Decompose")


def html(shown):
    """The HTML of the page: the way from text to features, and the tokens where there are any."""
    bodies = [element.proto.body for element in shown.page.get("html")]
    return [body for body in bodies if not body.startswith("<style")]


def known(shown):
    """The page, whose double is told of what was typed into a list: it would not find it again."""
    for box in shown.page.selectbox:
        if box.value not in box.options:
            box.options.append(box.value)
    return shown


def said(shown):
    """Captions without the signs that keep them from being Markdown."""
    return re.sub(r"\\(.)", r"\1", shown.captions)


def test_the_sample_is_taken_apart_at_once(app, sample):
    shown = app(page="sae_features")
    assert shown.page.text_area(key="text").value in ("", None)
    assert shown.numbers["Active features"].endswith("of 4 096")
    parts = [float(shown.numbers[name].split()[0]) for name in ("Features' share", "Error's share", "Bias")]
    assert sum(parts) == pytest.approx(100, abs=0.2)
    way, tokens = html(shown)
    assert sample[0].texts[0][:40] in way
    assert "[CLS]" in tokens
    assert "Exact for the vector's length as it is" in said(shown)
    assert shown.charts["decompose_bars"]["data"][0]["y"] == list(range(20))


def test_it_shows_what_the_library_finds(small, sae, sample):
    shown, expected = small(), decompose(sae, np.asarray(sample[1][0]))
    assert shown.numbers["Active features"] == "6 of 64"
    assert shown.numbers["Features' share"] == f"{100 * expected.features_share:.1f} %"
    assert shown.numbers["Error's share"] == f"{100 * expected.error_share:.1f} %"
    assert shown.numbers["Bias"] == f"{100 * expected.bias_share:.1f} %"
    assert shown.numbers["FVU of this text"] == f"{expected.fvu:.3f}"
    table = shown.table("share")
    assert table["feature"].tolist() == expected.features.tolist()
    assert table["activation"].tolist() == expected.activations.tolist()
    assert shown.page.selectbox(key="decompose_feature").value == f"feature {expected.features[0]}"
    codes = sae.encode(np.asarray(sample[1]))
    rows, activations = codes.firing(int(expected.features[0]))
    listed = shown.table("activation")
    assert listed["text"].iloc[0] == sample[0].texts[rows[activations.argmax()]]
    assert listed["activation"].iloc[0] == activations.max()


def test_a_typed_text_goes_before_the_corpus(small, sae, encoder):
    shown = small(text=TYPED)
    expected = decompose(sae, encoder.encode([TYPED]).vectors[0])
    assert shown.table("share")["feature"].tolist() == expected.features.tolist()
    shares = token_shares(encoder, sae, TYPED, features=[int(expected.features[0])])
    titles = re.findall(r'title="([^"]+)"', html(shown)[1])
    assert [float(title) for title in titles] == pytest.approx(shares.shares[0], abs=1e-4)
    assert f"together the pre-activation, {shares.pre_activations[0]:.3f}" in said(shown)
    corpus = shown.page.selectbox(key="text_of_corpus")
    known(shown).choose("text_of_corpus", corpus.options[3])
    assert shown.page.text_area(key="text").value in ("", None)
    assert shown.table("share")["feature"].tolist() != expected.features.tolist()


@pytest.mark.parametrize("text", ["", "   ", "\n\t"])
def test_a_blank_text_means_that_of_the_corpus(small, text, sample):
    assert sample[0].texts[0][:40] in html(small(text=text))[0]


def test_a_text_of_the_corpus_needs_no_encoder_until_its_words_are_asked(small, sae, sample, monkeypatch):
    def closed(*_args):
        raise InputError("The encoder is closed today.")

    monkeypatch.setattr("lib.ui.sae.one_feature.shares_of_tokens", closed)
    monkeypatch.setattr(resources, "embed_now", closed)
    shown = small(text=sample[0].texts[5])
    assert shown.table("share")["feature"].tolist() == decompose(sae, np.asarray(sample[1][5])).features.tolist()
    assert "closed today" in shown.refusals[0]
    assert "decompose_bars" in shown.charts


def test_any_feature_can_be_looked_at(small, sae, sample):
    silent = next(f for f in range(64) if f not in decompose(sae, np.asarray(sample[1][0])).features)
    shown = small(decompose_feature=str(silent))
    assert f"Which words fire feature {silent}?" in shown.titles
    assert "It does not fire on this text" in said(shown)
    assert small(decompose_feature=f"{silent} · some old label").titles == shown.titles


@pytest.mark.parametrize("name", ["64", "-1", "nothing", "99999999999", "<b>"])
def test_what_is_no_feature_is_refused(small, name):
    shown = small(decompose_feature=name)
    assert "A feature is a number from 0 to 63" in shown.refusals[0].replace("\\", "")


def test_a_long_text_is_cut_and_one_token_is_enough(small):
    assert "longer than the encoder reads" in said(small(text="pain " * 400))
    assert html(small(text="pain"))[1].count("title=") == 3


def test_where_nothing_fires(small, sae, tmp_path):
    from dataclasses import replace

    save(replace(sae, encoder_bias=np.full(64, -99.0)), tmp_path / "silent")
    shown = small(sae=str(tmp_path / "silent"))
    assert shown.numbers["Active features"] == "0 of 64"
    assert any("No feature fires on this text" in info.value for info in shown.page.info)


def test_hostile_texts_and_labels_are_shown_as_they_are(small, sae, monkeypatch):
    table = pd.DataFrame({"label": [HOSTILE] * 64})
    database = FeatureDatabase(table=table, sae_key=sae.key, corpus=HOSTILE, texts=1)
    monkeypatch.setattr(resources, "feature_database", lambda _opened: database)
    shown = small(text=HOSTILE)
    assert shown.page.selectbox(key="decompose_feature").value.endswith(HOSTILE)
    assert "<img" not in "".join(html(shown)).replace('<img alt="The 384 numbers', "")
    drawn = "\n".join(re.sub(r"\\.", "", text.value) for text in (*shown.page.caption, *shown.page.markdown))
    assert not any(sign in drawn for sign in ("<img", ":red[hot]", "](java", "$math$"))
    for spec in shown.charts.values():
        assert "<img" not in str(spec)


def test_a_corpus_with_its_own_embeddings_offers_its_texts(small, sae):
    vectors = np.random.default_rng(0).normal(size=(6, 384)).astype(np.float32)
    frame = pd.DataFrame({"text": [f"text {i}" for i in range(6)], "vector": list(vectors)})
    shown = known(small(corpus="Upload")).upload("own.parquet", frame.to_parquet())
    assert not shown.refusals
    assert "without an encoder, texts of the corpus can be taken apart" in said(shown)
    assert not [area for area in shown.page.text_area if area.key == "text"]
    assert shown.table("share")["feature"].tolist() == decompose(sae, vectors[0]).features.tolist()
    assert len(html(shown)) == 1
    assert "Which words fire a feature is told by an encoder" in said(shown)


def test_the_way_to_the_browser(small, sae, sample):
    strongest = int(decompose(sae, np.asarray(sample[1][0])).features[0])
    shown = known(small()).press(f"Feature {strongest} in the Browser")
    assert not shown.refusals
    assert shown.page.text_input(key="browser_feature").value == str(strongest)
    assert "decompose_bars" not in shown.charts
