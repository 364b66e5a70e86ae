"""The feature database: round trips, labels that are edited, and files that are not to be trusted."""

import io
import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lib.errors import InputError
from lib.sae import database as files
from lib.sae.database import (
    SUFFIXES,
    blank_database,
    database_bytes,
    find_database,
    make_database,
    read_database,
    write_database,
)
from lib.sae.feature_table import Edit
from lib.sae.labels import label_features
from lib.sae.statistics import feature_statistics
from tests.toy_sae import orthogonal_sae, random_sae
from tests.toy_topics import NAMES, embed, topic_texts

HOSTILE = "<img src=x onerror=alert(1)> [link](javascript:alert(2)) $math$\n\x00\u202e second line"


@pytest.fixture(scope="module")
def made():
    """A dictionary and its database."""
    texts, topics = topic_texts(10)
    sae, vectors = orthogonal_sae(len(NAMES), bias=0.5), embed(texts)
    codes = sae.encode(vectors)
    database = make_database(
        sae,
        feature_statistics(codes, labels=topics),
        corpus="topics",
        labels=label_features(codes, texts, sae, embed, vectors=vectors, features=range(5)),
        stability=np.array([0.9, 0.8, np.nan, 1, 1, 1]),
        examples=[[texts[f]] for f in range(6)],
    )
    return sae, database


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_round_trip(made, suffix, tmp_path):
    sae, database = made
    path = tmp_path / f"features{suffix}"
    write_database(database, path)
    found = read_database(path, sae)
    assert (found.sae_key, found.corpus, found.texts) == (sae.key, "topics", 60)
    assert found.table.columns.tolist() == database.table.columns.tolist()
    for column in database.table.columns:
        if column in ("label", "label_source", "examples"):
            assert found.table[column].tolist() == database.table[column].tolist()
        else:
            np.testing.assert_array_equal(found.numbers(column), database.table[column].to_numpy(dtype=float))
    assert found.label(5) is None
    assert found.label(0) == database.label(0)


def test_found_beside_its_dictionary(made, tmp_path):
    sae, database = made
    assert find_database(tmp_path, sae) is None
    write_database(database, tmp_path / "features.parquet")
    assert find_database(tmp_path, sae).label(1) == database.label(1)
    with pytest.raises(InputError, match="is about another sparse autoencoder"):
        find_database(tmp_path, random_sae(6, 6, 2))


def test_a_label_is_edited_in_a_copy(made):
    _, database = made
    edited = database.with_label(2, "  my own \n words ")
    assert edited.label(2) == "my own words"
    assert edited.table["label_source"].iloc[2] == "edited"
    assert np.isnan(edited.table["score"].iloc[2])
    assert edited.table["score"].iloc[1] == database.table["score"].iloc[1]
    assert database.label(2) != "my own words"
    assert database.with_label(2, " ").label(2) is None
    with pytest.raises(InputError, match="at most 120 characters, got 500"):
        database.with_label(2, "x" * 500)
    with pytest.raises(InputError, match="features 0 to 5, got 6"):
        database.with_label(6, "x")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_score_keeps_the_corpus_that_it_was_measured_on(made, suffix):
    sae, database = made
    assert database.scored_on == (*["topics"] * 5, None)
    elsewhere = make_database(sae, feature_statistics(sae.encode(np.eye(6))), corpus="elsewhere")
    carried = elsewhere.with_known(database)
    assert carried.corpus == "elsewhere"
    assert carried.scored_on == database.scored_on
    edit = Edit("my words", 0.75, 0.1, 0.7, 40, scored_on="a third")
    both = carried.with_edits({1: edit, 2: Edit("not scored")})
    assert both.scored_on == ("topics", "a third", None, "topics", "topics", None)
    assert both.scored_corpora() == {"topics": 3, "a third": 1}
    assert both.numbers("score")[1] == 0.75
    found = read_database(database_bytes(both, suffix), sae, name=f"x{suffix}")
    assert found.scored_on == both.scored_on
    assert elsewhere.with_known(found).scored_on == both.scored_on


def test_labels_made_elsewhere_say_so(made):
    sae, database = made
    texts, _ = topic_texts(10)
    vectors = embed(texts)
    labels = label_features(sae.encode(vectors), texts, sae, embed, vectors=vectors, features=[0, 5])
    found = database.with_made(labels, "elsewhere")
    assert found.corpus == "topics"
    assert found.scored_on == ("elsewhere", *["topics"] * 4, "elsewhere")
    assert found.label(5) == labels.text[5]
    assert found.table["score"].iloc[1] == database.table["score"].iloc[1]
    assert blank_database(sae, "x").with_made(labels, "elsewhere").scored_corpora() == {"elsewhere": 2}


def test_the_name_of_a_corpus_is_not_trusted(made):
    sae, database = made
    held = json.loads(database_bytes(database, ".json"))
    for row in held["features"]:
        row["scored_on"] = HOSTILE + "x" * 900
    found = read_database(json.dumps(held).encode(), sae, name="x.json").scored_on[0]
    assert len(found) == 300
    assert found.isprintable()
    held["features"][0]["scored_on"] = 3
    with pytest.raises(InputError, match="expected a corpus's name in scored_on, got int"):
        read_database(json.dumps(held).encode(), sae, name="x.json")


