"""The Layers page in a real browser: first paint, a clicked head, an encoder without layers, sizes and themes."""

import pytest

pytestmark = pytest.mark.browser


def test_a_clicked_head_shows_its_map_and_stands_in_the_address(server, visit):
    seen = visit(f"{server}/layers?view=Heads")
    heads = seen.chart("heads_map")
    assert seen.chart("head_on_text").is_visible()
    cells = heads.locator(".scatterlayer .point")
    seen.until(lambda: cells.count() >= 72)
    box = heads.locator(".nsewdrag").first.bounding_box()
    seen.page.mouse.click(box["x"] + box["width"] * 6.5 / 12, box["y"] + box["height"] * 4.5 / 6)
    seen.settle()
    seen.until(lambda: "head=" in seen.page.url)
    chosen = seen.page.url.split("head=")[1].split("&")[0]
    layer, head = chosen.split(".")
    assert seen.page.get_by_text(f"Where does head {head} of layer {layer} look?").is_visible()
    again = visit(seen.page.url)
    assert again.page.get_by_text(f"Where does head {head} of layer {layer} look?").is_visible()
    assert not seen.complaints
