"""The page: one file, no script but its own, every text as text."""

import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from lib.reports.making import report_of
from lib.reports.material import Options
from lib.reports.page import page
from lib.reports.report import Report
from tests.toy_report import EVIL


class Read(HTMLParser):
    """Elements, attributes, scripts and text of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.scripts, self.data, self._open = set(), [], [], [], None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += attrs
        if tag == "script":
            self.scripts.append([dict(attrs), ""])
        self._open = tag

    def handle_endtag(self, tag):
        self._open = None

    def handle_data(self, data):
        if self._open == "script":
            self.scripts[-1][1] += data
        elif self._open != "style":
            self.data.append(data)


@pytest.fixture(scope="module")
def written(report):
    return page(report)


@pytest.fixture(scope="module")
def read(written):
    return Read(written)


def test_one_file_below_eight_megabytes_that_names_no_other(written, read):
    assert len(written.encode()) < 8e6
    links = [value for name, value in read.attributes if name in ("src", "href", "action", "data")]
    assert all(value.startswith(("#", "https://app.example/")) for value in links)
    assert "link" not in read.tags
    assert "iframe" not in read.tags


def test_the_policy_lets_run_what_stands_there_and_nothing_else(read):
    policy = next(value for name, value in read.attributes if name == "content" and "script-src" in value)
    allowed = re.findall(r"'sha256-([^']+)'", policy)
    run = [text for attributes, text in read.scripts if "type" not in attributes]
    assert [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in run] == allowed
    assert len(run) == 2
    assert "default-src 'none'" in policy
    assert "unsafe-eval" not in policy
    assert "unsafe-inline" not in policy.split("style-src")[0]


def test_hostile_texts_are_text(read):
    assert "img" not in read.tags
    assert not [name for name, _ in read.attributes if name.startswith("on")]
    assert any("<script>hacked=1</script>" in data for data in read.data)  # shown as it was written
    assert not any("hacked" in text for attributes, text in read.scripts if "type" not in attributes)


def test_figures_are_data_that_plotly_can_draw_without_eval(read):
    figures = [json.loads(text) for attributes, text in read.scripts if attributes.get("type") == "application/json"]
    kinds = {trace["type"] for figure in figures for trace in figure["data"]}
    assert len(figures) >= 10
    assert "scattergl" not in kinds
    hovers = json.dumps(figures)
    assert "<script" not in hovers  # plotly reads a little HTML in its texts
    assert "<img" not in hovers


def test_pictures_have_a_text_and_columns_a_button(read):
    roles = [value for name, value in read.attributes if name == "role"]
    assert roles.count("img") == sum(name == "data-figure" for name, _ in read.attributes)
    assert all(value for name, value in read.attributes if name == "aria-label")
    assert "button" in read.tags


def test_without_texts_none_is_in_the_file(material, shelf):
    bare = report_of(material, shelf, Options(texts=False))
    assert not bare.quoted
    for text in (page(bare), json.dumps(bare.to_dict())):
        assert not re.search(r"(text|query|document) \d+ (&lt;|\\u003c|<|&amp;lt;)script", text)
    assert "id3" in page(bare)


def test_an_address_that_is_none_of_the_web_is_not_linked(report):
    shown = Read(page(replace(report, app="javascript:hacked=1//")))
    assert not any("javascript:hacked=1//" in (value or "") for name, value in shown.attributes if name == "href")


def test_a_report_without_sections_is_a_page_still():
    empty = Report("Empty", "2026-01-01T00:00:00+00:00", None, None, None, {}, {}, ())
    assert "It quotes no text." in page(empty)
    assert "Plotly" not in page(empty).split("<main>")[0]


def test_what_is_quoted_is_counted(report):
    assert len({one for one in report.quoted if one.startswith("text ")}) == 30  # all are on the map
    assert EVIL in report.title
