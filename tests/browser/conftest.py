"""A real Chromium before a server of the app's own."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import warnings
from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
MISSING = (
    f"NO CHROMIUM: none of {', '.join(NAMES)} is on the PATH, so the browser tests were SKIPPED. "
    "On Debian and Ubuntu: apt-get install chromium"
)
STARTING = 60  # seconds a server may take
LEFT = re.compile(r"Exception in ASGI application\n.*?^starlette\.websockets\.WebSocketDisconnected: ", re.M | re.S)
"""What Streamlit logs when a browser leaves in the moment in which it is sent something: no fault of the app's."""


@pytest.fixture(scope="session")
def chromium():
    """The browser, or a loud skip that says how to get one."""
    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    if path is None:
        warnings.warn(MISSING, stacklevel=1)
        pytest.skip(MISSING)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def serve(root, tmp_path_factory):
    """Start a fresh server: `with serve() as address`."""

    @contextmanager
    def started(**settings):
        folder = tmp_path_factory.mktemp("server")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        environment = os.environ | {
            "EMBEDSCOPE_STORE": str(folder / "store"),
            "EMBEDSCOPE_RESULTS": str(folder / "results"),
            "EMBEDSCOPE_RUNS": str(folder / "runs"),
            "EMBEDSCOPE_SHARES": str(folder / "shares"),
            **settings,
        }
        options = ["--server.port", str(port), "--server.headless", "true", "--server.address", "127.0.0.1"]
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen([sys.executable, "-m", "streamlit", "run", "app.py", *options], cwd=root,
                                      env=environment, stdout=log, stderr=subprocess.STDOUT)  # fmt: skip
        address = f"http://127.0.0.1:{port}"
        try:
            wait_for(f"{address}/_stcore/health", server, folder / "log")
            yield address
        finally:
            server.terminate()
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
        said = (folder / "log").read_text()
        assert "Traceback" not in LEFT.sub("", said), said

    return started


@pytest.fixture(scope="session")
def server(chromium, serve):
    """One server for all journeys of a process: what one has computed, the next finds."""
    with serve() as address:
        yield address


def wait_for(address, server, log):
    """Return once the server answers."""
    end = time.monotonic() + STARTING
    while time.monotonic() < end:
        assert server.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(address, timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise AssertionError(f"no answer within {STARTING} s: {log.read_text()}")


class Visit:
    """A page in a fresh browser context, and all that it asked for and complained of."""

    def __init__(self, browser, address, **settings):
        """Open `address` and wait until the app stands still; `tour`: in a browser that never saw it."""
        tour = settings.pop("tour", False)
        self.context = browser.new_context(**({"viewport": {"width": 1400, "height": 1000}} | settings))
        if not tour:  # a browser that has seen it
            self.context.add_init_script("localStorage.setItem('embedscope.tour', 'seen')")
        self.page = self.context.new_page()
        self.page.set_default_timeout(30_000)
        self.requests, self.complaints = [], []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("websocket", lambda socket: self.requests.append(socket.url))
        self.page.on("console", self._note)
        self.page.on("pageerror", lambda fault: self.complaints.append(str(fault)))
        self.page.goto(address)
        self.settle()

    def _note(self, line):
        """Keep an error; on a page's own address Streamlit first looks for its server below that address."""
        if line.type == "error" and "/_stcore/" not in line.location.get("url", ""):
            self.complaints.append(line.text)

    def settle(self):
        """Wait until the script has run to its end, no change of a widget is on its way, and every element is drawn."""
        app = self.page.locator('[data-testid="stApp"]')
        coming = self.page.locator('[data-testid="stSkeleton"]:visible')
        quiet = 0
        for _ in range(300):
            quiet = quiet + 1 if app.get_attribute("data-test-script-state") == "notRunning" else 0
            quiet = 0 if coming.count() else quiet
            if quiet == 4 and self.page.locator('[data-testid="stMain"] [data-testid="stHeading"]').count():
                return
            quiet = min(quiet, 3)
            self.page.wait_for_timeout(100)
        state = app.get_attribute("data-test-script-state")
        shown = self.page.locator("body").inner_text()[-400:]
        raise AssertionError(f"the app does not come to rest: {state}, {coming.count()} elements to come: {shown!r}")

    def until(self, condition, told=lambda: "it does not come to hold"):
        """Wait until `condition()` holds: what was sent takes a moment to be drawn. `told`: says why not."""
        for _ in range(150):
            if condition():
                return
            self.page.wait_for_timeout(100)
        raise AssertionError(told())

    def chart(self, key):
        """The plotly chart of that key, once it is drawn."""
        chart = self.page.locator(f".st-key-{key} .js-plotly-plot")
        chart.locator(".main-svg").first.wait_for()
        return chart

    def points(self, key="map_2d"):
        """Points in the chart."""
        return self.chart(key).locator(".scatterlayer .point")

    def tab(self, name):
        """Open a view."""
        self.page.get_by_role("tab", name=name).click()
        self.settle()

    @property
    def numbers(self):
        """The metrics, label to value."""
        return {
            metric.locator('[data-testid="stMetricLabel"]').inner_text(): metric.locator(
                '[data-testid="stMetricValue"]'
            )
            .inner_text()
            .replace("−", "-")
            for metric in self.page.locator('[data-testid="stMetric"]').all()
            if metric.is_visible()
        }

    def foreign(self):
        """Addresses outside this machine that were asked for."""
        inside = {"127.0.0.1", "localhost", None}
        return [url for url in self.requests if urlsplit(url).hostname not in inside]

    def sound(self):
        """Nothing failed, nobody outside this machine was asked, and the console is quiet."""
        assert not self.page.locator('[data-testid="stException"]:visible').count()
        assert not self.foreign()
        assert not self.complaints

    @property
    def query(self):
        """The address's parameters, name to values."""
        return parse_qs(urlsplit(self.page.evaluate("location.href")).query)


@pytest.fixture
def visit(chromium):
    """Open an address in a context of its own."""
    opened = []

    def go(address, **settings):
        opened.append(Visit(chromium, address, **settings))
        return opened[-1]

    yield go
    for one in opened:
        one.context.close()
