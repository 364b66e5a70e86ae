"""`python -m lib finetune`: what it writes and prints, killed and gone on with, stopped by a signal, and refusals."""

import json
import os
import re
import signal
import subprocess
import sys

import pytest

from lib.cli import main
from lib.finetune.training import TrainingSettings
from lib.runs import all_events
from lib.ui.finetune.train_start import arguments
from tests.toy_tuning import tiny_model, toy_examples

SMALL = (
    "--batch", "4", "--rank", "2", "--learning-rate", "0.01", "--validation", "0.25", "--evaluate-every", "3",
    "--checkpoint-every", "2", "--epochs", "3",
)  # fmt: skip


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    """Folder of a tiny encoder that drops states in training."""
    made = tmp_path_factory.mktemp("encoder")
    tiny_model(tmp_path_factory.mktemp("transformer"), dropout=0.2).save_pretrained(str(made), create_model_card=False)
    return made


@pytest.fixture(scope="module")
def triplets(tmp_path_factory):
    """A file of 16 triplets."""
    made, examples = tmp_path_factory.mktemp("data") / "triplets.jsonl", toy_examples(16, negatives=1)
    rows = zip(examples.anchors, examples.positives, examples.negatives, strict=True)
    lines = [json.dumps({"anchor": a, "positive": p, "negative": n[0]}) for a, p, n in rows]
    made.write_text("\n".join(lines) + "\n")
    return made


@pytest.fixture
def tune(capsys, encoder, triplets):
    """Run the command; the JSON that it prints, and what it tells on stderr."""

    def ran(out, *arguments):
        given = ["finetune", "--triplets", triplets, "--encoder", encoder, "--out", out, *SMALL, *arguments]
        assert main([*map(str, given)]) == 0, capsys.readouterr().err
        printed, said = capsys.readouterr()
        return json.loads(printed), said

    return ran


@pytest.fixture
def refused(capsys):
    """Run a command that must be refused; give its sentence."""

    def ran(*arguments):
        assert main(["finetune", *map(str, arguments)]) == 2
        printed, said = capsys.readouterr()
        assert not printed
        return said.splitlines()[-1]

    return ran


def told(out):
    """Loss of each step, the last word on it."""
    return {event["step"]: event["loss"] for event in all_events(out / "events.jsonl") if event["event"] == "step"}


KILLED = """
import os, signal, sys
from lib.cli import main
from lib.finetune.training import checkpoints

seal = checkpoints.seal
def kill_at_four(folder, course):
    if folder.name == "checkpoint-4":
        os.kill(os.getpid(), signal.SIGKILL)
    seal(folder, course)
checkpoints.seal = kill_at_four
main(sys.argv[1:])
"""
"""Dies in the middle of writing a checkpoint."""


def test_killed_while_it_writes_it_goes_on_as_if_nothing_had_been(tune, encoder, triplets, tmp_path):
    whole, said = tune(tmp_path / "whole")
    assert re.search(r"\d+ steps of 4 on \d+ examples; [\d,]+ of [\d,]+ parameters \(.* %\) are trained", said)
    assert "Held-out queries before training: NDCG@10" in said
    assert whole["out"] == str(tmp_path / "whole")
    assert whole["validation"]["tests"][0]["metric"] == "ndcg@10"

    killed = tmp_path / "killed"
    given = ["finetune", "--triplets", triplets, "--encoder", encoder, "--out", killed, *SMALL]
    ran = subprocess.run([sys.executable, "-c", KILLED, *map(str, given)], capture_output=True, check=False)
    assert ran.returncode == -signal.SIGKILL, ran.stderr
    assert not ran.stdout
    assert (killed / ".part" / "checkpoint-4" / "optimizer.pt").is_file()
    assert not (killed / "figures.json").exists()
    again, _ = tune(killed, "--resume")
    assert told(killed) == pytest.approx(told(tmp_path / "whole"))
    for step, metrics in whole["evaluations"].items():
        assert again["evaluations"][step] == pytest.approx(metrics)


