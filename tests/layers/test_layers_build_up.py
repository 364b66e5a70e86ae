"""The build-up against slow references: everything stored, text by text, in float64, with loops."""

import dataclasses
import importlib.util
import itertools
import json
import os
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import numpy as np
import pytest

from lib.encoders import Policy, open_encoder
from lib.errors import InputError, Stopped
from lib.geometry import intrinsic_dimension
from lib.layers.build_up import MOST_LABELS, layer_build_up
from lib.layers.findings import build_up_report, findings

_SPEC = importlib.util.spec_from_file_location("tiny", Path(__file__).parents[1] / "encoders" / "conftest.py")
tiny_files = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(tiny_files)

FAMILIES = [
    "bge", "minilm", "e5", "bge-m3", "multilingual-e5", "mpnet", "nomic", "gte-new", "jina-v3", "gte-qwen2",
    "instructor", "weighted", "max", "root-length",
]  # fmt: skip
TEXTS = [
    "the patient was given two doses of aspirin",
    "contract",
    "a",
    "interest rates fell and the bank raised its forecast for the coming year once more",
    "a b c d e f g h i j k l m n o p q r s t u v w x y z a b c d e f g h i j k l m n o p q r s t u v w x y z",
    "contract",
    "the bank and the patient",
    "x y z",
    "two doses",
    "coming once more",
    "a forecast for the year",
    "aspirin",
    "rates",
    "z y x w v u",
]
"""Of one token, of several, one cut by every tiny encoder, one twice; tokens that no vocabulary has."""
LABELS = ["m", "l", None, "f", "x", "l", "m", "x", "m", "f", "f", "m", "alone", "x"]


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    """A family's folder and its encoder, written and opened once."""
    made = {}

    def get(family, *, left=False):
        if (family, left) not in made:
            folder = tmp_path_factory.mktemp(family)
            tiny_files.write_checkpoint(tiny_files.TINY[family], folder, plain=False, seed=3)
            if left:
                config = json.loads((folder / "tokenizer_config.json").read_text())
                (folder / "tokenizer_config.json").write_text(json.dumps(config | {"padding_side": "left"}))
            made[family, left] = (folder, open_encoder(str(folder), policy=Policy(model_roots=(folder,))))
        return made[family, left]

    return get


def stored(folder, family, texts, prompt):
    """Unit states of every text at every depth, the output last: each text alone through transformers, float64."""
    import torch
    import transformers
    from safetensors.numpy import load_file

    tiny = tiny_files.TINY[family]
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = getattr(transformers, tiny.model).from_pretrained(folder).double().eval()
    prompt_ids = tokenizer(prompt)["input_ids"] if prompt else []
    skipped = len(prompt_ids) - (bool(prompt_ids) and prompt_ids[-1] in tokenizer.all_special_ids)
    depths = []
    for text in texts:
        inputs = tokenizer(prompt + text, truncation=True, max_length=tiny_files.MAX_TOKENS, return_tensors="pt")
        with torch.inference_mode():
            states = model(**inputs, output_hidden_states=True).hidden_states
        depths.append(
            [tiny_files.pool(s[0].numpy()[0 if tiny.include_prompt else skipped :], tiny.pooling) for s in states]
        )
    states = [np.array(column) for column in zip(*depths, strict=True)]
    output = states[-1]
    if tiny.dense:
        output = output @ load_file(folder / "2_Dense" / "model.safetensors")["linear.weight"].T.astype(float)
    return [state / np.linalg.norm(state, axis=1, keepdims=True) for state in [*states, output]]


def mean_over(states, pairs):
    """Mean cosine over pairs, one by one."""
    found = [float(states[i] @ states[j]) for i, j in pairs]
    return sum(found) / len(found) if found else float("nan")


