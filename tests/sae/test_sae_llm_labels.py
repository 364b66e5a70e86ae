"""Labels by a language model, against a small HTTP server: prompts, retries, refusals, the shelf, bad answers."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from lib.errors import InputError, Stopped
from lib.sae.labels import gather
from lib.sae.labels.llm import LlmSettings, estimate, label_with_llm
from lib.sae.labels.llm_prompts import checked_answer, prompts_for
from lib.shelf import Shelf
from tests.toy_sae import orthogonal_sae
from tests.toy_topics import NAMES, TOPICS, embed, topic_texts

KEY = "secret-key-of-the-test"


class FakeEndpoint:
    """Answers as a chat endpoint does: with the topic whose words the activating texts hold."""

    def __init__(self):
        self.seen, self.failures, self.answer, self.status = [], [], None, 200
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                endpoint.seen.append((self.path, self.headers["Authorization"], body))
                status = endpoint.failures.pop() if endpoint.failures else endpoint.status
                made = json.dumps(endpoint.reply(body) if status == 200 else {"error": {"message": KEY}}).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(made)))
                if status == 429:
                    self.send_header("retry-after-ms", "1")
                self.end_headers()
                self.wfile.write(made)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def reply(self, body):
        texts = " ".join(one["text"] for one in json.loads(body["messages"][1]["content"])["fires"])
        topic = max(NAMES, key=lambda name: sum(texts.count(phrase) for phrase in TOPICS[name]))
        content = f' "{TOPICS[topic][0]}."\n' if self.answer is None else self.answer
        message = {"role": "assistant", "content": content}
        return {"id": "1", "object": "chat.completion", "created": 0, "model": "toy",
                "choices": [{"index": 0, "finish_reason": "stop", "message": message}]}  # fmt: skip

    def settings(self, **more):
        return LlmSettings(f"http://127.0.0.1:{self.server.server_address[1]}/v1", "toy", KEY, **more)


@pytest.fixture
def endpoint(monkeypatch):
    """A fake endpoint; no proxy stands before it."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    made = FakeEndpoint()
    yield made
    made.server.shutdown()
    made.server.server_close()


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
    assert after.cost == 0
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


def test_answers_are_tidied():
    assert checked_answer(' "medical diagnosis." \n') == "medical diagnosis"
    assert checked_answer("Label: legal terms") == "legal terms"
    assert checked_answer(None) is None


def test_settings_come_from_the_secrets():
    made = LlmSettings.from_mapping({"base_url": "http://h/v1", "model": "m", "price_in": 1, "price_out": 2.5})
    assert (made.price_in, made.price_out, made.api_key) == (1.0, 2.5, "none")
    for held, message in (
        ({"model": "m"}, "without base_url"),
        ({"base_url": "http://h"}, "without model"),
        ({"base_url": "ftp://h", "model": "m"}, "should begin with http"),
        ({"base_url": "http://h", "model": "m", "price_in": "cheap"}, "price_in under .* should be a number"),
    ):
        with pytest.raises(InputError, match=message):
            LlmSettings.from_mapping(held)
