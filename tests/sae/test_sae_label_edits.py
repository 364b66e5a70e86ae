"""Labels that a person wrote: kept per dictionary, only on a server of one's own, and never a reason to fail."""

import json

import numpy as np
import pytest

from lib.errors import InputError
from lib.sae.feature_table import Edit
from lib.sae.label_edits import LabelEdits, Visit, default_edits, edits_are_kept

KEY, OTHER = "a" * 64, "b" * 64


HERE = {"address": "http://localhost:8501/sae_features?view=Browser", "peer": None, "opened_here": True,
        "headers": {"Host": "localhost:8501"}}  # fmt: skip


@pytest.mark.parametrize(
    ("other", "kept"),
    [
        ({}, True),
        ({"address": "http://127.0.0.1:8501", "headers": {"host": "127.0.0.1:8501"}, "peer": "127.0.0.3"}, True),
        ({"address": "http://[::1]:8501", "headers": {"HOST": "[::1]:8501"}, "peer": "::1"}, True),
        ({"peer": "203.0.113.7"}, False),  # a stranger whose browser says localhost
        ({"peer": "10.0.0.7"}, False),
        ({"peer": "no address"}, False),
        ({"headers": {"Host": "embedscope.example.org"}}, False),  # behind a proxy, so that the peer is this machine
        ({"headers": {"Host": "localhost:8501", "X-Forwarded-For": "127.0.0.1"}}, False),
        ({"headers": {"Host": "localhost:8501", "forwarded": "for=127.0.0.1"}}, False),
        ({"headers": {}}, False),
        ({"headers": {"Host": "[localhost"}}, False),
        ({"opened_here": False}, False),  # a proxy that tells nothing
        ({"address": "https://embedscope.example.org"}, False),
        ({"address": "https://localhost.example.org"}, False),
        ({"address": "http://[localhost"}, False),
        ({"address": None}, False),
        ({"address": ""}, False),
    ],
)
def test_where_edits_are_kept(other, kept):
    visit = Visit(**HERE | other)
    assert edits_are_kept(visit, {}) is kept
    assert edits_are_kept(visit, {"EMBEDSCOPE_HOSTED": "1"}) is False
    assert edits_are_kept(visit, {"EMBEDSCOPE_HOSTED": " off "}) is True


def test_a_switch_that_is_neither_is_refused():
    with pytest.raises(InputError, match="EMBEDSCOPE_HOSTED should be on or off, got 'perhaps'"):
        edits_are_kept(Visit(**HERE), {"EMBEDSCOPE_HOSTED": "perhaps"})


def test_edits_come_back_by_dictionary(tmp_path):
    edits = LabelEdits(tmp_path / "labels")
    assert edits.read(KEY) == {}
    scored = Edit("seventh", 0.75, 0.125, 0.5, 40, scored_on="a corpus")
    edits.write(KEY, {3: Edit(" my \n words "), 5: Edit(None)})
    edits.write(KEY, {3: Edit("other words"), 7: scored})
    edits.write(OTHER, {3: Edit("not these")})
    found = LabelEdits(tmp_path / "labels").read(KEY)
    assert {feature: edit.text for feature, edit in found.items()} == {3: "other words", 5: None, 7: "seventh"}
    assert found[7] == scored
    assert np.isnan(found[3].score)
    assert found[3].scored_on is None
    near = Edit("few near misses", 0.75, 0.125, scored_on="a corpus")
    edits.write(KEY, {8: near})
    assert repr(edits.read(KEY)[8]) == repr(near)
    edits.forget(KEY)
    edits.forget(KEY)
    assert edits.read(KEY) == {}
    assert edits.read(OTHER)[3].text == "not these"


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "{}", json.dumps({"sae_key": KEY, "labels": 3}), json.dumps({"sae_key": KEY, "labels": {"x": "y"}}),
     json.dumps({"sae_key": KEY, "labels": {"1": "x" * 900}}), json.dumps({"sae_key": OTHER, "labels": {"1": "x"}}),
     json.dumps({"sae_key": KEY, "labels": {"1": {"text": "x"}}}), json.dumps({"sae_key": KEY, "labels": {"1": [1]}}),
     json.dumps({"sae_key": KEY, "labels": {"1": {"text": "x", "texts": 1, "scored_on": "y", "score": "high"}}}),
     "[" * 50_000],
)  # fmt: skip
def test_a_bad_file_holds_no_edits(tmp_path, content):
    edits = LabelEdits(tmp_path)
    edits.write(KEY, {1: Edit("x")})
    next(tmp_path.glob("*.json")).write_text(content)
    assert edits.read(KEY) == {}


def test_too_long_a_label_is_refused(tmp_path):
    with pytest.raises(InputError, match="at most 120 characters"):
        LabelEdits(tmp_path).write(KEY, {1: Edit("x" * 121)})


def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be kept on disk"):
        LabelEdits(tmp_path / "file").write(KEY, {1: Edit("x")})


def test_the_folder_lies_beside_the_store(monkeypatch, tmp_path):
    monkeypatch.setenv("EMBEDSCOPE_STORE", str(tmp_path / "embeddings"))
    assert default_edits().root == tmp_path / "labels"
