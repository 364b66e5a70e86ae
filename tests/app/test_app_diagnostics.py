"""The Diagnostics page: the sample, a planted corpus with its planted dictionary, odd and hostile ones."""

import json
import re

import numpy as np
import pytest

from lib.sae.diagnostics import health, label_absorption, polysemy, scan_absorption
from lib.ui import resources
from tests.toy_diagnostics import ALWAYS, FEATURES, SUBSET, TOPICS, UNION, dictionary, jsonl, planted, save_folder

HOSTILE = "<img src=x onerror=alert(1)> :red[hot] **bold** [link](javascript:alert(2)) $math$"
LABELS = [*TOPICS, "harbour at night", "violin or glacier", "always", None, None, None]


@pytest.fixture
def planted_page(app, tmp_path, monkeypatch):
    """Open a view on the planted corpus and its dictionary: `planted_page("Absorption", labels=..., content=...)`."""
    monkeypatch.setenv("EMBEDSCOPE_MODEL_ROOTS", str(tmp_path))
    resources.policy.clear()

    def opened(view, *, content=None, folder=None, **query):
        source = str(save_folder(tmp_path / "planted", **({"labels": LABELS} if folder is None else folder)))
        page = app(page="diagnostics", view=view, sae=source, corpus="Upload", **query)
        know_typed(page)
        return know_typed(page.upload("planted.jsonl", jsonl() if content is None else content))

    yield opened
    resources.policy.clear()


def know_typed(shown):
    """What was typed into a selectbox is no option of the test double, which then refuses to run again."""
    for box in shown.page.selectbox:
        if box.value is not None and box.value not in box.options:
            box.options.append(box.value)
    return shown


def said(shown):
    at = shown.page
    return "\n".join(text.value for text in (*at.caption, *at.markdown, *at.subheader, *at.error, *at.info)).replace(
        "\u202f", " "
    )


@pytest.fixture(scope="module")
def case():
    vectors, topic, texts = planted()
    sae = dictionary()
    return vectors, sae.encode(vectors), sae, [TOPICS[one] for one in topic], texts


# Absorption


def test_planted_pairs_stand_in_the_table_with_their_direction(planted_page, case):
    vectors, codes, sae, labels, _ = case
    shown = planted_page("Absorption")
    found = scan_absorption(codes, sae)
    table = shown.table("absorber")
    assert set(zip(table["absorber"], table["absorbed"], strict=True)) == {(SUBSET, 0), (1, UNION), (2, UNION)}
    assert table["P(absorbed | absorber)"].tolist() == found.conditional.tolist() == [1, 1, 1]
    assert shown.numbers["Pairs flagged"] == "3"
    assert shown.numbers["Set apart"] == "1"
    assert "always" in shown.table("features it would follow")["name"].iloc[0]
    assert len(shown.charts["absorption_map"]["data"][0]["customdata"]) == 3
    rates = label_absorption(vectors, codes, sae, labels)
    assert shown.table("F1 of the probe")["rate"].tolist() == [one.rate for one in rates.labels]


def test_a_chosen_pair_is_told_in_words_with_its_texts(planted_page, case):
    pair = f"{SUBSET} · harbour at night → 0 · harbour"
    shown = planted_page("Absorption", absorption_pair=pair)
    words = said(shown).replace("\\", "")
    assert (
        "**10 · harbour at night** (absorber) fires on 20 texts; **0 · harbour** (absorbed) fires on 20 of them"
        in words
    )
    assert "100 % (95 % interval 84 % to 100 %), against 10.0 % of all texts, 10 times" in words
    assert "50 % of the 40 texts of the absorbed" in words
    assert "the absorber a part of it" in words
    assert "On no text: wherever the absorber fires, the absorbed does." in words
    both = shown.table(str(SUBSET))
    activations = case[0][:, SUBSET]
    assert both[str(SUBSET)].tolist() == pytest.approx(np.sort(activations)[::-1][:10].tolist(), rel=1e-5)
    assert all("harbour" in text for text in both["text"])


def test_what_stays_silent_is_shown(planted_page):
    vectors, topic, _ = planted()
    rows = list(range(len(topic)))
    lines = [json.loads(line) for line in jsonl(rows=rows).decode().splitlines()]
    for row in np.flatnonzero(vectors[:, SUBSET])[:2]:
        lines[row]["vector"][0] = 0.0
    content = "".join(json.dumps(line) + "\n" for line in lines).encode()
    shown = planted_page("Absorption", content=content, absorption_pair="10 · harbour at night → 0 · harbour")
    assert "10 fires, 0 is silent** (2 texts)" in said(shown)
    assert "a search for the wider feature would miss them" in shown.captions


def test_thresholds_stand_in_the_address(planted_page):
    shown = planted_page("Absorption", absorption_share="1.0", absorption_support="21")
    table = shown.table("absorber")
    assert SUBSET not in set(table["absorber"])
    assert ALWAYS in set(shown.choose("absorption_shown", "all").table("absorber")["absorbed"])
    assert shown.numbers["Set apart"] == "0"


def test_without_labels_the_stricter_sense_says_what_it_needs(planted_page):
    shown = planted_page("Absorption", content=jsonl(labels=False))
    assert "choose a label column" in shown.captions
    assert "absorption_labels" not in shown.charts


