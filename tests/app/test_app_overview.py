"""The Overview page: eight signals, each as the page behind it has it; what stands out; a second encoder beside."""

import io
import json
import subprocess
import sys
from urllib.parse import parse_qs

import numpy as np
import pytest

from lib.encoders import PACKAGED_STATIC

SPACE = ("Label purity", "Mean cosine", "Components for 95 %", "Far out")
FOUR = "a first text\nanother one\na third\nthe last of four"
"""So few that their map is PCA: no UMAP has to be compiled."""
SAME = "It needs the same as the row above"
SIGNALS = (*SPACE, "Settles", "Heads flagged", "NDCG@10", "Hard negative leads")


@pytest.fixture
def overview(app):
    """Open the Overview page at an address."""
    return lambda **query: app(page="overview", **query)


def links(opened):
    """The links of the page, label to page and parameters."""
    found = {}
    for link in opened.page.get("page_link"):
        proto = link.proto
        found[proto.label.replace("*", "").replace("\\", "")] = (proto.page, parse_qs(proto.query_string))
    return found


def test_eight_numbers_and_what_stands_out(overview):
    seen = overview()
    assert tuple(seen.numbers) == SIGNALS
    assert seen.titles == ["The space of the corpus", "How the layers build it", "What it finds", "What stands out"]
    said = "\n".join(part.value for part in seen.page.markdown)
    assert "keeps together least" in said
    assert "131 queries of 156" in said.replace("\\", "").replace("\u202f", " ")
    assert "Better than BM25" in seen.captions
    assert not seen.refusals
    pictures = [part.proto.body for part in seen.page.get("html") if "data:image/svg" in part.proto.body]
    assert len(pictures) == 8
    assert all('alt="' in picture for picture in pictures)


@pytest.mark.parametrize(
    ("question", "number", "there"),
    [
        ("Do groups lie apart?", "Label purity", "Label purity"),
        ("Do all vectors point the same way?", "Mean cosine", "Mean cosine"),
        ("How many dimensions are used?", "Components for 95 %", "Components for 95 %"),
        ("Which texts do not belong?", "Far out", "Flagged"),
        ("Where is the vector made?", "Settles", "Settles"),
        ("Does the right document come first?", "NDCG@10", "NDCG@10"),
        ("Are near misses told apart?", "Hard negative leads", "Below 0"),
    ],
)
def test_the_page_behind_a_link_shows_the_same_number(overview, app, question, number, there):
    seen = overview(query_sample="medical")
    _, asked = links(seen)[question]
    page = "layers" if number == "Settles" else "retrieval" if number in SIGNALS[6:] else "geometry"
    assert asked["query_sample"] == ["medical"]
    behind = app(page=page, **{name: values[0] for name, values in asked.items()})
    shown = behind.numbers[there]
    assert shown.split(" (")[0] == seen.numbers[number].split(" of ")[0] or shown == seen.numbers[number]


def test_an_old_address_is_sent_on_to_geometry(overview):
    seen = overview(view="Anisotropy", pairs="50000")
    assert seen.page.title[0].value == "Geometry"
    assert seen.page.query_params["view"] == "Anisotropy"
    assert "After mean-centering" in seen.numbers


def test_a_static_encoder_has_no_layers_and_the_rest_still_comes(overview):
    seen = overview(encoder=PACKAGED_STATIC, corpus="Paste").choose("pasted", FOUR)
    assert set(seen.numbers) == {"Trustworthiness", *SIGNALS[1:4], *SIGNALS[6:]}
    assert seen.captions.count("choose a transformer") == 1
    assert seen.captions.count(SAME) == 1


def test_two_texts_have_no_shape_and_the_queries_are_still_answered(overview):
    seen = overview(corpus="Paste").choose("pasted", "one text\nanother text")
    assert set(seen.numbers) == {"NDCG@10", "Hard negative leads"}
    assert "from 3 texts on" in seen.captions


