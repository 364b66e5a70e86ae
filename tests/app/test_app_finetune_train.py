"""The Train view: what it says of few and many pairs, its settings, what is refused, and what it begins."""

import argparse
import json
import shlex

import pytest
from streamlit.testing.v1 import AppTest

from lib import runs
from lib.corpora import build_query_set, load_query_set, open_query_files
from lib.encoders import PACKAGED, PACKAGED_STATIC, describe
from lib.errors import InputError
from lib.finetune.training.settings import TrainingSettings
from lib.ui.chosen import Chosen
from lib.ui.encoder_choice import EncoderChoice
from lib.ui.finetune import train_data, train_start
from tests.toy_view import keys, press, run, said

HOSTILE = "<img src=x onerror=alert(1)> :red[hot] **bold**"


def chosen(encoder=PACKAGED, **prompts):
    """A sidebar with an encoder and without texts, which are not needed."""
    if encoder is None:
        return Chosen(EncoderChoice(None, "float32", "It cannot be opened."), None, None)
    return Chosen(EncoderChoice(describe(encoder).with_prompts(**prompts), "float32", None), None, None)


SIDEBARS = {
    "packaged": chosen,
    "static": lambda: chosen(PACKAGED_STATIC),
    "none": lambda: chosen(None),
    "edited": lambda: chosen(query="ask: "),
}


def _script():
    import os

    from lib.ui.finetune import monitor, train
    from lib.ui.views import show_views
    from tests.app import test_app_finetune_train as tests

    show_views({"Train": train.show, "Monitor": monitor.show}, tests.SIDEBARS[os.environ["TESTED_SPACE"]]())


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A folder of runs of this test's own, in which nothing is begun in truth."""
    folder = tmp_path / "runs"
    monkeypatch.setenv("EMBEDSCOPE_RUNS", str(folder))
    monkeypatch.setattr(train_start, "rate", lambda: 1e11)
    monkeypatch.setattr(train_start, "memory", lambda: 10**11)
    return folder


@pytest.fixture
def begun(root, monkeypatch):
    """The command lines of what is begun."""
    found = []

    def start(run, arguments):
        found.append(arguments)
        return run

    monkeypatch.setattr(train_start.runs, "start", start)
    return found


@pytest.fixture
def view(root, monkeypatch):
    """Open the view on one of SIDEBARS."""

    def opened(space="packaged", **query):
        monkeypatch.setenv("TESTED_SPACE", space)
        at = AppTest.from_function(_script, default_timeout=60)
        at.query_params.update({"view": "Train"} | query)
        return run(at)

    return opened


def upload(at, name, content):
    at.file_uploader(key="tune_file").set_value((name, content, "application/octet-stream"))
    return run(at)


def pairs(n, **columns):
    rows = [{"anchor": f"question {i}", "positive": f"answer {i}"} | columns for i in range(n)]
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def test_few_pairs_are_called_few_and_settings_are_suggested(view):
    text = said(view())
    assert "332 pairs are few" in text
    assert "Practice names 500 to 1 000 good pairs as the least" in text
    assert "Trains a LoRA adapter of rank 8 by InfoNCE, 32 pairs a step" in text
    assert "20 % of the queries held out" in text
    assert "seconds" in text or "minutes" in text
    assert "The texts are handed to it, and removed when it has finished" in text


def test_more_pairs_are_not(view):
    at = upload(view(tune_data="Pairs or triplets"), "pairs.jsonl", pairs(1_200))
    assert "1 200 pairs are enough to hope for one" in said(at)
    assert "1 200 different anchors" in said(at)
    assert not at.warning


def test_settings_of_one_s_own_stand_in_the_address(view, begun):
    at = view(tune_settings="my own", tune_method="all weights", tune_loss="NT-Xent", tune_negatives="none",
              tune_passes="2", tune_batch="8", tune_nested="true", tune_steps="10", tune_tokens="64",
              tune_held_out="10 %", tune_rate="0.00005", tune_temperature="0.1")  # fmt: skip
    text = said(at)
    assert "Trains all weights by NT-Xent, 8 pairs a step, 2 passes: at most 10 steps; hard negatives none" in text
    assert "vectors that can be cut to 384, 192, 96, 48" in text
    press(at, "tune_start")
    (arguments,) = begun
    assert parsed(arguments) == {
        "encoder": [PACKAGED], "queries": ["sample:topics"], "method": ["full"], "loss": ["nt-xent"],
        "negatives": ["none"], "epochs": ["2.0"], "batch": ["8"], "matryoshka": ["384", "192", "96", "48"],
        "max-steps": ["10"], "max-tokens": ["64"], "learning-rate": ["5e-05"], "temperature": ["0.1"],
        "patience": ["3"],
    }  # fmt: skip


def parsed(arguments):
    """Option to values, without where the results go."""
    found, name = {}, None
    for part in arguments[1:]:
        if part.startswith("--"):
            name = part.removeprefix("--")
            found[name] = []
        else:
            found[name].append(part)
    found.pop("out")
    return found


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"method": "full", "loss": "triplet", "margin": 0.3, "negatives": "encoder", "negatives_each": 2},
        {"rank": 4, "alpha": 8.0, "matryoshka": (64, 32), "max_steps": 10, "max_tokens": 64, "patience": 3, "seed": 7},
        {"loss": "cached infonce", "learning_rate": 1e-5, "temperature": 0.1, "validation": 0.0, "epochs": 2.0},
    ],
)
def test_the_command_understands_what_the_page_says(changes, tmp_path):
    from lib.cli import finetune

    settings = TrainingSettings(PACKAGED, **changes)
    parser = argparse.ArgumentParser()
    finetune.add(parser.add_subparsers())
    line = ["finetune", "--queries", "sample:topics", *train_start.arguments(settings), "--out", str(tmp_path)]
    assert finetune.settings_of(parser.parse_args(line)) == settings, shlex.join(line)


