"""The packaged encoder: against sentence-transformers, progress, stop, threads, repetitions, cut texts."""

import subprocess
import sys
import threading

import numpy as np
import pytest

from lib.encoders import PACKAGED, Policy, bfloat16_available, describe, open_encoder
from lib.errors import InputError, Stopped

MIXED = [
    *("word " * n for n in range(1, 40, 3)),
    "Ünïcödé, emoji 🙂 and 中文",
    "",
    " ",
    "word " * 400,
    "The court dismissed the appeal. " * 9,
]


@pytest.fixture(scope="module")
def theirs(packaged):
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(packaged.checkpoint.path), device="cpu")


def test_equals_sentence_transformers(packaged, theirs):
    encoded = packaged.encode(MIXED)
    np.testing.assert_allclose(encoded.vectors, theirs.encode(MIXED), atol=1e-5)
    assert encoded.vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(encoded.vectors, axis=1), 1, atol=1e-5)


def test_prompts_are_put_before_texts(packaged, theirs):
    encoder = open_encoder(packaged.checkpoint.with_prompts(query="find: ", document="text: "))
    np.testing.assert_allclose(
        encoder.encode(MIXED, role="query").vectors, theirs.encode(MIXED, prompt="find: "), atol=1e-5
    )
    np.testing.assert_allclose(encoder.encode(MIXED).vectors, theirs.encode(MIXED, prompt="text: "), atol=1e-5)


def test_description():
    checkpoint = describe(PACKAGED, policy=Policy())
    assert (checkpoint.pooling, checkpoint.dimensions, checkpoint.max_tokens) == ("mean", 384, 256)
    assert (checkpoint.layers, checkpoint.heads, checkpoint.normalised) == (6, 12, True)
    assert (checkpoint.family, checkpoint.licence, checkpoint.kind) == ("MiniLM", "apache-2.0", "transformer")
    assert checkpoint.parameters == 22_713_728
    assert not checkpoint.pooling_guessed
    for name in ("sentence-transformers/all-MiniLM-L6-v2", "all-MiniLM-L6-v2", str(checkpoint.path)):
        assert describe(name, policy=Policy()).fingerprint == checkpoint.fingerprint


