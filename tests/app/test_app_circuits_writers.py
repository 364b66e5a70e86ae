"""Writers: the sample, another text and feature by address, parts replaced by means, and encoders without layers."""

import re

import numpy as np
import pandas as pd
import pytest

from lib.encoders import PACKAGED, Policy, open_encoder

TEXT = "The patient presented with acute chest pain and elevated troponin levels."
LINES = ["A court heard the appeal.", "Interest rates fell.", "The bank raised its forecast.", "Two doses were given."]


@pytest.fixture
def small(with_sae):
    """Open the view with a small dictionary: `small(circuit_text="...")`; on a few pasted texts, if on no other."""

    def opened(**query):
        shown = with_sae("circuits", **{"view": "Writers", "corpus": "Paste"} | query)
        return shown if "corpus" in query else shown.choose("pasted", "\n".join(LINES))

    return opened


def said(shown):
    """All Markdown and captions, without the signs that keep them from being Markdown."""
    return re.sub(r"\\(.)", r"\1", "\n".join(mark.value for mark in shown.page.markdown) + shown.captions)


def test_the_sum_is_shown_and_the_address_reopens_the_view(small):
    shown = small(circuit_text=TEXT, circuit_feature="7", writers_replacement="mean of the corpus")
    assert not shown.refusals
    table = shown.table("lost when left out")
    assert len(table) == 13
    constant = float(shown.numbers["Constant"].replace("−", "-"))
    total = float(shown.numbers["Pre-activation"].replace("−", "-"))
    assert table["direct"].sum() + constant == pytest.approx(total, abs=2e-3)
    assert "writers_figure" in shown.charts
    assert "its mean output over tokens of the corpus" in shown.captions
    before = table["lost when left out"].to_numpy()
    shown.choose("writers_replacement", "zeros")
    after = shown.table("lost when left out")["lost when left out"].to_numpy()
    assert not np.allclose(before[1:], after[1:])
    assert "zeros in its place" in shown.captions
    assert "rank correlation" in said(shown)
    assert "does not fire on this text" in shown.captions or shown.numbers["Pre-activation"] > "0"


def test_what_is_odd_is_said_in_one_sentence(small):
    shown = small(circuit_feature="70")
    assert "from 0 to 63" in re.sub(r"\\(.)", r"\1", shown.refusals[0].replace("\u202f", " "))
    shown = small(circuit_text="<img src=x onerror=alert(1)> :red[hot] **bold**", writers_replacement="nonsense")
    assert not shown.refusals  # a value that is none goes back to the first
    assert ":red[hot]" not in "\n".join(mark.value for mark in shown.page.markdown)


def test_a_corpus_with_its_own_embeddings_has_no_layers(small):
    vectors = np.random.default_rng(0).normal(size=(6, 384)).astype(np.float32)
    frame = pd.DataFrame({"text": [f"text {i}" for i in range(6)], "vector": list(vectors)})
    shown = small(corpus="Upload").upload("own.parquet", frame.to_parquet())
    assert not shown.refusals
    assert "no encoder whose layers could be looked at" in shown.page.info[0].value
    assert not shown.charts


def test_over_its_texts_the_differences_add_up_and_a_silent_feature_is_said_to_be(small, sae):
    """The feature that fires on most of the texts, and one that fires on none."""
    vectors = open_encoder(PACKAGED, policy=Policy()).encode(LINES).vectors
    fires = np.bincount(sae.encode(vectors).features, minlength=sae.features)
    feature = int(np.flatnonzero((fires > 1) & (fires < len(LINES)))[0])
    shown = small(circuit_feature=str(feature), writers_where="over its texts")
    assert not shown.refusals
    assert shown.numbers["Fires on"] == f"{fires[feature]} of {len(LINES)}"
    table = shown.table("strongest in")
    assert len(table) == 13
    np.testing.assert_allclose(table["direct"], table["where it fires"] - table["where not"], atol=1e-12)
    assert table["strongest in"].sum() == pytest.approx(1)
    assert "corpus_writers_figure" in shown.charts
    assert "frozen" in shown.captions
    assert "too few to speak" in shown.captions
    shown.choose("writers_where", "in this text")
    assert "writers_figure" in shown.charts
    silent = int(np.flatnonzero(fires == 0)[0])
    shown = small(circuit_feature=str(silent), writers_where="over its texts")
    assert "fires on none of the 4 texts" in re.sub(r"\\(.)", r"\1", shown.page.info[0].value)
    assert not shown.charts
