"""What the owner sets in the secrets holds; a bad setting opens nothing, and tells visitors little."""

import logging
import os

import pytest
from streamlit.testing.v1 import AppTest

from lib.ui import owner, resources


@pytest.fixture
def visit(root, monkeypatch):
    """Open the app in a process whose secrets are these."""
    before = dict(os.environ)

    def opened(page=None, **section):
        at = AppTest.from_file(str(root / "app.py"), default_timeout=60)
        if page:
            at.switch_page(f"pages/{page}.py")
        at.secrets["embedscope"] = section
        owner._fault.clear()
        at.run()
        assert not at.exception, [fault.value for fault in at.exception]
        return at

    resources.policy.clear()
    yield opened
    owner._fault.clear()
    resources.policy.clear()
    for name in [name for name in os.environ if name not in before]:
        del os.environ[name]


def test_secrets_hold_where_the_environment_says_nothing(visit, monkeypatch):
    monkeypatch.setenv("EMBEDSCOPE_MAX_ROWS", "5")
    at = visit("glossary", hub_ids=["intfloat/*"], max_rows=9, training=False)
    assert not at.error
    assert os.environ["EMBEDSCOPE_HUB_IDS"] == "intfloat/*"
    assert os.environ["EMBEDSCOPE_MAX_ROWS"] == "5"
    assert os.environ["EMBEDSCOPE_TRAINING"] == "off"  # trainings, which are other processes, inherit it
    assert resources.policy().hub_ids == ("intfloat/*",)


def test_an_encoder_that_the_owner_does_not_allow_is_told_in_the_page(root, monkeypatch):
    monkeypatch.setenv("EMBEDSCOPE_HUB_IDS", "none")
    resources.policy.clear()
    try:
        at = AppTest.from_file(str(root / "app.py"), default_timeout=60)
        at.switch_page("pages/geometry.py")
        at.query_params["encoder"] = "intfloat/e5-small-v2"
        at.run()
        assert not at.exception
        told = at.error[0].value.replace("\\", "")
        assert (
            "intfloat/e5-small-v2 may not be opened here: whoever runs the server allows nothing from the hub" in told
        )
    finally:
        resources.policy.clear()
        resources.described.clear()


@pytest.mark.parametrize(
    ("section", "logged"),
    [
        ({"store_gb": "s3cret-much"}, "EMBEDSCOPE_STORE_GB should be a number of gigabytes above 0, got 's3cret-much'"),
        ({"trainng": False}, "trainng under [embedscope] in the secrets is no setting: did you mean training?"),
    ],
)
def test_a_bad_setting_is_told_in_the_log_and_visitors_little(visit, caplog, section, logged):
    with caplog.at_level(logging.ERROR):
        at = visit(**section)
    assert logged in caplog.text
    shown = " ".join(error.value for error in at.error)
    assert "This server is not set up right" in shown.replace("\\", "")
    assert "s3cret" not in shown
    assert "trainng" not in shown
    assert not at.title
    assert not at.sidebar.selectbox


def test_secrets_that_cannot_be_read_open_nothing(root, monkeypatch, tmp_path, caplog):
    import streamlit as st

    broken = tmp_path / "secrets.toml"
    broken.write_text("[embedscope\nhub_ids = ")
    monkeypatch.setattr(owner.st, "get_option", lambda name: [str(broken)])
    monkeypatch.setattr(type(st.secrets), "load_if_toml_exists", lambda self: False)
    owner._fault.clear()
    try:
        at = AppTest.from_file(str(root / "app.py"), default_timeout=60).run()
        assert "This server is not set up right" in at.error[0].value
        assert "secrets.toml is there and cannot be read" in caplog.text
        assert str(tmp_path) not in at.error[0].value
    finally:
        owner._fault.clear()
