"""Faithfulness, a tab of Diagnostics and of Retrieval: the sample, features in the address, odd sets and refusals."""

import re

import numpy as np
import pandas as pd
import pytest

from lib.corpora import load_query_set
from lib.encoders import PACKAGED, Policy, describe
from lib.sae import About, save
from lib.sae.database import FeatureDatabase
from lib.sae.faithfulness import faithfulness
from lib.ui import resources
from tests.toy_sae import random_sae

HOSTILE = "<img src=x onerror=alert(1)> :red[hot] **bold** [link](javascript:alert(2)) $math$"


@pytest.fixture(scope="module")
def sae():
    """A small dictionary for the packaged encoder."""
    checkpoint = describe(PACKAGED, policy=Policy())
    return random_sae(d=384, n=64, k=6, about=About(encoder=checkpoint.source, fingerprint=checkpoint.fingerprint))


@pytest.fixture
def small(app, sae, tmp_path, monkeypatch):
    """Open the view with the small dictionary, on the small sample: `small(faithfulness_feature="3")`."""
    monkeypatch.setenv("EMBEDSCOPE_MODEL_ROOTS", str(tmp_path))
    save(sae, tmp_path / "small")
    resources.policy.clear()
    address = {"view": "Faithfulness", "sae": str(tmp_path / "small"), "query_sample": "lab"}
    yield lambda page="retrieval", **query: app(page=page, **address | query)
    resources.policy.clear()


def said(shown):
    """Captions and sentences without the signs that keep them from being Markdown."""
    return re.sub(r"\\(.)", r"\1", shown.captions + "\n".join(text.value for text in shown.page.markdown))


def test_the_sample_is_measured_at_once(app):
    shown = app(page="retrieval", view="Faithfulness")
    assert not shown.refusals
    assert {"Which features carry retrieval?", "Few features, or many?", "Why this document?"} <= set(shown.titles)
    assert set(shown.charts) >= {"faithfulness_drops", "faithfulness_curves", "faithfulness_score"}
    assert "Over 156 queries and 643 documents, by cosine, linear gain" in said(shown)
    assert "faithfulness_topics" in shown.charts
    assert len(shown.table("verdict")) == int(said(shown).split("linear gain. ")[1].split(" of")[0].replace(" ", ""))


def test_it_shows_what_the_library_finds(small, sae):
    from lib.embeddings import embed
    from lib.encoders import open_encoder
    from lib.store import default_store

    queries, checkpoint = load_query_set("lab"), describe(PACKAGED, policy=Policy())
    made = [
        np.asarray(embed(texts, checkpoint, lambda: open_encoder(checkpoint, policy=Policy()), default_store(),
                         role=role).vectors)
        for texts, role in ((queries.queries, "query"), (queries.documents, "document"))
    ]  # fmt: skip
    found = faithfulness(sae, queries, *made, k=5)
    shown = small(faithfulness_k="5")
    assert shown.numbers["NDCG@5"] == f"{found.whole:.3f}"
    assert shown.numbers["Of reconstructions"] == f"{found.reconstructed:.3f}"
    assert shown.table("verdict")["feature"].tolist() == found.features.tolist()
    assert shown.table("verdict")["drop"].tolist() == found.drop.tolist()
    chosen = shown.page.selectbox(key="faithfulness_feature").value
    assert chosen == f"feature {found.features[0]}"
    assert len(shown.table("without it")) == found.fires[0]


def test_diagnostics_has_it_with_a_query_set_of_its_own(small):
    shown = small("diagnostics")
    assert not shown.refusals
    assert "faithfulness_drops" in shown.charts
    assert shown.page.selectbox(key="query_sample").value == "lab"


def test_a_feature_of_the_address_and_one_that_fires_nowhere(small, sae):
    silent = small(faithfulness_feature="63").table("verdict")["feature"].tolist()
    nowhere = next(feature for feature in range(64) if feature not in silent)
    assert "It fires on none of these queries" in said(small(faithfulness_feature=str(nowhere)))
    other = small(faithfulness_feature=f"{silent[-1]} · an old label")
    assert f"Which queries need feature {silent[-1]}?" in said(other)


def test_a_clicked_mark_chooses_its_feature_by_name(monkeypatch):
    import streamlit as st

    from lib.ui.faithfulness import features

    state = {
        features.CHART: {"selection": {"points": [{"customdata": [0.1, 0.2, 0.3]}, {"customdata": ["31", "", ""]}]}}
    }
    monkeypatch.setattr(st, "session_state", state)
    features._pick_clicked(["319 · lungs", "31 · hearts"])
    assert state[features.FEATURE] == "31 · hearts"


@pytest.mark.parametrize("name", ["64", "nothing"])
def test_what_is_no_feature_is_refused(small, name):
    assert "A feature is a number from 0 to 63" in small(faithfulness_feature=name).refusals[0].replace("\\", "")


def test_a_measure_without_products_is_refused_and_dot_is_said(small):
    assert "choose cosine, dot or l2" in small(measure="manhattan").refusals[0].replace("\\", "")
    assert "By dot, as it is chosen" in said(small(measure="dot"))
    parts = small(measure="l2")
    assert "choose cosine or dot" in parts.refusals[0].replace("\\", "")
    assert "faithfulness_drops" in parts.charts


def test_why_a_document_is_above_the_relevant_one(small):
    shown = small(k="5")
    box = shown.page.selectbox(key="faithfulness_document")
    wrong = next((option for option in box.options if "◆" not in option.split("·")[0]), None)
    first_relevant = next(at for at, option in enumerate(box.options) if "◆" in option.split("·")[0])
    shown.choose("faithfulness_document", box.options[first_relevant])
    assert "faithfulness_lead" not in shown.charts
    if first_relevant > 0:
        shown.choose("faithfulness_document", wrong)
        assert "faithfulness_lead" in shown.charts
        assert "lead" in shown.table("lead").columns


def test_an_encoder_without_this_dictionary_is_told(app):
    shown = app(page="retrieval", view="Faithfulness", sae="nobody/knows/this")
    assert shown.refusals
    assert "faithfulness_drops" not in shown.charts


def test_hostile_labels_are_shown_as_they_are(small, sae, monkeypatch):
    database = FeatureDatabase(table=pd.DataFrame({"label": [HOSTILE] * 64}), sae_key=sae.key, corpus=HOSTILE, texts=1)
    monkeypatch.setattr(resources, "feature_database", lambda _opened: database)
    shown = small()
    drawn = "\n".join(re.sub(r"\\.", "", text.value) for text in (*shown.page.caption, *shown.page.markdown))
    assert not any(sign in drawn for sign in ("<img", ":red[hot]", "](java", "$math$"))
    for spec in shown.charts.values():
        assert "<img" not in str(spec)
