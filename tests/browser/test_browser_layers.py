"""The Layers page in a real browser: first paint, a clicked head, an encoder without layers, sizes and themes."""

import pytest

pytestmark = pytest.mark.browser


def test_first_paint_by_address(server, visit):
    seen = visit(f"{server}/layers")
    for key in ("build_cosines", "build_agreement", "build_dimensions"):
        assert seen.chart(key).is_visible()
    assert set(seen.numbers) == {"Settles", "Most changes", "Collapse", "Output"}
    assert not seen.foreign()
    assert not seen.complaints


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


@pytest.mark.parametrize(("view", "scheme"), [("Build-up", "light"), ("Heads", "dark")])
def test_nothing_is_cut_off_at_800_pixels(server, visit, view, scheme):
    seen = visit(f"{server}/layers?view={view}", viewport={"width": 800, "height": 1000}, color_scheme=scheme)
    seen.chart("build_cosines" if view == "Build-up" else "heads_map")
    assert (
        seen.page.evaluate(
            "document.querySelector('[data-testid=stMain]').scrollWidth"
            " - document.querySelector('[data-testid=stMain]').clientWidth"
        )
        <= 1
    )
