"""Take the pictures of the README again: `make screenshots`; some of them: `python -m docs.screenshots map`.

Needs Chromium.
"""

import sys
from urllib.parse import quote_plus

from docs.server import ROOT, opened, settle

TEXT = "The patient presented with acute chest pain and elevated troponin levels."
PICTURES = {
    "map": ("geometry?probe=Can+my+landlord+keep+the+deposit%3F", "light", 1060),
    "map-dark": ("geometry?colour=distance+from+the+corpus&rule=nearest+local+centroid", "dark", 1060),
    "anisotropy": ("geometry?view=Anisotropy", "light", 1000),
    "dimension": ("geometry?view=Dimension", "light", 1180),
    "outliers": ("geometry?view=Outliers&rule=nearest+local+centroid", "light", 1240),
    "layers": ("layers", "light", 1000),
    "heads": ("layers?view=Heads", "dark", 960),
    "retrieval": ("retrieval", "light", 1000),
    "sizes": ("retrieval?view=Sizes", "light", 1420),
    "decompose": ("sae_features", "light", 1500),
    "features": ("sae_features?feature=160", "dark", 1500),
    "absorption": ("diagnostics", "light", 1000),
    "network": ("network", "light", 1240),
    "circuit": (f"circuits?circuit_text={quote_plus(TEXT)}&circuit_feature=2873", "light", 1420),
    "steering": (f"steering?steer_text={quote_plus(TEXT)}&recipe=160%3A%2B4", "light", 1500),
    "faithfulness": ("diagnostics?view=Faithfulness", "dark", 1760),
    "match": ("sae_features?view=Match", "light", 1240),
    "drift": ("finetune_diff", "light", 1500),
    "monitor": ("finetune_diff?view=Monitor", "dark", 1900),
    "late": ("retrieval?view=Late+interaction", "light", 1500),
}


def main() -> None:
    """Open each address, save each picture in docs/."""
    with opened() as (browser, url):
        for name in sys.argv[1:] or PICTURES:
            query, scheme, height = PICTURES[name]
            page = browser.new_page(viewport={"width": 1400, "height": height}, color_scheme=scheme)
            page.add_init_script("localStorage.setItem('embedscope.tour', 'seen')")
            page.goto(f"{url}/{query}")
            settle(page)
            page.wait_for_selector(".js-plotly-plot .main-svg, canvas, .graph .scroll svg", timeout=120_000)
            page.screenshot(path=ROOT / "docs" / f"{name}.png")
            page.close()


if __name__ == "__main__":
    main()