def hsic_cka(x, y):
    """Linear CKA from centred Gram matrices; NaN where one of the two does not vary."""
    n = len(x)
    centre = np.eye(n) - 1 / n
    k, l = centre @ x @ x.T @ centre, centre @ y @ y.T @ centre  # noqa: E741
    if np.trace(k) < n * 1e-12 or np.trace(l) < n * 1e-12:
        return float("nan")
    return float((k * l).sum() / np.sqrt((k * k).sum() * (l * l).sum()))


def nearest_sets(states, k):
    """The k nearest other rows of each, by cosine, equally near ones by row."""
    cosines = (states @ states.T).round(6)
    np.fill_diagonal(cosines, -2)
    return [set(np.argsort(-row, kind="stable")[:k]) for row in cosines]


def check_against(result, depths, texts, labels):
    """Every number of `result` against the stored states."""
    n = len(texts)
    pairs = list(itertools.combinations(range(n), 2))
    both = [(i, j) for i, j in pairs if labels[i] is not None and labels[j] is not None]
    close = {"rtol": 0, "atol": 1e-6}
    for name, chosen in (
        ("mean_cosine", pairs),
        ("within", [(i, j) for i, j in both if labels[i] == labels[j]]),
        ("between", [(i, j) for i, j in both if labels[i] != labels[j]]),
    ):
        np.testing.assert_allclose(getattr(result, name), [mean_over(s, chosen) for s in depths], **close, err_msg=name)
    np.testing.assert_allclose(result.cka_output, [hsic_cka(s, depths[-1]) for s in depths], **close)
    first = sorted((i for i, text in enumerate(texts) if text not in texts[:i]), key=lambda i: -len(texts[i]))
    different = [s[first] for s in depths]
    expected = [[hsic_cka(a, b) for a in different] for b in different]
    np.testing.assert_allclose(result.cka_between, expected, **close)
    assert result.k == (len(first) - 1) // 4
    output = nearest_sets(different[-1], result.k)
    for depth, states in enumerate(different):
        if np.isfinite(result.overlap[depth]):
            shared = [len(a & b) / result.k for a, b in zip(nearest_sets(states, result.k), output, strict=True)]
            assert result.overlap[depth] == pytest.approx(np.mean(shared), abs=1e-9)
    for depth, states in enumerate(depths):
        spectrum = np.clip(np.linalg.eigvalsh(np.cov(states.T, bias=True))[::-1], 0, None)
        if spectrum.sum() < 1e-12:
            assert (result.components_90[depth], result.participation_ratio[depth]) == (0, 0)
            continue
        cumulative = np.cumsum(spectrum) / spectrum.sum()
        for share in (90, 95, 99):
            counted = int((cumulative < share / 100 - 1e-9).sum()) + 1
            assert getattr(result, f"components_{share}")[depth] == counted
        assert result.participation_ratio[depth] == pytest.approx(spectrum.sum() ** 2 / (spectrum**2).sum(), abs=1e-4)


PADDED_LEFT = ["bge-m3", "mpnet", "nomic", "gte-new", "jina-v3", "gte-qwen2", "instructor"]
"""Families whose positions do not count padding (BERT's do, whoever runs it)."""


@pytest.mark.parametrize(
    ("family", "left"), [*((family, False) for family in FAMILIES), *((family, True) for family in PADDED_LEFT)]
)
def test_equals_a_loop_that_stores_everything(family, left, opened):
    folder, encoder = opened(family, left=left)
    result = layer_build_up(encoder, TEXTS, LABELS, batch_tokens=40)
    prompt = encoder.checkpoint.prompts.document
    check_against(result, stored(folder, family, TEXTS, prompt), TEXTS, LABELS)
    assert result.names == ("embedding", "layer 1", "layer 2", "output")
    assert (result.items, result.different, result.given) == (14, 13, 14)
    assert (result.labels, result.labelled, result.left_out) == (5, 13, 0)
    json.dumps(build_up_report(result).to_dict(), allow_nan=False)


