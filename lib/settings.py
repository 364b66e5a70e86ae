"""The owner's settings: each with its name in the environment, what it may be, and its default.

Whoever runs a server sets them in the environment, or under `[embedscope]` in Streamlit's secrets, from where the app
takes them into the environment when it starts. Nothing else under lib/ reads a variable of ours.
"""

import difflib
import math
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from lib.errors import InputError

PREFIX = "EMBEDSCOPE_"
SECTION = "embedscope"
"""The section of the secrets in which they may stand."""
ANY = "any"
"""Every hub id."""
NONE = "none"
"""No hub id."""

Kind = Literal["switch", "whole", "number", "folder", "folders", "hub ids"]
Value = bool | int | float | Path | tuple[Path, ...] | tuple[str, ...] | None

_ON, _OFF = ("1", "true", "yes", "on"), ("0", "false", "no", "off")
_HUB_PATTERN = re.compile(r"[A-Za-z0-9][\w.-]*/(\*|[A-Za-z0-9][\w.-]*)|[A-Za-z0-9][\w.-]*", re.ASCII)
_MOST_DIGITS, _SMALLEST, _LARGEST = 15, 1e-9, 1e9
_ALIKE = 0.75  # of two names: PORT is no misspelt STORE
_SHOWN = 40  # characters of a bad value that its message repeats


@dataclass(frozen=True)
class Setting:
    """One thing that the owner decides."""

    name: str
    """Its name in the environment."""
    kind: Kind
    """What it may be."""
    default: Value
    """What holds where it is not set."""
    about: str
    """What it is for, in one sentence."""
    unit: str = ""
    """What its number counts."""
    unset: str = ""
    """What holds where it is not set, in words, if the default does not say so."""

    @property
    def key(self) -> str:
        """Its name under `[embedscope]` in the secrets: `EMBEDSCOPE_STORE_GB` is `store_gb`."""
        return self.name.removeprefix(PREFIX).lower()

    @property
    def sign(self) -> str:
        """The sign of its unit: GB for gigabytes."""
        return {"gigabytes": "GB", "megabytes": "MB"}.get(self.unit, self.unit)


_KEPT = Path("~/.cache/embedscope")

