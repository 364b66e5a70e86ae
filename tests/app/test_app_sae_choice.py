"""The sidebar's choice of a dictionary, and what a page about features says where it does not fit."""

import dataclasses

import pytest
import streamlit as st

from lib.encoders import PACKAGED, PACKAGED_STATIC, Policy, describe
from lib.sae import About, save
from lib.sae.sources import PACKAGED_SAE, PACKAGED_STATIC_SAE
from tests.toy_sae import random_sae


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A folder of one's own below an allowed root: `own(about)` writes a small dictionary for the packaged encoder."""
    monkeypatch.setenv("EMBEDSCOPE_MODEL_ROOTS", str(tmp_path))
    st.cache_resource.clear()
    checkpoint = describe(PACKAGED, policy=Policy(allow_hub=False))

    def written(d=384, **about):
        of = About(name="my dictionary", encoder=checkpoint.source, fingerprint=checkpoint.fingerprint)
        save(random_sae(d=d, n=32, k=4, about=dataclasses.replace(of, **about)), tmp_path / "mine")
        return str(tmp_path / "mine")

    return written


def _sae(page):
    return next((box for box in page.page.sidebar.selectbox if box.key == "sae"), None)


def test_only_pages_about_features_ask_for_a_dictionary(app):
    assert _sae(app(view="Hubs")) is None
    assert _sae(app(page="sae_features")).value == PACKAGED_SAE
    assert _sae(app(page="diagnostics")).value == PACKAGED_SAE


def test_a_dictionary_of_one_s_own_is_opened(app, own, shown):
    page = app(page="diagnostics", view="Health", sae=own())
    assert not page.refusals
    assert shown("32 features · 384 dimensions · TopK, k = 4") in page.captions


@pytest.mark.parametrize("source", ["../../etc", "https://example.org/sae", "run:../../x", "/etc"])
def test_hostile_names_are_refused_in_a_sentence(app, source):
    page = app(page="sae_features", sae=source)
    assert len(page.refusals) == 1
    assert "Take the packaged SAE" in page.buttons


def test_another_encoder_s_dictionary_is_refused_and_the_ways_on_are_offered(app, own):
    page = app(page="sae_features", sae=own(fingerprint="0" * 64))
    assert "trained on" in page.refusals[0]
    assert {"Take the packaged SAE", "Train one on this corpus"} <= set(page.buttons)
    page.press("Take the packaged SAE")
    assert not page.refusals


def test_another_width_is_refused(app, own):
    page = app(page="diagnostics", sae=own(d=16))
    assert "takes vectors of 16 dimensions apart" in page.refusals[0]


def test_training_needs_no_dictionary(app, own):
    page = app(page="sae_features", view="Train", sae=own(fingerprint="0" * 64))
    assert not page.refusals


def test_a_link_that_names_a_feature_alone_opens_the_browser_at_it(app):
    page = app(page="sae_features", feature="319")
    assert next(box for box in page.page.text_input if box.key == "browser_feature").value == "319"


def test_a_packaged_encoder_brings_its_dictionary_and_takes_it_away_again(app):
    page = app(page="diagnostics", view="Health", encoder=PACKAGED_STATIC)
    assert (_sae(page).value, page.refusals) == (PACKAGED_STATIC_SAE, [])
    page.choose("encoder", PACKAGED)
    assert (_sae(page).value, page.refusals) == (PACKAGED_SAE, [])


def test_a_dictionary_of_one_s_own_stays_with_another_encoder(app, own):
    page = app(page="diagnostics", view="Health", sae=own())
    page.choose("encoder", PACKAGED_STATIC)
    assert _sae(page).value == own()


def test_an_address_is_taken_at_its_word(app):
    page = app(page="diagnostics", view="Health", encoder=PACKAGED_STATIC, sae=PACKAGED_SAE)
    assert _sae(page).value == PACKAGED_SAE
    assert "384" in page.refusals[0]
