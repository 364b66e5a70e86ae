"""Every page there is runs on the sample."""

from pathlib import Path

import pytest

PAGES = sorted(path.name for path in (Path(__file__).parents[2] / "pages").glob("*.py"))


def test_there_are_pages():
    assert "geometry.py" in PAGES


@pytest.mark.parametrize("name", PAGES)
def test_a_page_runs(app, name):
    shown = app()
    shown.page.switch_page(f"pages/{name}")
    shown.run()
    assert shown.page.title[0].value
    assert not shown.refusals


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_its_file_name_for_an_address(app, name):
    shown = app()
    registered = {Path(page["script_path"]).name: page for page in shown.page._registered_pages.values()}
    assert name in registered
    assert registered[name]["url_pathname"] in ("", name.removesuffix(".py"))
