"""Every family on a tiny random checkpoint: vectors equal pooling done by hand on the hidden states."""

import numpy as np
import pytest

from lib.encoders import FAMILIES, Policy, describe, family_of, open_encoder
from lib.encoders.batches import distinct

FAMILY_NAMES = [
    "bge",
    "minilm",
    "e5",
    "gte",
    "bge-m3",
    "multilingual-e5",
    "mpnet",
    "nomic",
    "gte-new",
    "jina-v3",
    "gte-qwen2",
    "instructor",
    "weighted",
    "max",
    "root-length",
]


@pytest.fixture(scope="module")
def opened(build, open_tiny):
    """Each family's folder and encoder, written and opened once."""
    made = {}

    def get(family):
        if family not in made:
            folder = build(family)
            made[family] = (folder, open_tiny(folder))
        return made[family]

    return get


@pytest.mark.parametrize("family", FAMILY_NAMES)
@pytest.mark.parametrize("role", ["query", "document"])
def test_vectors_equal_pooling_by_hand(family, role, opened, tiny, texts, by_hand):
    folder, encoder = opened(family)
    expected = by_hand(folder, tiny[family], texts, encoder.checkpoint.prompts.of(role))
    encoded = encoder.encode(texts, role=role)
    assert encoded.vectors.shape == expected.shape == (len(texts), encoder.checkpoint.dimensions)
    assert np.abs(expected - expected[0]).max() > 0.01  # texts differ, so that the comparison means something
    np.testing.assert_allclose(encoded.vectors, expected, atol=1e-5)
    assert encoded.truncated_mask[4]
    assert not encoded.truncated_mask[1]


@pytest.mark.parametrize("family", FAMILY_NAMES)
def test_prompts_come_from_the_checkpoint_and_can_be_taken_away(family, opened, tiny, texts, by_hand):
    folder, encoder = opened(family)
    prompts = encoder.checkpoint.prompts
    assert (prompts.query, prompts.document) == tiny[family].prompts
    assert prompts.source == ("checkpoint" if any(tiny[family].prompts) else "none")
    bare = open_encoder(encoder.checkpoint.with_prompts(query="", document=""))
    np.testing.assert_allclose(bare.encode(texts).vectors, by_hand(folder, tiny[family], texts), atol=1e-5)


@pytest.mark.parametrize("family", FAMILY_NAMES)
def test_equals_sentence_transformers(family, opened, texts):
    from sentence_transformers import SentenceTransformer

    folder, encoder = opened(family)
    theirs = SentenceTransformer(str(folder), device="cpu")
    for role in ("query", "document"):
        expected = theirs.encode(texts, prompt=encoder.checkpoint.prompts.of(role) or None)
        np.testing.assert_allclose(encoder.encode(texts, role=role).vectors, expected, atol=1e-5)


@pytest.mark.parametrize("family", FAMILY_NAMES)
def test_padding_and_batching_change_nothing(family, opened, texts):
    _, encoder = opened(family)
    together = encoder.encode(texts).vectors
    one_by_one = np.concatenate([encoder.encode([text]).vectors for text in texts])
    tight = encoder.encode(texts, batch_tokens=30).vectors
    np.testing.assert_allclose(together, one_by_one, atol=1e-5)
    np.testing.assert_allclose(together, tight, atol=1e-5)


@pytest.mark.parametrize("family", FAMILY_NAMES)
def test_last_hidden_state_pools_to_the_vector(family, opened, tiny, texts):
    _, encoder = opened(family)
    vectors = encoder.encode(texts, role="query").vectors
    layers = encoder.checkpoint.layers
    seen = []
    for batch in encoder.hidden_states(texts, role="query", batch_tokens=40):
        assert batch.pooled.shape == (layers + 1, len(batch.rows), 32)
        assert batch.pooled.dtype == np.float32
        seen.extend(batch.rows.tolist())
        last = batch.pooled[-1]
        if tiny[family].dense:
            last = last @ encoder.modules[2].linear.weight.numpy().T
        if tiny[family].normalise:
            last = last / np.linalg.norm(last, axis=1, keepdims=True)
        np.testing.assert_allclose(last, vectors[batch.rows], atol=1e-5)
    assert sorted(seen) == list(range(len(texts)))


@pytest.mark.parametrize("family", FAMILY_NAMES)
def test_attention_rows_sum_to_one_and_encoding_stays_as_it_was(family, opened, texts):
    _, encoder = opened(family)
    before = encoder.encode(texts).vectors
    rows = []
    for batch in encoder.attentions(texts):
        for tokens, maps in zip(batch.tokens, batch.attention, strict=True):
            assert maps.shape == (2, 4, len(tokens), len(tokens))
            np.testing.assert_allclose(maps.sum(axis=-1), 1, atol=1e-5)
        rows.extend(batch.rows.tolist())
    assert sorted(rows) == list(range(len(texts)))
    np.testing.assert_array_equal(encoder.encode(texts).vectors, before)


