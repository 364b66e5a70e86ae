"""Markdown: hostile text stays text, tables keep their columns."""

import re

import pytest

from lib.reports.escaping import plain
from lib.reports.markdown import markdown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("0.884", "0.884"),
        ("NDCG@10", "NDCG@10"),
        ("a|b\nc", "a\\|b c"),
        ("[a](b)", "\\[a\\](b)"),
        ("<b>&amp;", "\\<b\\>\\&amp;"),
        ("- item", "\\- item"),
        ("1. item", "1\\. item"),
        ("# top", "\\# top"),
        ("@someone", "@\u2060someone"),
        ("@4someone", "@\u20604someone"),
        ("see www.a.b", "see www\u2060.a.b"),
        ("https://a.b", "https:\u2060//a.b"),
        ("`code` *x* _y_ ~z~", "\\`code\\` \\*x\\* \\_y\\_ \\~z\\~"),
    ],
)
def test_signs_are_escaped_and_words_are_not(text, shown):
    assert plain(text) == shown


def test_every_table_keeps_its_columns_and_no_html_is_left(report):
    text = markdown(report)
    prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    assert not re.search(r"(?<!\\)<(script|img|/script)", prose)
    assert not re.search(r"(?<!\\)\]\(javascript", prose)
    tables = re.findall(r"(?:^\|.*\|$\n?)+", prose, flags=re.MULTILINE)
    assert len(tables) > 15
    for table in tables:
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}) == 1


def test_a_fence_holds_whatever_is_in_it(report):
    fences = [line for line in markdown(report).splitlines() if line.startswith("```")]
    assert len(fences) % 2 == 0
