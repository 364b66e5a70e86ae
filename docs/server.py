"""A server of the app and a Chromium before it, for those who take pictures."""

import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parent.parent
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
_AT_REST = """() => document.querySelectorAll('[data-testid=stMain] [data-testid=stHeading]').length
    && !document.querySelector('[data-testid=stSkeleton]')
    && document.querySelector('[data-testid=stApp]')?.getAttribute('data-test-script-state') === 'notRunning'"""


@contextmanager
def opened() -> Iterator[tuple[Browser, str]]:
    """A browser, and the address of a server that has just begun."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not chromium:
        sys.exit("Screenshots need Chromium: on Debian, apt-get install chromium.")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true", f"--server.port={port}"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) as server, sync_playwright() as play:
        try:
            url = f"http://localhost:{port}"
            _wait(url)
            browser = play.chromium.launch(executable_path=chromium, args=FLAGS)
            yield browser, url
            browser.close()
        finally:
            server.terminate()


def settle(page: Page) -> None:
    """Wait until the script has run to its end and the charts are drawn."""
    page.wait_for_function(_AT_REST, timeout=180_000)
    time.sleep(3)


def _wait(url: str) -> None:
    for _ in range(200):
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    sys.exit("The server did not start.")