def test_a_database_without_labels_can_be_edited():
    sae = orthogonal_sae(3)
    database = make_database(sae, feature_statistics(sae.encode(np.eye(3))), corpus="x")
    assert database.label(0) is None
    assert database.with_label(0, "first").label(0) == "first"
    assert database.numbers("score") is None
    with pytest.raises(InputError, match="statistics are of 3 features"):
        make_database(orthogonal_sae(4), feature_statistics(sae.encode(np.eye(3))), corpus="x")


def test_what_is_not_to_be_trusted_is_taken_as_text(made):
    sae, database = made
    held = json.loads(database_bytes(database, ".json"))
    held["features"][0] |= {"label": HOSTILE, "unknown": {"a": 1}, "score": None, "mean": 1e400}
    held["corpus"], held["texts"] = "a\n" * 1_000, "many"
    found = read_database(json.dumps(held).encode(), sae, name="x.json")
    assert "\n" not in found.label(0)
    assert "\x00" not in found.label(0)
    assert "\u202e" not in found.label(0)
    assert "unknown" not in found.table.columns
    assert np.isnan(found.table["mean"].iloc[0])
    assert found.texts == 0
    assert len(found.corpus) <= 300


def _json(database, **changes):
    return json.dumps(json.loads(database_bytes(database, ".json")) | changes).encode()


def _changed(database, at, **changes):
    held = json.loads(database_bytes(database, ".json"))
    held["features"][at] |= changes
    return json.dumps(held).encode()


def _parquet(table, metadata=None):
    buffer = io.BytesIO()
    arrow = pa.Table.from_pandas(table, preserve_index=False)
    pq.write_table(arrow.replace_schema_metadata(metadata), buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("x.csv", lambda db: b"a,b", "expected a feature database that ends in .parquet or .json"),
        ("x.json", lambda db: b"{", "is not valid JSON"),
        ("x.json", lambda db: b"\xff\xfe", "is not valid JSON"),
        ("x.json", lambda db: b"[" * 100_000, "is not valid JSON"),
        ("x.json", lambda db: b"[1, 2]", "whose `features` is a list"),
        ("x.json", lambda db: _json(db, features=[1]), "whose `features` is a list"),
        ("x.json", lambda db: _json(db, format="other"), "is no feature database"),
        ("x.json", lambda db: _json(db, sae_key=7), "is no feature database"),
        ("x.json", lambda db: _json(db, sae_key="0" * 64), "is about another sparse autoencoder"),
        ("x.json", lambda db: _json(db, features=[]), "has 0 rows and this dictionary 6 features"),
        ("x.json", lambda db: _json(db, features=[{}] * 6), "has none of the columns"),
        ("x.json", lambda db: _changed(db, 1, label=3), "expected a text as a label, got int"),
        ("x.json", lambda db: _changed(db, 1, label="x" * 121), "A label has at most 120"),
        ("x.json", lambda db: _changed(db, 1, score="high"), "expected numbers in score, got 'high'"),
        ("x.json", lambda db: _changed(db, 1, score=True), "expected numbers in score"),
        ("x.json", lambda db: _changed(db, 1, examples="one"), "expected lists of texts in examples"),
        ("x.json", lambda db: _changed(db, 1, feature=4), "feature 1 is expected at place 1"),
        ("x.parquet", lambda db: b"PAR1 and no more", "Parquet"),
        ("x.parquet", lambda db: b"", "the file is empty"),
        ("x.parquet", lambda db: database_bytes(db, ".parquet")[:-50], "Parquet"),
        ("x.parquet", lambda db: _parquet(db.table[["score"]]), "is no feature database"),
        ("x.parquet", lambda db: _parquet(db.table[["score"]], {files.FORMAT: "["}), "is no feature database"),
        ("x.parquet", lambda db: _parquet(db.table[["score"]], {files.FORMAT: "[]"}), "is no feature database"),
    ],
)  # fmt: skip
def test_bad_files_are_refused(made, name, data, message):
    sae, database = made
    with pytest.raises(InputError, match=message):
        read_database(data(database), sae, name=name)


def test_a_file_that_is_too_large_is_not_read(made, monkeypatch, tmp_path):
    sae, database = made
    monkeypatch.setattr(files, "MOST_BYTES", 100)
    write_database(database, tmp_path / "x.json")
    with pytest.raises(InputError, match="a feature database has at most 100"):
        read_database(tmp_path / "x.json", sae)
    with pytest.raises(InputError, match="cannot be read: No such file"):
        read_database(tmp_path / "none.json", sae)
    with pytest.raises(InputError, match="A feature database is written as"):
        write_database(database, tmp_path / "x.csv")
    with pytest.raises(InputError, match="cannot be written"):
        write_database(database, tmp_path / "no" / "x.json")


def test_missing_examples_are_empty_lists(made):
    sae, database = made
    table = database.table.copy()
    table["examples"] = pd.Series([None] * 6, dtype=object)
    changed = files.FeatureDatabase(table, sae.key, "x", 3)
    found = read_database(database_bytes(changed, ".parquet"), sae, name="x.parquet")
    assert found.table["examples"].tolist() == [[]] * 6
