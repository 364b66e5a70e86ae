"""Adapters, static encoders, fingerprints."""

import json
import shutil

import numpy as np
import pytest

from lib.encoders import Policy, describe, open_encoder
from lib.errors import InputError


def opened(folder, *roots):
    return open_encoder(str(folder), policy=Policy(model_roots=(folder, *roots)))


def save_adapter(base, folder, *, spread=0.3, with_modules=False):
    """Save a random LoRA adapter over the transformer of `base`, and give vectors that are adapted, not merged."""
    import torch
    from peft import LoraConfig, get_peft_model
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(base), device="cpu")
    adapted = get_peft_model(model[0].model, LoraConfig(r=4, target_modules=["query", "key", "value"]))
    torch.manual_seed(0)
    for name, parameter in adapted.named_parameters():
        if "lora_" in name:
            torch.nn.init.normal_(parameter, std=spread)
    adapted.save_pretrained(folder)
    config = json.loads((folder / "adapter_config.json").read_text())
    (folder / "adapter_config.json").write_text(json.dumps({**config, "base_model_name_or_path": str(base)}))
    if with_modules:
        for name in ("modules.json", "sentence_bert_config.json"):
            shutil.copy(base / name, folder / name)
        shutil.copytree(base / "1_Pooling", folder / "1_Pooling")
    model[0].model = adapted.base_model.model
    return lambda texts: model.encode(texts)


@pytest.mark.parametrize("with_modules", [False, True])
def test_merged_adapter_equals_the_adapted_model(build, tmp_path, texts, with_modules):
    base, folder = build("bge"), tmp_path / "adapter"
    adapted = save_adapter(base, folder, with_modules=with_modules)
    encoder = opened(folder, base)
    vectors = encoder.encode(texts).vectors
    np.testing.assert_allclose(vectors, adapted(texts), atol=1e-5)
    assert np.abs(vectors - opened(base).encode(texts).vectors).max() > 0.01
    checkpoint = encoder.checkpoint
    assert (checkpoint.adapter, checkpoint.pooling) == (folder, "cls")
    assert checkpoint.fingerprint != describe(str(base), policy=Policy(model_roots=(base,))).fingerprint


def test_adapter_with_pooling_of_its_own(build, tmp_path, write_json, texts):
    base, folder = build("bge"), tmp_path / "adapter"
    save_adapter(base, folder, with_modules=True)
    write_json(folder / "1_Pooling" / "config.json", {"embedding_dimension": 32, "pooling_mode": "max"})
    checkpoint = describe(str(folder), policy=Policy(model_roots=(folder, base)))
    assert checkpoint.pooling == "max"
    assert open_encoder(checkpoint).encode(texts).vectors.shape == (len(texts), 32)


def test_adapter_over_the_packaged_encoder(tmp_path, packaged):
    folder = tmp_path / "adapter"
    adapted = save_adapter(packaged.checkpoint.path, folder, spread=0.05)
    for base in (str(packaged.checkpoint.path), "sentence-transformers/all-MiniLM-L6-v2"):
        config = json.loads((folder / "adapter_config.json").read_text())
        (folder / "adapter_config.json").write_text(json.dumps({**config, "base_model_name_or_path": base}))
        vectors = opened(folder).encode(["the court dismissed the appeal"]).vectors
        np.testing.assert_allclose(vectors, adapted(["the court dismissed the appeal"]), atol=1e-5)


def test_adapters_that_cannot_be_merged(build, tmp_path):
    base, folder = build("bge"), tmp_path / "adapter"
    save_adapter(base, folder)
    with pytest.raises(InputError, match=r"The base of the adapter .* cannot be opened: .* is no checkpoint folder"):
        opened(folder)
    config = json.loads((folder / "adapter_config.json").read_text())

    def say(**changes):
        (folder / "adapter_config.json").write_text(json.dumps({**config, **changes}))
        with pytest.raises(InputError) as caught:
            opened(folder, base)
        return str(caught.value)

    assert "only LoRA adapters can be merged" in say(peft_type="IA3")
    assert "does not name its base" in say(base_model_name_or_path=None)
    assert "is an adapter itself" in say(base_model_name_or_path=str(folder))
    (folder / "adapter_model.safetensors").unlink()
    assert "has no adapter_model.safetensors" in say()


