"""Labels by a language model, against a small HTTP server: prompts, retries, refusals, the shelf, bad answers."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from lib.errors import InputError, Stopped
from lib.sae.labels import gather
from lib.sae.labels.llm import LlmSettings, estimate, label_with_llm
from lib.sae.labels.llm_limit import RequestLimit, default_limit
from lib.sae.labels.llm_prompts import checked_answer, prompts_for
from lib.shelf import Shelf
from tests.toy_endpoint import KEY, FakeEndpoint
from tests.toy_sae import orthogonal_sae
from tests.toy_topics import NAMES, TOPICS, embed, topic_texts


@pytest.fixture
def endpoint(monkeypatch):
    """A fake endpoint; no proxy stands before it."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    made = FakeEndpoint()
    yield made
    made.close()


@pytest.fixture
def shelf(tmp_path):
    return Shelf(tmp_path)


@pytest.fixture(scope="module")
def evidence():
    texts, _ = topic_texts()
    sae, vectors = orthogonal_sae(len(NAMES), bias=0.5), embed(texts)
    return gather(sae.encode(vectors), texts, sae, embed, vectors=vectors)


def test_labels_are_asked_for_checked_and_scored(endpoint, evidence, shelf):
    told = []
    found = label_with_llm(evidence, endpoint.settings(), shelf, progress=lambda *now: told.append(now))
    assert found.text == tuple(TOPICS[name][0] for name in NAMES)
    assert set(found.source) == {"toy"}
    assert found.method == "toy"
    assert (found.score > 0.6).all()
    assert told[-1] == (6, 6)
    path, key, body = endpoint.seen[0]
    assert (path, key, body["model"]) == ("/v1/chat/completions", f"Bearer {KEY}", "toy")
    assert len(endpoint.seen) == 6


def test_what_was_asked_is_not_asked_again(endpoint, evidence, shelf):
    settings = endpoint.settings(price_in=2.0, price_out=8.0)
    before = estimate(evidence, settings, shelf)
    first = label_with_llm(evidence, settings, shelf)
    again = label_with_llm(evidence, settings, Shelf(shelf.root))
    assert first.text == again.text
    assert len(endpoint.seen) == 6
    after = estimate(evidence, settings, shelf)
    assert (before.requests, before.cached, after.requests, after.cached) == (6, 0, 0, 6)
    assert after.cost == after.cost_at_most == 0
    assert before.tokens_out_at_most == 6 * settings.most_answer_tokens
    assert before.cost_at_most == pytest.approx((before.tokens_in * 2 + before.tokens_out_at_most * 8) / 1e6)
    assert {body["max_completion_tokens"] for _, _, body in endpoint.seen} == {settings.most_answer_tokens}
    assert before.cost == pytest.approx((before.tokens_in * 2 + before.tokens_out * 8) / 1e6)
    sent = sum(len(p.user) + len(p.system) for p in prompts_for(evidence)) / 3.6
    assert before.tokens_in == pytest.approx(sent, rel=0.1)
    assert estimate(evidence, endpoint.settings(), Shelf(shelf.root / "other"), tokens=len).tokens_in > 3 * sent
    assert estimate(evidence, endpoint.settings(), shelf).cost is None


def test_held_out_texts_are_not_sent(endpoint, evidence, shelf):
    label_with_llm(evidence, endpoint.settings(), shelf)
    sent = " ".join(body["messages"][1]["content"] for _, _, body in endpoint.seen)
    for feature in range(6):
        for row in evidence.held_out.activating[feature].tolist():
            assert evidence.texts[row] not in sent


def test_busy_servers_are_asked_again(endpoint, evidence, shelf):
    endpoint.failures = [429, 429, 503]
    found = label_with_llm(evidence, endpoint.settings(), shelf)
    assert found.labelled == 6
    assert len(endpoint.seen) == 9


@pytest.mark.parametrize(
    ("status", "message"), [(401, "refused the key"), (404, "knows no such model"), (418, "answered with status 418")]
)
def test_refusals_are_said_without_the_key(endpoint, evidence, shelf, status, message):
    endpoint.status = status
    with pytest.raises(InputError, match=message) as caught:
        label_with_llm(evidence, endpoint.settings(), shelf)
    assert KEY not in str(caught.value)
    assert KEY not in repr(endpoint.settings())


def test_an_endpoint_that_is_not_there(evidence, shelf, monkeypatch):
    monkeypatch.setattr("lib.sae.labels.llm._RETRIES", 0)
    with pytest.raises(InputError, match="cannot be used"):
        label_with_llm(evidence, LlmSettings("http://127.0.0.1:9/v1", "toy"), shelf)


def test_what_was_answered_before_a_stop_is_kept(endpoint, evidence, shelf):
    def stop(done, of):
        if done == 3:
            raise Stopped

    with pytest.raises(Stopped):
        label_with_llm(evidence, endpoint.settings(), shelf, progress=stop)
    assert estimate(evidence, endpoint.settings(), shelf).cached == 3