def test_what_is_missing_is_said_in_its_place(overview):
    seen = overview(corpus="Upload", queries="Upload")
    assert not seen.numbers
    assert seen.captions.count("Upload a file in the sidebar") == 1
    assert seen.captions.count("Upload a query set in the sidebar") == 1
    assert seen.captions.count(SAME) == 6
    assert "Nothing to tell yet" in seen.captions
    seen.press("Open the sample queries instead")
    assert tuple(seen.numbers) == SIGNALS[6:]


def test_an_encoder_that_cannot_be_opened_leaves_the_way_back(overview):
    seen = overview(encoder="no/such<b>encoder")
    assert not seen.numbers
    seen.press("Open the packaged encoder instead")
    assert tuple(seen.numbers) == SIGNALS


def test_a_corpus_with_its_own_embeddings_has_no_layers(overview):
    rows = "".join(json.dumps({"text": f"text {i}"}) + "\n" for i in range(4))
    stored = io.BytesIO()
    np.save(stored, np.random.default_rng(0).normal(size=(4, 8)).astype("f4"))
    seen = overview(corpus="Upload").upload("own.jsonl", rows.encode())
    seen.upload("own.npy", stored.getvalue(), into="upload_vectors")
    assert {"Mean cosine", "Far out", "NDCG@10"} <= set(seen.numbers)
    assert "Label purity" not in seen.numbers
    assert seen.captions.count("came with the corpus") == 1
    assert seen.captions.count(SAME) == 1


def test_what_a_user_typed_is_shown_as_it_is(overview):
    hostile = "<script>alert(1)</script> **bold** [link](https://example.org) :red[red]"
    seen = overview(corpus="Paste").choose("pasted", f"{FOUR.rsplit(chr(10), 1)[0]}\n{hostile}")
    said = [part.value for part in seen.page.markdown] + list(links(seen))
    assert not any("<script>" in one or "](https" in one or " **bold**" in one for one in said)


def test_a_second_encoder_stands_beside_with_its_tests(overview):
    seen = overview(beside=PACKAGED_STATIC)
    table = seen.table("told").set_index("number")
    assert list(table.index) == list(SIGNALS)
    assert table.loc["NDCG@10", "told"] == "lower"
    assert table.loc["Mean cosine", "told"] == "higher"
    assert table.loc["Far out", "told"] == "not compared"
    assert table.loc["Settles", PACKAGED_STATIC] == "—"
    assert table.loc["Mean cosine", table.columns[0]] == seen.numbers["Mean cosine"]


def test_a_second_encoder_that_cannot_be_opened_is_refused_alone(overview):
    seen = overview(beside="no/such<b>encoder")
    assert len(seen.refusals) == 1
    assert tuple(seen.numbers) == SIGNALS


_WITHOUT_TORCH = """
import sys
from streamlit.testing.v1 import AppTest
page = AppTest.from_file(sys.argv[1], default_timeout=60).switch_page("pages/overview.py").run()
assert len(page.metric) == 8, page
assert not {"torch", "transformers", "umap", "sklearn"} & set(sys.modules), sorted(sys.modules)
"""


def test_the_first_paint_on_the_sample_needs_no_torch(root):
    done = subprocess.run(
        [sys.executable, "-c", _WITHOUT_TORCH, str(root / "app.py")], cwd=root, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2_000:]


def test_a_comparison_that_lacked_its_answers_is_not_kept_for_when_they_are_there():
    """A long search may be begun after the table was drawn for the first time: it is drawn anew then."""
    from types import SimpleNamespace

    from lib.overview import made_answers
    from lib.ui.overview.measured import compared
    from tests.query_spaces import made_set

    rng = np.random.default_rng(0)
    queries = made_set(10, 20)
    first, second = (
        made_answers(queries, rng.normal(size=(10, 6)), rng.normal(size=(20, 6)), bm25=False)[1] for _ in "ab"
    )
    asked = (SimpleNamespace(key="a search"), SimpleNamespace(key="another"))
    lacking = {one.name: one for one in compared(None, asked, None)}
    found = {one.name: one for one in compared(None, asked, (first, second))}
    assert lacking["ranks"].difference is None
    assert found["ranks"].difference is not None
