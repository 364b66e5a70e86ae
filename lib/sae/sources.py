"""Sources: where a sparse autoencoder's files are, for what a user typed, and the dictionary that is in them.

A source is the packaged one, a finished run of training (`run:NAME`), a folder below the folders that may be opened,
or a hub id: `owner/name`, or `owner/name/sub/folder` where a repository holds several. What is read is data alone:
safetensors and JSON, and where there is nothing else, tensors that torch reads without running anything.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from lib.corpora.samples import SAMPLE_FOLDER
from lib.encoders import PACKAGED, PACKAGED_STATIC, Policy
from lib.encoders.files import inside, stray_link
from lib.encoders.hub import is_hub_id
from lib.encoders.turns import OPENING
from lib.errors import InputError
from lib.runs import default_root
from lib.sae.autoencoder import SparseAutoencoder
from lib.sae.folder import WEIGHTS
from lib.sae.formats import read_sae
from lib.sae.hub import fetch_sae

PACKAGED_SAE = "packaged"
"""The dictionary for the packaged encoder, which ships with the project."""
RUN = "run:"
"""What the source of a finished run of training begins with."""
PACKAGED_STATIC_SAE = "packaged-static"
"""The dictionary for the packaged static encoder."""
PACKAGED_SAES = {PACKAGED_SAE: PACKAGED, PACKAGED_STATIC_SAE: PACKAGED_STATIC}
"""Dictionaries that ship with the project, and the encoder that each belongs to."""
_PACKAGED_FOLDERS = {PACKAGED_SAE: SAMPLE_FOLDER / "sae", PACKAGED_STATIC_SAE: SAMPLE_FOLDER / "sae-static"}
_RUN_FOLDER = "sae"
_RUN_NAME = re.compile(r"[A-Za-z0-9][\w.-]*", re.ASCII)
_MAX_LENGTH = 300


@dataclass(frozen=True)
class OpenedSae:
    """A sparse autoencoder and where it was read."""

    sae: SparseAutoencoder
    """The dictionary."""
    folder: Path
    """Where its files are; what is known of its features may lie beside them."""
    source: str
    """What was asked for."""


@dataclass(frozen=True)
class _Place:
    source: str
    folder: Path
    roots: tuple[Path, ...]
    """Folders that no link below `folder` may lead out of."""


def open_sae(source: str, *, policy: Policy, runs: Path | None = None) -> OpenedSae:
    """The sparse autoencoder that `source` names, downloaded first where needed and allowed.

    A folder below an allowed root goes before a hub id of the same name. `runs` is where runs lie, by default where
    `lib.runs` keeps them.

    Raises:
        InputError: not found, not allowed, not a name at all, or files that are broken or hold no SAE.
    """
    place = _locate(_checked(source), policy, runs)
    stray = stray_link(place.folder, place.roots)
    if stray is not None:
        raise InputError(f"{stray.name} of {place.source!r} is a link that leads out of the folder it belongs to.")
    with OPENING.taken(place.source):
        return OpenedSae(read_sae(place.folder, name=_name(place)), place.folder, place.source)


def _checked(source: str) -> str:
    source = source.strip()
    if not source:
        raise InputError(
            "No sparse autoencoder was named: give a folder, a hub id (owner/name or owner/name/folder), or the "
            f"packaged one ({PACKAGED_SAE})."
        )
    if len(source) > _MAX_LENGTH:
        raise InputError(f"A sparse autoencoder's name has at most {_MAX_LENGTH} characters, got {len(source):,}.")
    if not source.isprintable():
        raise InputError(f"A sparse autoencoder's name holds no control characters, got {source!r}.")
    if ".." in source.replace("\\", "/").split("/"):
        raise InputError(f"{source!r} leads through '..'; name the folder of the sparse autoencoder itself.")
    return source


def _locate(source: str, policy: Policy, runs: Path | None) -> _Place:
    packaged = _PACKAGED_FOLDERS.get(source.lower())
    if packaged is not None:
        if not packaged.is_dir():
            raise InputError(
                f"The packaged sparse autoencoder is missing: sample_data/{packaged.name} is not in this installation."
            )
        return _Place(source.lower(), packaged, (packaged,))
    if source.startswith(RUN):
        return _run(source, runs)
    local = _local(source, policy)
    if local is not None:
        return _Place(source, local, policy.model_roots)
    parts = source.strip("/").split("/")
    hub_id, folder = "/".join(parts[:2]), "/".join(parts[2:])
    if len(parts) < 2 or not is_hub_id(hub_id) or any(part in ("", ".") for part in parts):
        raise InputError(
            f"{source!r} is neither the packaged sparse autoencoder, nor a folder that may be opened here, nor a hub "
            "id (owner/name or owner/name/folder); folders have to lie below EMBEDSCOPE_MODEL_ROOTS."
        )
    policy.check(hub_id)
    found = fetch_sae(hub_id, folder, allow_hub=policy.allow_hub)
    return _Place(source, found.folder, (found.cache,))


def _run(source: str, runs: Path | None) -> _Place:
    name = source.removeprefix(RUN)
    if not _RUN_NAME.fullmatch(name):
        raise InputError(f"A run's name holds letters, digits, dots, dashes and underscores, got {name!r}.")
    root = runs or default_root()
    folder = root / name / _RUN_FOLDER
    if not (folder / WEIGHTS).is_file():
        raise InputError(f"No finished training is called {name[:40]!r} here: it was deleted, or has not ended yet.")
    return _Place(source, folder, (root,))


def _local(source: str, policy: Policy) -> Path | None:
    """The folder that `source` names below an allowed root; None where it may be a hub id instead.

    A folder outside the roots and one that does not exist are told alike, so that nobody can feel around on the disk.
    """
    named = Path(source)
    is_path = named.is_absolute() or source.startswith((".", "~")) or "\\" in source
    candidates = [named] if named.is_absolute() else [root / named for root in policy.model_roots]
    if is_path and not named.is_absolute():
        candidates.insert(0, named)
    for folder in candidates:
        if _is_folder_below(folder, policy.model_roots):
            return Path(os.path.realpath(folder))
    if not is_path:
        return None
    raise InputError(
        f"{source!r} is no folder below those that may be opened here; whoever runs the server sets them with "
        "EMBEDSCOPE_MODEL_ROOTS."
    )


def _is_folder_below(folder: Path, roots: tuple[Path, ...]) -> bool:
    """Whether there is such a folder; a path that the system refuses (too long, not readable) names none."""
    try:
        return inside(folder, roots) and folder.is_dir() and os.access(folder, os.R_OK | os.X_OK)
    except (OSError, ValueError):
        return False


def _name(place: _Place) -> str | None:
    """What a dictionary whose files give it no name is called; None for its folder's name."""
    return place.source if place.source.count("/") in (1, 2) and not Path(place.source).is_absolute() else None
