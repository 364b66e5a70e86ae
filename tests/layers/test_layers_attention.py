"""Attention entropy against a slow reference, text by text, on a tiny random encoder of every family."""

import importlib
import math
import shutil

import numpy as np
import pytest

from lib.encoders import Policy, open_encoder
from lib.encoders.batches import distinct
from lib.errors import InputError, Stopped
from lib.layers.attention import head_entropy
from lib.layers.attention_map import attention_map
from lib.layers.head_sums import TARGETS
from tests.encoders.conftest import TINY, Tiny, write_checkpoint

SIZES = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
MODERN = {
    **SIZES, "num_hidden_layers": 3, "local_attention": 8, "global_attn_every_n_layers": 2, "pad_token_id": 0,
    "max_position_embeddings": 64, "cls_token_id": 2, "bos_token_id": 2, "sep_token_id": 3, "eos_token_id": 3,
}  # fmt: skip
QWEN = TINY["gte-qwen2"].config
OTHERS = {
    "qwen2-causal": Tiny("Qwen2Model", {**QWEN, "is_causal": True}, "bytes", "lasttoken"),
    "qwen3-causal": Tiny("Qwen3Model", {**QWEN, "is_causal": True, "head_dim": 16}, "bytes", "lasttoken"),
    "mistral-window": Tiny("MistralModel", {**QWEN, "is_causal": True, "sliding_window": 6}, "bytes", "lasttoken"),
    "modernbert": Tiny("ModernBertModel", MODERN, "wordpiece", "mean"),
    "albert": Tiny("AlbertModel", {**TINY["bge"].config, "embedding_size": 16}, "wordpiece", "mean"),
    "deberta": Tiny("DebertaV2Model", TINY["bge"].config, "wordpiece", "mean"),
    "gpt2": Tiny(
        "GPT2Model",
        {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 40, "bos_token_id": 1, "eos_token_id": 1},
        "bytes",
        "mean",
    ),
}
FAMILIES = ["bge", "bge-m3", "mpnet", "nomic", "gte-new", "jina-v3", "gte-qwen2", "instructor", *OTHERS]
SINGLE = {"gte-qwen2", "qwen2-causal", "qwen3-causal", "mistral-window", "modernbert"}
"""Families that cast scores to float32: float64's masks would overflow there."""
CAUSAL = {"qwen2-causal", "qwen3-causal", "mistral-window", "gpt2"}
WINDOW = {"mistral-window": lambda i, j: i - j < 6, "modernbert": lambda i, j: abs(i - j) <= 4}
TEXTS = [
    "the patient was given two doses of aspirin",
    "contract",
    "",
    "a b c d e f g h i j k l m n o p q r s t u v w x y z a b c d e f g h i j k l m n o p q r s t u v w x y z",
    "interest rates fell",
    "contract",
    "the bank raised its forecast for the coming year",
]


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory):
    """Write a family's tiny checkpoint once, and give its folder."""
    made = {}

    def folder(family):
        if family not in made:
            made[family] = tmp_path_factory.mktemp(family)
            write_checkpoint({**TINY, **OTHERS}[family], made[family], plain=False, seed=0)
        return made[family]

    return folder


@pytest.fixture
def opened(tiny_folder):
    """Open a family's tiny checkpoint, computing in float64 where the family does not insist on float32."""

    def get(family, folder=None):
        folder = folder or tiny_folder(family)
        encoder = open_encoder(str(folder), policy=Policy(model_roots=(folder,)))
        if family not in SINGLE:
            encoder.modules[0].model.double()
        return encoder

    return get


def raw_maps(encoder, text):
    """Maps of one text alone, (layers, heads, t, t), by the library's own switch."""
    import torch
    import transformers

    batch = next(encoder.batches(distinct([text]), "document", batch_tokens=1))
    model = getattr(transformers, type(encoder.modules[0].model).__name__)
    model = model.from_pretrained(encoder.checkpoint.path, attn_implementation="eager").eval()
    model = model.to(encoder.modules[0].model.dtype)
    features = {k: batch.features[k] for k in ("input_ids", "attention_mask")}
    with torch.inference_mode():
        out = model(**features, output_attentions=True)
    return np.stack([layer[0].numpy() for layer in out.attentions])


