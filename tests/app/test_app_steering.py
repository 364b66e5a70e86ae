"""Steering: the sample, recipes in the address, what is steered, dose-response, and odd input."""

import json
import re
from functools import partial

import numpy as np
import pandas as pd
import pytest

from lib.sae import save
from lib.sae.database import FeatureDatabase
from lib.sae.decomposition import decompose
from lib.sae.steering import dose_response, parse_recipe, push_of, rerank, steer, vector_bytes
from lib.ui import resources

HOSTILE = "<img src=x onerror=alert(1)> :red[hot] **bold** [link](javascript:alert(2)) $math$"
DOSE = "Dose-response"


@pytest.fixture
def small(with_sae):
    """Open the page with the small dictionary: `small(recipe="7:+4")`."""
    return partial(with_sae, "steering")


@pytest.fixture
def world(sae, sample):
    """The sample's vectors and codes."""
    vectors = np.asarray(sample[1])
    return sample[0], vectors, sae.encode(vectors)


def lists(shown):
    """The HTML of the two rankings."""
    return next(body for element in shown.page.get("html") if "retrieval before" in (body := element.proto.body))


def said(shown):
    """Captions without the signs that keep them from being Markdown."""
    return re.sub(r"\\(.)", r"\1", shown.captions)


def titles(body):
    """The whole texts of both lists, in order."""
    return list(re.findall(r'<div title="([^"]*)"', body))


def slider(shown, feature):
    return shown.page.slider(key=f"steer_delta_{feature}")


def test_the_sample_is_steered_at_once(app):
    shown = app(page="steering")
    assert float(shown.numbers["Cosine shift"]) > 0
    assert [one.value for one in shown.page.slider if one.key.startswith("steer_delta_")] == [4.0]
    assert "delta +4" in lists(shown)
    assert "steer_changes" in shown.charts
    dose = app(page="steering", view=DOSE)
    assert {"dose_shift", "dose_rank", "dose_rise"} <= set(dose.charts)
    assert 0 <= float(dose.numbers["AUROC of its texts"]) <= 1
    assert any("Do its texts come up with it?" in text.value for text in dose.page.markdown)


@pytest.mark.parametrize("side", ["query", "documents"])
def test_it_shows_what_the_library_finds(small, sae, world, side):
    corpus, vectors, codes = world
    shown = small(recipe="7:+4,9:-2.5", steer_side=side)
    push = push_of(sae, parse_recipe("7:+4,9:-2.5", 64), codes=codes)
    expected, x = steer(sae, vectors[0], push), vectors[0]
    ranking = rerank(vectors, x, push, side=side, left_out=np.array([0]), firing=codes.firing(7)[0])
    shift = "Cosine shift" if side == "query" else "Mean cosine shift"
    assert shown.numbers[shift] == f"{ranking.shift:.3f}"
    assert shown.numbers["Side effects"] == str(expected.side_effects)
    assert shown.numbers["Kept of the first 10"] == f"{ranking.kept(10)} of 10"
    assert slider(shown, 7).value == 4
    assert slider(shown, 9).value == -2.5
    rows = [*ranking.before[:10], *ranking.after[:10]]
    texts = [" ".join(corpus.texts[row][:40].split()) for row in rows]
    assert all(
        found.startswith(text[:30].split("&")[0]) for found, text in zip(titles(lists(shown)), texts, strict=True)
    )
    assert shown.table("change")["feature"].tolist() == expected.features.tolist()


def test_a_slider_changes_the_recipe_and_zero_changes_nothing(small):
    shown = small(recipe="7:+4")
    before = shown.numbers["Cosine shift"]
    slider(shown, 7).set_value(8.0)
    assert shown.run().page.text_input(key="recipe").value == "7:+8"
    assert float(shown.numbers["Cosine shift"]) > float(before)
    slider(shown, 7).set_value(0.0)
    shown.run()
    assert shown.numbers["Cosine shift"] == "0.000"
    assert shown.numbers["Kept of the first 10"] == "10 of 10"
    assert shown.numbers["Side effects"] == "0"
    assert "Nothing else changed" in shown.captions
    assert "what they were, bit for bit" in shown.captions
    assert shown.page.query_params["recipe"] in ("7:+0", ["7:+0"])


def test_the_code_on_the_page_gives_the_number_on_the_page(small, sae, world, tmp_path, monkeypatch):
    _, vectors, codes = world
    shown = small(recipe="7:+4,9:-2.5")
    push = push_of(sae, parse_recipe("7:+4,9:-2.5", 64), codes=codes)
    (tmp_path / "steering.npy").write_bytes(vector_bytes(push, ".npy"))
    monkeypatch.chdir(tmp_path)
    held = {"vectors": vectors}
    exec(shown.page.code[0].value, held)
    assert f"{1 - float(held['vectors'][0] @ vectors[0]):.3f}" == shown.numbers["Cosine shift"]
    assert "a push of the same length" in said(shown)
    assert "in a random direction moves this text by" in said(shown)


def test_features_are_added_and_taken_out(small):
    shown = small(recipe="7:+4")
    shown.choose("steer_add", "9")
    assert shown.page.text_input(key="recipe").value == "7:+4,9:+4"
    shown.choose("steer_add", "nothing")
    assert "A feature is a number from 0 to 63" in shown.refusals[0].replace("\\", "")
    assert shown.page.text_input(key="recipe").value == "7:+4,9:+4"
    shown.page.button(key="steer_out_7").click()
    assert shown.run().page.text_input(key="recipe").value == "9:+4"
    assert not shown.refusals
    assert shown.page.button(key="steer_out_9").disabled


