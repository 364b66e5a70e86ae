"""Cross-encoders: scores equal to sentence-transformers', files told without torch, everything else refused."""

import json
import pickle
import subprocess
import sys

import numpy as np
import pytest

from lib.encoders import PACKAGED, Policy
from lib.encoders.cross_checkpoint import describe_cross_encoder
from lib.encoders.cross_encoder import activated, open_cross_encoder
from lib.errors import InputError, Stopped
from tests.toy_reranking import MAX_TOKENS, SPECIALS, WORDS, blank, save

RNG = np.random.default_rng(0)
PAIRS = [
    (" ".join(RNG.choice(WORDS, RNG.integers(0, 9))), " ".join(RNG.choice(WORDS, RNG.integers(0, 30))))
    for _ in range(120)
]
"""Empty texts, unequal lengths, and some that 24 tokens do not hold."""


@pytest.fixture(scope="module")
def model():
    """A random cross-encoder whose scores differ."""
    import torch

    made = blank()
    with torch.no_grad():
        for parameter in made.parameters():
            if parameter.ndim > 1:
                parameter.mul_(20)
    return made


@pytest.fixture(scope="module")
def folder(model, tmp_path_factory):
    return save(model, tmp_path_factory.mktemp("cross"))


@pytest.fixture
def changed(model, tmp_path):
    """A copy whose JSON files can be changed: `changed(config={...}, drop=("id2label",))`."""

    def made(name="config.json", drop=(), plain=True, **values):
        save(model, tmp_path, plain=plain)
        path = tmp_path / name
        content = json.loads(path.read_text()) if path.exists() else {}
        path.write_text(json.dumps({key: value for key, value in {**content, **values}.items() if key not in drop}))
        return tmp_path

    return made


def opened(folder, **options):
    return open_cross_encoder(str(folder), policy=Policy(model_roots=(folder,), **options))


def described(folder, **options):
    return describe_cross_encoder(str(folder), policy=Policy(model_roots=(folder,), **options))


def refusal(source, policy=None):
    with pytest.raises(InputError) as caught:
        open_cross_encoder(str(source), policy=policy or Policy(model_roots=(source,)))
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith(".")
    return str(caught.value)


# Scores


@pytest.mark.parametrize("plain", [False, True])
def test_scores_are_those_of_sentence_transformers(model, tmp_path, plain):
    from sentence_transformers import CrossEncoder

    reranker = opened(save(model, tmp_path, plain=plain))
    expected = CrossEncoder(str(tmp_path), device="cpu", local_files_only=True).predict(PAIRS)
    scored = reranker.score(PAIRS)
    assert scored.scores.dtype == np.float32
    assert np.ptp(expected) > 0.1
    np.testing.assert_allclose(scored.scores, expected, atol=1e-5)


@pytest.mark.parametrize("batch_tokens", [1, 60, 100_000])
def test_batches_and_order_do_not_change_scores(folder, batch_tokens):
    reranker = opened(folder)
    expected = reranker.score(PAIRS).logits
    shuffled = RNG.permutation(len(PAIRS))
    scored = reranker.score([PAIRS[i] for i in shuffled], batch_tokens=batch_tokens)
    np.testing.assert_allclose(scored.logits, expected[shuffled], atol=1e-5)


def test_one_pair_alone_scores_the_same(folder):
    reranker = opened(folder)
    together = reranker.score(PAIRS[:9]).logits
    alone = [reranker.score([pair]).logits[0] for pair in PAIRS[:9]]
    np.testing.assert_allclose(alone, together, atol=1e-5)


def test_cut_pairs_are_counted(folder):
    scored = opened(folder).score(PAIRS)
    words = [len(query.split()) + len(document.split()) for query, document in PAIRS]
    np.testing.assert_array_equal(scored.truncated, np.array(words) + 3 > MAX_TOKENS)


def test_no_pairs_and_half_a_surrogate(folder):
    reranker = opened(folder)
    assert reranker.score([]).scores.shape == (0,)
    np.testing.assert_array_equal(
        reranker.score([("\ud800 red", "a ring")]).logits, reranker.score([("? red", "a ring")]).logits
    )