def test_batches_change_nothing(opened):
    encoder = opened("instructor")[1]
    whole, tight = (layer_build_up(encoder, TEXTS, LABELS, batch_tokens=size) for size in (10_000, 25))
    assert_equal(whole, tight, atol=2e-6)


def test_order_and_names_of_labels_change_nothing(opened):
    encoder = opened("gte")[1]
    order = np.random.default_rng(0).permutation(len(TEXTS))
    renamed = {None: None, "m": "z", "l": "m", "f": "a", "x": "l", "alone": "<b>"}
    plain = layer_build_up(encoder, TEXTS, LABELS)
    moved = layer_build_up(encoder, [TEXTS[i] for i in order], [renamed[LABELS[i]] for i in order])
    assert_equal(plain, moved, atol=2e-6, but=("overlap", "two_nn", "two_nn_interval"))  # ties fall by row


def assert_equal(one, other, *, atol, but=()):
    """The same numbers, NaN included."""
    for name, value in vars(one).items():
        if name in but:
            continue
        if isinstance(value, np.ndarray):
            np.testing.assert_allclose(getattr(other, name), value, atol=atol, rtol=1e-4, err_msg=name)
        else:
            assert getattr(other, name) == pytest.approx(value, nan_ok=True), name


def test_repeated_texts_count_as_often_as_they_come(opened):
    folder, encoder = opened("multilingual-e5")
    texts, labels = TEXTS * 3, ["a", "b", None] * len(TEXTS)
    result = layer_build_up(encoder, texts, labels)
    check_against(result, stored(folder, "multilingual-e5", texts, encoder.checkpoint.prompts.document), texts, labels)
    assert (result.items, result.different, result.sample) == (42, 13, 13)


def test_a_text_repeated_very_often_runs_once(opened):
    encoder = opened("gte")[1]
    few = layer_build_up(encoder, ["contract", "two doses"] * 2)
    told = []
    many = layer_build_up(encoder, ["contract", "two doses"] * 50_000, progress=lambda *at: told.append(at))
    assert told == [(0, 2), (2, 2)]
    of_the_two = 1 - (1 - few.mean_cosine) * 6 / 4  # 4 of 6 pairs are of different texts, of the others 5e4^2
    expected = 1 - (1 - of_the_two) * 50_000**2 / (100_000 * 99_999 / 2)
    np.testing.assert_allclose(many.mean_cosine, expected, atol=1e-9)


def test_the_role_chooses_the_prompt(opened):
    folder, encoder = opened("e5")
    result = layer_build_up(encoder, TEXTS, LABELS, role="query")
    check_against(result, stored(folder, "e5", TEXTS, "query: "), TEXTS, LABELS)
    assert result.role == "query"


def test_equals_what_geometry_says_of_the_output(packaged_result, sample):
    from lib.geometry import anisotropy, label_similarity

    corpus, vectors = sample
    result, dimension = packaged_result, intrinsic_dimension(vectors)
    labels = label_similarity(vectors, corpus.labels)
    assert result.mean_cosine[-1] == pytest.approx(anisotropy(vectors).mean_cosine, abs=1e-6)
    assert result.within[-1] == pytest.approx(labels.mean_within, abs=1e-6)
    assert result.between[-1] == pytest.approx(labels.mean_between, abs=1e-6)
    assert result.components_95[-1] == dimension.components_95
    assert result.participation_ratio[-1] == pytest.approx(dimension.participation_ratio, rel=1e-4)
    assert result.two_nn[-1] == pytest.approx(dimension.two_nn, rel=1e-3)
    assert result.sample == 402


@pytest.fixture(scope="module")
def packaged_result(sample):
    """The build-up of the sample corpus in the packaged encoder."""
    from lib.encoders import PACKAGED

    return layer_build_up(open_encoder(PACKAGED, policy=Policy()), sample[0].texts, sample[0].labels)


