"""The Report button: made when it is asked for, out of what the sidebar holds."""
# ruff: noqa: F811 - a fixture is asked for by its name

import json

import numpy as np
import pytest

from lib.encoders import PACKAGED_STATIC
from tests.toy_report import quick  # noqa: F401


class Report:
    """The popover of a page."""

    def __init__(self, opened):
        self.app = opened
        self.run()

    def run(self):
        self.app.page.session_state["report"] = True  # open
        self.app.run()
        return self

    def make(self):
        self.app.page.button(key="report_make").click()
        return self.run()

    @property
    def made(self):
        state = self.app.page.session_state
        return state["_report"][1] if "_report" in state else None


def test_it_is_made_when_asked_and_holds_what_the_page_shows(app):
    shown = Report(app(page="geometry", view="Anisotropy"))
    assert shown.made is None
    shown.make()
    report = shown.made
    assert report.facts["anisotropy"] == pytest.approx(float(shown.app.numbers["Mean cosine"]), abs=5e-4)
    named = {section.name: section for section in report.sections}
    assert set(named) >= {"overview", "map", "anisotropy", "dimension", "labels", "outliers", "layers", "heads"}
    assert not named["layers"].missing  # the sample's lie on the shelf
    assert (
        named["map"].command == "python -m lib geometry --map umap --clusters hdbscan --corpus sample:topics --seed 0"
    )
    assert f"quotes {len(report.quoted)} texts" in shown.app.captions
    assert not shown.app.page.warning  # nothing private


def test_the_second_encoder_of_the_overview_comes_along(app):
    shown = Report(app(page="overview", beside=PACKAGED_STATIC))
    assert "Compare with static MiniLM" in shown.app.page.toggle(key="report_beside").label
    shown.make()
    with_it = {section.name: section for section in shown.made.sections}
    assert shown.made.settings["second_encoder"]["source"] == PACKAGED_STATIC
    assert "against" in with_it
    shown.app.page.toggle(key="report_beside").set_value(False)
    shown.run()
    shown.make()
    assert shown.made.settings["second_encoder"] is None
    assert "against" not in {section.name for section in shown.made.sections}


def test_an_upload_is_warned_of_and_can_go_without_its_texts(upload, quick):
    vectors = np.random.default_rng(0).normal(size=(12, 4)).tolist()
    lines = [json.dumps({"text": f"secret number {i}", "embedding": vector}) for i, vector in enumerate(vectors)]
    shown = Report(upload("secret.jsonl", "\n".join(lines).encode(), view="Anisotropy"))
    assert "12 texts" in shown.app.page.warning[0].value
    shown.app.page.toggle(key="report_texts").set_value(False)
    shown.run()
    assert not shown.app.page.warning
    shown.make()
    assert not shown.made.quoted
    assert not any(
        "secret" in str(cell) for one in shown.made.sections for t in one.tables for row in t.rows for cell in row
    )
    assert "quotes no text" in shown.app.captions
