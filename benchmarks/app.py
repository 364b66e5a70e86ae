"""The app in a real browser: first chart in a cold server, a control change at 5,000 texts, memory of the process.

    python -m benchmarks.app [--corpus FILE]

`FILE` holds at least 5,000 texts (JSONL with "text"); without it, sentences are made from the sample's words.
"""

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psutil
from playwright.sync_api import Page, sync_playwright
from streamlit.testing.v1 import AppTest

from lib.corpora import load_sample

ROOT = Path(__file__).parent.parent
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
TEXTS = 5_000
UNTIL_RUN = """() => new Promise((done) => {
    const app = document.querySelector('[data-testid=stApp]');
    const start = performance.now();
    let ran = false;
    new MutationObserver(() => {
        const state = app.getAttribute('data-test-script-state');
        ran ||= state !== 'notRunning';
        if (ran && state === 'notRunning') requestAnimationFrame(() => done(performance.now() - start));
    }).observe(app, {attributes: true});
    ACT;
})"""
CHART = ".js-plotly-plot .main-svg"


def main() -> None:
    """Print a table of what was measured against its target."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpus", type=Path, help="JSONL with at least 5,000 texts")
    chosen = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium_path(), args=FLAGS)
        warm = browser.new_page()  # the browser's own first page costs time that is not the app's
        warm.goto("about:blank")
        first = []
        for attempt in range(3):
            with fresh_server(Path(folder) / f"cold{attempt}") as (url, process):
                first.append(_first_chart(browser.new_page(), f"{url}/geometry"))
                idle = _memory(process)
        with fresh_server(Path(folder) / "overview") as (url, process):
            arrival = _first_chart(browser.new_page(), url, "[data-testid=stMetric]")
        rows.append(("Geometry's first chart of the sample in a cold server (s)", min(first), 3.0))
        rows.append(("the Overview's first signal of the sample in a cold server (s)", arrival, 3.0))
        rows.append(("memory after it, nothing needs the encoder (MB)", idle, 450))
        with fresh_server(Path(folder) / "used") as (url, process):
            page = browser.new_page()
            _first_chart(page, f"{url}/geometry?near=14&probe=Can+the+tenant+leave%3F")
            _settle(page)
            rows.append(("memory after the encoder and UMAP were used on the sample (MB)", _memory(process), 950))
        with fresh_server(Path(folder) / "busy") as (url, process):
            page, frames = browser.new_page(), []
            page.on(
                "websocket", lambda socket: socket.on("framereceived", lambda _: frames.append(time.perf_counter()))
            )
            corpus = _corpus(Path(folder), chosen.corpus)
            _upload(page, url, corpus)
            rows += [(f"5,000 texts, {name} (s)", seconds, 0.3) for name, seconds in _control_changes(page)]
            rows.append(
                (
                    "5,000 texts, a control: the server's part (s)",
                    _runs_of_the_server(corpus, Path(folder) / "busy"),
                    0.3,
                )
            )
            rows.append(("memory after 5,000 texts were encoded and laid out by UMAP (MB)", _memory(process), 950))
        browser.close()
    print("| what | measured | target |\n|---|---|---|")
    for name, value, target in rows:
        print(f"| {name} | {value:,.2f} | {target:g} |" if target < 10 else f"| {name} | {value:,.0f} | {target:g} |")


def chromium_path() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not found:
        sys.exit("This benchmark needs Chromium: on Debian, apt-get install chromium.")
    return found


@contextmanager
def fresh_server(folder: Path) -> Iterator[tuple[str, psutil.Process]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = os.environ | {
        "HF_HUB_OFFLINE": "1",
        "EMBEDSCOPE_STORE": str(folder / "store"),
        "EMBEDSCOPE_RESULTS": str(folder / "results"),
    }
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true", f"--server.port={port}"]
    with subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            url = f"http://localhost:{port}"
            _wait_until_up(url)
            yield url, psutil.Process(server.pid)
        finally:
            server.terminate()


def _wait_until_up(url: str) -> None:
    for _ in range(200):
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=1):  # noqa: S310 - localhost
                return
        except OSError:
            time.sleep(0.1)
    sys.exit("The server did not start.")


def _memory(process: psutil.Process) -> float:
    return process.memory_info().rss / 2**20


def _first_chart(page: Page, url: str, first: str = CHART) -> float:
    start = time.perf_counter()
    page.goto(url)
    page.wait_for_selector(first, timeout=60_000)
    return time.perf_counter() - start


def _corpus(folder: Path, given: Path | None) -> Path:
    out = folder / "texts.jsonl"
    if given:
        texts = [json.loads(line)["text"] for line in given.read_text(encoding="utf-8").splitlines()][:TEXTS]
    else:
        rng = np.random.default_rng(0)
        words = sorted({word for text in load_sample("topics").texts for word in text.split()})
        texts = [" ".join(rng.choice(words, size=rng.integers(6, 18))) for _ in range(TEXTS)]
    lines = [json.dumps({"text": text, "label": f"group {i % 5}"}) for i, text in enumerate(texts)]
    out.write_text("\n".join(lines), encoding="utf-8")
    return out


def _upload(page: Page, url: str, corpus: Path) -> None:
    page.goto(f"{url}/geometry?corpus=Upload")
    page.set_input_files("[data-testid=stFileUploaderDropzoneInput]", str(corpus))
    page.wait_for_selector(CHART, timeout=600_000)
    _settle(page)


def _settle(page: Page) -> None:
    page.wait_for_function(
        "document.querySelector('[data-testid=stApp]').getAttribute('data-test-script-state') === 'notRunning'",
        timeout=600_000,
        polling=10,
    )


def _control_changes(page: Page) -> list[tuple[str, float]]:
    """Seconds from a click until the page's run has ended and its picture is drawn: best of four, warm."""
    toggle = "document.querySelector('[data-testid=stCheckbox] input').click()"
    return [
        ("flags on or off, the map drawn again", _best(page, [toggle])),
        ("another view", _best(page, [f"document.querySelectorAll('[role=tab]')[{tab}].click()" for tab in (1, 2)])),
    ]


def _best(page: Page, acts: list[str]) -> float:
    times = []
    for turn in range(6):
        time.sleep(1.5)
        times.append(page.evaluate(UNTIL_RUN.replace("ACT", acts[turn % len(acts)])) / 1000)
    return min(times[2:])


def _runs_of_the_server(corpus: Path, folder: Path) -> float:
    """Seconds that the page's script takes on the server for a changed control at 5,000 texts, best of four."""
    os.environ |= {"EMBEDSCOPE_STORE": str(folder / "store"), "EMBEDSCOPE_RESULTS": str(folder / "results")}
    test = AppTest.from_file(str(ROOT / "app.py"), default_timeout=600)
    test.switch_page("pages/geometry.py")
    test.query_params["corpus"] = "Paste"
    lines = corpus.read_text(encoding="utf-8").splitlines()
    test.session_state["pasted"] = "\n".join(json.loads(line)["text"] for line in lines)
    test.run()
    times = []
    for turn in range(6):
        start = time.perf_counter()
        test.toggle(key="flags").set_value(turn % 2 == 0).run()
        times.append(time.perf_counter() - start)
    return min(times[2:])


if __name__ == "__main__":
    main()
