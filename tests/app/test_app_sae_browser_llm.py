"""Labels by a language model in the Browser, against a local endpoint: agreement, cost, limit, Stop, faults."""

from contextlib import contextmanager

import pytest
import streamlit as st

from lib.corpora import load_sample
from lib.encoders import PACKAGED, Policy, describe
from lib.sae import About, save
from lib.sae.labels.llm_limit import RequestLimit, default_limit
from lib.ui import resources
from tests.toy_endpoint import KEY, FakeEndpoint
from tests.toy_sae import random_sae


@pytest.fixture
def endpoint(monkeypatch):
    """A fake endpoint that says "some topic" of everything; no proxy stands before it."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    made = FakeEndpoint()
    made.answer = "some topic"
    yield made
    made.close()


@pytest.fixture
def page(app, endpoint, tmp_path, monkeypatch):
    """Open the Browser on a small dictionary, labels by the language model, three features of them."""
    monkeypatch.setenv("EMBEDSCOPE_MODEL_ROOTS", str(tmp_path))
    monkeypatch.setattr("lib.ui.sae.browser_llm.default_limit", lambda most: RequestLimit(tmp_path / "asked", most))
    checkpoint = describe(PACKAGED, policy=Policy(allow_hub=False))
    about = About(name="small", encoder=checkpoint.source, fingerprint=checkpoint.fingerprint)
    save(random_sae(d=384, n=40, k=5, about=about), tmp_path / "mine")
    resources.policy.clear()  # made once a process, of whatever the environment said then

    def opened(**secrets):
        shown = app(page="sae_features", view="Browser", sae=str(tmp_path / "mine"), browser_llm_most="3")
        shown.page.secrets["llm"] = {
            "base_url": endpoint.settings().base_url, "model": "toy", "api_key": KEY, "price_in": 1.0, "price_out": 2.0,
            **secrets,
        }  # fmt: skip
        return shown.run().choose("browser_maker", "language model")

    yield opened
    resources.policy.clear()


def _said(shown):
    at = shown.page
    return "\n".join(text.value for text in [*at.markdown, *at.caption, *at.error]).replace("\\", "").replace(
        "\u202f", " "
    )  # fmt: skip


def _ask(shown):
    return next(button for button in shown.page.button if button.label == "Ask the model")


def _agree(shown):
    box = next(box for box in shown.page.checkbox if box.key.startswith("browser_agree"))
    assert box.label.replace("\\", "") == "I agree that texts of this corpus are sent to 127.0.0.1"
    box.check()
    return shown.run()


def test_nothing_is_sent_before_agreement_and_the_cost_is_shown(page, endpoint):
    shown = page()
    said = _said(shown)
    assert "toy at 127.0.0.1 would be asked 3 questions (0 are answered already)" in said
    assert "30 back, at most 192;" in said
    assert "in the currency of its prices" in said
    assert "if every answer takes the 64 tokens that it may" in said
    assert _ask(shown).disabled
    shown.page.session_state["_browser_llm_asked"] = True  # as from a button that was drawn before
    shown.run()
    assert not endpoint.seen
    _agree(shown)
    assert not endpoint.seen
    assert not _ask(shown).disabled
    shown.press("Ask the model").run()
    assert len(endpoint.seen) == 3
    assert {body["max_completion_tokens"] for _, _, body in endpoint.seen} == {64}
    table = shown.table("label score")
    labelled = table[table["label"].notna()]
    assert labelled["label"].tolist() == ["some topic"] * 3
    assert set(labelled["made by"]) == {"toy"}
    assert set(labelled["scored on"].dropna()) <= {load_sample("topics").name}
    assert "3 are answered already" in _said(shown)
    assert KEY not in _said(shown)


def test_a_stop_keeps_the_answers(page, endpoint, monkeypatch):
    @contextmanager
    def stopped(key, doing):
        yield lambda done, of: st.stop() if done == 2 else None

    shown = _agree(page())
    with monkeypatch.context() as patch:
        patch.setattr("lib.ui.sae.browser_llm.stoppable", stopped)
        shown.press("Ask the model")
    shown.run()
    assert "would be asked 1 question (2 are answered already)" in _said(shown)
    shown.press("Ask the model").run()
    assert shown.table("label score")["label"].notna().sum() == 3


@pytest.mark.parametrize(("status", "sentence"), [(401, "refused the key"), (404, "knows no such model")])
def test_a_fault_of_the_endpoint_is_one_sentence(page, endpoint, status, sentence):
    endpoint.status = status
    shown = _agree(page())
    shown.press("Ask the model")
    (refusal,) = shown.refusals
    assert f"The language model's endpoint {sentence}" in refusal.replace("\\", "")
    assert KEY not in refusal
    assert len(endpoint.settled()) <= 3  # those that were on their way with the one that was refused
    endpoint.seen.clear()
    shown.run()
    assert not endpoint.settled()  # not again by itself
    assert not shown.refusals


def test_more_than_the_day_s_requests_are_refused(page, endpoint):
    shown = _agree(page(most_requests=2))
    (refusal,) = shown.refusals
    assert "at most 2 requests a day, over all visitors; 2 are left today" in refusal.replace("\\", "").replace(
        "\u202f", " "
    )  # fmt: skip
    assert _ask(shown).disabled
    shown.choose("browser_llm_most", 2)
    assert not shown.refusals
    shown.press("Ask the model").run()
    assert len(endpoint.seen) == 2
    shown.choose("browser_llm_most", 3)
    assert "0 are left today" in shown.refusals[0].replace("\\", "")


def test_the_limit_is_the_server_s(own_folders):
    assert default_limit(5).path.parent == own_folders / "llm"
