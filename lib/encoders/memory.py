"""Memory: how much is free for a model, and whether one fits, asked before anything is loaded."""

import sys
from pathlib import Path

from lib.errors import InputError
from lib.settings import value

_LIBRARIES = 350_000_000
"""Bytes that importing torch and sentence-transformers takes, measured on Linux; owed only once a process."""
_WORKING = 1.1
"""Bytes needed in all for each byte of weights: activations of a batch, and the allocator's slack."""
_LEFT_TO_OTHERS = 100_000_000
"""Bytes that opening a model leaves free: pages that are being drawn need some."""
_CGROUPS = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current", "/sys/fs/cgroup/memory.stat", "inactive_file"),
    (
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
        "/sys/fs/cgroup/memory/memory.usage_in_bytes",
        "/sys/fs/cgroup/memory/memory.stat",
        "total_inactive_file",
    ),
)


_MEMBERSHIP, _GROUPS = Path("/proc/self/cgroup"), Path("/sys/fs/cgroup")
_GROUP_FILES = ("memory.max", "memory.current", "inactive_file")
_OLD_GROUP_FILES = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")


class ShortOfMemoryError(InputError):
    """A model that would fit if others were let go."""


def free_memory() -> int:
    """Bytes that this process may still take: the machine's, or the container's where that is less."""
    import psutil

    available = int(psutil.virtual_memory().available)
    for limit_file, used_file, stat_file, reclaimable in (*_CGROUPS, *_own_groups()):
        limit, used = _number(Path(limit_file)), _number(Path(used_file))
        if limit is not None and used is not None:
            available = min(available, limit - used + _statistic(Path(stat_file), reclaimable))
    return max(available, 0)


def memory_needed(parameters: int, *, bytes_per_parameter: int = 4) -> int:
    """Bytes that loading and running a model of so many parameters takes from now on."""
    libraries = 0 if "sentence_transformers" in sys.modules else _LIBRARIES
    return int(parameters * bytes_per_parameter * _WORKING) + libraries


def check_memory(source: str, parameters: int, *, bytes_per_parameter: int = 4) -> None:
    """Refuse a model that the free memory cannot hold, or that is larger than the owner allows.

    Raises:
        ShortOfMemoryError: with the bytes needed and those free.
        InputError: it is larger than the owner allows.
    """
    check_cap(source, parameters * bytes_per_parameter)
    needed, free = memory_needed(parameters, bytes_per_parameter=bytes_per_parameter), free_memory()
    if needed + _LEFT_TO_OTHERS > free:
        raise ShortOfMemoryError(
            f"{source} needs about {needed / 1e9:.1f} GB of memory ({parameters / 1e6:,.0f} M parameters), but only "
            f"{free / 1e9:.1f} GB are free; choose a smaller encoder or run Embedscope on a larger machine."
        )


def check_cap(source: str, size: float) -> None:
    """Refuse a model of `size` bytes in memory that is larger than the owner allows, whatever is free.

    Raises:
        InputError: with its size and what is allowed.
    """
    cap = value("EMBEDSCOPE_MODEL_GB")
    if cap is not None and size > 1e9 * cap:
        raise InputError(
            f"{source} takes {size / 1e9:.2g} GB in memory, and whoever runs this server allows {cap:g} GB for a model "
            "(EMBEDSCOPE_MODEL_GB); choose a smaller one or run Embedscope on your own machine."
        )


def _own_groups() -> list[tuple[str, str, str, str]]:
    """The control files of the groups that this process is in and of those above, as systemd sets them."""
    try:
        lines = _MEMBERSHIP.read_text().splitlines()
    except OSError:
        return []
    found: list[tuple[str, str, str, str]] = []
    for line in lines:
        _, controllers, path = [*line.split(":", 2), "", ""][:3]
        if controllers and "memory" not in controllers.split(","):
            continue
        root = _GROUPS / "memory" if controllers else _GROUPS
        limit, used, reclaimable = _OLD_GROUP_FILES if controllers else _GROUP_FILES
        group = Path(path.lstrip("/"))
        folders = [str(root / folder) for folder in (group, *group.parents)[:-1]]
        found += [(f"{each}/{limit}", f"{each}/{used}", f"{each}/memory.stat", reclaimable) for each in folders]
    return found


def _number(path: Path) -> int | None:
    """The number in a control file; None where there is none, or no limit is set ("max")."""
    try:
        text = path.read_text().strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None


def _statistic(path: Path, name: str) -> int:
    """One line of a `memory.stat` file; cached files that the kernel gives back when asked count as free."""
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return 0
    return next((int(value) for key, _, value in (line.partition(" ") for line in lines) if key == name), 0)
