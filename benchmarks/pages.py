"""The pages about features in a real browser: how long each takes to open, and how smoothly a large network moves.

    python -m benchmarks.pages

Each address is opened in a server of its own that has no results but those that ship, then once more by a second
visitor of the same server; the time is that from the address to a page at rest. The network has 300 features and 3,000
edges; frames are counted while it is panned and while a node is dragged, without a graphics card.
"""

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.app import FLAGS, chromium_path, fresh_server

ADDRESSES = (
    "sae_features", "sae_features?view=Browser", "sae_features?view=Match", "network", "circuits",
    "circuits?view=Births", "circuits?view=Writers", "steering", "steering?view=Dose-response",
    "diagnostics?view=Faithfulness",
)  # fmt: skip
LARGE = "network?network_features=300&network_measure=frequency&network_frequency=0.02"
_AT_REST = """() => document.querySelectorAll('[data-testid=stMain] [data-testid=stHeading]').length > 1
    && document.querySelector('[data-testid=stApp]')?.getAttribute('data-test-script-state') === 'notRunning'"""
_ROOT = """[...document.querySelectorAll("*")].map((one) => one.shadowRoot?.querySelector(".network"))
    .find((one) => one?.dataset.drawn)"""
_COUNT = """() => { window.frames_seen = []; let last = performance.now();
    const tick = (now) => { window.frames_seen.push(now - last); last = now; requestAnimationFrame(tick); };
    requestAnimationFrame(tick); }"""
_TURNS = 60


def main() -> None:
    """Print both tables."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium_path(), args=FLAGS)
        warm = browser.new_page()  # the browser's own first page costs time that is not the app's
        warm.goto("about:blank")
        print("| address | in a fresh server, s | a second visitor, s |\n|---|---|---|")
        for number, address in enumerate(ADDRESSES):
            with fresh_server(Path(folder) / str(number)) as (url, _):
                first, second = (_opened(browser, f"{url}/{address}") for _ in range(2))
            print(f"| {address} | {first:.1f} | {second:.1f} |", flush=True)
        with fresh_server(Path(folder) / "large") as (url, _):
            _frames(browser, f"{url}/{LARGE}")
        browser.close()


def _opened(browser: Browser, address: str) -> float:
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    start = time.perf_counter()
    page.goto(address)
    page.wait_for_function(_AT_REST, timeout=300_000)
    seconds = time.perf_counter() - start
    page.close()
    return seconds


def _frames(browser: Browser, address: str) -> None:
    page = browser.new_page(viewport={"width": 1400, "height": 1300})
    page.goto(address)
    page.wait_for_function(f"() => Boolean({_ROOT})", timeout=300_000)
    page.evaluate(f"() => {_ROOT}.scrollIntoView({{block: 'center', behavior: 'instant'}})")
    page.wait_for_timeout(3_000)
    print("\n| frames, ms | median | 95 % within | worst |\n|---|---|---|---|")
    box = page.evaluate(f"() => {{ const b = {_ROOT}.querySelector('.stage').getBoundingClientRect();"
                        " return [b.left, b.top, b.width, b.height]; }")  # fmt: skip
    corner = box[0] + 12, box[1] + 12
    node = page.evaluate(f"""() => {{
        const root = {_ROOT}, net = root.picture.net, id = root.picture.ranked[0].id;
        const at = net.canvasToDOM(net.getPosition(id)), b = root.querySelector('.stage').getBoundingClientRect();
        return [b.left + at.x, b.top + at.y]; }}""")
    for name, start in (("panning", corner), ("dragging a node", tuple(node))):
        spans = _moved(page, start)
        print(f"| {name} | {np.median(spans):.1f} | {np.quantile(spans, 0.95):.0f} | {spans.max():.0f} |")
    if not page.get_by_text("3 000 edges".replace(" ", "\u202f", 1)).count():
        print("The network has not 3,000 edges.", file=sys.stderr)


def _moved(page: Page, start: tuple[float, float]) -> np.ndarray:
    """Milliseconds between frames while the mouse drags from `start`."""
    x, y = start
    page.mouse.move(x, y)
    page.mouse.down()
    page.evaluate(_COUNT)
    for turn in range(_TURNS):
        page.mouse.move(x + 120 * np.sin(turn / 8), y + 60 * np.sin(turn / 5))
        page.wait_for_timeout(16)
    spans = np.array(page.evaluate("() => window.frames_seen.slice(1)"))
    page.mouse.up()
    page.wait_for_timeout(500)
    return spans


if __name__ == "__main__":
    main()
