"""The Browser view: the sample, a feature by its address, search, labels made, edited, imported; odd and bad input."""

import json
import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from lib.corpora import load_sample
from lib.encoders import PACKAGED, Policy, describe
from lib.sae import About, load, save
from lib.sae.database import database_bytes, make_database, read_database, write_database
from lib.sae.feature_table import Edit
from lib.sae.label_edits import LabelEdits
from lib.sae.statistics import feature_statistics, rank_features
from lib.ui import resources
from lib.ui.sae import browser_files
from lib.ui.sae_space import SaeSpace
from tests.toy_sae import random_sae

HOSTILE = "<img src=x onerror=alert(1)> **bold** [link](javascript:alert(2))"


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A folder with a small dictionary for the packaged encoder."""
    monkeypatch.setenv("EMBEDSCOPE_MODEL_ROOTS", str(tmp_path))
    checkpoint = describe(PACKAGED, policy=Policy(allow_hub=False))
    about = About(name="small", encoder=checkpoint.source, fingerprint=checkpoint.fingerprint)
    save(random_sae(d=384, n=40, k=5, about=about), tmp_path / "mine")
    resources.policy.clear()  # made once a process, of whatever the environment said then
    yield tmp_path / "mine"
    resources.policy.clear()


@pytest.fixture
def browser(app, own):
    """Open the view with that dictionary: `browser(feature="3")`."""

    def opened(**query):
        shown = app(page="sae_features", view="Browser", sae=str(own), **query)
        run = shown.run

        def run_again():
            box = shown.page.selectbox(key="sae")
            if box.value not in box.options:  # typed by the user: the double knows it not
                box.options.append(box.value)
            return run()

        shown.run = run_again
        return shown

    return opened


@pytest.fixture
def known(own):
    """The dictionary, and what it does on the sample, as the library finds it."""
    from lib.embeddings import embed
    from lib.encoders import open_encoder
    from lib.store import default_store

    policy, corpus = Policy.from_environment(), load_sample("topics")
    checkpoint = describe(PACKAGED, policy=policy)
    vectors = embed(corpus.texts, checkpoint, lambda: open_encoder(checkpoint, policy=policy), default_store()).vectors
    sae = load(own)
    return sae, feature_statistics(sae.encode(vectors), labels=corpus.labels)


def _rows(shown):
    """Features of the pictures, in their order."""
    return [int(ids[0]) for key in ("browser_rows_0", "browser_rows_1") if key in shown.charts
            for ids in shown.charts[key]["data"][-1]["customdata"]]  # fmt: skip


def _said(shown):
    at = shown.page
    texts = [*at.caption, *at.markdown, *at.subheader, *at.error, *at.info]
    return "\n".join(text.value for text in texts).replace("\\", "").replace("\u202f", " ")


def test_the_sample_through_the_packaged_dictionary(app):
    shown = app(page="sae_features", view="Browser")
    assert shown.titles == ["Which concepts do these texts hold?"]
    assert shown.numbers["Texts"] == "402"
    assert len(_rows(shown)) == 15
    assert not shown.refusals
    assert "Click a row to expand it" in shown.captions


def test_rows_are_those_of_the_library(browser, known):
    _, statistics = known
    shown = browser()
    assert _rows(shown) == rank_features(statistics)[:15].tolist()
    assert shown.numbers["Features that fire"] == str(len(statistics.fires))
    table = shown.table("max activation")
    assert table["feature"].tolist() == rank_features(statistics).tolist()
    np.testing.assert_allclose(table["frequency"], 100 * statistics.frequency[table["feature"]])


@pytest.mark.parametrize("by", ["frequency", "maximum", "mean", "specificity"])
def test_ranked_by_another(browser, known, by):
    assert _rows(browser(browser_by=by)) == rank_features(known[1], by)[:15].tolist()


@pytest.mark.parametrize("by", ["score", "stability"])
def test_ranking_by_what_nobody_knows_is_said(browser, known, by):
    shown = browser(browser_by=by)
    assert "ranked by total activation instead" in _said(shown)
    assert _rows(shown) == rank_features(known[1])[:15].tolist()


def test_a_link_opens_a_feature(browser, known):
    feature = int(rank_features(known[1])[17])
    shown = browser(feature=str(feature))
    assert f"#### #{feature}" in _said(shown)
    assert feature in _rows(shown)  # its page
    assert {"browser_histogram", "browser_lift"} <= set(shown.charts)
    assert shown.numbers["Frequency"] == f"{100 * known[1].frequency[feature]:.1f} %"
    assert f"view=Browser&feature={feature}" in shown.page.code[0].value
    near = shown.table("decoder cosine")
    assert len(near) == 8
    assert str(near["feature"].iloc[0]).startswith("feature ")


@pytest.mark.parametrize("feature", ["40", "999999999", "-1", "x", HOSTILE])
def test_an_unknown_feature_is_refused_in_a_sentence(browser, feature):
    shown = browser(feature=feature)
    assert "A feature is a number from 0 to 39" in shown.refusals[0].replace("\\", "")
    assert "<img" not in re.sub(r"\\.", "", shown.refusals[0])


def test_one_label_of_the_corpus(browser, known):
    shown = browser(browser_label="legal")
    assert int(shown.numbers["Texts"]) == load_sample("topics").labels.count("legal")
    assert browser(browser_label="no such label").numbers["Texts"] == "402"


def test_search_without_labels_and_by_a_sentence(browser, known):
    shown = browser(browser_search="court")
    assert "No feature has a label yet" in _said(shown)
    assert "browser_rows_0" not in shown.charts
    found = browser(browser_search="The court dismissed the claim.", browser_in="what a sentence fires")
    assert int(found.numbers["Found"]) == len(_rows(found)) == 5
    assert browser(browser_search="   ").numbers["Texts"] == "402"


def test_labels_are_made_shown_and_found(browser):
    shown = browser()
    assert "Make labels" in shown.buttons
    shown.press("Make labels").run()
    table = shown.table("label score")
    assert table["label"].notna().sum() > 20
    assert "Made on this corpus" in _said(shown)
    feature, label = next((f, text) for f, text in zip(table["feature"], table["label"], strict=True) if text)
    shown.choose("browser_search", label)
    assert feature in _rows(shown)
    shown.choose("browser_search", "").choose("browser_feature", str(feature))
    assert label in _said(shown)
    assert "Label score" in shown.numbers
    again = browser()  # another session: they are on the shelf
    again.press("Show the labels made on this corpus").run()
    assert again.table("label score")["label"].notna().sum() == table["label"].notna().sum()
    again.press("Back to what comes with the dictionary")
    assert again.table("label score")["label"].isna().all()


def test_a_label_is_edited_kept_in_the_session_and_scored(browser, known, own_folders):
    feature = int(rank_features(known[1])[0])
    shown = browser(feature=str(feature))
    shown.page.text_input(key=f"browser_text_{feature}").set_value(HOSTILE)
    shown.press("Save the label").run()
    assert HOSTILE in _said(shown)
    drawn = re.sub(r"\\.", "", "\n".join(text.value for text in shown.page.markdown))
    assert "<img" not in drawn
    assert "](java" not in drawn
    assert all("<img" not in chart.proto.spec for chart in shown.page.get("plotly_chart"))
    assert "Label score" in shown.numbers
    assert "It holds in this session" in _said(shown)
    row = shown.table("label score").iloc[0]
    assert (row["made by"], row["scored on"]) == ("edited", load_sample("topics").name)
    assert re.search(r"\d\.\d\d$", row["label score"])
    notes = [note["text"] for note in shown.charts["browser_rows_0"]["layout"]["annotations"]]
    assert row["label score"] in notes
    assert HOSTILE not in _said(browser(feature=str(feature)))  # a stranger's session
    shown.press("Take back every edit")
    assert HOSTILE not in _said(shown)


def test_on_a_server_of_one_s_own_edits_are_kept(browser, known, monkeypatch, own_folders):
    monkeypatch.setenv("EMBEDSCOPE_HOSTED", "0")
    feature = int(rank_features(known[1])[0])
    shown = browser(feature=str(feature))
    shown.page.text_input(key=f"browser_text_{feature}").set_value("words of my own")
    shown.press("Save the label").run()
    assert "words of my own" in _said(browser(feature=str(feature)))
    folder = LabelEdits(own_folders / "labels")
    kept = folder.read(known[0].key)[feature]
    assert (kept.text, kept.scored_on) == ("words of my own", load_sample("topics").name)
    assert 0 <= kept.score <= 1
    shown.press("Take back every edit")
    assert folder.read(known[0].key) == {}


def test_an_address_of_this_machine_alone_keeps_nothing(browser, known, own_folders):
    feature = int(rank_features(known[1])[0])
    shown = browser(feature=str(feature))
    shown.page.context["url"] = "http://localhost:8501/sae_features"  # what a stranger's browser may say
    shown.page.text_input(key=f"browser_text_{feature}").set_value("a stranger's words")
    shown.press("Save the label").run()
    assert "It holds in this session" in _said(shown)
    assert LabelEdits(own_folders / "labels").read(known[0].key) == {}


def test_an_edited_label_that_cannot_be_scored_is_said_so(browser, known):
    shown = browser(corpus="Paste").choose("pasted", "The patient has chest pain.")
    feature = _rows(shown)[0]
    shown.choose("browser_feature", str(feature))
    shown.page.text_input(key=f"browser_text_{feature}").set_value("chest pain")
    shown.press("Save the label").run()
    row = shown.table("label score").set_index("feature").loc[feature]
    assert (row["label"], row["label score"], row["scored on"]) == ("chest pain", "◇ not scored", None)
    assert shown.numbers["Label score"] == "◇ not scored"


def test_a_score_is_told_of_the_corpus_that_it_was_measured_on(browser, known, own):
    sae, statistics = known
    held = make_database(sae, statistics, corpus="far away").with_edits(
        {feature: Edit("words", 0.9, 0.01, 0.8, 90, scored_on="far away") for feature in range(40)}
    )
    write_database(held, own / "features.parquet")
    feature = int(rank_features(statistics)[0])
    shown = browser(feature=str(feature))
    assert "Scored: 40 on far away." in _said(shown)
    helped = next(metric for metric in shown.page.metric if metric.label == "Label score").help
    assert "held-out texts of far away" in helped.replace("\\", "")
    space = SaeSpace(SimpleNamespace(corpus=load_sample("topics")), sae, held, "own", held)
    whole = SimpleNamespace(statistics=statistics)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(browser_files, "part_of", lambda space, label: whole if label is None else None)
        made = read_database(browser_files._file(space, held, ".parquet"), sae, name="x.parquet")
    assert (made.corpus, made.texts) == (load_sample("topics").name, 402)
    assert set(made.scored_on) == {"far away"}


@pytest.mark.parametrize("content", [b"PAR1", "foreign"])
@pytest.mark.parametrize("view", ["Browser", "Decompose"])
def test_a_broken_database_leaves_the_dictionary_without_labels(app, own, known, content, view):
    sae, statistics = known
    if content == "foreign":
        held = make_database(sae, statistics, corpus="x")
        content = database_bytes(replace(held, sae_key="0" * 64), ".parquet")
    (own / "features.parquet").write_bytes(content)
    shown = app(page="sae_features", view=view, sae=str(own))
    assert "This dictionary is shown without the labels that lie beside it, which cannot be used" in _said(shown)
    assert not shown.refusals
    assert shown.charts


def test_an_edited_label_that_is_too_long_is_refused(browser, known):
    shown = browser(feature="3")
    assert shown.page.text_input(key="browser_text_3").proto.max_chars == 120


def test_a_database_is_imported_and_refused_where_it_does_not_belong(browser, known):
    sae, statistics = known
    held = json.loads(
        database_bytes(make_database(sae, statistics, corpus=HOSTILE, stability=np.full(40, 0.5)), ".json")
    )
    for feature, row in enumerate(held["features"]):
        row |= {"label": f"imported {feature}", "label_source": "keywords", "score": 0.5 + feature / 100,
                "score_error": 0.01, "score_texts": 90}  # fmt: skip
    shown = browser().upload("mine.json", json.dumps(held).encode(), into="browser_import").run()
    assert shown.table("label score")["label"].str.startswith("imported").all()
    assert "stability" in shown.table("label score").columns
    shown.choose("browser_by", "score")
    assert _rows(shown) == [f for f in range(39, -1, -1) if statistics.count[f]][:15]
    assert "0.89" in [note["text"] for note in shown.charts["browser_rows_0"]["layout"]["annotations"]]
    assert "<img" not in re.sub(r"\\.", "", "\n".join(text.value for text in shown.page.caption))
    other = browser().upload("other.json", json.dumps(held | {"sae_key": "0" * 64}).encode(), into="browser_import")
    assert "is about another sparse autoencoder" in other.refusals[0]
    broken = browser().upload("broken.parquet", b"PAR1", into="browser_import")
    assert "Parquet" in broken.refusals[0]


def test_what_is_exported_can_be_imported(known):
    sae, statistics = known
    made = make_database(sae, statistics, corpus="topics").with_label(2, "second")
    assert read_database(database_bytes(made, ".parquet"), sae, name="x.parquet").label(2) == "second"


def test_a_corpus_of_one_text(browser):
    shown = browser(corpus="Paste").choose("pasted", "The patient has chest pain.")
    assert shown.numbers["Texts"] == "1"
    assert len(_rows(shown)) == 5
    shown.choose("browser_feature", str(_rows(shown)[0]))
    assert "This corpus has no labels" in _said(shown)
    silent = next(f for f in range(40) if f not in _rows(shown))
    shown.choose("browser_feature", str(silent))
    assert "It fires on none of these texts" in _said(shown)


def test_no_language_model_without_secrets(browser):
    shown = browser()
    maker = next(group for group in shown.page.button_group if group.key == "browser_maker")
    assert "language model" not in maker.options


def test_secrets_that_cannot_be_used_are_said(browser):
    shown = browser()
    shown.page.secrets["llm"] = {"model": "toy"}
    shown.run()
    assert "without base_url" in shown.refusals[0].replace("\\", "")
