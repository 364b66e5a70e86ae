"""Hub: a checkpoint's folder in the hub's cache, downloaded when it is not there and may be."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib.encoders.disk import make_room
from lib.encoders.memory import check_memory
from lib.encoders.turns import FETCHING, BusyError
from lib.errors import InputError

_SECONDS = 4.0
"""How long one answer of the hub is waited for: connecting and reading stay under ten seconds together."""
_WANTED = (
    *("*.json", "*.txt", "*.model", "*.safetensors", "*.py", "README.md", "*/config.json", "*.tiktoken"),
    "artifact.metadata",  # Stanford's ColBERT keeps its settings there
)
_PICKLED = ("*.bin",)
_UNUSED_FOLDERS = ("onnx", "openvino", "coreml", "checkpoint-*")
"""Folders that no module reads: exports for other libraries, and states that training left behind."""
_UNWANTED = (
    *(f"{start}{name}/*" for name in _UNUSED_FOLDERS for start in ("", "*/")),
    *("tf_model*", "flax_model*", "rust_model*", "*.gguf"),
)
"""As in `_WANTED`, a "*" spans "/" too, so every pattern reaches into folders."""
_ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?", re.ASCII)


@dataclass(frozen=True)
class HubFolder:
    """Where the hub's cache keeps a checkpoint."""

    folder: Path
    """The snapshot's folder."""
    cache: Path
    """The cache; every file's real path lies below it."""


def is_hub_id(source: str) -> bool:
    """Whether `source` is spelt as hub ids are: `name` or `owner/name`."""
    return bool(_ID.fullmatch(source)) and ".." not in source and "--" not in source and len(source) <= 96


def cached_folder(hub_id: str) -> HubFolder | None:
    """The checkpoint's folder in the cache; None where it was never downloaded."""
    from huggingface_hub import constants, try_to_load_from_cache

    for name in ("config.json", "modules.json", "adapter_config.json"):
        found = try_to_load_from_cache(hub_id, name)
        if isinstance(found, str):
            return HubFolder(Path(found).parent, Path(constants.HF_HUB_CACHE))
    return None


def fetch(hub_id: str, *, allow_hub: bool, instead: str = "choose the packaged encoder") -> HubFolder:
    """The checkpoint's folder, downloaded if need be; its size is held against free memory and disk first.

    `instead` is what a message advises where the hub cannot be asked.

    Raises:
        InputError: unknown, gated or too large, or the hub cannot be reached and nothing is cached.
    """
    return cached_or_fetched(
        hub_id, cached_folder(hub_id), lambda: _download(hub_id), allow_hub=allow_hub, instead=instead
    )


def cached_or_fetched(
    called: str, cached: HubFolder | None, download: Callable[[], HubFolder], *, allow_hub: bool, instead: str
) -> HubFolder:
    """What `download` gives, or what is `cached` where the hub may not or cannot be asked; it is `called` so.

    Raises:
        InputError: as `download` does, or there is nothing in the cache either: then `instead` is advised.
    """
    if not allow_hub:
        if cached:
            return cached
        raise InputError(
            f"{called} is not in the model cache and the hub may not be asked (offline); download it on a machine "
            f"with a network first, or {instead}."
        )
    try:
        return download()
    except BusyError:
        if cached:
            return cached
        raise
    except _UnreachableError as failure:
        if cached:
            return cached
        raise InputError(
            f"The model hub cannot be reached ({failure}), and {called} is not in the model cache; check the network "
            f"or {instead}."
        ) from None


class _UnreachableError(Exception):
    """No answer from the hub, which is no reason not to use its cache."""


@contextmanager
def asking(hub_id: str, *, what: str = "model", other: str = "encoder") -> Iterator[None]:
    """Say in one sentence why the hub does not give `hub_id` out; `what` it should be, and which `other` to choose.

    Raises:
        InputError: gated, unknown or withdrawn.
    """
    from huggingface_hub import errors

    try:
        yield
    except errors.GatedRepoError:
        raise InputError(
            f"{hub_id} is gated: its owner has to grant access; ask for it on its hub page and set HF_TOKEN, or choose "
            f"another {other}."
        ) from None
    except (errors.RepositoryNotFoundError, errors.HFValidationError):
        raise InputError(
            f"The hub knows no public {what} {hub_id}; check the spelling (owner/name), or set HF_TOKEN "
            "if it is private."
        ) from None
    except errors.LocalEntryNotFoundError as failure:  # the network broke away during the download
        raise _UnreachableError(type(failure).__name__) from failure
    except (errors.DisabledRepoError, errors.RevisionNotFoundError, errors.EntryNotFoundError) as failure:
        raise InputError(f"The hub does not give out {hub_id} ({type(failure).__name__}); choose another.") from None
    except (errors.HTTPError, OSError) as failure:  # timeouts, refused connections, the hub's own failures
        raise _UnreachableError(type(failure).__name__) from failure


def _download(hub_id: str) -> HubFolder:
    from huggingface_hub import HfApi, constants, snapshot_download

    with FETCHING.taken(hub_id), asking(hub_id):
        info = HfApi().model_info(hub_id, files_metadata=True, timeout=_SECONDS)
        patterns, files = _selection(info.siblings or [])
        _check_memory(hub_id, info, files)
        _check_disk(hub_id, info.sha, files, Path(constants.HF_HUB_CACHE))
        folder = snapshot_download(
            hub_id,
            revision=info.sha,
            allow_patterns=list(patterns),
            ignore_patterns=list(_UNWANTED),
            etag_timeout=_SECONDS,
        )
    return HubFolder(Path(folder), Path(constants.HF_HUB_CACHE))


def _selection(siblings: Sequence[Any]) -> tuple[tuple[str, ...], list[Any]]:
    """The patterns to fetch by, and the files they fetch: safetensors alone where there are any, else pickled weights.

    The hub's own filter is asked, so that what is held against the disk is what the download takes.
    """
    from huggingface_hub.utils import filter_repo_objects

    def select(patterns: tuple[str, ...]) -> list[Any]:
        allowed, ignored = list(patterns), list(_UNWANTED)
        return list(
            filter_repo_objects(
                siblings, allow_patterns=allowed, ignore_patterns=ignored, key=lambda file: str(file.rfilename)
            )
        )

    files = select(_WANTED)
    if any(file.rfilename.endswith(".safetensors") for file in files):
        return _WANTED, files
    return (*_WANTED, *_PICKLED), select((*_WANTED, *_PICKLED))


def _check_memory(hub_id: str, info: Any, files: Sequence[Any]) -> None:
    """Hold the folder with the most weights against free memory; opening counts those of every module."""
    weights: dict[str, int] = {}
    for file in files:
        if file.rfilename.endswith((".safetensors", ".bin")):
            folder = file.rfilename.rpartition("/")[0]
            weights[folder] = weights.get(folder, 0) + (file.size or 0)
    counted = getattr(info.safetensors, "total", None) if info.safetensors else None
    check_memory(hub_id, max(counted or 0, max(weights.values(), default=0) // 4))


def _check_disk(hub_id: str, revision: str | None, files: Sequence[Any], cache: Path) -> None:
    """Hold the files that the cache lacks against the room that there is for them."""
    from huggingface_hub import try_to_load_from_cache

    missing = sum(
        file.size or 0
        for file in files
        if not isinstance(try_to_load_from_cache(hub_id, file.rfilename, revision=revision), str)
    )
    make_room(hub_id, missing, cache)