def test_progress_and_stop(folder):
    reranker, told = opened(folder), []
    reranker.score(PAIRS, batch_tokens=200, progress=lambda done, of: told.append((done, of)))
    assert told[0] == (0, len(PAIRS))
    assert told[-1] == (len(PAIRS), len(PAIRS))
    assert [done for done, _ in told] == sorted({done for done, _ in told})
    with pytest.raises(Stopped, match=r"after \d+ of 120 pairs"):
        reranker.score(PAIRS, batch_tokens=200, should_stop=lambda calls=[]: calls.append(1) or len(calls) > 3)


@pytest.mark.parametrize("pairs", [["red"], [("red",)], [("red", 1)], [("a", "b", "c")], "red"])
def test_what_is_no_pair_is_refused(folder, pairs):
    with pytest.raises(InputError, match=r"a query and a document|list of"):
        opened(folder).score(pairs)


def test_a_sigmoid_that_makes_high_scores_equal_does_not_make_raw_ones_equal():
    logits = np.array([-200, -1, 0, 1, 40, 41], dtype=np.float32)
    shown = activated(logits, "sigmoid")
    assert shown[4] == shown[5] == 1
    np.testing.assert_allclose(shown[1:4], 1 / (1 + np.exp(-logits[1:4])), rtol=1e-6)
    np.testing.assert_array_equal(activated(logits, "identity"), logits)
    np.testing.assert_allclose(activated(logits, "tanh")[2:4], [0, np.tanh(1)], rtol=1e-6)


# Settings