def visible(family, layer, t):
    """Which tokens each token may look at, in numpy."""
    i, j = np.indices((t, t))
    keys = np.ones((t, t), bool)
    if family in CAUSAL:
        keys &= j <= i
    if family in WINDOW and not (family == "modernbert" and layer % 2 == 0):
        keys &= WINDOW[family](i, j)
    return keys


def reference(family, encoder, texts):
    """Entropies (texts, layers, heads) and target masses (texts, layers, heads, targets), with plain loops."""
    entropies, masses = [], []
    for text in texts:
        maps = raw_maps(encoder, text)
        layers, heads, t, _ = maps.shape
        if t < 2:
            continue
        of_text, mass = np.zeros((layers, heads)), np.full((layers, heads, len(TARGETS)), np.nan)
        for layer in range(layers):
            keys = visible(family, layer, t)
            for head in range(heads):
                rows, looked = [], {target: [] for target in TARGETS}
                for i in range(t):
                    n = int(keys[i].sum())
                    if n < 2:
                        continue
                    p = [maps[layer, head, i, j] for j in range(t) if keys[i, j]]
                    rows.append(-sum(x * math.log(x) for x in p if x > 0) / math.log(n))
                    for target, j in zip(TARGETS, (0, t - 1, i, i - 1, i + 1), strict=True):
                        if 0 <= j < t and keys[i, j] and (j != i or target == "self"):
                            looked[target].append(maps[layer, head, i, j])
                of_text[layer, head] = np.mean(rows)
                mass[layer, head] = [np.mean(looked[target]) if looked[target] else np.nan for target in TARGETS]
        entropies.append(of_text)
        masses.append(mass)
    return np.array(entropies), np.array(masses)


@pytest.mark.parametrize("family", FAMILIES)
def test_equals_a_slow_reference(family, opened):
    encoder = opened(family)
    entropies, masses = reference(family, encoder, TEXTS)
    result = head_entropy(encoder, TEXTS)
    np.testing.assert_allclose(result.entropy, entropies.mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(result.spread, entropies.std(axis=0), atol=1e-6)
    with np.testing.suppress_warnings() as quiet:
        quiet.filter(RuntimeWarning)
        np.testing.assert_allclose(result.masses, np.nanmean(masses, axis=0), atol=1e-6)
    assert result.texts == len(entropies)
    assert result.one_token == len(TEXTS) - len(entropies)
    assert result.truncated >= 1
    assert (result.entropy > 0).all()
    assert (result.entropy < 1).all()


@pytest.mark.parametrize("family", FAMILIES)
def test_what_a_token_may_look_at(family, opened):
    sight = head_entropy(opened(family), TEXTS).sight
    plain = "earlier" if family in CAUSAL else "all"
    expected = {"modernbert": ("all", "window", "all"), "mistral-window": ("window", "window")}
    assert sight == expected.get(family, (plain, plain))


@pytest.mark.parametrize("family", FAMILIES)
def test_batches_and_order_change_nothing(family, opened):
    encoder = opened(family)
    whole = head_entropy(encoder, TEXTS)
    for texts, batch_tokens in ((TEXTS, 1), (TEXTS, 40), (TEXTS[::-1], 10_000)):
        again = head_entropy(encoder, texts, batch_tokens=batch_tokens)
        for name in ("entropy", "spread", "masses", "output_norm", "output_share"):
            np.testing.assert_allclose(getattr(again, name), getattr(whole, name), atol=1e-6, rtol=1e-6)
        assert (again.tokens, again.texts, again.targets) == (whole.tokens, whole.texts, whole.targets)


@pytest.mark.parametrize("family", ["nomic", "qwen2-causal", "mistral-window", "gte-qwen2"])
def test_padding_on_the_left(family, opened, tiny_folder, tmp_path):
    import json

    folder = tmp_path / "left"
    shutil.copytree(tiny_folder(family), folder)
    config = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps({**config, "padding_side": "left"}))
    encoder = opened(family, folder)
    batch = next(encoder.batches(distinct(TEXTS), "document", batch_tokens=10_000))
    assert batch.features["attention_mask"][-1][0] == 0
    left, right = head_entropy(encoder, TEXTS, batch_tokens=10_000), head_entropy(opened(family), TEXTS)
    np.testing.assert_allclose(left.entropy, right.entropy, atol=1e-6)
    np.testing.assert_allclose(left.masses, right.masses, atol=1e-6)
    np.testing.assert_allclose(left.output_share, right.output_share, atol=1e-6)
    assert left.sight == right.sight


