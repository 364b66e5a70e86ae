"""Token shares: they add up to the pre-activation where they say so, for every way of pooling."""

import copy
import json
from dataclasses import replace

import numpy as np
import pytest

from lib.encoders import PACKAGED, Policy, open_encoder
from lib.errors import InputError
from lib.sae.autoencoder import About
from lib.sae.tokens import token_shares
from tests.encoders.conftest import MAX_TOKENS, TINY, Tiny, dump, pool, write_checkpoint
from tests.toy_sae import random_sae

BERT = TINY["minilm"].config
OTHERS = {
    "long": Tiny("BertModel", BERT, "wordpiece", "mean", normalise=False),
}
ONE_TOKEN = {"bge", "bge-m3", "gte-new", "gte-qwen2"}
SUMS = sorted(set(TINY) - ONE_TOKEN)
TEXTS = ("the patient was given two doses of aspirin", "contract", "", "a b c d e f g h i j k l m n o p " * 3)


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    """Open a family's tiny checkpoint, written once."""
    made = {}

    def encoder(family):
        if family not in made:
            folder = tmp_path_factory.mktemp("tiny")
            write_checkpoint({**TINY, **OTHERS}[family], folder, plain=False, seed=0)
            made[family] = at(folder)
        return made[family]

    return encoder


@pytest.fixture(scope="module")
def packaged():
    return open_encoder(PACKAGED, policy=Policy())


@pytest.fixture(scope="module")
def static(tmp_path_factory):
    """A static encoder, normalised, of five words."""
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer, models, pre_tokenizers

    words = {"[UNK]": 0, "the": 1, "contract": 2, "query": 3, "of": 4}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    folder = tmp_path_factory.mktemp("static")
    StaticEmbedding(tokenizer, np.random.default_rng(0).normal(size=(5, 8)).astype(np.float32)).save(str(folder))
    kinds = ("StaticEmbedding", "Normalize")
    entries = [
        {"idx": place, "name": str(place), "path": "", "type": f"sentence_transformers.models.{kind}"}
        for place, kind in enumerate(kinds)
    ]
    dump(folder / "modules.json", entries)
    return at(folder)


def at(folder):
    return open_encoder(str(folder), policy=Policy(model_roots=(folder,)))


def sae_of(encoder, *, seed=0):
    """A dictionary over the encoder's vectors, with biases."""
    generator, d = np.random.default_rng(seed), encoder.checkpoint.dimensions
    return replace(
        random_sae(d=d, n=3 * d, k=4, seed=seed),
        encoder_weights=generator.normal(size=(d, 3 * d)),
        encoder_bias=generator.normal(size=3 * d),
        decoder_bias=0.3 * generator.normal(size=d),
    )


def check_sum(encoder, sae, text, *, role="document", features=(0, 5, 11)):
    """Shares, constant and rest make the pre-activation of the very vector that the encoder gives."""
    found = token_shares(encoder, sae, text, features=features, role=role)
    vector = encoder.encode([text], role=role).vectors
    expected = sae.pre_activations(vector)[0, list(features)]
    scale = 1 + np.abs(found.shares).sum(axis=1)
    assert np.abs(found.pre_activations - expected).max() <= 1e-5 * scale.max()
    assert found.shares.sum(axis=1) + found.constants + found.rest == pytest.approx(found.pre_activations)
    if found.exact:
        assert (np.abs(found.rest) <= 2e-6 * scale).all()
    assert found.shares.shape == (len(features), len(found.tokens))
    return found


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("family", [*SUMS, "long"])
def test_shares_add_up_to_the_pre_activation(opened, family, text):
    encoder = opened(family)
    assert check_sum(encoder, sae_of(encoder), text).exact


@pytest.mark.parametrize("text", ["Aspirin thins the blood.", "contract", "", "word " * 400])
def test_they_add_up_with_the_packaged_encoder(packaged, text):
    found = check_sum(packaged, sae_of(packaged), text, features=range(20))
    assert found.exact
    assert "vector's length as it is" in found.why
    assert (found.tokens[0], found.tokens[-1]) == ("[CLS]", "[SEP]")
    assert (found.kinds[0], found.kinds[-1]) == ("special", "special")
    assert set(found.kinds[1:-1]) <= {"text"}
    assert found.truncated == (len(text) > 1000)
    assert len(found.tokens) <= 256


