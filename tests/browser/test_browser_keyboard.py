"""Own components by the keyboard alone: Tab reaches them, the focus is seen, Enter or Space does what a click does."""

import pytest

pytestmark = pytest.mark.browser

FOCUSED = """() => {
    let one = document.activeElement;
    while (one.shadowRoot && one.shadowRoot.activeElement) one = one.shadowRoot.activeElement;
    const style = getComputedStyle(one);
    const ring = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0 || style.boxShadow !== "none"
        || Boolean(one.closest("svg")) && style.stroke !== "none";
    return {name: one.getAttribute("aria-label") || one.innerText || "", tag: one.tagName, ring};
}"""
MOST = 90  # presses of Tab


def reach(seen, name, start):
    """Press Tab, from `start` on, until what is called `name` has the focus; it must be seen to have it."""
    start.focus()
    passed = []
    for _ in range(MOST):
        at = seen.page.evaluate(FOCUSED)
        if at["name"].startswith(name):
            assert at["ring"], f"{name} shows no focus"
            return
        passed.append(at["name"][:30])
        seen.page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not reach {name}: {passed}")


def first(seen):
    """Where the page's own row begins."""
    return seen.page.get_by_role("button", name="Copy the link to this view")


def test_the_link_is_copied_and_a_picture_saved(server, visit):
    seen = visit(f"{server}/geometry?view=Anisotropy", permissions=["clipboard-read", "clipboard-write"])
    seen.chart("cosines")
    reach(seen, "Copy the link", first(seen))
    seen.page.keyboard.press("Enter")
    seen.until(lambda: "/geometry" in seen.page.evaluate("navigator.clipboard.readText()"))
    with seen.page.expect_download() as saved:
        reach(seen, "Save the picture as it is seen, as SVG", first(seen))
        seen.page.keyboard.press("Space")
    assert saved.value.suggested_filename.endswith(".svg")
    seen.sound()


def test_a_layer_of_a_circuit_is_opened(server, visit):
    seen = visit(f"{server}/circuits?circuit_text=The+patient+has+chest+pain.")
    seen.page.locator("[data-column]").nth(2).wait_for()
    name = seen.page.locator("[data-column]").nth(2).get_attribute("aria-label")
    reach(seen, name, seen.page.locator("[data-column]").first)
    seen.page.keyboard.press("Enter")
    seen.until(lambda: "trace_column" in seen.query)
    seen.sound()


def test_a_feature_of_the_network_is_chosen(server, visit):
    seen = visit(f"{server}/network")
    seen.page.locator(".vis-network canvas").wait_for()
    reach(seen, "Co-activation network", first(seen))
    seen.page.keyboard.press("n")
    seen.until(lambda: "network_node" in seen.query)
    seen.sound()