def test_description_needs_no_torch(folder):
    code = (
        "import sys; from pathlib import Path; from lib.encoders import Policy; "
        "from lib.encoders.cross_checkpoint import describe_cross_encoder; import lib.encoders.cross_encoder; "
        f"describe_cross_encoder({str(folder)!r}, policy=Policy(model_roots=(Path({str(folder)!r}),))); "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_description(folder):
    found = described(folder)
    assert (found.architecture, found.layers, found.max_tokens) == ("bert", 2, MAX_TOKENS)
    assert (found.activation, found.prompt, found.safe, found.own_code) == ("sigmoid", "", True, False)
    assert found.parameters == sum(parameter.numel() for parameter in blank().parameters())


@pytest.mark.parametrize(
    ("where", "spelt", "activation"),
    [
        ({"sentence_transformers": {"activation_fn": "torch.nn.modules.linear.Identity"}}, "Identity", "identity"),
        ({"sbert_ce_default_activation_function": "torch.nn.modules.activation.Sigmoid"}, "Sigmoid", "sigmoid"),
        ({"sbert_ce_default_activation_function": "torch.nn.modules.linear.Identity"}, "Identity", "identity"),
        ({}, "Sigmoid", "sigmoid"),
    ],
)
def test_activation_is_found_where_each_version_wrote_it(changed, where, spelt, activation):
    from sentence_transformers import CrossEncoder

    path = changed(**where)
    assert described(path).activation == activation
    peer = CrossEncoder(str(path), device="cpu", local_files_only=True)
    assert type(peer.activation_fn).__name__ == spelt
    np.testing.assert_allclose(opened(path).score(PAIRS[:20]).scores, peer.predict(PAIRS[:20]), atol=1e-5)


def test_an_activation_is_never_looked_up_as_code(changed):
    found = described(changed(sentence_transformers={"activation_fn": "torch.utils.collect_env.main"}))
    assert found.activation == "identity"
    assert "is not run" in found.notices[0]


def test_a_prompt_goes_before_the_query(model, tmp_path):
    from sentence_transformers import CrossEncoder

    save(model, tmp_path)
    path = tmp_path / "config_sentence_transformers.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "prompts": {"q": "big "}, "default_prompt_name": "q"}))
    peer = CrossEncoder(str(tmp_path), device="cpu", local_files_only=True)
    np.testing.assert_allclose(opened(tmp_path).score(PAIRS).scores, peer.predict(PAIRS), atol=1e-5)
    path.write_text(json.dumps({**json.loads(path.read_text()), "default_prompt_name": "other"}))
    assert "names the prompt 'other'" in refusal(tmp_path)


def test_lower_case_where_the_settings_ask_for_it(model, tmp_path):
    from sentence_transformers import CrossEncoder

    save(model, tmp_path)
    for name, key, value in (
        ("tokenizer.json", "normalizer", None),
        ("sentence_bert_config.json", "do_lower_case", True),
    ):
        content = json.loads((tmp_path / name).read_text())
        (tmp_path / name).write_text(json.dumps({**content, key: value}))
    pairs = [("RED but", "a Ring"), ("red but", "a ring"), ("BLUE", "ring")]
    scores = opened(tmp_path).score(pairs).scores
    assert scores[0] == pytest.approx(scores[1], abs=1e-6)
    peer = CrossEncoder(str(tmp_path), device="cpu", local_files_only=True)
    np.testing.assert_allclose(scores, peer.predict(pairs), atol=1e-5)


def test_content_depends_on_weights_and_settings_not_on_the_place(model, folder, tmp_path):
    import torch

    same = save(model, tmp_path / "same")
    assert described(same).content == described(folder).content
    other = blank()
    with torch.no_grad():
        other.classifier.bias.add_(1)
    assert described(save(other, tmp_path / "other")).content != described(folder).content
    (same / "tokenizer_config.json").write_text(
        json.dumps({**json.loads((same / "tokenizer_config.json").read_text()), "model_max_length": 12})
    )
    assert described(same).max_tokens == 12
    assert described(same).content != described(folder).content


# Refusals


def test_an_encoder_is_no_cross_encoder(tmp_path):
    assert "is no cross-encoder" in refusal(PACKAGED, Policy())
    from transformers import BertConfig, BertModel

    BertModel(BertConfig(vocab_size=30, hidden_size=8, num_hidden_layers=1, num_attention_heads=2)).save_pretrained(
        tmp_path
    )
    assert "is no cross-encoder (BertModel): it reads one text at a time" in refusal(tmp_path)
    (tmp_path / "modules.json").write_text(
        json.dumps([{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"}])
    )
    assert "is no cross-encoder (SentenceTransformer)" in refusal(tmp_path)


@pytest.mark.parametrize(("labels", "names"), [(2, None), (3, ["contradiction", "entailment", "neutral"])])
def test_classes_are_no_score(tmp_path, labels, names):
    path = save(blank(labels=labels), tmp_path, plain=True)
    if names:
        config = json.loads((path / "config.json").read_text()) | {"id2label": dict(enumerate(names))}
        (path / "config.json").write_text(json.dumps(config))
    sentence = refusal(path)
    assert f"gives {labels} scores for a pair" in sentence
    assert "needs a cross-encoder that gives one" in sentence
    assert ("(contradiction, entailment, neutral)" in sentence) == bool(names)


def test_a_language_model_is_refused(changed, model, tmp_path):
    assert "generates text (Qwen2ForCausalLM)" in refusal(changed(architectures=["Qwen2ForCausalLM"]))
    save(model, tmp_path)
    modules = json.loads((tmp_path / "modules.json").read_text())
    score = "sentence_transformers.cross_encoder.modules.logit_score.LogitScore"
    (tmp_path / "modules.json").write_text(
        json.dumps([*modules, {"idx": 1, "name": "1", "path": "1_LogitScore", "type": score}])
    )
    assert "a language model that is asked for yes or no" in refusal(tmp_path)
    (tmp_path / "modules.json").write_text(json.dumps([{**modules[0], "type": "evil.Module"}]))
    assert "expected a cross-encoder, a single Transformer module" in refusal(tmp_path)


def test_where_there_is_none(tmp_path):
    assert "No cross-encoder was named" in refusal("  ", Policy())
    assert "no checkpoint folder below" in refusal(tmp_path / "none", Policy(model_roots=(tmp_path,)))
    (tmp_path / "empty").mkdir()
    assert "is not an encoder: its folder holds neither" in refusal(tmp_path / "empty")
    (tmp_path / "empty" / "adapter_config.json").write_text("{}")
    assert "keeps a LoRA adapter among its weights; merge it" in refusal(tmp_path / "empty")


def test_an_adapter_in_the_modules_folder_is_not_applied_unasked(model, tmp_path):
    model.save_pretrained(str(tmp_path))
    inside = tmp_path / "0_Transformer"
    inside.mkdir()
    for path in [path for path in tmp_path.iterdir() if path.is_file()]:
        if path.name != "config_sentence_transformers.json":
            path.rename(inside / path.name)
    settings = {"model_type": "CrossEncoder"}
    (tmp_path / "config_sentence_transformers.json").write_text(json.dumps(settings))
    module = {"idx": 0, "name": "0", "path": inside.name, "type": "sentence_transformers.models.Transformer"}
    (tmp_path / "modules.json").write_text(json.dumps([module]))
    described(tmp_path)
    (inside / "adapter_config.json").write_text("{}")
    assert "keeps a LoRA adapter among its weights" in refusal(tmp_path)


def test_a_folder_outside_the_roots_is_not_told_apart_from_none(folder, tmp_path):
    outside = refusal(folder, Policy(model_roots=(tmp_path,)))
    assert outside.replace(str(folder), "X") == refusal("/no/such", Policy(model_roots=(tmp_path,))).replace(
        "/no/such", "X"
    )
    assert "no folder may be opened here" in refusal(folder, Policy())


def test_the_hub_cannot_be_reached(monkeypatch):
    import httpx2
    import huggingface_hub

    def fail(*args, **kwargs):
        raise httpx2.ConnectError("no route")

    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda *args, **kwargs: None)
    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", fail)
    sentence = refusal("cross-encoder/some-model", Policy())
    assert "The model hub cannot be reached" in sentence
    assert "choose a folder with a cross-encoder" in sentence
    sentence = refusal("cross-encoder/some-model", Policy(allow_hub=False))
    assert "may not be asked (offline)" in sentence
    assert "packaged" not in sentence


def test_pickled_weights_are_read_as_tensors_only(model, folder, tmp_path):
    import torch

    path = save(model, tmp_path, plain=True)
    torch.save(model.state_dict(), path / "pytorch_model.bin")
    (path / "model.safetensors").unlink()
    reranker = opened(path)
    assert "pickled" in reranker.checkpoint.notices[0]
    np.testing.assert_allclose(reranker.score(PAIRS).logits, opened(folder).score(PAIRS).logits, atol=1e-6)


def test_pickled_weights_that_run_code_do_not(model, tmp_path):
    path = save(model, tmp_path, plain=True)
    (path / "model.safetensors").unlink()
    mark = tmp_path / "ran"

    class Trap:
        def __reduce__(self):
            return (mark.touch, ())

    (path / "pytorch_model.bin").write_bytes(pickle.dumps(Trap()))
    assert "could run code when read" in refusal(path)
    assert not mark.exists()


def test_no_weights_and_cut_weights(model, tmp_path):
    path = save(model, tmp_path, plain=True)
    weights = (path / "model.safetensors").read_bytes()
    (path / "model.safetensors").write_bytes(weights[:-10])
    assert "is cut or damaged" in refusal(path)
    (path / "model.safetensors").unlink()
    assert "holds no weights that can be opened" in refusal(path)


def test_a_head_that_is_missing_is_not_made_up(model, tmp_path):
    from safetensors.numpy import load_file, save_file

    path = save(model, tmp_path, plain=True)
    tensors = {k: v for k, v in load_file(path / "model.safetensors").items() if not k.startswith("classifier")}
    save_file(tensors, path / "model.safetensors", metadata={"format": "pt"})
    assert "lacks 2 of the weights that a bert cross-encoder has (the first: classifier.bias)" in refusal(path)


def test_weights_that_are_not_finite(tmp_path):
    import torch

    model = blank()
    with torch.no_grad():
        model.classifier.weight.fill_(float("nan"))
    assert "not finite" in refusal(save(model, tmp_path, plain=True))


def test_a_vocabulary_larger_than_the_table_is_found_when_opened(changed):
    path = changed("tokenizer.json")
    content = json.loads((path / "tokenizer.json").read_text())
    content["model"]["vocab"]["a"] = 500
    (path / "tokenizer.json").write_text(json.dumps(content))
    assert "its files do not fit together" in refusal(path)
    assert len(SPECIALS) + len(WORDS) < 500


def test_own_code_is_off(changed):
    path = changed(model_type="not-known-here", auto_map={"AutoModelForSequenceClassification": "code.Model"})
    assert "EMBEDSCOPE_ALLOW_REMOTE_CODE=1" in refusal(path)
    assert described(path, allow_remote_code=True).own_code


def test_too_large_for_memory(folder, monkeypatch):
    monkeypatch.setattr("lib.encoders.memory.free_memory", lambda: 10)
    assert "needs about" in refusal(folder)