SETTINGS: tuple[Setting, ...] = (
    Setting("EMBEDSCOPE_HOSTED", "switch", None, "Whether visitors are strangers to each other and to this machine: "
            "on, edited labels stay in their session; off, they are kept on disk.",
            unset="kept on disk only for a visitor at this very machine whose server was not started headless"),
    Setting("EMBEDSCOPE_MODEL_ROOTS", "folders", (), "Folders below which local encoders and dictionaries may lie, "
            "separated by `:` (`;` on Windows); in the secrets a list."),
    Setting("EMBEDSCOPE_HUB_IDS", "hub ids", (ANY,), "What may be asked of the model hub: exact ids (`owner/name`), "
            "all of an owner (`owner/*`), separated by commas; `any`, or `none`."),
    Setting("EMBEDSCOPE_OFFLINE", "switch", False, "Never asks the model hub; what is in its cache opens still."),
    Setting("EMBEDSCOPE_ALLOW_REMOTE_CODE", "switch", False, "Lets encoders run Python code that comes with them: "
            "never where visitors choose the encoder."),
    Setting("EMBEDSCOPE_MODEL_GB", "number", None, "The largest model that is opened, weights as they lie in memory.",
            unit="gigabytes", unset="as much as the free memory holds"),
    Setting("EMBEDSCOPE_HUB_GB", "number", None, "What the hub's cache may take on disk; where a download needs room, "
            "the models that were used longest ago are removed.", unit="gigabytes",
            unset="as much as the disk holds, and nothing is removed"),
    Setting("EMBEDSCOPE_MAX_UPLOAD_MB", "whole", 200, "The largest file, or pasted text; above 200 raise "
            "`server.maxUploadSize` in `.streamlit/config.toml` too.", unit="megabytes"),
    Setting("EMBEDSCOPE_MAX_ROWS", "whole", 1_000_000, "The longest table.", unit="rows"),
    Setting("EMBEDSCOPE_MAX_CHARS", "whole", 100_000, "The longest text.", unit="characters"),
    Setting("EMBEDSCOPE_TRAINING", "switch", True, "Whether pages may train a dictionary or an encoder; one training "
            "runs at a time, others wait."),
    Setting("EMBEDSCOPE_TRAINING_MINUTES", "number", 60.0, "The longest training, its resumptions together.",
            unit="minutes"),
    Setting("EMBEDSCOPE_TRAINING_TEXTS", "whole", 200_000, "The most texts, or pairs of them, of one training.",
            unit="texts"),
    Setting("EMBEDSCOPE_SHARE_LINKS", "switch", True, "Whether visitors may make share links of what they uploaded."),
    Setting("EMBEDSCOPE_SHARE_DAYS", "whole", 30, "The longest that a share link may live.", unit="days"),
    Setting("EMBEDSCOPE_SHARE_MB", "number", 20.0, "The largest share.", unit="megabytes"),
    Setting("EMBEDSCOPE_SHARES", "folder", _KEPT / "shares", "Where shares are kept."),
    Setting("EMBEDSCOPE_SHARES_GB", "number", 1.0, "What all shares may take on disk.", unit="gigabytes"),
    Setting("EMBEDSCOPE_STORE", "folder", _KEPT / "embeddings", "Where embeddings are kept; edited labels and the "
            "count of requests to a language model lie beside it."),
    Setting("EMBEDSCOPE_STORE_GB", "number", 2.0, "What embeddings may take on disk; the oldest are removed above it.",
            unit="gigabytes"),
    Setting("EMBEDSCOPE_RESULTS", "folder", _KEPT / "results", "Where slow results are kept: maps, clusters, codes, "
            "networks, lenses, matches."),
    Setting("EMBEDSCOPE_RESULTS_GB", "number", 1.0, "What slow results may take on disk; the oldest are removed above "
            "it.", unit="gigabytes"),
    Setting("EMBEDSCOPE_RUNS", "folder", _KEPT / "runs", "Where trainings are kept."),
    Setting("EMBEDSCOPE_RUNS_GB", "number", 2.0, "What trainings may take on disk; ended ones are removed above it, "
            "oldest first.", unit="gigabytes"),
)  # fmt: skip
"""All of them."""

BY_NAME = {setting.name: setting for setting in SETTINGS}


def value(name: str, environment: Mapping[str, str] | None = None) -> Any:
    """What the setting `name` is now: of the type of its kind, or its default where it is not set.

    A switch is a bool (None where it is not set and has no default), "whole" an int, "number" a float, "folder" an
    absolute Path, "folders" a tuple of Paths, "hub ids" a tuple of patterns.

    Raises:
        InputError: what is set there is nothing that it may be.
    """
    setting = BY_NAME[name]
    given = (os.environ if environment is None else environment).get(name, "").strip()
    if not given:
        return _folder(str(setting.default)) if setting.kind == "folder" else setting.default
    return _READ[setting.kind](setting, given)


def check(environment: Mapping[str, str] | None = None) -> None:
    """Read every setting once, so that a bad one is told when a server starts and not when it is first needed.

    Raises:
        InputError: the first that is nothing it may be, or a name that looks like one of them misspelt.
    """
    env = os.environ if environment is None else environment
    for setting in SETTINGS:
        value(setting.name, env)
    for name in env:
        near = _near(name.removeprefix(PREFIX).lower()) if name.startswith(PREFIX) and name not in BY_NAME else None
        if near is not None:  # others (Kubernetes, for a service of this name) set variables that begin alike
            raise InputError(f"{name} is no setting: did you mean {near.name}?")


def take(section: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, str]:
    """What the section of the secrets adds to the environment: whatever is not set there already.

    Keys are the settings' own (`store_gb`) or their names in the environment. A list stands for folders or ids, true
    and false for a switch.

    Raises:
        InputError: a key that is no setting's, or a value that is none.
    """
    taken: dict[str, str] = {}
    known = {setting.key: setting for setting in SETTINGS} | BY_NAME
    for key, held in section.items():
        setting = known.get(key) or known.get(key.lower())
        if setting is None:
            near = _near(key.lower().removeprefix(PREFIX.lower()))
            hint = f"did you mean {near.key}?" if near else "docs/hosting.md lists them all."
            raise InputError(f"{key[:_SHOWN]} under [{SECTION}] in the secrets is no setting: {hint}")
        if not environment.get(setting.name, "").strip():
            taken[setting.name] = _as_text(setting, held)
    for name in taken:
        value(name, taken)
    return taken


