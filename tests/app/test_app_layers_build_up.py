"""Layers > Build-up through Streamlit's test double: the sample, addresses, stopping, encoders without layers."""

import json

import numpy as np
import pytest

from lib.encoders import PACKAGED, Policy, open_encoder
from lib.errors import InputError
from lib.layers.build_up import layer_build_up
from lib.layers.findings import findings
from lib.ui import progress, resources
from lib.ui.layers import build_up_cached


@pytest.fixture(scope="module")
def result(sample):
    """What the library finds in the sample."""
    return layer_build_up(open_encoder(PACKAGED, policy=Policy()), sample[0].texts, sample[0].labels)


@pytest.fixture
def view(app):
    """Open the view at an address."""
    return lambda **query: app(page="layers", **query)


def test_it_shows_what_the_library_finds(view, result):
    shown = view()
    assert not shown.refusals
    assert shown.titles[0] == "How do the layers build the vectors?"
    assert shown.numbers == {
        "Settles": "layer 6 of 6",
        "Most changes": "layers 5 to 6",
        "Collapse": "none",
        "Output": "like layer 6",
    }
    assert set(shown.charts) == {"build_cosines", "build_agreement", "build_dimensions", "build_likeness"}
    cosines = shown.charts["build_cosines"]["data"][-1]
    assert cosines["y"] == pytest.approx(list(result.mean_cosine), abs=1e-6)
    table = shown.table("CKA by chance")
    assert list(table["depth"]) == list(result.names)
    np.testing.assert_allclose(table["neighbours shared"], result.overlap, atol=0.01)
    assert f"Most changes between layers 5 and 6: 1 − CKA is {findings(result).change_size:.2f}" in shown.captions
    assert "mean cosine of all pairs of 402 texts" in shown.captions
    assert "settles in the last layer only" in shown.captions


def test_thresholds_stand_in_the_address(view):
    shown = view(build_cka="0.5", build_overlap="0.2", build_collapse="0.6")
    assert shown.numbers["Settles"] == "layer 2 of 6"
    assert "has settled from layer 2 on" in shown.captions
    assert "Above the dashed line and below it again later: layer 1, layer 2" in shown.captions
    assert view(build_cka="nonsense", build_overlap="-1", build_collapse="").numbers == view().numbers


def test_the_label_column_changes_the_curves(view):
    by_topic, by_subtopic = (view(label=name).table("same label")["same label"] for name in ("topic", "subtopic"))
    assert (by_subtopic > by_topic).all()


def opened(app, name, content):
    """The view of an uploaded file."""
    return app(page="layers", corpus="Upload").upload(name, content)


def jsonl(rows):
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


@pytest.mark.parametrize("count", [2, 5])
def test_a_few_texts(app, count):
    texts = ["cats purr", "dogs bark", "the contract was void", "rates rose", "rain falls"][:count]
    shown = opened(app, "a.txt", "\n".join(texts).encode())
    assert not shown.refusals
    assert shown.numbers["Settles"] == "not told"
    assert f"all pairs of {count} texts" in shown.captions


def test_one_text(app):
    shown = opened(app, "a.txt", b"cats purr")
    assert "The build-up needs at least 2 texts, got 1" in shown.refusals[0].replace("\\", "")


def test_copies_of_one_text(app):
    shown = opened(app, "a.txt", b"the same\n" * 6)
    assert shown.numbers == {
        "Settles": "not told", "Most changes": "—", "Collapse": "from the embedding", "Output": "not told"
    }  # fmt: skip
    assert "All states are the same at the embedding, layer 1" in shown.captions


def test_embeddings_of_the_corpus_have_no_layers(app):
    rng = np.random.default_rng(1)
    rows = [{"text": f"text {n}", "embedding": list(rng.normal(size=8))} for n in range(30)]
    shown = opened(app, "a.jsonl", jsonl(rows))
    assert "there is no encoder whose layers could be looked at" in shown.page.info[0].value.replace("\\", "")
    assert set(shown.numbers) == {"Mean cosine"}
    assert not shown.charts


def test_a_static_encoder_has_no_layers(app, tmp_path, monkeypatch):
    from model2vec import StaticModel
    from tokenizers import Tokenizer, models, pre_tokenizers

    words = ["[UNK]", "the", "a", "of", "and", "tenant", "bank", "patient", "rent", "dose", "rate"]
    tokenizer = Tokenizer(models.WordLevel({word: n for n, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    table = np.random.default_rng(0).normal(size=(len(words), 8)).astype(np.float32)
    StaticModel(table, tokenizer).save_pretrained(tmp_path / "static")
    monkeypatch.setattr(resources, "policy", lambda: Policy(model_roots=(tmp_path,)))
    shown = app(page="layers", encoder=str(tmp_path / "static"))
    assert not shown.refusals
    assert "is a static encoder" in shown.page.info[0].value.replace("\\", "")
    assert "Mean cosine" in shown.numbers


def test_long_work_is_asked_for_first_and_can_be_stopped(app, monkeypatch):
    monkeypatch.setattr(build_up_cached, "_ASK_ABOVE", 1)
    texts = "\n".join(f"text number {n} of these" for n in range(12)).encode()
    shown = opened(app, "a.txt", texts)
    assert not shown.numbers
    assert "12 texts pass through the encoder once more" in shown.page.info[0].value
    key = next(button.key for button in shown.page.button if button.label == "Run the layers").removesuffix("_begin")
    shown.page.session_state[f"_work_{key}"] = "stopped"
    assert shown.run().page.info[0].value.startswith("Stopped.")
    shown.press("Run the layers")
    assert "Settles" in shown.numbers
    assert "Run the layers" not in shown.buttons


def test_soon_done_work_that_was_stopped_is_not_begun_again_by_itself(app):
    begun = []

    def fails(*_args, **_settings):
        raise InputError("no")

    def started(key, *args, **settings):
        begun.append(key)
        return progress.started(key, *args, **settings)

    texts = "\n".join(f"another text number {n}" for n in range(12)).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build_up_cached, "layer_build_up", fails)
        patch.setattr(build_up_cached, "started", started)
        shown = opened(app, "a.txt", texts)
    assert shown.refusals == ["no"]
    shown.page.session_state[f"_work_{begun[-1]}"] = "stopped"
    assert "Run the layers" in shown.run().buttons
    assert not shown.refusals
    assert "Settles" in shown.press("Run the layers").numbers


def test_a_large_corpus_is_sampled_unless_all_is_chosen(app, monkeypatch):
    monkeypatch.setattr("lib.ui.layers.build_up._STEPS", (20, 100))
    texts = "\n".join(f"text number {n} of these" for n in range(50)).encode()
    shown = opened(app, "a.txt", texts)
    assert "uniform sample of 20 of the 50 texts" in shown.captions
    assert shown.choose("build_texts", "all").numbers
    assert "all pairs of 50 texts" in shown.captions
    monkeypatch.setattr("lib.ui.layers.build_up._STEPS", (100, 200))
    assert "build_texts" not in {group.key for group in shown.run().page.button_group}


def test_the_numbers_can_be_taken_along(view):
    buttons = {button.proto.label for button in view().page.get("download_button")}
    assert {"Numbers as JSON", "CSV", "Parquet"} <= buttons


def test_hostile_labels_draw_nothing(app):
    rows = [{"text": f"<img src=x> text {n}", "label": f"<script>{n % 3}"} for n in range(12)]
    shown = opened(app, "a.jsonl", jsonl(rows))
    assert shown.numbers
    assert "<script" not in json.dumps(shown.charts)
