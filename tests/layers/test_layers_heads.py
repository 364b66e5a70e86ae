"""Flags and sums on attention made by hand: uniform, one token, a dead head planted, thresholds moved."""

import dataclasses
import itertools
import shutil

import numpy as np
import pytest

from lib.encoders import Policy, open_encoder
from lib.encoders.spelling import readable
from lib.errors import InputError
from lib.layers.attention import HeadEntropy, head_entropy
from lib.layers.head_flags import HeadReport, flag_heads
from lib.layers.head_sums import TARGETS, HeadSums
from tests.encoders.conftest import TINY, write_checkpoint

TEXTS = ["the patient was given two doses of aspirin", "interest rates fell", "contract"]
FIRST, LAST, SELF, PREVIOUS, NEXT = range(5)


def sums(maps, *, real=None, keys=None):
    """Sums over one layer of hand-made maps, (b, heads, t, t)."""
    import torch

    maps = torch.tensor(np.asarray(maps), dtype=torch.float64)
    b, heads, t, _ = maps.shape
    real = torch.ones(b, t, dtype=torch.bool) if real is None else torch.tensor(real)
    keys = real[:, None, :].expand(b, t, t) if keys is None else torch.tensor(keys) & real[:, None, :]
    made = HeadSums.empty(1, heads)
    made.add_maps(0, maps, keys=keys, real=real, times=torch.ones(b, dtype=torch.float64))
    return made


def one_hot(places, t):
    """A map in which token i looks at places[i] alone."""
    return np.eye(t)[places]


def test_uniform_attention_has_entropy_one():
    made = sums(np.full((1, 2, 7, 7), 1 / 7))
    np.testing.assert_allclose(made.entropy, 1, atol=1e-12)


def test_uniform_attention_beside_padding_has_entropy_one():
    maps, real = np.zeros((2, 1, 6, 6)), np.zeros((2, 6), bool)
    for row, place in enumerate((slice(0, 4), slice(3, 6))):  # padding after the text, and before it
        real[row, place] = True
        maps[row, 0, :, place] = 1 / real[row].sum()
    maps[1, 0, 0] = np.nan  # what a fully masked row may hold
    made = sums(maps, real=real)
    np.testing.assert_allclose(made.entropy / made.texts, 1, atol=1e-12)


def test_uniform_causal_attention_has_entropy_one_whatever_the_position():
    t = 6
    keys = np.tril(np.ones((1, t, t), bool))
    maps = keys / keys.sum(axis=-1, keepdims=True)
    made = sums(maps[:, None], keys=keys)
    np.testing.assert_allclose(made.entropy, 1, atol=1e-12)
    assert not made.later[0]
    assert not made.narrowed[0]


@pytest.mark.parametrize(
    ("target", "places"),
    [
        (FIRST, [0, 0, 0, 0, 0, 0, 0, 0]),
        (LAST, [7, 7, 7, 7, 7, 7, 7, 7]),
        (SELF, [0, 1, 2, 3, 4, 5, 6, 7]),
        (PREVIOUS, [0, 0, 1, 2, 3, 4, 5, 6]),
        (NEXT, [1, 2, 3, 4, 5, 6, 7, 7]),
    ],
)
def test_one_token_takes_all(target, places):
    made = sums(one_hot(places, 8)[None, None])
    assert made.entropy[0, 0] == 0
    assert made.masses[0, 0, target] == 1
    assert made.masses[0, 0].argmax() == target
    [[name]] = flag_heads(result_of(made)).target
    assert name == TARGETS[target]


def test_no_one_target_where_attention_goes_elsewhere():
    made = sums(one_hot([3, 5, 5, 6, 1, 2, 2, 4], 8)[None, None])
    assert made.entropy[0, 0] == 0
    assert flag_heads(result_of(made)).target == ((None,),)


def test_targets_follow_the_text_not_the_padding():
    maps, real = np.zeros((1, 1, 6, 6)), np.array([[False, False, True, True, True, True]])
    maps[0, 0, :, 2] = 1
    made = sums(maps, real=real)
    assert made.masses[0, 0, FIRST] == 1
    assert made.masses[0, 0, PREVIOUS] == pytest.approx(1 / 3)  # the second token's alone
    assert made.masses[0, 0, SELF] == pytest.approx(1 / 4)


def result_of(made, **changes):
    """A result around hand-made sums."""
    texts = made.texts[:, None]
    values = {
        "entropy": made.entropy / texts,
        "spread": 0 * made.entropy,
        "targets": TARGETS,
        "masses": made.masses / np.maximum(made.mass_texts, 1)[:, None],
        "output_norm": None,
        "output_share": None,
        "sight": ("all",),
        "texts": 1,
        "tokens": 8,
        "one_token": 0,
        "too_long": 0,
        "most_tokens": 100,
        "truncated": 0,
        "drawn": 1,
        "items": 1,
        "seed": 0,
    }
    return HeadEntropy(**(values | changes))


# Whole encoders with weights set by hand


@pytest.fixture
def changed(tmp_path):
    """The tiny encoder of a family after `change(model)`."""

    def make(family, change):
        import torch

        folder = tmp_path / family
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        write_checkpoint(TINY[family], folder, plain=False, seed=0)
        encoder = open_encoder(str(folder), policy=Policy(model_roots=(folder,)))
        with torch.no_grad():
            change(encoder.modules[0].model)
        return encoder

    return make


