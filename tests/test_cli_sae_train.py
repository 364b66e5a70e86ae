"""`python -m lib sae train`: files, groups, stop and resume, what the SAE says of itself, and refusals."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import numpy as np
import pytest

from lib import sae
from lib.cli import main
from lib.cli.sae_train_watch import Watch
from lib.encoders import PACKAGED, describe
from lib.runs import events
from lib.sae.training_log import read_log
from tests.toy_sae import planted

SMALL = ("--features", "24", "--k", "3", "--batch", "64", "--passes", "4", "--held-out", "0.1", "--device", "cpu")


@pytest.fixture(scope="module")
def vectors(tmp_path_factory):
    """Planted vectors in a file, shape (400, 16)."""
    path = tmp_path_factory.mktemp("vectors") / "v.npy"
    np.save(path, planted(400).vectors)
    return path


@pytest.fixture
def train(capsys):
    """Run the command; give what it printed as JSON."""

    def ran(*arguments):
        assert main(["sae", "train", *map(str, arguments)]) == 0, capsys.readouterr().err
        return json.loads(capsys.readouterr().out)

    return ran


@pytest.fixture
def refused(capsys):
    """Run a command that must be refused; give its sentence."""

    def ran(*arguments):
        capsys.readouterr()
        assert main(["sae", "train", *map(str, arguments)]) == 2
        out, err = capsys.readouterr()
        assert out == ""
        lines = [line for line in err.splitlines() if line and not line.endswith("…")]
        assert len(lines) == 1, err
        return lines[0]

    return ran


def test_the_folder_that_it_writes(train, vectors, tmp_path):
    out = tmp_path / "a" / "b"
    said = train("--embeddings", vectors, *SMALL, "--rule", "topk", "--seed", "3", "--out", out, "--name", "toy")
    assert {path.name for path in out.iterdir()} == {"sae.safetensors", "config.json", "events.jsonl"}
    made = sae.load(out)
    assert (made.features, made.dimensions, made.rule, made.k) == (24, 16, "topk", 3)
    about = made.about
    assert about.name == "toy"
    assert (about.encoder, about.fingerprint) == (None, None)
    assert about.trained_on["name"] == "v.npy"
    assert about.trained_on["texts"] == 400
    assert about.trained_on["training"] + about.trained_on["held_out"] == 400
    assert len(about.trained_on["key"]) == 64
    assert about.settings["seed"] == 3
    assert about.settings["command"] == (
        f"python -m lib sae train --embeddings {vectors} --features 24 --k 3 --rule topk --passes 4 --batch 64 "
        f"--held-out 0.1 --seed 3 --device cpu --out {out} --name toy"
    )
    assert 0 < about.figures["fvu"] < 1
    assert about.figures["ndcg"] == []
    assert sum(about.figures["density"]) <= 24
    assert said["figures"]["fvu"] == about.figures["fvu"]
    log = read_log(events(out / "events.jsonl")[0])
    assert log.k == 3
    assert log.steps == log.step > 0
    assert log.samples[-1] == about.trained_on["samples"]
    assert np.isfinite(log.fvu).all()
    assert events(out / "events.jsonl")[0][-1]["event"] == "end"


def test_half_and_prefixes(train, vectors, tmp_path):
    train("--embeddings", vectors, *SMALL, "--prefixes", "6", "12", "--half", "--out", tmp_path / "o")
    made = sae.load(tmp_path / "o")
    assert made.prefixes == (6, 12)
    assert made.rule == "batchtopk"
    assert (tmp_path / "o" / "sae.safetensors").stat().st_size < 2 * (2 * 24 * 16 + 16 + 2 * 24) + 2_000
    np.testing.assert_allclose(np.linalg.norm(made.decoder_weights, axis=1), 1, atol=1e-5)


def test_a_corpus_goes_by_way_of_the_encoder(train, tmp_path):
    said = train("--corpus", "sample:topics", *SMALL, "--group", "subtopic", "--out", tmp_path / "o")
    assert said["encoder"].startswith("all-MiniLM-L6-v2")
    assert len(said["fingerprint"]) >= 32
    assert said["trained_on"]["name"] == "topics (sample)"
    assert said["trained_on"]["precision"] == "float32"
    assert said["name"] == "topics (sample): 24 features"


def test_groups_stay_on_one_side(train, vectors, tmp_path, monkeypatch):
    from lib.sae import training

    seen = []
    real = training.train
    monkeypatch.setattr(training, "train", lambda *a, **k: seen.append(k["groups"]) or real(*a, **k))
    np.save(tmp_path / "g.npy", np.arange(400) // 10)
    train("--embeddings", vectors, "--groups", tmp_path / "g.npy", *SMALL, "--out", tmp_path / "o")
    np.testing.assert_array_equal(seen.pop(), np.arange(400) // 10)
    corpus = tmp_path / "c.jsonl"
    rows = [{"text": f"text {n % 30}", "document": None if n % 5 == 4 else n % 4, "vector": [n % 7, 1.0, n, n * n]}
            for n in range(40)]  # fmt: skip
    corpus.write_text("".join(json.dumps(row) + "\n" for row in rows))
    train("--corpus", corpus, *SMALL, "--out", tmp_path / "p")
    groups = seen.pop()
    assert len(set(groups.tolist())) == 30
    assert groups[0] == groups[30]
    said = train("--corpus", corpus, "--group", "document", *SMALL, "--out", tmp_path / "q")
    groups = seen.pop()
    assert groups[0] == groups[8] == groups[12]
    assert groups[4] not in groups[:4]
    assert said["encoder"] is None


def test_what_is_told_of_embeddings(train, vectors, tmp_path):
    told = {
        "encoder": "an/encoder",
        "fingerprint": "f" * 64,
        "name": "my texts",
        "key": "k" * 64,
        "precision": "float32",
    }
    inputs = tmp_path / "run" / "inputs"
    inputs.mkdir(parents=True)
    (inputs / "about.json").write_text(json.dumps(told))
    np.save(inputs / "v.npy", np.load(vectors))
    said = train(
        "--embeddings", inputs / "v.npy", "--about", inputs / "about.json", *SMALL, "--out", tmp_path / "run/sae"
    )
    assert (said["encoder"], said["fingerprint"]) == ("an/encoder", "f" * 64)
    assert said["trained_on"]["name"] == "my texts"
    assert said["trained_on"]["key"] == "k" * 64
    assert str(tmp_path) not in said["settings"]["command"]  # a page's run does not tell the server's folders
    assert "--embeddings inputs/v.npy" in said["settings"]["command"]


def test_what_is_kept_of_retrieval_on_a_sample_set(train, refused, tmp_path):
    """As a page's run asks for it: vectors of an array, with the encoder that made them named."""
    encoder = describe(PACKAGED)
    np.save(tmp_path / "v.npy", planted(200, 384).vectors)
    about = tmp_path / "about.json"
    about.write_text(json.dumps({"fingerprint": encoder.fingerprint, "name": "mine"}))
    options = ("--embeddings", tmp_path / "v.npy", "--about", about, *SMALL, "--encoder", PACKAGED)
    train(*options, "--queries", "sample:lab", "--out", tmp_path / "o")
    made = sae.load(tmp_path / "o").about
    (kept,) = made.figures["ndcg"]
    assert (kept["name"], kept["queries"], kept["items"]) == ("lab (sample)", 4, 15)
    assert 0 < kept["raw"] <= 1
    assert kept["both"]["share_low"] <= kept["both"]["share"] <= kept["both"]["share_high"]
    assert (made.fingerprint, made.trained_on["name"]) == (encoder.fingerprint, "mine")
    about.write_text(json.dumps({"fingerprint": "f" * 64}))
    assert "about.json says that another encoder" in refused(*options, "--out", tmp_path / "p")


