"""Hub: the files of one sparse autoencoder in the hub's cache, downloaded when they are not there and may be.

A repository may hold dozens of dictionaries, a folder each: only the files of the folder that was named are fetched,
and safetensors alone where there are any.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lib.encoders import free_memory
from lib.encoders.disk import make_room
from lib.encoders.hub import HubFolder, asking, cached_or_fetched
from lib.encoders.memory import check_cap
from lib.encoders.turns import FETCHING
from lib.errors import InputError

_SECONDS = 4.0
"""How long one answer of the hub is waited for."""
_CONFIGS = ("config.json", "cfg.json")
_SAFE = ("sae.safetensors", "sae_weights.safetensors")
_PICKLED = ("ae.pt",)
_BESIDE = ("activation_scaler.json", "features.parquet")
_READING = 7  # bytes of memory that reading takes for each byte of a file
_SHOWN = 6


def fetch_sae(hub_id: str, folder: str, *, allow_hub: bool) -> HubFolder:
    """The folder of an SAE in the hub's cache, downloaded if need be; its size is held against the free disk first.

    `folder` lies in the repository; "" is its top.

    Raises:
        InputError: unknown, gated or too large, a repository without an SAE in that folder, or the hub cannot be
            reached and nothing is cached.
    """
    return cached_or_fetched(
        _called(hub_id, folder),
        _cached(hub_id, folder),
        lambda: _download(hub_id, folder),
        allow_hub=allow_hub,
        instead="choose the packaged sparse autoencoder",
    )


def _cached(hub_id: str, folder: str) -> HubFolder | None:
    from huggingface_hub import constants, try_to_load_from_cache

    for config in _CONFIGS:
        found = try_to_load_from_cache(hub_id, _path(folder, config))
        if isinstance(found, str) and any((Path(found).parent / name).is_file() for name in (*_SAFE, *_PICKLED)):
            return HubFolder(Path(found).parent, Path(constants.HF_HUB_CACHE))
    return None


def _download(hub_id: str, folder: str) -> HubFolder:
    from huggingface_hub import HfApi, constants, hf_hub_download

    with FETCHING.taken(hub_id), asking(hub_id, what="repository", other="sparse autoencoder"):
        info = HfApi().model_info(hub_id, files_metadata=True, timeout=_SECONDS)
        wanted = _selection(hub_id, folder, info.siblings or [])
        size = sum(file.size or 0 for file in wanted)
        _check_memory(hub_id, size)
        make_room(hub_id, size, Path(constants.HF_HUB_CACHE), smaller="sparse autoencoder")
        paths = [hf_hub_download(hub_id, file.rfilename, revision=info.sha, etag_timeout=_SECONDS) for file in wanted]
    return HubFolder(Path(paths[0]).parent, Path(constants.HF_HUB_CACHE))


def _selection(hub_id: str, folder: str, siblings: Sequence[Any]) -> list[Any]:
    """The repository's files that make up the SAE in `folder`; the config comes first."""
    files = {file.rfilename: file for file in siblings}
    configs = _held(files, folder, _CONFIGS)
    weights = _held(files, folder, _SAFE) or _held(files, folder, _PICKLED)
    if configs and weights:
        return [*configs, *weights, *_held(files, folder, _BESIDE)]
    others = sorted(
        name.rpartition("/")[0] for name in files if "/" in name and name.rpartition("/")[2] in (*_SAFE, *_PICKLED)
    )
    if others:
        shown = ", ".join(others[:_SHOWN]) + (", ..." if len(others) > _SHOWN else "")
        raise InputError(
            f"{_called(hub_id, folder)} holds no sparse autoencoder itself, but these folders of "
            f"{hub_id} do: {shown}; name one, as in {hub_id}/{others[0]}."
        )
    raise InputError(
        f"{hub_id} holds no sparse autoencoder that can be read: expected cfg.json or config.json beside one of "
        f"{', '.join((*_SAFE, *_PICKLED))}."
    )


def _held(files: dict[str, Any], folder: str, names: Sequence[str]) -> list[Any]:
    return [files[_path(folder, name)] for name in names if _path(folder, name) in files]


def _path(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def _called(hub_id: str, folder: str) -> str:
    return f"{hub_id}/{folder}" if folder else hub_id


def _check_memory(hub_id: str, size: int) -> None:
    """Refuse weights that could not be read, before they are downloaded."""
    check_cap(hub_id, size)
    free = free_memory()
    if _READING * size > free:
        raise InputError(
            f"{hub_id} takes about {_READING * size / 1e9:.1f} GB of memory to read, but only {free / 1e9:.1f} GB are "
            "free; choose a smaller sparse autoencoder."
        )
