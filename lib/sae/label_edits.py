"""Labels that a person wrote, kept on disk beside the store: one small file a dictionary.

Only for whoever owns the server: on a public one strangers would write over each other's labels, so there they stay in
their session. The switch is EMBEDSCOPE_HOSTED: on, nothing is kept; off, edits are kept; unset, they are kept where
nothing speaks against the visitor sitting at this very machine. An address is what a browser says and can be forged, so
it alone is never enough; where in doubt nothing is kept.
"""

import json
import math
import os
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from lib.errors import InputError
from lib.sae.feature_table import Edit, check_label, check_name
from lib.settings import value

_PASSED_ON = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip")
_MOST_BYTES, _MOST_EDITS = 16_000_000, 100_000
_lock = threading.Lock()


@dataclass(frozen=True)
class Visit:
    """How a visitor came to the server."""

    address: str | None
    """The address of the page, as the browser tells it; None where it tells none."""
    peer: str | None
    """The address of the machine at the other end of the connection; None for this one, or where it is not known."""
    headers: Mapping[str, str]
    """Headers of the request; their names in any case."""
    opened_here: bool
    """Whether the server opened a browser on its own screen when it started, which one behind a proxy does not."""


def edits_are_kept(visit: Visit, environment: Mapping[str, str] | None = None) -> bool:
    """Whether labels that this visitor edits go to disk.

    Raises:
        InputError: EMBEDSCOPE_HOSTED is neither on nor off.
    """
    hosted = value("EMBEDSCOPE_HOSTED", environment)
    if hosted is not None:
        return not hosted
    headers = {name.lower(): value for name, value in visit.headers.items()}
    return (
        visit.opened_here
        and not any(name in headers for name in _PASSED_ON)
        and (visit.peer is None or _is_here(visit.peer))
        and _host_is_here(visit.address)
        and _host_is_here(f"//{headers.get('host', '')}")
    )


def _host_is_here(address: str | None) -> bool:
    try:
        host = urlsplit(address or "").hostname
    except ValueError:
        return False
    return host is not None and (host == "localhost" or _is_here(host))


def _is_here(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


def default_edits() -> "LabelEdits":
    """The edits beside the store's folder."""
    store: Path = value("EMBEDSCOPE_STORE")
    return LabelEdits(store.parent / "labels")


class LabelEdits:
    """A folder of edited labels. Threads of one process may share it."""

    def __init__(self, root: Path) -> None:
        """Keep edits in `root`."""
        self.root = root

    def read(self, sae_key: str) -> dict[int, Edit]:
        """The edited labels of a dictionary; {} where the file cannot be read."""
        try:
            path = self._path(sae_key)
            if path.stat().st_size > _MOST_BYTES:
                return {}
            held = json.loads(path.read_text(encoding="utf-8"))
            labels = held["labels"] if held["sae_key"] == sae_key else {}
            return {int(feature): _edit(told) for feature, told in labels.items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):  # InputError is a ValueError
            return {}

    def write(self, sae_key: str, edits: Mapping[int, Edit]) -> None:
        """Keep `edits` beside those that are kept already.

        Raises:
            InputError: too many, too long a label, or a folder that cannot be written.
        """
        with _lock:
            both = self.read(sae_key) | dict(edits)
            if len(both) > _MOST_EDITS:
                raise InputError(f"At most {_MOST_EDITS:,} edited labels are kept for a dictionary.")
            held = {"sae_key": sae_key, "labels": {str(feature): _told(edit) for feature, edit in sorted(both.items())}}
            path = self._path(sae_key)
            part = path.with_suffix(f".{os.getpid()}.part")
            try:
                self.root.mkdir(parents=True, exist_ok=True)
                part.write_text(json.dumps(held, ensure_ascii=False, indent=0), encoding="utf-8")
                part.replace(path)
            except OSError as fault:
                raise InputError(
                    f"The label cannot be kept on disk ({fault.strerror}): it holds in this session."
                ) from None

    def forget(self, sae_key: str) -> None:
        """Remove the edits of a dictionary."""
        with _lock:
            self._path(sae_key).unlink(missing_ok=True)

    def _path(self, sae_key: str) -> Path:
        name = sae_key[:24] if sae_key.isalnum() else "unknown"
        return self.root / f"{name}.json"


def _told(edit: Edit) -> str | dict[str, Any] | None:
    """An edit as it is written: its label alone where it has no score."""
    text = check_label(edit.text)
    known = {name: value for name, value in asdict(edit).items() if value == value and value is not None}
    return known | {"text": text} if edit.scored_on is not None else text


def _edit(told: Any) -> Edit:
    """The reverse.

    Raises:
        ValueError, TypeError, KeyError, AttributeError: it was not written so.
    """
    if told is None or isinstance(told, str):
        return Edit(check_label(told))
    values = {name: float(told.get(name, math.nan)) for name in ("score", "error", "near")}
    if any(math.isinf(value) for value in values.values()):
        raise ValueError("a score that is no number")
    return Edit(check_label(told["text"]), **values, texts=int(told["texts"]), scored_on=check_name(told["scored_on"]))
