"""Disk: the room that a download from the hub may take, asked before it begins."""

import shutil
from pathlib import Path

from lib.errors import InputError
from lib.settings import value

_LEFT_FREE = 10**9
"""Bytes of disk that a download leaves to others."""


def make_room(hub_id: str, size: int, cache: Path, *, smaller: str = "encoder") -> None:
    """Hold a download of `size` bytes against the free disk, and against what the owner gives the hub's cache.

    Where the owner has set how much that is, models that were used longest ago are removed until the new one fits.

    Raises:
        InputError: there is no room for it.
    """
    if size <= 0:
        return
    cap = value("EMBEDSCOPE_HUB_GB")
    if cap is not None:
        if size > 1e9 * cap:
            raise InputError(
                f"{hub_id} takes {size / 1e9:.1f} GB on disk, and whoever runs this server gives all downloaded models "
                f"{cap:g} GB (EMBEDSCOPE_HUB_GB); choose a smaller {smaller}."
            )
        _let_go(hub_id, size, 1e9 * cap)
    place = next(parent for parent in (cache, *cache.parents) if parent.exists())
    free = shutil.disk_usage(place).free
    if size > free:
        raise InputError(
            f"{hub_id} takes {size / 1e9:.1f} GB on disk, but only {free / 1e9:.1f} GB are free; make room or choose a "
            f"smaller {smaller}."
        )
    if size > free - _LEFT_FREE:
        raise InputError(
            f"{hub_id} takes {size / 1e9:.1f} GB on disk, and of the {free / 1e9:.1f} GB that are free "
            f"{_LEFT_FREE / 1e9:.0f} is left to others; make room or choose a smaller {smaller}."
        )


def _let_go(hub_id: str, size: int, cap: float) -> None:
    """Remove other models from the cache, those used longest ago first, until `size` bytes more stay below `cap`."""
    from huggingface_hub import scan_cache_dir
    from huggingface_hub.errors import CacheNotFound

    try:
        held = scan_cache_dir()
    except CacheNotFound:
        return
    over = held.size_on_disk + size - cap
    for _, folder, bytes_ in sorted(
        (repo.last_accessed, repo.repo_path, repo.size_on_disk) for repo in held.repos if repo.repo_id != hub_id
    ):
        if over <= 0:
            break
        shutil.rmtree(folder, ignore_errors=True)  # an open one lives on in the memory of those who read it
        over -= 0 if folder.exists() else bytes_