def test_heads_that_cannot_tell_tokens_apart_are_flagged_as_near_uniform(changed):
    def same_scores(model):
        attention = model.encoder.layer[1].attention.self
        for part in (attention.query.weight, attention.query.bias):
            part[8:16] = 0  # head 2 of layer 2 asks nothing

    result = head_entropy(changed("bge", same_scores), TEXTS)
    assert result.entropy[1, 1] == pytest.approx(1, abs=1e-6)
    flags = flag_heads(result, uniform=0.999)
    assert [tuple(place) for place in np.argwhere(flags.uniform)] == [(1, 1)]
    assert not flags.silent.any()


@pytest.mark.parametrize(("bucket", "target"), [(0, "itself"), (1, "previous token"), (17, "next token")])
def test_heads_bound_to_a_distance_are_flagged_with_what_they_look_at(changed, bucket, target):
    """T5 adds a learned bias by distance: bucket 0 is the token itself, 1 the one before it, 17 the one after it."""

    def bind(model):
        model.encoder.block[0].layer[0].SelfAttention.relative_attention_bias.weight[bucket, 2] = 1e4

    result = head_entropy(changed("instructor", bind), TEXTS)
    flags = flag_heads(result, collapsed=0.2)
    assert flags.collapsed[:, 2].all()  # all layers share the bias
    assert flags.target[0][2] == flags.target[1][2] == target
    assert result.masses[0, 2].max() == pytest.approx(1, abs=1e-6)


def test_a_dead_head_is_flagged(changed):
    def cut(model):
        model.encoder.layer[0].attention.output.dense.weight[:, 16:24] = 0  # head 3 of layer 1

    result = head_entropy(changed("minilm", cut), TEXTS)
    assert result.output_norm[0, 2] == 0
    assert [tuple(place) for place in np.argwhere(flag_heads(result).silent)] == [(0, 2)]


def test_a_layer_that_adds_nothing(changed):
    def cut(model):
        model.encoder.layer[0].attention.output.dense.weight[:] = 0

    result = head_entropy(changed("minilm", cut), TEXTS)
    assert not result.output_share[0].any()
    assert flag_heads(result).silent[0].all()


# Thresholds


@pytest.fixture
def random_result():
    rng = np.random.default_rng(0)
    made = HeadSums.empty(3, 5)
    made.texts[:] = 1
    share = rng.random((3, 5))
    return result_of(made, entropy=rng.random((3, 5)), output_share=share, output_norm=share, sight=("all",) * 3)


def test_flags_follow_their_thresholds(random_result):
    steps = np.linspace(0, 1, 21)
    collapsed = [flag_heads(random_result, collapsed=step, uniform=1).collapsed for step in steps]
    uniform = [flag_heads(random_result, collapsed=0, uniform=step).uniform for step in steps]
    silent = [flag_heads(random_result, silent=step).silent for step in steps]
    for flags, grows in ((collapsed, True), (uniform, False), (silent, True)):
        counts = [int(marked.sum()) for marked in flags]
        assert counts == sorted(counts, reverse=not grows)
        assert (min(counts), max(counts)) == (0, 15)
        assert all((low <= high).all() if grows else (high <= low).all() for low, high in itertools.pairwise(flags))


def test_a_head_at_the_threshold_is_not_flagged(random_result):
    at = float(random_result.entropy[0, 0])
    assert not flag_heads(random_result, collapsed=at, uniform=1).collapsed[0, 0]
    assert not flag_heads(random_result, collapsed=0, uniform=at).uniform[0, 0]


def test_without_outputs_none_is_silent(random_result):
    bare = dataclasses.replace(random_result, output_share=None, output_norm=None)
    assert not flag_heads(bare, silent=1).silent.any()


@pytest.mark.parametrize(
    "thresholds", [{"collapsed": -0.1}, {"uniform": 1.1}, {"silent": 2}, {"collapsed": 0.6, "uniform": 0.5}]
)
def test_thresholds_that_make_no_sense(random_result, thresholds):
    with pytest.raises(InputError, match=r"Thresholds lie in \[0, 1\]"):
        flag_heads(random_result, **thresholds)


def test_the_report_is_json(random_result):
    import json

    flags = flag_heads(random_result)
    report = json.loads(json.dumps(HeadReport(random_result, flags).to_dict(), allow_nan=False))
    assert report["flags"]["collapsed_below"] == 0.1
    assert np.array(report["heads"]["entropy"]).shape == (3, 5)
    assert flags.flagged.sum() == (flags.collapsed | flags.uniform | flags.silent).sum()


def test_the_packaged_encoder_has_a_head_that_looks_at_the_previous_token(sample):
    from lib.encoders import PACKAGED

    result = head_entropy(open_encoder(PACKAGED, policy=Policy()), sample[0].texts, sample=24)
    flags = flag_heads(result)
    assert [tuple(place) for place in np.argwhere(flags.flagged)] == [(0, 2)]
    assert flags.target[0][2] == "previous token"


# Spelling


@pytest.mark.parametrize(
    ("tokens", "said"),
    [
        (["[CLS]", "token", "##ization", "é", "[SEP]"], ["[CLS]", "token", "##ization", "é", "[SEP]"]),
        (["▁the", "▁court", "s"], ["▁the", "▁court", "s"]),
        (["the", "Ġcourt", "ĊĊ", "ĉ", "<|endoftext|>"], ["the", "▁court", "⏎⏎", "⇥", "<|endoftext|>"]),
        (["Ã©", "t", "Ã©"], ["é", "t", "é"]),
        (["Ġ", "ä½", "ł"], ["▁", r"\xe4\xbd", r"\xa0"]),
        ([], []),
    ],
)
def test_tokens_are_spelled_as_people_read_them(tokens, said):
    assert readable(tokens) == said