def test_describing_imports_neither_torch_nor_transformers():
    code = (
        "import sys, lib.encoders as e; e.describe(e.PACKAGED, policy=e.Policy()); e.bfloat16_available();"
        "heavy = ('torch', 'transformers', 'sentence_transformers', 'sklearn', 'streamlit');"
        "print([name for name in heavy if name in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_weights_that_are_not_the_originals_are_refused(monkeypatch):
    monkeypatch.setattr("lib.encoders.sources.sha256_of", lambda path: "0" * 64)
    with pytest.raises(InputError, match="not the original's"):
        describe(PACKAGED, policy=Policy())


def test_no_texts_give_no_rows(packaged):
    encoded = packaged.encode([])
    assert encoded.vectors.shape == (0, 384)
    assert (encoded.truncated, encoded.encoded) == (0, 0)


def test_repetitions_are_encoded_once_and_counted_where_cut(packaged):
    texts = ["b", "a", "b", "word " * 300, "a", "word " * 300]
    seen = []
    encoded = packaged.encode(texts, progress=lambda done, total: seen.append((done, total)))
    assert encoded.encoded == 3
    assert seen[0] == (0, 3)
    assert seen[-1] == (3, 3)
    assert encoded.truncated == 2
    assert encoded.truncated_mask.tolist() == [False, False, False, True, False, True]
    np.testing.assert_array_equal(encoded.vectors[0], encoded.vectors[2])


def test_a_text_of_just_the_maximum_is_not_called_cut(packaged):
    just, over = "word " * 254, "word " * 255
    assert packaged.encode([just, over]).truncated_mask.tolist() == [False, True]


def test_progress_counts_up_and_stop_ends_between_batches(packaged):
    texts = [f"text number {i}" for i in range(200)]
    seen = []
    packaged.encode(texts, batch_tokens=200, progress=lambda done, total: seen.append(done))
    assert seen == sorted(seen)
    assert len(seen) > 5
    calls = []

    def stop():
        calls.append(None)
        return len(calls) > 3

    with pytest.raises(Stopped, match="of 200 texts"):
        packaged.encode(texts, batch_tokens=200, should_stop=stop)
    assert len(calls) == 4


def test_threads_get_what_one_caller_gets(packaged):
    groups = [[f"group {g} text {i} " * (1 + i % 5) for i in range(30)] for g in range(6)]
    expected = [packaged.encode(group).vectors for group in groups]
    got = [None] * len(groups)

    def work(g):
        got[g] = packaged.encode(groups[g], batch_tokens=256).vectors
        next(packaged.attentions(groups[g][:1]))

    workers = [threading.Thread(target=work, args=(g,)) for g in range(len(groups))]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    for a, b in zip(expected, got, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_more_texts_than_a_window_keep_their_order(packaged, monkeypatch):
    monkeypatch.setattr("lib.encoders.batches.WINDOW", 8)
    monkeypatch.setattr("lib.encoders.batches.windows.__defaults__", (8,))
    texts = [f"number {i}" + " more" * (i % 7) for i in range(30)]
    expected = np.concatenate([packaged.encode([text]).vectors for text in texts])
    np.testing.assert_allclose(packaged.encode(texts).vectors, expected, atol=1e-5)


def test_half_a_surrogate_pair_is_read_as_a_question_mark(packaged):
    np.testing.assert_array_equal(packaged.encode(["a \ud800 b"]).vectors, packaged.encode(["a ? b"]).vectors)


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ("one string", "Texts come as a list"),
        (["a", 3.5], "Text 2 should be a string, got a float"),
        ([None], "Text 1"),
    ],
)
def test_says_which_text_is_no_text(packaged, texts, message):
    with pytest.raises(InputError, match=message):
        packaged.encode(texts)


def test_unknown_role_and_precision(packaged, monkeypatch):
    with pytest.raises(InputError, match='as "query" or as "document", not as \'passage\''):
        packaged.encode(["a"], role="passage")
    monkeypatch.setattr("lib.encoders.precision.bfloat16_available", lambda: True)
    with pytest.raises(InputError, match=r"one of float32, bfloat16.*, got 'int8'"):
        open_encoder(PACKAGED, policy=Policy(), precision="int8")


def test_bfloat16_is_near_float32_or_refused(packaged, monkeypatch):
    if bfloat16_available():
        fast = open_encoder(PACKAGED, policy=Policy(), precision="bfloat16")
        ours, theirs = packaged.encode(MIXED).vectors, fast.encode(MIXED).vectors
        assert theirs.dtype == np.float32
        assert (1 - (ours * theirs).sum(axis=1)).max() < 1e-3
        np.testing.assert_allclose(np.linalg.norm(theirs, axis=1), 1, atol=1e-5)
    monkeypatch.setattr("lib.encoders.precision.bfloat16_available", lambda: False)
    with pytest.raises(InputError, match="no bfloat16"):
        open_encoder(PACKAGED, policy=Policy(), precision="bfloat16")


def test_attention_tokens_are_those_of_the_text(packaged):
    batch = next(packaged.attentions(["hello world"]))
    assert batch.tokens == (["[CLS]", "hello", "world", "[SEP]"],)
    assert batch.attention[0].shape == (6, 12, 4, 4)


def test_attention_of_a_text_too_long_is_refused(packaged, monkeypatch):
    monkeypatch.setattr("lib.encoders.hidden._MAX_MAP_BYTES", 100_000)
    with pytest.raises(InputError, match="The attention maps of a text of 256 tokens"):
        next(packaged.attentions(["word " * 400]))


def test_damaged_numbers_are_told_not_returned(packaged):
    import torch

    encoder = open_encoder(packaged.checkpoint)
    next(encoder.modules[0].parameters()).fill_(torch.nan)
    with pytest.raises(InputError, match="not finite"):
        encoder.encode(["a"])
