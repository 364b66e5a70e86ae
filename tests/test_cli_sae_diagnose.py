"""`python -m lib sae diagnose`: the planted corpus with its planted dictionary, the sample, and what is refused."""

import json

import numpy as np
import pytest

from lib.cli import main
from lib.sae.diagnostics import health, label_absorption, polysemy, scan_absorption
from tests.toy_diagnostics import ALWAYS, FEATURES, SUBSET, TOPICS, UNION, dictionary, jsonl, planted, save_folder


@pytest.fixture
def run(tmp_path, capsys):
    """Run the command on the planted corpus: `run("--threshold", ".9", content=...)`."""

    def ran(*options, content=None, **folder):
        corpus = tmp_path / "planted.jsonl"
        corpus.write_bytes(jsonl() if content is None else content)
        sae = save_folder(tmp_path / "sae", **folder)
        status = main(["sae", "diagnose", "--corpus", str(corpus), "--sae", str(sae), *options])
        told = capsys.readouterr()
        return json.loads(told.out) if status == 0 else (status, told.err.strip().splitlines()[-1])

    return ran


def test_it_says_what_the_library_finds(run):
    vectors, topic, texts = planted()
    sae = dictionary()
    codes = sae.encode(vectors)
    result = run(labels=[*TOPICS, "harbour at night", *[None] * 5])
    found = scan_absorption(codes, sae)
    pairs = {(pair["absorber"]["feature"], pair["absorbed"]["feature"]): pair for pair in result["absorption"]["pairs"]}
    assert set(pairs) == {(SUBSET, 0), (1, UNION), (2, UNION)}
    subset = pairs[SUBSET, 0]
    assert subset["absorber"]["label"] == "harbour at night"
    assert subset["absorbed"]["label"] == "harbour"
    assert subset["conditional"] == 1
    assert subset["absorbed_silent_on"] == []
    assert result["absorption"]["flagged"] == len(found) == 3
    assert result["absorption"]["looked_at"] == found.looked_at
    assert [one["feature"] for one in result["absorption"]["set_apart"]] == [ALWAYS]
    rates = label_absorption(vectors, codes, sae, [TOPICS[one] for one in topic])
    assert [one["rate"] for one in result["absorption_by_label"]["labels"]] == [one.rate for one in rates.labels]
    several = polysemy(vectors, codes, texts=texts)
    assert [one["feature"] for one in result["polysemy"]["features"]] == several.feature.tolist()
    assert result["polysemy"]["several_senses"] == several.polysemous.sum()
    assert result["polysemy"]["random_mean"] == several.random_mean
    whole = health(vectors, codes, sae, labels=[TOPICS[one] for one in topic])
    assert result["health"]["unexplained"]["total"] == pytest.approx(whole.unexplained.total)
    assert result["health"]["silent"] == 3
    assert result["sae"]["features"] == FEATURES


def test_the_options(run):
    result = run("--threshold", ".4", "--min-support", "21", "--most-share", "1", "--top", "8", "--all-pairs")
    assert (result["absorption"]["threshold"], result["absorption"]["min_support"]) == (0.4, 21)
    pairs = {(pair["absorber"]["feature"], pair["absorbed"]["feature"]) for pair in result["absorption"]["pairs"]}
    assert (0, SUBSET) in pairs
    assert (SUBSET, 0) not in pairs
    assert any(absorbed == ALWAYS for _, absorbed in pairs)
    assert result["polysemy"]["top"] == 8


def test_what_a_database_knows_is_used(run):
    result = run(frequency=np.full(FEATURES, 0.1), stability=np.full(FEATURES, 0.5))
    assert result["health"]["dead"] == 0
    assert result["health"]["stability"] == [0.5] * FEATURES


def test_without_labels_or_with_few_the_reason_is_written(run):
    assert "no labels" in run(content=jsonl(labels=False))["absorption_by_label"]["none_because"]
    assert "needs 20 texts" in run(content=jsonl(rows=range(0, 400, 4)))["absorption_by_label"]["none_because"]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--threshold", "1.5"), "threshold of P(B | A)"),
        (("--min-support", "0"), "at least 1 text"),
        (("--top", "2"), "needs 3 examples or more"),
        (("--label-share", "3"), "share of the probe's score"),
        (("--seed", "-1"), "A seed is a whole number"),
        (("--sae", "nowhere/at/all/x"), ""),
    ],
)
def test_what_is_refused(run, options, sentence):
    status, said = run(*options)
    assert status == 2
    assert sentence in said


def test_the_sample(capsys):
    assert main(["sae", "diagnose", "--corpus", "sample:topics"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert len(result["absorption_by_label"]["labels"]) == 3
    assert result["health"]["texts"] == 402