def test_task_adapters_are_switched_with_the_role(build, tmp_path, texts):
    import torch
    import transformers
    from peft import LoraConfig, PeftModel, get_peft_model

    folder = build("jina-v3", folder=tmp_path / "jina")
    expected = {}
    for role, task in (("query", "retrieval_query"), ("document", "retrieval_passage")):
        model = transformers.JinaEmbeddingsV3Model.from_pretrained(folder)
        adapted = get_peft_model(model, LoraConfig(r=2, target_modules=["q_proj", "v_proj"]))
        for name, parameter in adapted.named_parameters():
            if "lora_" in name:
                torch.nn.init.normal_(parameter, std=0.3)
        adapted.save_pretrained(folder / task)
        merged = PeftModel.from_pretrained(
            transformers.JinaEmbeddingsV3Model.from_pretrained(folder), folder / task
        ).merge_and_unload()
        whole = tmp_path / f"whole-{role}"
        shutil.copytree(folder, whole, ignore=shutil.ignore_patterns("retrieval_*", "model.safetensors"))
        merged.save_pretrained(whole)
        expected[role] = opened(whole).encode(texts, role=role).vectors
    encoder = opened(folder)
    assert [role for role, _ in encoder.checkpoint.task_adapters] == ["query", "document"]
    for role in ("query", "document", "query"):
        np.testing.assert_allclose(encoder.encode(texts, role=role).vectors, expected[role], atol=1e-5)
    last = next(encoder.hidden_states(["contract"], role="document")).pooled[-1]
    np.testing.assert_allclose(last[0] / np.linalg.norm(last[0]), expected["document"][1], atol=1e-5)


@pytest.fixture(scope="module")
def static_model():
    """A model2vec model with random vectors for a small vocabulary."""
    from model2vec import StaticModel
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

    words = ["[UNK]", "[PAD]", "the", "court", "dismissed", "appeal", "aspirin", "rates", "fell", "contract"]
    tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizers.Lowercase(), pre_tokenizers.Whitespace()
    vectors = np.random.default_rng(0).normal(size=(len(words), 12)).astype(np.float32)
    return StaticModel(vectors, tokenizer, normalize=True)


STATIC_TEXTS = ["The court dismissed the appeal", "rates fell", "aspirin", "rates fell", "contract contract the"]


def test_model2vec_folder_equals_model2vec(static_model, tmp_path):
    static_model.save_pretrained(tmp_path / "static")
    encoder = opened(tmp_path / "static")
    checkpoint = encoder.checkpoint
    assert (checkpoint.kind, checkpoint.dimensions, checkpoint.pooling) == ("static", 12, "token mean (static)")
    assert (checkpoint.layers, checkpoint.max_tokens, checkpoint.normalised) == (None, None, True)
    np.testing.assert_allclose(encoder.encode(STATIC_TEXTS).vectors, static_model.encode(STATIC_TEXTS), atol=1e-5)


def test_raw_model2vec_folder_without_module_list(static_model, tmp_path):
    static_model.save_pretrained(tmp_path / "static")
    for name in ("modules.json", "config_sentence_transformers.json"):
        (tmp_path / "static" / name).unlink(missing_ok=True)
    encoder = opened(tmp_path / "static")
    np.testing.assert_allclose(encoder.encode(STATIC_TEXTS).vectors, static_model.encode(STATIC_TEXTS), atol=1e-5)


def test_static_embedding_folder_of_sentence_transformers(static_model, tmp_path):
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding

    module = StaticEmbedding(static_model.tokenizer, embedding_weights=static_model.embedding)
    theirs = SentenceTransformer(modules=[module], device="cpu")
    theirs.save_pretrained(str(tmp_path / "static"))
    encoder = opened(tmp_path / "static")
    assert not encoder.checkpoint.normalised
    encoded = encoder.encode([*STATIC_TEXTS, ""])
    np.testing.assert_allclose(encoded.vectors, theirs.encode([*STATIC_TEXTS, ""]), atol=1e-5)
    assert not encoded.vectors[-1].any()
    assert encoder.encode([""]).vectors.shape == (1, 12)


