"""What is taken away from a page of hostile texts and labels does nothing on its own: pictures, pages, tables."""

import csv
import json
import struct
from xml.etree import ElementTree

import pytest

pytestmark = pytest.mark.browser

HOSTILE = "=<script>pwned=1</script><img src=x onerror=pwned=1>"
LABELS = (HOSTILE, "-1+1|calc;=2+2")


@pytest.fixture
def taken(server, visit, tmp_path):
    """The Labels view of an upload whose labels are hostile, and `take(button)`: presses it and keeps the file."""
    rows = [
        (f"{sign} text {i} of {label}", label, json.dumps([at, 1 - at, i / 9]))
        for i in range(6)
        for at, (sign, label) in enumerate(zip("=@", LABELS, strict=True))
    ]
    with (tmp_path / "up.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("text", "label", "embedding"), *rows])
    seen = visit(f"{server}/geometry?view=Labels&corpus=Upload")
    seen.page.locator('[data-testid="stFileUploader"] input').set_input_files(tmp_path / "up.csv")
    seen.page.locator(".st-key-label_bars .main-svg").first.wait_for(timeout=90_000)
    seen.settle()

    def take(button):
        with seen.page.expect_download() as saved:
            button.focus()
            seen.page.keyboard.press("Enter")
        path = tmp_path / saved.value.suggested_filename
        saved.value.save_as(path)
        return path

    return seen, take


def test_pictures_and_tables_can_be_taken_away_and_do_nothing_on_their_own(taken, chromium, tmp_path):
    seen, take = taken
    row = seen.page.locator(".st-key-save_label_bars")
    assert seen.page.get_by_role("figure", name="For each label, how well its texts keep together.").is_visible()

    svg = take(row.get_by_role("button", name="SVG"))
    assert svg.name.startswith("geometry-label-fit-")
    assert svg.name.endswith("-up.csv.svg")
    drawn = list(ElementTree.parse(svg).iter())
    assert not {part.tag.rsplit("}", 1)[1] for part in drawn} & {"script", "foreignObject", "a", "iframe", "use"}
    named = [name.lower() for part in drawn for name in part.attrib]
    assert not [name for name in named if name.startswith("on") or name.endswith("href")]
    assert any("pwned=1" in (part.text or "") for part in drawn)  # the label is there, as text

    png = take(row.get_by_role("button", name="PNG")).read_bytes()
    assert png.startswith(b"\x89PNG")
    assert struct.unpack(">I", png[16:20])[0] >= 2_000

    page = take(row.get_by_role("button", name="HTML"))
    offline = chromium.new_context(offline=True).new_page()
    asked, complaints = [], []
    offline.on("request", lambda request: asked.append(request.url))
    offline.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
    offline.goto(page.as_uri())
    offline.locator(".js-plotly-plot .main-svg").first.wait_for()
    assert offline.evaluate("globalThis.pwned") is None
    offline.context.close()
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    assert complaints == []

    seen.page.get_by_text("Table", exact=True).click()
    table = take(seen.page.locator(".st-key-save_table_label_fit").get_by_role("button", name="CSV"))
    with table.open(encoding="utf-8-sig", newline="") as file:
        read = list(csv.DictReader(file))
    assert {row["label"] for row in read} == {f"'{HOSTILE}", "'-1+1|calc;'=2+2"}
    assert all(-1 <= float(row["silhouette"]) <= 1 for row in read)
    assert seen.page.evaluate("globalThis.pwned") is None
    seen.sound()


def test_no_table_has_streamlits_own_csv(server, visit):
    seen = visit(f"{server}/geometry?view=Hubs")
    frame = seen.page.locator('[data-testid="stDataFrame"]').first
    frame.hover()
    assert not seen.page.get_by_role("button", name="Download as CSV").count()
    assert seen.page.locator(".st-key-save_table_hubs").get_by_role("button", name="Parquet").is_visible()
