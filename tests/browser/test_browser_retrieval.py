"""The Retrieval page in a real browser: first paint, every view, an uploaded set, a typed query, links, sizes."""

import json
from urllib.parse import urlencode

import pytest

pytestmark = pytest.mark.browser

ROWS = [
    {"query": "How do plants make food?", "document": "Photosynthesis turns light into sugar.", "topic": "nature"},
    {
        "query": "How do plants make food?",
        "document": "Ships carry steel to the harbour.",
        "relevance": 0,
        "topic": "nature",
    },
    {"query": "What keeps rent fair?", "document": "A cap limits how fast rent may rise.", "topic": "law"},
    {"query": "What keeps rent fair?", "document": "Violins are made of spruce.", "relevance": 0, "topic": "law"},
]


def test_a_typed_query_is_searched_and_its_address_reopens_it(server, visit):
    seen = visit(f"{server}/retrieval?{urlencode({'view': 'Search'})}")
    box = seen.page.get_by_role("textbox", name="Type a query")
    box.fill("may my landlord raise the rent")
    box.press("Enter")
    seen.settle()
    seen.until(lambda: "landlord" in seen.page.url)
    assert seen.page.locator('[data-testid="stDataFrame"]').first.is_visible()
    again = visit(seen.page.url)
    assert again.page.get_by_role("textbox", name="Type a query").input_value() == "may my landlord raise the rent"


def test_an_uploaded_set_is_measured_and_stays_when_the_page_changes(server, visit):
    seen = visit(f"{server}/retrieval?queries=Upload")
    content = "".join(json.dumps(row) + "\n" for row in ROWS).encode()
    seen.page.locator('[data-testid="stFileUploader"] input').set_input_files(
        {"name": "pairs.jsonl", "mimeType": "application/json", "buffer": content}
    )
    seen.settle()
    seen.until(lambda: seen.numbers.get("Recall@1"))
    assert seen.numbers["Recall@1"] == "1.000"
    assert seen.page.get_by_text("2 queries").first.is_visible()


def test_the_sidebars_choices_stay_when_the_page_changes(server, visit):
    seen = visit(f"{server}/geometry?label=subtopic&view=Dimension")
    seen.page.get_by_role("link", name="Retrieval").click()
    seen.until(lambda: "/retrieval" in seen.page.url)
    seen.settle()
    assert seen.page.get_by_text("156 queries").first.is_visible()
    seen.page.get_by_role("link", name="Geometry").click()
    seen.until(lambda: "label=subtopic" in seen.page.url)
    seen.settle()
    assert seen.page.get_by_text("26 labels").first.is_visible()