def test_static_encoders_have_no_layers_and_no_attention(static_model, tmp_path):
    static_model.save_pretrained(tmp_path / "static")
    encoder = opened(tmp_path / "static")
    with pytest.raises(InputError, match=r"is a static encoder: .* has no layers"):
        encoder.hidden_states(["a"])
    with pytest.raises(InputError, match=r"is a static encoder: .* has no attention"):
        encoder.attentions(["a"])


@pytest.fixture
def fingerprint(tmp_path):
    def of(folder):
        return describe(str(folder), policy=Policy(model_roots=(tmp_path, folder))).fingerprint

    return of


def test_fingerprint_does_not_depend_on_the_place(build, tmp_path, fingerprint):
    folder = build("e5")
    shutil.copytree(folder, tmp_path / "elsewhere")
    assert fingerprint(folder) == fingerprint(tmp_path / "elsewhere")


def changed_json(path, **changes):
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def one_bit_of_the_weights(folder):
    path = folder / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    "change",
    [
        one_bit_of_the_weights,
        lambda f: changed_json(f / "config.json", layer_norm_eps=1e-3),
        lambda f: changed_json(f / "1_Pooling" / "config.json", pooling_mode="max"),
        lambda f: changed_json(f / "1_Pooling" / "config.json", include_prompt=False),
        lambda f: changed_json(f / "config_sentence_transformers.json", prompts={"query": "q: ", "passage": "p: "}),
        lambda f: changed_json(f / "sentence_bert_config.json", max_seq_length=20),
        lambda f: changed_json(f / "tokenizer_config.json", padding_side="left"),
        lambda f: (f / "modules.json").write_text(json.dumps(json.loads((f / "modules.json").read_text())[:-1])),
    ],
)
def test_fingerprint_changes_with(change, build, tmp_path, fingerprint):
    folder = build("e5", folder=tmp_path / "model")
    before = fingerprint(folder)
    change(folder)
    assert fingerprint(folder) != before


@pytest.mark.parametrize(
    "change",
    [
        lambda f: changed_json(f / "config.json", transformers_version="9.9", _name_or_path="/tmp/x"),
        lambda f: (f / "README.md").write_text("hello"),
        lambda f: (f / "model.safetensors").touch(),
    ],
)
def test_fingerprint_stays_with(change, build, tmp_path, fingerprint):
    folder = build("e5", folder=tmp_path / "model")
    before = fingerprint(folder)
    change(folder)
    assert fingerprint(folder) == before


def test_edited_prompts_change_the_fingerprint_and_are_said_to_be_edited(build):
    folder = build("e5")
    checkpoint = describe(str(folder), policy=Policy(model_roots=(folder,)))
    edited = checkpoint.with_prompts(query="ask: ")
    assert (edited.prompts.query, edited.prompts.document, edited.prompts.source) == ("ask: ", "passage: ", "edited")
    assert edited.fingerprint != checkpoint.fingerprint
    assert edited.content == checkpoint.content
    assert checkpoint.with_prompts(query="query: ") is checkpoint


def test_licence_is_read_from_the_model_card(build, tmp_path):
    folder = build("minilm", folder=tmp_path / "model")
    (folder / "README.md").write_text("---\nlanguage: en\nlicense: cc-by-4.0\ntags:\n- x\n---\n# Model\n")
    assert describe(str(folder), policy=Policy(model_roots=(tmp_path,))).licence == "cc-by-4.0"


def test_vectors_cut_short_by_the_checkpoint(build, tmp_path, texts, write_json):
    folder = build("minilm", folder=tmp_path / "model")
    whole = opened(folder).encode(texts).vectors
    write_json(folder / "config_sentence_transformers.json", {"truncate_dim": 8})
    encoder = opened(folder)
    assert (encoder.checkpoint.dimensions, encoder.checkpoint.normalised) == (8, False)
    np.testing.assert_allclose(encoder.encode(texts).vectors, whole[:, :8], atol=1e-5)
