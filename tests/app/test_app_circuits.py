"""Circuits, its Trace and Births: the sample, another column and lens, silent features, odd texts, no layers."""

import json
import re
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest

from lib.encoders import PACKAGED, Policy, open_encoder
from lib.sae.circuits.births import births
from lib.sae.circuits.lens import Lens, raw_lens
from lib.sae.circuits.states import pooled_states
from lib.sae.circuits.trace import trace
from lib.sae.database import FeatureDatabase
from lib.ui import resources
from lib.ui.circuits import graph, lenses

HOSTILE = "<img src=x onerror=alert(1)> :red[hot] **bold** [link](javascript:alert(2)) $math$"
TYPED = "The patient presented with acute chest pain and elevated troponin levels."


@pytest.fixture(scope="module")
def encoder():
    return open_encoder(PACKAGED, policy=Policy())


@pytest.fixture
def lens(encoder, monkeypatch):
    """A tuned lens that takes every layer for the output, only shorter; it stands for the one that ships."""
    raw = raw_lens(encoder.checkpoint)
    layers = len(raw.depths) - 1
    maps = np.stack([np.eye(384, dtype=np.float32) * (0.1 + 0.1 * layer) for layer in range(layers)])
    found = Lens(
        "tuned", raw.encoder, raw.depths, maps=maps, offsets=np.zeros((layers, 384), np.float32),
        ridge=np.ones(layers), r2=np.linspace(0.3, 1, layers + 1), corpus="made up", fitted=10, held_out=5,
    )  # fmt: skip
    monkeypatch.setattr(lenses, "known_lens", lambda kind, *_: found if kind == "tuned" else None)
    lenses._shipped.clear()
    yield found
    lenses._shipped.clear()


@pytest.fixture
def small(with_sae, lens):
    """Open the page with the small dictionary: `small(view="Births")`."""
    return partial(with_sae, "circuits")


@pytest.fixture
def short(small, sample):
    """The page on eighty short texts: `short(view="Births")`."""
    lines = [" ".join(text.split()[:6]) for text in sample[0].texts[::5]]
    return lambda **query: small(corpus="Paste", **query).choose("pasted", "\n".join(lines)), lines


def said(shown):
    """Captions without the signs that keep them from being Markdown."""
    return re.sub(r"\\(.)", r"\1", shown.captions)


def given(shown):
    """What the graph's component was given, among others on the page."""
    held = [json.loads(one.proto.json or "{}") for one in shown.page.get("bidi_component")]
    return next(data for data in held if "rows" in data)


def drawn(shown):
    """What the component was given to draw."""
    return given(shown)["rows"] + given(shown)["columns"]


def test_the_sample_is_traced_at_once(app):
    shown = app(page="circuits")
    assert not shown.refusals
    assert {"Peak", "Total gain", "Growth steps", "Verdict"} <= set(shown.numbers)
    assert shown.numbers["Growth steps"].endswith("of 6")
    assert shown.titles[0] == "At which layer does a feature appear?"
    assert 'data-column="layer 6"' in drawn(shown)


def test_it_shows_what_the_library_finds(small, sae, lens, encoder):
    expected = trace(sae, lens, pooled_states(encoder, [TYPED]), text=TYPED, feature=3)
    shown = small(circuit_text=TYPED, circuit_feature="3", trace_column="layer 2")
    assert shown.numbers["Verdict"] == expected.verdict
    assert shown.numbers["Growth steps"] == f"{expected.growth_steps} of 6"
    table = shown.table("at the output")
    assert shown.titles[-1] == "What fires at layer 2?"
    strongest = expected.coactive[2][expected.coactive[2] >= 0]
    assert set(strongest.tolist()) <= set(table["feature"])
    assert len(table) == expected.active[2]
    numbers = shown.table("pre-activation")
    assert numbers["activation"].tolist() == pytest.approx(expected.activations.tolist())
    assert "fitted on 10 texts" in said(shown)


def test_the_graph_can_be_saved_as_it_stands(small):
    shown = small(circuit_text=TYPED, circuit_feature="3")
    data = given(shown)
    assert data["name"].startswith("circuits-circuit-3-")
    assert f"“{TYPED}”" in data["file"]
    assert "Feature 3 — activation through 6 layers" in data["file"]
    assert "**Feature 3 — activation through 6 layers**" in "\n".join(text.value for text in shown.page.markdown)


def test_a_verdict_that_hangs_on_the_lens_is_said_to(small, sae, lens, encoder, monkeypatch):
    unit = replace(lens, unit=True)
    monkeypatch.setattr(lenses, "known_lens", lambda kind, *_: unit if kind == "tuned" else None)
    lenses._shipped.clear()
    states = pooled_states(encoder, [TYPED])
    found = [trace(sae, unit, states, text=TYPED, feature=feature) for feature in range(sae.features)]
    one = next(trace for trace in found if trace.as_guessed != trace.verdict)
    shown = small(circuit_text=TYPED, circuit_feature=str(one.feature))
    assert f"“{one.verdict.capitalize()}” hangs on the lens" in said(shown)
    assert f"the curve is called “{one.as_guessed}”" in said(shown)


def test_a_silent_feature_is_said_to_be_silent(small, sae, lens, encoder):
    pre = sae.pre_activations(lens.apply(pooled_states(encoder, [TYPED]))[:, 0])
    shown = small(circuit_text=TYPED, circuit_feature=str(int(pre.max(axis=0).argmin())))
    assert "is silent at every depth" in said(shown)
    assert shown.numbers["Peak"] == "nowhere"
    assert shown.numbers["Verdict"] == "silent"
    assert "What fires at layer 6?" in shown.titles


