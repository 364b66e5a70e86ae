"""Circuits and Faithfulness in a real browser: a column is clicked, a link reopens, both pages open."""

import re

import pytest

pytestmark = pytest.mark.browser

SUM = re.compile("contribution to the (cosine|lead)")
TEXT = "The patient presented with acute chest pain and elevated troponin levels."


def test_a_column_that_is_clicked_opens_and_its_address_reopens_it(server, visit):
    seen = visit(f"{server}/circuits?circuit_text={TEXT.replace(' ', '+')}")
    column = seen.page.locator("[data-column]").nth(2)
    column.wait_for()
    column.click()
    seen.until(lambda: "trace_column" in seen.query)
    seen.page.get_by_text("What fires at layer 2?").wait_for()
    again = visit(seen.page.evaluate("location.href"))
    again.page.get_by_text("What fires at layer 2?").wait_for()
    again.sound()


def test_the_graph_is_saved_as_a_picture_and_as_a_drawing(server, visit, tmp_path):
    seen = visit(f"{server}/circuits?circuit_text={TEXT.replace(' ', '+')}&circuit_feature=7")
    for kind, begins in (("png", b"\x89PNG"), ("svg", b"<svg")):
        with seen.page.expect_download() as saved:
            seen.page.get_by_role("button", name=kind.upper(), exact=True).click()
        assert saved.value.suggested_filename.startswith("circuits-circuit-7-")
        assert saved.value.suggested_filename.endswith(f".{kind}")
        saved.value.save_as(tmp_path / kind)
        assert (tmp_path / kind).read_bytes().startswith(begins)
    image = (tmp_path / "png").read_bytes()
    wide, high = int.from_bytes(image[16:20], "big"), int.from_bytes(image[20:24], "big")
    assert wide > 1_500
    assert high > 1_000
    seen.sound()


@pytest.mark.parametrize("address", ["diagnostics?view=Faithfulness", "retrieval?view=Faithfulness"])
def test_faithfulness_opens_from_both_pages(server, visit, address):
    seen = visit(f"{server}/{address}")
    seen.page.get_by_text(re.compile("Which features carry retrieval")).wait_for()
    seen.until(lambda: "Essential" in seen.numbers)
    seen.sound()


def test_a_hurt_query_is_chosen_and_its_address_reopens_it(server, visit):
    seen = visit(f"{server}/diagnostics?view=Faithfulness")
    seen.until(lambda: "Essential" in seen.numbers)
    seen.page.get_by_role("button", name="Why these documents?").click()
    seen.until(lambda: "faithfulness_query" in seen.query)
    seen.page.get_by_text(SUM).first.wait_for()
    again = visit(seen.page.evaluate("location.href"))
    again.page.get_by_text(SUM).first.wait_for()
    assert again.query["faithfulness_query"] == seen.query["faithfulness_query"]
    again.sound()
