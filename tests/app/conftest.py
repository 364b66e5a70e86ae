"""The app without a browser, and what a test looks at in it."""

import json

import pytest
from streamlit.testing.v1 import AppTest

from lib.sae import save
from lib.ui import resources
from lib.ui.messages import plain
from tests.toy_sae import packaged_sae

FAST = {"map": "PCA", "clusters": "k-means"}
"""Where the map itself is not the point: no UMAP has to be compiled."""

TYPED = {
    "encoder",
    "sae",
    "decompose_feature",
    "faithfulness_feature",
    "circuit_feature",
    "concepts_feature",
    "concepts_sae",
    "match_encoder",
    "match_sae",
    "match_feature",
    "network_node",
    "steer_add",
    "steer_feature",
    "texts_row",
    "tuned",
}
"""Choices into which a user may type what is not offered."""


class App:
    """The app at an address, run once; `page` is Streamlit's own test double."""

    def __init__(self, script, query, *, page=None):
        """Open `script`, at that page if one is named, with these query parameters."""
        self.page = AppTest.from_file(str(script), default_timeout=60)
        if page:
            self.page.switch_page(f"pages/{page}.py")
        self.page.query_params.update(query)
        self.run()

    def run(self):
        """Run the page as the browser would after a change; there must be no exception."""
        for box in self.page.selectbox:
            if box.key in TYPED and box.value is not None and box.value not in box.options:
                box.options.append(box.value)  # typed by the user: the double knows it not
        self.page.run()
        assert not self.page.exception, [fault.value for fault in self.page.exception]
        return self

    def press(self, label):
        """Press the button of that label."""
        next(button for button in self.page.button if button.label == label).click()
        return self.run()

    def choose(self, key, value):
        """Give the widget of that key a value."""
        widgets = (self.page.button_group, self.page.selectbox, self.page.text_area, self.page.text_input,
                   self.page.number_input, self.page.slider, self.page.toggle)  # fmt: skip
        next(widget for kind in widgets for widget in kind if widget.key == key).set_value(value)
        return self.run()

    def upload(self, name, content, *, into="upload_file"):
        """Put a file into an uploader."""
        self.page.file_uploader(key=into).set_value((name, content, "application/octet-stream"))
        return self.run()

    @property
    def numbers(self):
        """The metrics: label to value, thin spaces and minus signs made plain."""
        return {metric.label: metric.value.replace("\u202f", " ").replace("−", "-") for metric in self.page.metric}

    @property
    def captions(self):
        """All captions as one text."""
        return "\n".join(caption.value for caption in self.page.caption).replace("\u202f", " ")

    @property
    def titles(self):
        """The subheaders."""
        return [header.value for header in self.page.subheader]

    @property
    def refusals(self):
        """The refusals that are shown."""
        return [error.value for error in self.page.error]

    @property
    def buttons(self):
        """Labels of the buttons."""
        return [button.label for button in self.page.button]

    @property
    def charts(self):
        """The figures, key to plotly JSON."""
        return {
            chart.proto.id.rsplit("-", 1)[1]: json.loads(chart.proto.spec) for chart in self.page.get("plotly_chart")
        }

    def table(self, column):
        """The first table that has that column."""
        return next(frame.value for frame in self.page.dataframe if column in frame.value.columns)


@pytest.fixture
def app(root):
    """Open the app at an address: `app(view="Hubs")` on the Geometry page, `app(page="retrieval", view="Search")`."""
    return lambda page="geometry", **query: App(root / "app.py", query, page=page)


@pytest.fixture
def paste(root):
    """Open the app on pasted lines."""

    def opened(lines, **query):
        return App(root / "app.py", {"corpus": "Paste", **FAST, **query}, page="geometry").choose(
            "pasted", "\n".join(lines)
        )

    return opened


@pytest.fixture
def upload(root):
    """Open the app on an uploaded file."""

    def opened(name, content, **query):
        return App(root / "app.py", {"corpus": "Upload", **FAST, **query}, page="geometry").upload(name, content)

    return opened


@pytest.fixture(scope="module")
def sae():
    """A small dictionary for the packaged encoder; a module whose views need another size has its own."""
    return packaged_sae()


@pytest.fixture
def with_sae(app, sae, tmp_path, monkeypatch):
    """Open a page with the small dictionary: `with_sae("steering", recipe="7:+4")`; it lies in `tmp_path / "small"`."""
    monkeypatch.setenv("EMBEDSCOPE_MODEL_ROOTS", str(tmp_path))
    save(sae, tmp_path / "small")
    resources.policy.clear()
    yield lambda page, **query: app(page=page, **{"sae": str(tmp_path / "small")} | query)
    resources.policy.clear()


@pytest.fixture
def shown():
    """A sentence as a page shows it: with Markdown's signs escaped."""
    return plain


def _view_page():
    """The script that AppTest runs: one view alone, on a space that a test module made."""
    import importlib
    import os

    from lib.ui.views import show_views

    view, tests, space = os.environ["TESTED_VIEW"].split()
    spaces = importlib.import_module(tests).SPACES
    shown = importlib.import_module(f"lib.ui.retrieval.{view}").show
    show_views({view: shown}, spaces[" ".join(space.split("_"))]())


@pytest.fixture
def view_alone(monkeypatch):
    """Run a view of the Retrieval page alone: `view_alone("sizes", __name__, "one query", measure="dot")`."""

    def opened(view, tests, space, **query):
        monkeypatch.setenv("TESTED_VIEW", f"{view} {tests} {space.replace(' ', '_')}")
        at = AppTest.from_function(_view_page, default_timeout=60)
        at.query_params.update(query)
        at.run()
        assert not at.exception, [fault.value for fault in at.exception]
        return at

    return opened
