"""Labels that a person wrote, kept on disk beside the store: one small file a dictionary.

Only for whoever owns the server: on a public one strangers would write over each other's labels, so there they stay in
their session. The switch is EMBEDSCOPE_HOSTED: on, nothing is kept; off, edits are kept; unset, they are kept for
visitors who opened the app under an address of this very machine.
"""

import json
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from lib.errors import InputError
from lib.sae.feature_table import check_label

_ON, _OFF = ("1", "true", "yes", "on"), ("0", "false", "no", "off")
_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")
_MOST_BYTES, _MOST_EDITS = 4_000_000, 100_000
_lock = threading.Lock()


def edits_are_kept(address: str | None, environment: Mapping[str, str] | None = None) -> bool:
    """Whether labels edited by a visitor who opened the app at `address` go to disk.

    Raises:
        InputError: EMBEDSCOPE_HOSTED is neither on nor off.
    """
    given = (os.environ if environment is None else environment).get("EMBEDSCOPE_HOSTED", "").strip().lower()
    if given in _ON:
        return False
    if given in _OFF:
        return True
    if given:
        raise InputError(f"EMBEDSCOPE_HOSTED should be 1 or 0, got {given[:40]!r}: change or unset it.")
    return bool(address) and urlsplit(address or "").hostname in _THIS_MACHINE


def default_edits() -> "LabelEdits":
    """The edits beside the store's folder."""
    store = Path(os.environ.get("EMBEDSCOPE_STORE") or Path.home() / ".cache" / "embedscope" / "embeddings")
    return LabelEdits(store.expanduser().parent / "labels")


class LabelEdits:
    """A folder of edited labels. Threads of one process may share it."""

    def __init__(self, root: Path) -> None:
        """Keep edits in `root`."""
        self.root = root

    def read(self, sae_key: str) -> dict[int, str | None]:
        """The edited labels of a dictionary, None where one was taken away; {} where the file cannot be read."""
        try:
            path = self._path(sae_key)
            if path.stat().st_size > _MOST_BYTES:
                return {}
            held = json.loads(path.read_text(encoding="utf-8"))
            labels = held["labels"] if held["sae_key"] == sae_key else {}
            return {int(feature): check_label(text) for feature, text in labels.items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):  # InputError is a ValueError
            return {}

    def write(self, sae_key: str, labels: Mapping[int, str | None]) -> None:
        """Keep `labels` beside those that are kept already.

        Raises:
            InputError: too many, or a folder that cannot be written.
        """
        with _lock:
            both = self.read(sae_key) | {feature: check_label(text) for feature, text in labels.items()}
            if len(both) > _MOST_EDITS:
                raise InputError(f"At most {_MOST_EDITS:,} edited labels are kept for a dictionary.")
            held = {"sae_key": sae_key, "labels": {str(feature): text for feature, text in sorted(both.items())}}
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
