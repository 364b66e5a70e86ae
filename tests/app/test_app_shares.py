"""A share link: one session makes it, another opens it, and who made it takes it back."""

import json
import re
import time
from urllib.parse import parse_qs

import pandas as pd
import pytest

from lib.corpora import load_query_set, load_sample, pairs_jsonl
from lib.shares import Bundle, Shares, default_shares
from lib.ui.sharing import opened

TEXTS = load_sample("topics").texts[:12]
"""Private ones, let us say; their vectors ship, so that nothing has to be encoded."""
CSV = pd.DataFrame({"body": TEXTS, "topic": ["a", "b", "c"] * 4, "year": range(12)}).to_csv(index=False)
FAST = {"map": "PCA", "clusters": "k-means"}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Shares of this test alone."""
    monkeypatch.setenv("EMBEDSCOPE_SHARES", str(tmp_path / "shares"))
    opened._held.clear()
    opened._swept.clear()
    return tmp_path / "shares"


def links(page):
    """The share link and the deletion link that are shown, as queries."""
    codes = [code.value for code in page.page.get("code") if code.value.startswith(("?", "http"))]  # not the snippets
    shown = [parse_qs(code.partition("?")[2]) for code in codes]
    return [{name: values[0] for name, values in query.items()} for query in shown]


def shared(page):
    """Make a link: what its address carries, and what the deletion link's does."""
    share, deletion = links(page.press("Create the link"))
    return share, deletion


def content(folder):
    """Names in a folder of shares but for its lock."""
    return sorted(path.suffix for path in folder.glob("*.*") if path.name != ".lock")


def test_an_upload_opens_elsewhere(app, upload, folder):
    """Same numbers, labels and columns; the link says what it carries before it is made, and nothing goes before."""
    maker = upload("animals.csv", CSV.encode(), view="Anisotropy")
    assert not folder.exists()
    told = "\n".join(text.value for text in maker.page.markdown)
    assert "Whoever has the link can open it" in told
    assert re.search(r"12 texts of animals\\.csv with their labels, 1 other column \(year\): “", told)
    link, _ = shared(maker)
    assert link["corpus"] == "Shared"
    assert link["view"] == "Anisotropy"
    reader = app(**link)
    assert reader.numbers == maker.numbers
    assert reader.numbers
    assert "12 texts · 3 labels" in reader.captions
    assert "Shared by link, until" in reader.captions
    assert "Download the texts" in [button.label for button in reader.page.get("download_button")]
    assert "Create share link" not in [one.proto.popover.label for one in reader.page.get("popover")]


def test_the_sample_needs_no_link(app, folder):
    """Nothing private on the screen: no button, no folder."""
    page = app(view="Hubs")
    assert "Create the link" not in page.buttons
    assert not folder.exists()


def test_pasted_text_and_a_second_press(paste, app, folder):
    """The same texts have one link in a session; other texts have another, and the first is still there to delete."""
    maker = paste(TEXTS)
    link, _ = shared(maker)
    assert "pasted" not in link
    assert app(**link).numbers == maker.numbers
    assert links(maker.run())[0]["share"] == link["share"]
    maker.choose("pasted", "\n".join(reversed(TEXTS)))
    other, _ = shared(maker)
    assert other["share"] != link["share"]
    assert "1 other link of this session" in maker.captions
    maker.press("Delete")
    assert "of this session" not in maker.captions
    assert "opens nothing" in app(**link).refusals[0]
    maker.press("Delete it now")
    assert content(folder) == []


def test_a_dead_link_offers_the_sample(app, paste):
    """Deleted while somebody looks at it, or guessed: one sentence, and the sample one press away."""
    maker = paste(TEXTS)
    link, _ = shared(maker)
    reader = app(**link)
    maker.press("Delete it now")
    reader.run()
    assert len(reader.refusals) == 1
    assert "opens nothing" in reader.refusals[0]
    for share in ("A" * 22, "../../../etc/passwd", "<script>alert(1)</script>", ""):
        assert app(corpus="Shared", share=share).refusals == reader.refusals
    assert app(corpus="Shared").refusals == reader.refusals
    reader.press("Open the sample instead")
    assert not reader.refusals
    assert reader.numbers
    assert "share" not in reader.page.query_params


def test_a_deletion_link(app, paste):
    """It asks first, leaves the address at once, and works once."""
    link, deletion = shared(paste(TEXTS))
    assert set(deletion) == {"unshare"}
    asked = app(**FAST, **deletion)
    assert "unshare" not in asked.page.query_params
    assert app(**link).numbers
    asked.press("Keep it")
    assert "Delete it" not in asked.buttons
    done = app(**FAST, **deletion).press("Delete it")
    assert "its share link opens nothing any more" in done.page.success[0].value
    assert "opens nothing" in app(**link).refusals[0]
    again = app(**FAST, **deletion).press("Delete it")
    assert "nothing that this deletion link could delete" in again.refusals[0]


