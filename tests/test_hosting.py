"""What a host is given: the table of settings, the secrets' example, the container's recipe, and caches that end."""

import ast
import re
import tomllib

import pytest

from lib.sae.labels.llm import LlmSettings
from lib.settings import SETTINGS, take, value, written

WRITTEN_ELSEWHERE = {"HOME", "XDG_CACHE_HOME", "HF_HOME", "NUMBA_CACHE_DIR", "MPLCONFIGDIR"}
"""Folders of libraries that have to lie on the volume, since nothing else can be written."""


@pytest.fixture(scope="module")
def recipe(root):
    """The container's steps: (instruction, its arguments)."""
    text = re.sub(r"\\\n\s*", " ", (root / "Containerfile").read_text(encoding="utf-8"))
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [tuple(line.split(" ", 1)) for line in lines]


def told(setting):
    """What holds where a setting is not set, as the table writes it."""
    if setting.kind == "folder":
        return f"`{setting.default}`"
    return f"{written(setting, setting.default)} {setting.sign if setting.default is not None else ''}".strip()


def test_the_table_is_the_settings(root):
    text = (root / "docs" / "hosting.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| `EMBEDSCOPE_")]
    assert rows == [f"| `{setting.name}` | {told(setting)} | {setting.about} |" for setting in SETTINGS]


def test_no_document_names_a_setting_that_is_none(root):
    known = {setting.name for setting in SETTINGS}
    files = [*root.glob("*.md"), *(root / "docs").glob("*.md"), root / "Containerfile"]
    for path in files:
        named = set(re.findall(r"EMBEDSCOPE_[A-Z_]+[A-Z]", path.read_text(encoding="utf-8")))
        assert named <= known, path


def test_the_example_of_secrets_is_good_and_whole(root):
    text = (root / ".streamlit" / "secrets.toml.example").read_text(encoding="utf-8")
    taken = take(tomllib.loads(text)["embedscope"], {})
    assert value("EMBEDSCOPE_HOSTED", taken) is True
    assert value("EMBEDSCOPE_TRAINING", taken) is False
    optional = re.sub(r"^# (?=\[llm\]|[A-Za-z_]+ = )", "", text, flags=re.M)
    whole = tomllib.loads(optional)
    assert take(whole["embedscope"], {}).keys() >= taken.keys()
    assert LlmSettings.from_mapping(whole["llm"]).most_requests == 500


def test_streamlit_is_set_for_the_open_internet(root):
    config = tomllib.loads((root / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert {**config["client"], "showErrorDetails": "none", "showErrorLinks": False} == config["client"]
    server = config["server"]
    assert server["enableXsrfProtection"]
    assert server["enableCORS"]
    assert not server["enableStaticServing"]
    assert not server["enableAgentApi"]
    assert server["maxUploadSize"] == value("EMBEDSCOPE_MAX_UPLOAD_MB", {})
    assert not config["browser"]["gatherUsageStats"]


def test_the_container_runs_as_nobody_in_particular(recipe):
    names = [name for name, _ in recipe]
    users = [rest for name, rest in recipe if name == "USER"]
    assert users == ["10001:10001"]
    assert names.index("USER") < names.index("CMD")
    assert max(i for i, name in enumerate(names) if name in ("COPY", "RUN")) < names.index("USER")
    assert ("VOLUME", "/data") in recipe
    made = " ".join(rest for name, rest in recipe if name == "RUN")
    assert "--owner 10001" in made
    assert "chmod -R a-w,a+rX /app" in made
    assert "|| true" not in made


def test_the_container_writes_on_its_volume_alone(recipe):
    held = " ".join(rest for name, rest in recipe if name == "ENV")
    variables = dict(re.findall(r"([A-Z_]+)=(\S+)", held))
    folders = {setting.name for setting in SETTINGS if setting.kind == "folder"} | WRITTEN_ELSEWHERE
    assert {name for name in folders if not variables.get(name, "").startswith("/data")} == set()
    ours = {name: text for name, text in variables.items() if name.startswith("EMBEDSCOPE_")}
    assert value("EMBEDSCOPE_HOSTED", ours) is True
    for name in ours:
        value(name, ours)


def test_the_container_holds_what_the_app_needs_and_no_secret(recipe, root):
    copied = [part for name, rest in recipe if name == "COPY" for part in rest.split()[:-1]]
    assert all((root / part).exists() for part in copied)
    assert {"app.py", "pages", "lib", "sample_data", ".streamlit/config.toml", "requirements.txt"} <= set(copied)
    assert not any("secrets" in part or part in (".", "*") for part in copied)
    ignored = (root / ".dockerignore").read_text(encoding="utf-8").split("\n")
    assert {".streamlit/secrets.toml", ".git", ".venv"} <= set(ignored)
    assert ".streamlit/secrets.toml" in (root / ".gitignore").read_text(encoding="utf-8").split("\n")


def test_the_containers_health_check_asks_the_port_it_serves(recipe):
    check = next(rest for name, rest in recipe if name == "HEALTHCHECK")
    port = next(rest for name, rest in recipe if name == "EXPOSE")
    assert f"http://127.0.0.1:{port}/_stcore/health" in check
    compile(re.search(r'"-c", "([^"]+)"', check).group(1), "health", "exec")
    assert any(f"STREAMLIT_SERVER_PORT={port}" in rest for name, rest in recipe if name == "ENV")


def test_every_cache_ends(root):
    """Whatever a server keeps in memory has a largest number of entries: nothing grows with its visitors."""
    unbounded = []
    for path in sorted((root / "lib").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if "cache" not in text:
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                unbounded += [f"{path.name}: {node.name}" for each in node.decorator_list if _grows(each, node)]
    assert not unbounded


def _grows(decorator, function):
    name = ast.unparse(decorator.func if isinstance(decorator, ast.Call) else decorator)
    given = {word.arg: ast.unparse(word.value) for word in getattr(decorator, "keywords", [])}
    if name.startswith("st.cache_") or name in ("cache_resource", "cache_data"):
        return given.get("max_entries", "None") == "None"
    if name.endswith("lru_cache"):
        return given.get("maxsize", "128") == "None"
    if name in ("cache", "functools.cache"):
        return bool(function.args.args or function.args.kwonlyargs)
    return False