def test_float32_is_close_to_float64(opened, tiny_folder):
    folder = tiny_folder("bge")
    plain = open_encoder(str(folder), policy=Policy(model_roots=(folder,)))
    coarse = open_encoder(str(folder), policy=Policy(model_roots=(folder,)), precision="bfloat16")
    exact = head_entropy(opened("bge"), TEXTS)
    np.testing.assert_allclose(head_entropy(plain, TEXTS).entropy, exact.entropy, atol=1e-6)
    np.testing.assert_allclose(head_entropy(coarse, TEXTS).entropy, exact.entropy, atol=0.03)


# Head outputs


def attention_output(encoder, text, layer):
    """What the projection after the heads of a layer gives for one text, without its bias, (t, d)."""
    import torch

    from lib.encoders.taps import AttentionTap

    tap, kept = AttentionTap(encoder), []
    projection = tap.sites[layer].projection
    handle = projection.register_forward_hook(lambda module, args, out: kept.append((args[0], out)))
    tap.run(next(encoder.batches(distinct([text]), "document", batch_tokens=1)), lambda *_: None)
    handle.remove()
    [(given, out)] = kept
    with torch.inference_mode():
        return (out - projection(torch.zeros_like(given)))[0].numpy()


def columns(projection):
    """The weight whose second dimension is what comes in."""
    return (
        projection.weight
        if projection.weight.shape[0] == 32 and hasattr(projection, "in_features")
        else (projection.weight.T)
    )


@pytest.mark.parametrize("family", [family for family in FAMILIES if family != "albert"])  # whose layers are one
def test_zeroing_a_heads_columns_takes_away_what_it_adds(family, opened):
    from lib.encoders.taps import AttentionTap

    encoder, text = opened(family), TEXTS[0]
    result = head_entropy(encoder, [text])
    for layer in range(result.shape[0]):
        whole = attention_output(encoder, text, layer)
        projection = AttentionTap(encoder).sites[layer].projection
        weight = columns(projection)
        size = weight.shape[1] // 4
        for head in range(4):
            kept = weight.clone()
            weight[:, head * size : (head + 1) * size] = 0
            added = whole - attention_output(encoder, text, layer)
            weight.copy_(kept)
            norm = np.linalg.norm(added, axis=1).mean()
            np.testing.assert_allclose(result.output_norm[layer, head], norm, rtol=1e-6)
            total = np.linalg.norm(whole, axis=1).mean()
            np.testing.assert_allclose(result.output_share[layer, head], norm / total, rtol=1e-6)


def test_adapters_of_a_role_take_part_in_the_projection(tiny_folder, tmp_path):
    import torch
    import transformers
    from peft import LoraConfig, PeftModel, get_peft_model

    folder = tmp_path / "jina"
    shutil.copytree(tiny_folder("jina-v3"), folder)
    for task in ("retrieval_query", "retrieval_passage"):
        model = transformers.JinaEmbeddingsV3Model.from_pretrained(tiny_folder("jina-v3"))
        adapted = get_peft_model(model, LoraConfig(r=2, target_modules=["v_proj", "o_proj"]))
        for name, parameter in adapted.named_parameters():
            if "lora_" in name:
                torch.nn.init.normal_(parameter, std=0.3)
        adapted.save_pretrained(folder / task)
    merged = PeftModel.from_pretrained(
        transformers.JinaEmbeddingsV3Model.from_pretrained(folder), folder / "retrieval_query"
    ).merge_and_unload()
    whole = tmp_path / "whole"
    shutil.copytree(folder, whole, ignore=shutil.ignore_patterns("retrieval_*", "model.safetensors"))
    merged.save_pretrained(whole)
    found = [
        head_entropy(open_encoder(str(place), policy=Policy(model_roots=(place,))), TEXTS, role="query")
        for place in (folder, whole)
    ]
    np.testing.assert_allclose(found[0].output_norm, found[1].output_norm, rtol=1e-4)
    np.testing.assert_allclose(found[0].entropy, found[1].entropy, atol=1e-5)


