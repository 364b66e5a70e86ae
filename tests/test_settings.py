"""The owner's settings: read, refused in one sentence, taken out of the secrets, and nowhere read behind their back."""

import json
import re
from pathlib import Path

import pytest

from lib.cli import main
from lib.errors import InputError
from lib.settings import BY_NAME, PREFIX, SETTINGS, allows_hub_id, check, take, value, written

GOOD = {
    "switch": [("on", True), (" Yes ", True), ("0", False), ("OFF", False)],
    "whole": [("12", 12), (" 7 ", 7)],
    "number": [("0.5", 0.5), ("2e1", 20.0)],
    "folder": [("/srv/x", Path("/srv/x")), ("here", Path.cwd() / "here")],
    "folders": [("/a:/b", (Path("/a"), Path("/b"))), (":/a: :", (Path("/a"),))],
    "hub ids": [
        ("any", ("any",)),
        ("None", ()),
        ("intfloat/*, BAAI/bge-m3", ("intfloat/*", "BAAI/bge-m3")),
        ("gpt2", ("gpt2",)),
    ],
}
BAD = {
    "switch": ["perhaps", "2", "on off"],
    "whole": ["0", "-1", "1.5", "1e3", "²", "9" * 16],
    "number": ["0", "-1", "nan", "inf", "1e9", "much", "1e-12"],
    "folder": ["a\0b"],
    "folders": ["/a:b\0"],
    "hub ids": ["*", "a/b/c", "../x", "a/b, any", "http://x.org/a", "none, a/b"],
}


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_every_setting_reads_what_it_may_be_and_refuses_the_rest(setting):
    for given, expected in GOOD[setting.kind]:
        assert value(setting.name, {setting.name: given}) == expected
    for given in BAD[setting.kind]:
        with pytest.raises(InputError, match=f"^{setting.name} should be .*change or unset it") as caught:
            value(setting.name, {setting.name: given})
        assert "\n" not in str(caught.value)
    for unset in ({}, {setting.name: "  "}):
        default = value(setting.name, unset)
        assert default == (setting.default if setting.kind != "folder" else Path(setting.default).expanduser())
    assert setting.name.startswith(PREFIX)
    assert setting.about.endswith(".")
    assert (setting.default is None) == bool(setting.unset)
    assert bool(setting.unit) == (setting.kind in ("whole", "number"))


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_a_setting_is_written_as_it_is_set(setting):
    for given, expected in GOOD[setting.kind]:
        assert value(setting.name, {setting.name: written(setting, value(setting.name, {setting.name: given}))}) == (
            expected
        )


def test_long_values_are_cut_in_the_message():
    with pytest.raises(InputError) as caught:
        value("EMBEDSCOPE_TRAINING", {"EMBEDSCOPE_TRAINING": "x" * 10_000})
    assert len(str(caught.value)) < 150


def test_a_misspelt_name_is_told_and_a_stranger_is_not():
    with pytest.raises(InputError, match="EMBEDSCOPE_TRAINNG is no setting: did you mean EMBEDSCOPE_TRAINING"):
        check({"EMBEDSCOPE_TRAINNG": "off"})
    check({"EMBEDSCOPE_PORT": "tcp://10.0.0.1:80", "EMBEDSCOPE_SERVICE_HOST": "10.0.0.1", "EMBEDSCOPE": "x"})
    with pytest.raises(InputError, match="EMBEDSCOPE_STORE_GB should be a number of gigabytes above 0"):
        check({"EMBEDSCOPE_STORE_GB": "two"})


def test_hub_ids_by_name_and_by_owner():
    allowed = ("intfloat/*", "BAAI/bge-m3", "gpt2")
    for hub_id in ("intfloat/e5-small-v2", "IntFloat/E5", "baai/BGE-M3", "gpt2"):
        assert allows_hub_id(hub_id, allowed)
    for hub_id in ("BAAI/bge-small", "intfloat", "intfloat2/e5", "xintfloat/e5", "other/gpt2"):
        assert not allows_hub_id(hub_id, allowed)
    assert allows_hub_id("whoever/whatever", ("any",))
    assert not allows_hub_id("whoever/whatever", ())


