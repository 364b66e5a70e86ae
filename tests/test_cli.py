"""The command line: JSON out, the same numbers as the library's, one sentence and status 2 for bad input."""

import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest

from lib import geometry
from lib.cli import main
from lib.encoders import PACKAGED

TEXTS = [
    "The patient was given two doses of aspirin.",
    "A fever of 39 degrees lasted three days.",
    "The surgeon closed the wound with sutures.",
    "The tenant owes three months of rent.",
    "The court dismissed the appeal.",
    "A contract needs offer and acceptance.",
    "Interest rates fell by half a point.",
    "The bank raised its forecast for next year.",
    "Shares lost a tenth of their value.",
    "def f(x): return x + 1",
]


def strict(text):
    def refuse(constant):
        raise AssertionError(f"{constant} is no JSON")

    return json.loads(text, parse_constant=refuse)


@pytest.fixture
def corpus(tmp_path):
    """Ten texts with labels, ids and a column that says which are out."""
    path = tmp_path / "corpus.jsonl"
    rows = [
        {"id": f"t{n}", "text": text, "topic": ["medical", "legal", "finance", None][n // 3], "out": n == 9, "n": n}
        for n, text in enumerate(TEXTS)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture
def run(tmp_path):
    """Run a command that writes JSON, and give it decoded."""

    def ran(*arguments):
        out = tmp_path / "out.json"
        assert main([*map(str, arguments), "--json", str(out)]) == 0
        return strict(out.read_text())

    return ran


@pytest.fixture
def refused(capsys):
    """Run a command that must be refused, and give its sentence."""

    def ran(*arguments):
        status = main([*map(str, arguments)])
        out, err = capsys.readouterr()
        assert status == 2
        assert out == ""
        lines = [line for line in err.splitlines() if line and not line.startswith("Encoding ")]
        assert len(lines) == 1, err
        return lines[0]

    return ran


@pytest.fixture(scope="module")
def vectors(tmp_path_factory):
    """Embeddings of the ten texts in a file, shape (10, 4)."""
    path = tmp_path_factory.mktemp("vectors") / "v.npy"
    np.save(path, np.random.default_rng(0).normal(size=(10, 4)).astype(np.float32))
    return path


def test_geometry_gives_the_library_s_numbers(run, sample):
    corpus, embeddings = sample
    result = run("geometry", "--corpus", "sample:topics")
    expected = geometry.measure(embeddings, corpus.labels).to_dict()
    for part in ("anisotropy", "dimension", "uniformity", "hubness", "concentration", "labels", "similarity"):
        assert result[part] == expected[part]
    assert result["anisotropy"]["mean_cosine"] == pytest.approx(0.078, abs=0.001)
    assert {"components_90", "components_95", "components_99", "participation_ratio"} <= result["dimension"].keys()
    assert result["corpus"]["texts"] == 402
    assert result["encoder"]["source"] == PACKAGED
    assert result["encoder"]["dimensions"] == 384
    assert result["encoder"]["encoded_now"] == 0  # the sample's embeddings ship
    assert result["ood"]["rule"] == "centroid"
    assert len(result["ood"]["flagged"]["ids"]) == len(result["ood"]["flagged"]["rows"])
    assert result["ood"]["recommended"]["rule"] == "local_centroid"


def test_a_file_of_one_s_own(run, corpus):
    result = run("geometry", "--corpus", corpus)
    assert result["corpus"] | {"key": ""} == {
        "name": "corpus.jsonl", "texts": 10, "blank": 0, "duplicates": 0, "notices": [], "key": "",
    }  # fmt: skip
    assert result["labels"]["names"] == ["finance", "legal", "medical"]
    assert result["labels"]["unlabelled"] == 1
    assert "map" not in result
    assert "clusters" not in result


def test_what_is_encoded_is_kept(run, tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("".join(f"a line of this very test, number {n}\n" for n in range(4)))
    assert run("geometry", "--corpus", path)["encoder"]["encoded_now"] == 4
    path.write_text(path.read_text() + "one more line of this very test\n")
    assert run("geometry", "--corpus", path)["encoder"]["encoded_now"] == 1


def test_stdout_holds_the_json_alone(corpus, capsys):
    assert main(["geometry", "--corpus", str(corpus)]) == 0
    assert strict(capsys.readouterr().out)["corpus"]["texts"] == 10


def test_new_inputs_against_a_reference(run, corpus, tmp_path):
    new = tmp_path / "new.txt"
    new.write_text(f"{TEXTS[0]}\nzzz 0x3f\nsomething else\n")
    result = run("geometry", "--corpus", new, "--reference", corpus, "--rule", "neighbour", "--quantile", "0.5")
    assert result["reference"]["texts"] == 10
    assert result["ood"]["items"] == 3
    assert result["ood"]["reference_items"] == 10
    assert not result["ood"]["leave_one_out"]
    assert result["ood"]["flagged"]["quantile"] == 0.5


def test_the_reference_s_labels_are_used(run, corpus, tmp_path):
    new = tmp_path / "new.txt"
    new.write_text("one\ntwo\nthree\n")
    result = run("geometry", "--corpus", new, "--reference", corpus, "--rule", "label_centroid", "--label", "topic")
    assert result["ood"]["label_centroids"] == 3


def test_detection_where_a_column_says_which_are_out(run, corpus):
    found = run("geometry", "--corpus", corpus, "--out-column", "out")["ood"]["detection"]
    assert found["items_out"] == 1
    assert found["items_in"] == 9
    assert 0 <= found["auroc"] <= 1


def test_maps_and_clusters(run, corpus):
    result = run("geometry", "--corpus", corpus, "--map", "pca", "--clusters", "kmeans", "--seed", "3")
    assert np.shape(result["map"]["coordinates"]) == (10, 2)
    assert result["map"]["method"] == "pca"
    assert result["map"]["seed"] == 3
    assert len(result["clusters"]["labels"]) == 10
    assert result["clusters"]["method"] == "kmeans"


def test_embeddings_of_one_s_own_need_no_encoder(run, corpus, vectors):
    result = run("geometry", "--corpus", corpus, "--embeddings", vectors, "--encoder", "no/such", "--map", "pca")
    assert result["encoder"]["source"] == "precomputed"
    assert result["anisotropy"]["mean_cosine"] == geometry.anisotropy(np.load(vectors)).mean_cosine
    assert result["anisotropy"]["dimensions"] == 4


def test_columns_can_be_named(run, tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("a,b,c\none,two,x\nthree,four,y\nfive,six,x\n")
    result = run("geometry", "--corpus", path, "--text", "b", "--label", "c", "--id", "a", "--quantile", "0")
    assert result["labels"]["names"] == ["x", "y"]
    assert set(result["ood"]["flagged"]["ids"]) < {"one", "three", "five"}


@pytest.mark.parametrize("labels", [[], ["one"], ["one", "two"]])
def test_no_number_is_infinite_or_not_a_number(run, tmp_path, labels):
    """Three texts, copies, single labels: what cannot be said is null."""
    path = tmp_path / "a.jsonl"
    rows = [{"text": "the same", "label": labels[n % len(labels)] if labels else None} for n in range(3)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    result = run("geometry", "--corpus", path, "--map", "pca", "--clusters", "kmeans")
    assert result["anisotropy"]["mean_cosine"] == pytest.approx(1)
    assert result["dimension"]["two_nn"] is None
    assert result["corpus"]["duplicates"] == 2


def test_encode_writes_the_vectors(run, corpus, tmp_path, sample):
    out = tmp_path / "v.npy"
    said = run("encode", "--corpus", corpus, "--npy", out)
    made = np.load(out)
    assert said["shape"] == list(made.shape) == [10, 384]
    assert made.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(made, axis=1), 1, atol=1e-5)
    run("encode", "--corpus", "sample:topics", "--npy", out)
    np.testing.assert_array_equal(np.load(out), sample[1])


def test_encoder_describes_without_running(run):
    said = run("encoder")
    assert (said["source"], said["pooling"], said["dimensions"], said["max_tokens"]) == (PACKAGED, "mean", 384, 256)
    assert said["prompts"] == {"query": "", "document": "", "source": "none"}
    assert len(said["fingerprint"]) >= 32


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--corpus", "nowhere.csv"], "nowhere.csv: does not exist"),
        (["--corpus", "."], "is a folder"),
        (["--corpus", "sample:other"], "No sample set is named 'other': choose from topics"),
        (["--corpus", "{corpus}", "--rule", "best"], "A rule is one of centroid, label_centroid"),
        (["--corpus", "{corpus}", "--out-column", "odd"], "corpus.jsonl has no column 'odd'"),
        (["--corpus", "{corpus}", "--out-column", "n"], "Column 'n' should hold true and false"),
        (["--corpus", "{corpus}", "--text", "words"], "no column is named 'words'"),
        (["--corpus", "{corpus}", "--label", "kind"], "no column is named 'kind'"),
        (["--corpus", "{corpus}", "--text", "n"], "column 'n': expected text"),
        (["--corpus", "{corpus}", "--encoder", "no/such"], "no/such is not in the model cache"),
        (["--corpus", "{corpus}", "--encoder", "/etc"], "is not an encoder"),
        (["--corpus", "{corpus}", "--quantile", "7"], "quantile"),
        (["--corpus", "{corpus}", "--quantile", "nan"], "quantile"),
        (["--corpus", "{corpus}", "--json", "/nowhere/out.json"], "/nowhere/out.json cannot be written"),
        (["--corpus", "{corpus}", "--json", "{folder}"], "cannot be written"),
        (["--corpus", "{corpus}", "--embeddings", "nowhere.npy"], "nowhere.npy: does not exist"),
        (["--corpus", "{corpus}", "--embeddings", "{corpus}"], "corpus.jsonl"),
        (["--corpus", "{corpus}", "--reference", "nowhere.txt"], "nowhere.txt: does not exist"),
        (["--corpus", "{corpus}", "--seed", "-1"], "A seed is a whole number from 0"),
        (["--corpus", "{corpus}", "--reference", "{corpus}", "--label", "kind"], "no column is named 'kind'"),
    ],
)
def test_bad_input_is_one_sentence(refused, corpus, arguments, words):
    filled = [part.format(corpus=corpus, folder=corpus.parent) for part in arguments]
    assert words in refused("geometry", *filled)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.jsonl", b'{"text": "a"}\n' * 16 + b'{"text": "b" "c"}\n', "a.jsonl, line 17: broken JSON at column 14"),
        ("a.csv", b"text,n\na,1\nb,2,3\n", "a.csv, line 3: expected 2 fields"),
        ("a.txt", b"", "a.txt: the file is empty"),
        ("a.txt", b"\x89PNG\r\n\x1a\n" + bytes(9), "PNG picture"),
        ("a.txt", b"one\ntwo\n", "at least 3"),
        ("a.xyz", b"one\ntwo\n", ".xyz"),
    ],
)
def test_bad_files_are_one_sentence(refused, tmp_path, name, content, words):
    path = tmp_path / name
    path.write_bytes(content)
    assert words in refused("geometry", "--corpus", path)


def test_other_commands_refuse_alike(refused, corpus):
    assert "cannot be written" in refused("encode", "--corpus", corpus, "--npy", "/nowhere/v.npy")
    assert "no/such" in refused("encoder", "--encoder", "no/such")


def test_embeddings_of_another_number(refused, corpus, tmp_path):
    np.save(tmp_path / "v.npy", np.ones((9, 4), np.float32))
    assert "10 rows" in refused("geometry", "--corpus", corpus, "--embeddings", tmp_path / "v.npy")


def test_a_reference_of_other_dimensions(refused, corpus, vectors, tmp_path):
    other = tmp_path / "other.txt"
    other.write_text("one\ntwo\nthree\n")
    sentence = refused("geometry", "--corpus", corpus, "--embeddings", vectors, "--reference", other)
    assert "embedded alike" in sentence


def test_interrupting_ends_with_130(corpus, capsys, monkeypatch):
    def stop(*_arguments, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr("lib.cli.inputs.embed", stop)
    assert main(["geometry", "--corpus", str(corpus)]) == 130
    assert capsys.readouterr().err == "Stopped. What was encoded is kept.\n"


@pytest.mark.parametrize("arguments", [[], ["geometry"], ["nonsense"], ["geometry", "--corpus", "a", "--map", "x"]])
def test_a_command_that_cannot_be_read(arguments, capsys):
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    assert "usage: python -m lib" in capsys.readouterr().err


def test_run_as_a_module(root, tmp_path):
    """From another folder too, and without importing what `--help` does not need."""
    environment = os.environ | {"PYTHONPATH": str(root), "PYTHONPROFILEIMPORTTIME": "1"}
    done = subprocess.run([sys.executable, "-m", "lib", "--help"], cwd=tmp_path, env=environment, capture_output=True,
                          text=True, check=True)  # fmt: skip
    assert "usage: python -m lib" in done.stdout
    for command in ("geometry", "encode", "encoder", "samples"):
        assert command in done.stdout
    imported = {line.rsplit("|", 1)[-1].strip() for line in done.stderr.splitlines()}
    assert not imported & {"torch", "sentence_transformers", "transformers", "streamlit", "sklearn", "umap", "plotly"}


def test_a_refusal_of_the_process_is_one_line(root, tmp_path):
    done = subprocess.run([sys.executable, "-m", "lib", "geometry", "--corpus", str(tmp_path / "none.txt")], cwd=root,
                          capture_output=True, text=True, check=False)  # fmt: skip
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr


def test_the_shell_opens_any_folder_of_its_user(tmp_path, monkeypatch, capsys):
    from lib.encoders import PACKAGED_TUNED, Policy, describe

    tuned = describe(PACKAGED_TUNED, policy=Policy(allow_hub=False))
    shutil.copytree(tuned.adapter, tmp_path / "own")
    monkeypatch.chdir(tmp_path)
    assert main(["encoder", "--encoder", "own"]) == 0
    assert json.loads(capsys.readouterr().out)["fingerprint"] == tuned.fingerprint
