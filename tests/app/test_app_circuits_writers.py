"""Writers: the sample, another text and feature by address, parts replaced by means, and encoders without layers."""

import re

import numpy as np
import pandas as pd
import pytest

from lib.encoders import PACKAGED, Policy, describe
from lib.sae import About, save
from lib.ui import resources
from tests.toy_sae import random_sae

TEXT = "The patient presented with acute chest pain and elevated troponin levels."
LINES = ["A court heard the appeal.", "Interest rates fell.", "The bank raised its forecast.", "Two doses were given."]


@pytest.fixture
def small(app, tmp_path, monkeypatch):
    """Open the view with a small dictionary: `small(circuit_text="...")`."""
    checkpoint = describe(PACKAGED, policy=Policy())
    about = About(name="small", encoder=checkpoint.source, fingerprint=checkpoint.fingerprint)
    monkeypatch.setenv("EMBEDSCOPE_MODEL_ROOTS", str(tmp_path))
    save(random_sae(d=384, n=64, k=6, about=about), tmp_path / "small")
    resources.policy.clear()

    def opened(**query):
        shown = app(page="circuits", **{"view": "Writers", "sae": str(tmp_path / "small"), "corpus": "Paste"} | query)
        return shown if "corpus" in query else shown.choose("pasted", "\n".join(LINES))

    yield opened
    resources.policy.clear()


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
    assert "from 0 to 63" in re.sub(r"\\(.)", r"\1", shown.refusals[0].replace("\u2009", " "))
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