@pytest.mark.parametrize(
    ("space", "words"),
    [
        ("static", "has no layers that could be adapted"),
        ("none", "It cannot be opened."),
    ],
)
def test_what_cannot_be_tuned(view, space, words):
    at = view(space)
    assert words in said(at)
    assert "tune_start" not in keys(at)


def test_edited_prompts_are_said_to_be_without_effect(view):
    assert "The prompts edited in the sidebar are not used here" in said(view("edited"))


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("EMBEDSCOPE_TRAINING", "off", "on your own machine, where `python -m lib finetune` does the same"),
        ("EMBEDSCOPE_TRAINING_TEXTS", "331", "332 pairs are more than the 331 that a training may take here: bring"),
        ("EMBEDSCOPE_TRAINING_MINUTES", "0.01", "a training may take 0.01 here: choose fewer passes"),
        ("EMBEDSCOPE_RUNS_GB", "0.00001", "all runs together may take 0.01 MB here: train an adapter"),
    ],
)  # fmt: skip
def test_what_the_owner_does_not_allow(view, monkeypatch, name, value, words):
    monkeypatch.setenv(name, value)
    at = view()
    assert words in said(at)
    assert "tune_start" not in keys(at)


def test_what_memory_does_not_hold(view, monkeypatch):
    monkeypatch.setattr(train_start, "memory", lambda: 1_500_000_000)
    at = view()
    assert "Memory is short here at present" in said(at)
    assert "tune_start" in keys(at)
    at = view(tune_settings="my own", tune_batch="256", tune_tokens="all")
    assert "GB of memory, and 1.5 GB are free here now: choose fewer pairs a step" in said(at)
    assert "tune_start" not in keys(at)


def test_what_the_loss_cannot_learn_from(view):
    at = view(tune_data="Pairs or triplets", tune_settings="my own", tune_loss="triplet", tune_negatives="as given")
    assert "needs a negative for each pair" in said(upload(at, "pairs.jsonl", pairs(20)))
    at = upload(view(tune_data="Pairs or triplets"), "pairs.jsonl", pairs(7))
    assert "7 pairs are too few to train on" in said(at)
    assert "tune_start" not in keys(at)


def test_a_file_that_cannot_be_read(view):
    at = upload(view(tune_data="Pairs or triplets"), "pairs.jsonl", b'{"anchor": "a"}\n')
    assert "no column is named positive" in said(at)


def test_the_file_is_handed_over_under_a_harmless_name(view, begun, root):
    at = upload(view(tune_data="Pairs or triplets"), f"../{HOSTILE}.jsonl", pairs(40, negative="no answer"))
    press(at, "tune_start")
    (arguments,) = begun
    (made,) = runs.list_runs(root=root)
    (place,) = parsed(arguments)["triplets"]
    (kept,) = made.inputs.iterdir()
    assert place == str(kept)
    assert kept.read_bytes() == pairs(40, negative="no answer")
    assert set(kept.name) <= set("abcdefghijklmnopqrstuvwxyz1-.()_ ")
    assert made.about["pairs"] == 40
    assert made.about["encoder"] == PACKAGED
    assert at.session_state["view"] == "Monitor"
    assert at.session_state["run"] == made.id


def test_an_uploaded_query_set_is_handed_over_as_it_is(tmp_path):
    queries = load_query_set("lab")
    place = train_data.write_queries(queries, tmp_path)
    again = build_query_set(open_query_files(place))
    assert again.key == queries.key


def test_a_start_that_fails_is_said_and_leaves_nothing(view, root, monkeypatch):
    def start(run, arguments):
        raise InputError("8 runs wait for their turn already: try again.")

    monkeypatch.setattr(train_start.runs, "start", start)
    at = press(view(), "tune_start")
    assert "8 runs wait for their turn already" in said(at)
    assert runs.list_runs(root=root) == []


def test_one_training_at_a_time_of_whatever_kind(view, begun, root, monkeypatch):
    at = press(view(), "tune_start")
    (made,) = runs.list_runs(root=root)
    monkeypatch.setattr(runs, "status", lambda run: runs.Status("waiting"))
    at.query_params["view"] = at.session_state["view"] = "Train"
    run(at)
    assert "you can have one at a time" in said(at)
    assert next(button for button in at.button if button.key == "tune_start").disabled
    about = json.loads((made.folder / "run.json").read_text())
    (made.folder / "run.json").write_text(json.dumps(about | {"kind": "sae", "title": HOSTILE}))
    run(at)
    assert "on the page SAE Features" in said(at)
    assert "**bold**" not in "".join(info.value for info in at.info)
    assert "tune_look" not in keys(at)


def test_an_uploaded_file_is_kept_until_it_is_removed(view):
    at = upload(view(tune_data="Pairs or triplets"), "pairs.jsonl", pairs(40))
    at.file_uploader(key="tune_file").set_value(None)  # as after a look at another view
    run(at)
    assert "Still here: pairs.jsonl" in said(at)
    assert "40 pairs" in said(at)
    assert "40 pairs" not in said(press(at, "tune_forget"))