@pytest.mark.parametrize(
    "answer",
    ["", "unclear", "Unclear.", "<b>bold</b>", "[link](http://x.y)", "x" * 200, "one two three four five six seven "
     "eight nine ten eleven", "123 456", "see www.example.org", "`code`", "a\u202eb"],
)  # fmt: skip
def test_answers_that_are_no_labels_leave_none(endpoint, evidence, shelf, answer):
    assert checked_answer(answer) is None
    endpoint.answer = answer
    found = label_with_llm(evidence, endpoint.settings(), shelf)
    assert found.labelled == 0
    assert found.weak.all()


def test_a_day_s_requests_are_counted_over_all_who_ask(endpoint, evidence, shelf, tmp_path):
    limit = RequestLimit(tmp_path / "llm" / "requests.sqlite", 9)
    assert limit.left() == 9
    endpoint.failures = [503]
    assert label_with_llm(evidence, endpoint.settings(), shelf, limit=limit).labelled == 6
    assert RequestLimit(limit.path, 9).left() == 9 - 6 - 1  # one was sent twice
    label_with_llm(evidence, endpoint.settings(), shelf, limit=limit)  # known answers cost nothing
    assert limit.left() == 2
    with pytest.raises(InputError, match="at most 9 requests a day, over all visitors; 2 are left today"):
        label_with_llm(evidence, endpoint.settings(), Shelf(tmp_path / "other"), limit=limit)
    assert len(endpoint.seen) == 7
    assert limit.left() == 2


def test_a_limit_reached_meanwhile_keeps_what_was_answered(endpoint, evidence, shelf, tmp_path, monkeypatch):
    limit = RequestLimit(tmp_path / "requests.sqlite", 4)
    monkeypatch.setattr(limit, "check", lambda requests: None)  # others ask at the same time
    with pytest.raises(InputError, match="has sent its language model the 4 requests"):
        label_with_llm(evidence, endpoint.settings(), shelf, limit=limit)
    assert limit.left() == 0
    assert len(endpoint.seen) <= 4


def test_threads_share_a_limit(tmp_path):
    limit = RequestLimit(tmp_path / "requests.sqlite", 20)

    def take(_):
        try:
            limit.take()
        except InputError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(take, range(40))) == 20
    assert limit.left() == 0


def test_a_new_day_begins_anew(tmp_path, monkeypatch):
    limit = RequestLimit(tmp_path / "requests.sqlite", 1)
    limit.take()
    monkeypatch.setattr("lib.sae.labels.llm_limit._today", lambda: "2999-01-01")
    limit.take()
    assert limit.left() == 0


def test_what_cannot_be_counted_is_not_sent(endpoint, evidence, shelf, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be counted"):
        label_with_llm(evidence, endpoint.settings(), shelf, limit=RequestLimit(tmp_path / "file" / "x", 9))
    (tmp_path / "broken").write_text("no database at all, but long enough to be looked at" * 40)
    with pytest.raises(InputError, match="cannot be counted"):
        RequestLimit(tmp_path / "broken", 9).take()
    assert not endpoint.seen


def test_the_count_lies_beside_the_store(monkeypatch, tmp_path):
    monkeypatch.setenv("EMBEDSCOPE_STORE", str(tmp_path / "embeddings"))
    assert default_limit(3).path == tmp_path / "llm" / "requests.sqlite"


def test_answers_are_tidied():
    assert checked_answer(' "medical diagnosis." \n') == "medical diagnosis"
    assert checked_answer("Label: legal terms") == "legal terms"
    assert checked_answer(None) is None


def test_settings_come_from_the_secrets():
    made = LlmSettings.from_mapping({"base_url": "http://h/v1", "model": "m", "price_in": 1, "price_out": 2.5})
    assert (made.price_in, made.price_out, made.api_key) == (1.0, 2.5, "none")
    assert (made.most_requests, made.most_answer_tokens) == (500, 64)
    for held, message in (
        ({"model": "m"}, "without base_url"),
        ({"base_url": "http://h"}, "without model"),
        ({"base_url": "ftp://h", "model": "m"}, "should begin with http"),
        ({"base_url": "http://h", "model": "m", "most_requests": -1}, "most_requests under .* from 0 to 1,000,000"),
        ({"base_url": "http://h", "model": "m", "most_requests": True}, "most_requests under .* whole number"),
        ({"base_url": "http://h", "model": "m", "most_answer_tokens": 2.5}, "most_answer_tokens under .* from 16"),
        ({"base_url": "http://h", "model": "m", "price_in": "cheap"}, "price_in under .* should be a number"),
    ):
        with pytest.raises(InputError, match=message):
            LlmSettings.from_mapping(held)
