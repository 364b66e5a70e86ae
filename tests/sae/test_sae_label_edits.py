"""Labels that a person wrote: kept per dictionary, only on a server of one's own, and never a reason to fail."""

import json

import pytest

from lib.errors import InputError
from lib.sae.label_edits import LabelEdits, default_edits, edits_are_kept

KEY, OTHER = "a" * 64, "b" * 64


@pytest.mark.parametrize(
    ("address", "hosted", "kept"),
    [
        ("http://localhost:8501/sae_features?view=Browser", None, True),
        ("http://127.0.0.1:8501", None, True),
        ("http://[::1]:8501", None, True),
        ("https://embedscope.example.org", None, False),
        ("https://localhost.example.org", None, False),
        (None, None, False),
        ("", None, False),
        ("http://localhost:8501", "1", False),
        ("https://embedscope.example.org", "0", True),
        ("https://embedscope.example.org", " off ", True),
    ],
)
def test_where_edits_are_kept(address, hosted, kept):
    assert edits_are_kept(address, {} if hosted is None else {"EMBEDSCOPE_HOSTED": hosted}) is kept


def test_a_switch_that_is_neither_is_refused():
    with pytest.raises(InputError, match="EMBEDSCOPE_HOSTED should be 1 or 0, got 'perhaps'"):
        edits_are_kept(None, {"EMBEDSCOPE_HOSTED": "perhaps"})


def test_edits_come_back_by_dictionary(tmp_path):
    edits = LabelEdits(tmp_path / "labels")
    assert edits.read(KEY) == {}
    edits.write(KEY, {3: " my \n words ", 5: None})
    edits.write(KEY, {3: "other words", 7: "seventh"})
    edits.write(OTHER, {3: "not these"})
    assert LabelEdits(tmp_path / "labels").read(KEY) == {3: "other words", 5: None, 7: "seventh"}
    edits.forget(KEY)
    edits.forget(KEY)
    assert edits.read(KEY) == {}
    assert edits.read(OTHER) == {3: "not these"}


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "{}", json.dumps({"sae_key": KEY, "labels": 3}), json.dumps({"sae_key": KEY, "labels": {"x": "y"}}),
     json.dumps({"sae_key": KEY, "labels": {"1": "x" * 900}}), json.dumps({"sae_key": OTHER, "labels": {"1": "x"}}),
     "[" * 50_000],
)  # fmt: skip
def test_a_bad_file_holds_no_edits(tmp_path, content):
    edits = LabelEdits(tmp_path)
    edits.write(KEY, {1: "x"})
    next(tmp_path.glob("*.json")).write_text(content)
    assert edits.read(KEY) == {}


def test_too_long_a_label_is_refused(tmp_path):
    with pytest.raises(InputError, match="at most 120 characters"):
        LabelEdits(tmp_path).write(KEY, {1: "x" * 121})


def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be kept on disk"):
        LabelEdits(tmp_path / "file").write(KEY, {1: "x"})


def test_the_folder_lies_beside_the_store(monkeypatch, tmp_path):
    monkeypatch.setenv("EMBEDSCOPE_STORE", str(tmp_path / "embeddings"))
    assert default_edits().root == tmp_path / "labels"