def _started(*arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "lib", "sae", "train", *map(str, arguments)], stderr=subprocess.PIPE, text=True,
        stdout=subprocess.DEVNULL, env=os.environ | {"OMP_NUM_THREADS": "1"},
    )  # fmt: skip


LONG = ("--features", "24", "--k", "3", "--batch", "64", "--passes", "3000", "--patience", "0", "--device", "cpu")


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_stop_writes_a_checkpoint(vectors, tmp_path, sign):
    out = tmp_path / "o"
    process = _started("--embeddings", vectors, *LONG, "--out", out)
    while process.poll() is None and not read_log(events(out / "events.jsonl")[0]).steps:
        time.sleep(0.05)
    process.send_signal(sign)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert "Traceback" not in said
    assert (out / "checkpoint.safetensors").exists()
    assert not (out / "sae.safetensors").exists()
    assert events(out / "events.jsonl")[0][-1] == {"event": "stopped"}


def test_resume_is_the_same_training(train, refused, vectors, tmp_path, monkeypatch):
    """Interrupted and resumed: the same weights as in one piece, and one curve without a gap."""
    options = ("--embeddings", vectors, *SMALL, "--passes", "20")
    train(*options, "--out", tmp_path / "whole")
    out, looked = tmp_path / "parts", []
    stoppable, evaluated = Watch.stoppable, Watch.evaluated

    @contextmanager
    def soon(self):
        with stoppable(self):
            yield lambda: len(looked) >= 2

    with monkeypatch.context() as patch:
        patch.setattr(Watch, "evaluated", lambda self, event: looked.append(evaluated(self, event)))
        patch.setattr(Watch, "stoppable", soon)
        assert main(["sae", "train", *map(str, options), "--out", str(out)]) == 130
    assert "add --resume" in refused(*options, "--out", out)
    assert "checkpoint" in refused(*options, "--k", "4", "--out", out, "--resume")
    train(*options, "--out", out, "--resume")
    whole, parts = sae.load(tmp_path / "whole"), sae.load(out)
    np.testing.assert_array_equal(whole.decoder_weights, parts.decoder_weights)
    first, second = (read_log(events(folder / "events.jsonl")[0]) for folder in (tmp_path / "whole", out))
    np.testing.assert_array_equal(first.samples, second.samples)
    np.testing.assert_allclose(first.fvu, second.fvu, atol=1e-6)
    assert len(second.resumed) == 1
    assert "--resume" not in parts.about.settings["command"]
    assert "holds a finished SAE" in refused(*options, "--out", out, "--resume")


