"""Copy link in a real browser: what the clipboard holds opens the same view for somebody else."""

import re

import pytest

pytestmark = pytest.mark.browser

CLIPBOARD = ["clipboard-read", "clipboard-write"]
SELECTED = """() => document.querySelector('.st-key-map_2d .js-plotly-plot').data
    .filter((trace) => trace.customdata)
    .reduce((sum, trace) => sum + (trace.selectedpoints ? trace.selectedpoints.length : 0), 0)"""


def button(seen):
    return seen.page.get_by_role("button", name="Copy the link to this view")


def copied(seen):
    """Press the button by the keyboard; the address in the clipboard."""
    button(seen).focus()
    seen.page.keyboard.press("Enter")
    seen.page.get_by_text("Copied", exact=True).wait_for()
    return seen.page.evaluate("navigator.clipboard.readText()")


def lasso(seen):
    plot = seen.chart("map_2d").locator(".nsewdrag").first
    seen.until(plot.bounding_box)  # it may be drawn anew
    plot.scroll_into_view_if_needed()
    box, mouse = plot.bounding_box(), seen.page.mouse
    at = [(box["x"] + x * box["width"], box["y"] + y * box["height"])
          for x, y in ((0.15, 0.15), (0.5, 0.1), (0.52, 0.85), (0.15, 0.9), (0.15, 0.2))]  # fmt: skip
    mouse.move(*at[0])
    mouse.down()
    for x, y in at[1:]:
        mouse.move(x, y, steps=6)
    mouse.up()
    return chosen(seen)


def chosen(seen):
    header = seen.page.get_by_text(re.compile(r"^Selected \(\d+\)$"))
    header.wait_for()
    return int(re.search(r"\d+", header.inner_text())[0])


def test_a_map_with_a_selection_opens_for_somebody_else(server, visit):
    first = visit(f"{server}/geometry?map=PCA&clusters=k-means&flags=false", permissions=CLIPBOARD)
    first.page.locator(".st-key-colour input").click()
    first.page.get_by_role("option", name="cluster", exact=True).click()
    first.settle()
    count = lasso(first)
    first.until(lambda: "selected" in first.query)
    link = copied(first)
    assert link == first.page.url
    second = visit(link)
    assert chosen(second) == count
    second.until(lambda: second.page.evaluate(SELECTED) == count)  # the others are dimmed there, too
    assert second.numbers == first.numbers
    assert copied_address(second) == link
    second.page.get_by_role("button", name="Clear the selection").click()
    second.page.get_by_text(re.compile(r"^Far from any cluster")).wait_for()
    second.until(lambda: "selected" not in second.query)
    second.settle()
    assert 0 < lasso(second) < 402  # one can be drawn over what an address had chosen
    for seen in (first, second):
        seen.sound()


def copied_address(seen):
    return seen.page.evaluate("location.href")


def test_choices_follow_to_other_pages_and_into_their_links(server, visit):
    first = visit(f"{server}/geometry?view=Hubs&label=subtopic&k=20", permissions=CLIPBOARD)
    numbers = first.numbers
    pages = first.page.locator('[data-testid="stSidebarNav"]')
    pages.get_by_text("Glossary").click()
    first.settle()
    pages.get_by_text("Geometry").click()
    first.settle()
    first.until(lambda: first.numbers == numbers)
    second = visit(copied(first))
    second.until(lambda: second.numbers == numbers)
    assert second.query == {"view": ["Hubs"], "label": ["subtopic"], "k": ["20"]}


@pytest.mark.parametrize("width", [1400, 800])
def test_it_says_what_an_address_cannot_carry(server, visit, width):
    seen = visit(f"{server}/geometry?corpus=Paste", permissions=CLIPBOARD, viewport={"width": width, "height": 800})
    assert copied(seen).endswith("/geometry?corpus=Paste")
    said = seen.page.locator(".st-key-copy_link .said")
    assert "Your texts stay in your session" in said.inner_text()
    assert "an address of your own machine" in said.inner_text()
    box = said.bounding_box()
    left = seen.page.locator('[data-testid="stMain"]').bounding_box()["x"]
    assert left <= box["x"]
    assert box["x"] + box["width"] <= width
    seen.page.keyboard.press("Escape")
    said.wait_for(state="hidden")
    assert button(seen).get_attribute("aria-expanded") == "false"
    seen.page.get_by_text("Copy link", exact=True).wait_for()
    copied(seen)
    assert "own machine" not in said.inner_text()  # once a visit is enough
    seen.sound()


def test_where_the_clipboard_is_closed(server, visit):
    """As on a page without https: the old way is taken; where that fails too, the address is there to be copied."""
    seen = visit(f"{server}/glossary?term=<script>alert(1)</script>" + "x" * 8_000)
    seen.page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    button(seen).click()
    seen.page.get_by_text("Copied", exact=True).wait_for()
    said = seen.page.locator(".st-key-copy_link .said")
    assert "mail and chat programs may cut it off beyond 8\u202f000" in said.inner_text()
    seen.page.evaluate("document.execCommand = () => false")
    button(seen).click()
    field = seen.page.get_by_role("textbox", name="The address of this view")
    field.wait_for()
    assert field.input_value() == seen.page.url
    assert field.evaluate("field => field.getRootNode().activeElement === field && field.selectionEnd > 8000")
    seen.sound()
