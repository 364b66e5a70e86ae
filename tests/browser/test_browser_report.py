"""A report in a real Chromium: opens offline, draws, sorts, asks nobody, and runs nothing that a text says."""
# ruff: noqa: F811 - a fixture is asked for by its name

import pytest

from lib.reports.page import page
from tests.toy_report import checkpoint, hostile, material, report, shelf  # noqa: F401


@pytest.fixture
def opened(chromium, report, tmp_path):
    """The file in a fresh offline context; what it asked for, and what the console said."""
    file = tmp_path / "report.html"
    file.write_text(page(report), encoding="utf-8")
    context = chromium.new_context(offline=True, viewport={"width": 800, "height": 900})
    tab = context.new_page()
    asked, said = [], []
    tab.on("request", lambda request: asked.append(request.url))
    tab.on("console", lambda message: said.append(message.text))
    tab.on("pageerror", lambda fault: said.append(str(fault)))
    tab.goto(file.as_uri())
    yield tab, asked, said, file
    context.close()


def test_it_opens_offline_draws_sorts_and_is_quiet(opened):
    tab, asked, said, file = opened
    pictures = tab.locator("[data-figure]")
    assert pictures.count() >= 10
    for place in range(pictures.count()):
        pictures.nth(place).scroll_into_view_if_needed()
        pictures.nth(place).locator(".main-svg").first.wait_for()
    table = tab.locator("#labels table")
    table.get_by_role("button", name="texts", exact=True).press("Enter")
    assert table.locator("th[aria-sort=ascending]").inner_text() == "texts"
    first = table.locator("th button").nth(3)
    values = "rows => [...rows].map(row => Number(row.cells[3].dataset.value))"
    first.click()
    ascending = table.locator("tbody tr").evaluate_all(values)
    first.click()
    assert table.locator("tbody tr").evaluate_all(values) == sorted(ascending, reverse=True)
    assert ascending == sorted(ascending)
    assert asked == [file.as_uri()]
    assert said == []
    assert tab.evaluate("typeof hacked") == "undefined"
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_script_that_slips_in_would_not_run(opened):
    tab, _, said, _ = opened
    tab.evaluate("document.body.append(Object.assign(document.createElement('script'), {textContent: 'hacked = 1'}))")
    assert tab.evaluate("typeof hacked") == "undefined"
    assert any("Content Security Policy" in line for line in said)
