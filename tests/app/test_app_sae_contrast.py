"""Contrast: the default pair, typed pairs, the same text twice, and texts that are odd."""

import re
from functools import partial

import numpy as np
import pandas as pd
import pytest

from lib.encoders import PACKAGED, Policy, open_encoder
from lib.sae.decomposition import contrast
from tests.toy_sae import packaged_sae

HOSTILE = "<img src=x onerror=alert(1)> :red[hot] **bold** [link](javascript:alert(2)) $math$"
PAIR = ("how do I reset my password", "I forgot my login")


@pytest.fixture(scope="module")
def sae():
    """A small dictionary for the packaged encoder."""
    return packaged_sae(256, 24)


@pytest.fixture
def small(with_sae):
    """Open the view with the small dictionary: `small(text_a="...")`."""
    return partial(with_sae, "sae_features", view="Contrast")


@pytest.fixture(scope="module")
def typed(sae):
    """What the library finds for the typed pair."""
    a, b = open_encoder(PACKAGED, policy=Policy()).encode(list(PAIR)).vectors
    return contrast(sae, a, b)


def said(shown):
    """Captions without the signs that keep them from being Markdown."""
    return re.sub(r"\\(.)", r"\1", shown.captions)


def bars(shown, chart):
    """Lengths of a chart's bars."""
    return [trace["x"] for trace in shown.charts[chart]["data"] if trace["type"] == "bar"]


def test_the_sample_s_first_text_meets_its_nearest(app, sample):
    shown = app(page="sae_features", view="Contrast")
    corpus, vectors = sample
    cosines = np.asarray(vectors) @ np.asarray(vectors[0])
    cosines[0] = -1
    assert shown.numbers["Cosine"] == f"{cosines.max():.3f}"
    assert corpus.texts[int(cosines.argmax())][:60] in said(shown)
    assert {"contrast_bars", "contrast_parts"} == set(shown.charts)


def test_it_shows_what_the_library_finds(small, typed):
    shown = small(text_a=PAIR[0], text_b=PAIR[1])
    assert shown.numbers == {
        "Cosine": f"{typed.cosine:.3f}",
        "Only in A": str(typed.only_a.sum()),
        "Only in B": str(typed.only_b.sum()),
        "In both": str(typed.shared.sum()),
        "By the error": f"{typed.both.error:+.3f}",
    }
    assert f"= {typed.cosine:.3f}" in said(shown)
    assert sum(bars(shown, "contrast_parts")[0]) == pytest.approx(typed.cosine, abs=1e-5)
    table = shown.table("through A")
    assert table["feature"].tolist() == typed.features.tolist()
    assert table["part of the cosine"].to_numpy() == pytest.approx(typed.both.contributions, abs=1e-6)
    assert shown.table("of A")["part of the cosine"].sum() == pytest.approx(typed.meetings.parts.sum(), abs=1e-5)


def test_shared_features_come_on_request(small, typed):
    pair = {"text_a": PAIR[0], "text_b": PAIR[1], "contrast_top": "all"}
    assert "contrast_shared_bars" not in small(**pair).charts
    shown = small(**pair, contrast_shared="true")
    assert len(shown.charts["contrast_bars"]["data"][0]["y"]) == typed.differing().sum()
    assert len(shown.charts["contrast_shared_bars"]["data"][0]["y"]) == typed.shared.sum()


@pytest.mark.parametrize(("way", "field"), [("both", "both"), ("A", "through_a"), ("B", "through_b")])
def test_either_text_can_be_taken_apart(small, typed, way, field):
    shown = small(text_a=PAIR[0], text_b=PAIR[1], contrast_way=way)
    parts = getattr(typed, field)
    assert f"error {parts.error:+.3f}" in said(shown)
    (values,) = bars(shown, "contrast_parts")
    assert values[-2:] == pytest.approx([parts.bias, parts.error], abs=1e-5)


def test_the_same_text_twice_differs_in_nothing(small):
    shown = small(text_a=PAIR[0], text_b=PAIR[0], contrast_shared="true")
    assert shown.numbers["Cosine"] == "1.000"
    assert (shown.numbers["Only in A"], shown.numbers["Only in B"]) == ("0", "0")
    assert "Both texts are the same" in said(shown)
    assert any("No feature differs" in info.value for info in shown.page.info)
    assert set(shown.charts) == {"contrast_shared_bars", "contrast_parts"}


def test_a_long_and_a_short_text(small):
    shown = small(text_a="pain " * 400, text_b="a")
    assert not shown.refusals
    assert "contrast_parts" in shown.charts


def uploaded(small, name, frame):
    """The view on an uploaded table."""
    shown = small(corpus="Upload")
    for box in shown.page.selectbox:  # the double does not find again what was typed into a list
        if box.value not in box.options:
            box.options.append(box.value)
    content = frame.to_parquet() if name.endswith("parquet") else frame.to_csv(index=False).encode()
    return shown.upload(name, content)


def test_hostile_texts_are_shown_as_they_are(small):
    shown = uploaded(small, "own.csv", pd.DataFrame({"text": [HOSTILE, f"{HOSTILE} again"]}))
    drawn = "\n".join(re.sub(r"\\.", "", text.value) for text in (*shown.page.caption, *shown.page.markdown))
    assert not any(sign in drawn for sign in ("<img", ":red[hot]", "](java", "$math$"))
    assert HOSTILE in said(shown).replace("\u2060", "")


def test_a_corpus_with_its_own_embeddings_offers_its_texts(small):
    vectors = np.random.default_rng(0).normal(size=(4, 384)).astype(np.float32)
    frame = pd.DataFrame({"text": ["one", "two", "two", "three"], "vector": list(vectors)})
    shown = uploaded(small, "own.parquet", frame)
    assert "texts of the corpus can be compared" in said(shown)
    assert not [area for area in shown.page.text_area if area.key.startswith("text_")]
    assert "contrast_parts" in shown.charts


@pytest.mark.parametrize("texts", [["only one"], ["the same", "the same"]])
def test_where_no_text_reads_differently_one_meets_itself(small, texts):
    shown = uploaded(small, "own.csv", pd.DataFrame({"text": texts}))
    assert "Both texts are the same" in said(shown)