def test_a_query_set_opens_elsewhere(app):
    """On the page that asks for it; the page about a corpus beside it knows nothing of it."""
    queries = load_query_set("lab")
    maker = app(page="retrieval", queries="Upload")
    maker.upload("lab.jsonl", pairs_jsonl(queries), into="query_files")
    link, _ = shared(maker)
    assert link["queries"] == "Shared"
    assert "corpus" not in link
    reader = app(page="retrieval", **link)
    assert reader.numbers == maker.numbers
    assert reader.numbers
    assert "Shared by link, until" in reader.captions
    reader.choose("queries", "Sample")
    assert "share" not in reader.page.query_params
    reader.choose("queries", "Shared")
    assert reader.page.query_params["share"] == link["share"]
    assert reader.numbers == maker.numbers


def test_a_query_set_chosen_in_a_view(with_sae):
    """Where the view asks for it, and not the sidebar, the link takes it along; under another view it does not."""
    page = with_sae("diagnostics", view="Faithfulness", queries="Upload")
    assert "Create the link" not in page.buttons
    page.upload("lab.jsonl", pairs_jsonl(load_query_set("lab")), into="query_files")
    link, _ = shared(page)
    assert link["queries"] == "Shared"
    assert link["view"] == "Faithfulness"
    assert with_sae("diagnostics", **link).numbers == page.numbers


def test_what_is_handed_on_ends_with_its_source(with_sae):
    """Shared texts beside an own query set: the new link holds both, and ends when the first does."""
    place = {"view": "Faithfulness"}
    maker = with_sae("diagnostics", corpus="Paste", **place).choose("pasted", "\n".join(TEXTS))
    link, _ = shared(maker)
    assert "queries" not in link
    second = with_sae("diagnostics", **{**link, "queries": "Upload"})
    second.upload("lab.jsonl", pairs_jsonl(load_query_set("lab")), into="query_files")
    second.choose("share_days", 30.0)
    both, _ = shared(second)
    assert both["share"] != link["share"]
    first, last = (default_shares().look(one["share"]) for one in (link, both))
    assert last.holds == ("corpus", "queries")
    assert last.expires == first.expires
    third = with_sae("diagnostics", **both)
    assert "12 texts" in third.captions
    assert third.captions.count("Shared by link") == 2
    assert third.numbers == second.numbers


def test_embeddings_of_ones_own(upload, app):
    """They go along, and the encoder stays unused on both sides."""
    rows = [{"text": f"text {i}", "vector": [i % 3, i % 5, i % 7, 1.0, i, 0.5, -i, i * i]} for i in range(12)]
    maker = upload("own.jsonl", "".join(json.dumps(row) + "\n" for row in rows).encode(), view="Anisotropy")
    link, _ = shared(maker)
    reader = app(**link)
    assert "with their own 8-d embeddings" in reader.captions
    assert reader.numbers == maker.numbers


def test_the_owner_switched_it_off(paste, app, monkeypatch):
    """The button says so, and so does a link that was made before."""
    maker = paste(TEXTS)
    link, _ = shared(maker)
    monkeypatch.setenv("EMBEDSCOPE_SHARE_LINKS", "off")
    assert "switched share links off" in maker.run().refusals[0]
    assert "switched share links off" in app(**link).refusals[0]
    monkeypatch.setenv("EMBEDSCOPE_SHARE_LINKS", "perhaps")
    assert "EMBEDSCOPE" not in json.dumps([maker.run().numbers])


def test_too_much_is_refused(paste, monkeypatch):
    """Larger than the owner allows, and more links than a session may make in an hour."""
    monkeypatch.setenv("EMBEDSCOPE_SHARE_MB", "0.001")
    maker = paste(TEXTS).press("Create the link")
    assert "a share link may hold 0\\.001 MB here" in maker.refusals[0]
    monkeypatch.delenv("EMBEDSCOPE_SHARE_MB")
    maker.page.session_state["_shares_pace"] = [time.time()] * 10
    assert r"which is the most\: wait 60 min" in maker.press("Create the link").refusals[0]


def test_hostile_names_are_text(upload, app):
    """Of the file, its columns and its texts: before the link is made, and where it is opened."""
    name = "[x](http://evil.example)<b>.jsonl"
    rows = [{"text": f"**bold** :red[{i}] <script>", "<img src=x>": i, "vector": [i % 3, i, 0.5, i * i, 2, 3, 4, 5]}
            for i in range(12)]  # fmt: skip
    maker = upload(name, "".join(json.dumps(row) + "\n" for row in rows).encode())
    told = "\n".join(text.value for text in maker.page.markdown)
    assert r"\[x\]" in told
    assert r"\<img src\=x\>" in told
    assert r"\*\*bold\*\*" in told
    link, _ = shared(maker)
    assert not app(**link).refusals


def test_expired_ones_go_when_somebody_comes(app, folder, sae):
    """The first page that asks after an hour removes them from the disk."""
    past = Shares(folder, clock=lambda: 1_000_000_000.0)
    past.create(Bundle(queries=load_query_set("lab")), days=1)
    assert content(folder) == [".json", ".safetensors"]
    app(view="Hubs", corpus="Shared", share="A" * 22)
    assert content(folder) == []