def test_the_packaged_encoder_does_most_in_its_last_layer(packaged_result):
    read = findings(packaged_result)
    assert (read.change, read.jump, read.settled, read.collapse, read.agreement) == (6, 6, 6, None, "last")
    assert packaged_result.mean_cosine[5] > 0.6 > 0.1 > packaged_result.mean_cosine[6]
    np.testing.assert_allclose(packaged_result.cka_between[:, -1], packaged_result.cka_output, atol=1e-5)


def test_a_sample_of_the_texts_and_of_their_states(packaged_result, sample):
    from lib.encoders import PACKAGED

    encoder, corpus = open_encoder(PACKAGED, policy=Policy()), sample[0]
    small = layer_build_up(encoder, corpus.texts[:120], sample=50, seed=4)
    assert (small.items, small.sample, small.k, small.seed) == (120, 50, 10, 4)
    part = layer_build_up(encoder, corpus.texts, corpus.labels, most_texts=40, seed=5)
    again = layer_build_up(encoder, corpus.texts, corpus.labels, most_texts=40, seed=5)
    assert (part.items, part.given, part.sample, part.k) == (40, 402, 40, 9)
    assert part.to_dict() == again.to_dict()
    assert part.mean_cosine[5] == pytest.approx(packaged_result.mean_cosine[5], abs=0.05)
    assert layer_build_up(encoder, corpus.texts[:30], most_texts=500).items == 30


# What follows pooling


def test_a_dense_layer_after_pooling_is_part_of_the_output(opened):
    encoder = opened("instructor")[1]
    result = layer_build_up(encoder, TEXTS)
    assert result.dimensions.tolist() == [32, 32, 32, 16]
    vectors = encoder.encode(TEXTS).vectors.astype(float)
    assert result.mean_cosine[-1] == pytest.approx(mean_over(vectors, itertools.combinations(range(14), 2)), abs=1e-6)
    assert result.cka_output[-2] < 0.999


def test_a_dense_layer_before_pooling(tmp_path):
    folder = tmp_path / "dense-first"
    square = dataclasses.replace(tiny_files.TINY["instructor"], dense=32)
    tiny_files.write_checkpoint(square, folder, plain=False, seed=3)
    entries = json.loads((folder / "modules.json").read_text())
    entries[1:3] = [entries[2] | {"idx": 1}, entries[1] | {"idx": 2}]
    (folder / "modules.json").write_text(json.dumps(entries))
    config = json.loads((folder / "2_Dense" / "config.json").read_text())
    names = {"module_input_name": "token_embeddings", "module_output_name": "token_embeddings"}
    (folder / "2_Dense" / "config.json").write_text(json.dumps(config | names))
    encoder = open_encoder(str(folder), policy=Policy(model_roots=(tmp_path,)))
    vectors = encoder.encode(TEXTS).vectors.astype(float)
    result = layer_build_up(encoder, TEXTS)
    assert result.mean_cosine[-1] == pytest.approx(mean_over(vectors, itertools.combinations(range(14), 2)), abs=1e-6)
    assert abs(result.mean_cosine[-1] - result.mean_cosine[-2]) > 1e-3


def test_an_output_cut_to_fewer_dimensions(tmp_path):
    folder = tmp_path / "cut"
    tiny_files.write_checkpoint(tiny_files.TINY["gte"], folder, plain=False, seed=3)
    (folder / "config_sentence_transformers.json").write_text(json.dumps({"truncate_dim": 8}))
    encoder = open_encoder(str(folder), policy=Policy(model_roots=(tmp_path,)))
    result = layer_build_up(encoder, TEXTS)
    assert result.dimensions.tolist() == [32, 32, 32, 8]
    vectors = encoder.encode(TEXTS).vectors.astype(float)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    assert result.mean_cosine[-1] == pytest.approx(mean_over(vectors, itertools.combinations(range(14), 2)), abs=1e-6)


