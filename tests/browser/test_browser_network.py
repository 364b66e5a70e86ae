"""Network in a real browser: drawn from the install alone, clicked, dragged, reopened by its link."""

from xml.etree import ElementTree

import pytest

pytestmark = pytest.mark.browser

ROOT = """() => [...document.querySelectorAll("*")].map((one) => one.shadowRoot?.querySelector(".network"))
    .find((one) => one?.dataset.drawn)"""
PLACE = f"""(id) => {{
    const root = ({ROOT})();
    const at = root.picture.net.canvasToDOM(root.picture.net.getPosition(id));
    const box = root.querySelector(".stage").getBoundingClientRect();
    return [box.left + at.x, box.top + at.y];
}}"""


def drawn(seen):
    """Wait for the picture, and bring it into sight, where it stands still."""
    seen.until(lambda: seen.page.evaluate(f"() => Boolean(({ROOT})())"))
    seen.settle()
    seen.page.evaluate(f"""() => ({ROOT})().scrollIntoView({{block: "center", behavior: "instant"}})""")
    seen.page.wait_for_timeout(500)
    return seen


def of(seen, what):
    """Something of the picture that is drawn."""
    return seen.page.evaluate(f"() => ({ROOT})().picture.{what}")


def test_a_node_is_clicked_and_its_link_reopens_it(server, visit):
    seen = drawn(visit(f"{server}/network"))
    feature = of(seen, "ranked[0].id")
    seen.page.mouse.click(*seen.page.evaluate(PLACE, feature))
    seen.page.get_by_text(f"What fires together with {feature}").wait_for()
    seen.until(lambda: f"network_node={feature}" in seen.page.evaluate("location.href"))
    seen.sound()
    again = drawn(visit(seen.page.evaluate("location.href")))
    again.until(lambda: of(again, "chosen") == feature)
    assert again.numbers == seen.numbers
    again.page.evaluate(f"() => ({ROOT})().querySelector('.vis-network').focus()")
    again.page.keyboard.press("n")  # by keyboard to the next
    following = of(again, "ranked[1].id")
    again.page.get_by_text(f"What fires together with {following}").wait_for()
    again.sound()


def test_what_is_dragged_stays_and_the_picture_can_be_saved(server, visit):
    seen = drawn(visit(f"{server}/network"))
    feature = of(seen, "ranked[0].id")
    x, y = before = seen.page.evaluate(PLACE, feature)
    seen.page.mouse.move(x, y)
    seen.page.mouse.down()
    seen.page.mouse.move(x + 30, y + 40, steps=5)
    seen.page.mouse.up()
    assert seen.page.evaluate(PLACE, feature)[1] - before[1] == pytest.approx(40, abs=12)
    moved = of(seen, f"net.getPosition({feature})")
    seen.page.locator(".st-key-network_colour").get_by_text("cluster").click()
    seen.settle()
    seen.until(lambda: of(seen, "data.groups.length") > 0)
    assert of(seen, f"net.getPosition({feature})") == pytest.approx(moved, abs=2)
    with seen.page.expect_download() as saved:
        seen.page.get_by_role("button", name="Save the picture as it is seen").click()
    assert saved.value.suggested_filename.startswith("network-picture-")
    assert saved.value.suggested_filename.endswith(".png")
    with seen.page.expect_download() as saved:
        seen.page.get_by_role("button", name="Save the picture as a drawing").click()
    parts = list(ElementTree.parse(saved.value.path()).iter())
    shapes = [part.get("d", "") for part in parts if part.tag.endswith("}path")]
    assert sum(path.startswith("M") and path.endswith("Z") for path in shapes) >= of(seen, "ranked.length")
    assert {part.tag.rsplit("}", 1)[1] for part in parts} <= {"svg", "g", "path", "text"}
    seen.sound()