def test_secrets_fill_what_the_environment_leaves_open():
    section = {
        "model_roots": ["/a", "/b"],
        "hub_ids": ["intfloat/*", "x/y"],
        "training": False,
        "store_gb": 0.5,
        "EMBEDSCOPE_MAX_ROWS": 10,
        "max_chars": 5,
    }
    taken = take(section, {"EMBEDSCOPE_MAX_CHARS": "7", "EMBEDSCOPE_STORE_GB": " "})
    assert taken == {
        "EMBEDSCOPE_MODEL_ROOTS": "/a:/b",
        "EMBEDSCOPE_HUB_IDS": "intfloat/*,x/y",
        "EMBEDSCOPE_TRAINING": "off",
        "EMBEDSCOPE_STORE_GB": "0.5",
        "EMBEDSCOPE_MAX_ROWS": "10",
    }
    assert value("EMBEDSCOPE_HUB_IDS", take({"hub_ids": []}, {})) == ()


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"trainng": False}, "trainng under .embedscope. in the secrets is no setting: did you mean training?"),
        ({"password": "x"}, "password under .embedscope. in the secrets is no setting: docs/hosting.md lists them"),
        ({"training": [True]}, "training under .embedscope. in the secrets should be text, a number or true or false"),
        ({"store_gb": {"a": 1}}, "store_gb under .embedscope. in the secrets should be text"),
        ({"store_gb": "much"}, "EMBEDSCOPE_STORE_GB should be a number of gigabytes above 0, got 'much'"),
        ({"max_rows": True}, "EMBEDSCOPE_MAX_ROWS should be a whole number above 0, got 'on'"),
    ],
)
def test_secrets_that_are_no_settings(section, message):
    with pytest.raises(InputError, match=message):
        take(section, {})


def test_nothing_else_reads_our_variables(root):
    """Every other module asks `lib.settings`, so that the table is whole and each bad value is told alike."""
    reading = re.compile(r"""(environ\b|getenv)[^\n]{0,40}["']EMBEDSCOPE_""")
    asked = re.compile(r"""["'](EMBEDSCOPE_[A-Z_]+)["']""")
    for path in (root / "lib").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert not reading.search(text), path
        unknown = [name for name in asked.findall(text) if name not in BY_NAME and name != PREFIX]
        assert not unknown, (path, unknown)


def test_the_command_shows_what_holds_and_hides_secrets(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("EMBEDSCOPE_MAX_ROWS", "12")
    monkeypatch.setenv("HF_TOKEN", "hf_do_not_show")
    secrets = tmp_path / "secrets.toml"
    secrets.write_text(
        "[embedscope]\ntraining = false\nmax_rows = 99\n"
        '[llm]\nbase_url = "http://me:sk-never@x/v1?k=sk-never"\napi_key = "sk-never"\n'
    )
    assert main(["settings", "--json", "--secrets", str(secrets)]) == 0
    text = capsys.readouterr().out
    rows = {row["name"]: row for row in json.loads(text)}
    assert (rows["EMBEDSCOPE_MAX_ROWS"]["now"], rows["EMBEDSCOPE_MAX_ROWS"]["from"]) == ("12", "environment")
    assert (rows["EMBEDSCOPE_TRAINING"]["now"], rows["EMBEDSCOPE_TRAINING"]["from"]) == ("off", "secrets")
    assert rows["EMBEDSCOPE_MAX_CHARS"]["from"] == ""
    assert rows["[llm] base_url"]["now"] == "http://x/v1"
    assert "hf_do_not_show" not in text
    assert "sk-never" not in text
    assert main(["settings"]) == 0
    assert "* EMBEDSCOPE_MAX_ROWS" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[embedscope", "is not valid TOML"),
        ('embedscope = "on"', "should be a section, [embedscope]"),
        ("[embedscope]\ntrainng = false", "did you mean training?"),
        (None, "cannot be read (No such file or directory)"),
    ],
)
def test_the_command_refuses_secrets_that_the_app_would_refuse(capsys, tmp_path, content, message):
    path = tmp_path / "secrets.toml"
    if content is not None:
        path.write_text(content)
    assert main(["settings", "--secrets", str(path)]) == 2
    assert message in capsys.readouterr().err


def test_the_command_ends_with_2_where_a_value_is_bad(capsys, monkeypatch):
    monkeypatch.setenv("EMBEDSCOPE_STORE_GB", "two")
    assert main(["settings"]) == 2
    told = capsys.readouterr()
    assert "cannot be used" in told.out
    assert "EMBEDSCOPE_STORE_GB should be a number of gigabytes above 0, got 'two'" in told.err
