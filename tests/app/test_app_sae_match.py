"""Match: two dictionaries of one encoder, two encoders, and choices that do not belong together."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from lib.encoders import PACKAGED, PACKAGED_STATIC, Policy, describe
from lib.sae import About, save
from lib.sae.database import FeatureDatabase
from lib.sae.matching import Model, compare_models, identity
from lib.ui import progress, resources
from lib.ui.sae import match_cached
from tests.toy_sae import random_sae

HOSTILE = "<img src=x onerror=alert(1)> :red[hot] **bold** [link](javascript:alert(2)) $math$"


@pytest.fixture(scope="module")
def pair():
    """A dictionary for the packaged encoder, and the same with its features permuted and a quarter of them new."""
    checkpoint = describe(PACKAGED, policy=Policy())
    about = About(name="small", encoder=checkpoint.source, fingerprint=checkpoint.fingerprint)
    one, new = random_sae(d=384, n=64, k=12, about=about), random_sae(d=384, n=64, seed=1)
    directions = np.concatenate([one.decoder_weights[:48], new.decoder_weights[48:]])
    order = np.random.default_rng(0).permutation(64)
    other = replace(one, encoder_weights=directions[order].T, decoder_weights=directions[order])
    return one, other, order


@pytest.fixture
def match(app, pair, tmp_path, monkeypatch):
    """Open the tab on the two: `match(match_by="correlation")`."""
    monkeypatch.setenv("EMBEDSCOPE_MODEL_ROOTS", str(tmp_path))
    foreign = replace(pair[0], about=replace(pair[0].about, fingerprint="0" * 64))
    for name, sae in zip("abc", (*pair[:2], foreign), strict=True):
        save(sae, tmp_path / name)
    resources.policy.clear()
    chosen = {"view": "Match", "sae": str(tmp_path / "a"), "match_encoder": PACKAGED, "match_sae": str(tmp_path / "b")}
    folders = {name: str(tmp_path / name) for name in "abc"}

    def opened(**query):
        query = {name: folders.get(value, value) for name, value in query.items()}
        return app(page="sae_features", **chosen | query)

    yield opened
    resources.policy.clear()


def told(shown):
    """What stands in Markdown, without the signs that keep names from being it."""
    return re.sub(r"\\(.)", r"\1", "\n".join(text.value for text in shown.page.markdown)).replace("\u202f", " ")


def said(shown):
    """Captions without the signs that keep them from being Markdown."""
    return re.sub(r"\\(.)", r"\1", shown.captions)


def test_it_shows_what_the_library_finds(match, pair, sample):
    shown, (one, other, order) = match(), pair
    vectors = np.asarray(sample[1])
    models = [Model(sae, sae.encode(vectors), vectors) for sae in (one, other)]
    found = compare_models(*models, alignment=identity(), labels=sample[0].labels)
    assert {int(f): int(order[found.ours.match[f]]) for f in found.ours.pairs} == {f: f for f in found.ours.pairs}
    assert sorted(found.ours.pairs) == list(range(48))
    assert shown.numbers["This: features"] == "75.0 %"
    assert shown.numbers["This: paired"] == f"{100 * found.ours.domain.share:.1f} %"
    assert shown.numbers["Other: paired"] == f"{100 * found.theirs.domain.share:.1f} %"
    assert shown.numbers["This: known"] == shown.numbers["Other: known"] == "100.0 %"  # one encoder
    assert "Alignment R²" not in shown.numbers
    assert "One model, two dictionaries" in told(shown)
    table = shown.table("its label")
    assert table["feature"].tolist() == found.ours.pairs.tolist()
    assert table["of the other"].tolist() == found.ours.match[found.ours.pairs].tolist()
    assert set(shown.charts) == {"match_coverage", "match_similarities", "match_pairs"}
    shown.choose("match_listed", "no counterpart")
    table = shown.table("its label")
    assert table["feature"].tolist() == found.ours.only.tolist()
    assert table["own vectors"].tolist() == table["other's vectors"].tolist()
    shown.choose("match_side", "other model")
    assert shown.table("its label")["feature"].tolist() == found.theirs.only.tolist()
    shown.choose("match_listed", "only here")
    assert "No feature is of this kind" in shown.page.info[0].value


def test_the_address_reopens_it(match, pair):
    feature = 5
    shown = match(match_by="correlation", match_pairing="best", match_feature=str(feature), match_side="this model")
    assert not shown.refusals
    assert shown.charts["match_similarities"]["layout"]["xaxis"]["title"]["text"].startswith("correlation")
    assert "rank correlation" in said(shown).lower()
    assert any(f"feature {feature}" in text.value for text in shown.page.markdown)
    assert shown.page.selectbox(key="match_feature").value == str(feature)
    assert match(match_from_cosine="0.9").charts["match_similarities"]["layout"]["shapes"][0]["x0"] == 0.9


def test_another_encoder_of_another_width_needs_no_words(app):
    """The sample with what ships."""
    shown = app(page="sae_features", view="Match")
    assert not shown.refusals
    assert shown.page.selectbox(key="match_encoder").value.startswith("static")
    assert 0 < float(shown.numbers["Alignment R²"]) < 1
    assert "linear map (ridge regression)" in said(shown)
    assert shown.charts["match_similarities"]["layout"]["xaxis"]["title"]["text"].startswith("correlation")
    assert re.search(r"nterchangeable on this corpus|Cannot be told on this corpus", told(shown))
    assert "By label: " in told(shown)
    assert "By chance alone" in said(shown)
    shown.choose("match_listed", "only here")
    table = shown.table("its label")
    assert (table["own vectors"] > table["other's vectors"]).all()
    assert table["returns"].between(-1, 1).all()
    assert "of what its own do, not enough to be known there" in said(shown)


def test_a_choice_that_nobody_made_follows_the_sidebar(app):
    shown = app(page="sae_features", view="Match")
    shown.choose("sae", "packaged-static").choose("encoder", PACKAGED_STATIC)
    assert not shown.refusals
    assert shown.page.selectbox(key="match_encoder").value == PACKAGED
    assert shown.page.selectbox(key="match_sae").value == "packaged"
    shown.choose("match_encoder", PACKAGED_STATIC)
    assert "The same model and the same dictionary" in told(shown)
    assert shown.page.button_group(key="match_by").value in ("cosine", ["cosine"])


@pytest.mark.parametrize("by", ["cosine", "correlation"])
def test_a_model_covers_itself(match, by):
    shown = match(match_sae="a", match_by=by)
    for what in ("known", "paired", "features"):
        assert {shown.numbers[f"{whose}: {what}"] for whose in ("This", "Other")} == {"100.0 %"}
    assert "The same model and the same dictionary" in told(shown)


def test_own_embeddings_are_compared_with_an_encoder(match, sample):
    """The vectors are those of the packaged encoder: nobody said so, and they are found to lie in its space."""
    texts, vectors = sample[0].texts[:60], np.asarray(sample[1])[:60]
    frame = pd.DataFrame({"text": texts, "vector": list(vectors)})
    shown = match(corpus="Upload").upload("own.parquet", frame.to_parquet())
    assert not shown.refusals
    assert shown.numbers["Alignment R²"] == "1.00"
    assert "as those of a checkpoint and its fine-tune" in said(shown)
    assert "own embeddings · fires on" in said(shown)
    assert "The corpus has no labels" in said(shown)
    turned = vectors @ np.linalg.qr(np.random.default_rng(0).normal(size=(384, 384)))[0]
    frame["vector"] = list(turned.astype(np.float32))
    assert "were mapped by a rotation" in said(shown.upload("turned.parquet", frame.to_parquet()))
    few = shown.upload("few.parquet", frame[:3].to_parquet())
    assert "20 or more different texts, this corpus has 3" in few.refusals[0].replace("\\", "")


@pytest.mark.parametrize("work", ["pair_features", "read_features"])
def test_stop_keeps_nothing_and_waits_to_be_asked(match, monkeypatch, work):
    names = []

    def begun(name):
        names.append(name)
        progress.begin(name)

    def stopped(*_, progress, **__):
        progress(1, 9)
        match_cached.st.session_state[f"_work_{names[-1]}"] = "stopped"  # what its button does
        match_cached.st.rerun()

    monkeypatch.setattr(match_cached, "begin", begun)
    with monkeypatch.context() as patch:
        patch.setattr(match_cached, work, stopped)
        shown = match(match_pairing="best", corpus="Paste").choose("pasted", "\n".join(f"{work} {n}" for n in range(9)))
        assert shown.page.info[0].value.startswith("Stopped.")
        assert not shown.charts
    assert "match_coverage" in shown.press("Go on").charts


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"match_sae": "c"}, "was trained on all-MiniLM-L6-v2 (packaged) as it was then"),
        ({"match_sae": "packaged-static"}, "takes vectors of 128 dimensions apart"),
        ({"match_sae": "nowhere"}, "is neither the packaged sparse autoencoder"),
        ({"match_encoder": "no encoder at all"}, "no encoder at all"),
        ({"match_feature": "nothing"}, "A feature is a number from 0 to 63"),
    ],
)
def test_what_does_not_belong_is_refused(match, query, sentence):
    assert sentence in re.sub(r"\\(.)", r"\1", match(**query).refusals[0]).replace("\u2060", "")


def test_too_few_texts_to_align(match, app, paste):
    shown = paste(["one text", "another", "a third"], view="Decompose")
    shown.page.switch_page("pages/sae_features.py")
    shown.page.query_params["view"] = "Match"
    shown.run()
    assert "20 or more different texts, this corpus has 3" in shown.refusals[0].replace("\\", "")


def test_hostile_labels_are_shown_as_they_are(match, pair, monkeypatch):
    table = pd.DataFrame({"label": [HOSTILE] * 64})
    databases = {sae.key: FeatureDatabase(table=table, sae_key=sae.key, corpus=HOSTILE, texts=1) for sae in pair[:2]}
    monkeypatch.setattr(resources, "feature_database", lambda opened: databases[opened.sae.key])
    shown = match()
    assert shown.table("its label")["its label"].iloc[0] == HOSTILE
    drawn = "\n".join(re.sub(r"\\.", "", text.value) for text in (*shown.page.caption, *shown.page.markdown))
    assert not any(sign in drawn for sign in ("<img", ":red[hot]", "](java", "$math$"))
    assert "<img" not in str(shown.charts)
