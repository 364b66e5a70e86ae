"""Blocks: terms that add up in every family, and parts left out as by hand."""

import numpy as np
import pytest
import torch

from lib.encoders.batches import distinct
from lib.encoders.blocks import BlockTap
from lib.errors import InputError

FAMILIES = ["bge", "minilm", "mpnet", "bge-m3", "nomic", "jina-v3", "gte-new", "gte-qwen2", "instructor", "max"]


def batch_of(encoder, texts, role="document"):
    return next(encoder.batches(distinct(texts), role, batch_tokens=2048))


def in_double(encoder):
    for module in encoder.modules:
        module.double()
    return encoder


@pytest.mark.parametrize("family", FAMILIES)
def test_terms_add_up_to_the_vector_in_every_family(family, open_tiny, texts):
    encoder = open_tiny(family)
    tap, w = BlockTap(encoder), np.random.default_rng(0).normal(size=encoder.checkpoint.dimensions)
    batch = batch_of(encoder, [text for text in texts if text])
    terms = tap.terms(batch, w)  # measures the constants by themselves and refuses what does not add up
    named = [part.name for part in tap.parts]
    assert named == [
        "embedding",
        "layer 1 attention",
        "layer 1 feed-forward",
        "layer 2 attention",
        "layer 2 feed-forward",
    ]
    vectors = encoder.encode([distinct([text for text in texts if text]).texts[i] for i in batch.items]).vectors
    np.testing.assert_allclose(terms.vectors, vectors, atol=1e-5)
    np.testing.assert_allclose(terms.parts.sum(axis=1) + terms.constants, vectors @ w, atol=2e-5 * np.abs(w).sum())
    assert (np.abs(terms.parts) > 1e-6).any(axis=0).all()  # every part says something


@pytest.mark.parametrize("family", ["minilm", "gte-qwen2", "instructor"])
def test_in_float64_nothing_is_left_over(family, open_tiny):
    encoder = in_double(open_tiny(family))
    w = np.random.default_rng(1).normal(size=encoder.checkpoint.dimensions)
    terms = BlockTap(encoder).terms(batch_of(encoder, ["the bank raised its forecast", "contract"]), w)
    np.testing.assert_allclose(terms.parts.sum(axis=1) + terms.constants, terms.vectors @ w, atol=1e-12)


def test_terms_equal_the_stream_by_hand(open_tiny):
    """Two post-norm layers, mean pooling, no normalising: each output times the gains and scales it passes."""
    encoder = in_double(open_tiny("weighted"))
    model, text = encoder.modules[0].model, "the patient was given two doses of aspirin"
    w = np.random.default_rng(2).normal(size=32)
    terms = BlockTap(encoder).terms(batch_of(encoder, [text]), w)
    seen = {}

    def keep(name):
        return lambda _module, args, output: seen.__setitem__(name, (args[0].detach(), output.detach()))

    layers = model.encoder.layer
    watched = {
        f"{i}{what}": module
        for i, layer in enumerate(layers)
        for what, module in (
            ("att", layer.attention.output.dense),
            ("att_norm", layer.attention.output.LayerNorm),
            ("ff", layer.output.dense),
            ("ff_norm", layer.output.LayerNorm),
        )
    }
    handles = [module.register_forward_hook(keep(name)) for name, module in watched.items()]
    encoder.encode([text])
    for handle in handles:
        handle.remove()

    def through(state, norms):
        for name in norms:
            given, norm = seen[name][0], watched[name]
            centred = given - given.mean(-1, keepdim=True)
            scale = (centred.square().mean(-1, keepdim=True) + norm.eps).rsqrt()
            state = (state - state.mean(-1, keepdim=True)) * scale * norm.weight.detach()
        places = torch.arange(1, state.shape[1] + 1, dtype=torch.float64)
        return float((state[0] * places[:, None]).sum(0) / places.sum() @ torch.as_tensor(w))

    order = ["0att_norm", "0ff_norm", "1att_norm", "1ff_norm"]
    expected = [through(seen[name][1], order[i:]) for i, name in enumerate(["0att", "0ff", "1att", "1ff"])]
    np.testing.assert_allclose(terms.parts[0, 1:], expected, atol=1e-10)


@pytest.mark.parametrize("family", ["minilm", "gte-qwen2"])
def test_a_part_left_out_is_a_projection_of_zeros(family, open_tiny, build):
    """The same as an encoder whose projection has no weights, and in the mean the same as one with only a bias."""
    encoder, other = (open_tiny(build(family)) for _ in range(2))
    text = "interest rates fell and the bank raised its forecast"
    tap = BlockTap(encoder)
    left_out = tap.replaced(batch_of(encoder, [text]))
    for place, module in enumerate(BlockTap(other)._sites.outputs, start=1):
        kept = [parameter.detach().clone() for parameter in module.parameters()]
        with torch.no_grad():
            for parameter in module.parameters():
                parameter.zero_()
        np.testing.assert_allclose(left_out[place], other.encode([text]).vectors[0], atol=1e-5)
        with torch.no_grad():
            for parameter, was in zip(module.parameters(), kept, strict=True):
                parameter.copy_(was)


def test_shared_layers_and_bfloat16_add_up(open_tiny, build, monkeypatch):
    from tests.encoders import conftest

    sizes = {"hidden_size": 32, "embedding_size": 16, "num_hidden_layers": 3, "num_attention_heads": 4}
    sizes |= {"intermediate_size": 64, "max_position_embeddings": 40}
    monkeypatch.setitem(conftest.TINY, "albert", conftest.Tiny("AlbertModel", sizes, "wordpiece", "mean"))
    encoder = open_tiny(build("albert"))  # one module runs three times
    terms = BlockTap(encoder).terms(batch_of(encoder, ["contract"]), np.ones(32))
    assert terms.parts.shape == (1, 7)
    coarse = open_tiny("minilm")
    coarse.modules[0].to(torch.bfloat16)
    terms = BlockTap(coarse).terms(batch_of(coarse, ["contract"]), np.ones(32))
    np.testing.assert_allclose(terms.parts.sum() + terms.constants, terms.vectors.sum(), atol=0.5)


def test_what_cannot_be_told_is_refused(open_tiny):
    bent = open_tiny("instructor")
    bent.modules[2].activation_function = torch.nn.Tanh()
    with pytest.raises(InputError, match="does not sum up"):
        BlockTap(bent).terms(batch_of(bent, ["contract"]), np.ones(16))
    odd = open_tiny("minilm")
    del odd.modules[0].model.encoder.layer[1]  # as many layers as nothing says
    with pytest.raises(InputError, match="not of the kind"):
        BlockTap(odd)
