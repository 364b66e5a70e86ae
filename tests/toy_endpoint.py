"""A small HTTP server that answers as a chat endpoint does."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from lib.sae.labels.llm import LlmSettings
from tests.toy_topics import NAMES, TOPICS

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

    def settled(self, quiet=0.5):
        """What it was asked, once no request has come for a while: some may still be on their way."""
        known = -1
        while known != len(self.seen):
            known = len(self.seen)
            time.sleep(quiet)
        return self.seen

    def close(self):
        self.server.shutdown()
        self.server.server_close()
