"""A new user's walk, offline: own texts and queries, a link to a colleague, an encoder whose hub is out of reach."""

import json
import re
from itertools import pairwise

import pandas as pd
import pytest

pytestmark = pytest.mark.browser

ABOUT = {
    "refund": ("I was charged twice.", "My refund has not arrived.", "How do I send back shoes?", "Half is missing."),
    "delivery": ("Where is my parcel?", "Kann ich die Lieferadresse ändern?", "荷物が届かない", "It is lost."),
    "account": ("I cannot log in.", 'It says "wrong", but it is not.', "Delete my data, <b>please</b>.", "=SUM(A1:A3)"),
}
ROWS = [(text, name) for name, texts in ABOUT.items() for text in texts]
CSV = pd.DataFrame([*ROWS, ("", ""), ROWS[0]], columns=["text", "category"]).to_csv(index=False).encode()
ASKED = [("charged two times", 0), ("sign in fails", 8), ("lost parcel", 4), ("remove my account", 10)]
PAIRS = "\n".join(
    json.dumps({"query": query, "document": ROWS[at][0], "relevance": 1, "topic": ROWS[at][1]}) for query, at in ASKED
).encode()


def give(seen, key, name, content):
    """Put a file into an uploader."""
    place = seen.page.locator(f".st-key-{key} input[type=file]")
    place.set_input_files({"name": name, "mimeType": "application/octet-stream", "buffer": content})


def go(seen, name):
    """Open a page by the sidebar."""
    seen.page.get_by_test_id("stSidebarNav").get_by_role("link", name=name).click()
    seen.page.locator('[data-testid="stMain"] h1', has_text=name).wait_for()
    seen.settle()


def measured(seen, label):
    """Wait for a number: a fresh server first loads what encodes."""
    seen.page.locator('[data-testid="stMetric"]', has_text=label).first.wait_for(timeout=90_000)
    seen.settle()


def test_walk(chromium, serve, visit):
    with serve(HF_HUB_OFFLINE="1") as server:
        mine = visit(f"{server}/geometry?view=Hubs&corpus=Upload&map=PCA")
        give(mine, "upload_file", "my tickets – Ü.csv", CSV)
        measured(mine, "Skewness")
        assert mine.page.get_by_text("13 texts · 3 labels").is_visible()
        assert mine.page.get_by_text("1 row without a text dropped.").is_visible()
        found = mine.numbers

        go(mine, "Retrieval")
        mine.page.locator(".st-key-queries").get_by_role("radio", name="Upload").click()
        give(mine, "query_files", "mine.jsonl", PAIRS)
        measured(mine, "NDCG@10")
        quality = mine.numbers["NDCG@10"]

        go(mine, "Overview")  # both files are still here
        for label in ("Mean cosine", "NDCG@10"):
            measured(mine, label)
        assert mine.page.get_by_text("Still here: my tickets – Ü.csv").is_visible()
        assert mine.numbers["NDCG@10"] == quality

        row = mine.page.locator(".st-key-toolbar")
        buttons = [box.bounding_box() for box in row.get_by_role("button").all() if box.is_visible()]
        buttons.sort(key=lambda box: box["x"])
        assert len(buttons) == 4
        gaps = [right["x"] - left["x"] - left["width"] for left, right in pairwise(buttons)]
        assert max(gaps) < 30  # one compact row
        assert buttons[-1]["x"] + buttons[-1]["width"] == pytest.approx(
            row.bounding_box()["x"] + row.bounding_box()["width"], abs=2
        )

        mine.page.get_by_role("button", name="Create share link").click()
        mine.page.get_by_role("button", name="Create the link").click()
        link = mine.page.locator('[data-testid="stPopoverBody"] [data-testid="stCode"] code').first
        link.wait_for()
        theirs = visit(link.inner_text().strip().replace("/?", "/geometry?view=Hubs&map=PCA&", 1))
        assert theirs.numbers == found

        refused = visit(f"{server}/geometry?view=Hubs&map=PCA&encoder=intfloat%2Fe5-small-v2")
        assert refused.page.get_by_text(re.compile("intfloat/e5-small-v2.*hub")).first.is_visible()
        refused.page.get_by_role("button", name="Open the packaged encoder instead").click()
        measured(refused, "Skewness")
        refused.until(lambda: "encoder" not in refused.query)
        for seen in (mine, theirs, refused):
            seen.sound()
