"""Take a picture of every view in light and of every page in dark, and write docs/gallery.md.

    python -m docs.gallery [PAGE ...]

Needs Chromium. `python -m docs.gallery --strip` makes the README's moving picture of five views instead.
"""

import io
import sys
from urllib.parse import urlencode

from PIL import Image, ImageDraw, ImageFont
from playwright.sync_api import Browser

from benchmarks.visitor import VIEWS
from docs.server import ROOT, opened, settle

FOLDER = ROOT / "docs" / "gallery"
WIDTH, MOST = 1400, 2400
QUALITY = 70
STRIP = (
    ("What does this encoder do with these texts?", ""),
    ("Which model should I use?", "retrieval?view=Comparison"),
    ("Why is this query bad?", "retrieval?view=Hard+negatives"),
    ("Did my fine-tune hurt?", "finetune_diff"),
    ("What does this vector contain?", "sae_features"),
    ("Can I use 128 dimensions?", "retrieval?view=Sizes"),
)
_FRAME = (1120, 700)
_BAND = 56
_INK, _PAPER = "#22252B", "#FFFDF9"


def main() -> None:
    """Take them."""
    with opened() as (browser, url):
        if sys.argv[1:] == ["--strip"]:
            _strip(browser, url)
            return
        FOLDER.mkdir(exist_ok=True)
        for page in sys.argv[1:] or VIEWS:
            for view in VIEWS[page]:
                for scheme in _schemes(page, view):
                    picture = _taken(browser, f"{url}/{page}?{urlencode({'view': view} if view else {})}", scheme)
                    picture.save(FOLDER / f"{_name(page, view)}-{scheme}.webp", quality=QUALITY, method=6)
    (ROOT / "docs" / "gallery.md").write_text(_index(), encoding="utf-8")


def _taken(browser: Browser, address: str, scheme: str, *, height: int | None = None) -> Image.Image:
    page = browser.new_page(viewport={"width": WIDTH, "height": height or 1000}, color_scheme=scheme)
    page.add_init_script("localStorage.setItem('embedscope.tour', 'seen')")
    page.goto(address)
    settle(page)
    if height is None:
        tall = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
        page.set_viewport_size({"width": WIDTH, "height": min(int(tall) + 20, MOST)})
        page.wait_for_timeout(1_500)
    made = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    page.close()
    return made


def _schemes(page: str, view: str | None) -> tuple[str, ...]:
    """Every view in light, and every page's first in dark too."""
    return ("light", "dark") if view == VIEWS[page][0] else ("light",)


def _name(page: str, view: str | None) -> str:
    return f"{page}-{view.lower().replace(' ', '-')}" if view else page


def _index() -> str:
    lines = [
        "# Gallery",
        "Every view on the sample, as `python -m docs.gallery` takes it; each page's first view in dark too.",
        "",
    ]
    for page, views in VIEWS.items():
        lines.append(f"## {page.replace('_', ' ').capitalize()}")
        for view in views:
            name = _name(page, view)
            lines += [f"### {view}" if view else "", *(
                f"![{page.replace('_', ' ')}{f': {view}' if view else ''}, {scheme}](gallery/{name}-{scheme}.webp)"
                for scheme in _schemes(page, view)
            ), ""]  # fmt: skip
    return "\n".join(lines)


def _strip(browser: Browser, url: str) -> None:
    font = ImageFont.load_default(size=26)
    frames = []
    for question, address in STRIP:
        shot = _taken(browser, f"{url}/{address}", "light", height=(_FRAME[1] - _BAND) * WIDTH // _FRAME[0])
        frame = Image.new("RGB", _FRAME, _PAPER)
        frame.paste(shot.resize((_FRAME[0], _FRAME[1] - _BAND), Image.Resampling.LANCZOS), (0, _BAND))
        ImageDraw.Draw(frame).text((24, 12), question, fill=_INK, font=font)
        frames.append(frame)
    frames[0].save(
        ROOT / "docs" / "tour.webp",
        save_all=True,
        append_images=frames[1:],
        duration=3_500,
        loop=0,
        quality=72,
        method=6,
    )


if __name__ == "__main__":
    main()