def test_a_click_on_a_column_opens_it(small, monkeypatch):
    clicked = {}
    monkeypatch.setattr(graph, "_GRAPH", lambda **given: clicked.update(given))
    shown = small(circuit_text=TYPED)
    assert 'class="column chosen" data-column="layer 3"' not in clicked["data"]["columns"]
    shown.choose("trace_column", "layer 3")
    assert 'class="column chosen" data-column="layer 3"' in clicked["data"]["columns"]
    assert "What fires at layer 3?" in shown.titles


def test_bad_values_in_the_address_are_refused_or_reset(small):
    refused = small(circuit_text=TYPED, circuit_feature="9999")
    assert "A feature is a number from 0 to 63" in re.sub(r"\\(.)", r"\1", refused.refusals[0])
    reset = small(circuit_text=TYPED, trace_column="layer 99", circuit_lens="none")
    assert not reset.refusals
    assert reset.page.selectbox(key="trace_column").value == "the peak"


def test_the_raw_lens_warns_and_tells_its_fvu(short):
    shown = short[0](circuit_text=TYPED, circuit_lens="raw")
    assert "Raw lens: each depth's pooled state" in said(shown)
    assert "lens FVU" in drawn(shown)
    assert "lens R" not in drawn(shown)


def test_hostile_texts_and_labels_are_shown_as_they_are(short, sae, monkeypatch):
    table = pd.DataFrame({"label": [HOSTILE] * 64})
    database = FeatureDatabase(table=table, sae_key=sae.key, corpus=HOSTILE, texts=1)
    monkeypatch.setattr(resources, "feature_database", lambda _opened: database)
    for view in ("Trace", "Births"):
        shown = short[0](view=view, circuit_text=HOSTILE)
        assert not shown.refusals
        texts = "\n".join(re.sub(r"\\.", "", text.value) for text in (*shown.page.caption, *shown.page.markdown))
        assert not any(sign in texts for sign in ("<img", ":red[hot]", "](java", "$math$"))
        if view == "Trace":
            assert "<img" not in drawn(shown)
        for spec in shown.charts.values():
            assert "<img" not in str(spec)


def test_births_are_what_the_library_finds(short, sae, lens, encoder):
    opened, lines = short
    expected = births(encoder, lines, sae=sae, lens=lens)
    shown = opened(view="Births")
    assert shown.numbers["Features judged"] == str(len(expected.features))
    table = shown.table("born, 95 %")
    assert len(table) == len(expected.features)
    bars = [trace for trace in shown.charts["births_map"]["data"] if trace["type"] == "bar"]
    assert len(bars) == len(set(expected.verdicts))
    assert "births_curve" in shown.charts
    feature = shown.page.selectbox(key="circuit_feature").value
    assert feature == table["feature"].iloc[0]
    verdict = expected.verdicts[0]
    shown.choose("births_verdict", verdict)
    assert len(shown.table("born, 95 %")) == expected.verdicts.count(verdict)
    shown.choose("births_label", "no such label")
    assert "No feature is left" in shown.page.info[0].value


def test_the_way_from_a_birth_to_its_trace(short):
    opened, lines = short
    shown = opened(view="Births", circuit_feature="7").press("Trace it in the text where it fires most")
    assert shown.page.query_params["circuit_text"] in lines
    assert shown.page.text_area(key="circuit_text").value in lines
    assert shown.page.selectbox(key="circuit_feature").value.startswith("feature 7")
    assert shown.titles[0] == "At which layer does a feature appear?"


def test_a_lens_is_fitted_on_request_and_read_with(small, lens, monkeypatch, sample):
    monkeypatch.setattr(lenses, "known_lens", lambda *_: None)
    lenses._shipped.clear()
    lines = [" ".join(text.split()[:6]) for text in sample[0].texts[:40]]
    shown = small(corpus="Paste", circuit_lens="tuned").choose("pasted", "\n".join(lines))
    shown.press("Fit a tuned lens on this corpus")
    assert not shown.refusals
    assert "as a linear map fitted on 32 texts" in said(shown)
    assert "lens R²" in drawn(shown)


def test_too_few_texts_cannot_fit_a_lens(small, lens, monkeypatch):
    monkeypatch.setattr(lenses, "known_lens", lambda *_: None)
    lenses._shipped.clear()
    shown = small(corpus="Paste", circuit_lens="tuned").choose("pasted", "one text\nanother text\na third one")
    assert "No tuned lens is at hand" in shown.page.info[0].value
    shown.press("Fit a tuned lens on this corpus")
    assert "at least 20 different texts" in shown.refusals[0]
    few = small(view="Births", corpus="Paste", circuit_lens="raw").choose("pasted", "one text\nanother text\na third")
    assert "No feature fires on 10 texts or more" in few.page.info[0].value


@pytest.mark.parametrize("view", ["Trace", "Births"])
def test_a_corpus_with_its_own_embeddings_has_no_layers(small, view):
    vectors = np.random.default_rng(0).normal(size=(6, 384)).astype(np.float32)
    frame = pd.DataFrame({"text": [f"text {i}" for i in range(6)], "vector": list(vectors)})
    shown = small(corpus="Upload", view=view).upload("own.parquet", frame.to_parquet())
    assert not shown.refusals
    assert "there is no encoder whose layers could be looked at" in re.sub(r"\\(.)", r"\1", shown.page.info[0].value)
