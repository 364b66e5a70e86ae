"""Token vectors of any encoder: against the transformer run by hand, whatever the batch, the padding, the prompt."""

import numpy as np
import pytest

from lib.encoders import Policy, open_encoder, room, token_spans
from lib.errors import InputError, Stopped

FAMILIES = ["minilm", "mpnet", "bge-m3", "e5", "nomic", "gte-new", "gte-qwen2", "instructor", "jina-v3"]


def states(encoder, texts, **options):
    """One `TokenVectors` a text, in the order of the texts."""
    found = {}
    for batch in encoder.token_states(texts, **options):
        found.update(zip(batch.rows.tolist(), batch.texts, strict=True))
    assert sorted(found) == list(range(len(texts)))
    return [found[row] for row in range(len(texts))]


def by_hand(folder, tiny, text, prompt, limit=24):
    """Ids and unit states of one text alone, straight from transformers."""
    import torch
    import transformers

    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = getattr(transformers, tiny.model).from_pretrained(folder).eval()
    inputs = tokenizer(prompt + text, truncation=True, max_length=limit, return_tensors="pt")
    with torch.inference_mode():
        out = model(**inputs).last_hidden_state[0].double().numpy()
    return tokenizer.convert_ids_to_tokens(inputs["input_ids"][0]), out / np.linalg.norm(out, axis=1, keepdims=True)


@pytest.mark.parametrize("family", FAMILIES)
def test_they_are_the_last_hidden_states_of_the_real_tokens(family, build, open_tiny, tiny, texts):
    folder = build(family)
    prompt = tiny[family].prompts[0]
    made = states(open_tiny(folder), texts, role="query")
    for text, found in zip(texts, made, strict=True):
        tokens, expected = by_hand(folder, tiny[family], text, prompt)
        assert list(found.tokens) == tokens
        assert np.allclose(found.vectors, expected, atol=1e-5)


def test_rows_have_length_one_and_the_kinds_of_tokens_are_told_apart(open_tiny):
    (found,) = states(open_tiny("e5"), ["the patient was given aspirin"], role="query")
    assert np.allclose(np.linalg.norm(found.vectors, axis=1), 1, atol=1e-6)
    assert found.tokens[:3] == ("[CLS]", "query", ":")
    assert found.tokens[-1] == "[SEP]"
    assert [token for token, own in zip(found.tokens, found.own, strict=True) if own] == [
        "the", "patient", "was", "given", "aspirin",
    ]  # fmt: skip
    assert found.scored(special=False).tolist() == np.flatnonzero(found.own).tolist()
    assert found.scored(special=True).tolist() == list(range(len(found.tokens)))


def test_an_empty_text_keeps_its_special_tokens(open_tiny):
    (found,) = states(open_tiny("minilm"), [""])
    assert found.tokens == ("[CLS]", "[SEP]")
    assert not found.own.any()
    assert found.scored(special=False).tolist() == [0, 1]


def test_unknown_words_are_the_texts_own(open_tiny):
    (found,) = states(open_tiny("minilm"), ["contract 漢字"])
    assert "[UNK]" in found.tokens
    assert found.own.tolist() == [False] + [True] * (len(found.tokens) - 2) + [False]


def test_batches_padding_order_and_repetition_change_nothing(open_tiny, texts):
    encoder = open_tiny("minilm")
    alone = [states(encoder, [text])[0] for text in texts]
    for order in (np.arange(len(texts)), np.arange(len(texts))[::-1]):
        for batch_tokens in (1, 40, 4096):
            made = states(encoder, [texts[row] for row in order], batch_tokens=batch_tokens)
            for row, found in zip(order, made, strict=True):
                assert found.tokens == alone[row].tokens
                assert found.truncated == alone[row].truncated
                assert np.allclose(found.vectors, alone[row].vectors, atol=1e-5)