def test_resume_without_a_checkpoint_begins(train, vectors, tmp_path):
    train("--embeddings", vectors, *SMALL, "--out", tmp_path / "o", "--resume")
    assert sae.load(tmp_path / "o").features == 24


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--embeddings", "none.npy"], "none.npy: does not exist"),
        (["--corpus", "none.txt"], "none.txt: does not exist"),
        (["--corpus", "sample:none"], "No sample set is named 'none'"),
        (["--embeddings", "{v}", "--k", "25"], "k should lie between 1 and the 24 features, got 25"),
        (["--embeddings", "{v}", "--prefixes", "12", "6"], "prefixes should ascend"),
        (["--embeddings", "{v}", "--passes", "0"], "passes should be at least 1"),
        (["--embeddings", "{v}", "--learning-rate", "-1"], "learning_rate should be above 0"),
        (["--embeddings", "{v}", "--held-out", "1"], "held_out is a share"),
        (["--embeddings", "{v}", "--seed", "-1"], "A seed is a whole number"),
        (["--embeddings", "{v}", "--encoder", "all-MiniLM-L6-v2 (packaged)"], "vectors of 16 dimensions and"),
        (["--embeddings", "{v}", "--queries", "sample:topics"], "--queries needs the encoder"),
        (["--corpus", "sample:topics", "--queries", "sample:none"], "'none'"),
        (["--embeddings", "{v}", "--group", "topic"], "--group goes with --corpus"),
        (["--corpus", "sample:topics", "--groups", "{v}"], "--groups goes with --embeddings"),
        (["--corpus", "sample:topics", "--group", "none"], "none"),
        (["--corpus", "sample:topics", "--about", "{v}"], "--about goes with --embeddings"),
        (["--embeddings", "{v}", "--about", "{v}"], "v.npy is not valid JSON"),
        (["--embeddings", "{v}", "--about", "{list}"], "expected a JSON object of texts"),
        (["--embeddings", "{v}", "--groups", "{v}"], "a whole number for each of the 400 vectors"),
        (["--embeddings", "{list}"], "is no array that numpy.save wrote"),
        (["--embeddings", "{npz}"], "got an archive"),
        (["--embeddings", "{whole}"], "expected float numbers of shape (texts, dimensions), got int64"),
        (["--embeddings", "{nan}"], "NaN or infinite numbers"),
        (["--embeddings", "{alike}"], "are alike"),
        (["--embeddings", "{v}", "--queries", "none.jsonl", "--encoder", "all-MiniLM-L6-v2 (packaged)"], "none.jsonl"),
    ],
)
def test_bad_input_is_one_sentence(refused, vectors, tmp_path, arguments, words):
    made = {"v": vectors, "list": tmp_path / "list.json", "npz": tmp_path / "a.npz"}
    made["list"].write_text("[1]")
    np.savez(made["npz"], a=np.ones(3))
    odd = {"whole": np.ones((9, 3), np.int64), "nan": np.full((90, 3), np.nan), "alike": np.ones((90, 3))}
    for name, array in odd.items():
        made[name] = tmp_path / f"{name}.npy"
        np.save(made[name], array)
    filled = [part.format(**made) for part in arguments]
    sentence = refused(*SMALL, "--out", tmp_path / "o", *filled)
    assert words in sentence


def test_a_folder_that_cannot_be_written(refused, vectors, tmp_path):
    (tmp_path / "file").write_text("")
    assert "cannot be written" in refused("--embeddings", vectors, *SMALL, "--out", tmp_path / "file" / "o")


def test_a_folder_with_another_training(train, refused, vectors, tmp_path):
    train("--embeddings", vectors, *SMALL, "--out", tmp_path)
    assert "holds a finished SAE: name another folder" in refused("--embeddings", vectors, *SMALL, "--out", tmp_path)


def test_help_imports_no_torch(root):
    code = (
        "import sys; from lib.cli import main\n"
        "try: main(['sae', 'train', '--help'])\n"
        "except SystemExit: pass\n"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, check=False).returncode == 0