def test_labels_with_too_few_texts_are_told(planted_page):
    shown = planted_page("Absorption", content=jsonl(rows=range(0, 400, 4)))
    assert "needs 20 texts that carry it" in shown.captions
    assert not shown.refusals


def test_a_corpus_of_one_text_flags_nothing(planted_page):
    shown = planted_page("Absorption", content=jsonl(rows=[3], labels=False))
    assert "No pair of the 0 features compared" in said(shown)


def test_few_texts_say_so(planted_page):
    shown = planted_page("Absorption", content=jsonl(rows=range(0, 400, 10)))
    assert "features fire on 5 or more: of the others nothing is said here" in said(shown).replace("\\", "")


# Polysemy


def test_the_union_of_two_topics_is_ranked_and_parted(planted_page, case):
    vectors, codes, _, _, texts = case
    shown = planted_page("Polysemy")
    found = polysemy(vectors, codes, texts=texts)
    listed = shown.table("senses")
    assert listed["feature"].tolist() == found.feature[found.polysemous].tolist()
    assert UNION in listed["feature"].tolist()
    assert ALWAYS not in set(range(len(TOPICS))) & set(listed["feature"])
    assert shown.numbers["Random variance"] == f"{found.random_mean:.3f}"
    chosen = planted_page("Polysemy", polysemy_feature=f"{UNION} · violin or glacier")
    words = said(chosen)
    assert f"How many things is feature {UNION} about?" in words
    assert "**Sense 1**: " in words
    assert {"violin", "glacier"} <= set(re.findall(r"\w+", words))
    assert set(chosen.charts) == {"polysemy_map", "senses_map"}


def test_every_feature_can_be_looked_into(planted_page):
    shown = planted_page("Polysemy", polysemy_feature="3", polysemy_listed="all", polysemy_top="10")
    assert "How many things is feature 3 about?" in shown.titles
    assert "as far as these texts show, one thing" in said(shown)
    assert len(shown.table("z")) == 13


@pytest.mark.parametrize(("typed", "sentence"), [("15", "Feature 15 fires on fewer than 5"), ("99", "from 0 to 15")])
def test_a_feature_that_cannot_be_parted_is_said(planted_page, typed, sentence):
    shown = planted_page("Polysemy", polysemy_feature=typed)
    assert sentence in said(shown).replace("\\", "")


def test_too_few_texts_for_polysemy(planted_page):
    assert "No feature fires on 5 different texts" in said(planted_page("Polysemy", content=jsonl(rows=[0, 50, 99])))
    one = planted_page("Polysemy", content=jsonl(rows=[0]))
    assert "at least 2 different texts, got 1" in one.refusals[0].replace("\\", "")


# Health


def test_health_shows_what_the_library_finds(planted_page, case):
    vectors, codes, sae, labels, _ = case
    shown = planted_page("Health")
    found = health(vectors, codes, sae, labels=labels)
    assert shown.numbers["FVU"] == f"{found.unexplained.total:.3f}"
    assert shown.numbers["Silent here"] == "3 (18.8 %)"
    assert shown.numbers["Always on"] == "1"
    assert shown.numbers["Duplicates"] == "0"
    assert "How often each feature fired in training is not known" in shown.captions
    assert "Not known for this dictionary" in shown.captions
    assert set(shown.charts) == {"health_density", "health_fvu", "health_nearest", "health_alignment"}


def test_training_frequencies_and_stability_are_used(planted_page):
    folder = {"frequency": [0.1] * (FEATURES - 1) + [0.0], "stability": [0.9] * 12 + [0.1] * 4}
    shown = planted_page("Health", folder=folder)
    assert shown.numbers["Dead in training"] == "1"
    assert "1 feature would stay silent by chance; here 3 do" in said(shown).replace("\\", "")
    assert "75.0 % of the features return" in shown.captions
    assert "health_stability" in shown.charts


def test_frequencies_on_another_corpus_tell_nothing_of_dead_features(planted_page):
    shown = planted_page("Health", folder={"frequency": [0.0] * FEATURES, "corpus": "somebody's own"})
    assert "Dead in training" not in shown.numbers


def test_health_of_one_text_is_refused(planted_page):
    assert "at least 2 texts, got 1" in planted_page("Health", content=jsonl(rows=[0])).refusals[0].replace("\\", "")


# All of them


@pytest.mark.parametrize("view", ["Absorption", "Polysemy", "Health"])
def test_the_sample_is_shown(app, view):
    shown = app(page="diagnostics", view=view)
    assert not shown.refusals
    assert shown.charts


@pytest.mark.parametrize("view", ["Absorption", "Polysemy", "Health"])
def test_hostile_names_are_shown_as_they_are(planted_page, view):
    shown = planted_page(view, content=jsonl(word=HOSTILE), folder={"labels": [HOSTILE] * FEATURES})
    drawn = re.sub(r"\\.", "", said(shown))  # what is escaped is only shown
    assert not any(sign in drawn for sign in ("<img", ":red[hot]", "](java", "$math"))
    for chart in shown.page.get("plotly_chart"):
        spec = json.loads(chart.proto.spec)
        for trace in spec["data"]:
            trace.pop("customdata", None)  # the first of these is what a click gives back; it is not drawn
        assert "<img" not in json.dumps(spec)


def test_results_can_be_taken_away(planted_page):
    labels = {button.label for button in planted_page("Absorption").page.get("download_button")}
    assert {"Pairs as JSON", "Labels as JSON", "CSV", "HTML"} <= labels
