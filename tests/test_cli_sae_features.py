"""`sae features`: ranked, labelled, exported, one in detail; what it refuses."""

import json

import numpy as np
import pytest

from lib.cli import main
from lib.sae import load, save
from lib.sae.database import read_database
from lib.sae.statistics import feature_statistics, rank_features
from tests.toy_sae import orthogonal_sae
from tests.toy_topics import NAMES, embed, topic_texts


@pytest.fixture
def files(tmp_path):
    """A corpus with vectors of its own, and a dictionary for them."""
    texts, topics = topic_texts(12)
    vectors = embed(texts)
    rows = [
        {"text": text, "label": topic, "embedding": vector.tolist(), "document": f"d{row // 6}"}
        for row, (text, topic, vector) in enumerate(zip(texts, topics, vectors, strict=True))
    ]
    (tmp_path / "corpus.jsonl").write_text("\n".join(map(json.dumps, rows)))
    save(orthogonal_sae(len(NAMES), bias=0.5), tmp_path / "sae")
    return tmp_path, vectors, topics


def _run(folder, *more, sae="sae", corpus="corpus.jsonl"):
    out = folder / "out.json"
    status = main(
        [
            "sae",
            "features",
            "--corpus",
            str(folder / corpus),
            "--sae",
            str(folder / sae),
            "--json",
            str(out),
            *more,
        ]
    )
    return status, json.loads(out.read_text()) if out.exists() else None


def test_features_are_ranked_as_by_the_library(files):
    folder, vectors, topics = files
    status, found = _run(folder, "--by", "frequency", "--top", "3")
    sae = load(folder / "sae")
    expected = feature_statistics(sae.encode(vectors), labels=topics)
    assert status == 0
    assert [row["feature"] for row in found["features"]] == rank_features(expected, "frequency")[:3].tolist()
    assert found["features"][0]["frequency"] == expected.frequency.max()
    assert found["sae"]["key"] == sae.key
    assert (found["fires"], found["silent"]) == (6, 0)


def test_labels_are_made_and_exported(files):
    folder, _, _ = files
    status, found = _run(
        folder, "--label-with", "keywords", "--group", "document", "--export", str(folder / "db.parquet")
    )
    assert status == 0
    assert all(row["label"] and row["score"] is not None for row in found["features"])
    held = read_database(folder / "db.parquet", load(folder / "sae"))
    assert held.label(0) == next(row["label"] for row in found["features"] if row["feature"] == 0)
    assert (held.texts, held.corpus) == (72, "corpus.jsonl")


def test_a_database_beside_the_dictionary_is_used(files):
    folder, _, _ = files
    _run(folder, "--label-with", "keywords", "--export", str(folder / "sae" / "features.parquet"))
    status, found = _run(folder, "--by", "score", "--export", str(folder / "again.json"))
    assert status == 0
    assert found["features"][0]["scored_on"] == "corpus.jsonl"
    scores = [row["score"] for row in found["features"]]
    assert scores == sorted(scores, reverse=True)
    assert read_database(folder / "again.json", load(folder / "sae")).label(1)
    (folder / "corpus.jsonl").rename(folder / "other.jsonl")
    _, found = _run(folder, "--export", str(folder / "other.parquet"), corpus="other.jsonl")
    assert found["features"][0]["scored_on"] == "corpus.jsonl"
    held = read_database(folder / "other.parquet", load(folder / "sae"))
    assert (held.corpus, set(held.scored_on)) == ("other.jsonl", {"corpus.jsonl"})


def test_one_feature_in_detail(files):
    folder, vectors, _ = files
    status, found = _run(folder, "--feature", "2", "--feature", "4")
    assert status == 0
    first, second = found["details"]
    assert (first["feature"], second["feature"]) == (2, 4)
    assert first["labels"]["names"][0] == NAMES[2]
    assert len(first["examples"]) == 5
    assert first["examples"][0]["activation"] == pytest.approx(float(np.max(vectors[:, 2])))
    assert len(first["by_quantile"]) == 5
    assert len(first["nearest"]) == 5


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--by", "score"], "There are no scores of labels to rank features by"),
        (["--label-with", "best"], None),
        (["--label-with", "encoder"], "embeddings of its own"),
        (["--label-with", "keywords", "--group", "nothing"], "has no column 'nothing' to group by"),
        (["--feature", "6"], "has the features 0 to 5, got 6"),
        (["--top", "0"], "--top is a number of features of at least 1"),
        (["--export", "db.csv"], "ends in .parquet or .json"),
        (["--seed", "-1"], "A seed is a whole number"),
    ],
)
def test_what_cannot_be_done_is_said(files, capsys, more, message):
    status, _ = _run(files[0], *more)
    assert status == (0 if message is None else 2)
    assert (message or "") in capsys.readouterr().err