# Few texts, equal texts, few labels


def test_a_first_token_that_every_text_has_tells_nothing_at_the_embedding(opened):
    result = layer_build_up(opened("bge")[1], TEXTS)
    assert result.mean_cosine[0] == pytest.approx(1)
    assert np.isnan([result.cka_output[0], result.overlap[0], result.cka_between[0, 1]]).all()
    assert (result.components_99[0], result.participation_ratio[0]) == (0, 0)
    assert np.isfinite(result.cka_output[1:]).all()
    assert findings(result).unvaried == (0,)
    assert findings(result).change == 2


@pytest.mark.parametrize("n", [2, 3, 40])
def test_all_texts_the_same(opened, n):
    result = layer_build_up(opened("minilm")[1], ["contract"] * n, ["a", "b"] + ["b"] * (n - 2))
    np.testing.assert_allclose(result.mean_cosine, 1)
    np.testing.assert_allclose(result.between, 1)
    assert np.isnan(result.within).all() == (n == 2)
    assert np.isnan(result.cka_output).all()
    assert np.isnan(result.overlap).all()
    assert (result.sample, result.k, result.different, result.items) == (1, 0, 1, n)
    assert not result.components_99.any()
    read = findings(result)
    assert (read.settled, read.settling_told, read.change, read.jump, read.agreement) == (None, False, None, None, None)
    assert read.collapse == 0
    json.dumps(build_up_report(result, read).to_dict(), allow_nan=False)


def test_two_texts(opened):
    folder, encoder = opened("minilm")
    texts, labels = ["contract", "two doses"], ["a", "a"]
    result = layer_build_up(encoder, texts, labels)
    states = stored(folder, "minilm", texts, "")
    np.testing.assert_allclose(result.mean_cosine, [mean_over(s, [(0, 1)]) for s in states], atol=1e-6)
    np.testing.assert_allclose(result.within, result.mean_cosine)
    assert np.isnan(result.between).all()
    np.testing.assert_allclose(result.cka_output, 1)  # two points always agree: chance says the same
    np.testing.assert_allclose(result.cka_chance, 1)
    assert (result.k, result.overlap_chance) == (1, 1)
    assert not findings(result).settling_told
    assert result.components_99.tolist() == [1, 1, 1, 1]


@pytest.mark.parametrize(
    ("labels", "within", "between"),
    [
        (None, False, False),
        ([None] * 14, False, False),
        (["one"] * 14, True, False),
        ([f"label {n}" for n in range(14)], False, True),
        ([*(["one"] * 13), None], True, False),
        (["a", "b"] * 7, True, True),
    ],
)
def test_labels_without_pairs(opened, labels, within, between):
    result = layer_build_up(opened("gte")[1], TEXTS, labels)
    assert np.isfinite(result.within).all() == within
    assert np.isfinite(result.between).all() == between
    if labels == ["one"] * 14:
        np.testing.assert_allclose(result.within, result.mean_cosine, atol=1e-12)


def test_too_many_labels_are_not_compared(opened):
    texts = [f"{a} {b} {c}" for a in "abcdefghijklm" for b in "nopqrstuvwxyz" for c in "abcdefghijklm"][:2_001]
    result = layer_build_up(opened("gte")[1], texts, [f"label {n}" for n in range(2_001)])
    assert result.labels == MOST_LABELS + 1
    assert np.isnan(result.between).all()
    assert np.isfinite(result.mean_cosine).all()