@pytest.mark.parametrize(
    ("recipe", "why"),
    [("7", "written like"), ("64:+1", "features 0 to 63"), ("7:+40", "from -10 to 10"), ("<b>:1", "written like")],
)
def test_what_is_no_recipe_is_refused_and_can_be_mended(small, recipe, why):
    shown = small(recipe=recipe)
    assert why in re.sub(r"\\(.)", r"\1", shown.refusals[0])
    shown.page.text_input(key="recipe").set_value("")
    assert not shown.run().refusals


def test_a_feature_that_nobody_knows_is_refused(small, sae, tmp_path):
    from dataclasses import replace

    bias = sae.encoder_bias.copy()
    bias[7] = -99
    save(replace(sae, encoder_bias=bias), tmp_path / "silent")
    shown = small(sae=str(tmp_path / "silent"), recipe="7:+4")
    assert "How strong feature 7 typically is is not known" in shown.refusals[0].replace("\\", "")
    save(replace(sae, encoder_bias=np.full(64, -99.0)), tmp_path / "dead")
    assert "write one into the recipe" in small(sae=str(tmp_path / "dead")).refusals[0]
    assert "nothing to push" in small(sae=str(tmp_path / "dead"), view=DOSE).refusals[0]


def test_the_dose_response_is_the_librarys(small, sae, world):
    _, vectors, codes = world
    feature = int(decompose(sae, vectors[0]).features[0])
    shown = small(view=DOSE, dose_delta="2.5")
    unit = push_of(sae, parse_recipe(f"{feature}:1", 64), codes=codes).units[0]
    expected = dose_response(
        sae, codes, vectors, vector=vectors[0], feature=feature, unit=unit, probe=2.5, left_out=np.array([0])
    )
    assert shown.numbers["AUROC of its texts"] == f"{expected.rise[0]:.2f}"
    assert shown.numbers["Mean rank of its texts"] == f"{expected.rank_at(0):.0f} → {expected.rank_at(2.5):.0f}"
    assert shown.numbers["Its label's score"] == "—"
    assert f"feature {feature}" in [trace.get("name") for trace in shown.charts["dose_rank"]["data"]]
    assert shown.table("rose by")["fires"].tolist() == expected.riser_fires.tolist()


def test_any_feature_can_be_asked_and_no_other(small, sae):
    assert "feature 9" in json.dumps(small(view=DOSE, steer_feature="9").charts["dose_rank"])
    assert "A feature is a number" in small(view=DOSE, steer_feature="64").refusals[0]


def test_hostile_texts_and_labels_are_shown_as_they_are(small, sae, monkeypatch):
    table = pd.DataFrame({"label": [HOSTILE] * 64, "score": 0.9, "score_error": 0.01})
    database = FeatureDatabase(table=table, sae_key=sae.key, corpus=HOSTILE, texts=1)
    monkeypatch.setattr(resources, "feature_database", lambda _opened: database)
    for view in ("Steer", DOSE):
        shown = small(view=view, steer_text=HOSTILE, recipe="7:+4")
        written = (*shown.page.caption, *shown.page.markdown)
        drawn = "\n".join(re.sub(r"\\.", "", text.value) for text in written)
        drawn += "".join(re.sub(r"\\.", "", one.label) for one in shown.page.slider)
        assert not any(sign in drawn for sign in ("<img", ":red[hot]", "](java", "$math$"))
        bodies = "".join(element.proto.body for element in shown.page.get("html"))
        assert "<img src=x" not in bodies
        for spec in shown.charts.values():
            assert "<img" not in str(spec)


def test_a_word_of_a_label_finds_the_feature(small, sae, monkeypatch):
    labels = [None] * 64
    labels[9] = "heart disease"
    database = FeatureDatabase(table=pd.DataFrame({"label": labels}), sae_key=sae.key, corpus="c", texts=1)
    monkeypatch.setattr(resources, "feature_database", lambda _opened: database)
    shown = small(recipe="7:+4").choose("steer_add", "Disease")
    assert shown.page.text_input(key="recipe").value == "7:+4,9:+4"
    assert "9 · heart disease" in json.dumps(
        small(view=DOSE, steer_feature="Disease").charts["dose_rank"], ensure_ascii=False
    )


def test_the_recipe_outlasts_the_other_tab(small):
    shown = small(recipe="7:+4")
    slider(shown, 7).set_value(6.0)
    shown.run()
    shown.page.session_state["view"] = DOSE
    shown.run()
    assert shown.page.selectbox(key="steer_feature").value == "feature 7"  # the one that was pushed
    shown.choose("steer_feature", "feature 9")
    assert "feature 9" in json.dumps(shown.charts["dose_rank"])
    shown.page.session_state["view"] = "Steer"
    assert shown.run().page.text_input(key="recipe").value == "7:+6"
    shown.page.session_state["view"] = DOSE
    assert shown.run().page.selectbox(key="steer_feature").value == "feature 9"  # the recipe is the same as before


def test_a_corpus_with_its_own_embeddings(small, sae):
    vectors = np.random.default_rng(3).normal(size=(12, 384)).astype(np.float32)
    frame = pd.DataFrame({"text": [f"text {i}" for i in range(12)], "vector": list(vectors)})
    shown = small(corpus="Upload").upload("own.parquet", frame.to_parquet())
    assert not shown.refusals
    assert "without an encoder, texts of the corpus can be steered" in said(shown)
    assert float(shown.numbers["Cosine shift"]) > 0
    assert "vectors /=" not in shown.page.code[0].value  # their lengths differ: no model normalises them


def test_one_text_finds_nothing(small):
    shown = small(corpus="Paste").choose("pasted", "a single text\na single text\na single text")
    assert "no text to rank besides the query itself" in shown.refusals[0]
