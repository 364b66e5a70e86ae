"""`python -m lib settings`: the owner's settings, what each is for, and what holds now."""

import argparse
import json
import os
import re
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lib.errors import InputError
from lib.settings import SECTION, SETTINGS, Setting, check, take, value, written

_LIBRARIES = ("HF_HUB_OFFLINE", "HF_HOME", "HF_TOKEN", "OMP_NUM_THREADS")
"""Variables of libraries that matter here."""
_SECRET = ("TOKEN", "KEY", "SECRET", "PASSWORD")
_IN_ADDRESS = re.compile(r"(?<=://)[^/?#]*@|(?<=[^?])\?.*$")
"""Where an address may carry a secret: before its host, and in its query."""
_LLM = "llm"


def add(commands: Any) -> None:
    """The command and its options."""
    command = commands.add_parser("settings", help="the owner's settings, and what holds now")
    command.add_argument("--secrets", metavar="FILE", help="add what this secrets.toml sets, as the app does")
    command.add_argument("--json", action="store_true", help="JSON instead of a table")
    command.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> None:
    """Write them; a bad one is told, and the command ends with status 2."""
    secrets = _secrets(Path(chosen.secrets)) if chosen.secrets else {}
    taken = take(_section(secrets, SECTION), os.environ)
    environment = {**os.environ, **taken}
    rows = [_row(setting, environment, taken) for setting in SETTINGS]
    rows += [_of_library(name) for name in _LIBRARIES if os.environ.get(name)]
    rows += [_of_llm(name, held) for name, held in _section(secrets, _LLM).items()]
    if chosen.json:
        json.dump(rows, sys.stdout, indent=2)
        sys.stdout.write("\n")
    else:
        _print(rows)
    check(environment)


def _print(rows: list[dict[str, Any]]) -> None:
    width = max(len(row["name"]) for row in rows)
    for row in rows:
        mark = "*" if row["from"] else " "
        print(f"{mark} {row['name']:<{width}}  {row['now']}{' ' + row['unit'] if row['unit'] else ''}")
        print(f"  {'':<{width}}    {row['about']}")
    print("\n* set; the others have their defaults. docs/hosting.md tells more.")


def _row(setting: Setting, environment: Mapping[str, str], taken: Mapping[str, str]) -> dict[str, Any]:
    try:
        held = value(setting.name, environment)
        now = written(setting, held)
    except InputError as fault:
        held, now = None, f"cannot be used: {fault}"
    origin = "secrets" if setting.name in taken else "environment" if environment.get(setting.name, "").strip() else ""
    unit = setting.sign if held is not None else ""
    return {"name": setting.name, "now": now, "unit": unit, "from": origin, "about": setting.about}


def _of_library(name: str) -> dict[str, Any]:
    about = "A library's own; it is read there."
    return {"name": name, "now": _masked(name, os.environ[name]), "unit": "", "from": "environment", "about": about}


def _of_llm(name: str, held: object) -> dict[str, Any]:
    about = "Of the language model that may be asked for labels."
    return {"name": f"[llm] {name}", "now": _masked(name, held), "unit": "", "from": "secrets", "about": about}


def _masked(name: str, held: object) -> str:
    if any(part in name.upper() for part in _SECRET) or not isinstance(held, str | int | float):
        return "set (not shown)"
    return _IN_ADDRESS.sub("", str(held))


def _secrets(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as fault:
        raise InputError(f"{path} cannot be read ({fault.strerror}): give a secrets.toml.") from None
    except ValueError as fault:
        raise InputError(f"{path} is not valid TOML: {fault}") from None


def _section(secrets: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    held = secrets.get(name, {})
    if not isinstance(held, Mapping):
        raise InputError(f"{name} in the secrets should be a section, [{name}], with a setting a line.")
    return held
