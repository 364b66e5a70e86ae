"""The network as a still figure and as a page of its own: nothing drawn that is not there, no request, no HTML."""

import re

import numpy as np
import pytest

from lib.charts.network import network_figure
from lib.charts.network_html import standalone_html
from lib.sae.network import network
from tests.toy_sae import codes_of

NASTY = '</script><img src=x onerror="alert(1)"> <a href="https://example.org">'


@pytest.fixture(scope="module")
def found():
    generator = np.random.default_rng(0)
    x = (generator.random((80, 12)) < 0.4) * generator.uniform(0.2, 1, (80, 12))
    x[:, 1] = x[:, 0]
    return network(codes_of(x), most=12, threshold=0.05, hide_everywhere=False)


def test_the_figure_draws_every_edge_once(found):
    fig = network_figure(found, [NASTY] * len(found))
    *lines, dots, high, low = fig.data
    assert (high.name[:9], low.name[:8]) == ("high freq", "low freq")
    assert sum(len(trace.x) for trace in lines) == 3 * found.edges
    chance = sum(len(trace.x) for trace in lines if trace.line.dash == "dot")
    assert chance == 3 * int(found.chance.sum()) > 0
    assert len([trace for trace in lines if trace.showlegend]) == 2
    assert len(dots.x) == len(found)
    assert "<img" not in str(dots.customdata)
    assert fig.layout.yaxis.autorange == "reversed"
    assert f"{found.edges} edges" in fig.layout.title.text


def test_a_network_without_edges_can_be_drawn():
    bare = network(codes_of(np.eye(4, dtype=np.float32)), most=4, shuffles=0)
    assert len(network_figure(bare, ["a"] * 4).data) == 3
    assert "0 edges" in standalone_html(bare, ["a"] * 4)


def test_the_page_asks_nobody_for_anything_and_runs_no_name(found):
    page = standalone_html(found, [NASTY] * len(found))
    tags = re.sub(r"(<(script|style)[^>]*>).*?</\2>", r"\1", page, flags=re.DOTALL)
    assert not re.search(r"<(link|img|iframe|a|object|embed)\b", tags)
    assert not re.search(r"<script[^>]*\bsrc", tags)
    assert "Content-Security-Policy" in tags
    harmless = standalone_html(found, ["a name"] * len(found))
    assert page.lower().count("</script") == harmless.lower().count("</script")
    assert NASTY not in page
    assert "innerHTML = nodeData" not in page  # how pyvis shows what looks like a link
    for told in ("high freq", "low freq", "co-activation, width = ", "node size = mean activation", "12 features"):
        assert told in tags
    assert page == standalone_html(found, [NASTY] * len(found))