def test_pooled_they_are_the_embedding(packaged):
    """The packaged encoder takes the mean of unscaled states; the direction of the text is among its tokens'."""
    texts = ["Aspirin thins the blood.", "contract"]
    made = states(packaged, texts)
    for vector, found in zip(packaged.encode(texts).vectors, made, strict=True):
        assert (found.vectors @ vector).mean() > 0.3
        assert found.vectors.shape == (len(found.tokens), 384)


def test_cut_texts_are_told(open_tiny, texts):
    encoder = open_tiny("minilm")
    mask = encoder.encode(texts).truncated_mask
    assert [found.truncated for found in states(encoder, texts)] == mask.tolist()
    assert mask.any()


def test_a_static_encoder_gives_its_rows(static_encoder):
    encoder = static_encoder
    (found, empty) = states(encoder, ["the contract the", ""])
    assert found.tokens == ("the", "contract", "the")
    assert found.own.all()
    assert np.array_equal(found.vectors[0], found.vectors[2])
    table = encoder.modules[0].embedding.weight.detach().numpy()
    rows = table[[encoder.modules[0].tokenizer.token_to_id(token) for token in found.tokens]]
    assert np.allclose(found.vectors, rows / np.linalg.norm(rows, axis=1, keepdims=True), atol=1e-6)
    assert empty.vectors.shape == (0, 8)


@pytest.fixture
def static_encoder(tmp_path, write_json):
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer, models, pre_tokenizers

    tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0, "the": 1, "contract": 2, "query": 3}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    weights = np.random.default_rng(0).normal(size=(4, 8)).astype(np.float32)
    folder = tmp_path / "static"
    folder.mkdir()
    StaticEmbedding(tokenizer, embedding_weights=weights).save(str(folder))
    kind = "sentence_transformers.models.StaticEmbedding"
    write_json(folder / "modules.json", [{"idx": 0, "name": "0", "path": "", "type": kind}])
    return open_encoder(str(folder), policy=Policy(model_roots=(tmp_path,)))


def test_a_static_encoder_has_no_end_and_shows_its_places(static_encoder):
    assert room(static_encoder) is None
    (spans,) = token_spans(static_encoder, ["the  contract"])
    assert spans.tolist() == [[0, 3], [5, 13]]


def test_progress_and_stop(open_tiny, texts):
    encoder, told = open_tiny("minilm"), []
    states(encoder, texts, batch_tokens=30, progress=lambda done, of: told.append((done, of)))
    assert told[0] == (0, 5)  # one text is repeated
    assert told[-1] == (5, 5)
    stream = encoder.token_states(texts, batch_tokens=1, should_stop=lambda: len(told) > 0)
    with pytest.raises(Stopped):
        list(stream)


def test_what_is_wrong_is_said_at_once(open_tiny):
    encoder = open_tiny("minilm")
    with pytest.raises(InputError, match="put it into a list of one"):
        encoder.token_states("one text")
    with pytest.raises(InputError, match='"query" or as "document"'):
        encoder.token_states(["a"], role="title")


def test_room_is_what_prompt_and_special_tokens_leave(open_tiny):
    assert room(open_tiny("minilm")) == 22
    assert room(open_tiny("e5"), "query") == 20  # "query", ":"
    encoder = open_tiny("minilm")
    full = encoder.under(encoder.checkpoint.with_prompts(document="a " * 30))
    with pytest.raises(InputError, match="document prompt takes 32 of the 24 tokens"):
        room(full)


@pytest.mark.parametrize("family", FAMILIES)
def test_spans_are_places_in_the_text(family, open_tiny):
    text = "  the patient was   given aspirin \ud800 at once: é 😀 "
    (spans,) = token_spans(open_tiny(family), [text])
    assert len(spans) > 5
    assert (spans[:, 0] <= spans[:, 1]).all()
    assert (np.diff(spans[:, 0]) >= 0).all()
    assert spans.min() >= 0
    assert spans.max() <= len(text)
