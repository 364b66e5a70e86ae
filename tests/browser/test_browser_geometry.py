"""The Geometry page in a real browser: first paint, addresses, upload, lasso, stop, sizes and themes."""

import re
from urllib.parse import urlencode

import pytest

pytestmark = pytest.mark.browser

CSV = "text,topic\n" + "".join(
    f"{text} number {n},{topic}\n"
    for n in range(6)
    for text, topic in (("a dog barks at cat", "pets"), ("the court of appeal hears case", "law"))
)
# Where the layout is cut off: wider than the window, or text that ends in an ellipsis.
SELECTED = """() => document.querySelector('.st-key-map_2d .js-plotly-plot').data
    .filter((trace) => trace.customdata)
    .reduce((sum, trace) => sum + (trace.selectedpoints ? trace.selectedpoints.length : 0), 0)"""


def test_first_paint_in_a_fresh_server(serve, visit):
    """Streamlit then runs the page without app.py at first, and the page begins anew with it."""
    with serve() as server:
        seen = visit(f"{server}/geometry")
        names = seen.chart("map_2d").locator(".legendtext").all_text_contents()
        assert names[:4] == ["finance (126)", "legal (126)", "medical (126)", "no label (24)"]
        flagged = int(re.fullmatch(r"flagged \((\d+)\)", names[4])[1])
        assert seen.points().count() == 402 + flagged
        assert seen.chart("map_2d").is_visible()
        assert seen.page.locator('[data-testid="stSidebar"]').get_by_text("402 texts").is_visible()
        assert seen.page.title() == "Embedscope"
        assert seen.requests
        assert not seen.foreign()
        assert not seen.complaints


def test_a_copied_address_reopens_the_same_view(server, visit):
    first = visit(f"{server}/geometry")
    first.page.locator(".st-key-map").get_by_text("PCA").click()
    first.settle()
    first.page.locator(".st-key-colour input").click()
    first.page.get_by_role("option", name="cluster", exact=True).click()
    first.settle()
    probe = first.page.locator(".st-key-probe input")
    probe.fill("interest on a loan")
    probe.press("Enter")
    first.settle()
    first.page.get_by_text("Nearest to your sentence").wait_for()
    query = first.page.url.partition("?")[2]
    for part in ("map=PCA", "colour=cluster", "probe=interest"):
        assert part in query
    second = visit(first.page.url)
    assert second.page.locator(".st-key-probe input").input_value() == "interest on a loan"
    second.until(lambda: second.numbers == first.numbers)
    legends = [one.chart("map_2d").locator(".legendtext").all_text_contents() for one in (first, second)]
    assert legends[0] == legends[1]
    assert legends[0][0].startswith("cluster 1")
    assert legends[0][-1] == "your text"
    titles = [one.chart("map_2d").locator(".xtitle").text_content() for one in (first, second)]
    assert titles[0] == titles[1]
    assert titles[0].startswith("principal component 1")
    assert second.page.get_by_text("Nearest to your sentence").is_visible()


def test_an_address_of_another_view(server, visit):
    query = urlencode({"view": "Outliers", "rule": "k-th neighbour", "quantile": 0.9, "label": "subtopic"})
    first = visit(f"{server}/geometry?{query}")
    assert first.page.get_by_role("tab", name="Outliers").get_attribute("aria-selected") == "true"
    assert first.numbers["Flagged"].startswith("41 ")
    first.page.reload()
    first.settle()
    assert first.numbers["Flagged"].startswith("41 ")
    for part in query.split("&"):
        assert part in first.page.url


def test_an_uploaded_file(server, visit):
    seen = visit(f"{server}/geometry?corpus=Upload&map=PCA&clusters=k-means")
    seen.page.get_by_text("Upload a file in the sidebar").wait_for()
    chooser = seen.page.locator('[data-testid="stSidebar"] input[type="file"]').first
    chooser.set_input_files({"name": "pets.csv", "mimeType": "text/csv", "buffer": CSV.encode()})
    seen.page.get_by_text("12 texts · 2 labels").wait_for()
    seen.settle()
    legend = seen.chart("map_2d").locator(".legendtext").all_text_contents()
    assert legend[:2] == ["law (6)", "pets (6)"]
    assert seen.points().count() >= 12
    chooser = seen.page.locator('[data-testid="stSidebar"] input[type="file"]').first
    bad = {"name": "bad.csv", "mimeType": "text/csv", "buffer": b"text,label\na,x\nb,y,z\n"}
    chooser.set_input_files(bad)
    alert = seen.page.locator('[data-testid="stAlert"]')
    alert.get_by_text("bad.csv, line 3: expected 2 fields as in the header, got 3").wait_for()
    seen.page.get_by_role("button", name="Open the sample instead").click()
    seen.page.get_by_text("402 texts · 3 labels").wait_for()
    assert not seen.foreign()


def test_a_lasso_lists_what_it_holds(server, visit):
    seen = visit(f"{server}/geometry?map=PCA&clusters=k-means&flags=false")
    plot = seen.chart("map_2d").locator(".nsewdrag").first
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    mouse = seen.page.mouse
    corners = [(0.15, 0.15), (0.5, 0.1), (0.52, 0.85), (0.15, 0.9), (0.15, 0.2)]
    at = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in corners]
    mouse.move(*at[0])
    mouse.down()
    for x, y in at[1:]:
        mouse.move(x, y, steps=6)
    mouse.up()
    header = seen.page.get_by_text(re.compile(r"^Selected \(\d+\)$"))
    header.wait_for()
    count = int(re.search(r"\d+", header.inner_text())[0])
    assert 0 < count < 402
    seen.page.locator(".st-key-csv_selection").wait_for()
    assert seen.page.evaluate(SELECTED) == count
    seen.settle()
    mouse.dblclick(box["x"] + 5, box["y"] + 5)
    seen.page.get_by_text(re.compile(r"^Far from any cluster \(\d+\)$")).wait_for()


def test_encoding_can_be_stopped_and_taken_up_again(server, visit):
    seen = visit(f"{server}/geometry?corpus=Paste&view=Anisotropy")
    area = seen.page.locator(".st-key-pasted textarea")
    area.fill("\n".join(f"sentence {n} of a corpus that takes a while: " + "word " * 40 for n in range(1500)))
    area.press("Control+Enter")
    seen.page.locator('[class*="st-key-stop_encoding_document"] button').click()
    seen.page.get_by_text(re.compile("texts to be encoded|texts still to be encoded")).wait_for()
    seen.page.get_by_role("button", name="Encode them").wait_for()
    area.fill("one text\ntwo texts\nthree texts")
    area.press("Control+Enter")
    seen.page.get_by_text("Mean cosine").first.wait_for()


def test_names_from_a_file_or_an_address_are_only_shown(server, visit):
    name = '<img src=x onerror="document.title=1">[a](javascript:alert(1))$x$:red[r] www.evil.test'
    seen = visit(f"{server}/geometry?{urlencode({'encoder': name})}")
    alert = seen.page.locator('[data-testid="stAlert"]')
    alert.wait_for()
    assert name in alert.inner_text().replace("\u2060", "")
    assert alert.locator("img, a, .katex").count() == 0
    assert seen.page.title() == "Embedscope"
    assert not seen.foreign()
