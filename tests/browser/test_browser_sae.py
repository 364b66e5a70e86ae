"""SAE Features and Diagnostics in a real browser: first paint, views, typed texts, links, a training to its end."""

from urllib.parse import urlencode

import pytest

pytestmark = pytest.mark.browser

TEXT = "My landlord will not return the deposit."


def test_a_typed_text_is_taken_apart_and_its_address_reopens_it(server, visit):
    seen = visit(f"{server}/sae_features")
    before = seen.numbers
    box = seen.page.get_by_label("Text", exact=True)
    box.fill(TEXT)
    box.press("Control+Enter")
    seen.settle()
    seen.until(lambda: "landlord" in seen.page.evaluate("location.href"))
    seen.until(lambda: seen.numbers != before)
    seen.page.get_by_text("landlord").locator("visible=true").last.wait_for()
    again = visit(seen.page.evaluate("location.href"))
    again.until(lambda: again.page.get_by_label("Text", exact=True).input_value() == TEXT)
    again.until(lambda: again.numbers == seen.numbers)
    again.sound()


def test_text_from_a_stranger_s_link_is_shown_as_text(server, visit):
    hostile = '<img src=x onerror="document.title=1"> <script>document.title=2</script> **bold**'
    seen = visit(f"{server}/sae_features?{urlencode({'text': hostile})}")
    seen.chart("decompose_bars")
    seen.page.wait_for_timeout(500)
    assert seen.page.title() not in {"1", "2"}
    assert not seen.page.locator('[data-testid="stMain"] img[src="x"]').count()
    seen.sound()


def test_a_link_to_a_feature_opens_it_and_a_click_opens_another(server, visit):
    seen = visit(f"{server}/sae_features?feature=319")
    seen.until(lambda: seen.page.get_by_role("tab", name="Browser").get_attribute("aria-selected") == "true")
    seen.until(lambda: seen.page.get_by_role("textbox", name="Open feature").input_value() == "319")
    box = seen.page.get_by_role("textbox", name="Open feature")
    box.fill("7")
    box.press("Enter")
    seen.settle()
    seen.until(lambda: "feature=7" in seen.page.evaluate("location.href"))
    seen.sound()


def test_a_training_is_watched_to_its_end_and_its_dictionary_used(server, visit):
    seen = visit(f"{server}/sae_features?{urlencode({'view': 'Train'})}")
    seen.page.get_by_role("button", name="Start training").click()
    seen.page.get_by_role("button", name="Use this SAE").wait_for(timeout=120_000)
    address = seen.page.evaluate("location.href")
    assert "run=" in address
    again = visit(address)
    again.page.get_by_role("button", name="Use this SAE").click()
    again.settle()
    again.tab("Decompose")
    again.chart("decompose_bars")
    assert "of 64" in again.numbers["Active features"]
    assert not again.foreign()
