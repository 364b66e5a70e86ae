"""A share link in a real browser: made in one, opened in another, taken back."""

import re
from urllib.parse import parse_qs, urlsplit

import pandas as pd
import pytest

from lib.corpora import load_sample

pytestmark = pytest.mark.browser

HOSTILE = "<img src=x onerror=window.harmed=1>"
CSV = pd.DataFrame(
    {"text": load_sample("topics").texts[:12], "topic": ["a", "b", HOSTILE] * 4, HOSTILE: range(12)}
).to_csv(index=False)


def offer(seen):
    """Open the popover, and wait until it is there."""
    seen.page.get_by_role("button", name="Create share link").click()
    seen.page.get_by_text("Whoever has the link can open it").wait_for()


def test_from_one_browser_to_another(server, visit):
    maker = visit(f"{server}/geometry?view=Hubs&corpus=Upload&map=PCA")
    maker.page.locator(".st-key-upload_file input[type=file]").set_input_files(
        {"name": f"mine{HOSTILE}.csv", "mimeType": "text/csv", "buffer": CSV.encode()}
    )
    maker.until(lambda: maker.numbers)
    maker.settle()
    offer(maker)
    maker.page.get_by_role("button", name="Create the link").click()
    codes = maker.page.locator('[data-testid="stPopoverBody"] [data-testid="stCode"] code')
    codes.first.wait_for()
    maker.settle()
    link = codes.first.inner_text().strip()
    assert link.startswith(f"{server}/geometry?")
    assert parse_qs(urlsplit(link).query)["view"] == ["Hubs"]
    assert "share" not in maker.query

    reader = visit(link)
    assert reader.numbers == maker.numbers
    assert reader.page.get_by_text("Shared by link, until").is_visible()
    for seen in (maker, reader):
        assert seen.page.evaluate("window.harmed") is None
    with reader.page.expect_download() as file:
        reader.page.get_by_role("button", name="Download the texts").click()
    assert file.value.path().read_text().count("\n") == 12
    reader.tab("Outliers")
    reader.page.get_by_test_id("stSidebarNav").get_by_role("link", name="Glossary").click()
    reader.settle()
    reader.until(lambda: reader.query.get("share") == parse_qs(urlsplit(link).query)["share"])
    assert reader.query["corpus"] == ["Shared"]

    maker.page.get_by_role("button", name="Delete it now").click()
    maker.settle()
    late = visit(link)
    late.page.get_by_text(re.compile("This share link opens nothing")).wait_for()
    late.page.get_by_role("button", name="Open the sample instead").click()
    late.settle()
    assert late.numbers
    assert late.numbers != maker.numbers
    late.until(lambda: "share" not in late.query and "corpus" not in late.query)
    for seen in (maker, reader, late):
        seen.sound()


def test_a_deletion_link(server, visit):
    maker = visit(f"{server}/geometry?view=Hubs&corpus=Paste")
    box = maker.page.locator(".st-key-pasted textarea")
    box.fill("\n".join(load_sample("topics").texts[:5]))
    box.blur()
    maker.until(lambda: maker.numbers)
    maker.settle()
    offer(maker)
    maker.page.get_by_role("button", name="Create the link").click()
    maker.page.get_by_text("To delete it later").click()
    codes = maker.page.locator('[data-testid="stPopoverBody"] [data-testid="stCode"] code')
    maker.until(lambda: codes.count() == 2)
    link, deletion = (code.inner_text().strip() for code in codes.all())
    done = visit(deletion)
    done.until(lambda: not done.query)
    done.page.get_by_role("button", name="Delete it", exact=True).click()
    done.page.get_by_text("its share link opens nothing any more").wait_for()
    late = visit(link)
    late.page.get_by_text(re.compile("This share link opens nothing")).wait_for()
    for seen in (maker, done, late):
        seen.sound()
