"""The tour, the glossary and the last tenth in a real Chromium: the keyboard."""

import pytest

from lib.ui.tour import STEPS

pytestmark = pytest.mark.browser

RINGED = "() => [...document.querySelectorAll('*')].filter((one) => one.style.outline.includes('solid')).length"


def card(seen):
    return seen.page.get_by_role("dialog", name="Tour")


def test_the_tour_is_read_once(server, visit):
    seen = visit(server, tour=True)
    card(seen).wait_for()
    assert not seen.page.evaluate(RINGED)
    for number, step in enumerate(STEPS, start=1):
        assert card(seen).get_by_role("status").inner_text() == f"Step {number} of {len(STEPS)}"
        assert card(seen).get_by_role("heading").inner_text() == step.title
        if step.at:
            assert seen.page.evaluate(RINGED) == 1, step.title
        following = card(seen).get_by_role("button", name="Done" if number == len(STEPS) else "Next")
        following.focus()
        seen.page.keyboard.press("Enter")
    card(seen).wait_for(state="hidden")
    seen.settle()
    assert not seen.page.evaluate(RINGED)
    seen.page.goto(server)
    seen.settle()
    assert not card(seen).is_visible()
    seen.page.locator('.st-key-toolbar [data-testid="stPopoverButton"]', has_text="Help").first.click()
    seen.page.get_by_role("button", name="Take the tour").click()
    card(seen).wait_for()
    seen.page.keyboard.press("Escape")  # the popover of the help
    card(seen).get_by_role("button", name="Skip the tour").click()
    card(seen).wait_for(state="hidden")
    seen.sound()


def test_escape_ends_the_tour(server, visit):
    seen = visit(server, tour=True)
    card(seen).wait_for()
    seen.page.keyboard.press("Escape")
    card(seen).wait_for(state="hidden")
    assert not seen.page.evaluate(RINGED)
    seen.page.reload()
    seen.settle()
    assert not card(seen).is_visible()
    seen.sound()


def test_a_deep_link_starts_no_tour_and_the_glossary_draws_its_formulas(server, visit):
    seen = visit(f"{server}/glossary?term=anisotropy", tour=True)
    seen.page.locator(".katex-html").first.wait_for()
    assert not seen.page.locator(".katex-error").count()
    assert not card(seen).is_visible()
    seen.page.get_by_role("button", name="All terms").click()
    seen.settle()
    seen.until(lambda: seen.page.locator(".katex-html").count() > 40)
    assert not seen.page.locator(".katex-error").count()
    assert "term" not in seen.query
    seen.page.get_by_role("textbox", name="Search").fill("hubness")
    seen.page.keyboard.press("Enter")
    seen.until(lambda: "/glossary" in seen.page.url and seen.query.get("glossary_search") == ["hubness"])
    seen.sound()
