"""Faithfulness, a tab of Diagnostics and of Retrieval: the sample, features in the address, odd sets and refusals."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from lib.corpora import load_query_set
from lib.encoders import PACKAGED, Policy, describe
from lib.sae.database import FeatureDatabase
from lib.sae.faithfulness import faithfulness
from lib.ui import resources

HOSTILE = "<img src=x onerror=alert(1)> :red[hot] **bold** [link](javascript:alert(2)) $math$"


@pytest.fixture
def small(with_sae):
    """Open the view with the small dictionary, on the small sample: `small(faithfulness_feature="3")`."""
    address = {"view": "Faithfulness", "query_sample": "lab"}
    return lambda page="retrieval", **query: with_sae(page, **address | query)


def said(shown):
    """Captions and sentences without the signs that keep them from being Markdown."""
    return re.sub(r"\\(.)", r"\1", shown.captions + "\n".join(text.value for text in shown.page.markdown))


def test_the_sample_is_measured_at_once(app):
    shown = app(page="retrieval", view="Faithfulness")
    assert not shown.refusals
    assert {"Which features carry retrieval?", "What does retrieval lose without each?"} <= set(shown.titles)
    assert set(shown.charts) >= {"faithfulness_drops", "faithfulness_lost", "faithfulness_topics"}
    assert "Over 156 queries and 643 documents, by cosine, linear gain" in said(shown)
    assert said(shown).count("**Together: ") == said(shown).count("**One by one: ") == 1
    assert "First 10 % keep" in shown.numbers
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
    drops = small(measure="l2")
    assert "faithfulness_drops" in drops.charts
    assert "faithfulness_lost" not in drops.charts
    parts = small(measure="l2", faithfulness_part="Why this document")
    assert "choose cosine or dot" in parts.refusals[0].replace("\\", "")


def test_few_or_many_has_curves_and_topics(app):
    shown = app(page="diagnostics", view="Faithfulness", faithfulness_part="Few or many", faithfulness_topic="legal")
    assert not shown.refusals
    assert set(shown.charts) == {"faithfulness_curves"}
    assert shown.table("won back")["topic"].tolist() == ["finance", "legal", "medical"]
    assert shown.page.selectbox(key="faithfulness_topic").value == "legal"


def test_why_a_document_is_above_another(small):
    shown = small(faithfulness_part="Why this document")
    assert {"faithfulness_lead", "faithfulness_score"} <= set(shown.charts)
    lead = shown.table("lead")
    assert {"label", "activation"} <= set(lead.columns)
    box = shown.page.selectbox(key="faithfulness_document")
    relevant = next(option for option in box.options if "◆" in option.split("·")[0])
    other = shown.page.selectbox(key="faithfulness_other")
    shown.choose("faithfulness_document", other.value if other.value != box.value else relevant)
    assert "faithfulness_lead" not in shown.charts  # one document beside itself
    assert "faithfulness_score" in shown.charts


def test_a_query_that_is_hurt_leads_to_its_documents(small):
    shown = small()
    table = shown.table("without it")
    hurt = shown.page.selectbox(key="faithfulness_hurt")
    assert hurt.value.startswith(f"{table['id'][0]} · ")
    assert "Without " in said(shown)
    shown.press("Why these documents?")
    assert shown.page.selectbox(key="faithfulness_query").value == hurt.value
    assert "faithfulness_score" in shown.charts


def test_a_row_that_is_clicked_is_the_query_looked_at(monkeypatch):
    import streamlit as st

    from lib.ui.faithfulness import one_feature

    state = {"table": {"selection": {"rows": [1]}}}
    monkeypatch.setattr(st, "session_state", state)
    one_feature._take_clicked("table", ["q1 · a", "q2 · b"])
    assert state["faithfulness_hurt"] == "q2 · b"
    state["table"]["selection"]["rows"] = []
    one_feature._take_clicked("table", ["q1 · a", "q2 · b"])
    assert state["faithfulness_hurt"] == "q2 · b"


def test_a_query_chosen_under_search_is_taken_up(small):
    shown = small(view="Search")
    options = shown.page.selectbox(key="search_query").options
    shown.choose("search_query", options[2])
    shown.page.query_params.update({"view": "Faithfulness", "faithfulness_part": "Why this document"})
    shown.run()
    assert shown.page.selectbox(key="faithfulness_query").value == options[2]
    assert "The query that was chosen under Search." in said(shown)
    shown.choose("faithfulness_query", options[1])
    assert shown.page.selectbox(key="faithfulness_query").value == options[1]


def test_parts_and_queries_that_do_not_exist_open_the_first(small):
    shown = small(faithfulness_part="junk", faithfulness_hurt="junk", faithfulness_k="7")
    assert not shown.refusals
    assert "faithfulness_drops" in shown.charts
    shown = small(faithfulness_part="Why this document", faithfulness_query="junk", faithfulness_other="junk")
    assert not shown.refusals
    assert "faithfulness_score" in shown.charts


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


def test_the_answers_say_what_was_found_and_no_more():
    from lib.sae.faithfulness import cumulative_curves
    from lib.ui.faithfulness.words import of_levels, one_by_one, together, what_would_tell
    from tests.sae.test_sae_faithfulness import doubled, graded, roles
    from tests.toy_sae import orthogonal_sae, random_sae

    clear, settings = (orthogonal_sae(6), *roles()), {"k": 1, "resamples": 50}
    found, curves = faithfulness(*clear, **settings, negligible=0.06), cumulative_curves(*clear, k=1)
    assert "**One by one: 1 feature is essential.**" in one_by_one(found, "the axis")
    assert "(the axis, " in one_by_one(found, "the axis")
    assert "beyond chance" in one_by_one(found, "the axis")
    assert "1 feature harms retrieval." in one_by_one(found, "the axis")
    assert what_would_tell(found, curves) == ""
    assert together(curves).startswith("**Together: carried by few features.** Queries made of the 1 of 5 ")
    queries, asked, documents = graded()
    few = faithfulness(random_sae(), *doubled(queries, asked), documents, resamples=5, draws=1)
    assert "23 of them differ in text" in of_levels(few)
    assert "none is shown to be essential" in one_by_one(few, "a")
    assert "more queries like these 46" in what_would_tell(few, None)
    silent = faithfulness(orthogonal_sae(6), *roles(each=2), k=3, resamples=5)
    assert "No feature changes the NDCG of any query." in one_by_one(
        replace(silent, hurt=silent.hurt * 0, helped=silent.helped * 0), "a"
    )