@pytest.mark.parametrize("family", ["bge", "mpnet", "bge-m3", "gte-qwen2", "instructor"])
def test_plain_checkpoint_is_opened_with_a_guess(family, build, tiny):
    folder = build(family, plain=True)
    checkpoint = describe(str(folder), policy=Policy(model_roots=(folder,)))
    assert checkpoint.pooling == "mean"
    assert checkpoint.pooling_guessed
    assert "guessed" in " ".join(checkpoint.notices)
    assert open_encoder(checkpoint).encode(["contract"]).vectors.shape == (1, 32)


def test_plain_checkpoint_of_a_known_family_follows_the_registry(build, tmp_path, texts, by_hand, tiny):
    folder = build("bge", plain=True, folder=tmp_path / "bge-small-en-v1.5")
    encoder = open_encoder(str(folder), policy=Policy(model_roots=(tmp_path,)))
    checkpoint = encoder.checkpoint
    assert (checkpoint.pooling, checkpoint.pooling_guessed, checkpoint.family) == ("cls", False, "BGE")
    assert checkpoint.prompts.source == "family"
    expected = by_hand(folder, tiny["bge"], texts[:4], checkpoint.prompts.query, max_tokens=checkpoint.max_tokens)
    np.testing.assert_allclose(encoder.encode(texts[:4], role="query").vectors, expected, atol=1e-5)


def test_pooling_excludes_instructions_of_instructor_even_if_its_files_do_not_say_so(build, tmp_path, write_json):
    folder = build("instructor", folder=tmp_path / "instructor-base")
    write_json(folder / "1_Pooling" / "config.json", {"word_embedding_dimension": 32, "pooling_mode_mean_tokens": True})
    (folder / "config_sentence_transformers.json").unlink()
    checkpoint = describe(str(folder), policy=Policy(model_roots=(tmp_path,)))
    assert not checkpoint.include_prompt
    assert checkpoint.prompts.source == "family"
    assert checkpoint.prompts.query.startswith("Represent the question")


def test_several_ways_of_pooling_are_concatenated(build, open_tiny, write_json, texts, by_hand, tiny):
    folder = build("weighted")
    write_json(folder / "1_Pooling" / "config.json", {"embedding_dimension": 32, "pooling_mode": ["cls", "max"]})
    encoder = open_tiny(folder)
    assert (encoder.checkpoint.pooling, encoder.checkpoint.dimensions) == ("cls+max", 64)
    assert encoder.encode(texts).vectors.shape == (len(texts), 64)


def test_tokenizer_that_promises_an_end_token_gives_one(build, tmp_path, write_json):
    import json

    folder = build("gte-qwen2", folder=tmp_path / "qwen")
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    tokenizer["post_processor"] = None  # gte-Qwen2 leaves it to its tokenizer class to append the token
    write_json(folder / "tokenizer.json", tokenizer)
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    write_json(folder / "tokenizer_config.json", {**settings, "add_eos_token": True})
    encoder = open_encoder(str(folder), policy=Policy(model_roots=(tmp_path,)))
    batch = next(encoder.batches(distinct(["contract"]), "document", batch_tokens=100))
    assert encoder.tokenizer.text_tokens(batch.encodings[0])[-1] == "<|endoftext|>"


def test_registry_holds_the_23_checkpoints_and_each_is_found_by_its_names():
    variants = [variant for family in FAMILIES for variant in family.variants]
    assert len(variants) == 23
    assert len({variant.hub_id for variant in variants}) == 23
    for family in FAMILIES:
        for variant in family.variants:
            assert family_of(variant.hub_id) == (family, variant)
            assert family_of(variant.name) == (family, variant)
    assert family_of("nobody/knows-this") is None


def test_registry_has_the_prompts_that_the_families_were_trained_with():
    def prompts(name):
        variant = family_of(name)[1]
        return variant.query_prompt, variant.document_prompt

    assert prompts("intfloat/multilingual-e5-large") == ("query: ", "passage: ")
    assert prompts("BAAI/bge-base-en-v1.5") == ("Represent this sentence for searching relevant passages: ", "")
    assert prompts("BAAI/bge-m3") == ("", "")
    assert prompts("nomic-ai/nomic-embed-text-v1.5") == ("search_query: ", "search_document: ")
    assert prompts("Alibaba-NLP/gte-Qwen2-1.5B-instruct")[0].startswith("Instruct: ")