@pytest.mark.parametrize("family", ["minilm", "nomic", "weighted", "max", "root-length"])
def test_each_share_is_that_of_its_own_state(opened, family):
    """By the states of a plain transformer, one token at a time."""
    import torch
    import transformers

    encoder, tiny, text = opened(family), TINY[family], TEXTS[0]
    sae = sae_of(encoder)
    prompt = encoder.checkpoint.prompts.document
    tokenizer = transformers.AutoTokenizer.from_pretrained(encoder.checkpoint.path)
    model = getattr(transformers, tiny.model).from_pretrained(encoder.checkpoint.path).eval()
    with torch.inference_mode():
        states = model(**tokenizer(prompt + text, return_tensors="pt")).last_hidden_state[0].double().numpy()
    whole = pool(states, tiny.pooling)
    length = np.linalg.norm(whole) if tiny.normalise else 1.0
    if tiny.pooling == "max":
        own = [np.where(states.argmax(axis=0) == token, states[token], 0) for token in range(len(states))]
    else:
        apart = [np.where(np.arange(len(states))[:, None] == token, states, 0) for token in range(len(states))]
        own = [pool(states_of_one, tiny.pooling) for states_of_one in apart]
    expected = np.array(own) @ sae.encoder_weights[:, 7] / length
    found = token_shares(encoder, sae, text, features=[7])
    assert found.shares[0] == pytest.approx(expected, abs=1e-4)
    assert found.constants[0] == pytest.approx(
        sae.encoder_bias[7] - sae.decoder_bias @ sae.encoder_weights[:, 7], abs=1e-5
    )


@pytest.mark.parametrize("family", sorted(ONE_TOKEN))
def test_where_one_token_is_pooled_the_gradient_goes_to_all(opened, family):
    encoder = opened(family)
    found = check_sum(encoder, sae_of(encoder), TEXTS[0])
    assert not found.exact
    assert found.why.startswith("Not exact: pooling reads the state of one token")
    assert (np.abs(found.shares) > 1e-9).sum() > len(found.tokens)


@pytest.mark.parametrize("family", ["bge", "gte-qwen2"])
def test_that_gradient_is_the_slope(opened, family):
    """How the score moves when one token's embedding grows by a thousandth, the norm held."""
    encoder = opened(family)
    sae, text, step = sae_of(encoder), TEXTS[0], 1e-3
    found = token_shares(encoder, sae, text, features=[3])
    weights = sae.encoder_weights[:, 3].astype(np.float64)

    def score(token, factor):
        def grow(_module, _given, output):
            output = output.clone()
            output[0, token] *= factor
            return output

        handle = encoder.modules[0].model.get_input_embeddings().register_forward_hook(grow)
        try:
            return pooled(encoder, text) @ weights
        finally:
            handle.remove()

    length = np.linalg.norm(pooled(encoder, text))
    slopes = [(score(t, 1 + step) - score(t, 1 - step)) / (2 * step) / length for t in range(len(found.tokens))]
    assert found.shares[0] == pytest.approx(slopes, abs=0.02 * np.abs(slopes).max())


def pooled(encoder, text):
    """What pooling gives before it is normalised."""
    import torch

    from lib.encoders.batches import distinct

    batch = next(encoder.batches(distinct([text]), "document", batch_tokens=1))
    with torch.no_grad():
        features = encoder.modules[1](encoder.first(batch.features, "document"))
    return features["sentence_embedding"][0].double().numpy()


def test_several_ways_of_pooling_at_once(opened):
    encoder = opened("minilm")
    joined = copy.copy(encoder)
    joined.checkpoint = replace(encoder.checkpoint, pooling="mean+max", dimensions=64)
    joined.modules = [encoder.modules[0], copy.deepcopy(encoder.modules[1]), encoder.modules[2]]
    joined.modules[1].pooling_mode = ("mean", "max")
    assert check_sum(joined, sae_of(joined), TEXTS[0]).exact


def test_the_prompt_takes_part_unless_pooling_leaves_it_out(opened):
    e5, instructor = opened("e5"), opened("instructor")
    found = check_sum(e5, sae_of(e5), "contract", role="query")
    assert found.tokens == ("[CLS]", "query", ":", "contract", "[SEP]")
    assert found.kinds == ("special", "prompt", "prompt", "text", "special")
    assert (found.shares[0] != 0).all()
    found = check_sum(instructor, sae_of(instructor), "contract", role="query")
    prompt = np.array([kind == "prompt" for kind in found.kinds])
    assert prompt.sum() >= 3
    assert (found.shares[:, prompt] == 0).all()
    assert (found.shares[:, ~prompt] != 0).all()


