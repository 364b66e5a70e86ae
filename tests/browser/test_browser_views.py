"""Every view in a real Chromium at 800 pixels: it opens, its text stands out, nothing is cut, nobody is asked."""

from pathlib import Path

import pytest

from benchmarks.visitor import VIEWS

pytestmark = pytest.mark.browser

HERE = Path(__file__).parent
FAINT = (HERE / "faint.js").read_text("utf-8")
"""Texts that do not stand out from what is behind them, with what they look like."""
CUT = (HERE / "cut.js").read_text("utf-8")
"""Elements that reach beyond their place."""
DARK = {"geometry", "retrieval", "sae_features", "network", "diagnostics", "glossary"}
CHARTS = {
    "Map": ["map_2d"], "Anisotropy": ["cosines", "dimensions"], "Dimension": ["variance", "contrast"],
    "Labels": ["labels_heatmap", "label_bars"], "Hubs": ["occurrence"], "Outliers": ["scores"],
    "Build-up": ["build_cosines", "build_agreement", "build_dimensions"], "Heads": ["heads_map"],
    "Decompose": ["decompose_bars"],
}  # fmt: skip


@pytest.mark.parametrize("page", VIEWS)
def test_every_view_is_whole_and_readable_at_800_pixels(server, visit, page):
    theme = "dark" if page in DARK else "light"
    seen = visit(f"{server}/{page}", color_scheme=theme, viewport={"width": 800, "height": 1000})
    for view in VIEWS[page]:
        if view is not None:
            seen.tab(view)
            seen.until(seen.page.get_by_role("tabpanel").locator('[data-testid="stHeading"]:visible').count)
        for chart in CHARTS.get(view, ()):
            assert seen.chart(chart).is_visible()
        seen.until(lambda: not seen.page.evaluate(FAINT), lambda: seen.page.evaluate(FAINT))
        seen.until(lambda: not seen.page.evaluate(CUT), lambda: seen.page.evaluate(CUT))
    seen.sound()