def test_outputs_that_cannot_be_found_are_not_measured(opened, monkeypatch):
    from lib.encoders import taps

    monkeypatch.setattr(taps, "_PROJECTIONS", ())
    monkeypatch.setattr(taps, "_OUTER_PROJECTION", "nowhere")
    result = head_entropy(opened("bge"), TEXTS)
    assert result.output_norm is None
    assert result.output_share is None
    assert (result.entropy > 0).all()


# Texts and samples


def test_texts_that_count_several_times(opened):
    encoder = opened("bge")
    three = head_entropy(encoder, [TEXTS[0], TEXTS[0], TEXTS[4]])
    first, second = (head_entropy(encoder, [TEXTS[i]]) for i in (0, 4))
    np.testing.assert_allclose(three.entropy, (2 * first.entropy + second.entropy) / 3, atol=1e-9)
    assert (three.texts, three.tokens) == (3, 2 * first.tokens + second.tokens)
    assert not first.spread.any()


def test_one_token_texts_are_left_out_and_counted(opened):
    encoder = opened("gte-qwen2")  # one special token: an empty text has no second one
    with_empty, without = head_entropy(encoder, ["contract", "", ""]), head_entropy(encoder, ["contract"])
    np.testing.assert_allclose(with_empty.entropy, without.entropy, atol=1e-6)
    assert (with_empty.one_token, with_empty.texts, without.one_token) == (2, 1, 0)
    with pytest.raises(InputError, match=r"needs a text of at least 2 .* of the 2 drawn 2 have fewer and 0 more"):
        head_entropy(encoder, ["", ""])


def test_texts_that_are_too_long_are_left_out_and_counted(opened, monkeypatch):
    encoder = opened("bge")
    monkeypatch.setattr(importlib.import_module("lib.layers.attention"), "MOST_MAP_BYTES", 4 * 4 * 12**2)
    result = head_entropy(encoder, TEXTS)
    assert result.most_tokens == 12
    assert (result.too_long, result.texts) == (1, len(TEXTS) - 1)
    short = [text for text in TEXTS if len(text) < 60]
    np.testing.assert_allclose(result.entropy, head_entropy(encoder, short).entropy, atol=1e-9)
    with pytest.raises(InputError, match="have fewer and 1 more"):
        head_entropy(encoder, [TEXTS[3]])


def test_a_sample_is_drawn_by_its_seed(opened):
    encoder = opened("bge")
    texts = [f"{a} {b}" for a in "abcdefgh" for b in ("contract", "bank", "interest rates fell")]
    result = head_entropy(encoder, texts, sample=5, seed=3)
    assert (result.drawn, result.texts, result.items, result.seed) == (5, 5, 24, 3)
    np.testing.assert_array_equal(result.entropy, head_entropy(encoder, texts, sample=5, seed=3).entropy)
    assert np.abs(result.entropy - head_entropy(encoder, texts, sample=5, seed=4).entropy).max() > 0


def test_first_and_last_tokens_go_by_their_names(opened):
    assert head_entropy(opened("bge"), TEXTS).targets[:2] == ("[CLS]", "[SEP]")
    assert head_entropy(opened("bge-m3"), TEXTS).targets[:2] == ("<s>", "</s>")
    assert head_entropy(opened("instructor"), TEXTS[:2]).targets[:2] == ("first token", "</s>")
    assert head_entropy(opened("gte-qwen2"), TEXTS[:2]).targets == (
        "first token", "<|endoftext|>", "itself", "previous token", "next token",
    )  # fmt: skip
    assert np.isnan(head_entropy(opened("qwen2-causal"), TEXTS).masses[..., [1, 4]]).all()  # none looks ahead


def test_progress_and_stop(opened):
    told = []
    head_entropy(opened("bge"), TEXTS, batch_tokens=30, progress=lambda done, of: told.append((done, of)))
    assert told[0] == (0, 6)
    assert told[-1] == (6, 6)
    with pytest.raises(Stopped, match="after 0 of 6"):
        head_entropy(opened("bge"), TEXTS, should_stop=lambda: True)


