"""Circuits, Steering and Faithfulness in a real browser: a column is clicked, a delta is moved, a link reopens."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest

pytestmark = pytest.mark.browser

TEXT = "The patient presented with acute chest pain and elevated troponin levels."


@pytest.fixture(scope="module")
def server(chromium, serve):
    """One server for all journeys."""
    with serve() as address:
        yield address


def _sound(seen):
    assert not seen.page.locator('[data-testid="stException"]:visible').count()
    assert not seen.foreign()
    assert not seen.complaints


def _query(seen):
    return parse_qs(urlsplit(seen.page.evaluate("location.href")).query)


def test_a_column_that_is_clicked_opens_and_its_address_reopens_it(server, visit):
    seen = visit(f"{server}/circuits?circuit_text={TEXT.replace(' ', '+')}")
    column = seen.page.locator("[data-column]").nth(2)
    column.wait_for()
    column.click()
    seen.until(lambda: "trace_column" in _query(seen))
    seen.page.get_by_text("What fires at layer 2?").wait_for()
    again = visit(seen.page.evaluate("location.href"))
    again.page.get_by_text("What fires at layer 2?").wait_for()
    _sound(again)


def test_a_delta_that_is_moved_moves_the_ranking(server, visit):
    seen = visit(f"{server}/steering")
    handle = seen.page.get_by_role("slider").first
    handle.wait_for()
    before = seen.numbers["Cosine shift"]
    handle.focus()
    for _ in range(3):
        handle.press("ArrowRight")
    seen.settle()
    seen.until(lambda: seen.numbers["Cosine shift"] != before)
    moved = seen.numbers
    again = visit(seen.page.evaluate("location.href"))
    again.until(lambda: again.numbers == moved)
    _sound(again)


@pytest.mark.parametrize("address", ["diagnostics?view=Faithfulness", "retrieval?view=Faithfulness"])
def test_faithfulness_opens_from_both_pages(server, visit, address):
    seen = visit(f"{server}/{address}")
    seen.page.get_by_text(re.compile("Which features carry retrieval")).wait_for()
    seen.until(lambda: "Essential" in seen.numbers)
    _sound(seen)