def test_a_signal_ends_it_with_a_checkpoint(capsys, tune, encoder, triplets, tmp_path, monkeypatch):
    from lib.finetune.training.journal import Journal

    saved = Journal.saved

    def ask_at_four(journal, step):
        saved(journal, step)
        if step == 4:
            os.kill(os.getpid(), signal.SIGTERM)

    given = ["finetune", "--triplets", triplets, "--encoder", encoder, "--out", tmp_path, *SMALL]
    with monkeypatch.context() as patch:
        patch.setattr(Journal, "saved", ask_at_four)
        assert main([*map(str, given)]) == 130
    printed, said = capsys.readouterr()
    assert not printed
    assert "Stopped at step 5 of" in said.splitlines()[-1]
    assert "--resume goes on from it" in said.splitlines()[-1]
    assert all_events(tmp_path / "events.jsonl")[-1] == {"event": "stopped"}
    assert main([*map(str, given)]) == 2
    assert "unfinished training: add --resume" in capsys.readouterr().err
    found, _ = tune(tmp_path, "--resume")
    assert found["reason"] == "finished"
    assert "finished training" in refusal(capsys, [*given, "--resume"])


def test_two_trainings_in_one_folder_are_refused(refused, triplets, encoder, tmp_path):
    from lib.locks import alone

    (tmp_path / "events.jsonl").write_text("of the other")
    with alone(tmp_path):
        said = refused("--triplets", triplets, "--encoder", encoder, "--out", tmp_path, *SMALL)
    assert "Another process is at work" in said
    assert (tmp_path / "events.jsonl").read_text() == "of the other"


def refusal(capsys, given):
    assert main([*map(str, given)]) == 2
    return capsys.readouterr().err


def test_the_command_can_be_typed_again(tune, encoder, triplets, tmp_path):
    out = tmp_path / "run" / "finetune"
    out.mkdir(parents=True)
    (out.parent / "run.json").write_text("{}")
    tune(out, "--max-steps", "1", "--matryoshka", "16", "8", "--loss", "cached infonce", "--mini-batch", "2")
    config = json.loads((out / "config.json").read_text())
    assert config["command"].startswith(f"python -m lib finetune --triplets {triplets} --encoder {encoder} ")
    assert "--loss 'cached infonce'" in config["command"]
    assert "--matryoshka 16 8" in config["command"]
    assert config["command"].endswith("--out finetune")
    assert config["settings"]["matryoshka"] == [16, 8]
    assert json.loads((out / "environment.json").read_text())["precision"] == "float32"


def test_every_setting_has_an_option():
    from lib.cli import _parser
    from lib.cli.finetune_options import settings_of

    usual = ["finetune", "--queries", "sample:topics", "--out", "x"]
    assert settings_of(_parser().parse_args(usual)) == TrainingSettings("all-MiniLM-L6-v2 (packaged)")
    other = TrainingSettings(
        "e", method="full", rank=2, alpha=3.0, dropout=0.5, target_modules=("q", "v"), loss="nt-xent", temperature=0.1,
        margin=0.3, matryoshka=(8, 4), epochs=2.0, max_steps=7, batch=16, mini_batch=2, learning_rate=0.1, warmup=0.2,
        weight_decay=0.3, max_tokens=9, negatives="bm25", negatives_each=3, false_negative_margin=0.1, validation=0.2,
        evaluate_every=5, patience=4, precision="float32", seed=6, checkpoint_every=8,
    )  # fmt: skip
    assert settings_of(_parser().parse_args([*usual, *arguments(other)])) == other


def test_refusals_before_anything_is_done(refused, triplets, encoder, tmp_path):
    given = ("--triplets", triplets, "--out", tmp_path / "out")
    assert "expected a whole number from 2" in refused(*given, "--encoder", encoder, "--batch", "1")
    assert "largest first" in refused(*given, "--encoder", encoder, "--matryoshka", "8", "16")
    assert "a full fine-tune, or another" in refused(*given, "--encoder", "static MiniLM, 128 d (packaged)")
    assert "the vectors of" in refused(*given, "--encoder", encoder, "--matryoshka", "32")
    assert "does not exist" in refused(
        "--triplets", tmp_path / "no.jsonl", "--encoder", encoder, "--out", tmp_path / "out"
    )
    assert "no linear layer 'gate'" in refused(*given, "--encoder", encoder, "--target-modules", "gate")
