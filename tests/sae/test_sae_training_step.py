"""The hand-written gradient against autograd's, through the dense forward pass that it stands for."""

import numpy as np
import pytest
import torch

from lib.sae.training.auxiliary import auxiliary
from lib.sae.training.jumprelu import thresholds_gradient
from lib.sae.training.optimiser import Optimiser, learning_rate
from lib.sae.training.selection import above_thresholds, batch_top_k, top_k
from lib.sae.training.settings import TrainingSettings
from lib.sae.training.step import bands_of, sparse_step
from lib.sae.training.weights import Weights

D, N, B, K = 12, 40, 30, 5


def toy(seed=0, *, thresholds=False):
    generator = torch.Generator().manual_seed(seed)
    decoder = torch.nn.functional.normalize(torch.randn(N, D, generator=generator), dim=1)
    weights = Weights(
        encoder=torch.randn(N, D, generator=generator) / D**0.5,
        encoder_bias=0.1 * torch.randn(N, generator=generator),
        decoder=decoder,
        decoder_bias=0.1 * torch.randn(D, generator=generator),
        log_thresholds=torch.full((N,), 0.6).log() + 0.1 * torch.randn(N, generator=generator) if thresholds else None,
    )
    return weights, torch.randn(B, D, generator=generator)


def grown(weights):
    """The same weights, watched by autograd."""
    return Weights(**{name: tensor.clone().requires_grad_() for name, tensor in weights.named().items()})


def dense(weights, inputs):
    return (inputs - weights.decoder_bias) @ weights.encoder.T + weights.encoder_bias


def nested_loss(weights, inputs, codes, prefixes):
    parts = []
    for size in (*prefixes, N):
        error = codes[:, :size] @ weights.decoder[:size] + weights.decoder_bias - inputs
        parts.append(error.square().sum(dim=1).mean())
    return torch.stack(parts).mean()


def selected(rule, weights, inputs):
    centred = inputs - weights.decoder_bias
    if rule == "topk":
        return top_k(weights, centred, K, half=False)
    return batch_top_k(weights, centred, K, half=False, last_edge=None)[0]


@pytest.mark.parametrize("rule", ["topk", "batchtopk"])
@pytest.mark.parametrize("prefixes", [(), (10,), (3, 10, 25)])
def test_gradients_are_autograds(rule, prefixes):
    weights, inputs = toy()
    active = selected(rule, weights, inputs)
    found = sparse_step(weights, inputs, active, bands_of(N, prefixes, "cpu"), len(prefixes) + 1)
    slow = grown(weights)
    mask = torch.zeros(B, N)
    mask[active.rows, active.features] = 1
    loss = nested_loss(slow, inputs, dense(slow, inputs) * mask, prefixes)
    loss.backward()
    assert float(found.loss) == pytest.approx(float(loss), rel=1e-5)
    whole = nested_loss(weights, inputs, dense(weights, inputs) * mask, ())
    assert float(found.whole) == pytest.approx(float(whole), rel=1e-5)
    for name, gradient in found.gradients.named().items():
        torch.testing.assert_close(gradient, getattr(slow, name).grad, rtol=1e-5, atol=1e-6)
    along = (slow.decoder.grad * weights.decoder).sum(dim=1)
    torch.testing.assert_close(found.along, along, rtol=1e-5, atol=1e-6)
    assert found.counts.tolist() == mask.sum(dim=0).tolist()


@pytest.mark.parametrize("n", [40, 640])
@pytest.mark.parametrize("k", [1, 5, 40])
def test_top_k_keeps_what_sorting_keeps(n, k):
    generator = torch.Generator().manual_seed(1)
    weights = Weights(torch.randn(n, D, generator=generator), torch.zeros(n), torch.randn(n, D), torch.zeros(D))
    inputs = torch.randn(B, D, generator=generator)
    active = top_k(weights, inputs, k, half=False)
    pre = inputs @ weights.encoder.T
    expected = torch.zeros_like(pre)
    top = pre.topk(k, dim=1)
    expected.scatter_(1, top.indices, top.values.clamp(min=0))
    found = torch.zeros_like(pre)
    found[active.rows, active.features] = active.values
    torch.testing.assert_close(found, expected)
    assert (active.values > 0).all()
    places = active.rows * n + active.features
    assert (places[1:] > places[:-1]).all()


def test_equal_pre_activations_at_the_edge_go_to_the_first():
    n = 600
    weights = Weights(torch.zeros(n, D), torch.ones(n), torch.zeros(n, D), torch.zeros(D))
    active = top_k(weights, torch.randn(4, D), 5, half=False)
    assert active.features.view(4, 5).tolist() == [[0, 1, 2, 3, 4]] * 4
    both, edge = batch_top_k(weights, torch.randn(4, D), 5, half=False, last_edge=None)
    assert len(both.values) == 20
    assert edge == 1


@pytest.mark.parametrize("last_edge", [None, 1e-9, 0.5, 3.0, 1e6])
def test_batch_top_k_keeps_the_largest_whatever_it_guesses_first(last_edge):
    weights, inputs = toy()
    centred = inputs - weights.decoder_bias
    active, edge = batch_top_k(weights, centred, K, half=False, last_edge=last_edge)
    largest = dense(weights, inputs).flatten().sort(descending=True).values[: B * K]
    torch.testing.assert_close(active.values.sort(descending=True).values, largest)
    assert edge == pytest.approx(float(largest[-1]))


def test_batch_top_k_keeps_nothing_below_zero():
    weights, inputs = toy()
    active, _ = batch_top_k(weights, inputs - weights.decoder_bias, N, half=False, last_edge=None)
    assert len(active.values) == int((dense(weights, inputs) > 0).sum())


