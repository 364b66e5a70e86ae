"""The Overview page in a real Chromium: at a glance, offline, and the way to the page behind a number."""

OVERFLOW = """() => {
  const main = document.querySelector('[data-testid="stMain"]');
  return main.scrollWidth - main.clientWidth;
}"""


def test_the_first_page_needs_no_network_and_leads_to_the_others(visit, server):
    seen = visit(f"{server}/?query_sample=topics")
    seen.until(lambda: len(seen.numbers) == 8)
    pictures = seen.page.locator('[data-testid="stHtml"] img')
    assert pictures.count() == 8
    assert all(one.get_attribute("alt") and one.evaluate("image => image.naturalWidth") for one in pictures.all())
    number = seen.numbers["Far out"].split(" of ")[0]
    seen.page.get_by_role("link", name="Which texts do not belong?").first.click()
    seen.page.get_by_role("heading", name="Geometry").wait_for()
    seen.settle()
    assert seen.query["view"] == ["Outliers"]
    assert seen.numbers["Flagged"].split(" (")[0] == number
    seen.sound()


def test_an_old_address_opens_what_it_showed(visit, server):
    seen = visit(f"{server}/?view=Dimension")
    seen.page.get_by_role("heading", name="Geometry").wait_for()
    seen.settle()
    assert "Participation ratio" in seen.numbers
    seen.sound()


def test_it_fits_a_narrow_screen(visit, server):
    seen = visit(f"{server}/overview", viewport={"width": 800, "height": 900})
    seen.until(lambda: len(seen.numbers) == 8)
    assert seen.page.evaluate(OVERFLOW) <= 0
    seen.sound()