@pytest.fixture
def projected(tmp_path):
    """Open a tiny encoder whose projection after pooling has a bias, and an activation."""

    def opened(activation):
        import torch
        from safetensors.torch import save_file

        write_checkpoint(TINY["instructor"], tmp_path, plain=False, seed=0)
        sizes = {"in_features": 32, "out_features": 16, "bias": True}
        dump(tmp_path / "2_Dense" / "config.json", sizes | {"activation_function": f"torch.nn.modules.{activation}"})
        weights = {"linear.weight": torch.randn(16, 32), "linear.bias": torch.randn(16)}
        save_file(weights, tmp_path / "2_Dense" / "model.safetensors")
        return at(tmp_path)

    return opened


def test_the_bias_of_a_projection_is_a_constant(projected):
    encoder = projected("linear.Identity")
    sae = sae_of(encoder)
    found = check_sum(encoder, sae, TEXTS[0])
    assert found.exact
    own = sae.encoder_bias - sae.decoder_bias @ sae.encoder_weights
    assert np.abs(found.constants - own[[0, 5, 11]]).min() > 1e-3


def test_what_bends_after_pooling_is_said(projected):
    encoder = projected("activation.Tanh")
    found = check_sum(encoder, sae_of(encoder), TEXTS[0])
    assert not found.exact
    assert "Tanh follows pooling" in found.why
    assert np.abs(found.rest).max() > 1e-3


def test_a_static_encoder_is_exact(static):
    sae = sae_of(static)
    found = check_sum(static, sae, "the contract the")
    assert found.exact
    assert found.tokens == ("the", "contract", "the")
    assert found.shares[0, 0] == found.shares[0, 2]
    with pytest.raises(InputError, match="no token"):
        token_shares(static, sae, "", features=[0])
    asked = static.under(static.checkpoint.with_prompts(document="query "))
    assert check_sum(asked, sae, "of").kinds == ("prompt", "text")


def test_a_long_text_is_cut(opened):
    encoder = opened("minilm")
    found = check_sum(encoder, sae_of(encoder), TEXTS[3])
    assert found.truncated
    assert len(found.tokens) == MAX_TOKENS


def test_no_features_and_repeated_ones(opened):
    encoder = opened("minilm")
    sae = sae_of(encoder)
    none = token_shares(encoder, sae, "contract", features=[])
    assert none.shares.shape == (0, len(none.tokens))
    twice = token_shares(encoder, sae, "contract", features=[4, 4])
    assert twice.shares[0].tolist() == twice.shares[1].tolist()
    json.dumps(twice.to_dict(), allow_nan=False)


def test_nothing_stays_behind(opened):
    """The encoder gives the same vectors as before, and no parameter has kept a gradient."""
    encoder = opened("bge")
    before = encoder.encode(["contract"]).vectors
    token_shares(encoder, sae_of(encoder), "contract", features=[1, 2])
    assert np.array_equal(encoder.encode(["contract"]).vectors, before)
    assert all(parameter.grad is None for parameter in encoder.modules[0].parameters())


def test_what_cannot_be_traced_is_refused(opened):
    encoder = opened("bge")
    sae = sae_of(encoder)
    with pytest.raises(InputError, match="features 0 to 95, got 96"):
        token_shares(encoder, sae, "contract", features=[1, 96])
    with pytest.raises(InputError, match="got -1"):
        token_shares(encoder, sae, "contract", features=[-1])
    closed = copy.copy(encoder)
    closed.tokenizer = None
    with pytest.raises(InputError, match="does not show its tokens"):
        token_shares(closed, sae, "contract", features=[1])
    compiled = copy.copy(encoder)
    compiled.compiled = object()
    with pytest.raises(InputError, match="shows no gradient"):
        token_shares(compiled, sae, "contract", features=[1])
    other = replace(sae, about=About(fingerprint="0" * 64, encoder="another"))
    with pytest.raises(InputError, match="another"):
        token_shares(encoder, other, "contract", features=[1])