@pytest.mark.parametrize("family", ["gte-qwen2", "minilm"])
def test_texts_without_a_token_are_left_out(tmp_path, family):
    from tokenizers import Tokenizer

    folder = tmp_path / "bare"
    tiny_files.write_checkpoint(tiny_files.TINY[family], folder, plain=False, seed=3)
    backend = Tokenizer.from_file(str(folder / "tokenizer.json"))
    content = json.loads(backend.to_str()) | {"post_processor": None}
    (folder / "tokenizer.json").write_text(json.dumps(content))
    encoder = open_encoder(str(folder), policy=Policy(model_roots=(tmp_path,)))
    result = layer_build_up(encoder, [*TEXTS, "", ""], [*LABELS, "a", "a"])
    assert (result.items, result.left_out, result.drawn, result.given, result.different) == (14, 2, 16, 16, 13)
    plain = layer_build_up(encoder, TEXTS, LABELS)
    assert_equal(plain, result, atol=2e-6, but=("drawn", "given", "left_out", "labels", "labelled"))
    with pytest.raises(InputError, match="at least 2 texts with a token, got 1"):
        layer_build_up(encoder, ["contract", "", ""])
    with pytest.raises(InputError, match="at least 2 texts with a token, got 0"):
        layer_build_up(encoder, ["", ""])


# What cannot be done


def test_refuses(opened, tmp_path):
    encoder = opened("gte")[1]
    for texts in ([], ["contract"]):
        with pytest.raises(InputError, match=f"at least 2 texts, got {len(texts)}: add texts"):
            layer_build_up(encoder, texts)
    with pytest.raises(InputError, match="one label for each of 14 embeddings, got 2"):
        layer_build_up(encoder, TEXTS, ["a", "b"])
    with pytest.raises(InputError, match="most_texts=1"):
        layer_build_up(encoder, TEXTS, most_texts=1)
    with pytest.raises(InputError, match="sample of at least 2 texts and k of at least 1, got 1 and 10"):
        layer_build_up(encoder, TEXTS, sample=1)
    with pytest.raises(InputError, match="Text 2 should be a string"):
        layer_build_up(encoder, ["contract", 7])
    with pytest.raises(InputError, match="settled_cka should be above 0 and at most 1, got 0"):
        findings(layer_build_up(encoder, TEXTS), settled_cka=0)


def test_states_that_are_not_finite_are_told(tmp_path):
    import torch

    folder = tmp_path / "broken"
    tiny_files.write_checkpoint(tiny_files.TINY["gte"], folder, plain=False, seed=3)
    encoder = open_encoder(str(folder), policy=Policy(model_roots=(tmp_path,)))
    with torch.no_grad():
        encoder.modules[0].model.encoder.layer[1].output.dense.weight.fill_(float("inf"))
    with pytest.raises(InputError, match="hidden states that are not finite"):
        layer_build_up(encoder, TEXTS)


def test_a_static_encoder_has_no_layers(tmp_path):
    from model2vec import StaticModel
    from tokenizers import Tokenizer, models, pre_tokenizers

    from lib.layers.states import why_no_layers

    tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0, "contract": 1, "two": 2, "doses": 3}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    StaticModel(np.eye(4, 3, dtype=np.float32), tokenizer).save_pretrained(tmp_path / "static")
    encoder = open_encoder(str(tmp_path / "static"), policy=Policy(model_roots=(tmp_path,)))
    with pytest.raises(InputError, match="is a static encoder"):
        layer_build_up(encoder, TEXTS)
    assert "no layer stands between" in why_no_layers(encoder.checkpoint)
    assert "came with the corpus" in why_no_layers(None)


def test_it_can_be_stopped_and_tells_how_far_it_is(opened):
    encoder = opened("gte")[1]
    told = []
    with pytest.raises(Stopped, match=r"Stopped after \d+ of 13 texts"):
        layer_build_up(
            encoder, TEXTS, batch_tokens=30, progress=lambda *at: told.append(at), should_stop=lambda: len(told) > 2
        )
    assert told[0] == (0, 13)
    assert len(told) == 3
    assert 0 < told[-1][0] < 13
    told.clear()
    layer_build_up(encoder, TEXTS, batch_tokens=30, progress=lambda *at: told.append(at))
    assert told[-1] == (13, 13)
    assert told == sorted(told)
