"""Fine-tune Diff in a real browser: a ten-step training begun, stopped, resumed, watched to its end; then the diff."""

import re
from collections import Counter
from urllib.parse import urlencode

import pytest

from lib.corpora import load_query_set
from tests import toy_tuning


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    """A tiny encoder that knows the sample's words, in a folder below one that the server may open."""
    texts = load_query_set("topics").documents
    known = Counter(word for text in texts for word in re.findall(r"\w+", text))
    folder = tmp_path_factory.mktemp("models") / "tiny"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(toy_tuning, "WORDS", [word for word, _ in known.most_common(1_000)])
        toy_tuning.tiny_model(folder / "files").save(str(folder))
    return folder


@pytest.fixture(scope="module")
def server(chromium, serve, encoder):
    with serve(EMBEDSCOPE_MODEL_ROOTS=str(encoder.parent)) as address:
        yield address


def test_a_training_is_begun_stopped_resumed_and_compared(server, visit, encoder):
    address = {"view": "Train", "encoder": str(encoder), "tune_settings": "my own", "tune_steps": "10",
               "tune_negatives": "none", "tune_batch": "8"}  # fmt: skip
    seen = visit(f"{server}/finetune_diff?{urlencode(address)}")
    seen.page.get_by_role("button", name="Start training").click()
    seen.page.get_by_role("button", name="Stop").click()
    seen.page.get_by_role("button", name="Resume").click()
    seen.page.get_by_role("button", name="Compare with the base").wait_for(timeout=120_000)
    (run,) = seen.query["run"]
    seen.chart("monitor_pairs")
    seen.chart("monitor_gradients_adapter")
    assert "→" in seen.numbers["NDCG@10"]
    seen.page.get_by_role("button", name="Compare with the base").click()
    seen.page.get_by_text("The rule of this verdict").first.wait_for(timeout=60_000)
    assert seen.query["tuned"] == [f"run:{run}"]
    seen.sound()