def test_json_has_no_number_that_is_none(opened):
    result = head_entropy(opened("qwen2-causal"), TEXTS).to_dict()
    assert result["masses"][0][0][1] is None
    assert len(result["entropy"]) == 2


@pytest.mark.parametrize(("texts", "sample"), [([], 5), (["a"], 0)])
def test_nothing_to_measure(opened, texts, sample):
    with pytest.raises(InputError, match="at least one text"):
        head_entropy(opened("bge"), texts, sample=sample)


# Encoders that show none


def test_static_encoders_have_no_heads(tmp_path):
    from model2vec import StaticModel
    from tokenizers import Tokenizer, models, pre_tokenizers

    tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0, "[PAD]": 1, "a": 2}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    StaticModel(np.ones((3, 4), np.float32), tokenizer).save_pretrained(tmp_path)
    encoder = open_encoder(str(tmp_path), policy=Policy(model_roots=(tmp_path,)))
    for measure in (lambda: head_entropy(encoder, ["a"]), lambda: attention_map(encoder, "a")):
        with pytest.raises(InputError, match=r"is a static encoder: .* has no attention"):
            measure()


def test_a_transformer_that_shows_no_maps(opened, monkeypatch):
    from lib.encoders.taps import AttentionTap

    run = AttentionTap._run

    def without(self, inputs):
        out = run(self, inputs)
        out["attentions"] = None
        return out

    monkeypatch.setattr(AttentionTap, "_run", without)
    with pytest.raises(InputError, match=r"\(bert\) shows no attention maps"):
        head_entropy(opened("bge"), TEXTS)


def test_damaged_weights_are_refused(opened):
    encoder = opened("bge")
    encoder.modules[0].model.encoder.layer[1].attention.self.key.weight[:] = float("nan")
    with pytest.raises(InputError, match=r"Layer 2 of .* gives attention that is not finite"):
        head_entropy(encoder, TEXTS)


def test_attention_past_the_mask_is_refused(opened, monkeypatch):
    from lib.encoders import taps

    monkeypatch.setattr(taps, "_visible", lambda mask, real: real[:, None, :] & real[:, :, None] & False)
    with pytest.raises(InputError, match="gives attention to padding or past its mask"):
        head_entropy(opened("bge"), TEXTS)


# Maps of one text


@pytest.mark.parametrize("family", ["bge", "mpnet", "instructor", "qwen2-causal", "modernbert"])
def test_a_map_equals_the_models_own(family, opened):
    encoder = opened(family)
    shown = attention_map(encoder, TEXTS[0])
    np.testing.assert_allclose(shown.attention, raw_maps(encoder, TEXTS[0]), atol=1e-6)
    assert len(shown.tokens) == shown.length == shown.attention.shape[-1]
    assert not shown.rest.any()


def test_the_beginning_of_a_long_text(opened):
    encoder = opened("bge")
    whole, shown = attention_map(encoder, TEXTS[3]), attention_map(encoder, TEXTS[3], most=7)
    assert whole.truncated
    assert shown.length == 24
    assert shown.tokens == whole.tokens[:7]
    np.testing.assert_array_equal(shown.attention, whole.attention[:, :, :7, :7])
    np.testing.assert_allclose(shown.attention.sum(axis=-1) + shown.rest, 1, atol=1e-6)
    with pytest.raises(InputError, match="at least 1 token"):
        attention_map(encoder, "a", most=0)


def test_a_map_of_a_text_too_long(opened, monkeypatch):
    monkeypatch.setattr(importlib.import_module("lib.layers.attention_map"), "MOST_MAP_BYTES", 4 * 4 * 12**2)
    with pytest.raises(InputError, match="a text of 1 to 12 tokens, got one of 24"):
        attention_map(opened("bge"), TEXTS[3])


def test_measuring_leaves_the_encoder_as_it_was(opened):
    encoder = opened("bge")
    before = encoder.encode(TEXTS).vectors
    head_entropy(encoder, TEXTS)
    np.testing.assert_array_equal(encoder.encode(TEXTS).vectors, before)
    model = encoder.modules[0].model
    assert not [module for module in model.modules() if module._forward_pre_hooks]