def written(setting: Setting, held: Value) -> str:
    """A value in the words in which its owner would set it."""
    if held is None:
        return setting.unset
    if isinstance(held, bool):
        return "on" if held else "off"
    if isinstance(held, tuple):
        between = ", " if setting.kind == "hub ids" else os.pathsep
        return between.join(str(each) for each in held) or NONE
    return f"{held:,}" if isinstance(held, int) else f"{held:g}" if isinstance(held, float) else str(held)


def allows_hub_id(hub_id: str, patterns: Sequence[str]) -> bool:
    """Whether one of `patterns` (exact ids, `owner/*`, `any`, `none`) lets `hub_id` be asked for; case counts not."""
    low, owner = hub_id.lower(), hub_id.lower().partition("/")[0]
    return any(
        pattern == ANY or pattern.lower() == low or ("/" in low and pattern.lower() == f"{owner}/*")
        for pattern in patterns
    )


def _switch(setting: Setting, given: str) -> bool:
    low = given.lower()
    if low not in _ON + _OFF:
        raise _wrong(setting, "on or off", given)
    return low in _ON


def _whole(setting: Setting, given: str) -> int:
    if not (given.isascii() and given.isdigit() and len(given) <= _MOST_DIGITS and int(given) > 0):
        raise _wrong(setting, "a whole number above 0", given)
    return int(given)


def _number(setting: Setting, given: str) -> float:
    try:
        number = float(given)
    except ValueError:
        number = math.nan
    if not _SMALLEST <= number < _LARGEST:
        raise _wrong(setting, f"a number of {setting.unit} above 0", given)
    return number


def _folder_of(setting: Setting, given: str) -> Path:
    if "\0" in given:
        raise _wrong(setting, "a folder", given)
    return _folder(given)


def _folder(given: str) -> Path:
    return Path(given).expanduser().absolute()


def _folders(setting: Setting, given: str) -> tuple[Path, ...]:
    return tuple(_folder_of(setting, part.strip()) for part in given.split(os.pathsep) if part.strip())


def _hub_ids(setting: Setting, given: str) -> tuple[str, ...]:
    parts = [part.strip() for part in given.split(",") if part.strip()]
    if [part.lower() for part in parts] in ([ANY], [NONE]):
        return () if parts[0].lower() == NONE else (ANY,)
    for part in parts:
        if not _HUB_PATTERN.fullmatch(part) or part.lower() in (ANY, NONE):
            raise _wrong(setting, "ids (owner/name) and owners (owner/*) with commas between, or any, or none,", part)
    return tuple(parts)


_READ: dict[Kind, Callable[[Setting, str], Value]] = {
    "switch": _switch,
    "whole": _whole,
    "number": _number,
    "folder": _folder_of,
    "folders": _folders,
    "hub ids": _hub_ids,
}


def _wrong(setting: Setting, expected: str, given: str) -> InputError:
    return InputError(f"{setting.name} should be {expected}, got {given[:_SHOWN]!r}: change or unset it.")


def _near(key: str) -> Setting | None:
    """The setting whose key is spelt nearly so."""
    near = difflib.get_close_matches(key, [setting.key for setting in SETTINGS], n=1, cutoff=_ALIKE)
    return BY_NAME[PREFIX + near[0].upper()] if near else None


def _as_text(setting: Setting, held: Any) -> str:
    if isinstance(held, bool):
        return "on" if held else "off"
    if isinstance(held, str | int | float):
        return str(held)
    if isinstance(held, Sequence) and setting.kind in ("folders", "hub ids"):
        return ("," if setting.kind == "hub ids" else os.pathsep).join(map(str, held)) or (
            NONE if setting.kind == "hub ids" else ""
        )
    raise InputError(
        f"{setting.key} under [{SECTION}] in the secrets should be text, a number or true or false, got a "
        f"{type(held).__name__}."
    )