def test_bfloat16_decides_nearly_the_same():
    weights, inputs = toy()
    pre = dense(weights, inputs)
    active = top_k(weights, inputs - weights.decoder_bias, K, half=True)
    assert len(active.values) == B * K
    torch.testing.assert_close(active.values, pre[active.rows, active.features], rtol=0.02, atol=0.02)


def test_jumprelu_gradients_are_those_of_its_pseudo_derivative():
    weights, inputs = toy(thresholds=True)
    width, settings = 0.3, TrainingSettings(rule="jumprelu", features=N, k=K, sparsity=2.0)
    active = above_thresholds(weights, inputs - weights.decoder_bias, width, half=False)
    found = sparse_step(weights, inputs, active, bands_of(N, (), "cpu"), 1)
    for_thresholds = thresholds_gradient(weights, active, found, texts=B, width=width, settings=settings)

    slow = grown(weights)
    pre, thresholds = dense(slow, inputs), slow.log_thresholds.exp()
    fires = (pre > thresholds).float()
    near = ((pre - thresholds).abs() < width / 2).float().detach()
    codes = pre * fires + near * (thresholds.detach() - thresholds) * (thresholds / width).detach()
    count = fires + near * (thresholds.detach() - thresholds) / width
    loss = nested_loss(slow, inputs, codes, ()) + 2.0 * (count.sum(dim=1).mean() / K - 1).square()
    loss.backward()
    for name, gradient in found.gradients.named().items():
        torch.testing.assert_close(gradient, getattr(slow, name).grad, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(for_thresholds, slow.log_thresholds.grad, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("k", [2, 100])
def test_auxiliary_gradients_are_autograds(k):
    weights, inputs = toy()
    dead = torch.tensor([1, 5, 9, 30, 31, 39])
    error = torch.randn(B, D, generator=torch.Generator().manual_seed(3))
    found = auxiliary(weights, inputs, error, dead, k=k, coefficient=0.25)
    slow = grown(weights)
    pre = ((inputs - weights.decoder_bias) @ slow.encoder.T + slow.encoder_bias)[:, dead]
    top = pre.topk(min(k, len(dead)), dim=1)
    codes = torch.zeros_like(pre).scatter(1, top.indices, top.values).clamp(min=0)
    loss = 0.25 * (codes @ slow.decoder[dead] + error).square().sum() / error.square().sum()
    loss.backward()
    assert float(found.loss) == pytest.approx(float(loss), rel=1e-5)
    torch.testing.assert_close(found.encoder, slow.encoder.grad[dead], rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(found.encoder_bias, slow.encoder_bias.grad[dead], rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(found.decoder, slow.decoder.grad[dead], rtol=1e-5, atol=1e-6)


def test_a_step_leaves_unit_rows_and_is_adams():
    weights, inputs = toy()
    settings = TrainingSettings(features=N, k=K, clip=None)
    optimiser = Optimiser(weights, settings)
    before = {name: tensor.clone() for name, tensor in weights.named().items()}
    gradients = sparse_step(weights, inputs, selected("topk", weights, inputs), bands_of(N, (), "cpu"), 1).gradients
    kept = {name: tensor.clone() for name, tensor in gradients.named().items()}
    optimiser.step(gradients, 0.01)
    torch.testing.assert_close(torch.linalg.vector_norm(weights.decoder, dim=1), torch.ones(N))
    moved = before["encoder"] - 0.01 * kept["encoder"] / (kept["encoder"].abs() + 1e-8)  # Adam's first step
    torch.testing.assert_close(weights.encoder, moved, rtol=1e-4, atol=1e-5)


def test_a_long_gradient_is_cut():
    weights, inputs = toy()
    active = selected("topk", weights, inputs)
    gradients = sparse_step(weights, 100 * inputs, active, bands_of(N, (), "cpu"), 1).gradients
    norm = Optimiser(weights, TrainingSettings(features=N, k=K, clip=0.5)).step(gradients, 0.0)
    assert float(norm) > 0.5
    cut = torch.stack([tensor.norm() for tensor in gradients.named().values()]).norm()
    assert float(cut) == pytest.approx(0.5, rel=1e-4)


def test_the_learning_rate_rises_stays_and_falls_to_nothing():
    settings = TrainingSettings(steps=100, learning_rate=2.0, warmup=0.1, decay=0.2)
    rates = [learning_rate(settings, step) for step in range(100)]
    assert rates[:3] == pytest.approx([0.2, 0.4, 0.6])
    assert rates[10:80] == [2.0] * 70
    assert rates[90] == pytest.approx(1.0)
    assert rates[-1] == pytest.approx(0.1)
    assert learning_rate(TrainingSettings(steps=10, learning_rate=1.0, warmup=0, decay=0), 0) == 1


def test_bands_name_the_smallest_dictionary_that_holds_a_feature():
    assert bands_of(6, (1, 4), "cpu").tolist() == [0, 1, 1, 1, 2, 2]
    assert bands_of(3, (), "cpu").tolist() == [0, 0, 0]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("rule", ["topk", "batchtopk"])
def test_a_gpu_gives_the_same_gradients(rule):
    weights, inputs = toy()
    there = Weights(**{name: tensor.cuda() for name, tensor in weights.named().items()})
    here = sparse_step(weights, inputs, selected(rule, weights, inputs), bands_of(N, (10,), "cpu"), 2)
    found = sparse_step(there, inputs.cuda(), selected(rule, there, inputs.cuda()), bands_of(N, (10,), "cuda"), 2)
    for name, gradient in found.gradients.named().items():
        np.testing.assert_allclose(gradient.cpu(), getattr(here.gradients, name), rtol=1e-3, atol=1e-5)
